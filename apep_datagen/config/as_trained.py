"""In which form a trained model is asked: that of an export, or of a form's default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text
from apep_datagen.core.suggestions import ask_for_nearest
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from apep_datagen.formats.wish import Wish, shape_of

__all__ = ["as_trained"]

_OPTION = "--as-trained"
_REPORT = "report.json"
"""What an export leaves in its directory."""
_TOLD = {"calls", "tool_role", "thoughts"}
_AS_IT_IS = Wish()


def as_trained(text: str, wish: Wish = _AS_IT_IS) -> Wire:
    """Return how a model is asked that was trained on an export.

    Args:
        text: The name of a form, whose rows were of its default shape; or the directory of an export, whose report
            says of which they were.
        wish: What is known to have been otherwise: the spelling of calls, the role of results, which thoughts
            there are.

    Raises:
        SettingsError: It is neither, or the form has no such rows, or nothing is trained on it.
    """
    form, shape = (text, FORMATS[text].default) if text in FORMATS else _of_export(text)
    if FORMATS[form].container == "sessions":
        raise SettingsError(f"{_OPTION} {text}: {form} are for looking at, and no model is trained on them")
    return Wire(form, shape_of(form, wish, shape))


def _of_export(text: str) -> tuple[str, Shape]:
    """Return the form of the export in a directory, and the shape of its rows."""
    directory = Path(text)
    report = directory / _REPORT
    if report.is_file():
        return _read(report, f"{_OPTION} {text}")
    if directory.is_dir():
        exports = sorted(path.parent.name for path in directory.glob(f"*/{_REPORT}"))
        inside = f"; it holds exports: name one of {', '.join(exports)}" if exports else ""
        raise SettingsError(f"{_OPTION} {text}: this is no directory of an export, there is no {_REPORT} in it{inside}")
    if directory.is_file():
        raise SettingsError(f"{_OPTION} {text}: this is a file; name the directory that `apep-datagen export` wrote")
    near = ask_for_nearest(text, FORMATS)
    raise SettingsError(
        f"{_OPTION} {text}: there is no such format{near} and no such directory; formats are"
        f" {', '.join(sorted(FORMATS))}"
    )


def _read(report: Path, option: str) -> tuple[str, Shape]:
    try:
        record: Any = json.loads(read_text(report, "the report of the export"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{option}: {report} is no JSON; export anew, or name a format") from error
    form = record.get("format") if isinstance(record, dict) else None
    if form is None:
        raise SettingsError(f"{option}: {report} is none of a finished export; export anew, or name a format")
    if not isinstance(form, str) or form not in FORMATS:
        raise SettingsError(f"{option}: {report} is of a format that this version does not know; name a format")
    shape = _shape(record.get("shape"))
    if shape is None or shape.calls not in FORMATS[form].calls:
        raise SettingsError(f"{option}: {report} does not say how the rows were built; export anew, or name a format")
    return form, shape


def _shape(value: Any) -> Shape | None:
    if not isinstance(value, dict) or not value.keys() >= _TOLD:
        return None
    try:
        return TypeAdapter(Shape).validate_python(value)
    except ValidationError:
        return None
