"""What the rows of an export are to teach, and whether a trainer learns it: the same for every trainer.

Two comparisons. What the rows hold is held against the output that was exported: each thought, reply, call and result
is new in one row. And what a trainer has made of a row is held against that row: all that is new of Ada's is learnt,
the system prompt and all results can be read, and nothing else is learnt. White space tells nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in
from apep_datagen.export.loss import lost_between
from apep_datagen.formats.example import Example, count
from apep_datagen.formats.format import Format, Row

__all__ = ["Learnt", "check", "faults", "rows_in", "texts_in"]

_NOT_LEARNT = -100
_TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
# So many characters next to each other of a text that is not Ada's are no accident.
_TELLING = 30
_MOST_FAULTS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a trainer makes of a row.

    Attributes:
        text: All that the model reads.
        stretches: What of it the loss is on, each stretch without a gap.
    """

    text: str
    stretches: Sequence[str]

    @classmethod
    def of_labels(cls, decode: Callable[[list[int]], str], ids: Sequence[int], labels: Sequence[int]) -> Learnt:
        """Return what the tokens and the labels of a row say, where -100 stands for what is not learnt."""
        stretches: list[list[int]] = []
        before = _NOT_LEARNT
        for token, label in zip(ids, labels, strict=True):
            if label != _NOT_LEARNT and before == _NOT_LEARNT:
                stretches.append([])
            if label != _NOT_LEARNT:
                stretches[-1].append(token)
            before = label
        return cls(decode(list(ids)), [decode(stretch) for stretch in stretches])


