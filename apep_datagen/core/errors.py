"""Every error that a user can meet, as one family.

ApepError
├── SettingsError           an option, the configuration file or a prompt cannot be used        exit 2
├── NoUsableProviderError   no provider has what it needs to start                              exit 3
├── StorageError            the output or its state database cannot be used                     exit 4
├── NoProviderLeftError     every provider has failed for the rest of the run                   exit 5
│   └── HubError            the Hugging Face hub refuses, fails or cannot be reached
├── BudgetReachedError      a budget is spent before the target is reached                      exit 6
└── ProviderError           one request to a provider failed
    ├── RetryableError      asking again can help
    │   ├── RateLimitedError    over the rate; may say how long to wait
    │   ├── TransientError      overload, time-out, connection lost, an answer that is none of its API
    │   └── UnusableAnswerError the model answered, but with nothing that can be used
    ├── RequestRefusedError this request is refused; another provider may take it, or nobody
    └── ProviderUnusableError   key refused or quota spent: the provider is out
        ├── ForbiddenError          … because of its key, or this request alone because of what it says
        └── ModelUnknownError       … because it does not have the model

The command line catches `ApepError`, prints its message and exits with `exit_status`; a traceback is a bug.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "ApepError",
    "BudgetReachedError",
    "FailureKind",
    "ForbiddenError",
    "HubError",
    "ModelUnknownError",
    "NoProviderLeftError",
    "NoUsableProviderError",
    "ProviderError",
    "ProviderUnusableError",
    "RateLimitedError",
    "RequestRefusedError",
    "RetryableError",
    "SettingsError",
    "StorageError",
    "TransientError",
    "UnusableAnswerError",
]


class ApepError(Exception):
    """Base of all errors whose message is meant for the user."""

    exit_status = 1


class SettingsError(ApepError):
    """An option, the configuration, the secrets file or a prompt is wrong, or a price is missing for `--max-usd`."""

    exit_status = 2


class NoUsableProviderError(ApepError):
    """No provider can be used: no enabled one has what it needs to start, such as its key."""

    exit_status = 3


class StorageError(ApepError):
    """The output, its state database or the ledger cannot be used, the disk is full, or a report was not written."""

    exit_status = 4


class NoProviderLeftError(ApepError):
    """Every provider has failed for the rest of the run, or refused some of an evaluation; the same command goes on."""

    exit_status = 5


class HubError(NoProviderLeftError):
    """The Hugging Face hub refuses a dataset, fails or cannot be reached. The message holds no token."""


class BudgetReachedError(ApepError):
    """A budget is spent before the target is reached; with a larger one, the same command goes on."""

    exit_status = 6


class FailureKind(StrEnum):
    """What kinds of failure are counted."""

    RATE_LIMITED = "rate limited"
    UNAVAILABLE = "unavailable"
    TIME_OUT = "time-out"
    NOT_REACHED = "not reached"
    NOT_SENT = "not sent"
    CONNECTION_LOST = "connection lost"
    TORN_ANSWER = "torn answer"
    NO_COMPLETION = "no completion"
    EMPTY_ANSWER = "empty answer"
    ENDLESS_ANSWER = "endless answer"
    CUT_OFF = "cut off"
    REFUSED = "refused"
    KEY_REFUSED = "key refused"
    QUOTA_SPENT = "quota spent"
    MODEL_UNKNOWN = "model unknown"
    UNUSABLE = "unusable"
    BROKEN_OFF = "broken off"
    UNFORESEEN = "unforeseen error"


class ProviderError(ApepError):
    """A request to a provider failed. The message is short enough for a line and holds no key.

    Args:
        message: What happened; a server's words in it become one line, as they could look like the program's own.

    Attributes:
        kind: What it is counted as.
        may_be_billed: Whether the provider may have worked on the request, and charge for it.
        origin: Where it came from, as a traceback for a developer, if nobody foresaw it; holds no key either.
    """

    kind = FailureKind.UNAVAILABLE
    may_be_billed = False
    origin: str | None = None

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class RetryableError(ProviderError):
    """The same request may succeed when it is sent again."""


class RateLimitedError(RetryableError):
    """The provider refused a request because of its rate.

    Args:
        message: What the provider said.
        retry_after: Seconds to wait, where the provider said so.
    """

    kind = FailureKind.RATE_LIMITED

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TransientError(RetryableError):
    """The provider is overloaded, timed out, dropped the connection or answered something that is no answer.

    Args:
        message: What happened.
        kind: What it is counted as.
        may_be_billed: Whether the provider may have worked on the request, and charge for it.
        retry_after: Seconds to wait, where the provider said so.
    """

    def __init__(
        self,
        message: str,
        kind: FailureKind = FailureKind.UNAVAILABLE,
        *,
        may_be_billed: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.may_be_billed = may_be_billed
        self.retry_after = retry_after


class UnusableAnswerError(RetryableError):
    """The model answered with nothing that the conversation can use.

    Args:
        message: What is wrong with the answer.
        kind: What it is counted as.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.EMPTY_ANSWER) -> None:
        super().__init__(message)
        self.kind = kind


class RequestRefusedError(ProviderError):
    """The provider refuses a request: its content, its length, or how it is asked."""

    kind = FailureKind.REFUSED


class ProviderUnusableError(ProviderError):
    """The provider cannot be used for the rest of the run: key refused, quota spent or model unknown.

    Args:
        message: Why.
        kind: What it is counted as.
    """

    def __init__(self, message: str, kind: FailureKind = FailureKind.UNUSABLE) -> None:
        super().__init__(message)
        self.kind = kind


class ForbiddenError(ProviderUnusableError):
    """The provider forbids what it was asked: to this key, or to anybody, for what this request alone says."""

    def __init__(self, message: str) -> None:
        super().__init__(message, FailureKind.KEY_REFUSED)


class ModelUnknownError(ProviderUnusableError):
    """The provider does not have the model that is configured."""

    def __init__(self, message: str) -> None:
        super().__init__(message, FailureKind.MODEL_UNKNOWN)
