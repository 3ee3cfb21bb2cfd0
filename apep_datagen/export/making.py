"""Making rows of conversations: what the processes of an export do, some hundred conversations at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import TypeAdapter

from apep_datagen.core.messages import Message, MessageRole
from apep_datagen.core.sample_json import messages_in, parse_element
from apep_datagen.export.examples import examples_of
from apep_datagen.export.joining import joined, joined_origin, series_of
from apep_datagen.export.line_file import row_line
from apep_datagen.export.loss import LossTally
from apep_datagen.export.measuring import Measured, Measuring, why_not
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.source import SourceConversation
from apep_datagen.formats.example import NOTHING, Example, count
from apep_datagen.formats.format import CannotHoldError, Format, Row
from apep_datagen.formats.instructions import retelling_of
from apep_datagen.formats.native import FIELDS_BESIDE_TEXT, MARKS, is_empty, is_results, is_usual_mark, masked
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.thoughts import with_thoughts

__all__ = ["MadeOfTarget", "make_rows"]

_ROLES = frozenset(get_args(MessageRole))


@dataclass(frozen=True, slots=True)
class _Whole:
    """What becomes rows: messages of one conversation or several, where they come from, and where they go."""

    messages: tuple[Message, ...]
    origin: Origin
    split: str


@dataclass(slots=True)
class MadeOfTarget:
    """What was made for one form.

    Attributes:
        lines: The rows as they stand in a file, by split, where the form has a row a line.
        rows: The rows, by split, where it has not.
        tally: What became of the conversations.
        measured: What was measured of the rows.
        retold: What system prompts told of the tools, and what stands there instead.
    """

    lines: dict[str, bytearray] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    tally: LossTally = field(default_factory=LossTally)
    measured: Measured = field(default_factory=Measured)
    retold: dict[str, str] = field(default_factory=dict)

    def add(self, other: MadeOfTarget) -> None:
        """Count what was made behind this, without its rows."""
        self.tally.add(other.tally)
        self.measured.add(other.measured)
        self.retold |= other.retold

    def as_json(self) -> dict[str, Any]:
        """Return what was counted, without the rows, as JSON."""
        return {
            "tally": _tallies().dump_python(self.tally, mode="json"),
            "measured": self.measured.as_json(),
            "retold": self.retold,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MadeOfTarget:
        """Return what `as_json` returned.

        Raises:
            ValueError: It is something else.
        """
        tally = _tallies().validate_python(value.get("tally"))
        retold = _texts().validate_python(value.get("retold"))
        return cls(tally=tally, measured=Measured.from_json(value.get("measured")), retold=retold)


# Made when they are first needed: it takes some milliseconds.
@functools.cache
def _texts() -> TypeAdapter[dict[str, str]]:
    return TypeAdapter(dict[str, str])


@functools.cache
def _tallies() -> TypeAdapter[LossTally]:
    return TypeAdapter(LossTally)


def make_rows(plan: Plan, users: Sequence[Sequence[SourceConversation]]) -> list[MadeOfTarget]:
    """Make the rows of some conversations.

    Args:
        plan: What belongs into a row.
        users: The conversations: one by one, or, where rows join several, all of a user.

    Returns:
        What was made for each form, in the order of the plan.
    """
    maker = _Maker(plan)
    made = [MadeOfTarget() for _ in plan.targets]
    for user in users:
        tally, wholes = maker.read_user(user)
        for target, result in zip(plan.targets, made, strict=True):
            result.tally.add(tally)
            maker.make_rows(target, wholes, result)
    return made


def _fields_without_place(element: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else than `role` and `content` stands in an element and in its messages; no row has a place for it."""
    yield from (name for name, value in element.items() if name != "conversations" and not is_empty(value))
    yield from dict.fromkeys(
        f"conversations.{name}"
        for message in element["conversations"]
        for name, value in message.items()
        if name not in ("role", "content") and not is_empty(value) and not is_usual_mark(message, name)
    )


def _why_unfit(messages: Sequence[Message], element: bytes, fields: Sequence[Mapping[str, Any]]) -> str:
    """Return why no form can hold messages that another hand has written; empty where forms can.

    Args:
        messages: What is to be held.
        element: In which JSON.
        fields: The messages as they stand there.
    """
    if not all(message.role in _ROLES for message in messages):
        return "a message has a role that is not known"
    if b"\\u" in element and not all(_is_unicode(message.content) for message in messages):
        return "a message has half of a character in it, which is no text"
    if any(message.role == "user" and is_results(message.content) for message in messages):
        return "a message of the user's is nothing but results in their tags, so nobody could tell it from results"
    if any(message.get(name) for message in fields for name in FIELDS_BESIDE_TEXT):
        return "a message has thoughts or calls in fields of their own (`apep-datagen import` makes text of them)"
    if masked(fields):
        return f"an answer of Ada's is marked as not to be trained on ({', '.join(MARKS)})"
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_back(form: Format, row: Row) -> Example:
    """Return what a row says; nothing, so that all of it counts as lost, where its own form cannot read it."""
    try:
        return form.read(row)
    except ValueError:
        return Example(())


