"""What every adapter makes of odd answers, through its own SDK: the same, and never anything but a known outcome."""

from __future__ import annotations

import asyncio
import functools
import gzip
import random
import resource
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from apep_datagen.config.provider_settings import ProviderKind, ProviderSettings
from apep_datagen.core.errors import FailureKind, ModelUnknownError, ProviderError, RateLimitedError, TransientError
from apep_datagen.core.messages import Completion, CompletionRequest, Message, Step, Usage
from apep_datagen.providers.factory import create_provider
from support.loopback_server import LoopbackServer, Received, Reply
from support.odd_replies import odd_reply
from support.waiting import PATIENCE_SECONDS

KINDS: tuple[ProviderKind, ...] = ("mistral", "together", "openai", "huggingface")
REQUEST = CompletionRequest(Step.ANSWER, (Message("system", "You are Ada."), Message("user", "Hi.")), "m", 0.5, 9, 1)
KEY = "sk-key-of-nobody-else"

Outcome = Completion | ProviderError


def ask(
    kind: ProviderKind, url: str, *, times: int = 1, timeout: float = PATIENCE_SECONDS, **settings: Any
) -> list[Outcome]:
    """Send a request as often through a provider's SDK, one after the other; return what came of each."""

    async def send() -> list[Outcome]:
        section = ProviderSettings(kind=kind, model="m", base_url=url, timeout_seconds=timeout, **settings)
        provider = create_provider(section, KEY)
        await provider.start()
        outcomes: list[Outcome] = []
        for _ in range(times):
            try:
                outcomes.append(await provider.complete(REQUEST))
            except ProviderError as error:
                outcomes.append(error)
        await provider.close()
        return outcomes

    return asyncio.run(send())


def outcome_of(kind: ProviderKind, reply: Reply, **settings: Any) -> Outcome:
    with LoopbackServer(lambda _: reply) as server:
        [outcome] = ask(kind, server.url(kind), **settings)
    return outcome


@pytest.mark.parametrize("kind", KINDS)
def test_odd_answers_mean_the_same_at_every_provider(kind: ProviderKind) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "recall_memories", "arguments": "{}"}}
    replies: list[tuple[Reply, Callable[[Outcome], bool]]] = [
        (Reply(message={"content": None}, usage=(5, 0)), lambda it: it == Completion("", "stop", Usage(5, 0))),
        (
            Reply(message={"content": None, "tool_calls": [call]}, finish_reason="tool_calls"),
            lambda it: (
                isinstance(it, Completion)
                and it.text == '<tool_call>{"name": "recall_memories", "arguments": "{}"}</tool_call>'
            ),
        ),
        (Reply("a", usage=(10**20, 5)), lambda it: isinstance(it, Completion) and it.usage == Usage()),
        (Reply("a", finish_reason="error"), lambda it: isinstance(it, Completion) and it.finish_reason == "error"),
        (Reply(raw='{"choices": {}}'), _is(TransientError, FailureKind.NO_COMPLETION)),
        (Reply(raw='{"choices": [[]]}'), _is(TransientError, FailureKind.NO_COMPLETION)),
        (Reply(raw='{"error": {"code": 429, "message": "slow down"}}'), _is(RateLimitedError)),
        (Reply(raw='{"error": "out of order"}'), _is(TransientError, FailureKind.NO_COMPLETION, "out of order")),
        (Reply(raw='[{"error": {"message": "busy"}}]', status=503), _is(TransientError, None, "HTTP 503: busy")),
        (Reply(raw="null", status=500), _is(TransientError, FailureKind.UNAVAILABLE)),
        (Reply(raw="<html><title>Blocked</title>", status=403), _is(TransientError, None, "HTTP 403: Blocked")),
        (Reply(raw="<html><title>Nothing</title>", status=404), _is(TransientError, None, "HTTP 404: Nothing")),
        (Reply("no such model", status=404), _is(ModelUnknownError)),
        (Reply(f"wrong key {KEY}", status=401), lambda it: "[API key]" in str(it) and KEY not in str(it)),
        (
            Reply("x", headers={"Content-Encoding": "br, gzip"}),
            lambda it: isinstance(it, Completion) and it.text == "x",
        ),
        (Reply(raw=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), _is(TransientError, FailureKind.NO_COMPLETION)),
    ]
    waiting = iter(replies)
    with LoopbackServer(lambda _: next(waiting)[0]) as server:
        outcomes = ask(kind, server.url(kind), times=len(replies))
        assert len(server.received) == len(replies)
    for (reply, holds), outcome in zip(replies, outcomes, strict=True):
        assert holds(outcome), (reply, outcome)


