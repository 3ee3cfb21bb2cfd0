"""Rows for Mistral's fine-tuning, by the rules and with the tokenizers of mistral-common."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mistral_common
import pytest
from mistral_common.protocol.instruct.messages import FinetuningAssistantMessage, FinetuningMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.tool_calls import Tool
from mistral_common.protocol.instruct.validator import ValidationMode, get_validator
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy, SpecialTokens, TokenizerVersion
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from pydantic import TypeAdapter

from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.formats.mistral import MISTRAL
from apep_datagen.formats.native import checked_calls, result_texts
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.thoughts import with_thoughts
from support.sample_rows import answers_in, as_json, sample_rows, shapes_of

_TEKKEN = Path(mistral_common.__file__).parent / "data" / "tekken_240718.json"
_MESSAGES: TypeAdapter[list[Any]] = TypeAdapter(list[FinetuningMessage])
_TOOLS = TypeAdapter(list[Tool])


def request(row: Any) -> Any:
    return ChatCompletionRequest(
        messages=_MESSAGES.validate_python(row["messages"]),
        tools=_TOOLS.validate_python(row["tools"]) if "tools" in row else None,
    )


def text_of(tokenizer: Any, row: Any) -> str:
    tokens = tokenizer.encode_chat_completion(request(row)).tokens
    return str(tokenizer.decode(tokens, special_token_policy=SpecialTokenPolicy.KEEP))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return MistralTokenizer.from_file(_TEKKEN, mode=ValidationMode.finetuning)


@pytest.fixture(scope="module")
def reasoning_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tokenizer of version 13: the words of the one in the package, and the special tokens of that version."""
    content = json.loads(_TEKKEN.read_text(encoding="utf-8"))
    content["config"]["version"] = "v13"
    content["special_tokens"] = [
        {"rank": rank, "token_str": token.value, "is_control": True} for rank, token in enumerate(SpecialTokens)
    ]
    file = tmp_path_factory.mktemp("tokenizer") / "tekken_v13.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return MistralTokenizer.from_file(file, mode=ValidationMode.finetuning)


@pytest.mark.parametrize("shape", shapes_of(MISTRAL, ["text"]), ids=repr)
def test_every_version_takes_rows_with_calls_as_text(shape: Shape) -> None:
    for _, row in sample_rows(MISTRAL, shape):
        for version in TokenizerVersion:
            get_validator(version, ValidationMode.finetuning).validate_request(request(row))


@pytest.mark.parametrize("shape", shapes_of(MISTRAL, ["text"]), ids=repr)
def test_every_word_of_a_row_becomes_tokens(shape: Shape, tokenizer: Any) -> None:
    for example, row in sample_rows(MISTRAL, shape):
        text = text_of(tokenizer, row)
        assert all(message.content in text for message in example.messages)


@pytest.mark.parametrize("shape", shapes_of(MISTRAL, ["native"]), ids=repr)
def test_reasoning_models_get_thoughts_calls_and_results_as_their_own(shape: Shape, reasoning_tokenizer: Any) -> None:
    for example, row in sample_rows(MISTRAL, shape):
        text = text_of(reasoning_tokenizer, row)
        for message in example.messages:
            for expected in tokenized(message):
                assert expected in text, expected


def tokenized(message: Message) -> Iterator[str]:
    """Yield how the parts of a message are spelled by a tokenizer of version 13."""
    if message.role == "assistant":
        answer = parse_answer(message.content)
        yield f"[THINK]{answer.thinking}[/THINK]{answer.reply}"
        for call in checked_calls(answer):
            yield f"[TOOL_CALLS]{call.name}[ARGS]{json.dumps(call.arguments, ensure_ascii=False)}"
    elif message.role == "tool":
        yield from (f"[TOOL_RESULTS]{text}[/TOOL_RESULTS]" for text in result_texts(message))
    else:
        yield message.content


def test_earlier_tokenizers_refuse_what_they_would_lose(tokenizer: Any) -> None:
    refused = 0
    for _, row in sample_rows(MISTRAL, Shape(calls="native")):
        with pytest.raises(mistral_common.exceptions.MistralCommonException):
            text_of(tokenizer, row)
        refused += 1
    assert refused


def test_without_thoughts_earlier_tokenizers_take_calls_as_their_own(tokenizer: Any) -> None:
    calls = 0
    for whole, _ in sample_rows(MISTRAL, Shape(rows="answer", calls="native")):
        example = with_thoughts(whole, "drop")
        text = text_of(tokenizer, as_json(MISTRAL.write(example, Shape(rows="answer", calls="native"))))
        for message in example.messages:
            for call in checked_calls(parse_answer(message.content)) if message.role == "assistant" else ():
                calls += 1
                assert f'{{"name": "{call.name}", "arguments": {json.dumps(call.arguments, ensure_ascii=False)}' in text
    assert calls


@pytest.mark.parametrize("shape", shapes_of(MISTRAL), ids=repr)
def test_only_answers_that_are_new_have_weight(shape: Shape) -> None:
    for example, row in sample_rows(MISTRAL, shape):
        answers = [each for each in request(row).messages if isinstance(each, FinetuningAssistantMessage)]
        if shape.weights or shape.rows != "conversation":
            assert [each.weight == 1 for each in answers] == answers_in(example)
        else:
            assert all(each.weight is None for each in answers)


def test_ids_are_of_nine_letters_and_digits() -> None:
    ids = {
        call["id"]
        for _, row in sample_rows(MISTRAL, Shape(calls="native"))
        for message in row["messages"]
        for call in message.get("tool_calls", ())
    }
    assert ids
    assert all(len(each) == 9 and each.isalnum() and each.isascii() for each in ids)
