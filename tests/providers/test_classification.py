"""What goes wrong at a provider: which error it becomes, and how long it asks to wait."""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import time
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.core.errors import (
    FailureKind,
    ForbiddenError,
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, Message, Step
from apep_datagen.providers.factory import _WithShowableErrors
from apep_datagen.providers.failures import error_from_response, transport_error
from apep_datagen.providers.rate_headers import retry_after_seconds

QUOTA = FailureKind.QUOTA_SPENT


@pytest.mark.parametrize(
    ("status", "body", "error_type", "kind"),
    [
        (429, '{"message": "Requests rate limit exceeded"}', RateLimitedError, FailureKind.RATE_LIMITED),
        (429, "", RateLimitedError, FailureKind.RATE_LIMITED),
        (402, '{"error": "You have exceeded your monthly included credits"}', ProviderUnusableError, QUOTA),
        (402, "", ProviderUnusableError, QUOTA),
        (401, '{"detail": "Unauthorized"}', ProviderUnusableError, FailureKind.KEY_REFUSED),
        (403, "", ForbiddenError, FailureKind.KEY_REFUSED),
        (403, '{"error": "You must have access to this gated model"}', ForbiddenError, FailureKind.KEY_REFUSED),
        (403, "<html>Attention Required! | Cloudflare</html>", TransientError, FailureKind.UNAVAILABLE),
        (401, "<!DOCTYPE html><title>Sign in</title>", TransientError, FailureKind.UNAVAILABLE),
        (404, "<html><title>404 Not Found</title></html>", TransientError, FailureKind.UNAVAILABLE),
        (400, "<html>the model does not exist</html>", TransientError, FailureKind.UNAVAILABLE),
        (402, "<html>Payment</html>", TransientError, FailureKind.UNAVAILABLE),
        (404, "404 page not found", TransientError, FailureKind.UNAVAILABLE),
        (429, "<html>slow down this month</html>", RateLimitedError, FailureKind.RATE_LIMITED),
        (403, '{"error": "Your account was flagged"}', ForbiddenError, FailureKind.KEY_REFUSED),
        (401, '{"error": "see our moderation policy"}', ProviderUnusableError, FailureKind.KEY_REFUSED),
        (403, '{"error": {"metadata": {"flagged_input": "x"}}}', RequestRefusedError, FailureKind.REFUSED),
        (403, '{"error": {"message": "x requires moderation"}}', RequestRefusedError, FailureKind.REFUSED),
        (403, '{"error": {"code": "content_policy_violation"}}', RequestRefusedError, FailureKind.REFUSED),
        (404, '{"error": {"code": "model_not_found"}}', ModelUnknownError, FailureKind.MODEL_UNKNOWN),
        (400, '{"message": "Invalid model: x", "type": "invalid_model"}', ModelUnknownError, FailureKind.MODEL_UNKNOWN),
        (400, '{"error": {"message": "The model `x` does not exist"}}', ModelUnknownError, FailureKind.MODEL_UNKNOWN),
        (400, '{"error": {"message": "not here", "param": "model"}}', ModelUnknownError, FailureKind.MODEL_UNKNOWN),
        (400, '{"message": "parameter seed does not exist in this model"}', RequestRefusedError, FailureKind.REFUSED),
        (400, '{"message": "flagged: a land where pain does not exist"}', RequestRefusedError, FailureKind.REFUSED),
        (400, '{"message": "the prompt is too long"}', RequestRefusedError, FailureKind.REFUSED),
        (413, "", RequestRefusedError, FailureKind.REFUSED),
        (422, '{"detail": [{"msg": "field required"}]}', RequestRefusedError, FailureKind.REFUSED),
        (408, "", TransientError, FailureKind.UNAVAILABLE),
        (409, "", TransientError, FailureKind.UNAVAILABLE),
        (424, '{"error": "Request failed during generation"}', TransientError, FailureKind.UNAVAILABLE),
        (425, "", TransientError, FailureKind.UNAVAILABLE),
        (500, "<html>oops</html>", TransientError, FailureKind.UNAVAILABLE),
        (502, "", TransientError, FailureKind.UNAVAILABLE),
        (503, '{"error": {"message": "over capacity"}}', TransientError, FailureKind.UNAVAILABLE),
        (504, "", TransientError, FailureKind.UNAVAILABLE),
        (529, "", TransientError, FailureKind.UNAVAILABLE),
        (302, "", TransientError, FailureKind.UNAVAILABLE),
        (0, "", TransientError, FailureKind.UNAVAILABLE),
    ],
)
def test_a_status_and_a_body_become_an_error(
    status: int, body: str, error_type: type[ProviderError], kind: FailureKind
) -> None:
    error = error_from_response(status, {}, body)
    assert type(error) is error_type
    assert error.kind is kind
    # Nobody charges for what was refused; an answer that says that all went well may be charged for, whatever it holds.
    assert error.may_be_billed == (200 <= status < 300)
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"detail": "Not Found"}', "it knows no such address, or no such model (HTTP 404: Not Found); check base_url"),
        ('{"message": "no Route matched with those values"}', "it knows no such address, or no such model"),
        ('{"error": "model \'x\' not found, try pulling it first"}', "it does not know the model (HTTP 404: model 'x'"),
    ],
)
def test_a_path_that_is_not_there_is_not_told_as_a_model_that_is_not_there(body: str, words: str) -> None:
    assert str(error_from_response(404, {}, body)).startswith(words)


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=UTF-8"])
def test_an_answer_of_an_api_is_one_by_whatever_name_it_is_sent(content_type: str) -> None:
    error = error_from_response(401, {"content-type": content_type}, '{"error": {"message": "no such key"}}')
    assert type(error) is ProviderUnusableError
    assert "HTTP 401: no such key" in str(error)