def _is(error: type[ProviderError], kind: FailureKind | None = None, words: str = "") -> Callable[[Outcome], bool]:
    return lambda it: type(it) is error and kind in (None, it.kind) and words in str(it)


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_is_refused_by_name_and_nothing_is_sent_there(kind: ProviderKind) -> None:
    with LoopbackServer() as server:
        elsewhere = {"Location": server.url("elsewhere") + "/v1/chat/completions?k=secret"}
        server.behaviour = lambda _: Reply(status=301, headers=elsewhere)
        [outcome] = ask(kind, server.url(kind))
        assert [request.provider for request in server.received] == [kind]
    assert isinstance(outcome, TransientError)
    assert f"HTTP 301: it redirects to {server.url('elsewhere')}/v1/chat/completions," in str(outcome)
    assert "secret" not in str(outcome)


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_answer_has_to_be_there_in_time(kind: ProviderKind) -> None:
    """A byte every so often would hold a request for ever, if only the wait for each were limited."""
    outcome = outcome_of(kind, Reply(fault="trickle"), timeout=4.0)
    assert isinstance(outcome, TransientError)
    assert (str(outcome), outcome.kind, outcome.may_be_billed) == ("no answer within 4 s", FailureKind.TIME_OUT, True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_read_also_where_its_body_never_ends(kind: ProviderKind) -> None:
    reply = Reply(fault="trickle", status=429, headers={"Retry-After": "7"})
    outcome = outcome_of(kind, reply, timeout=4.0)
    assert isinstance(outcome, RateLimitedError)
    assert outcome.retry_after == 7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_answer_has_a_largest_size_also_when_it_is_compressed(
    kind: ProviderKind, compress: Callable[[bytes], bytes]
) -> None:
    encoding = {"Content-Encoding": "gzip"} if compress is gzip.compress else {}
    outcome = outcome_of(kind, Reply(raw=compress(b" " * (20 * 2**20)), headers=encoding))
    assert isinstance(outcome, TransientError)
    assert str(outcome) == "its answer is longer than 16 MB"


@functools.cache
def of_640_mb() -> bytes:
    """Return zeros, compressed twice."""
    compressor, zeros = zlib.compressobj(), bytes(2**24)
    return gzip.compress(b"".join(compressor.compress(zeros) for _ in range(40)) + compressor.flush())


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("kind", KINDS)
def test_a_few_bytes_that_stand_for_gigabytes_take_no_memory(kind: ProviderKind, status: int) -> None:
    bomb = of_640_mb()
    assert len(bomb) < 2**14
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = outcome_of(kind, Reply(raw=bomb, headers={"Content-Encoding": "deflate, gzip"}, status=status))
    assert isinstance(outcome, TransientError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_holds_what_the_configuration_says(kind: ProviderKind) -> None:
    received: list[Received] = []

    def behaviour(request: Received) -> Reply:
        received.append(request)
        return Reply("Hello.")

    with LoopbackServer(behaviour) as server:
        settings: dict[str, Any] = {
            "max_tokens_parameter": "max_completion_tokens",
            "omit_parameters": ["seed", "temperature"],
            "extra_body": {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}},
            "extra_headers": {"X-Title": "Ada", "Authorization": "Bearer another"},
        }
        [outcome] = ask(kind, server.url(kind), **settings)
        [plain] = ask(kind, server.url(kind))
    assert isinstance(outcome, Completion)
    assert isinstance(plain, Completion)
    changed, usual = received
    assert changed.authorization == "Bearer another"
    assert usual.authorization == f"Bearer {KEY}"
    assert changed.body["messages"] == usual.body["messages"]
    assert changed.body["max_completion_tokens"] == usual.body["max_tokens"] == 9
    assert not {"max_tokens", "seed", "random_seed", "temperature"} & set(changed.body)
    assert {"temperature"} < set(usual.body)
    assert changed.body["reasoning_effort"] == "none"
    assert changed.body["chat_template_kwargs"] == {"enable_thinking": False}


def test_what_an_error_quotes_of_further_headers_and_of_the_address_is_not_shown() -> None:
    def quotes(received: Received) -> Reply:
        return Reply(
            f"no: another-secret, user-of-it:password-of-it, query-secret, {received.authorization}", status=400
        )

    with LoopbackServer(quotes) as server:
        url = (
            server.url("endpoint").replace("http://", "http://user-of-it:password-of-it@")
            + "/a-secret-that-is-a-part-of-the-path/v1?key=query-secret"
        )
        [outcome] = ask("openai", url, extra_headers={"api-key": "another-secret"})
        server.models = [f"model of {KEY}", "another-secret"]
    assert isinstance(outcome, ProviderError)
    assert "HTTP 400" in str(outcome)
    for secret in ("another-secret", "password-of-it", "query-secret", "a-part-of-the-path", KEY):
        assert secret not in str(outcome)


@pytest.mark.parametrize("padding", [0, 30])
def test_a_finish_reason_does_not_show_the_key_not_even_its_beginning(padding: int) -> None:
    outcome = outcome_of("openai", Reply("Hi.", finish_reason="x" * padding + f"Bearer {KEY}" * 3))
    assert isinstance(outcome, Completion)
    assert KEY[:6] not in outcome.finish_reason
    assert len(outcome.finish_reason) <= 40


def test_a_list_of_models_does_not_show_the_key() -> None:
    async def list_models(url: str) -> list[str]:
        provider = create_provider(ProviderSettings(kind="openai", model="m", base_url=url), KEY)
        await provider.start()
        models = await provider.list_models()
        await provider.close()
        return models

    with LoopbackServer() as server:
        server.models = [f"models-of-{KEY}"]
        assert asyncio.run(list_models(server.url("endpoint"))) == ["models-of-[API key]"]


# Whatever comes.


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_server_answers_is_a_completion_or_an_error_of_a_provider(kind: ProviderKind) -> None:
    draw = random.Random(f"fuzz {kind}")  # noqa: S311 - a test's draw
    with LoopbackServer(lambda _: odd_reply(draw)) as server:
        outcomes = ask(kind, server.url(kind), times=400, timeout=PATIENCE_SECONDS)
        assert len(server.received) == 400  # each was sent once: no SDK asks again by itself
    kinds = {outcome.kind if isinstance(outcome, ProviderError) else "completion" for outcome in outcomes}
    assert FailureKind.UNFORESEEN not in kinds
    assert len(kinds) >= 8, kinds
    for outcome in outcomes:
        if isinstance(outcome, ProviderError):
            assert len(str(outcome)) <= 400
            assert len(str(outcome).splitlines()) == 1
            str(outcome).encode()
        else:
            outcome.text.encode()
