"""Rewriting Ada's thoughts never costs a conversation, and what becomes of the rewrites is counted and shown."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

from apep_datagen.conversation.shortcoming import Shortcoming
from support.loopback_server import LoopbackServer, Received, Reply
from support.program import Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, ScriptedPeople

MACHINE_TALK = "As a language model I have no days."


class Spoiler(ScriptedPeople):
    """Faultless people, and a rewriter that spoils each of its answers in one of several ways."""

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
            + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=4)
        )
        ended = program.run("--providers", "endpoint", "--target", str(target), "--seed", "5")
    assert ended.status == 0, ended.said
    assert program.query("SELECT status, count(*) FROM conversations GROUP BY 1") == [("finished", target)]
    saved = program.output.read_text(encoding="utf-8")
    for added in (MACHINE_TALK, "Zebulon", "rewritten", "sorry"):
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
    numbers = {"thoughts": thoughts, "used": thoughts - reasons.total(), "kept": reasons.total()}
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
        reply = people(received)
        return Reply("flagged", status=422) if received.step == "rewrite" and received.number % 2 else reply

    with LoopbackServer(behaviour) as server:
        program = Program(tmp_path)
        program.configure(
            f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}' + section("endpoint", server.url("endpoint"))
        )
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
