"""What goes wrong at a provider: which error it becomes, and how long it asks to wait."""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.errors import (
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
)
from apep_datagen.markup import parse_answer
from apep_datagen.messages import Completion, CompletionRequest, Usage
from apep_datagen.providers import _FitToShow
from apep_datagen.providers.base import error_from_response, fold_completion, retry_after_seconds, transport_error


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, '{"message": "Requests rate limit exceeded"}', RateLimitedError),
        (429, "", RateLimitedError),
        (429, '{"error": {"code": "insufficient_quota"}}', ProviderUnusableError),
        (429, '{"error": {"message": "You exceeded your current quota"}}', ProviderUnusableError),
        (402, '{"error": "You have exceeded your monthly included credits"}', ProviderUnusableError),
        (402, "", ProviderUnusableError),
        (401, '{"detail": "Unauthorized"}', ProviderUnusableError),
        (403, "", ProviderUnusableError),
        (404, '{"error": {"code": "model_not_found"}}', ModelUnknownError),
        (400, '{"object": "error", "message": "Invalid model: x", "type": "invalid_model"}', ModelUnknownError),
        (400, '{"error": {"message": "The model `x` does not exist"}}', ModelUnknownError),
        (400, '{"message": "the prompt is too long"}', RequestRefusedError),
        (413, "", RequestRefusedError),
        (422, '{"detail": [{"loc": ["body"], "msg": "field required"}]}', RequestRefusedError),
        (408, "", TransientError),
        (409, "", TransientError),
        (425, "", TransientError),
        (500, "<html>oops</html>", TransientError),
        (502, "", TransientError),
        (503, '{"error": {"message": "over capacity"}}', TransientError),
        (504, "", TransientError),
        (529, "", TransientError),
        (302, "", TransientError),
        (200, "", TransientError),
        (0, "", TransientError),
    ],
)
def test_a_status_and_a_body_become_an_error(status: int, body: str, kind: type[ProviderError]) -> None:
    error = error_from_response(status, {}, body)
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "over  capacity\\n"}}', "HTTP 503: over capacity"),
        ('{"message": "busy"}', "HTTP 503: busy"),
        ('{"detail": "busy"}', "HTTP 503: busy"),
        ('{"error": "busy"}', "HTTP 503: busy"),
        ('{"detail": [{"msg": "é"}]}', 'HTTP 503: [{"msg": "é"}]'),
        ("busy\x00\r\n", "HTTP 503: busy\ufffd"),
        ("", "HTTP 503"),
    ],
)
def test_the_message_carries_the_words_of_the_provider(body: str, words: str) -> None:
    assert str(error_from_response(503, {}, body)) == words


class _Refusing:
    """An adapter whose server answers with an error."""

    def __init__(self, body: str) -> None:
        self._body = body

    async def start(self) -> None:
        raise error_from_response(500, {}, self._body)

    async def complete(self, request: CompletionRequest) -> Completion:  # noqa: ARG002 - it refuses any
        raise error_from_response(500, {}, self._body)

    async def list_models(self) -> list[str]:
        return []

    async def close(self) -> None:
        pass


@given(st.integers(0, 1000))
def test_an_error_is_short_and_no_part_of_a_key_is_left_in_it(padding: int) -> None:
    key = "sk-secret-key-of-the-user"
    provider = _FitToShow(_Refusing("x" * padding + key + "y" * 1000), key)
    with pytest.raises(TransientError) as caught:
        asyncio.run(provider.start())
    assert len(str(caught.value)) <= 400
    assert "sk-" not in str(caught.value)


