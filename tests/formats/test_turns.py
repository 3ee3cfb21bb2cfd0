"""Conversations that do not end with Ada, or in which nobody takes turns: rows of services that refuse a whole file."""

from __future__ import annotations

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format
from apep_datagen.formats.mistral import MISTRAL
from apep_datagen.formats.openai import OPENAI
from apep_datagen.formats.shape import Calls, Rows
from apep_datagen.formats.together import TOGETHER
from support.sample_rows import shapes_of

_SERVICES = (MISTRAL, OPENAI, TOGETHER)
_ASKED, _SAID = Message("user", "Hi"), Message("assistant", "<think>They greet me.</think>\n\nHello.")
_CALL = Message("assistant", "<tool_call>recall_diary()</tool_call>")
_RESULT = Message("tool", '<tool_result>{"pages": []}</tool_result>')
_WITH_CALLS: tuple[Calls, ...] = ("text", "native")
_WHOLE: tuple[Rows, ...] = ("conversation", "exchange")


@pytest.mark.parametrize("form", _SERVICES, ids=lambda form: form.name)
@pytest.mark.parametrize("behind", [(_SAID, _ASKED), (_CALL, _RESULT)], ids=["a question", "results"])
def test_what_ends_with_somebody_else_is_no_row(form: Format, behind: tuple[Message, ...]) -> None:
    whole = Example((_ASKED, *behind))
    for shape in shapes_of(form, _WITH_CALLS):
        if shape.rows in _WHOLE:
            with pytest.raises(CannotHoldError, match="the last message is not Ada's"):
                form.write(whole, shape)


@pytest.mark.parametrize("messages", [(_ASKED, _ASKED, _SAID), (_SAID, _ASKED, _SAID), (_ASKED, _SAID, _SAID)])
def test_together_gets_no_row_in_which_turns_are_not_taken(messages: tuple[Message, ...]) -> None:
    for shape in shapes_of(TOGETHER):
        with pytest.raises(CannotHoldError, match="two messages of the same side"):
            TOGETHER.write(Example(messages), shape)