# As they are met: each is the body of a 429.
SPENT = {
    "OpenAI": '{"error": {"message": "You exceeded your current quota, please check your plan and billing details. For '
    "more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
    '", "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}}',
    "OpenAI, a project": '{"error": {"type": "insufficient_quota", "code": "project_spend_limit_exceeded"}}',
    "an older OpenAI": '{"error": {"message": "You exceeded your current quota"}}',
    "its code counts": '{"error": {"code": "insufficient_quota", "message": "Rate limit: none is left"}}',
    "Hugging Face": '{"error": "You have exceeded your monthly included credits for Inference Providers."}',
    "Together": '{"error": {"message": "Credit limit exceeded. Please navigate to https://api.together.xyz/settings/'
    'billing to add credit or upgrade your plan.", "type": "credit_limit"}}',
    "xAI": "Your team 16f2 has either used all available credits or reached its monthly spending limit. To continue "
    "making API requests, please purchase more credits or raise your spending limit.",
    "Moonshot": '{"error": {"type": "exceeded_current_quota_error", "message": "Your account is suspended"}}',
    "Zhipu": '{"error": {"code": "1113", "message": "Insufficient balance or no resource package. Please recharge."}}',
}
FAST = {
    "Mistral": '{"object":"error","message":"Rate limit exceeded","type":"rate_limited","code":"1300"}',
    "Mistral, full": '{"object":"error","message":"Service tier capacity exceeded for this model."}',
    "OpenAI": '{"error": {"message": "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000. See your '
    'monthly limits at https://platform.openai.com/account/limits", "code": "rate_limit_exceeded"}}',
    "Groq, a day": '{"error": {"message": "Rate limit reached on tokens per day (TPD): Limit 100000, Used 99999. '
    'Please try again in 7m12s. Upgrade at https://console.groq.com/settings/billing", "code": "rate_limit_exceeded"}}',
    "Together": '{"error": {"message": "You have been rate limited. Your rate limit is 60 queries per minute. Please '
    'navigate to https://api.together.xyz/settings/billing to upgrade to a paid plan.", "type": "credit_limit"}}',
    "Together, dynamic": '{"error": {"message": "Credit limit of 60 queries per minute", "error_type": '
    '"dynamic_request_limited"}}',
    "OpenRouter": '{"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free '
    'model requests per day", "code": 429, "metadata": {"headers": {"X-RateLimit-Remaining": "0"}}}}',
    "Gemini": '{"error": {"message": "You exceeded your current quota, please check your plan and billing details. '
    '* Quota exceeded for metric: generate_content_free_tier_requests, limit: 10\\nPlease retry in 11.665902715s."}}',
    "Gemini, details": '{"error": {"message": "You exceeded your current quota", "details": [{"violations": '
    '[{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}]}}',
    "RPM": '{"error": "60 RPM exceeded; your monthly plan has no more"}',
    "daily": '{"error": "Daily credit limit reached"}',
}


