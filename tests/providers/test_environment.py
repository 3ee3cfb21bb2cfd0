"""What this machine makes go wrong: variables of proxies and certificates, and too many open files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from apep_datagen.config.provider_settings import ProviderKind, ProviderSettings
from apep_datagen.core.errors import FailureKind, ProviderUnusableError, TransientError
from apep_datagen.core.messages import CompletionRequest, Message, Step
from apep_datagen.providers.base import Endpoint
from apep_datagen.providers.environment import problem_of_variables
from apep_datagen.providers.factory import create_provider
from apep_datagen.providers.failures import transport_error
from apep_datagen.providers.openai_compatible import OpenAICompatibleProvider
from apep_datagen.providers.rehearsal import rehearse
from support.loopback_server import LoopbackServer
from support.program import KEYS, Program, section

KINDS: tuple[ProviderKind, ...] = ("mistral", "together", "huggingface", "openai")
REQUEST = CompletionRequest(Step.ASK, (Message("user", "Hello."),), "model", temperature=1.0, max_tokens=16, seed=1)
# Each breaks every client.
BROKEN = [
    ("SSL_CERT_FILE", "/no/such/file.pem"),
    ("SSL_CERT_FILE", __file__),
    ("SSL_CERT_FILE", "/"),
    ("HTTPS_PROXY", "socks5://user:s3cret@127.0.0.1:1080"),
    ("ALL_PROXY", "socks4a://s3cret"),
    ("http_proxy", "ftp://s3cret:21"),
    ("https_proxy", "http://s3cret:port"),
    ("HTTP_PROXY", "http://s3cret\x7f/"),
]


@pytest.fixture(autouse=True)
def only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.upper().startswith("SSL"):
            monkeypatch.delenv(name)


def settings(kind: ProviderKind, base_url: str = "http://127.0.0.1:9/v1") -> ProviderSettings:
    return ProviderSettings(kind=kind, model="model", base_url=base_url)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_the_variable_that_no_client_can_be_made_with_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, kind: ProviderKind, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "localhost,.example.com")
    provider = create_provider(settings(kind), "key-of-mine")
    before = dict(os.environ)
    with pytest.raises(ProviderUnusableError) as caught:
        asyncio.run(provider.start())
    asyncio.run(provider.close())
    assert f"the environment variable {name}: " in str(caught.value)
    assert "unset it" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert dict(os.environ) == before


def test_all_variables_that_bring_about_the_same_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "socks5h://127.0.0.1:1")
    with pytest.raises(ImportError) as caught:
        httpx.AsyncClient()
    assert "variables ALL_PROXY and HTTPS_PROXY: " in (problem_of_variables(caught.value) or "")


@pytest.mark.parametrize(
    "error", [ImportError("no such module"), OSError(2, "No such file or directory", "x"), ValueError()]
)
def test_an_error_that_no_variable_brings_about_is_not_laid_to_one(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    assert problem_of_variables(error) is None


def test_whatever_a_start_raises_makes_the_provider_unusable_and_nothing_else() -> None:
    class Broken(OpenAICompatibleProvider):
        async def start(self) -> None:
            raise ZeroDivisionError("s3cret-K3y")

    provider = create_provider(settings("openai"), "s3cret-K3y")
    provider._adapter = Broken(Endpoint("http://127.0.0.1:9", None, 1.0))  # type: ignore[attr-defined]
    with pytest.raises(ProviderUnusableError, match=r"it cannot be started \(ZeroDivisionError: \[API key\]\)"):
        asyncio.run(provider.start())


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_the_client_of_the_embedded_model_ignores_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with LoopbackServer() as server:
        monkeypatch.setenv(name, value)

        async def ask() -> str:
            provider = OpenAICompatibleProvider(Endpoint(server.url("local"), "key", 60.0), trust_env=False)
            await provider.start()
            try:
                return (await provider.complete(REQUEST)).text
            finally:
                await provider.close()

        assert asyncio.run(ask()) == server.received[0].answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "value"), [*BROKEN, ("NO_PROXY", "[::1]")])
def test_a_rehearsal_ends_no_run(monkeypatch: pytest.MonkeyPatch, kind: ProviderKind, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    asyncio.run(rehearse(settings(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_rehearsal_shows_no_header_of_the_user_to_a_proxy(
    monkeypatch: pytest.MonkeyPatch, kind: ProviderKind
) -> None:
    """It goes to this process in clear, and through a proxy that is for all addresses."""
    section = settings(kind).model_copy(update={"extra_headers": {"X-Gateway-Key": "s3cret"}})
    seen = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def main() -> None:
        proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            await rehearse(section)

    asyncio.run(main())
    assert seen.startswith(b"POST http://127.0.0.1:")
    assert b"s3cret" not in seen


def test_one_provider_that_cannot_be_started_is_told_and_the_others_make_the_conversations(tmp_path: Path) -> None:
    """Together's client cannot be made where NO_PROXY holds such an address; that of the others can."""
    program = Program(tmp_path, environment={**KEYS, "NO_PROXY": "127.0.0.1,[::1]"})
    with LoopbackServer() as server:
        program.configure("".join(section(name, server.url(name)) for name in ("mistral", "together")))
        ended = program.run("--providers", "mistral,together", "--target", "3")
        assert {received.provider for received in server.received} == {"mistral"}
        checked = program.run("providers", "--providers", "mistral,together")
    assert ended.status == 0, ended.said
    assert "together cannot be used: no HTTP client can be made with the environment variable NO_PROXY: " in ended.said
    assert checked.status == 5, checked.said
    assert "together: no HTTP client can be made with the environment variable NO_PROXY: " in checked.said
    assert "Traceback" not in ended.said + checked.said