def rows_in(directory: Path) -> list[Row]:
    """Return the rows that an export has in a folder, of `train.jsonl`."""
    return [json.loads(line) for line in (directory / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def texts_in(source: Path) -> list[str]:
    """Return the texts of all messages of an output."""
    return [message.content for messages in _conversations_in(source) for message in messages]


def _conversations_in(source: Path) -> list[tuple[Message, ...]]:
    return [messages_in(element) or () for element in json.loads(source.read_text(encoding="utf-8"))]


def check(
    form: Format,
    directory: Path,
    source: Path,
    learnts: Iterable[Learnt],
    *,
    scaffold: Sequence[str] = (),
    ends: Sequence[str] = (),
    name: str = "",
) -> int:
    """Print what a trainer learns of an export, in a line, and what is wrong with it; return the exit status.

    Args:
        form: The form of the rows.
        directory: Where they are.
        source: The output that was exported.
        learnts: What the trainer makes of each row, in their order.
        scaffold: What a chat template puts around Ada's words that is learnt as well, such as the token of an end.
        ends: Tokens of which one has to be learnt at the end of each stretch; else she never learns to stop.
        name: What to call it in the line, e.g. the trainer with the chat template; by default the name of the form.
    """
    examples = [form.read(row) for row in rows_in(directory)]
    conversations = _conversations_in(source)
    # Where calls are spelled otherwise, a system prompt tells of the tools in other words.
    whole = Example(tuple(each for messages in conversations for each in messages if each.role != "system"))
    taught = Example(tuple(each for example in examples for each in example.new if each.role != "system"))
    found = [f"of the output, {number} {kind} are in no row" for kind, number in lost_between(whole, taught).items()]
    found += [f"{number} {kind} are new in two rows" for kind, number in lost_between(taught, whole).items()]
    read = list(learnts)
    if len(read) != len(examples):
        found.append(f"the trainer has {len(read)} of {len(examples)} rows")
    for number, (example, learnt) in enumerate(zip(examples, read, strict=False), start=1):
        found += (f"row {number}: {fault}" for fault in faults(example, learnt, scaffold=scaffold, ends=ends))
    counts = count(each for example in examples for each in example.new)
    verdict = f"{len(found)} faults" if found else "all of it is learnt or read, and nothing else is learnt"
    print(
        f"{name or form.name}: {len(examples)} rows of {len(conversations)} conversations with {counts.messages}"
        f" messages, {counts.thoughts} thoughts, {counts.calls} calls, {counts.results} results: {verdict}"
    )
    for fault in found[:_MOST_FAULTS_TOLD]:
        print(f"  {fault}", file=sys.stderr)
    return 1 if found else 0


def faults(
    example: Example, learnt: Learnt, *, scaffold: Sequence[str] = (), ends: Sequence[str] = ()
) -> Iterator[str]:
    """Yield what is wrong with what a trainer makes of a row, in sentences.

    Args:
        example: The row.
        learnt: What the trainer makes of it.
        scaffold: As for `check`.
        ends: As for `check`.
    """
    rest = _squeezed("".join(learnt.stretches))
    is_as_text = True
    for kind, text in sorted(_words_of_ada(example.new), key=lambda part: -len(part[1])):
        if (at := rest.find(_squeezed(text))) >= 0:
            rest = f"{rest[:at]}\0{rest[at + len(_squeezed(text)) :]}"
        elif kind == "call" and (without := _without_call(text, rest)) is not None:
            rest, is_as_text = without, False
        else:
            yield f"a {kind} is not learnt: {text[:60]!r}"
    read = _squeezed(learnt.text)
    for message in example.messages:
        if message.role == "system" and _squeezed(message.content) not in read:
            yield f"a system prompt cannot be read: {message.content[:60]!r}"
    for result in _results(example.messages):
        if not any(_squeezed(spelling) in read for spelling in (result, _inside(result), _escaped(result))):
            yield f"a result cannot be read: {result[:60]!r}"
    yield from _out_of_order(example, _squeezed("".join(learnt.stretches)))
    yield from _others_words(example, rest)
    if is_as_text and (left := _without(rest, (*scaffold, *_TAGS, "\0"))):
        yield f"something else is learnt: {left[:60]!r}"
    for stretch in learnt.stretches if ends else ():
        if not stretch.rstrip().endswith(tuple(ends)):
            yield f"the end of an answer is not learnt: {stretch[-40:]!r}"


def _words_of_ada(messages: Iterable[Message]) -> Iterator[tuple[str, str]]:
    for message in messages:
        if message.role == "assistant":
            answer = parse_answer(message.content)
            yield from (("thought", answer.thinking),) if answer.thinking else ()
            yield from (("reply", answer.reply),) if answer.reply else ()
            for call in answer.calls:
                yield "call", render_call(call) if isinstance(call, ToolCall) else call.text


def _without_call(call: str, text: str) -> str | None:
    """Return a text without a call that it spells in its own way, such as as JSON; None where it is not in it.

    What is short in a call stays: it can stand in others, too.
    """
    (parsed,) = parse_answer(f"<tool_call>{call}</tool_call>").calls
    if not isinstance(parsed, ToolCall):
        return None
    values = [item for value in parsed.arguments.values() for item in (value if isinstance(value, list) else [value])]
    for word in (parsed.name, *(value if isinstance(value, str) else json.dumps(value) for value in values)):
        found = next((way for way in map(_squeezed, (word, _inside(word), _escaped(word))) if way in text), None)
        if found is None:
            return None
        if len(found) >= _TELLING:
            text = text.replace(found, "\0", 1)
    return text


def _results(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        if message.role == "tool":
            yield from (json.dumps(value, ensure_ascii=False) for value, _ in read_results(message.content))


def _inside(text: str) -> str:
    """Return a text as JSON has it between its quotation marks."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _out_of_order(example: Example, learnt: str) -> Iterator[str]:
    """Yield what is wrong where Ada's words are learnt in another order than hers, e.g. a thought behind its call."""
    place = 0
    for kind, text in _words_of_ada(example.new):
        ways = (_squeezed(text), _squeezed(text).partition("(")[0]) if kind == "call" else (_squeezed(text),)
        way = next((way for way in ways if way in learnt), "")
        at = learnt.find(way, place)
        if at < 0:
            yield f"a {kind} stands before what it comes after: {text[:60]!r}"
        else:
            place = at + len(way)


def _others_words(example: Example, rest: str) -> Iterator[str]:
    """Yield what is wrong where words that are not Ada's stand in what is learnt beside hers."""
    windows = [rest[start : start + _TELLING] for start in range(len(rest) - _TELLING + 1)]
    for message in example.messages:
        told = _squeezed(message.content) if message.role != "assistant" else ""
        if words := next((window for window in windows if window in told), ""):
            yield f"words of the role {message.role} are learnt: {words!r}"


def _without(text: str, marks: Iterable[str]) -> str:
    for mark in marks:
        text = text.replace(_squeezed(mark), "")
    return text


def _squeezed(text: str) -> str:
    return "".join(text.split())
