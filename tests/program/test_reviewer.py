"""A reviewer, where one is asked: what it objects to is rejected and told, and what it leaves open costs nothing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import QUICKLY, Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, ScriptedPeople
from support.waiting import wait_until

YES = "mood: yes\nfacts: yes\nperson: yes\ntraining: yes"
ON = '[roles.reviewer]\nwhen = "accepted"\n'
STRICT = f'[quality]\nlevel = "strict"\nleast_yield = 0.0\nleast_ability_yield = 0.0\n{ALIKE_IN_THOUGHT}'
LOOSE = '[quality]\nlevel = "off"\nleast_yield = 0.0\nleast_ability_yield = 0.0\n'
OBJECTIONS = {
    "mood": "the reviewer finds a mood, habit or liking of the user's without evidence",
    "facts": "the reviewer finds a lasting fact that was told and not noted",
    "person": "the reviewer finds that no real person would have written this",
    "training": "the reviewer would not train on it",
}


def objecting(behaviour: Callable[[Received], Reply]) -> Callable[[Received], Reply]:
    """Let the reviewer object to each second conversation, to one thing after the other."""
    reviewed: list[str] = []

    def answer(received: Received) -> Reply:
        if received.step != "review":
            return behaviour(received)
        if received.content not in reviewed:
            reviewed.append(received.content)
        place = reviewed.index(received.content)
        question = list(OBJECTIONS)[place // 2 % len(OBJECTIONS)]
        return Reply(YES.replace(f"{question}: yes", f'{question}: no, "so it is"') if place % 2 else YES)

    return answer


def rejected_by(program: Program) -> Counter[tuple[str, str]]:
    rows = program.query("SELECT stage, reason FROM conversations WHERE status = 'rejected'")
    return Counter((stage, reason) for stage, reason in rows)


def test_what_a_reviewer_objects_to_is_rejected_told_and_paid_for_in_its_role(tmp_path: Path) -> None:
    program = Program(tmp_path)
    models = '[providers.endpoint.models]\nreviewer = "model-two"\n'
    price = '"{}" = {{ input = {}, output = {} }}\n'
    prices = "[providers.endpoint.prices]\n" + price.format("model-one", 1, 1) + price.format("model-two", 9, 9)
    with LoopbackServer(objecting(ScriptedPeople(program.state))) as server:
        program.configure(STRICT + ON + section("endpoint", server.url("endpoint")) + models + prices)
        ended = program.run("--providers", "endpoint", "--target", "10", "--seed", "5")
    assert ended.status == 0, ended.said
    reviews = [received for received in server.received if received.step == "review"]
    assert {received.body["model"] for received in reviews} == {"model-two"}
    assert {received.body["temperature"] for received in reviews} == {0}
    by_review = {reason: count for (stage, reason), count in rejected_by(program).items() if stage == "review"}
    assert set(by_review) == set(OBJECTIONS.values())
    assert len(program.conversations()) == 10 == len(reviews) - sum(by_review.values())
    # What was rejected has left nothing behind, and can be looked at.
    assert program.run("verify").status == 0
    shown = program.run("show", "--rejected", "-1").stdout
    assert "so it is" in shown
    assert "(reviewer)" in shown

    status = json.loads(program.run("status", "--json").stdout)
    assert status["reviews"] == {
        "given": len(reviews),
        "missing": 0,
        "by_provider": {"endpoint": {"given": len(reviews), "missing": 0}},
    }
    [used] = [item for item in status["used"] if item["role"] == "reviewer"]
    assert used["requests"] == used["answers"] == len(reviews)
    assert used["usd"] == pytest.approx(9e-6 * (used["prompt_tokens"] + used["completion_tokens"]))
    assert status["quality"]["by_provider"]["endpoint"]["rejected_by_stage"]["review"] == sum(by_review.values())
    stats = json.loads(program.run("stats", "--json").stdout)["run"]
    assert stats["reviews"] == status["reviews"]
    assert {"provider": "endpoint", "model": "model-two", "role": "reviewer", "conversations": 10} in stats["makers"]
    told = (
        f"{len(reviews)} conversations that the code had accepted were reviewed, {sum(by_review.values())} of them"
        " rejected for it\n"
    )
    for said in (ended.stdout, program.run("status").stdout, program.run("stats").stdout):
        assert told in said + "\n"


def test_what_the_code_rejects_costs_no_review_and_nobody_is_asked_where_the_role_is_off(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        reply = well_behaved(received)
        broken = received.step == "answer" and received.body["seed"] % 3 == 1
        return replace(reply, text="How nice, without a thought!") if broken else reply

    form = '[quality]\nlevel = "form"\nleast_yield = 0.0\nleast_ability_yield = 0.0\n'
    with LoopbackServer(behaviour) as server:
        endpoint = section("endpoint", server.url("endpoint"))
        program.configure(form + endpoint)
        run = ("--providers", "endpoint", "--seed", "5", "--target")
        assert program.run(*run, "4").status == 0
        assert "review" not in {received.step for received in server.received}
        assert "reviewed" not in program.run("status").stdout
        program.configure(form + ON + endpoint)
        ended = program.run(*run, "12")
    assert ended.status == 0, ended.said
    assert {stage for stage, _ in rejected_by(program)} == {"form"}
    assert sum(received.step == "review" for received in server.received) == 8
    reviewed = program.query("SELECT conversation_id FROM steps WHERE kind = 'review'")
    accepted = program.query("SELECT id FROM conversations WHERE status = 'finished'")
    assert set(reviewed) < set(accepted)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Reply("I would rather not say."),
            "the review does not say yes or no to each of mood, facts, person, training",
        ),
        (Reply("flagged", status=422), "HTTP 422: flagged"),
    ],
)
def test_a_reviewer_that_answers_nothing_of_use_costs_no_conversation_and_is_counted(
    tmp_path: Path, answer: Reply, words: str
) -> None:
    program = Program(tmp_path)
    asked: list[str] = []

    def behaviour(received: Received) -> Reply:
        if received.step != "review":
            return well_behaved(received)
        if received.prompt not in asked:
            asked.append(received.prompt)
        return Reply(YES) if asked.index(received.prompt) % 3 else answer

    with LoopbackServer(behaviour) as server:
        program.configure(LOOSE + ON + section("endpoint", server.url("endpoint"), max_in_flight=2))
        ended = program.run("--providers", "endpoint", "--target", "9", command=QUICKLY)
    assert ended.status == 0, ended.said
    assert program.query("SELECT status, count(*) FROM conversations GROUP BY 1") == [("finished", 9)]
    status = json.loads(program.run("status", "--json").stdout)
    assert (status["reviews"]["given"], status["reviews"]["missing"]) == (6, 3)
    assert f"is not reviewed, review failed: {words}" in ended.said
    told = (
        "6 conversations that the code had accepted were reviewed, 0 of them rejected for it; 3 more passed without a"
        " review, as the reviewer gave no answer of use"
    )
    assert told in ended.stdout
    assert told in program.run("status").stdout
    assert program.run("verify").status == 0


def test_a_review_that_is_paid_for_is_neither_lost_nor_bought_again_over_a_kill(tmp_path: Path) -> None:
    program = Program(tmp_path)
    behave = objecting(well_behaved)
    run = ("--providers", "endpoint", "--target", "12", "--seed", "5")

    def hanging(received: Received) -> Reply:
        # Some conversations wait for their review then, which never comes, and others have it.
        reviews = sum(other.step == "review" for other in server.received)
        return Reply(fault="hang") if received.step == "review" and reviews > 4 else behave(received)

    with LoopbackServer(hanging) as server:
        endpoint = section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=3)
        program.configure(LOOSE + ON + endpoint)
        process = program.start(*run)
        wait_until(
            lambda: server.hanging == 3,
            lambda: f"{[received.step for received in server.received]}",
        )
        process.kill()
        process.communicate()
        hung = {received.asked for received in server.received if received.status == -1}
        texts = {text for (text,) in program.query("SELECT text FROM steps WHERE kind NOT IN ('tools', 'review')")}
        recorded = {received.asked for received in server.received if received.answer in texts}
        [(active,)] = program.query("SELECT count(*) FROM conversations WHERE status = 'active'")
        assert active >= 3
    with LoopbackServer(behave) as second:
        # Who waits for a review gets it, also where the role is off by now: it was decided when it began.
        program.configure(LOOSE + section("endpoint", second.url("endpoint"), max_in_flight=3))
        ended = program.run(*run)
    assert ended.status == 0, ended.said
    again = {received.asked for received in second.received}
    assert hung <= again
    assert not recorded & again
    assert sum(received.step == "review" for received in second.received) == active
    assert len(program.conversations()) == 12
    assert program.run("verify").status == 0
    kinds = program.query("SELECT conversation_id, count(*) FROM steps WHERE kind = 'review' GROUP BY 1")
    assert {count for _, count in kinds} == {1}


def test_the_reviewer_reads_the_thoughts_that_are_saved(tmp_path: Path) -> None:
    """Also where judging has put Ada's own back, which it does before the review; over a kill too."""
    program = Program(tmp_path)
    people = ScriptedPeople(program.state)

    def behaviour(received: Received) -> Reply:
        reply = people(received)
        if received.step == "rewrite":
            return replace(reply, text=f"{reply.text} As a language model I have no days.")
        return Reply(fault="hang") if received.step == "review" and len(hung) == 0 else reply

    hung: list[str] = []
    run = ("--providers", "endpoint", "--target", "6", "--seed", "5")
    with LoopbackServer(behaviour) as server:
        endpoint = section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=2)
        program.configure(STRICT + ON + endpoint)
        process = program.start(*run)
        wait_until(lambda: server.hanging, lambda: "nothing hung")
        process.kill()
        process.communicate()
        hung = [received.prompt for received in server.received if received.status == -1]
        ended = program.run(*run)
    assert ended.status == 0, ended.said
    assert set(hung) <= {received.prompt for received in server.received if received.usable}
    prompts = [received.prompt for received in server.received if received.step == "review"]
    for conversation in program.conversations():
        thoughts = [message["content"] for message in conversation if message["content"].startswith("<think>")]
        shown = [text.partition("</think>")[0].removeprefix("<think>") for text in thoughts]
        assert any(all(f"Ada thinks: {thought}\n" in prompt for thought in shown) for prompt in prompts), shown
    assert not any("language model" in prompt for prompt in prompts)
    assert program.query("SELECT count(*) > 0 FROM steps WHERE kind = 'originals'") == [(1,)]
    assert program.run("verify").status == 0
    status = json.loads(program.run("status", "--json").stdout)["rewrites"]
    assert status["kept"] == sum(item["count"] for item in status["reasons"]) > 0