def test_where_no_provider_can_be_started_the_run_says_why(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={**KEYS, "SSL_CERT_FILE": "gone.pem"})
    ended = program.run("--providers", "mistral,huggingface", "--target", "1")
    assert ended.status == 5, ended.said
    assert ended.said.count("no HTTP client can be made with the environment variable SSL_CERT_FILE: ") == 2
    assert "Traceback" not in ended.said


# Requests that this machine does not send.


@contextlib.contextmanager
def no_file_left() -> Iterator[None]:
    """Let this process open no file more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(taken[0]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("kind", KINDS)
def test_too_many_open_files_are_not_taken_for_a_provider_that_cannot_be_reached(kind: ProviderKind, host: str) -> None:
    async def ask(base_url: str) -> TransientError:
        provider = create_provider(settings(kind, base_url), "key")
        await provider.start()
        with contextlib.suppress(TransientError):  # so that all modules are loaded
            await provider.complete(REQUEST)
        await provider.close()
        await provider.start()
        with pytest.raises(TransientError) as caught, no_file_left():
            await provider.complete(REQUEST)
        await provider.close()
        return caught.value

    error = asyncio.run(ask(f"http://{host}:9/v1"))
    assert error.kind is FailureKind.NOT_SENT, error
    assert "too many open files" in str(error)
    assert "ulimit -n" in str(error)
    assert not error.may_be_billed


@pytest.mark.parametrize("client", [httpx, httpx2])
def test_a_certificate_that_cannot_be_verified_leads_to_the_variable_that_names_the_certificates(
    monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    error = client.ConnectError("x")
    error.__cause__ = ssl.SSLCertVerificationError(1, "unable to get local issuer certificate")
    assert transport_error(error, 30.0).kind is FailureKind.NOT_REACHED
    monkeypatch.setenv("SSL_CERT_DIR", "/no/such/directory")
    found = transport_error(error, 30.0)
    assert found.kind is FailureKind.NOT_SENT
    assert "SSL_CERT_DIR" in str(found)
    monkeypatch.setenv("SSL_CERT_FILE", "/there/first.pem")
    assert "SSL_CERT_FILE" in str(transport_error(error, 30.0))
