"""Words so common that two texts share them by chance: they say little of what a text is about.

They are the commonest verbs, nouns and adjectives of English beside the function words, and what everybody says of
talking, feeling and time. Where texts are compared by the rare words that they share, these do not count.
"""

from __future__ import annotations

import functools

from apep_datagen.core.words import words
from apep_datagen.language.content import content, stem

__all__ = ["telling"]

_COMMON_WORDS = """
    able afraid sadly alas unfortunately regret act actual actually add afternoon ago agree ahead alike alive alone
    alright am answer apart appear ask asked bad bear become been begin beginning belong best better big bit both
    bring busy call care carry case certain chance change clear close completely could couple day days dear deep
    different difficult done door easily easy end enjoy enough entirely evening everyday exact exactly fact fair
    fall far feel feeling felt few fill find fine finish first fit follow forget forgot forgotten found four free
    friend full fun funny gentle gently give given gives glad gone good goodness got great guess had half hand
    happen happened happy hard hate head hear heard heart held hello help here hers hold honest honestly hope hour
    hours however idea important instead interesting it keep kept kind knew know known large last late lately later
    laugh lay lead learn leave left less let life light like liked line list listen little live long longer look
    looked looking lose lost lot loud love lovely low made main make man manner matter maybe mean meant memory
    memories mention mentioned mere mind minute minutes miss moment moments mood morning move must name need needed
    never new next nice night nobody normal note noted notes notice number odd old older once one only open order
    ordinary ought pass past people perfect person perhaps piece place plain plainly plan play please pleased point
    poor possible pretty probably proper properly put question quick quickly quiet quietly quite read reading ready
    real reason recall remember reply rest return right room round run sad safe said same save saved saw say saying
    says second see seem seemed sees self send sense serious set settle several share short should show shown side
    simple simply since sit slip slowly small smile soft softly somehow somewhere soon sorry sort sound sounds speak
    spoke stand stands start stay stays step still stop store story straight strange such sudden suddenly suppose
    sure surely surprise sweet take taken talk talked tell telling tells tender thank thanks thing things think
    thinking third thought three time times tired today together told tomorrow tonight too touch touched tried true
    truly truth try trying turn turned two understand until use used user users usual usually wait waiting walk want
    wanted wants warm wasn way ways week weeks well went whatever while whole why wish woman wonder word words work
    worry worse worth write writing written wrong wrote year years yesterday yet young five six seven eight nine ten
    hundred thousand
"""


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(stem(word) for word in words(_COMMON_WORDS))


def telling(*texts: str) -> frozenset[str]:
    """Return the stems of the words that say what texts are about: their content words but the commonest."""
    return content(*texts) - _common()
