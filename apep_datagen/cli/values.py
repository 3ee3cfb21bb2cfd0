"""What the values of options say that stand for more than one thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from apep_datagen.config.settings import DEFAULT_OUTPUT
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.paths import NamedFile, check_files, is_there
from apep_datagen.formats.format import Format
from apep_datagen.formats.registry import FORMATS
from apep_datagen.storage.contents import refuse_evaluation

__all__ = [
    "checked_dataset",
    "checked_output",
    "parse_dataset_and_number",
    "parse_exchanges",
    "parse_form",
    "parse_pairs",
    "parse_rates",
    "parse_roles",
    "parse_series",
]

# What the state database can count.
_MOST_CONVERSATIONS = 2**63 - 1
_EXCHANGES = re.compile(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?")


def checked_output(file: Path | None) -> Path:
    """Return the output that a command looks at, a dataset or an evaluation: the default one where none is named.

    Raises:
        SettingsError: It is something else than a file.
    """
    path = file or DEFAULT_OUTPUT
    check_files([NamedFile(path, "the dataset")])
    return path


def checked_dataset(file: Path | None) -> Path:
    """Return the dataset that a command reads: the default one where none is named.

    Raises:
        SettingsError: It is something else than a file.
        StorageError: It is an evaluation.
    """
    path = checked_output(file)
    refuse_evaluation(path)
    return path


def parse_exchanges(text: str) -> tuple[int, int]:
    """Read `MIN-MAX`, or one number for both.

    Raises:
        SettingsError: It is neither.
    """
    match = _EXCHANGES.fullmatch(text.strip())
    if not match:
        raise SettingsError(f"--exchanges {text}: write MIN-MAX, e.g. --exchanges 1-4, or one number")
    return int(match[1]), int(match[2] or match[1])


def parse_form(name: str | None) -> Format | None:
    """Return the form that `--format` names, if any.

    Raises:
        SettingsError: There is no such form.
    """
    if name is not None and name not in FORMATS:
        raise SettingsError(f"--format {name}: there is no such format; there are {', '.join(sorted(FORMATS))}")
    return FORMATS[name] if name is not None else None


def parse_series(text: str) -> tuple[int, int]:
    """Read `--megachat MIN-MAX`, or one number for both.

    Raises:
        SettingsError: It is neither, or joins nothing.
    """
    match = _EXCHANGES.fullmatch(text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2] or match[1]):
        raise SettingsError(f"--megachat {text}: write MIN-MAX, e.g. --megachat 3-6, or one number")
    return int(match[1]), int(match[2] or match[1])


def parse_pairs(option: str, values: Sequence[str] | None) -> dict[str, str]:
    """Read `PROVIDER=VALUE`, which `option` was given any number of times.

    Raises:
        typer.BadParameter: One is no such pair.
    """
    pairs = {}
    for number, value in enumerate(values or [], start=1):
        name, separator, rest = value.partition("=")
        if not separator or not name.strip() or not rest.strip():
            # It is not quoted, as it may be a key that was put into the wrong place.
            raise typer.BadParameter(f"value {number} is not PROVIDER=VALUE", param_hint=option)
        pairs[name.strip()] = rest.strip()
    return pairs


def parse_rates(values: Sequence[str] | None) -> dict[str, float]:
    """Read `--rps`: requests per second by provider.

    Raises:
        SettingsError: A rate is no number.
        typer.BadParameter: One is no pair of a provider and a rate.
    """
    pairs = parse_pairs("--rps", values)
    return {name: _rate(number, value) for number, (name, value) in enumerate(pairs.items(), start=1)}


def parse_roles(values: Sequence[str] | None, rewriter: str | None = None) -> dict[str, dict[str, Any]]:
    """Read `--role ROLE=PROVIDER[,PROVIDER]`, given any number of times, and `--rewriter`.

    Returns:
        What they say for `[roles.ROLE]`, by role.

    Raises:
        typer.BadParameter: One is no such pair.
    """
    names: dict[str, list[str]] = {}
    for number, value in enumerate(values or [], start=1):
        role, _, rest = (part.strip() for part in value.partition("="))
        providers = [name.strip() for name in rest.split(",") if name.strip()]
        if role not in list(ModelRole) or not providers:
            # It is not quoted, as it may be a key that was put into the wrong place.
            roles = ", ".join(ModelRole)
            raise typer.BadParameter(f"value {number} is not ROLE=PROVIDER; roles are {roles}", param_hint="--role")
        names.setdefault(role, []).extend(providers)
    options: dict[str, dict[str, Any]] = {role: {"providers": providers} for role, providers in names.items()}
    if rewriter is not None:
        options.setdefault(ModelRole.REWRITER.value, {})["when"] = rewriter
    return options


def _rate(number: int, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise SettingsError(f"--rps: rate {number} is no number; write e.g. --rps mistral=2.5") from error


def parse_dataset_and_number(file: str | None, number: str | None, default: Path) -> tuple[Path, int]:
    """Return which conversation of which file is meant.

    Args:
        file: The first argument: a file, or a number where there is no such file.
        number: The second argument, from 1, or from -1 at the end; None is the last one.
        default: The file where none is named.

    Raises:
        SettingsError: The number is none, or there are two.
    """
    if file is not None and not is_there(Path(file)):
        if number is None and _as_number(file) is not None:
            file, number = None, file
        elif file.startswith("-"):
            raise SettingsError(f"there is no option {file}; see apep-datagen show --help")
    position = -1 if number is None else _as_number(number)
    if not position:
        raise SettingsError(f"{number} is no number of a conversation: they go from 1, or from -1 at the end")
    return default if file is None else Path(file), position


def _as_number(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) <= _MOST_CONVERSATIONS else None
