"""The conversations of a file, matched with those that were written, whose calls are executed again.

What is there is taken in while the file is read. As long as each conversation is the one that was written in its place,
which is the usual case, its calls are replayed at once; what comes behind the first that is not is aligned at the end.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from apep_datagen.core.messages import Message
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.verify.alignment import align
from apep_datagen.verify.examination import Examination, calls_of, calls_of_sample
from apep_datagen.verify.findings import CHANGED, MISSING, MOVED, UNKNOWN, Finding
from apep_datagen.verify.replay import Replay
from apep_datagen.verify.written import Written, WrittenConversation

__all__ = ["ComparedWithDatabase", "Matching"]

_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class ComparedWithDatabase:
    """How much was compared with the state database.

    Attributes:
        conversations: That the run has written, as far as the file has to have them, or has them in its base.
        foreign: In the base of the file, which somebody else wrote or changed.
        unchecked: That a run is working on, or has only just written.
        timelines: Whose calls were executed again.
        calls: That were executed again.
        notes: Of memory and diary, deleted ones included, that were compared.
        active: Whether a run is active; None where the system does not say.
    """

    conversations: int
    foreign: int
    unchecked: int
    timelines: int
    calls: int
    notes: int
    active: bool | None


class Matching:
    """Matches what is there with what was written.

    Args:
        written: What was written.
        messages_at: Returns the conversation with a number in the file; None where it is none.

    Attributes:
        findings: What was found.
    """

    def __init__(self, written: Written, messages_at: Callable[[int], tuple[Message, ...] | None]) -> None:
        self.findings: list[Finding] = []
        self._written = written
        self._messages_at = messages_at
        self._replay = Replay(written.connection, written.conversations, written.unchecked, self._report)
        self._is_in_step = True
        self._in_base: dict[int, deque[int]] = defaultdict(deque)  # by content, what may be in the base
        self._numbers = array("q", bytes(8 * len(written.conversations)))  # in the file, of what was written; or 0
        for place in range(written.before):
            self._in_base[written.contents[place]].append(place)
            self._replay_written(place)

    def take(self, examination: Examination) -> None:
        """Take in the conversations that follow in the file."""
        written = self._written
        for number, content in enumerate(examination.fingerprints.contents, start=examination.number):
            if number <= written.foreign:
                if places := self._in_base.get(content):
                    self._numbers[places.popleft()] = number
                continue
            if not self._is_in_step:
                continue
            place = number - 1 - written.foreign + written.before
            self._is_in_step = place < len(written.contents) and written.contents[place] == content
            if self._is_in_step:
                self._numbers[place] = number
                self._replay.conversation(written.conversations[place], examination.calls.get(number, ()))

    def end(self, contents: Sequence[int], doubled: AbstractSet[int]) -> ComparedWithDatabase:
        """Align and replay what is left, and compare memory and diary.

        Args:
            contents: For each conversation of the file a number that is the same for the same messages.
            doubled: The numbers of those that are there a second time, of which nothing more is to be said.
        """
        written, count = self._written, len(self._written.conversations)
        first = next((place for place in range(written.before, count) if not self._numbers[place]), count)
        start = min(written.foreign + first - written.before, len(contents))
        alignment = align(contents[start:], written.contents[first:])
        for pairs in (alignment.in_place, alignment.moved, alignment.changed):
            for index, place in pairs.items():
                self._numbers[first + place] = start + index + 1
        self._find(MOVED, (start + index + 1 for index in alignment.moved))
        self._find(UNKNOWN, (start + index + 1 for index in alignment.unknown if start + index + 1 not in doubled))
        changed = {first + place for place in alignment.changed.values()}
        last_number = start
        for place in range(first, count):
            number = self._numbers[place]
            if place in changed:
                self._replay_changed(place, number)
            else:
                self._replay_written(place)
            if not number:
                self.findings.append(Finding(None, MISSING, self._name_missing(place, last_number)))
            last_number = number or last_number
        self._replay.end()
        known = sum(number > 0 for number in self._numbers[: written.before])
        return ComparedWithDatabase(
            conversations=known + count - written.before,
            foreign=min(written.foreign, len(contents)) - known,
            unchecked=len(written.unchecked),
            timelines=self._replay.timelines,
            calls=self._replay.calls,
            notes=self._replay.notes,
            active=written.active,
        )

    def found(self) -> dict[int, WrittenConversation]:
        """Return by their numbers in the file the conversations that are there, changed ones included; after `end`."""
        pairs = zip(self._numbers, self._written.conversations, strict=True)
        return {number: conversation for number, conversation in pairs if number}

    def _replay_written(self, place: int) -> None:
        self._replay.conversation(self._written.conversations[place], calls_of(self._written.messages(place)))

    def _replay_changed(self, place: int, number: int) -> None:
        was, now = self._written.messages(place), self._messages_at(number) or ()
        self.findings.append(Finding(number, CHANGED, _difference(was, now)))
        calls = calls_of(was)
        # What has not the form is found for that, and its calls may not be whole.
        sample = read_sample(now)
        changed = calls_of_sample(sample) if isinstance(sample, Sample) else calls
        written = self._written.conversations[place]
        self._replay.conversation(written, calls, changed=None if changed == calls else changed)

    def _name_missing(self, place: int, before: int) -> str:
        """Name what was written as `place`; `before` is the number in the file of what is there of those before it."""
        where = f"behind conversation {before} of the file" if before else "at the beginning of the file"
        name = f"conversation {self._written.conversations[place].conversation_id} of the run, {where}"
        if place >= max(self._written.synced, self._written.before):
            name += "; the next run for this output writes it, if a crash kept it from being written"
        return name

    def _report(self, conversation_id: int, kind: str, detail: str) -> None:
        """Take in what replaying has found of a conversation, which it names by its number in the run."""
        place = self._places.get(conversation_id)
        number = self._numbers[place] if place is not None else 0
        detail = detail if number else f"conversation {conversation_id} of the run: {detail}"
        self.findings.append(Finding(number or None, kind, detail))

    @cached_property
    def _places(self) -> dict[int, int]:
        return {written.conversation_id: place for place, written in enumerate(self._written.conversations)}

    def _find(self, kind: str, numbers: Iterable[int]) -> None:
        self.findings += (Finding(number, kind) for number in numbers)


def _difference(was: Sequence[Message], now: Sequence[Message]) -> str:
    """Say where two conversations differ first."""
    for number, (before, after) in enumerate(zip_longest(was, now), start=1):
        if before == after:
            continue
        if before is None or after is None:
            return f"it has {len(now)} messages instead of {len(was)}"
        if before.role != after.role:
            return f"message {number} is of role {after.role} instead of {before.role}"
        length = min(len(before.content), len(after.content))
        at = next((at for at in range(length) if before.content[at] != after.content[at]), length)
        return (
            f"message {number} ({after.role}) differs from character {at + 1} on: {_excerpt(after.content, at)} instead"
            f" of {_excerpt(before.content, at)}"
        )
    return ""


def _excerpt(text: str, at: int) -> str:
    """Return what of a text stands around a character."""
    start = max(0, at - _EXCERPT // 3)
    end = start + _EXCERPT
    return '"' + "…" * (start > 0) + text[start:end] + "…" * (end < len(text)) + '"'
