"""What is made of a server's answer, whoever sent it: a completion, or one of the errors of a provider."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.core.errors import FailureKind, ProviderError, RateLimitedError, TransientError
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Completion, Ending, Usage, ending_of
from apep_datagen.providers.response import LARGEST_BODY, Response, read_completion

USAGE = {"prompt_tokens": 5, "completion_tokens": 7}


def answered(message: Any, *, finish_reason: Any = "stop", usage: Any = USAGE) -> Response:
    return body({"choices": [{"message": message, "finish_reason": finish_reason}], "usage": usage})


def body(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(status, headers or {}, json.dumps(value).encode())


def text_of(message: Any) -> str:
    return read_completion(answered(message)).text


def test_a_completion_is_made_of_what_was_answered() -> None:
    completion = read_completion(answered({"content": " a\r\nb\x00 "}))
    assert completion == Completion("a\nb\ufffd", "stop", Usage(5, 7))


@pytest.mark.parametrize("message", [{"content": None}, {"content": ""}, {}, {"content": []}, {"content": 5}])
def test_an_answer_without_text_is_an_empty_one_with_what_it_cost(message: Any) -> None:
    assert read_completion(answered(message)) == Completion("", "stop", Usage(5, 7))


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {"prompt_tokens": 10**20, "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": 2**63},
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": 5},
        {"prompt_tokens": "5", "completion_tokens": 5},
        {"prompt_tokens": True, "completion_tokens": 5},
        {"prompt_tokens": 1e308, "completion_tokens": 5},
    ],
)
def test_a_number_of_tokens_that_is_none_makes_the_whole_usage_unknown(usage: Any) -> None:
    assert read_completion(answered({"content": "a"}, usage=usage)).usage == Usage()


@pytest.mark.parametrize(
    ("total", "completion"), [(12, 7), (312, 307), (11, 7), (0, 7), (None, 7), (10**20, 7), ("312", 7)]
)
def test_thinking_that_the_total_alone_counts_is_paid_for(total: Any, completion: int) -> None:
    usage = {**USAGE, "total_tokens": total, "completion_tokens_details": {"reasoning_tokens": 300}}
    assert read_completion(answered({"content": "a"}, usage=usage)).usage == Usage(5, completion)


def test_a_byte_order_mark_is_no_part_of_an_answer() -> None:
    plain = answered({"content": "a"})
    assert read_completion(Response(200, {}, b"\xef\xbb\xbf" + plain.body)) == read_completion(plain)
    with pytest.raises(ProviderError, match=r"^HTTP 500: full$"):
        read_completion(Response(500, {}, b'\xef\xbb\xbf{"message": "full"}'))


# Thinking that comes apart, and calls that come apart.


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Hello.", "reasoning": " Hm. "},
        {"content": "Hello.", "reasoning_content": "Hm."},
        {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}]},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "H"}, {"type": "text", "text": "m."}]},
                {"type": "text", "text": "Hel"},
                "lo.",
            ]
        },
    ],
)
def test_thinking_that_is_returned_apart_becomes_one_leading_block(message: Any) -> None:
    assert text_of(message) == "<think>Hm.</think>\n\nHello."


@given(st.text(), st.sampled_from(["</think>", "<think>", "<tool_call>f()</tool_call>", "</THINKING>"]))
def test_thinking_that_is_returned_apart_never_gets_into_the_reply(words: str, tag: str) -> None:
    answer = parse_answer(text_of({"content": "Hello.", "reasoning": f"I close with {tag} and then {words} secret"}))
    assert answer.reply == "Hello."
    assert answer.calls == ()
    assert answer.thinking.endswith("secret")


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"function": {"name": "delete_memory", "arguments": '{"indices": [2]}'}}]},
        {
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "delete_memory", "arguments": {"indices": [2]}}}
            ]
        },
        {"function_call": {"name": "delete_memory", "arguments": '{"indices": [2]}'}},
    ],
)
@pytest.mark.parametrize("content", [None, "", "<think>Number 2.</think>"])
def test_native_calls_are_calls(message: dict[str, Any], content: str | None) -> None:
    [call] = parse_answer(text_of({"content": content, **message})).calls
    assert (call.label, getattr(call, "arguments", None)) == ("delete_memory", {"indices": [2]})


def test_what_a_native_call_holds_does_not_get_out_of_it() -> None:
    arguments = json.dumps({"input_text": ["</tool_call><think>x</think>"]})
    answer = parse_answer(text_of({"tool_calls": [{"function": {"name": "add_memory", "arguments": arguments}}]}))
    [call] = answer.calls
    assert getattr(call, "arguments", None) == {"input_text": ["</tool_call><think>x</think>"]}
    assert (answer.thinking, answer.reply) == ("", "")


# How an answer ended.


@pytest.mark.parametrize("reason", ["stop", "STOP", "eos", "tool_calls", "TOOL_CALL", "end_turn", "COMPLETE", "", None])
def test_a_known_good_end_is_good(reason: str | None) -> None:
    completion = read_completion(answered({"content": "a"}, finish_reason=reason))
    assert ending_of(completion.finish_reason) is Ending.WHOLE


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_an_end_by_length_is_one_however_it_is_called(reason: str) -> None:
    assert ending_of(reason) is Ending.CUT_OFF


@pytest.mark.parametrize(
    "reason", ["content_filter", "error", "abort", "SAFETY", "sensitive", "never heard of", {"a": 1}]
)
def test_any_other_end_is_none(reason: Any) -> None:
    completion = read_completion(answered({"content": "a"}, finish_reason=reason))
    assert ending_of(completion.finish_reason) is Ending.BROKEN_OFF


# An error inside a success.


@pytest.mark.parametrize(
    ("value", "error", "kind", "words"),
    [
        ({"error": {"code": 429, "message": "slow"}}, RateLimitedError, FailureKind.RATE_LIMITED, "HTTP 429: slow"),
        ({"error": {"code": "503", "message": "full"}}, TransientError, FailureKind.UNAVAILABLE, "HTTP 503: full"),
        ([{"error": {"code": 500, "message": "x"}}], TransientError, FailureKind.UNAVAILABLE, "HTTP 500: x"),
        ({"error": "out of order"}, TransientError, FailureKind.NO_COMPLETION, "HTTP 200: out of order"),
        ({"error": {"code": 7, "message": "odd"}}, TransientError, FailureKind.NO_COMPLETION, "HTTP 200: odd"),
        (
            {"choices": [{"message": {"content": "Half a"}, "error": {"code": 502, "message": "upstream"}}]},
            TransientError,
            FailureKind.UNAVAILABLE,
            "HTTP 502: upstream",
        ),
        (None, TransientError, FailureKind.NO_COMPLETION, "not a chat completion"),
        ({}, TransientError, FailureKind.NO_COMPLETION, "not a chat completion"),
        ({"choices": {}}, TransientError, FailureKind.NO_COMPLETION, "not a chat completion"),
        ({"choices": [None]}, TransientError, FailureKind.NO_COMPLETION, "not a chat completion"),
        ({"choices": [{"message": "hello"}]}, TransientError, FailureKind.NO_COMPLETION, "not a chat completion"),
        ({"detail": "no such route"}, TransientError, FailureKind.NO_COMPLETION, "no such route"),
    ],
)
def test_an_error_inside_a_success_is_an_error(
    value: Any, error: type[ProviderError], kind: FailureKind, words: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        read_completion(body(value))
    assert (type(caught.value), caught.value.kind) == (error, kind)
    assert words in str(caught.value)
    # The status said that all went well: it may have been worked on.
    assert caught.value.may_be_billed == (error is TransientError)


def test_an_error_that_is_null_is_none() -> None:
    response = body({"error": None, "choices": [{"message": {"content": "a"}, "error": None}]})
    assert read_completion(response).text == "a"


def test_the_headers_of_an_error_inside_a_success_say_how_long_to_wait() -> None:
    with pytest.raises(RateLimitedError) as caught:
        read_completion(body({"error": {"code": 429}}, headers={"retry-after": "7m12s"}))
    assert caught.value.retry_after == 432


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_server_that_is_overloaded_may_say_how_long_to_wait(status: int) -> None:
    with pytest.raises(TransientError) as caught:
        read_completion(body({"error": "full"}, status, {"retry-after": "0.5s"}))
    assert caught.value.retry_after == 0.5


def test_an_answer_has_a_largest_size() -> None:
    response = Response(200, {}, b" " * LARGEST_BODY + b"{}")
    with pytest.raises(TransientError, match="longer than 16 MB"):
        read_completion(response)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_by_name_and_without_what_a_query_holds(status: int) -> None:
    with pytest.raises(TransientError) as caught:
        read_completion(Response(status, {"location": "https://other.example/v1?token=secret"}, b""))
    assert f"HTTP {status}: it redirects to https://other.example/v1," in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("content", [b"", b"all is well", b"<html>Log in</html>"])
def test_a_success_that_is_no_json_is_no_completion_and_may_be_charged_for(status: int, content: bytes) -> None:
    with pytest.raises(TransientError) as caught:
        read_completion(Response(status, {}, content))
    assert (caught.value.kind, caught.value.may_be_billed) == (FailureKind.NO_COMPLETION, True)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "message", "content", "finish_reason", "usage", "error", "code", "type", "thinking"),
                    *("text", "reasoning", "tool_calls", "function", "name", "arguments", "prompt_tokens", "metadata"),
                    *("completion_tokens", "raw", "detail", "msg"),
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)


@given(
    st.one_of(st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 422, 429, 500, 503]), st.integers(-5, 1000)),
    st.dictionaries(st.sampled_from(["retry-after", "content-type", "location"]), st.text(max_size=20)),
    st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())),
)
@example(200, {}, b'{"choices": [{"message": {"content": "\\ud800"}}]}')
@example(200, {}, b"[" * 100_000)
@example(200, {}, b'{"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": 1e999}}')
def test_whatever_is_answered_becomes_a_completion_or_an_error_of_a_provider(
    status: int, headers: dict[str, str], content: bytes
) -> None:
    try:
        completion = read_completion(Response(status, headers, content))
    except ProviderError as error:
        _is_one_line(str(error))
        return
    completion.text.encode()
    completion.finish_reason.encode()
    assert 0 <= completion.usage.prompt_tokens < 2**31
    assert 0 <= completion.usage.completion_tokens < 2**31


def _is_one_line(words: str) -> None:
    assert len(words.splitlines()) == 1
    words.encode()
