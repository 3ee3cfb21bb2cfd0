"""Amounts that were or may be spent, and what they cost: plain arithmetic.

Money is counted in whole picodollars (10⁻¹² $), so that sums are exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apep_datagen.core.messages import CompletionRequest, Usage

__all__ = ["NOTHING", "Amount", "Price", "dollars", "picodollars", "worst_case"]

_PICODOLLARS = 1_000_000_000_000
# What a chat template puts around a message, and around the whole prompt, at most: role names, control tokens, a date.
_TOKENS_AROUND_MESSAGE = 16
_TOKENS_AROUND_PROMPT = 64
# What it puts around a call or a schema; and what it tells of how to call, which is little more than it takes to indent
# the schemas, in all templates that come with the program.
_TOKENS_AROUND_OBJECT = 64
_TOKENS_AROUND_TOOLS = 1024


def picodollars(usd: float) -> int:
    """Return an amount of dollars in whole picodollars."""
    return round(usd * _PICODOLLARS)


def dollars(amount: int) -> float:
    """Return an amount of picodollars in dollars."""
    return amount / _PICODOLLARS


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in picodollars a token."""

    input: int
    output: int

    @classmethod
    def per_million_tokens(cls, usd_input: float, usd_output: float) -> Price:
        """Make a price of what providers quote: dollars for a million tokens."""
        return cls(picodollars(usd_input) // 1_000_000, picodollars(usd_output) // 1_000_000)

    def of(self, usage: Usage) -> int:
        """Return what `usage` costs, in picodollars."""
        return self.input * usage.prompt_tokens + self.output * usage.completion_tokens


@dataclass(frozen=True, slots=True)
class Amount:
    """Something that was or may be spent: requests, tokens (prompt and completion together), picodollars."""

    requests: int = 0
    tokens: int = 0
    picodollars: int = 0

    @classmethod
    def of(cls, requests: int, usage: Usage, price: Price | None) -> Amount:
        """Return what requests with this usage amount to; without a price they are free."""
        return cls(requests, usage.total_tokens, price.of(usage) if price else 0)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.picodollars + other.picodollars)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.requests - other.requests, self.tokens - other.tokens, self.picodollars - other.picodollars)


NOTHING = Amount()


def worst_case(request: CompletionRequest) -> Usage:
    """Return the most that a request can be charged for, in tokens.

    A token stands for one byte of UTF-8 at least (byte-level BPE and its relatives), so a prompt has no more tokens
    than bytes, and what the chat template adds. A completion ends at `max_tokens`.
    """
    sent = request.sent
    prompt = sum(_bytes_of(message) + _TOKENS_AROUND_MESSAGE for message in sent.messages)
    if sent.tools:
        prompt += _bytes_of_objects(sent.tools) + _TOKENS_AROUND_TOOLS
    return Usage(prompt + _TOKENS_AROUND_PROMPT, request.max_tokens)


def _bytes_of(message: Mapping[str, Any]) -> int:
    """Return the most bytes that a chat template makes of what stands in a message."""
    return sum(
        len(value.encode()) if isinstance(value, str) else _bytes_of_objects(value)
        for name, value in message.items()
        if name != "role"
    )


def _bytes_of_objects(values: Sequence[Any]) -> int:
    """Return the most bytes that a chat template makes of objects: as JSON, with escapes and with lines indented."""
    return len(json.dumps(values, indent=4)) + _TOKENS_AROUND_OBJECT * len(values)
