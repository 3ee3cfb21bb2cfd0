"""All forms, by the name that `--format` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.formats.axolotl import AXOLOTL
from apep_datagen.formats.format import Format
from apep_datagen.formats.hermes import HERMES
from apep_datagen.formats.llamafactory import LLAMAFACTORY
from apep_datagen.formats.mistral import MISTRAL
from apep_datagen.formats.openai import OPENAI
from apep_datagen.formats.parquet import PARQUET
from apep_datagen.formats.swift import SWIFT
from apep_datagen.formats.together import TOGETHER
from apep_datagen.formats.traces import TRACES
from apep_datagen.formats.trl import TRL
from apep_datagen.formats.unsloth import UNSLOTH

__all__ = ["FORMATS"]

FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (TRACES, PARQUET, HERMES, LLAMAFACTORY, UNSLOTH, SWIFT, AXOLOTL, MISTRAL, TOGETHER, OPENAI, TRL)
}
"""In the order in which a row is looked at by `import`: one that is of several is of the first."""