# How long to wait.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "-1", "retry-after": "7"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after-ms": "nan", "retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds
    error = error_from_response(429, headers, "")
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_to_wait_for_is_read_in_its_time_zone(
    zone: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(time.tzset)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    date = email.utils.formatdate(time.time() + 100, usegmt=True).replace("GMT", zone)
    seconds = retry_after_seconds({"retry-after": date})
    assert seconds is not None
    assert 95 < seconds <= 100


@given(st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d{1,5} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [-+A-Z0-9]*")))
@example("Mon, 01 Jan 0001 00:00:00")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Fri, 31 Dec 9999 23:59:59 -9999999999999")
@example("1e300")
def test_whatever_a_header_says_the_wait_is_a_number_of_seconds_or_unknown(value: str) -> None:
    for headers in ({"retry-after": value}, {"retry-after-ms": value}):
        seconds = retry_after_seconds(headers)
        assert seconds is None or (0 <= seconds < math.inf)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.one_of(st.text(), st.sampled_from(["error", "detail", "message"])), inner)
    ),
    max_leaves=6,
)


@given(
    st.one_of(st.integers(), st.integers(100, 599)),
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x"]), st.text(st.characters())),
    st.one_of(st.text(st.characters()), JSON.map(json.dumps)),
)
@example(500, {}, "[" * 200_000)
@example(500, {}, '{"error":' * 200_000)
@example(500, {}, "[" * 900 + "]" * 900)
@example(500, {}, "9" * 5_000)
def test_whatever_a_server_answers_becomes_an_error_of_one_line(
    status: int, headers: dict[str, str], body: str
) -> None:
    error = error_from_response(status, headers, body)
    assert isinstance(error, ProviderError)
    str(error).encode()
    assert len(str(error).splitlines()) == 1


# No answer at all.


class ReadTimeout(Exception):  # noqa: N818 - as in httpx
    pass


def caused_by(cause: BaseException, *, explicitly: bool) -> Exception:
    error = RuntimeError("Connection error.")
    if explicitly:
        error.__cause__ = cause
    else:
        error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ReadTimeout(), "no answer within 30 s"),
        (TimeoutError(), "no answer within 30 s"),
        (ConnectionRefusedError(111, "x"), "connection refused"),
        (ConnectionResetError(), "connection reset"),
        (BrokenPipeError(), "connection reset"),
        (OSError("peer closed connection without sending complete message body"), "its answer ended in the middle"),
        (OSError("Server disconnected without sending a response."), "it hung up without an answer"),
        (OSError("no route to host"), "no route to host (OSError)"),
        (OSError(), "OSError"),
    ],
)
def test_a_request_without_an_answer_is_told_in_plain_words(error: Exception, words: str) -> None:
    assert str(transport_error(error, 30.0)) == words


@pytest.mark.parametrize("explicitly", [True, False])
def test_the_cause_below_an_sdk_s_own_exception_is_found(explicitly: bool) -> None:  # noqa: FBT001 - a parameter
    for cause, words in ((ReadTimeout(), "no answer within 30 s"), (ConnectionRefusedError(), "connection refused")):
        nested = caused_by(caused_by(cause, explicitly=explicitly), explicitly=explicitly)
        assert str(transport_error(nested, 30.0)) == words


# What was answered.


def test_a_completion_is_made_of_what_was_answered() -> None:
    completion = fold_completion(" a\r\nb\x00 ", None, "stop", 5, 7)
    assert (completion.text, completion.finish_reason, completion.usage) == ("a\nb\ufffd", "stop", Usage(5, 7))
    assert fold_completion(None, None, None, None, "7") == fold_completion("", "", "", -1, 0.5)


def test_thinking_that_is_returned_apart_becomes_one_leading_block() -> None:
    assert fold_completion("Hello.", " Hm. ", "stop", 1, 1).text == "<think>Hm.</think>\n\nHello."


@given(st.text(), st.sampled_from(["</think>", "<think>", "<tool_call>f()</tool_call>", "</THINKING>"]))
def test_thinking_that_is_returned_apart_never_gets_into_the_reply(words: str, tag: str) -> None:
    thinking = f"I close with {tag} and then {words} secret"
    answer = parse_answer(fold_completion("Hello.", thinking, "stop", 1, 1).text)
    assert answer.reply == "Hello."
    assert answer.calls == ()
    assert answer.thinking.endswith("secret")
