"""What a server's answer says: a completion, or what went wrong. Pure, and the same for all providers.

What is read is OpenAI's chat completion with what others add to it: content in parts, thinking beside the text
(`reasoning`, `reasoning_content`, parts of type `thinking`), an error inside a success.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apep_datagen.core.messages import Completion, Usage, clean_text
from apep_datagen.core.tags import escape_tags, strip_tags
from apep_datagen.providers.failures import error_from_response, error_in_success, not_a_completion

__all__ = ["LARGEST_BODY", "SUCCESSES", "Response", "read_completion"]

LARGEST_BODY = 16 * 2**20
"""Bytes of an answer's body; what is longer is none that a conversation could use."""

_LARGEST_ERROR = 2**20

SUCCESSES = range(200, 300)
"""The HTTP statuses that say that all went well."""

# A number of tokens above it is none: the longest contexts hold some millions.
_MOST_TOKENS = 10**8


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Attributes:
        status: The HTTP status.
        headers: Its headers, with names in lower case or case-insensitive.
        body: Its body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def read_completion(response: Response) -> Completion:
    """Return the completion that a server answered with.

    An answer without text is a completion as well, an empty one: it was worked on and paid for.

    Raises:
        ProviderError: It is none; the error says what went wrong.
    """
    if response.status not in SUCCESSES:
        words = response.body[:_LARGEST_ERROR].decode("utf-8-sig", errors="replace")
        raise error_from_response(response.status, response.headers, words)
    if len(response.body) > LARGEST_BODY:
        raise not_a_completion(f"its answer is longer than {LARGEST_BODY // 2**20} MB")
    try:
        # Some write a byte-order mark in front.
        value: Any = json.loads(response.body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise not_a_completion() from error
    body = value if isinstance(value, dict) else {}
    choice = _first(body.get("choices"))
    refusal = body.get("error") or choice.get("error")
    if refusal:
        raise error_in_success(response.status, response.headers, refusal)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise error_in_success(response.status, response.headers, value)
    finish_reason = clean_text(str(choice.get("finish_reason") or ""))
    return Completion(_text_of(message), finish_reason, _usage(body.get("usage")))


def _first(choices: Any) -> dict[str, Any]:
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _text_of(message: Mapping[str, Any]) -> str:
    """Return all that a message says, in Ada's markup: thinking, text, calls.

    Tags that the thinking speaks of are taken out: they would end the block, or begin a call.
    """
    content, thinking = _parts_of(message.get("content"))
    apart = _string(message.get("reasoning")) or _string(message.get("reasoning_content")) or thinking
    thought = strip_tags(clean_text(apart))
    parts = [f"<think>{thought}</think>"] if thought else []
    parts.append(clean_text(content).strip())
    parts += ["\n".join(_native_calls(message))]
    return "\n\n".join(part for part in parts if part)


def _parts_of(content: Any) -> tuple[str, str]:
    """Return text and thinking of a message's content, which may be a list of `text` and `thinking` parts."""
    if not isinstance(content, list):
        return _string(content), ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") == "thinking":
            thought = part.get("thinking")
            items = thought if isinstance(thought, list) else [thought]
            thoughts += [_string(item.get("text") if isinstance(item, dict) else item) for item in items]
        elif isinstance(part, dict):
            texts.append(_string(part.get("text")))
    return "".join(texts), "".join(thoughts)


def _native_calls(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the calls of a model that calls its tools beside its text, though none were offered that way."""
    calls = message.get("tool_calls")
    for call in [*(calls if isinstance(calls, list) else []), {"function": message.get("function_call")}]:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name"):
            spelled = json.dumps({"name": function["name"], "arguments": function.get("arguments")}, ensure_ascii=False)
            yield f"<tool_call>{escape_tags(clean_text(spelled))}</tool_call>"


def _usage(usage: Any) -> Usage:
    """Return what an answer cost; nothing, which stands for not known, where either number is none.

    What the total holds beside the two is thinking, which is charged for as an answer is: xAI and Gemini count it there
    alone (https://docs.x.ai/docs/key-information/consumption-and-rate-limits).
    """
    if not isinstance(usage, dict):
        return Usage()
    prompt, completion = _token_count(usage.get("prompt_tokens")), _token_count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return Usage()
    total = _token_count(usage.get("total_tokens")) or 0
    return Usage(prompt, max(completion, total - prompt))


def _token_count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value <= _MOST_TOKENS else None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