def test_a_review_counts_when_the_conversation_is_judged_anew_and_nobody_is_asked(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(objecting(ScriptedPeople(program.state))) as server:
        program.configure(STRICT + ON + section("endpoint", server.url("endpoint")))
        assert program.run("--providers", "endpoint", "--target", "6", "--seed", "5").status == 0
        before = program.output.read_bytes()
        asked = len(server.received)
        program.configure(STRICT + section("endpoint", server.url("endpoint")))
        ended = program.run("rejudge")
        assert ended.status == 0, ended.said
        assert len(server.received) == asked
    assert program.output.read_bytes() == before
    rejected = rejected_by(program)
    assert {stage for stage, _ in rejected} == {"review"}

    # Had the reviewer said something else, that would count.
    with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as connection:
        [(number,), *_] = connection.execute("SELECT id FROM conversations WHERE status = 'rejected' ORDER BY id")
        connection.execute("UPDATE steps SET text = ? WHERE kind = 'review' AND conversation_id = ?", (YES, number))
        [(kept,)] = connection.execute("SELECT conversation_id FROM samples WHERE position = 2")
        objection = YES.replace("person: yes", "person: no, nobody would")
        connection.execute("UPDATE steps SET text = ? WHERE kind = 'review' AND conversation_id = ?", (objection, kept))
    assert program.run("rejudge", "--drop").status == 0
    assert (number,) in program.query("SELECT conversation_id FROM samples")
    ended_as = {row[0]: row[1:] for row in program.query("SELECT id, stage, reason, detail FROM conversations")}
    assert ended_as[kept] == ("review", OBJECTIONS["person"], "nobody would")


def test_what_the_code_rejected_before_a_review_is_added_without_one_where_it_passes_today(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def behaviour(received: Received) -> Reply:
        reply = well_behaved(received)
        return replace(reply, text="How nice!") if received.step == "answer" and received.number < 8 else reply

    with LoopbackServer(behaviour) as server:
        endpoint = section("endpoint", server.url("endpoint"), max_in_flight=1)
        program.configure(LOOSE.replace("off", "form") + ON + endpoint)
        assert program.run("--providers", "endpoint", "--target", "3", "--seed", "5").status == 0
        [(rejected,)] = program.query("SELECT count(*) FROM conversations WHERE status = 'rejected'")
        assert rejected > 0
        program.configure(LOOSE + ON + endpoint)
        asked = len(server.received)
        ended = program.run("rejudge")
        assert ended.status == 0, ended.said
        assert len(server.received) == asked
    assert len(program.conversations()) == 3 + rejected
    assert program.run("verify").status == 0


def test_a_reviewer_can_have_a_provider_of_its_own_and_the_verdict_is_the_conversations(tmp_path: Path) -> None:
    program = Program(tmp_path)
    roles = "".join(f'[roles.{role}]\nproviders = ["maker"]\n' for role in ("tester", "ada", "rewriter"))
    reviewer = '[roles.reviewer]\nwhen = "accepted"\nproviders = ["critic"]\n'
    with LoopbackServer(objecting(well_behaved)) as server:
        sections = "".join(section(name, server.url(name), max_in_flight=2) for name in ("maker", "critic"))
        program.configure(LOOSE + roles + reviewer + sections)
        ended = program.run("--target", "5", "--seed", "5")
    assert ended.status == 0, ended.said
    makers = {(received.provider, received.step == "review") for received in server.received}
    assert makers == {("maker", False), ("critic", True)}
    status = json.loads(program.run("status", "--json").stdout)
    assert list(status["reviews"]["by_provider"]) == ["critic"]
    assert list(status["quality"]["by_provider"]) == ["maker"]
    assert status["quality"]["by_provider"]["maker"]["rejected_by_stage"]["review"] > 0
    plan = program.run("plan", "--target", "50")
    assert plan.status == 0, plan.said
