"""Providers that each serve a role of their own: with the real program, against the loopback server."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import QUICKLY, Program, section

STEPS = {"t": {"ask"}, "a": {"answer", "continue"}, "r": {"rewrite"}}
ROLES = ("--role", "tester=t", "--role", "ada=a", "--role", "rewriter=r")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def sections(server: LoopbackServer, *names: str) -> str:
    return "".join(section(name, server.url(name)) for name in names)


def steps(server: LoopbackServer) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for received in server.received:
        found.setdefault(received.provider, set()).add(received.step)
    return found


@pytest.mark.parametrize("is_in_file", [True, False], ids=["in the file", "as options"])
def test_each_call_goes_to_who_serves_its_role(program: Program, *, is_in_file: bool) -> None:
    with LoopbackServer() as server:
        text = sections(server, "t", "a", "r")
        if is_in_file:
            text += '[roles.tester]\nproviders = ["t"]\n[roles.ada]\nproviders = ["a"]\n'
            text += '[roles.rewriter]\nproviders = ["r"]\n'
        program.configure(text)
        ended = program.run(*(() if is_in_file else ROLES), "--target", "12", "--exchanges", "1-3", "--seed", "1")
        assert ended.status == 0, ended.said
        # Whether she calls a tool, so that she goes on, is the stand-in's draw.
        assert {name: found | STEPS[name] & {"continue"} for name, found in steps(server).items()} == STEPS
    # A conversation is its Ada's.
    assert program.query("SELECT DISTINCT provider FROM conversations UNION SELECT provider FROM verdicts") == [("a",)]
    assert program.run("verify").status == 0


def test_a_killed_run_goes_on_with_the_same_adas(program: Program) -> None:
    def behave(received: Received) -> Reply:
        return Reply(fault="hang") if received.number > 40 else well_behaved(received)

    who = ("--role", "tester=t", "--role", "ada=a,b", "--role", "rewriter=r")
    with LoopbackServer(behave) as server:
        program.configure(sections(server, "t", "a", "b", "r"))
        options = (*who, "--target", "10", "--exchanges", "4", "--seed", "1")
        process = program.start(*options)
        server.wait_until(lambda: len(server.received) > 40)
        process.kill()
        process.communicate()
        server.behaviour = well_behaved
        ended = program.run(*options)
        assert ended.status == 0, ended.said
        assert {name: server_steps for name, server_steps in steps(server).items() if name in "tr"} == {
            "t": STEPS["t"],
            "r": STEPS["r"],
        }
    adas = program.query(
        "SELECT conversation_id, count(DISTINCT provider) FROM steps WHERE kind IN ('answer', 'continue')"
        " AND provider IS NOT NULL GROUP BY 1"
    )
    assert len(adas) == 10
    assert {count for _, count in adas} == {1}
    assert len(program.query("SELECT DISTINCT provider FROM conversations")) == 2
    assert program.run("verify").status == 0


@pytest.mark.parametrize(("role", "dead"), [("tester", "t"), ("ada", "a"), ("rewriter", "r")])
def test_a_role_that_has_nobody_left_ends_the_run_and_is_named(program: Program, role: str, dead: str) -> None:
    with LoopbackServer() as server:

        def behave(received: Received) -> Reply:
            if received.provider == dead and Counter(other.provider for other in server.received)[dead] > 8:
                return Reply("wrong key", status=401)
            return well_behaved(received)

        server.behaviour = behave
        program.configure(sections(server, "t", "a", "r"))
        options = (*ROLES, "--target", "60", "--seed", "1")
        ended = program.run(*options, command=QUICKLY)
        assert ended.status == 5, ended.said
        assert f"No provider is left for {role}." in ended.said
        assert f"--role {role}=NAME" in ended.said
        # The others began no more than few for it.
        assert len(server.received) < 200
        begun = program.query("SELECT count(*) FROM conversations")[0][0]
        server.behaviour = well_behaved
        ended = program.run(*options)
        assert ended.status == 0, ended.said
        assert program.query("SELECT count(*) FROM conversations WHERE status = 'finished'") == [(60,)]
        assert begun <= 60


def test_a_role_whose_month_is_spent_ends_the_run_instead_of_waiting_for_the_next(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "r") + section("a", server.url("a"), tokens_per_month=20_000))
        ended = program.run(*ROLES, "--target", "60", "--seed", "1")
    assert ended.status == 6, ended.said
    assert "a: its tokens_per_month are spent; raise the limit or use another provider" in ended.said
    assert program.run("verify").status == 0


def test_with_the_rewriter_off_nobody_is_asked_and_none_is_needed(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "a") + '[roles.rewriter]\nproviders = ["mistral"]\nwhen = "always"\n')
        program.environment = {}
        ended = program.run(*ROLES[:4], "--rewriter", "off", "--target", "6", "--seed", "1")
        assert ended.status == 0, ended.said
        assert steps(server).keys() == {"t", "a"}
        assert "rewrite" not in {received.step for received in server.received}


def test_a_conversation_that_was_begun_with_a_rewriter_is_rewritten_though_it_is_off_now(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "a", "r"))
        server.behaviour = lambda it: Reply(fault="hang") if it.step == "rewrite" else well_behaved(it)
        process = program.start(*ROLES, "--target", "3", "--seed", "1")
        server.wait_until(lambda: any(received.step == "rewrite" for received in server.received))
        process.kill()
        process.communicate()
        server.behaviour = well_behaved
        ended = program.run(*ROLES[:4], "--rewriter", "off", "--target", "3")
        assert ended.status == 0, ended.said
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'finished'") == [(3,)]


def test_who_is_named_for_a_role_that_is_off_ends_what_was_begun_with_it(program: Program) -> None:
    with LoopbackServer(lambda it: Reply(fault="hang") if it.step == "rewrite" else well_behaved(it)) as server:
        program.configure(sections(server, "t", "a"))
        process = program.start("--role", "tester=t", "--role", "ada=a", "--role", "rewriter=t", "--target", "2")
        server.wait_until(lambda: "rewrite" in {received.step for received in server.received})
        process.kill()
        process.communicate()
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "a") + '[roles.rewriter]\nproviders = ["t"]\nwhen = "off"\n')
        ended = program.run("--role", "tester=t", "--role", "ada=a", "--target", "2")
        assert ended.status == 0, ended.said
        assert {received.provider for received in server.received if received.step == "rewrite"} == {"t"}


def test_prices_are_needed_only_of_models_that_are_used(program: Program) -> None:
    price = '[providers.a.prices]\n"model-one" = { input = 2.0, output = 10.0 }\n'
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "a") + price)
        ended = program.run("--role", "ada=a", "--role", "tester=t", "--rewriter", "off", "--max-usd", "5")
        assert ended.status == 2
        assert "there is no price for model-one at t" in ended.said
        assert not server.received
        ended = program.run("--providers", "a,t", "--role", "ada=a", "--role", "tester=a", "--role", "rewriter=a",
            "--max-usd", "5", "--target", "2")  # fmt: skip
        assert ended.status == 0, ended.said
        assert {received.provider for received in server.received} == {"a"}


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--role", "ada=nobody"), 2, "--role ada=…: name 1 is no provider"),
        (("--role", "bob=a"), 2, "value 1 is not ROLE=PROVIDER; roles are tester, ada"),
        (("--role", "ada="), 2, "value 1 is not ROLE=PROVIDER"),
        (("--providers", "t", "--role", "ada=a"), 2, "--providers: a is not among them, which serves the role ada"),
        (("--role", "tester=mistral", "--role", "ada=a", "--rewriter", "off"), 3, "No provider can be used for tester"),
        (("--rewriter", "sometimes"), 2, "--rewriter"),
        (("--role", "reviewer=a"), 2, '[roles.reviewer] in apep-datagen.toml has to say when = "accepted"'),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_sent(
    program: Program, options: tuple[str, ...], status: int, words: str
) -> None:
    program.environment = {}
    with LoopbackServer() as server:
        program.configure(sections(server, "t", "a"))
        ended = program.run(*options)
        assert ended.status == status, ended.said
        assert words in re.sub(r"\s+", " ", ended.said)
        assert not server.received
    assert not program.output.exists()


def test_plan_and_providers_speak_of_the_roles_that_each_serves(program: Program) -> None:
    with LoopbackServer() as server:
        rates = {"t": 1.0, "a": 2.0, "r": 1.0}
        program.configure(
            "".join(section(name, server.url(name), requests_per_second=rate) for name, rate in rates.items())
        )
        said = program.run("plan", *ROLES, "--target", "30").stdout
        assert "  t (tester): 1 requests/s" in said
        assert "  a (ada): 2 requests/s" in said
        # One message, one rewrite and two answers each.
        numbers = {
            name: [int(cell) for cell in re.findall(rf"^{name} +(\d+) +(\d+) ", said, re.MULTILINE)[0]]
            for name in rates
        }
        assert numbers == {"t": [30, 30], "a": [30, 60], "r": [30, 30]}
        assert not server.received
        assert program.run("providers", *ROLES).status == 0
        assert sorted(received.provider for received in server.received) == ["a", "r", "t"]


@pytest.mark.parametrize("roles", [(), ("--role", "rewriter=mistral")], ids=["all serve all", "one rewrites"])
def test_a_conversation_ends_though_its_ada_cannot_be_started_any_more(
    program: Program, roles: tuple[str, ...]
) -> None:
    options = ("--providers", "mistral,together", *roles, "--target", "4", "--seed", "1")
    with LoopbackServer() as server:
        program.configure(sections(server, "mistral", "together"))
        server.behaviour = lambda it: Reply(fault="hang") if it.step == "rewrite" else well_behaved(it)
        process = program.start(*options)
        server.wait_until(lambda: sum(received.step == "rewrite" for received in server.received) == 4)
        process.kill()
        process.communicate()
        assert ("together",) in program.query("SELECT DISTINCT provider FROM conversations")
        server.behaviour = well_behaved
        program.environment["NO_PROXY"] = "127.0.0.1,[::1]"  # no client of Together's can be made with it
        ended = program.run(*options)
        assert ended.status == 0, ended.said
        assert "together cannot be used" in ended.said
