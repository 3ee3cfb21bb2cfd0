"""A file of verdicts: what people said of conversations, each known by the digest of its text.

    {"apep_datagen": "verdicts", "version": 1, "output": "generatedTrainingData.json",
     "verdicts": [{"digest": "<32 hex digits>", "number": 12, "verdict": "good" | "bad" | "unsure",
                   "tags": ["invented"], "note": "…", "at": "2026-11-26T16:00:00Z"}]}

`number` is for people. One that waits for another process also says who said so (`by`), and whether what was built on a
bad one is to leave with it (`with_dependents`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.words import one_line
from apep_datagen.storage.reviewed import Said, Word

__all__ = ["VerdictsFile", "read_verdicts_file", "spelled", "split_tags"]

_KIND = "verdicts"
_VERSION = 1
_LARGEST = 1 << 26  # some 200,000 verdicts
_MOST_TAGS = 20
_LONGEST_TAG = 100
_LONGEST_NOTE = 10_000
_LONGEST_TIME = 64
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class VerdictsFile:
    """What a file of verdicts says.

    Attributes:
        said: Of which conversation what; of each once, the last of several.
        name: Who said so, where the file knows it; else empty.
        with_dependents: Whether what was built on a bad one is to leave with it, where the file says so.
    """

    said: tuple[Said, ...]
    name: str = ""
    with_dependents: bool = False


def read_verdicts_file(path: Path) -> VerdictsFile:
    """Read a file of verdicts.

    Raises:
        SettingsError: It cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"{path}: the file of verdicts cannot be read ({reason}); name the one that the report's page saved"
        ) from error
    if len(content) > _LARGEST:
        raise _none(path, f"it is larger than {_LARGEST >> 20} MiB")
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _none(path, f"it is no valid JSON: {one_line(str(error))}") from error
    try:
        return _verdicts_file(value)
    except _WrongError as error:
        raise _none(path, str(error)) from None


def spelled(output: Path, said: Iterable[Said], *, name: str = "", with_dependents: bool = False) -> bytes:
    """Return a file of verdicts."""
    value: dict[str, Any] = {"apep_datagen": _KIND, "version": _VERSION, "output": output.name}
    value |= {"by": name} if name else {}
    value |= {"with_dependents": True} if with_dependents else {}
    value["verdicts"] = [
        {
            "digest": one.digest,
            "verdict": one.word.value,
            "tags": list(one.tags),
            "note": one.note,
            "at": one.said_at,
        }
        for one in said
    ]
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def split_tags(text: str) -> tuple[tuple[str, ...], str]:
    """Read what a person types beside a verdict: tags between commas, then, behind a semicolon, a note."""
    tags, _, note = text.partition(";")
    return _clean_tags(tags.split(",")), note.strip()[:_LONGEST_NOTE]


class _WrongError(Exception):
    """What is wrong with it."""


def _none(path: Path, what: str) -> SettingsError:
    return SettingsError(f"{path}: no file of verdicts that can be used: {what}")


def _verdicts_file(value: Any) -> VerdictsFile:
    if not isinstance(value, dict) or value.get("apep_datagen") != _KIND:
        raise _WrongError('it has no "apep_datagen": "verdicts"; name the one that the report\'s page saved')
    version = value.get("version")
    if version != _VERSION or isinstance(version, bool):
        raise _WrongError(f"its version is {_short(version)}, and this program reads version {_VERSION}")
    verdicts = value.get("verdicts")
    if not isinstance(verdicts, list):
        raise _WrongError("its verdicts are no array")
    said = [_said(number, one) for number, one in enumerate(verdicts, start=1)]
    name = value.get("by", "")
    return VerdictsFile(
        tuple({one.digest: one for one in said}.values()),
        one_line(name)[:_LONGEST_TAG] if isinstance(name, str) else "",
        value.get("with_dependents") is True,
    )


def _said(number: int, value: Any) -> Said:
    if not isinstance(value, dict):
        raise _WrongError(f"verdict {number} is no object")
    digest = value.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest.lower()):
        raise _WrongError(f"the digest of verdict {number} is {_short(digest)}, and not 32 hexadecimal digits")
    word = value.get("verdict")
    if not isinstance(word, str) or word not in set(Word):
        raise _WrongError(f"verdict {number} is {_short(word)}, and not {', '.join(Word)}")
    tags = value.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _WrongError(f"the tags of verdict {number} are no array of texts")
    note, at = (value.get(key) or "" for key in ("note", "at"))
    if not isinstance(note, str) or not isinstance(at, str):
        raise _WrongError(f"the note or the time of verdict {number} is no text")
    return Said(
        digest.lower(),
        Word(word),
        _clean_tags(tags),
        _storable(note.strip())[:_LONGEST_NOTE],
        _storable(at)[:_LONGEST_TIME],
    )


def _clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(_storable(" ".join(tag.split()))[:_LONGEST_TAG] for tag in tags)
    return tuple(tag for tag in found if tag)[:_MOST_TAGS]


def _storable(text: str) -> str:
    """Return a text that a database can hold: JSON can spell halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_TIME else text[:_LONGEST_TIME] + "…"
