"""Rewriting Ada's thoughts never costs a conversation, and what becomes of the rewrites is counted and shown."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.core.spelling import spell_rate
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, ScriptedPeople
from support.waiting import wait_until

MACHINE_TALK = "As a language model I have no days."


class Spoiler(ScriptedPeople):
    """Faultless people, and a rewriter that spoils each of its answers in one of several ways, in turn.

    Which one is what depends on the order of the requests: it is for runs that send one after the other.
    """

    WAYS = (
        lambda _: Reply(""),
        lambda _: Reply("I'm sorry, but I can't help with rewriting private thoughts of this kind, whoever asks."),
        lambda good: replace(good, text=good.text.replace("[[1]]", "[[7]]").replace("Hm… ", "Sure, rewritten: ")),
        lambda good: replace(good, text=good.text + " On the 31st, Zebulon, of all people, with 40 geese."),
        lambda good: replace(good, text=f"{good.text} {MACHINE_TALK}"),
        lambda good: replace(good, finish_reason="length"),
        lambda good: replace(good, text=good.text.replace("They", "You").replace("they", "you").replace("them", "you")),
    )

    def __call__(self, received: Received) -> Reply:
        reply = super().__call__(received)
        return self.WAYS[received.number % len(self.WAYS)](reply) if received.step == "rewrite" else reply


def test_a_rewriter_that_spoils_everything_costs_no_conversation_and_is_counted(tmp_path: Path) -> None:
    target = 40
    with LoopbackServer(Spoiler(Program(tmp_path).state)) as server:
        program = Program(tmp_path)
        program.configure(
            f'[generation]\nexchanges = [1, 2]\n[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}least_yield = 1.0\n'
            + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=1)
        )
        ended = program.run("--providers", "endpoint", "--target", str(target), "--seed", "5")
    assert ended.status == 0, ended.said
    assert program.query("SELECT status, count(*) FROM conversations GROUP BY 1") == [("finished", target)]
    saved = program.output.read_text(encoding="utf-8")
    for added in (MACHINE_TALK, "Zebulon", "rewritten", "rewriting private thoughts"):
        assert added not in saved

    # In the state database, and wherever it is told.
    messages = [message for conversation in program.conversations() for message in conversation]
    thoughts = sum(message["content"].startswith("<think>") for message in messages)
    status = json.loads(program.run("status", "--json").stdout)["rewrites"]
    reasons = Counter({item["reason"]: item["count"] for item in status["reasons"]})
    assert set(reasons) <= set(Shortcoming)
    assert {
        Shortcoming.EMPTY,
        Shortcoming.MARKS,
        Shortcoming.CUT_OFF,
        Shortcoming.ANNOUNCED,
        Shortcoming.REJECTED,
        Shortcoming.NUMBER_ADDED,
    } <= set(reasons)
    numbers = {"thoughts": thoughts, "used": thoughts - reasons.total(), "kept": reasons.total(), "left_out": 0}
    assert status == numbers | {"by_provider": {"endpoint": numbers}, "reasons": status["reasons"]}
    assert {item["provider"] for item in status["reasons"]} == {"endpoint"}
    assert json.loads(program.run("stats", "--json").stdout)["run"]["rewrites"] == status
    told = (
        f"Of {thoughts} thoughts, {numbers['used']} are saved as they were rewritten, {numbers['kept']} as Ada thought"
    )
    for said in (ended.stdout, program.run("status").stdout, program.run("stats").stdout):
        assert told in said
        [(reason, count)] = reasons.most_common(1)
        assert re.search(rf"endpoint +{re.escape(reason)} +{count}\n", said)

    # Once somebody is told that the rewriter is of little use.
    assert ended.said.count("of the last 36 thoughts that it rewrote are saved as Ada thought them") == 1


def test_a_rewriter_that_refuses_costs_no_conversation(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state)

    def behaviour(received: Received) -> Reply:
        """Refuse every other rewrite, and refuse it again: a request keeps its seed."""
        reply = people(received)
        return Reply("flagged", status=422) if received.step == "rewrite" and received.body["seed"] % 2 else reply

    with LoopbackServer(behaviour) as server:
        program = Program(tmp_path)
        # One at a time, so that answers come between: who refuses several conversations in a row is out.
        endpoint = section("endpoint", server.url("endpoint"), max_in_flight=1)
        program.configure(f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}' + endpoint)
        ended = program.run("--providers", "endpoint", "--target", "12", "--seed", "5")
    assert ended.status == 0, ended.said
    status = json.loads(program.run("status", "--json").stdout)
    assert status["set_aside"] == []
    kept = {item["reason"]: item["count"] for item in status["rewrites"]["reasons"]}
    assert kept["the rewriter gave no answer"] > 0
    assert "keeps Ada's own thoughts, rewrite failed: HTTP 422: flagged" in ended.said
    assert program.run("verify").status == 0


def test_a_good_rewriter_is_not_complained_about(tmp_path: Path) -> None:
    with LoopbackServer(ScriptedPeople(Program(tmp_path).state)) as server:
        program = Program(tmp_path)
        program.configure(
            f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}' + section("endpoint", server.url("endpoint"))
        )
        ended = program.run("--providers", "endpoint", "--target", "20", "--seed", "5")
    assert ended.status == 0, ended.said
    status = json.loads(program.run("status", "--json").stdout)["rewrites"]
    assert status["kept"] == 0 < status["used"] == status["thoughts"]
    assert f"Of {status['thoughts']} thoughts, {status['used']} are saved as they were rewritten\n" in ended.stdout
    assert "thoughts that it rewrote" not in ended.said


def test_what_an_earlier_version_has_finished_stays_as_it_is_saved(tmp_path: Path) -> None:
    """Its line, although the rules of today would have kept the original."""
    with LoopbackServer(ScriptedPeople(Program(tmp_path).state)) as server:
        program = Program(tmp_path)
        program.configure(
            f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}' + section("endpoint", server.url("endpoint"))
        )
        arguments = ("--providers", "endpoint", "--seed", "5", "--target")
        assert program.run(*arguments, "3").status == 0
        [(line,)] = program.query("SELECT line FROM samples WHERE position = 1")
        with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as connection:
            connection.execute("UPDATE steps SET text = 'Nothing of that.' WHERE kind = 'rewrite'")
        assert program.run(*arguments, "6").status == 0
    assert program.query("SELECT line FROM samples WHERE position = 1") == [(line,)]
    assert json.loads(line)["conversations"] == program.conversations()[0]


def own_thoughts(received: Received) -> Reply:
    """Think as a person does in three of four answers, and else as an analysis."""
    number = received.number
    if received.step in ("answer", "continue"):
        thought = f"Mia, on Sunday, {number}. I like that." if number % 4 else f"The user tells me {number}."
        reply = well_behaved(received)
        return replace(reply, text=re.sub("<think>.*?</think>", f"<think>{thought}</think>", reply.text))
    return well_behaved(received)


def test_a_rewrite_that_is_not_needed_is_neither_asked_for_nor_lost_over_a_kill(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        # The program is killed in the middle: of some conversations the rewrite is due then, of others it was left out.
        return Reply(fault="hang") if received.number == 45 else own_thoughts(received)

    run = ("--providers", "endpoint", "--target", "30", "--exchanges", "1-2", "--seed", "5")
    needed = '[roles.rewriter]\nwhen = "needed"\n'
    with LoopbackServer(behaviour) as server:
        endpoint = section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=3)
        program.configure(endpoint + needed)
        process = program.start(*run)
        wait_until(lambda: len(server.received) >= 60, lambda: f"{len(server.received)} requests")
        process.kill()
        process.communicate()
        ended = program.run(*run)
    assert ended.status == 0, ended.said
    assert program.run("verify").status == 0

    steps = program.query("SELECT conversation_id, text, finish_reason, provider FROM steps WHERE kind = 'rewrite'")
    left_out = [row for row in steps if row[2] == NOT_NEEDED]
    assert {(text, provider) for _, text, _, provider in left_out} == {("", None)}
    assert 0 < len(left_out) < len(steps)
    messages = [message["content"] for conversation in program.conversations() for message in conversation]
    thoughts = [text.partition("</think>")[0] for text in messages if text.startswith("<think>")]
    own = sum(thought.startswith("<think>Mia") for thought in thoughts)

    status = json.loads(program.run("status", "--json").stdout)
    counts = status["rewrites"]
    assert counts["left_out"] + counts["thoughts"] == len(thoughts)
    assert 0 < counts["left_out"] <= own
    assert sum(item["requests"] for item in status["used"] if item["role"] == "rewriter") < len(steps)
    assert NOT_NEEDED not in {item["reason"] for item in counts["reasons"]}
    told = f"{counts['left_out']} thoughts are saved as Ada thought them, without a rewriting"
    for said in (ended.stdout, program.run("status").stdout, program.run("stats").stdout):
        assert told in said
        assert NOT_NEEDED not in said


def test_without_a_rewriter_all_thoughts_are_adas_own(tmp_path: Path) -> None:
    with LoopbackServer(own_thoughts) as server:
        program = Program(tmp_path)
        program.configure(section("endpoint", server.url("endpoint")) + '[roles.rewriter]\nwhen = "never"\n')
        ended = program.run("--providers", "endpoint", "--target", "8")
    assert ended.status == 0, ended.said
    assert "rewrite" not in {received.step for received in server.received}
    assert "without a rewriting" in ended.stdout


def test_a_conversation_costs_what_was_spent_for_each_that_was_accepted(tmp_path: Path) -> None:
    price = '[providers.endpoint.prices]\n"model-one" = { input = 2.0, output = 10.0 }\n'
    with LoopbackServer() as server:
        program = Program(tmp_path)
        program.configure(section("endpoint", server.url("endpoint")) + price)
        ended = program.run("--providers", "endpoint", "--target", "8")
        status = json.loads(program.run("status", "--json").stdout)
        each, total = status["per_accepted"], status["total"]
        assert each == {name: total[name] / 8 for name in ("requests", "prompt_tokens", "completion_tokens", "usd")}
        assert each["requests"] == len(server.received) / 8
        told = f"An accepted conversation took {spell_rate(each['requests'])} requests, "
        for said in (ended.stdout, program.run("status").stdout):
            [line] = [line for line in said.splitlines() if line.startswith(told)]
            assert f"{each['prompt_tokens']:,.0f} + {each['completion_tokens']:,.0f} tokens, $" in line
