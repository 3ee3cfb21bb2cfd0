"""Answers that no API should give: random and mutated bodies, headers and statuses."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

from support.loopback_server import Reply

__all__ = ["odd_reply"]

_STATUSES = (
    200,
    200,
    200,
    201,
    204,
    301,
    307,
    400,
    401,
    402,
    403,
    404,
    408,
    413,
    418,
    422,
    429,
    451,
    500,
    503,
    529,
    599,
)
_HEADERS = {
    "Content-Type": ["application/json", "text/html", "text/event-stream", "nonsense/\x7f", ""],
    "Content-Encoding": ["gzip", "identity", "deflate", "nonsense"],
    "Retry-After": ["0", "7m12s", "-1", "soon", "1e999", "Fri, 31 Dec 9999 23:59:59 GMT"],
    "X-RateLimit-Remaining": ["0", "-1", "9" * 30],
    "X-RateLimit-Reset": ["1s", "9" * 30, "never"],
    "Location": ["/", "http://[", "ftp://x", "//\u00e9"],
}
_GOOD = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}
_ODD: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1e308,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"": {}},
    {"error": {}},
    "</think>",
]


def _mutated(value: Any, draw: random.Random) -> Any:
    """Return a JSON value with something in it replaced, left out or doubled."""
    if draw.random() < 0.15:
        return draw.choice(_ODD)
    if isinstance(value, dict):
        changed = {key: _mutated(item, draw) if draw.random() < 0.4 else item for key, item in value.items()}
        if changed and draw.random() < 0.3:
            del changed[draw.choice(list(changed))]
        if draw.random() < 0.2:
            changed[draw.choice(["error", "detail", "message", "tool_calls", "reasoning", "code"])] = draw.choice(_ODD)
        return changed
    if isinstance(value, list):
        return [_mutated(item, draw) for item in value] * draw.choice([0, 1, 1, 2])
    return value


def odd_reply(draw: random.Random) -> Reply:
    """Draw an answer of any kind; some are good ones."""
    text = json.dumps(_mutated(_GOOD, draw)).encode()
    content = draw.choice([text, text, text, text[: draw.randrange(len(text) + 1)], draw.randbytes(60), b""])
    names = draw.sample(list(_HEADERS), draw.randint(0, 3))
    headers = {name: draw.choice(_HEADERS[name]).encode("ascii", "replace").decode() for name in names}
    if headers.get("Content-Encoding") == "gzip" and draw.random() < 0.7:
        content = gzip.compress(content)
    headers = {name: "".join(filter(str.isprintable, value)) for name, value in headers.items()}
    fault = draw.choice(["", "", "", "", "", "", "drop", "tear"])
    return Reply(status=draw.choice(_STATUSES), headers=headers, fault=fault, raw=content)
