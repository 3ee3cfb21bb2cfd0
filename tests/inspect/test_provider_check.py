"""`apep-datagen providers`: one small request to each, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import KEYS, Program, section


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def checks_of(program: Program, *options: str, status: int) -> list[dict[str, Any]]:
    ended = program.run("providers", "--json", *options)
    assert ended.status == status, ended.said
    value = json.loads(ended.stdout)
    assert value["ok"] is (status == 0)
    checks: list[dict[str, Any]] = value["providers"]
    return checks


def test_where_all_are_well_each_was_asked_once_for_a_few_tokens(program: Program) -> None:
    names = ("mistral", "together", "huggingface", "mine")
    with LoopbackServer() as server:
        program.configure("".join(section(name, server.url(name)) for name in names))
        ended = program.run("providers", "--providers", ",".join(names))
        assert sorted(received.provider for received in server.received) == sorted(names)
        assert {received.body["max_tokens"] for received in server.received} == {16}
    assert ended.status == 0, ended.said
    rows = {line.split()[0]: line.split() for line in ended.stdout.splitlines()[1:]}
    assert set(rows) == set(names)
    for name in names:
        assert rows[name][2] == "ok"
        assert float(rows[name][3]) >= 0
    assert rows["mine"][1] == "model-one"
    assert [path.name for path in program.directory.iterdir()] == ["apep-datagen.toml"]


def test_without_the_option_those_that_are_enabled_are_checked(program: Program) -> None:
    program.environment = {}
    path = program.directory / "data" / "secrets.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"together_api_key": "key-1", "enabled_providers": ["together"]}))
    with LoopbackServer() as server:
        program.configure(section("together", server.url("together")))
        assert [check["provider"] for check in checks_of(program, status=0)] == ["together"]
        assert [received.authorization for received in server.received] == ["Bearer key-1"]


def test_each_model_that_a_role_uses_is_asked_once(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(
            section("mine", server.url("mine")) + '[providers.mine.models]\ntester = "small"\nada = "large"\n'
        )
        checks = checks_of(program, "--providers", "mine", "--model", "mine=large", status=0)
        assert [received.body["model"] for received in server.received] == ["small", "large"]
    assert [(check["model"], check["roles"]) for check in checks] == [
        ("small", ["tester"]),
        ("large", ["ada", "rewriter"]),
    ]


def test_a_refused_key_an_unknown_model_and_an_unreachable_server_are_told_apart(program: Program) -> None:
    def misbehaves(received: Received) -> Reply:
        if received.provider == "mistral":
            return Reply(f"wrong key {received.authorization}", status=401)
        if received.provider == "mine":
            return Reply("model_not_found \x1b[2J", status=404)
        return well_behaved(received)

    with LoopbackServer(misbehaves) as server:
        config = "".join(section(name, server.url(name)) for name in ("mistral", "mine", "together"))
        program.configure(config + section("gone", "http://127.0.0.1:1"))
        names = ("--providers", "mistral,mine,together,gone")
        ended = program.run("providers", *names)
        checks = {check["provider"]: check for check in checks_of(program, *names, status=5)}
    assert ended.status == 5, ended.said
    assert [line.split()[2] for line in ended.stdout.splitlines()[1:5]] == ["failed", "failed", "ok", "failed"]
    assert "mistral: it refused the API key" in ended.stdout
    assert "mine: it does not know the model (HTTP 404: model_not_found [2J); it offers model-one, model-two" in (
        ended.stdout
    )
    assert "gone: connection refused" in ended.stdout
    assert "\x1b" not in ended.said
    assert KEYS["MISTRAL_API_KEY"] not in ended.said
    assert KEYS["MISTRAL_API_KEY"] not in json.dumps(checks)
    assert [name for name, check in checks.items() if check["ok"]] == ["together"]
    assert checks["mine"]["offered_models"] == ["model-one", "model-two"]
    assert checks["mistral"]["prompt_tokens"] == 0


def test_limits_of_the_headers_are_told_and_what_to_change(program: Program) -> None:
    headers = {"x-ratelimit-limit-req-minute": "300", "x-ratelimit-limit-tokens-minute": "50000"}
    with LoopbackServer(lambda _received: Reply("Hello.", headers=headers)) as server:
        program.configure(section("mistral", server.url("mistral"), requests_per_second=1.0))
        ended = program.run("providers", "--providers", "mistral")
        (check,) = checks_of(program, "--providers", "mistral", status=0)
        same = program.run("providers", "--providers", "mistral", "--rps", "mistral=5")
        (less,) = checks_of(program, "--providers", "mistral", "--rps", "mistral=7", status=0)
    assert ended.status == 0
    assert "mistral: it permits 5 requests/s: --rps mistral=5" in ended.stdout
    assert "it permits only 50,000 tokens/min: tokens_per_minute = 50000 in [providers.mistral]" in ended.stdout
    assert (check["requests_per_second"], check["tokens_per_minute"]) == (5.0, 50_000)
    assert "--rps" not in same.stdout
    assert "it permits only 5 requests/s: --rps mistral=5" in less["hint"]


def test_an_answer_without_a_word_is_well(program: Program) -> None:
    """A model that reasons can need more than a few tokens; key and model are proved."""
    with LoopbackServer(lambda _received: Reply("", finish_reason="length", usage=(7, 16))) as server:
        program.configure(section("mine", server.url("mine")))
        (check,) = checks_of(program, "--providers", "mine", status=0)
    assert (check["prompt_tokens"], check["completion_tokens"]) == (7, 16)


def test_one_without_a_key_is_listed_with_what_is_missing(program: Program) -> None:
    program.environment = {"MISTRAL_API_KEY": "key-of-mistral"}
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral")) + section("together", server.url("together")))
        ended = program.run("providers", "--providers", "mistral,together")
        assert [received.provider for received in server.received] == ["mistral"]
    assert ended.status == 5
    assert "TOGETHER_API_KEY" in ended.stdout
    assert "not asked" in ended.stdout


@pytest.mark.parametrize("options", [(), ("--providers", "mistral")], ids=["none named", "no key"])
def test_where_nothing_is_configured_the_status_is_3_and_nothing_is_written(
    program: Program, options: tuple[str, ...]
) -> None:
    program.environment = {}
    ended = program.run("providers", *options)
    assert ended.status == 3
    assert "No API clients initialized" in ended.stderr
    assert list(program.directory.iterdir()) == []


def test_an_unknown_provider_is_a_wrong_option(program: Program) -> None:
    ended = program.run("providers", "--providers", "nobody")
    assert ended.status == 2
    assert "name 1 is no provider; there are mistral" in ended.stderr