@pytest.mark.parametrize("body", SPENT.values(), ids=SPENT)
def test_a_spent_quota_is_told_from_a_rate(body: str) -> None:
    error = error_from_response(429, {}, body)
    assert type(error) is ProviderUnusableError
    assert error.kind is FailureKind.QUOTA_SPENT
    assert not error.may_be_billed


@pytest.mark.parametrize("body", FAST.values(), ids=FAST)
def test_a_rate_is_never_taken_for_a_spent_quota(body: str) -> None:
    error = error_from_response(429, {"retry-after": "7200"}, body)
    assert isinstance(error, RateLimitedError)
    assert error.kind is FailureKind.RATE_LIMITED
    assert error.retry_after == 7_200.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "over  capacity\\n"}}', "HTTP 503: over capacity"),
        ('{"message": "busy"}', "HTTP 503: busy"),
        ('{"detail": "busy"}', "HTTP 503: busy"),
        ('{"error": "busy"}', "HTTP 503: busy"),
        ('{"detail": [{"msg": "é"}]}', "HTTP 503: é"),
        ('[{"error": {"code": 503, "message": "overloaded"}}]', "HTTP 503: overloaded"),
        ('{"message": {"detail": [{"loc": ["body"], "msg": "field required"}]}}', "HTTP 503: field required"),
        ('{"detail": [{"msg": "a"}, {"msg": "b"}]}', 'HTTP 503: [{"msg": "a"}, {"msg": "b"}]'),
        (
            '{"error": {"message": "Provider returned error", "metadata": {"raw": "{\\"error\\": \\"too hot\\"}"}}}',
            'HTTP 503: Provider returned error: {"error": "too hot"}',
        ),
        ('{"error": null}', 'HTTP 503: {"error": null}'),
        ("null", "HTTP 503"),
        ("[]", "HTTP 503"),
        ("<html><head><title>502 Bad\nGateway</title>…", "HTTP 503: 502 Bad Gateway"),
        ("busy\x00\r\n", "HTTP 503: busy\ufffd"),
        ("", "HTTP 503"),
    ],
)
def test_the_message_carries_the_words_of_the_provider(body: str, words: str) -> None:
    assert str(error_from_response(503, {}, body)) == words


def test_a_page_is_read_in_a_time_in_proportion_to_its_length() -> None:
    began = time.process_time()
    error_from_response(502, {"content-type": "text/html"}, "<title" * 20_000)
    assert time.process_time() - began < 0.5


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
    provider = _WithShowableErrors(_Refusing("x" * padding + key + "y" * 1000), frozenset({key}))
    with pytest.raises(TransientError) as caught:
        asyncio.run(provider.start())
    assert len(str(caught.value)) <= 400
    assert "sk-" not in str(caught.value)


class _Stumbling(_Refusing):
    """An adapter whose SDK raises what nobody foresaw, with what it was about to send."""

    async def complete(self, request: CompletionRequest) -> Completion:  # noqa: ARG002 - it fails on any
        raise LookupError(f"no header like {self._body!r}")


def test_the_origin_of_an_error_that_nobody_foresaw_is_told_without_the_key() -> None:
    key = "sk-secret-key-of-the-user"
    provider = _WithShowableErrors(_Stumbling(f"Bearer {key}"), frozenset({key}))
    request = CompletionRequest(Step.ASK, (Message("user", "Hi."),), "m", 1.0, 9, 1)
    with pytest.raises(TransientError) as caught:
        asyncio.run(provider.complete(request))
    assert caught.value.origin is not None
    assert "LookupError: no header like 'Bearer [API key]'" in caught.value.origin
    assert "in complete" in caught.value.origin
    assert "sk-" not in caught.value.origin


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
        ({"retry-after": "0.5s"}, 0.5),
        ({"retry-after": "7m12s"}, 432.0),
        ({"retry-after": "7h"}, 25_200.0),
        ({"retry-after": "250ms"}, 0.25),
        ({"retry-after": "1e9"}, 31 * 86_400.0),
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
    date = email.utils.formatdate(time.time() + 3_000, usegmt=True).replace("GMT", zone)
    seconds = retry_after_seconds({"retry-after": date})
    assert seconds is not None
    assert 2_500 < seconds <= 3_000  # in another zone, it would be hours


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


