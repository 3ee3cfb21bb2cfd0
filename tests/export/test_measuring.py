"""Rows are chosen by their real tokens, also those that no template renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.export.making import MadeOfTarget, make_rows
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.selection import parse_selection
from apep_datagen.export.source import SourceConversation
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.shape import Shape

_CALL = "<tool_call>recall_memories()</tool_call>"
_RESULT = '<tool_result>{"memories": []}</tool_result>'
_WORDS = (5, 50, 500)  # of a reply


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer to which each word and each mark is a token."""
    from tokenizers import Tokenizer  # as the program does it: at the start nobody waits for it
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = Tokenizer(WordLevel({"?": 0}, unk_token="?"))  # noqa: S106 - no secret
    words.pre_tokenizer = Whitespace()
    file = tmp_path_factory.mktemp("model") / "tokenizer.json"
    words.save(str(file))
    return file


def made_with(**asked: Any) -> MadeOfTarget:
    """Return what is made of conversations with a look into memory, of which each has a longer reply."""
    plan = Plan((Target("trl", Shape(tool_role="tool")),), **asked)
    sources = []
    for number, words in enumerate(_WORDS, start=1):
        reply = Message("assistant", "word " * words)
        messages = (Message("user", "Hi"), Message("assistant", _CALL), Message("tool", _RESULT), reply)
        sources.append(SourceConversation(number, sample_line(messages).encode(), number, Origin(numbers=(number,))))
    (made,) = make_rows(plan, [[source] for source in sources])
    return made


# Qwen3's template renders these rows, and Gemma 3's refuses all of them.
@pytest.mark.parametrize("templates", [(), ("qwen3",), ("gemma3",), ("gemma3", "qwen3")], ids=repr)
def test_a_longer_row_is_left_out_whatever_templates_make_of_it(templates: tuple[str, ...], tokenizer: Path) -> None:
    made = made_with(templates=templates, tokenizer=tokenizer, max_tokens=200)
    assert made.tally.rows.total() == 2
    assert made.tally.left_out == {"longer than 200 tokens (--max-tokens)": 1}
    assert [check.template for check in made.measured.checks] == list(templates or ["chatml"])


@pytest.mark.parametrize("templates", [(), ("gemma3",)], ids=repr)
def test_rows_are_selected_by_their_tokens(templates: tuple[str, ...], tokenizer: Path) -> None:
    for include, exclude, rows in (("tokens=200-", "", 1), ("", "tokens=200-", 2), ("tokens=1-", "", 3)):
        selection = parse_selection(filter(None, [include]), filter(None, [exclude]))
        made = made_with(templates=templates, tokenizer=tokenizer, selection=selection)
        assert made.tally.rows.total() == rows
