"""The values that pass between a conversation and a provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

__all__ = [
    "Completion",
    "CompletionRequest",
    "Ending",
    "Message",
    "MessageRole",
    "ModelRole",
    "ReportedLimits",
    "ReviewQuestion",
    "Spelled",
    "Step",
    "Usage",
    "clean_text",
    "ending_of",
    "storable_text",
]

MessageRole = Literal["system", "user", "assistant", "tool"]


class ModelRole(StrEnum):
    """Who a model call speaks as; each may have a model of its own."""

    TESTER = "tester"
    ADA = "ada"
    REWRITER = "rewriter"
    REVIEWER = "reviewer"


class Step(StrEnum):
    """What a paid model call is for."""

    ASK = "ask"
    ANSWER = "answer"
    CONTINUE = "continue"
    REWRITE = "rewrite"
    REVIEW = "review"

    @property
    def model_role(self) -> ModelRole:
        """Who makes this call."""
        return _MODEL_ROLES[self]

    @property
    def can_be_left_out(self) -> bool:
        """Whether a conversation goes on without it where it is asked for in vain."""
        return self in (Step.REWRITE, Step.REVIEW)


_MODEL_ROLES = {
    Step.ASK: ModelRole.TESTER,
    Step.ANSWER: ModelRole.ADA,
    Step.CONTINUE: ModelRole.ADA,
    Step.REWRITE: ModelRole.REWRITER,
    Step.REVIEW: ModelRole.REVIEWER,
}


class ReviewQuestion(StrEnum):
    """What a review answers; a yes is good of each. `systemprompts/reviewer_system.txt` spells them out."""

    MOOD = "mood"
    FACTS = "facts"
    PERSON = "person"
    TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: MessageRole
    content: str

    def as_dict(self) -> dict[str, str]:
        """Return the message as chat APIs and the output file spell it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Spelled:
    """What was said, as the body of a request to an endpoint of chat completions has it: JSON objects.

    Attributes:
        messages: With calls, results and thoughts in whichever fields and roles they stand.
        tools: The schemas of the tools that are offered beside them; none where calls are text.
    """

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the fields of the body that say it: `messages`, and `tools` where some are offered."""
        messages = [dict(message) for message in self.messages]
        return (
            {"messages": messages, "tools": [dict(tool) for tool in self.tools]}
            if self.tools
            else {"messages": messages}
        )


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One model call, ready to be sent.

    Attributes:
        step: What the call is for.
        messages: The prompt; roles are `system`, `user` and `assistant` only. Empty where it is spelled already.
        model: The model's name at the provider.
        temperature: Sampling temperature.
        max_tokens: Upper bound of the completion's length, in tokens.
        seed: A number drawn from the run's seed, for providers that can sample reproducibly.
        spelled: What is sent word for word in the place of `messages`: to a model that was trained on another form of
            them. None where `messages` are sent.
    """

    step: Step
    messages: tuple[Message, ...]
    model: str
    temperature: float
    max_tokens: int
    seed: int
    spelled: Spelled | None = None

    @property
    def sent(self) -> Spelled:
        """What is really sent."""
        return self.spelled or Spelled(tuple(message.as_dict() for message in self.messages))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a call was charged for; 0 where the provider does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


class Ending(StrEnum):
    """How an answer ended."""

    WHOLE = "whole"
    CUT_OFF = "cut off"
    BROKEN_OFF = "broken off"


# What APIs say of an answer that is whole, and of one that its length has cut off. OpenAI and most: stop, length,
# tool_calls, function_call; Together: eos; text-generation-inference: eos_token, stop_sequence; Mistral: model_length;
# Anthropic: end_turn, tool_use, max_tokens; Cohere: COMPLETE, TOOL_CALL, MAX_TOKENS; Gemini: STOP, MAX_TOKENS.
_WHOLE = frozenset(
    {
        "stop",
        "eos",
        "eos_token",
        "stop_sequence",
        "end_turn",
        "complete",
        "tool_calls",
        "tool_call",
        "tool_use",
        "function_call",
    }
)
_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})


def ending_of(finish_reason: str) -> Ending:
    """Return how an answer ended.

    Only what is known to be a good end is one: what else a provider says (`content_filter`, `error`, `abort`) stands
    for an answer that was broken off. Where it says nothing, nothing is known against the answer.
    """
    reason = finish_reason.strip().lower()
    if not reason or reason in _WHOLE:
        return Ending.WHOLE
    return Ending.CUT_OFF if reason in _CUT_OFF else Ending.BROKEN_OFF


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
