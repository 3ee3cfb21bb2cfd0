"""The user's file that grows, `DIR/world/grown.toml`: what is in it stays as it is, byte for byte, comments included.

What is added is put into the text: tables at its end, topics at the beginning of their list. The new text is read
before it is written, and has to hold exactly what was there and what was added; else the file is refused, untouched.
It is written beside the old one, and takes its place in one step, so at every instant the file is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock

from apep_datagen.core.durable import write_whole
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.files import parse_toml, read_text, validate
from apep_datagen.grow.topics import TOPIC_KEYS
from apep_datagen.people.world import Moment, Slot, WorldFile

__all__ = ["GROWN", "GrownFile", "as_toml"]

GROWN = "world/grown.toml"
"""Where the file is in a directory of prompts."""

_BEGINNING = (
    "# What `apep-datagen grow` has added to the world. It is yours: change it, take out what you do not like.\n\n"
)
_WIDTH = 120


class GrownFile:
    """The file of one directory.

    Args:
        directory: `--prompts`; it is made where it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / GROWN

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from growing it; the lock ends with the process.

        Raises:
            StorageError: Another process grows it, or its directory cannot be written.
        """
        path = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # The library takes some files that cannot be opened for locked ones.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))
            lock = filelock.FileLock(path, timeout=0)
            lock.acquire()
        except filelock.Timeout as error:
            raise StorageError(f"{self.path}: another apep-datagen grow is working on it; wait for it") from error
        except OSError as error:
            raise self._not_written(error) from error
        try:
            yield
        finally:
            lock.release()

    def check(self) -> None:
        """See that something can be added, before anything is spent.

        Raises:
            SettingsError: As `add`.
        """
        values = (("one",), ("two",))
        kind = Slot(slot="trial kind", tell="{value}", ask="…", cues=("…",), values=values)
        moment = Moment(slot="trial moment", tell="…", ask="…", forms=("…",))
        self._grown([kind], [moment], {key: ["…"] for key in TOPIC_KEYS})

    def add(self, kinds: Sequence[Slot], moments: Sequence[Moment], topics: Mapping[str, Sequence[str]]) -> None:
        """Add to the file, which is made where it is missing; all or nothing.

        Args:
            kinds: Kinds of fact.
            moments: Moments.
            topics: Topics, by the list that they are for.

        Raises:
            SettingsError: What is in the file cannot be read, or is written so that nothing can be added.
            StorageError: It cannot be written.
        """
        self._write(self._grown(kinds, moments, topics))

    def _grown(self, kinds: Sequence[Slot], moments: Sequence[Moment], topics: Mapping[str, Sequence[str]]) -> str:
        """Return the text with more in it."""
        before = self._text()
        wanted = _added(self._read(before), kinds, moments, topics)
        after = before
        for key, texts in topics.items():
            if texts:
                after = self._with_topics(after, key, texts)
        if tables := as_toml(kinds=kinds, moments=moments):
            after += next(gap for gap in ("", "\n", "\n\n") if f"{after}{gap}".endswith("\n\n")) + tables
        # It can be written so that there is no place: a list of tables as a value, a list of topics in an odd spelling.
        if self._holds(after) != wanted:
            raise SettingsError(
                f"{self.path}: nothing can be added to it as it is written: facts and moments have to be tables"
                " ([[facts]], [[moments]]), and topics a list at its beginning (topics = […]); change that, or give the"
                " file another name in that folder, where it counts as well"
            )
        return after

    def _text(self) -> str:
        if not os.path.lexists(self.path):
            return _BEGINNING
        read_text(self.path, "the file")
        # Line ends as they are.
        return self.path.read_bytes().decode("utf-8-sig")

    def _read(self, text: str) -> WorldFile:
        return validate(WorldFile, parse_toml(text, str(self.path)), str(self.path))

    def _holds(self, text: str) -> WorldFile | None:
        try:
            return self._read(text)
        except SettingsError:
            return None

    def _with_topics(self, text: str, key: str, topics: Sequence[str]) -> str:
        """Return a text with more topics in one list; as it was where there is no place for them."""
        before = self._read(text)
        wanted = before.model_copy(update={key: (*topics, *getattr(before, key))})
        lines = "".join(f"\n  {_string(topic)}," for topic in topics)
        if not getattr(before, key):
            made = f"{key} = [{lines}\n]\n\n"
            head = _HEAD.match(text)
            place = head.end() if head else 0
            candidates = [text[:place] + made + text[place:]]
        else:
            candidates = []
        for match in re.finditer(rf"^[ \t]*(?:{key}|\"{key}\"|'{key}')[ \t]*=[ \t]*\[", text, re.MULTILINE):
            # Behind its first line, with what is said there; or behind the bracket, where the list has no other line.
            line_end = text.find("\n", match.end()) + 1
            candidates.append(text[:line_end] + "".join(f"  {_string(topic)},\n" for topic in topics) + text[line_end:])
            candidates.append(text[: match.end()] + lines + text[match.end() :])
        return next((new for new in candidates if self._holds(new) == wanted), text)

    def _write(self, text: str) -> None:
        try:
            # Where it is a link, the file that it leads to is replaced.
            write_whole(self.path.resolve(), text.encode())
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> StorageError:
        return StorageError(f"{self.path}: the file cannot be written ({error.strerror or error})")


# Comments at the beginning that a blank line ends: they are about the file.
_HEAD = re.compile(r"(?:[ \t]*#[^\n]*\n)+[ \t]*\r?\n")


def as_toml(
    *,
    kinds: Iterable[Slot] = (),
    moments: Iterable[Moment] = (),
    topics: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return what a file of `world/` would say of this."""
    parts = [f"{key} = {_value(tuple(texts))}\n" for key, texts in (topics or {}).items() if texts]
    parts += [_table("facts", kind) for kind in kinds]
    parts += [_table("moments", moment) for moment in moments]
    return "\n".join(parts)


def _added(
    before: WorldFile, kinds: Sequence[Slot], moments: Sequence[Moment], topics: Mapping[str, Sequence[str]]
) -> WorldFile:
    lists = {key: (*topics.get(key, ()), *getattr(before, key)) for key in TOPIC_KEYS}
    return before.model_copy(update={"facts": (*before.facts, *kinds), "moments": (*before.moments, *moments), **lists})


def _table(heading: str, table: Slot | Moment) -> str:
    """Return a table as TOML, without what it has by default."""
    lines = [f"[[{heading}]]"]
    for key, value in table.model_dump(exclude_defaults=True).items():
        lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, tuple):
        # A value with one spelling is written as a text.
        parts = [_value(part[0] if isinstance(part, tuple) and len(part) == 1 else part) for part in value]
        in_a_line = f"[{', '.join(parts)}]"
        return in_a_line if len(in_a_line) < _WIDTH else "[" + "".join(f"\n  {part}," for part in parts) + "\n]"
    return str(value)


def _string(text: str) -> str:
    """Return a text as a basic string of TOML: as in JSON, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