class _Maker:
    """Makes rows as a plan says.

    Args:
        plan: What belongs into a row.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._measuring = Measuring.of(plan)

    def read_user(self, user: Sequence[SourceConversation]) -> tuple[LossTally, list[_Whole]]:
        """Return what was counted of a conversation or all of a user, and what becomes rows: the same for all forms."""
        plan = self._plan
        tally = LossTally()
        selected = []
        messages_of: dict[int, tuple[Message, ...]] = {}
        for conversation in user:
            element = parse_element(conversation.element)
            messages = messages_in(element)
            if messages is None:
                tally.others += 1
                continue
            tally.conversations += 1
            if not plan.selection.takes(conversation.origin):
                tally.not_selected += 1
            else:
                tally.before += count(messages)
                if reason := _why_unfit(messages, conversation.element, element["conversations"]):
                    tally.count_left_out(Example(messages), reason)
                    continue
                tally.without_place.update(_fields_without_place(element))
                messages_of[conversation.number] = messages
                selected.append(conversation)
        wholes = []
        for series in self._series(selected):
            tally.short_series += plan.series is not None and len(series) < plan.series[0]
            origin = joined_origin([conversation.origin for conversation in series])
            parts = [messages_of[conversation.number] for conversation in series]
            messages = joined(parts, [_day_of(conversation) for conversation in series], as_session=plan.sessions)
            # System prompts that a row has once instead of each time are no loss.
            tally.chosen_away += sum(map(count, parts), NOTHING) - count(messages)
            wholes.append(_Whole(messages, origin, plan.splits.of(plan.seed, series[0].user)))
        return tally, wholes

    def make_rows(self, target: Target, wholes: Sequence[_Whole], made: MadeOfTarget) -> None:
        """Make the rows of one form."""
        for whole in wholes:
            for example in examples_of(whole.messages, target.shape.rows):
                self._make_row(target, example, whole, made)

    def _series(self, selected: Sequence[SourceConversation]) -> Iterator[Sequence[SourceConversation]]:
        plan = self._plan
        if selected and plan.sessions:
            yield from series_of(selected, len(selected), len(selected), plan.seed)
        elif selected and plan.series:
            yield from series_of(selected, *plan.series, plan.seed)
        else:
            yield from ([conversation] for conversation in selected)

    def _make_row(self, target: Target, example: Example, whole: _Whole, made: MadeOfTarget) -> None:
        form, shape, number = FORMATS[target.name], target.shape, whole.origin.numbers[0]
        try:
            thinned = with_thoughts(example, shape.thoughts)
        except CannotHoldError as error:
            made.tally.count_left_out(example, str(error))
            return
        made.tally.chosen_away += count(example.new) - count(thinned.new)
        try:
            told = self._told(target, thinned, made)
            row = form.write(told, shape)
            found = _read_back(form, row)
            measured = self._measuring.measure(told, form, shape)
        except CannotHoldError as error:
            made.tally.count_left_out(thinned, str(error))
            return
        if reason := why_not(self._plan, measured.tokens):
            made.tally.count_left_out(thinned, reason)
            return
        made.tally.count_row(whole.split, number, told, found)
        made.measured.count(self._measuring, measured, number)
        row |= form.columns(whole.origin)
        if form.container == "lines":
            made.lines.setdefault(whole.split, bytearray()).extend(row_line(row))
        else:
            made.rows.setdefault(whole.split, []).append(row)

    def _told(self, target: Target, example: Example, made: MadeOfTarget) -> Example:
        """Return an example whose system prompt tells of the tools as the form has them.

        Raises:
            CannotHoldError: It has nothing of Ada's, or its prompt tells of calls in words that are not known.
        """
        if not any(message.role == "assistant" for message in example.new):
            raise CannotHoldError("there is no answer of Ada's")
        if target.instructions == "text":
            return example
        retellings = self._plan.retellings[target.instructions]
        messages = list(example.messages)
        for index, message in enumerate(messages):
            if message.role == "system" and (retelling := retelling_of(message.content, retellings)):
                section, instead = retelling
                made.retold[section] = instead
                messages[index] = Message("system", message.content.replace(section, instead, 1))
        return Example(tuple(messages), example.context)


def _day_of(conversation: SourceConversation) -> str:
    """Return when a conversation took place; empty where nobody knows."""
    return next(iter(conversation.origin.days), "")
