"""What is sent to a model that was trained on a form: the row, up to where its answer begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apep_datagen.core.markup import parse_answer, render_answer, result_block
from apep_datagen.core.messages import Message, Spelled
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format, Instructions
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts, ToolRole
from apep_datagen.formats.thoughts import with_thoughts

__all__ = ["Wire", "plain_wire"]

_ANSWER: Final = Message("assistant", "So it is.")
"""Stands where the model's answer will: a row ends with one."""
_QUESTION: Final = Message("user", "And now?")


@dataclass(frozen=True, slots=True)
class Wire:
    """How messages are spelled: as the rows were that the model was trained on.

    Attributes:
        form: The name of the form.
        shape: How its rows were built; which messages a row has, and which of them are learnt, is nothing to the wire.
    """

    form: str
    shape: Shape

    @property
    def calls(self) -> Instructions:
        """Which way of calling tools the system prompt tells of."""
        return self._format.instructions(self.shape)

    def spell(self, messages: tuple[Message, ...]) -> Spelled:
        """Return what is sent where these messages have been said, and the model's answer is due.

        It is what stands before that answer in a row that ends with it, written by the function that writes rows: so
        thoughts, calls and results are where its trainer had them.

        Args:
            messages: As the output has them, with the system prompt that tells of `calls`.

        Raises:
            CannotHoldError: No row of this form can have these messages, such as a call that was not understood.
        """
        return self._before_answer(with_thoughts(_answered(messages), self.shape.thoughts))

    def spell_what_happened(self, messages: tuple[Message, ...]) -> Spelled:
        """Return what `spell` does, also where an answer is one that no row of this form can have.

        A model that is only being tried goes on from what it has done. What cannot be spelled as its trainer had it,
        such as a call that was not understood, is sent as it was: as text, and what came of it as text of the user's.

        Args:
            messages: As for `spell`.

        Raises:
            CannotHoldError: It is none of Ada's answers that no row can have.
        """
        try:
            return self.spell(messages)
        except CannotHoldError:
            unfit = {
                index
                for index, message in enumerate(messages)
                if message.role == "assistant" and not self._holds(message)
            }
        results = {index for index, message in enumerate(messages) if message.role == "tool" and index - 1 in unfit}
        without = [
            Message("assistant", _mark(index)) if index in unfit else each for index, each in enumerate(messages)
        ]
        thinned = with_thoughts(_answered(tuple(without)), self.shape.thoughts)
        marked = [
            Message("user", _mark(index)) if index in results else message
            for index, message in enumerate(thinned.messages)
        ]
        spelled = self._before_answer(Example(tuple(marked), thinned.context))
        texts = {_mark(index): self._as_text(messages, index) for index in unfit | results}
        return Spelled(tuple(_unmarked(message, texts) for message in spelled.messages), spelled.tools)

    def _before_answer(self, example: Example) -> Spelled:
        row = self._format.spell(self._format.write(example, self.shape))
        return Spelled(row.messages[:-1], row.tools)

    def _holds(self, answer: Message) -> bool:
        """Tell whether a row can have an answer of Ada's, also without its thought where the shape takes that away."""
        calls = parse_answer(answer.content).calls
        results = (Message("tool", "\n".join(result_block({}) for _ in calls)), _ANSWER) if calls else ()
        try:
            self.spell((_QUESTION, answer, *results, _QUESTION))
        except CannotHoldError:
            return False
        return True

    def _as_text(self, messages: tuple[Message, ...], index: int) -> str:
        text = messages[index].content
        last = max((place for place, message in enumerate(messages) if message.role == "user"), default=0)
        has_thought = self.shape.thoughts == "keep" or (self.shape.thoughts == "last" and index > last)
        if messages[index].role != "assistant" or has_thought:
            return text
        answer = parse_answer(text)
        return render_answer("", answer.reply, answer.calls)

    @property
    def _format(self) -> Format:
        return FORMATS[self.form]


def _answered(messages: tuple[Message, ...]) -> Example:
    return Example((*messages, _ANSWER), len(messages))


def _mark(index: int) -> str:
    """Return what stands in the place of a message while a row is written: nobody says it."""
    return f"\ue000{index}\ue000"


def _unmarked(message: Mapping[str, Any], texts: Mapping[str, str]) -> Mapping[str, Any]:
    content = message.get("content")
    return {**message, "content": texts[content]} if isinstance(content, str) and content in texts else message


# The forms that hold whatever the API does: in their rows, nothing that can be sent is refused.
_PLAIN: Mapping[Instructions, str] = {"text": "axolotl", "native": "axolotl", "hermes": "hermes"}


def plain_wire(calls: Instructions = "text", tool_role: ToolRole = "user", thoughts: Thoughts = "keep") -> Wire:
    """Return how messages are spelled where no more is known of the rows than this.

    Args:
        calls: How calls are spelled: as text in Ada's markup, as an API's fields, or as Hermes has them.
        tool_role: The role of results, where calls are text.
        thoughts: Which thoughts of Ada's she sees again.
    """
    role: ToolRole = tool_role if calls == "text" else "tool"
    return Wire(_PLAIN[calls], Shape(tool_role=role, calls="text" if calls == "text" else "native", thoughts=thoughts))
