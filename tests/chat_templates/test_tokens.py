"""Tokens are those that the model's own tokenizer makes, of the whole text."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from apep_datagen.chat_templates.tokens import TokenCounter
from apep_datagen.core.errors import SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A tokenizer of words, whose file says that texts are cut, filled up, and begin with a token of their own."""
    from tokenizers import Tokenizer  # as the program does it: at the start nobody waits for it
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(WordLevel({"<s>": 0, "?": 1, "<|end|>": 2, "a": 3, "b": 4}, unk_token="?"))  # noqa: S106 - no secret
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["<s>", "<|end|>"])
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=6)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_a_text_is_counted_whole_and_nothing_is_added(path: Path) -> None:
    counter = TokenCounter(path)
    assert [counter.count(text) for text in ("", "a", "a b c<|end|>", "a " * 100)] == [0, 1, 4, 100]


def test_a_directory_that_holds_a_tokenizer_will_do(path: Path) -> None:
    assert TokenCounter(path.parent).count("<s>a b") == 3


def test_a_counter_can_be_sent_to_a_process(path: Path) -> None:
    assert pickle.loads(pickle.dumps(TokenCounter(path))).count("a b") == 2  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", r"this is no tokenizer\.json of the package tokenizers \(EOF while parsing"),
        ('{"model": {"type": "Unknown"}}', r"this is no tokenizer\.json of the package tokenizers"),
        (b"\x80\x02", "the tokenizer cannot be read: it is not UTF-8"),
        (None, r"there is no such file; --tokenizer takes the tokenizer\.json of a model"),
    ],
)
def test_what_is_no_tokenizer_is_told(content: str | bytes | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SettingsError, match=problem):
        TokenCounter(path)
