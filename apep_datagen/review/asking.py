"""One conversation after the other in a terminal, with a key for each: good, bad, unsure, skip, back, quit.

They come in the order of their digests, which says nothing of what they are, so whoever stops early has seen a sample.
Each verdict is on the disk before the next conversation is shown, as one that waits (`storage.waiting_verdicts`); when
one quits, it is applied, or waits on for the process that works on the output. So a kill loses nothing.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.sample_json import line_digest
from apep_datagen.core.spelling import counted
from apep_datagen.review.applying import apply_waiting, refuse_without_run
from apep_datagen.review.known import InOutput, Known, read_known
from apep_datagen.review.verdicts_file import read_verdicts_file, spelled, split_tags
from apep_datagen.storage.access import InUseError
from apep_datagen.storage.output_reader import read_element_at
from apep_datagen.storage.reviewed import Said, Word, read_opinion
from apep_datagen.storage.waiting_verdicts import new_waiting_path, remove_waiting, waiting_verdicts, write_waiting

__all__ = ["Terminal", "ask"]

_WORDS = {"g": Word.GOOD, "1": Word.GOOD, "b": Word.BAD, "2": Word.BAD, "u": Word.UNSURE, "3": Word.UNSURE}
_SKIP, _BACK, _QUIT = "s", "k", "q"
_KEYS = "g or 1 good, b or 2 bad, u unsure, s skip, k back, q quit"
_WHY = "Why? Tags between commas, and a note behind a semicolon: "


class Terminal(Protocol):
    """Where a person reads and presses keys."""

    def show(self, output: Path, number: int) -> None:
        """Print the conversation with a number in the output."""

    def say(self, text: str) -> None:
        """Print a line."""

    def key(self) -> str:
        """Wait for a key.

        Raises:
            EOFError: There will be none.
        """

    def line(self) -> str:
        """Wait for a line."""


@dataclass(slots=True)
class _Session:
    """What was said so far, and where it waits."""

    output: Path
    name: str
    path: Path
    said: list[Said]

    def keep(self, said: Said) -> None:
        """Keep one more verdict, on the disk."""
        self.said.append(said)
        write_waiting(self.path, spelled(self.output, self.said, name=self.name))

    def take_back(self, digest: str) -> None:
        """Forget what was said of a conversation in this session, on the disk."""
        self.said = [said for said in self.said if said.digest != digest]
        if self.said:
            write_waiting(self.path, spelled(self.output, self.said, name=self.name))
        else:
            remove_waiting(self.path)


def ask(output: Path, terminal: Terminal, *, name: str, notify: Callable[[str], None]) -> None:
    """Ask a person about the conversations of an output that nobody has looked at, until they quit.

    Args:
        output: The output.
        terminal: Where they read and press keys.
        name: Who they are.
        notify: Is told, in sentences, what was applied, and what waits.

    Raises:
        StorageError: There is no run for the output, or it or its state database cannot be used.
    """
    refuse_without_run(output)
    _apply_or_leave(output, notify, 0)
    todo = _not_looked_at(output)
    if not todo:
        terminal.say(f"All conversations of {output} have been looked at.")
        return
    session = _Session(output, name, new_waiting_path(output), [])
    try:
        _ask_all(session, todo, terminal)
    except KeyboardInterrupt:
        if session.said:
            notify(_that_wait(len(session.said)))
        raise
    if session.said:
        _apply_or_leave(output, notify, len(session.said))


def _ask_all(session: _Session, todo: list[InOutput], terminal: Terminal) -> None:
    at = 0
    while at < len(todo):
        place = todo[at]
        at += 1
        number = _number_now(session.output, place)
        if number is None:  # it has left the output meanwhile
            continue
        terminal.show(session.output, number)
        terminal.say("")
        terminal.say(f"{at:,} of {len(todo):,} that nobody has looked at: {_KEYS}")
        try:
            key = _key(terminal)
            if key == _QUIT:
                return
            if key == _BACK:
                at = max(0, at - 2)
                session.take_back(todo[at].digest)
                continue
            if key == _SKIP:
                continue
            word = _WORDS[key]
            why = ""
            if word is Word.BAD:
                terminal.say(_WHY)
                why = terminal.line()
            tags, note = split_tags(why)
        except EOFError:
            return
        session.keep(Said(place.digest, word, tags, note, _now()))
        terminal.say(f"{word.value}{': ' if tags else ''}{', '.join(tags)}; kept")
        terminal.say("")


def _key(terminal: Terminal) -> str:
    while (key := terminal.key().lower()) not in {*_WORDS, _SKIP, _BACK, _QUIT}:
        pass
    return key


def _not_looked_at(output: Path) -> list[InOutput]:
    """Return what nobody has said anything of, in the order in which it is asked for."""
    waiting: set[str] = set()
    for path in waiting_verdicts(output):
        try:
            waiting.update(said.digest for said in read_verdicts_file(path).said)
        except SettingsError:  # who applies them says so
            continue

    def todo(connection: sqlite3.Connection, known: Known) -> list[InOutput]:
        looked_at = {*read_opinion(connection).said, *waiting}
        places = {place.digest: place for place in reversed(known.all)}
        return [place for digest, place in sorted(places.items()) if digest not in looked_at]

    return read_known(output, todo)


def _number_now(output: Path, place: InOutput) -> int | None:
    """Return the number that a conversation has now; None where it is not in the output any more."""
    try:
        if line_digest(read_element_at(output, place.offset)).hex() == place.digest:
            return place.number
    except StorageError:  # it is shorter now
        pass
    found = read_known(output, lambda _, known: known.in_output(place.digest))
    return found[0].number if found else None


def _apply_or_leave(output: Path, notify: Callable[[str], None], count: int) -> None:
    """Apply what waits; where another process works on the output, leave it to that one.

    Args:
        output: The output.
        notify: Is told so.
        count: How many verdicts somebody has just said.
    """
    try:
        apply_waiting(output, notify)
    except InUseError:
        if count:
            notify(f"another apep-datagen is working on {output}; {_that_wait(count)}")


def _that_wait(count: int) -> str:
    return f"{counted(count, 'verdict')} wait{'s' * (count == 1)} until the next run, or review command"


def _now() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
