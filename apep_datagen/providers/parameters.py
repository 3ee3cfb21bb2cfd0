"""What a request's body and headers are to hold beside, or instead of, what every endpoint understands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apep_datagen.core.messages import Spelled

__all__ = ["RequestParameters"]

_MAX_TOKENS = "max_tokens"
# What a parameter is called where it has another name than the one that it is known by here.
_OTHER_NAMES = {"seed": ("seed", "random_seed")}


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """How the requests to one endpoint differ from what its SDK sends.

    Attributes:
        max_tokens_parameter: The name under which the endpoint takes the most tokens of an answer.
        omitted: Parameters that it does not take: `seed`, `temperature`.
        extra_body: Further fields of the body.
        extra_headers: Further headers; they can hold secrets.
    """

    max_tokens_parameter: str = _MAX_TOKENS
    omitted: tuple[str, ...] = ()
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def apply(self, content: bytes, spelled: Spelled | None = None) -> bytes:
        """Return a request's body, as an SDK wrote it, with these parameters.

        Args:
            content: The body.
            spelled: What is to stand there in the place of its messages; None where they stay.
        """
        body: dict[str, Any] = json.loads(content)
        if spelled is not None:
            body |= spelled.body()
        for name in self.omitted:
            for spelling in _OTHER_NAMES.get(name, (name,)):
                body.pop(spelling, None)
        if self.max_tokens_parameter != _MAX_TOKENS and _MAX_TOKENS in body:
            body[self.max_tokens_parameter] = body.pop(_MAX_TOKENS)
        return json.dumps(body | dict(self.extra_body), ensure_ascii=False).encode()
