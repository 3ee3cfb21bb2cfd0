"""The stage `effect`: what the ability demands, in the form that was planned, has happened.

What should be in the memory is known before a model speaks, because it was planned; so nobody has to be asked. What
has to be there must be recognised (`language.values`): inflected, written out, with a letter wrong. What must not be
there is looked for in its exact spellings.

A module judges a few abilities that belong together; `memory` and `tools` look at what holds for all.
"""

from apep_datagen.quality.effect.checks import check
from apep_datagen.quality.effect.view import View

__all__ = ["View", "check"]
