"""What a run does where a provider answers, and nothing that it answers is of use: it does not burn, hang or die."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, hangs_at_ada_after, well_behaved
from support.program import QUICKLY, SLOWLY, Program, section

UNSUPPORTED = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)
# Enough for what is under way when a provider is found out.
MOST_IN_VAIN = 40


def refuses(_: Received) -> Reply:
    return Reply(UNSUPPORTED, status=400)


def wants_another_key(_: Received) -> Reply:
    return Reply(
        raw='{"error": {"message": "Authentication Error, Invalid proxy server token", "code": "400"}}', status=400
    )


def cuts_off_ada(received: Received) -> Reply:
    reply = well_behaved(received)
    return Reply("<think>I", finish_reason="length") if received.step in ("answer", "continue") else reply


def filters_everything(_: Received) -> Reply:
    return Reply("A part of", finish_reason="content_filter")


def answers_nothing(_: Received) -> Reply:
    return Reply(message={"content": None})


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (refuses, ["Use 'max_completion_tokens' instead.", "max_tokens_parameter", "[providers.endpoint]"]),
        (wants_another_key, ["Invalid proxy server token"]),
        (cuts_off_ada, ["cut off at its length limit (max_tokens in [roles.ada] sets it)"]),
        (filters_everything, ['finish reason "content_filter"']),
        (answers_nothing, ["the answer is empty"]),
    ],
)
def test_a_provider_that_is_of_no_use_is_out_after_a_few_conversations(
    tmp_path: Path, behaviour: Callable[[Received], Reply], words: list[str]
) -> None:
    program = Program(tmp_path)
    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        ended = program.run("--providers", "endpoint", "--target", "2000", command=QUICKLY)
        useless = [request for request in server.received if not request.usable]
    assert ended.status == 5, ended.said
    assert len(useless) <= MOST_IN_VAIN
    [told] = [line for line in ended.stdout.splitlines() if line.startswith("endpoint is out for the rest of this run")]
    assert "in a row" in told
    assert all(word in told for word in words), told
    [(set_aside,)] = program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'")
    assert set_aside <= 5


def test_where_it_begins_in_the_middle_the_others_finish_what_was_begun(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        is_changed = received.provider == "changed" and received.number > 60
        return refuses(received) if is_changed else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure("".join(section(name, server.url(name), max_in_flight=4) for name in ("changed", "sound")))
        ended = program.run("--providers", "changed,sound", "--target", "60", command=QUICKLY)
        refused = [request for request in server.received if request.status == 400]
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 60
    assert re.search(r"changed is out for the rest of this run: \d conversations in a row", ended.stdout)
    assert len(refused) <= MOST_IN_VAIN
    # What it refused says nothing of its conversations: they were finished by the other one.
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]


@pytest.mark.parametrize("max_in_flight", [1, 4])
def test_a_403_for_what_one_conversation_says_costs_that_one_alone(tmp_path: Path, max_in_flight: int) -> None:
    """Some moderate with the status that others have for keys; the words are those of xAI."""
    program = Program(tmp_path)
    forbidden: list[str] = []

    def behaviour(received: Received) -> Reply:
        if received.step == "answer" and (not forbidden or received.prompt == forbidden[0]):
            forbidden.append(received.prompt)
            return Reply("Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO", status=403)
        return well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=max_in_flight))
        ended = program.run("--providers", "endpoint", "--target", "12", command=QUICKLY)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 12
    assert len(forbidden) == 2
    [(reason,)] = program.query("SELECT reason FROM conversations WHERE status = 'set aside'")
    assert "Content violates usage guidelines" in reason


@pytest.mark.parametrize("status", [401, 403, 404])
def test_one_verdict_on_key_or_model_in_the_middle_of_a_run_does_not_end_it(tmp_path: Path, status: int) -> None:
    program = Program(tmp_path)

    refused: list[str] = []

    def behaviour(received: Received) -> Reply:
        """Say so once at the 20th request and once at the 40th, or so: of two different ones."""
        is_due = len(refused) < 2 and received.number >= 20 * (len(refused) + 1) and received.content not in refused
        if is_due:
            refused.append(received.content)
        return Reply("not you", status=status) if is_due else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        ended = program.run("--providers", "endpoint", "--target", "15", command=QUICKLY)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 15
    assert program.query("SELECT count(*) FROM conversations WHERE status != 'finished'") == [(0,)]


def test_what_is_set_aside_counts_in_the_yield(tmp_path: Path) -> None:
    """Ada never gets past her tools: conversations that need none are accepted, all others set aside."""
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        if received.step == "answer" and received.number % 10:
            return Reply("<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>")
        return Reply("no results, please", status=400) if received.step == "continue" else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
        ended = program.run("--providers", "endpoint", "--target", "3000", command=QUICKLY)
        status = json.loads(program.run("status", "--json").stdout)
    assert ended.status == 5, ended.said
    quality = status["quality"]
    assert quality["ended"] == quality["accepted"] + quality["rejected"] + quality["set_aside"] < 100
    assert quality["set_aside"] > quality["accepted"]
    assert "set aside" in ended.stdout


# What nobody foresaw.


def test_a_prompt_that_fails_with_certain_values_costs_its_conversations_alone(tmp_path: Path) -> None:
    program = Program(tmp_path)
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    tester = "{% if time_of_day == 'morning' %}{{ never_heard_of }}{% endif %}Write about {{ topic }}."
    (prompts / "tester_user.txt").write_text(tester)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        log = ("--log-file", "log.jsonl")
        ended = program.run("--providers", "endpoint", "--target", "30", "--seed", "1", "--prompts", "prompts", *log)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 30
    assert (
        "is set aside, ask failed: the prompt tester_user.txt cannot be written: 'never_heard_of' is undefined"
        in ended.stdout
    )
    assert "Traceback" not in ended.said
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert any("UndefinedError" in event["traceback"] for event in events if event["event"] == "unforeseen")


def test_a_prompt_that_always_fails_ends_the_run_at_once(tmp_path: Path) -> None:
    program = Program(tmp_path)
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "tester_user.txt").write_text("{% if topic != 'the weather' %}{{ topic / 0 }}{% endif %}Write.")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        ended = program.run("--providers", "endpoint", "--target", "3000", "--prompts", "prompts")
        assert server.received == []
    assert ended.status == 5, ended.said
    assert "the prompt tester_user.txt cannot be written" in ended.stdout
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("broken", ["{{ 1 / 0 }}", "{% nonsense %}", None])
def test_a_conversation_whose_stored_prompts_cannot_be_rendered_is_set_aside(
    tmp_path: Path, broken: str | None
) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hangs_at_ada_after(40)) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=4))
        options = ("--providers", "endpoint", "--target", "30")
        running = program.watch(*options)
        server.wait_until(lambda: server.hanging)
        running.process.kill()
        running.process.wait()
        [(begun,)] = program.query("SELECT count(*) FROM conversations WHERE status = 'active'")
        with closing(sqlite3.connect(program.state)) as state, state:
            [(texts,)] = state.execute("SELECT texts FROM prompt_sets").fetchall()
            changed = json.dumps(dict.fromkeys(json.loads(texts), broken)) if broken else "no JSON"
            state.execute("UPDATE prompt_sets SET texts = ?, digest = 'x'", (changed,))
        server.behaviour = well_behaved
        ended = program.run(*options)
    assert begun > 0
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 30
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(begun,)]


def test_absurd_numbers_of_tokens_are_unknown_ones_and_nothing_is_bought_again(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.usage = (10**20, 2**63) if received.number % 2 else (-7, 10**400)
        return reply

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        for target in ("3", "6"):
            ended = program.run("--providers", "endpoint", "--target", target)
            assert ended.status == 0, ended.said
        asked = [request.asked for request in server.received]
    assert len(asked) == len(set(asked))


# While no provider answers.


@pytest.mark.parametrize(
    "reply",
    [Reply("slow", status=429, headers={"Retry-After": "7h"}), Reply("down", status=503), Reply(fault="hang")],
    ids=["429", "503", "hang"],
)
def test_patience_ends_a_run_in_which_nobody_answers(tmp_path: Path, reply: Reply) -> None:
    program = Program(tmp_path)
    with LoopbackServer(lambda received: well_behaved(received) if received.number <= 10 else reply) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=2))
        options = ("--patience", "1.5", "--grace-seconds", "0.1")
        ended = program.run("--providers", "endpoint", "--target", "50", *options)
    assert ended.status == 5, ended.said
    assert "No provider has answered for 1.5 s, as long as --patience permits" in ended.stderr
    # What was finished before is there.
    assert program.query("SELECT count(*) FROM samples") == [(len(program.conversations()),)]


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_pause_that_all_requests_under_way_are_told_of_is_told_once(tmp_path: Path, status: int) -> None:
    program = Program(tmp_path)
    came: list[Received] = []

    def behaviour(received: Received) -> Reply:
        came.append(received)
        return Reply("full", status=status, headers={"Retry-After": "3600"}, until=lambda: len(came) >= 8)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=8))
        ended = program.run("--providers", "endpoint", "--target", "50", "--patience", "60", command=QUICKLY)
    assert ended.status == 5, ended.said
    assert ended.said.count("waiting 1 h 00 min") == 1


def test_a_reset_in_seven_hours_is_told_as_such(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7h5m"}
        return reply

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
        running = program.watch("--providers", "endpoint", "--target", "50", command=SLOWLY)
        running.wait_for("endpoint: its limit is used up, waiting 7 h 05 min")
        running.process.terminate()
        ended = running.end()
        assert len(server.received) == 1
    assert ended.status == 143, ended.said
