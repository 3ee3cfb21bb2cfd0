"""A training sample as one line of JSON, as the output holds it, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from apep_datagen.core.messages import Message

__all__ = [
    "is_evaluated",
    "line_digest",
    "messages_digest",
    "messages_in",
    "parse_element",
    "parse_messages",
    "sample_bytes",
    "sample_line",
]


def sample_line(messages: Iterable[Message]) -> str:
    """Return a training sample as the output file holds it: one line of JSON, without the line's end."""
    return json.dumps({"conversations": [message.as_dict() for message in messages]}, ensure_ascii=False)


def sample_bytes(messages: Iterable[Message]) -> bytes:
    """Return the same in UTF-8; halves of characters, which JSON can spell, stay what they are."""
    return sample_line(messages).encode(errors="surrogatepass")


def line_digest(line: bytes) -> bytes:
    """Return 16 bytes by which what `sample_line` returned, or another spelling of it, is told from all others."""
    return blake2b(line, digest_size=16).digest()


def messages_digest(messages: Iterable[Message]) -> bytes:
    """Return the digest of what the program writes for messages: the same for every layout in which they may stand."""
    return line_digest(sample_bytes(messages))


def parse_messages(element: bytes) -> tuple[Message, ...] | None:
    """Return the messages of an element of the output, a training sample as JSON, or None where it is none."""
    return messages_in(parse_element(element))


def parse_element(element: bytes) -> Any:
    """Return an element of the output as JSON gives it, or None where it is no JSON."""
    try:
        return json.loads(element.decode())
    except (ValueError, RecursionError):
        return None


def messages_in(value: Any) -> tuple[Message, ...] | None:
    """Return the messages of a training sample, as JSON gives it, or None where it is none."""
    messages = value.get("conversations") if isinstance(value, dict) else None
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        return None
    return tuple(Message(message["role"], message["content"]) for message in messages)


def is_evaluated(value: Any) -> bool:
    """Tell whether a value, as JSON gives it, is a conversation in which a model was evaluated: nothing to train on."""
    return isinstance(value, dict) and isinstance(value.get("evaluation"), dict) and "conversations" not in value


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str) and isinstance(value.get("content"), str)
