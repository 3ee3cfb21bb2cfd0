"""Whether what is right is accepted, and what is wrong is found, for what it is, and leaves no trace but its record."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.provider_settings import ProviderKind
from apep_datagen.config.settings import QualitySettings
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.language.content import content
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.language.rarity import rarity
from apep_datagen.language.spans import first_span
from apep_datagen.people.scenario import FORMS, Ability, Form, User
from apep_datagen.quality.execution import replay_calls
from apep_datagen.quality.problem import Stage
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.storage.conversations import brief_from_json
from support.loopback_server import LoopbackServer
from support.paths import REPOSITORY, SUPPORT
from support.program import Ended, Program, section
from support.scripted_people import ADAS_CHAT, ALIKE_IN_THOUGHT, CAST, USERS_CHAT, WAYS, ScriptedPeople, Way

PROMPTS = REPOSITORY / "systemprompts"
KILLED = (str(SUPPORT / "killed_program.py"),)

BY_CODE = set(Stage) - {Stage.REVIEW, Stage.PERSON}  # they are asked at each level, or at none


def mix_of(**shares: int) -> str:
    """Return the configuration of a mix; what is not named is not wanted."""
    lines = [f"{ability.value} = {shares.get(ability.value, 0)}" for ability in Ability]
    return "\n".join(["[scenarios.mix]", *lines, ""])


TIMELINE_LENGTH = 12
# Many timelines have many pasts, so that what is seldom in one is in some.
SHORT = 5
# What a timeline seldom allows is shown whenever it does.
SELDOM = {
    Form.NEWEST: 900, Form.DATE_OR_NUMBER: 60,
    Form.NOTE_AND_PAGE: 40, Form.TWO_TOUCHED: 2000, Form.OLD_MISSING: 500, Form.PERSON: 300, Form.HALF: 2000,
    Form.NEVER_KEPT: 700, Form.AVOID: 400,
    Form.FORGOTTEN: 400, Form.ONE_OF_SEVERAL: 50, Form.RETOLD: 100, Form.MOMENT_AND_FACT: 100,
}  # fmt: skip
SELDOM_SHOWN = mix_of(
    share=14, update=40, forget=20, recall=20, connect=4, abstain=16, diary=8, diary_recall=6, apply=10, ask_back=5,
    smalltalk=6, advice=6,
)  # fmt: skip


def with_all_forms(directory: Path) -> tuple[str, str]:
    """Return the option for prompts by which forms that are seldom possible are shown whenever they are."""
    prompts = directory / "prompts"
    prompts.mkdir()
    text = (PROMPTS / "scenarios.toml").read_text(encoding="utf-8")
    for ability, forms in FORMS.items():
        for form in forms:
            header = f"[abilities.{ability.value}.forms.{form.value}]\n"
            assert form not in SELDOM or header in text
            if form in SELDOM:
                text = re.sub(re.escape(header) + "share = .*", f"{header}share = {SELDOM[form]}", text)
    (prompts / "scenarios.toml").write_text(text, encoding="utf-8")
    return ("--prompts", str(prompts))


def program_at(
    server: LoopbackServer,
    directory: Path,
    quality: str,
    *,
    mix: str = "",
    in_flight: int = 1,
    thoughts: str = ALIKE_IN_THOUGHT,
    exchanges: str = "[1, 4]",
    timeline_length: int = TIMELINE_LENGTH,
) -> Program:
    """Return the program with one provider; whatever is not said is as it is by default.

    One request after the other, so that what is drawn and tried follows from the seed, and from no race.
    """
    program = Program(directory)
    program.configure(
        f"[generation]\nexchanges = {exchanges}\ntimeline_length = {timeline_length}\n{mix}[quality]\n{quality}\n"
        + thoughts
        + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=in_flight)
    )
    return program


def run(program: Program, target: int, *options: str, command: tuple[str, ...] = ("-m", "apep_datagen")) -> Ended:
    settings = ("--providers", "endpoint", "--target", str(target), "--seed", "5")
    return program.run(*settings, *options, command=command)


def judged(program: Program) -> list[tuple[str, str, str | None, str | None]]:
    """Return question, status, stage and reason of each conversation, in the order in which they were judged."""
    return program.query(
        "SELECT text, status, stage, reason FROM conversations JOIN steps ON conversation_id = id AND number = 1"
        " ORDER BY ended_at"
    )


def assert_memory_is_that_of_the_samples(program: Program) -> None:
    """Replaying what was accepted over the past of its timeline gives the notes that are there, and no others."""
    notes: dict[int, Notes] = defaultdict(Notes)
    past = program.query("SELECT timeline_id, shelf, date, text FROM notes WHERE added_in = 0 ORDER BY id")
    for timeline, (memory, diary) in _shelves(past).items():
        notes[timeline] = Notes(tuple(memory), tuple(diary))
    for timeline, plan, line in program.query(
        "SELECT timeline_id, plan, line FROM samples JOIN conversations ON id = conversation_id ORDER BY position"
    ):
        sample = read_sample([Message(**message) for message in json.loads(line)["conversations"]])
        if isinstance(sample, Sample):
            problem, notes[timeline] = replay_calls(sample, notes[timeline], brief_from_json(plan).date)
            assert problem is None
    there = _shelves(
        program.query("SELECT timeline_id, shelf, date, text FROM notes WHERE deleted_in IS NULL ORDER BY id")
    )
    assert {number: (list(one.memory), list(one.diary)) for number, one in notes.items() if one != Notes()} == there


def _shelves(rows: list[tuple[Any, ...]]) -> dict[int, tuple[list[Note], list[Note]]]:
    """Return memory and diary of each timeline that has notes, from rows of timeline, shelf, date and text."""
    found: dict[int, tuple[list[Note], list[Note]]] = defaultdict(lambda: ([], []))
    for timeline, shelf, date, text in rows:
        notes = found[timeline][shelf == "diary"]
        notes.append(Note(len(notes) + 1, date, text))
    return found


def test_a_faultless_pair_is_accepted_entirely(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, 'level = "strict"\nleast_yield = 1.0', in_flight=16)
        ended = run(program, 150)
    assert ended.status == 0, ended.said
    assert [row for row in judged(program) if row[1] != "finished"] == []
    assert len(program.conversations()) == 150
    # The tester was told what was planned, and all that there is to show is shown.
    briefs = [brief_from_json(plan) for (plan,) in program.query("SELECT plan FROM conversations ORDER BY ended_at")]
    abilities = [brief.scenario.ability for brief in briefs]
    assert abilities == [people.ability_of[question] for question, *_ in judged(program)]
    assert set(abilities) == set(Ability)
    asked = [received.prompt for received in server.received if received.step == "ask"]
    for brief in briefs:
        assert len(brief.scenario.course) == brief.exchanges
        assert all(any(told in prompt for prompt in asked) for told in brief.scenario.course)
    assert {brief.exchanges for brief in briefs} == {1, 2, 3, 4}
    assert max(Counter(brief.timeline_id for brief in briefs).values()) <= TIMELINE_LENGTH
    assert_memory_is_that_of_the_samples(program)
    assert program.query("SELECT count(*) FROM notes WHERE added_in = 0") != [(0,)]
    # Nobody but the tester knows what was planned.
    saved = program.output.read_text(encoding="utf-8")
    assert not any(told in saved for brief in briefs for told in brief.scenario.course)


def test_each_form_of_each_ability_can_be_shown_rightly(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, 'level = "strict"', mix=SELDOM_SHOWN, in_flight=1, timeline_length=SHORT)
        ended = run(program, 280, *with_all_forms(tmp_path))
    assert ended.status == 0, ended.said
    assert [row for row in judged(program) if row[1] != "finished"] == []
    assert set(people.shown) == {(ability, form) for ability, forms in FORMS.items() for form in forms}
    assert_memory_is_that_of_the_samples(program)


def test_what_ada_chats_of_is_nothing_that_anybody_tells() -> None:
    """Else she claims a value, tells of a page or knows what she cannot know by chance."""
    users, slots, moments = CAST.users, CAST.slots.values(), CAST.moments.values()
    told = [text for slot in slots for text in (slot.tell, slot.ask, *slot.cues, *slot.occasions)]
    told += [text for moment in moments for text in (moment.tell, moment.ask, *moment.forms)]
    told += [*USERS_CHAT, *users.places, *users.interests, *users.people]
    told += [one.text for one in (*users.jobs, *users.animals)]
    assert [stem for stem in content(*ADAS_CHAT) & content(*told) if rarity(stem)] == []
    lists = [path.read_text(encoding="utf-8") for path in sorted((PROMPTS / "world" / "words").glob("*.txt"))]
    forms = {form for text in lists for line in text.splitlines() for form in line.split(" | ") if form}
    forms |= {form for slot in slots for forms in slot.values for form in forms if "{" not in form}
    forms |= {form for moment in moments for form in moment.forms} | {*WEEKDAYS, *MONTHS}
    # A value of a few words stands in a chat only if its words do.
    said = content(*ADAS_CHAT, *USERS_CHAT)
    near = [form for form in forms if content(form) <= said]
    assert [(chat, form) for chat in (*ADAS_CHAT, *USERS_CHAT) for form in near if first_span(chat, (form,))] == []


IN_CHAT = [way for way in WAYS.values() if way.abilities <= {Ability.SMALLTALK, Ability.ADVICE}]
OF_MEMORY = [way for way in WAYS.values() if way not in IN_CHAT]


@pytest.mark.parametrize(
    ("ways", "target", "mix"),
    [
        (IN_CHAT, 70, mix_of(share=10, smalltalk=40, advice=40)),
        (
            *(OF_MEMORY, 200),
            mix_of(
                share=50, update=70, forget=40, recall=60, connect=6, abstain=30, diary=16, diary_recall=10, apply=16,
                ask_back=12,
            ),
        ),
    ],
    ids=["in chat", "of memory"],
)  # fmt: skip
def test_each_way_to_go_wrong_is_found_for_what_it_is(tmp_path: Path, ways: list[Way], target: int, mix: str) -> None:
    people = ScriptedPeople(Program(tmp_path).state, tuple(ways), share=0.5)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, 'level = "strict"\nleast_yield = 0', mix=mix, timeline_length=SHORT)
        ended = run(program, target, *with_all_forms(tmp_path))
    assert ended.status == 0, ended.said
    accepted: Counter[str] = Counter()
    rejected: Counter[tuple[str, str]] = Counter()
    for question, status, stage, reason in judged(program):
        way = people.way_of[question]
        name = way.name if way else ""
        if way is None or way.stage is None or accepted[name] < way.accepted_first:
            assert (status, stage, reason) == ("finished", None, None), f"{name}: {question}"
            accepted[name] += 1
        else:
            assert (status, stage, reason) == ("rejected", way.stage.value, way.reason), f"{name}: {question}"
            rejected[way.stage.value, way.reason] += 1
    # Each was tried, and found.
    assert set(people.used) == {way.name for way in ways}
    expected = {(way.stage.value, way.reason) for way in ways if way.stage}
    assert set(rejected) == expected
    counted = program.query("SELECT stage, reason, sum(count) FROM verdicts WHERE stage != '' GROUP BY stage, reason")
    assert {(stage, reason): count for stage, reason, count in counted} == rejected
    # Others took their places, and nothing of them is left in memory, diary or output.
    assert len(program.conversations()) == accepted.total() == target
    briefs = [brief_from_json(plan) for (plan,) in program.query("SELECT plan FROM conversations")]
    assert len({brief.seed for brief in briefs}) == len(briefs)  # what was rejected is not drawn again as it was
    assert program.query(
        "SELECT count(*) FROM notes JOIN conversations ON conversations.id IN (added_in, deleted_in)"
        " WHERE status != 'finished'"
    ) == [(0,)]
    assert_memory_is_that_of_the_samples(program)
    # What is mended is mended.
    for messages in program.conversations():
        if people.of(messages[1]["content"]) == "stray tags":
            assert "</tool_call>" not in messages[2]["content"]
            assert messages[2]["content"].count("</think>") == 1


def test_a_rejected_conversation_is_kept_with_its_steps_and_its_detail(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state, (WAYS["stores twice"],), share=1.0)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, "least_yield = 0", mix=mix_of(share=3, smalltalk=1), exchanges="[1, 1]")
        assert run(program, 8).status == 0
    rows = program.query(
        "SELECT plan, stage, reason, detail, ended_at IS NOT NULL, group_concat(kind, ' '),"
        " (SELECT count(*) FROM notes WHERE added_in = conversations.id)"
        " FROM conversations JOIN steps ON conversation_id = conversations.id"
        " WHERE status = 'rejected' GROUP BY conversations.id"
    )
    assert rows
    for plan, stage, reason, detail, has_ended, kinds, notes in rows:
        assert (stage, reason, has_ended) == ("effect", WAYS["stores twice"].reason, 1)
        assert detail in [fact.tell for fact in brief_from_json(plan).scenario.facts]
        assert sorted(kinds.split()) == ["answer", "ask", "continue", "rewrite", "tools"]
        assert notes == 0


@pytest.mark.parametrize(
    ("level", "found"), [("off", set()), ("form", {Stage.FORM}), ("strict", BY_CODE), ("", BY_CODE)]
)
def test_the_level_says_which_stages_judge(tmp_path: Path, level: str, found: set[Stage]) -> None:
    names = (
        "no think block", "stops in the middle", "fails a call", "forgetful", "looks up for nothing",
        "stores what says nothing", "remembers unasked", "confuses the days", "refuses",
    )  # fmt: skip
    people = ScriptedPeople(
        Program(tmp_path).state, tuple(WAYS[name] for name in (*names, "repeats herself")), share=0.8
    )
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, "least_yield = 0", mix=mix_of(share=8, smalltalk=10, advice=6))
        ended = run(program, 24, *(("--quality", level) if level else ()))
    assert ended.status == 0, ended.said
    wrong: Counter[str] = Counter()
    for question, status, stage, _ in judged(program):
        way = people.way_of[question]
        name = way.name if way else ""
        wrong[name] += 1
        if way is None or way.stage not in found or wrong[name] <= way.accepted_first:
            assert (status, stage) == ("finished", None), name
        else:
            assert (status, stage) == ("rejected", way.stage.value), name
    assert {WAYS[name].stage for name in wrong if name} == BY_CODE


@pytest.mark.parametrize("kind", ["mistral", "together", "huggingface", "openai", "local"])
def test_only_a_small_local_model_is_judged_by_form_alone_unless_something_else_is_said(kind: ProviderKind) -> None:
    assert QualitySettings().level_for(kind) == ("form" if kind == "local" else "strict")
    assert QualitySettings(level="off").level_for(kind) == "off"


def test_a_hopeless_model_is_noticed_early_and_leaves_the_run(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state, (WAYS["refuses"],), share=1.0)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, 'level = "strict"', mix=mix_of(smalltalk=1, advice=1))
        ended = run(program, 500)
    assert ended.status == 5, ended.said
    assert "only 0 of its last 24 conversations were accepted, least_yield in [quality] is 0.25" in ended.said
    assert "times smalltalk: a reply is a refusal (voice)" in ended.said
    assert "Use a better model, --quality form, or set the share" in ended.said
    assert 24 <= len(judged(program)) <= 24 + 8  # those under way
    assert json.loads(program.output.read_text(encoding="utf-8")) == []


def test_a_model_that_always_thinks_the_same_is_stopped(tmp_path: Path) -> None:
    with LoopbackServer(ScriptedPeople(Program(tmp_path).state)) as server:
        program = program_at(server, tmp_path, 'level = "strict"', mix=mix_of(smalltalk=1), thoughts="", in_flight=1)
        ended = run(program, 100)
    assert ended.status == 5, ended.said
    reason = "a thought begins as too many others do"
    assert f"times smalltalk: {reason} (novelty)" in ended.said
    rows = program.query("SELECT status, reason, detail, quote FROM conversations ORDER BY ended_at")
    assert [status for status, *_ in rows[:10]] == ["finished"] * 10
    assert {tuple(row[:2]) for row in rows[10:]} == {("rejected", reason)}
    assert all("begins a first thought in 10 of 10 accepted conversations" in detail for *_, detail, _ in rows[10:])
    assert all(quote.endswith("They are only chatting,") for *_, quote in rows[10:])


def test_a_resumed_run_still_knows_what_was_accepted(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state, (WAYS["repeats herself"],), share=1.0)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path, "least_yield = 0", mix=mix_of(smalltalk=1))
        assert run(program, 1).status == 0
        people.share = 0.7
        assert run(program, 6).status == 0
    first, *later = judged(program)
    assert first[1] == "finished"
    again = [row[1:] for row in later if people.way_of[row[0]]]
    assert again
    assert set(again) == {("rejected", "novelty", WAYS["repeats herself"].reason)}


# The same seed and the same answers.


def test_the_same_seed_gives_the_same_users_and_days_in_whichever_order_answers_come(tmp_path: Path) -> None:
    drawn = []
    for number in (1, 2):
        directory = tmp_path / str(number)
        directory.mkdir()
        with LoopbackServer(ScriptedPeople(Program(directory).state)) as server:
            program = program_at(server, directory, "least_yield = 0", in_flight=3 * number)
            assert run(program, 20).status == 0
        drawn.append(_users_and_days(program))
    one, other = drawn
    common = set(one) & set(other)
    assert len(common) >= 2
    for timeline in common:
        shorter = min(len(one[timeline]), len(other[timeline]))
        assert one[timeline][:shorter] == other[timeline][:shorter]


def _users_and_days(program: Program) -> dict[int, list[tuple[User, str]]]:
    drawn: dict[int, list[tuple[User, str]]] = defaultdict(list)
    for (text,) in program.query("SELECT plan FROM conversations WHERE status = 'finished' ORDER BY id"):
        brief = brief_from_json(text)
        drawn[brief.timeline_id].append((brief.user, brief.at))
    return drawn


def test_one_at_a_time_the_same_seed_and_answers_give_the_same_even_if_killed(tmp_path: Path) -> None:
    undisturbed = one_at_a_time(tmp_path / "undisturbed")
    assert {status for _, _, status, _, _, _ in undisturbed["conversations"]} == {"finished", "rejected"}
    assert one_at_a_time(tmp_path / "killed", ("tools", "2"), ("in-flight", "9"), ("finish", "4")) == undisturbed


def one_at_a_time(directory: Path, *kills: tuple[str, str]) -> dict[str, Any]:
    """Make one conversation after the other, killed at these points, and return what there is then."""
    directory.mkdir()
    people = ScriptedPeople(
        Program(directory).state, (WAYS["forgetful"], WAYS["only deletes"], WAYS["refuses"]), share=0.6
    )
    with LoopbackServer(people) as server:
        mix = mix_of(share=3, update=1, recall=1, smalltalk=1)
        program = program_at(server, directory, "least_yield = 0", mix=mix, in_flight=1)
        for kill in kills:
            killed = run(program, 24, command=(*KILLED, *kill))
            assert killed.status == -signal.SIGKILL, killed.said
        assert run(program, 24).status == 0
    return {
        "output": program.output.read_bytes(),
        "conversations": program.query("SELECT id, plan, status, stage, reason, detail FROM conversations ORDER BY id"),
        "notes": program.query("SELECT timeline_id, shelf, date, text, added_in, deleted_in FROM notes ORDER BY id"),
    }
