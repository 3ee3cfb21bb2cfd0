"""All forms, by the name that `--format` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.formats.format import Format
from apep_datagen.formats.parquet import PARQUET
from apep_datagen.formats.traces import TRACES
from apep_datagen.formats.trl import TRL

__all__ = ["FORMATS"]

FORMATS: Mapping[str, Format] = {form.name: form for form in (TRACES, PARQUET, TRL)}
"""In the order in which a row is looked at by `import`: one that is of several is of the first."""
