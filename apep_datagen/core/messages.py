"""The values that pass between a conversation and a provider."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = [
    "Completion",
    "CompletionRequest",
    "Message",
    "ModelRole",
    "ReportedLimits",
    "Step",
    "Usage",
    "clean_text",
    "storable_text",
]

MessageRole = Literal["system", "user", "assistant", "tool"]


class ModelRole(StrEnum):
    """Who a model call speaks as; each may have a model of its own."""

    TESTER = "tester"
    ADA = "ada"
    REWRITER = "rewriter"


class Step(StrEnum):
    """What a paid model call is for."""

    ASK = "ask"
    ANSWER = "answer"
    CONTINUE = "continue"
    REWRITE = "rewrite"

    @property
    def model_role(self) -> ModelRole:
        """Who makes this call."""
        return _MODEL_ROLES[self]


_MODEL_ROLES = {
    Step.ASK: ModelRole.TESTER,
    Step.ANSWER: ModelRole.ADA,
    Step.CONTINUE: ModelRole.ADA,
    Step.REWRITE: ModelRole.REWRITER,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: MessageRole
    content: str

    def as_dict(self) -> dict[str, str]:
        """Return the message as chat APIs and the output file spell it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One model call, ready to be sent.

    Attributes:
        step: What the call is for.
        messages: The prompt; roles are `system`, `user` and `assistant` only.
        model: The model's name at the provider.
        temperature: Sampling temperature.
        max_tokens: Upper bound of the completion's length, in tokens.
        seed: A number drawn from the run's seed, for providers that can sample reproducibly.
    """

    step: Step
    messages: tuple[Message, ...]
    model: str
    temperature: float
    max_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a call was charged for; 0 where the provider does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered.

    Attributes:
        text: The whole answer. Thinking that a provider returns apart is folded in as a leading `<think>` block.
        finish_reason: As the provider says it: `stop`, `length`, … or an empty string.
        usage: What it cost.
    """

    text: str
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """What a provider's response headers say about its limits; None where they do not say.

    Attributes:
        requests_per_second: How many requests are permitted.
        tokens_per_minute: How many tokens are permitted.
        requests_left: How many requests may be sent before `requests_reset_seconds` are over.
        tokens_left: How many tokens may be used before `tokens_reset_seconds` are over.
        requests_reset_seconds: Seconds until requests are permitted again.
        tokens_reset_seconds: Seconds until tokens are permitted again.
    """

    requests_per_second: float | None = None
    tokens_per_minute: int | None = None
    requests_left: int | None = None
    tokens_left: int | None = None
    requests_reset_seconds: float | None = None
    tokens_reset_seconds: float | None = None


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Return `text` with what cannot be stored replaced by U+FFFD: NUL, and surrogates without a partner.

    JSON can spell both, UTF-8 cannot spell the second, and many programs stop at the first.
    """
    return _UNSTORABLE.sub("\ufffd", text)


def clean_text(text: str) -> str:
    r"""Return `text` storable, and with every line ending spelled `\n`."""
    return storable_text(text).replace("\r\n", "\n").replace("\r", "\n")
