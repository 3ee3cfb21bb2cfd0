"""Files that a user writes: read, and refused in a sentence that says what is wrong and where."""

from __future__ import annotations

import datetime
import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.paths import kind_of_file
from apep_datagen.core.words import shorten

__all__ = ["NOT_QUOTED", "explain_validation_error", "parse_toml", "read_text", "read_toml", "validate"]

Model = TypeVar("Model", bound=BaseModel)

NOT_QUOTED = "its texts are not quoted"
"""Marks a field, in its annotation: no message quotes a text in it, because one can be a key."""

_LONGEST_QUOTE = 60


def read_text(path: Path, what: str, *, encoding: str = "utf-8-sig") -> str:
    """Return what a text file holds.

    Args:
        path: The file.
        what: What it is, for the message, e.g. `the prompt`.
        encoding: `utf-8-sig` leaves out a byte order mark.

    Raises:
        SettingsError: It cannot be read, is no UTF-8, or is no plain file, such as a pipe, which could be waited for
            without an end. Nothing of it is quoted.
    """
    try:
        if kind := kind_of_file(path.stat().st_mode):
            raise SettingsError(f"{path}: {what} cannot be read: this is {kind}, not a file")
        return path.read_text(encoding=encoding)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: {what} cannot be read: it is not UTF-8, at byte {error.start}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{path}: {what} cannot be read ({reason})") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        SettingsError: It cannot be read, or is no TOML.
    """
    return parse_toml(read_text(path, "the file"), str(path))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return the tables of a TOML text; `source` is its file, for the message.

    Raises:
        SettingsError: It is no TOML, or an integer in it is longer than the 64 bits that TOML promises.
    """
    try:
        values = tomllib.loads(text)
        too_long = list(_long_integers(values))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{source}: no valid TOML: {error}") from error
    except ValueError as error:  # so many digits that Python does not read them
        raise SettingsError(f"{source}: no valid TOML: an integer has thousands of digits") from error
    if too_long:
        raise SettingsError(
            "\n".join(f"{source}: {place}: the integer does not fit into 64 bits" for place in too_long)
        )
    return values


def _long_integers(value: Any, place: str = "") -> Iterator[str]:
    """Yield where there are integers of more than 64 bits, as their keys with dots between them."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _long_integers(item, f"{place}.{key}" if place else str(key))


def validate(kind: type[Model], values: Any, source: str, *, options: Mapping[str, str] | None = None) -> Model:
    """Return what a file holds as a model of this kind.

    Args:
        kind: What the file is to hold.
        values: What it holds.
        source: The file, for the message.
        options: The keys that were given as options, as `section.key`, with the option that gives each.

    Raises:
        SettingsError: A key is unknown or missing, or a value impossible.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise SettingsError(explain_validation_error(source, error, kind, options or {})) from error


def explain_validation_error(
    source: str, error: ValidationError, kind: type[BaseModel], options: Mapping[str, str]
) -> str:
    """Say in one line for each mistake which key of which file is wrong, and what is allowed; arguments as above."""
    lines = []
    for mistake in error.errors(include_url=False):
        location = [str(part) for part in mistake["loc"]]
        place = options.get(".".join(location[:2])) or (f"{source}: {'.'.join(location)}" if location else source)
        if mistake["type"] == "extra_forbidden":
            known = ", ".join(_section_of(kind, location).model_fields)
            lines.append(f"{place}: there is no such key; there are {known}")
        else:
            message = mistake["msg"].removeprefix("Value error, ")
            found = _quote(mistake["input"], is_private=_is_private(kind, location))
            lines.append(f"{place}: {message}{found}")
    return "\n".join(lines)


def _is_private(kind: type[BaseModel], location: list[str]) -> bool:
    field = kind.model_fields.get(location[0]) if location else None
    return field is None or NOT_QUOTED in field.metadata


def _quote(value: Any, *, is_private: bool) -> str:
    """Return what goes behind a message; nothing for a whole table, which says less than the message."""
    if isinstance(value, dict) or (is_private and not isinstance(value, bool | int | float | datetime.date)):
        return ""
    return f" (it is {shorten(repr(value), _LONGEST_QUOTE)})"


def _section_of(kind: type[BaseModel], location: list[str]) -> type[BaseModel]:
    """Return the section of `kind` that the key at `location` stands in; what names no field is passed over."""
    for name in location[:-1]:
        if name in kind.model_fields:
            kind = next(_models_in(kind.model_fields[name].annotation), kind)
    return kind


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