def caused_by(error: Exception, cause: BaseException, *, explicitly: bool = True) -> Exception:
    if explicitly:
        error.__cause__ = cause
    else:
        error.__context__ = cause
    return error


TORN = "peer closed connection without sending complete message body (incomplete chunked read)"
NOT_IN_TIME = "no connection could be made in time"
HUNG_UP = "Server disconnected without sending a response."


@pytest.mark.parametrize("client", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_request_without_an_answer_is_told_in_plain_words_and_counted_as_what_it_was(client: Any) -> None:
    refused, reset = ConnectionRefusedError(111, "x"), ConnectionResetError(104, "x")
    for error, words, kind, may_be_billed in (
        (client.ReadTimeout(""), "no answer within 30 s", FailureKind.TIME_OUT, True),
        (client.WriteTimeout(""), "no answer within 30 s", FailureKind.TIME_OUT, True),
        (TimeoutError(), "no answer within 30 s", FailureKind.TIME_OUT, True),
        (client.ConnectTimeout(""), NOT_IN_TIME, FailureKind.NOT_REACHED, False),
        (caused_by(client.ConnectTimeout(""), TimeoutError()), NOT_IN_TIME, FailureKind.NOT_REACHED, False),
        (client.PoolTimeout(""), NOT_IN_TIME, FailureKind.NOT_REACHED, False),
        (refused, "connection refused", FailureKind.NOT_REACHED, False),
        (caused_by(client.ConnectError("x"), refused), "connection refused", FailureKind.NOT_REACHED, False),
        (
            client.ConnectError("[Errno -2] Name or service not known"),
            "[Errno -2] Name or service not known (ConnectError)",
            FailureKind.NOT_REACHED,
            False,
        ),
        (
            caused_by(client.ConnectError("All connection attempts failed"), OSError(113, "No route to host")),
            "All connection attempts failed (ConnectError)",
            FailureKind.NOT_REACHED,
            False,
        ),
        # Reset while TLS was being agreed on: no request was sent yet.
        (caused_by(client.ConnectError(""), reset), "connection reset", FailureKind.NOT_REACHED, False),
        (client.ProxyError("403 Forbidden"), "403 Forbidden (ProxyError)", FailureKind.NOT_REACHED, False),
        (client.UnsupportedProtocol("x"), "x (UnsupportedProtocol)", FailureKind.NOT_REACHED, False),
        (reset, "connection reset", FailureKind.CONNECTION_LOST, True),
        (caused_by(client.ReadError(""), reset), "connection reset", FailureKind.CONNECTION_LOST, True),
        (BrokenPipeError(), "connection reset", FailureKind.CONNECTION_LOST, True),
        (client.RemoteProtocolError(HUNG_UP), "it hung up without an answer", FailureKind.CONNECTION_LOST, True),
        (client.RemoteProtocolError(TORN), "its answer ended in the middle", FailureKind.TORN_ANSWER, True),
        (client.ReadError("lost"), "lost (ReadError)", FailureKind.CONNECTION_LOST, True),
        (client.DecodingError("x"), "x (DecodingError)", FailureKind.NO_COMPLETION, True),
        (client.TooManyRedirects("x"), "x (TooManyRedirects)", FailureKind.UNAVAILABLE, False),
        (OSError("no route to host"), "no route to host (OSError)", FailureKind.CONNECTION_LOST, True),
        (OSError(), "OSError", FailureKind.CONNECTION_LOST, True),
    ):
        found = transport_error(error, 30.0)
        assert (str(found), found.kind, found.may_be_billed) == (words, kind, may_be_billed), repr(error)


@pytest.mark.parametrize("explicitly", [True, False])
def test_the_cause_below_an_sdk_s_own_exception_is_found(explicitly: bool) -> None:  # noqa: FBT001 - a parameter
    for cause, words, kind in (
        (httpx.ReadTimeout(""), "no answer within 30 s", FailureKind.TIME_OUT),
        (httpx.ConnectTimeout(""), NOT_IN_TIME, FailureKind.NOT_REACHED),
        (ConnectionRefusedError(), "connection refused", FailureKind.NOT_REACHED),
    ):
        inner = caused_by(RuntimeError("Connection error."), cause, explicitly=explicitly)
        found = transport_error(caused_by(RuntimeError("Request timed out."), inner, explicitly=explicitly), 30.0)
        assert (str(found), found.kind) == (words, kind)
