"""Examples as the program makes them: of any length, with and without calls, in any characters."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import parse_answer, render_answer, result_block
from apep_datagen.core.messages import Message, clean_text
from apep_datagen.core.tags import strip_tags
from apep_datagen.formats.example import Example
from support.hostile_texts import MARKUP_PIECES

__all__ = ["answers", "examples", "texts"]


def _as_written(text: str) -> str:
    """Return a text as the program writes it: without Ada's tags, and without white space around it."""
    return strip_tags(clean_text(text))


_characters = st.text(st.characters(codec="utf-8"), max_size=30)
_hostile = st.lists(st.sampled_from(MARKUP_PIECES), max_size=6).map("".join)
texts = st.one_of(_characters, _hostile).map(_as_written).filter(bool)
"""What stands in a message, a thought or a note."""

_calls = st.one_of(
    st.builds(
        lambda name, values: ToolCall(name, {"input_text": values}),
        st.sampled_from(["add_memory", "add_diary"]),
        st.lists(texts, min_size=1, max_size=3),
    ),
    st.builds(
        lambda name, values: ToolCall(name, {"indices": values}),
        st.sampled_from(["delete_memory", "delete_diary"]),
        st.lists(st.integers(1, 99), min_size=1, max_size=3),
    ),
    st.sampled_from([ToolCall("recall_memories", {}), ToolCall("recall_diary", {})]),
)
_notes = st.lists(st.builds(lambda text: {"index": 1, "date": "2026-05-04", "text": text}, texts), max_size=2)
_results = st.one_of(
    st.builds(lambda number: {"added": number, "indices": [number]}, st.integers(1, 20)),
    _notes.map(lambda notes: {"memories": notes}),
    texts.map(lambda text: {"error": text}),
)


_parts = st.one_of(st.just(""), texts)


@st.composite
def _answer(draw: st.DrawFn, replies: st.SearchStrategy[str], calls: list[ToolCall]) -> Message:
    """Draw an answer of Ada's: what the program reads of a model's text, as it writes it."""
    answer = parse_answer(render_answer(draw(_parts), draw(replies), calls))
    content = render_answer(answer.thinking, answer.reply, answer.calls)
    assume(list(answer.calls) == calls and (answer.reply or calls) and parse_answer(content) == answer)
    return Message("assistant", content)


@st.composite
def answers(draw: st.DrawFn) -> list[Message]:
    """Draw what Ada does with a message: rounds of calls, each with its results, and then a reply."""
    messages = []
    for _ in range(draw(st.integers(0, 2))):
        calls = draw(st.lists(_calls, min_size=1, max_size=3))
        messages.append(draw(_answer(_parts, calls)))
        results = draw(st.lists(_results, min_size=len(calls), max_size=len(calls)))
        messages.append(Message("tool", "\n".join(map(result_block, results))))
    messages.append(draw(_answer(texts, [])))
    return messages


@st.composite
def examples(draw: st.DrawFn, *, with_context: bool = True) -> Example:
    """Draw an example: a system prompt, and exchanges, of which all but the last may be context."""
    messages = [Message("system", draw(texts))]
    last = 0
    for _ in range(draw(st.integers(1, 3))):
        last = len(messages)
        messages += [Message("user", draw(texts)), *draw(answers())]
    is_in_context = with_context and last > 1 and draw(st.booleans())
    return Example(tuple(messages), last if is_in_context else 0)
