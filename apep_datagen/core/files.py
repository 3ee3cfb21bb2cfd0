"""Files that a user writes: read, and refused in a sentence that says what is wrong and where."""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from apep_datagen.core.errors import SettingsError

__all__ = ["explain_validation_error", "parse_toml", "read_text", "validate"]

Model = TypeVar("Model", bound=BaseModel)


def read_text(path: Path, what: str, *, encoding: str = "utf-8-sig") -> str:
    """Return what a text file holds.

    Args:
        path: The file.
        what: What it is, for the message, e.g. `the prompt`.
        encoding: `utf-8-sig` leaves out a byte order mark.

    Raises:
        SettingsError: It cannot be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding=encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {what} cannot be read ({error})") from error


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return the tables of a TOML text; `source` is its file, for the message.

    Raises:
        SettingsError: It is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{source}: no valid TOML: {error}") from error


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
            # A whole table says less than the message.
            found = "" if isinstance(mistake["input"], dict) else f" (it is {mistake['input']!r})"
            lines.append(f"{place}: {message}{found}")
    return "\n".join(lines)


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
