"""What is held out for evaluation and is in a dataset all the same: exactly, where it is known what was drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.messages import Message
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.rehearsal import rehearse
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_user, generator
from apep_datagen.people.held_out import is_held_out
from apep_datagen.people.past import draw_past
from apep_datagen.stats.dataset import read_stats
from apep_datagen.stats.held_out import HeldOutCount, load_held_out
from apep_datagen.stats.held_out_report import describe_held_out, held_out_as_json
from apep_datagen.stats.report import describe_stats, stats_as_json
from support.briefs import SCENARIO, USER
from support.real_conversations import real_conversations
from support.real_state import write_real_state

HELD_OUT = load_held_out()
CASTS = {"drawn": load_cast(), "held out": load_cast(part="held out")}
seeds = st.integers(0, 2**32)


def words_of(part: str) -> list[str]:
    entries = CASTS["drawn"].world.vocabulary.entries()
    return [forms[0] for forms, of in entries.items() if of == part]


def drawn_from(cast: Cast, seed: int) -> Iterator[list[str]]:
    """Yield what is found in each conversation of a run that draws from a cast."""
    source = BriefSource(seed, (1, 3), 3, load_prompts(), cast, DEFAULT_MIX, "2025-01-01", "2026-12-31")
    for item in rehearse(source, 200, 4, timeline_length=12):
        scenario, user = asdict(item.brief.scenario), asdict(item.brief.user)
        yield [*HELD_OUT.in_scenario(scenario), *HELD_OUT.in_user(user)]


def past_of(cast: Cast, seed: int) -> list[str]:
    user = draw_user(cast, generator(seed, "user"))
    return [note.text for note in draw_past(cast, generator(seed, "past"), user, "2026-03-04").notes]


# What was drawn.


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_generation_draws_is_held_out(seed: int) -> None:
    assert not any(drawn_from(CASTS["drawn"], seed))


@given(seeds)
def test_no_note_that_generation_writes_is_held_out(seed: int) -> None:
    assert [found for note in past_of(CASTS["drawn"], seed) for found in HELD_OUT.in_note(note)] == []


@pytest.mark.parametrize("seed", range(5))
def test_all_that_evaluation_draws_is_told(seed: int) -> None:
    assert all(drawn_from(CASTS["held out"], seed))


@given(seeds)
def test_nearly_every_note_that_evaluation_writes_is_told(seed: int) -> None:
    notes = past_of(CASTS["held out"], seed)
    told = sum(any(HELD_OUT.in_note(note)) for note in notes)
    assert told >= 0.8 * len(notes) - 1


def test_each_thing_that_can_be_held_out_is_told_by_its_kind() -> None:
    cast = CASTS["held out"]
    fact = next(iter(cast.slots.values())).fact(("Rex",))
    scenario = asdict(replace(SCENARIO, topic=cast.world.topics[0], facts=(fact,)))
    assert list(HELD_OUT.in_scenario(scenario)) == [f"topic: {cast.world.topics[0]}", f"kind: {fact.slot}"]
    city, job = next(iter(cast.users.places)), cast.users.jobs[0].text
    user = asdict(replace(USER, place=city, job=job, interests=(cast.users.interests[0],)))
    assert list(HELD_OUT.in_user(user)) == [f"user: {city}", f"user: {job}", f"user: {cast.users.interests[0]}"]
    moment = next(iter(cast.world.moments))
    assert moment in HELD_OUT.kinds


def test_a_value_is_told_where_its_kind_is_drawn() -> None:
    value = next(text for text in words_of("held out") if f"value: {text}" in HELD_OUT.in_messages(said(text)))
    slot = next(iter(CASTS["drawn"].slots.values()))
    for spelled in (value, f"Dr {value}"):
        assert list(HELD_OUT.in_scenario({"facts": [asdict(slot.fact((spelled,)))]})) == [f"value: {value}"]
    assert list(HELD_OUT.in_scenario({"replaced": asdict(slot.fact((value,)))})) == [f"value: {value}"]


@pytest.mark.parametrize("scenario", [{}, {"topic": None, "facts": None, "replaced": None}, {"facts": []}])
def test_a_brief_of_an_earlier_version_may_lack_anything(scenario: dict[str, Any]) -> None:
    assert list(HELD_OUT.in_scenario(scenario)) == []


# What stands in a text.


def said(text: str) -> list[Message]:
    return [Message("user", text), Message("assistant", "<think>Hm.</think>\n\nI see.")]


def looked_up(*notes: str) -> list[Message]:
    listed = {"memories": [{"index": n, "date": "2026-01-01", "text": note} for n, note in enumerate(notes, start=1)]}
    return [
        Message("user", "What was it again?"),
        Message("assistant", "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
        Message("tool", f"<tool_result>{json.dumps(listed)}</tool_result>"),
        Message("assistant", "<think>There.</think>\n\nThat."),
    ]


def test_notes_in_the_words_of_the_tables_are_told_and_those_that_are_drawn_are_not() -> None:
    notes = {part: [note for seed in range(30) for note in past_of(cast, seed)] for part, cast in CASTS.items()}
    assert HELD_OUT.in_messages(looked_up(*notes["drawn"])) == ()
    found = HELD_OUT.in_messages(looked_up(*notes["held out"]))
    assert {what.partition(":")[0] for what in found} == {"note", "value"}


def test_names_and_values_of_several_words_are_told_and_ordinary_words_are_not() -> None:
    held_out = words_of("held out")
    told = {text for text in held_out if HELD_OUT.in_messages(said(f"So it is {text}, by the way."))}
    assert {text for text in held_out if text[:1].islower() and text.isalpha()} & told == set()
    names = {text for text in held_out if text[:1].isupper() or " " in text}
    assert len(told) > 0.9 * len(names)
    assert not any(HELD_OUT.in_messages(said(f"So it is {text}.")) for text in words_of("drawn")[::10])


def test_a_name_is_told_as_it_is_spelled_and_as_a_whole_word() -> None:
    told = (text for text in words_of("held out") if f"value: {text}" in HELD_OUT.in_messages(said(text)))
    name = next(text for text in told if text.isalpha() and text[0].isupper())
    assert HELD_OUT.in_messages(said(f"I met {name}'s mother.")) == (f"value: {name}",)
    assert HELD_OUT.in_messages(said(f"I met {name}, and her mother.")) == (f"value: {name}",)
    assert HELD_OUT.in_messages(said(f"I met {name.lower()}.")) == ()
    assert HELD_OUT.in_messages(said(f"I met {name}xyz.")) == ()


def test_what_ada_says_by_herself_is_not_looked_at() -> None:
    name = next(text for text in words_of("held out") if HELD_OUT.in_messages(said(text)))
    assert HELD_OUT.in_messages([Message("user", "Who?"), Message("assistant", f"<think>?</think>\n\n{name}.")]) == ()


def test_in_conversations_of_a_real_model_hardly_anything_is_told_that_was_not_drawn() -> None:
    """The 200 of a version that drew from all: what their texts are told to hold was drawn, but for one in fifty."""
    by_chance = 0
    for real in real_conversations():
        planned = json.dumps(asdict(real.case.brief), ensure_ascii=False)
        values = [what.partition(": ")[2] for what in HELD_OUT.in_messages(real.case.messages) if what[0] == "v"]
        by_chance += any(value not in planned for value in values)
    assert by_chance <= 4


# Of a dataset.


def test_a_run_of_an_earlier_version_is_told_as_one_that_drew_from_it(tmp_path: Path) -> None:
    stats = read_stats(write_real_state(tmp_path), DEFAULT_MIX)
    assert stats.run is not None
    accepted = [real.case.brief for real in real_conversations() if not real.was_rejected]
    planned = sum(
        any(HELD_OUT.in_scenario(asdict(brief.scenario))) or any(HELD_OUT.in_user(asdict(brief.user)))
        for brief in accepted
    )
    assert stats.run.held_out.conversations == planned > 0
    assert f"{planned} conversations were drawn from what is held out for evaluation (" in describe_stats(stats)
    assert stats_as_json(stats)["held_out"]["run"]["conversations"] == planned


def test_a_conversation_counts_once_and_what_it_holds_is_counted_each() -> None:
    count, other = HeldOutCount(), HeldOutCount()
    count.add(["kind: a", "kind: a", "value: b"])
    count.add([])
    other.add(["kind: a"])
    count.join(other)
    assert held_out_as_json(count) == {
        "conversations": 2,
        "most_frequent": [{"what": "kind: a", "conversations": 2}, {"what": "value: b", "conversations": 1}],
    }


def counted(*found: str) -> HeldOutCount:
    count = HeldOutCount()
    count.add(found)
    return count


@pytest.mark.parametrize(
    ("in_texts", "drawn", "words"),
    [
        (counted(), counted(), "nothing of it was drawn"),
        (
            counted("value: Anna"),
            counted(),
            "a model said it by itself, or it was there before the run",
        ),
        (counted("value: Anna"), None, "value: Anna 1); values a model may have said by itself"),
        (counted(), None, "nothing of it stands in a message or note"),
        (counted(), counted("kind: cat_name"), "1 conversations were drawn from what is held out"),
    ],
)
def test_it_is_said_what_was_found_and_what_that_means(
    in_texts: HeldOutCount, drawn: HeldOutCount | None, words: str
) -> None:
    (said,) = describe_held_out(in_texts, drawn, 1)
    assert words in said


def test_of_a_file_without_conversations_nothing_is_said() -> None:
    assert list(describe_held_out(counted(), None, 0)) == []


def test_the_digest_is_that_of_the_tables() -> None:
    assert all(is_held_out("words", text) for text in words_of("held out"))
