"""What is spelled already arrives as it was given, whatever an SDK knows of its fields."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apep_datagen.config.provider_settings import ProviderKind, ProviderSettings
from apep_datagen.core.errors import ProviderError
from apep_datagen.core.messages import Completion, CompletionRequest, Message, Spelled, Step
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from apep_datagen.providers.factory import create_provider
from support.chat_rows import CALLING
from support.loopback_server import LoopbackServer, Received, Reply
from support.waiting import PATIENCE_SECONDS

KINDS: tuple[ProviderKind, ...] = ("mistral", "together", "openai", "huggingface")
ODD = Spelled(
    (
        {"role": "developer", "content": "Ünïcode \u2028 😀", "name": "x"},
        {"role": "user", "content": None, "anything": {"null": None, "empty": [], "number": 1.5}},
        {"role": "observation"},
    ),
    ({"type": "function", "function": {"name": "f", "parameters": {}}, "strict": False},),
)


def request(messages: tuple[Message, ...] = (), spelled: Spelled | None = None) -> CompletionRequest:
    return CompletionRequest(Step.ANSWER, messages, "m", 0.5, 9, 1, spelled)


def send(kind: ProviderKind, url: str, *requests: CompletionRequest, **settings: Any) -> list[Completion]:
    """Send requests through a provider's SDK, all at once."""

    async def together() -> list[Completion]:
        section = ProviderSettings(kind=kind, model="m", base_url=url, timeout_seconds=PATIENCE_SECONDS, **settings)
        provider = create_provider(section, "key-of-nobody")
        await provider.start()
        try:
            return await asyncio.gather(*map(provider.complete, requests))
        finally:
            await provider.close()

    return asyncio.run(together())


def all_spelled() -> list[Spelled]:
    spelled = [ODD]
    for form in FORMATS.values():
        for calls in form.calls:
            for role in form.tool_roles:
                shape = Shape(form.default.rows, tool_role="tool" if calls == "native" else role, calls=calls)
                spelled.append(Wire(form.name, shape).spell(CALLING[:-1]))
    return spelled


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_spelled_arrives_word_for_word_and_all_else_as_ever(kind: ProviderKind) -> None:
    spelled = all_spelled()
    with LoopbackServer(lambda _: Reply("Hello.")) as server:
        for each in spelled:
            [completion] = send(kind, server.url(kind), request(spelled=each))
            assert completion.text == "Hello."
        send(kind, server.url(kind), request((Message("user", "Hi."),)))
        *bodies, plain = [received.body for received in server.received]
    for each, body in zip(spelled, bodies, strict=True):
        said = each.body()
        assert {name: body.get(name) for name in ("messages", "tools") if name in body} == said
        others = {name: value for name, value in body.items() if name not in ("messages", "tools")}
        assert others == {name: value for name, value in plain.items() if name != "messages"}
    assert "tools" not in plain


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_are_under_way_together_keep_what_is_theirs(kind: ProviderKind) -> None:
    names = [str(number) for number in range(8)]
    plain = [request((Message("user", name),)) for name in names[:4]]
    spelled = [request(spelled=Spelled(({"role": "user", "content": name},))) for name in names[4:]]

    def repeat(received: Received) -> Reply:
        return Reply(received.prompt, until=lambda: len(server.received) == len(names))

    with LoopbackServer(repeat) as server:
        completions = send(kind, server.url(kind), *plain, *spelled)
    assert [completion.text for completion in completions] == names


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_configuration_says_of_requests_holds_of_these_too(kind: ProviderKind) -> None:
    with LoopbackServer(lambda _: Reply("Hello.")) as server:
        settings = {"omit_parameters": ["seed", "temperature"], "extra_body": {"parallel_tool_calls": True}}
        send(kind, server.url(kind), request(spelled=ODD), **settings)
        [received] = server.received
    assert received.body["messages"] == ODD.body()["messages"]
    assert received.body["parallel_tool_calls"] is True
    assert not {"seed", "random_seed", "temperature"} & set(received.body)


@pytest.mark.parametrize("kind", KINDS)
def test_calls_that_come_back_as_fields_are_read_into_text(kind: ProviderKind) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "recall_memories", "arguments": "{}"}}
    message = {"content": None, "reasoning_content": "I look.", "tool_calls": [call]}
    with LoopbackServer(lambda _: Reply(message=message, finish_reason="tool_calls")) as server:
        [completion] = send(kind, server.url(kind), request(spelled=ODD))
    assert completion.text.startswith("<think>I look.</think>\n\n<tool_call>")
    assert "recall_memories" in completion.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_refuses_it_is_told_of_as_ever(kind: ProviderKind) -> None:
    with LoopbackServer(lambda _: Reply("no such role: observation", status=422)) as server:
        with pytest.raises(ProviderError, match="no such role: observation"):
            send(kind, server.url(kind), request(spelled=ODD))
        assert len(server.received) == 1
