"""The shortcuts of a run: on small state databases of which the answer is known, and on those of real conversations."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.brief import Brief
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.sample_json import sample_line
from apep_datagen.people.scenario import FORMS, Ability, Fact, Form, Scenario
from apep_datagen.stats.beginnings import Openings
from apep_datagen.stats.closings import Closings
from apep_datagen.stats.dataset import Tally, _file_stats, read_stats
from apep_datagen.stats.distribution import Spread
from apep_datagen.stats.pairs import PAIRS
from apep_datagen.stats.report import describe_stats
from apep_datagen.stats.separation import CHANCE
from apep_datagen.stats.shortcuts import Guesses, KindSummary, Shortcuts
from apep_datagen.stats.shortcuts_of_run import read_shortcuts
from apep_datagen.stats.shortcuts_report import (
    describe_habits,
    describe_shortcuts,
    habits_as_json,
    shortcuts_as_json,
)
from apep_datagen.storage.notes import empty_notebooks, notes_to_json
from apep_datagen.storage.schema import migrate
from support.briefs import BRIEF
from support.real_conversations import real_conversations
from support.real_state import write_real_state

LOOK = "<tool_call>recall_memories()</tool_call>"
ADD = "<tool_call>add_memory(input_text=['It is so.'])</tool_call>"
RESULT = '<tool_result>{"memories": []}</tool_result>'


@dataclass(frozen=True, slots=True)
class Made:
    """A conversation that is put into a state database by hand."""

    ability: Ability
    form: Form | None = None
    question: str = "Which boat was it?"
    thought: str = "Hm, let me see."
    calls: tuple[str, ...] = (LOOK,)
    facts: tuple[tuple[str, str], ...] = ()
    topic: str = "rain"
    at: str = "2026-03-05T08:30"
    place: int = 1
    by_itself: Notes | None = None

    def line(self) -> str:
        messages = [Message("system", "You are Ada.")]
        messages += [Message("user", "Hello there."), Message("assistant", "<think>Oh, them.</think>\n\nHello!")] * (
            self.place - 1
        )
        messages += [Message("user", self.question)]
        for call in self.calls:
            messages += [Message("assistant", f"<think>{self.thought}</think>\n\n{call}"), Message("tool", RESULT)]
        return sample_line([*messages, Message("assistant", "<think>So it is.</think>\n\nIt is the one.")])

    def plan(self, number: int, timeline: int) -> str:
        facts = tuple(Fact(slot, value, (value,), (slot,), "", "") for slot, value in self.facts)
        scenario = Scenario(
            self.ability, self.topic, "calm", "short", "", facts=facts, form=self.form, place=self.place
        )
        brief = replace(BRIEF, conversation_id=number, timeline_id=timeline, at=self.at, scenario=scenario)
        return TypeAdapter(Brief).dump_json(brief).decode()


class State:
    """A state database in memory."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, seed=1, output_name="x", base_count=0, base_end=1)
        self.connection.execute("INSERT INTO prompt_sets VALUES (1, '', '')")
        self._positions = count(1)

    def close(self) -> None:
        self.connection.close()

    def put(self, number: int, made: Made, *, timeline: int = 1, is_accepted: bool = True) -> None:
        self.connection.execute("INSERT OR IGNORE INTO timelines (id) VALUES (?)", (timeline,))
        self.connection.execute(
            "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, started_at)"
            " VALUES (?, ?, 1, ?, 'one', ?, 0)",
            (number, timeline, made.plan(number, timeline), "finished" if is_accepted else "rejected"),
        )
        if is_accepted:
            before = None if made.by_itself is None else notes_to_json(made.by_itself)
            self.connection.execute(
                "INSERT INTO samples VALUES (?, ?, ?, 0, ?)", (next(self._positions), number, made.line(), before)
            )

    def note(
        self, added_in: int, deleted_in: int | None = None, *, timeline: int = 1, shelf: str = "memory", times: int = 1
    ) -> None:
        self.connection.executemany(
            "INSERT INTO notes (timeline_id, shelf, date, text, added_in, deleted_in) VALUES (?, ?, '', '', ?, ?)",
            [(timeline, shelf, added_in, deleted_in)] * times,
        )

    def put_each(self, made: Iterable[tuple[Made, int]]) -> Shortcuts:
        """Put each conversation on a timeline of its own, which begins with so many notes, and find the shortcuts."""
        for number, (conversation, notes) in enumerate(made, start=1):
            self.put(number, conversation, timeline=number)
            self.note(0, timeline=number, times=notes)
        return read_shortcuts(self.connection)


@pytest.fixture
def state() -> Iterator[State]:
    made = State()
    yield made
    made.close()


def kind(shortcuts: Shortcuts, ability: Ability, form: Form | None = None) -> KindSummary:
    return next(item for item in shortcuts.kinds if (item.ability, item.form) == (ability, form))


def guesses(shortcuts: Shortcuts, name: str) -> Guesses:
    return next(item for item in shortcuts.guesses if item.pair.name == name)


# How full the memory was.


def test_notes_are_counted_as_they_were_before_each_conversation(state: State) -> None:
    for number, ability in enumerate((Ability.SHARE, Ability.RECALL, Ability.FORGET, Ability.ABSTAIN), start=11):
        state.put(number, Made(ability))
    state.put(15, Made(Ability.SHARE), is_accepted=False)
    state.note(0, times=5)  # what the timeline began with
    state.note(0, 12)  # deleted in the recall: there before it, not after
    state.note(11, 13, times=2)
    state.note(11, 11)  # written and deleted at once
    state.note(13)
    state.note(14)
    state.note(0, shelf="diary", times=3)
    state.note(12, shelf="diary")
    state.note(0, timeline=2, times=40)  # another timeline's
    found = read_shortcuts(state.connection)
    expected = {Ability.SHARE: (6, 3), Ability.RECALL: (8, 3), Ability.FORGET: (7, 4), Ability.ABSTAIN: (6, 4)}
    for ability, (notes, pages) in expected.items():
        assert (kind(found, ability).notes.median, kind(found, ability).pages.median) == (notes, pages)
    empty_notebooks(state.connection)
    assert read_shortcuts(state.connection) == found, "what --reset-tools has emptied was there before"


def test_of_a_sample_that_stands_by_itself_its_own_notes_count(state: State) -> None:
    own = Notes(tuple(Note(index, "2026-01-01", "It is so.") for index in (1, 2, 3)), (Note(1, "2026-01-01", "Oh."),))
    state.put(1, Made(Ability.RECALL, by_itself=own))
    state.note(0, times=9)
    found = kind(read_shortcuts(state.connection), Ability.RECALL)
    assert (found.notes, found.pages) == (Spread(1, 3, 3, 3, 3, 3), Spread(1, 1, 1, 1, 1, 1))


# What is told of each ability and form.


def test_each_ability_is_told_in_all_its_forms_and_in_each(state: State) -> None:
    told = "Which boat did I tell you of?"
    made = [
        (Made(Ability.RECALL, Form.NEWEST, question=told, at="2026-03-05T08:30"), 4),
        (Made(Ability.RECALL, Form.NEWEST, at="2026-03-05T20:00"), 8),
        (Made(Ability.RECALL, None, question="So?", calls=(), at="2026-03-05T23:59"), 2),
        (Made(Ability.SHARE, Form.MAYBE_TOLD, calls=(LOOK, ADD)), 1),
        (Made(Ability.SHARE, Form.TOLD, calls=(ADD,), place=3), 1),
        (Made(Ability.SMALLTALK, Form.CHAT, calls=()), 0),
    ]
    found = state.put_each(made)
    assert [(item.ability, item.form, item.conversations) for item in found.kinds] == [
        (Ability.SHARE, None, 2),
        (Ability.SHARE, Form.TOLD, 1),
        (Ability.SHARE, Form.MAYBE_TOLD, 1),
        (Ability.RECALL, None, 3),
        (Ability.RECALL, Form.NEWEST, 2),
        (Ability.SMALLTALK, None, 1),
        (Ability.SMALLTALK, Form.CHAT, 1),
    ]
    recall = kind(found, Ability.RECALL)
    assert recall.notes == Spread(3, 2, 2, 4, 8, 8)
    assert recall.hours == Spread(3, 8, 8, 20, 23, 23)
    assert recall.message_words == Spread(3, 1, 1, 4, 7, 7)
    assert (recall.says_told, recall.looks, recall.adds) == (1, 2, 0)
    share = kind(found, Ability.SHARE)
    assert (share.looks, share.adds, share.looks_first) == (1, 2, 1)
    assert share.exchanges == Spread(2, 1, 1, 1, 3, 3)
    assert kind(found, Ability.SMALLTALK).looks == 0
    text = "\n".join(describe_shortcuts(found))
    assert "  newest " in text
    assert "2 2 4 8 8" in text


# How well simple rules guess.


def test_a_memory_that_is_empty_where_nothing_was_told_is_a_perfect_shortcut(state: State) -> None:
    recall = ((Made(Ability.RECALL, Form.AMONG_MANY), 1 + number % 2) for number in range(40))
    abstain = ((Made(Ability.ABSTAIN, Form.UNRELATED), 0) for _ in range(35))
    found = guesses(state.put_each([*recall, *abstain]), "recall | abstain")
    notes = found.notes
    assert (notes.accuracy.there, notes.accuracy.missing, notes.accuracy.balanced) == (40, 35, 1.0)
    assert (notes.at_least, notes.there_from, notes.distance) == (1, True, 1.0)
    for accuracy in (found.first_word, found.first_pair, found.says_told, found.thought_pair, found.thought_word):
        assert accuracy.balanced == CHANCE, "all of them ask and think the same"
    text = "\n".join(describe_shortcuts(read_shortcuts(state.connection)))
    assert "100.0 % (from 1)" in text


@pytest.mark.parametrize(
    ("rule", "there", "missing"),
    [
        ("first_word", Made(Ability.RECALL, question="Who was it?"), Made(Ability.ABSTAIN)),
        ("first_pair", Made(Ability.RECALL, question="Which one was it?"), Made(Ability.ABSTAIN)),
        ("says_told", Made(Ability.RECALL), Made(Ability.ABSTAIN, question="Which boat was it? I told you.")),
        ("thought_pair", Made(Ability.RECALL, thought="Hm, sure, let me see."), Made(Ability.ABSTAIN)),
        ("thought_word", Made(Ability.RECALL, thought="Hm, let me see it."), Made(Ability.ABSTAIN)),
    ],
)
def test_each_rule_finds_the_shortcut_that_is_its_own(state: State, rule: str, there: Made, missing: Made) -> None:
    found = guesses(state.put_each([(there, 3)] * 40 + [(missing, 3)] * 40), "recall | abstain")
    assert getattr(found, rule).balanced == 1.0
    assert found.notes.accuracy.balanced == CHANCE
    if rule in {"first_pair", "says_told"}:
        assert found.first_word.balanced == CHANCE
    if rule == "thought_word":
        assert (found.thought_pair.balanced, found.best_word) == (CHANCE, "it")


def test_where_everything_is_drawn_alike_no_rule_is_better_than_chance(state: State) -> None:
    draw = random.Random(11)  # noqa: S311 - a test's draw

    def drawn(ability: Ability) -> tuple[Made, int]:
        words = [f"{draw.choice('abcde')}{draw.choice('abcde')}" for _ in range(8)]
        told = draw.choice(["Was it so?", "I told you."])
        made = Made(ability, question=f"{' '.join(words[:3])} {told}", thought=" ".join(words[3:]))
        return made, draw.randint(0, 40)

    made = [drawn(ability) for ability in (Ability.RECALL, Ability.ABSTAIN) for _ in range(600)]
    found = guesses(state.put_each(made), "recall | abstain")
    for accuracy in (found.first_word, found.first_pair, found.says_told, found.thought_pair, found.thought_word):
        assert accuracy.balanced == pytest.approx(CHANCE, abs=0.06)
    assert found.notes.accuracy.balanced <= found.notes.by_chance < 0.55


def test_with_fewer_than_thirty_of_either_it_says_that_they_are_too_few(state: State) -> None:
    recall, abstain = Made(Ability.RECALL), Made(Ability.ABSTAIN)
    found = state.put_each([(recall, 3)] * 29 + [(abstain, 0)] * 50)
    value = next(item for item in shortcuts_as_json(found)["guesses"] if item["there"] == "recall")
    for rule in ("notes", "first_word", "first_pair", "says_told", "thought_pair", "thought_word"):
        assert value[rule]["balanced_accuracy"] is None
        assert (value[rule]["conversations_there"], value[rule]["conversations_missing"]) == (29, 50)
    text = "\n".join(describe_shortcuts(found))
    assert "too few" in text
    assert "100.0 % (from" not in text


def test_what_was_said_above_is_not_asked_of_memory_and_both_sorts_of_a_pair_are_others() -> None:
    by_name = {pair.name: pair for pair in PAIRS}
    assert (Ability.RECALL, Form.SAID_ABOVE) not in by_name["recall | abstain"].there
    assert (Ability.RECALL, None) in by_name["recall | abstain"].there
    assert by_name["forget | never_kept"].missing == {(Ability.FORGET, Form.NEVER_KEPT)}
    for pair in PAIRS:
        assert pair.there, pair.name
        assert pair.missing, pair.name
        assert not pair.there & pair.missing
        for ability, form in pair.there | pair.missing:
            assert form is None or form in FORMS[ability]


def test_forgetting_what_was_never_kept_is_told_from_what_was(state: State) -> None:
    kept = (Made(Ability.FORGET, form) for form in FORMS[Ability.FORGET] if form is not Form.NEVER_KEPT)
    made = [(item, 6) for item in [*kept] * 10] + [(Made(Ability.FORGET, Form.NEVER_KEPT), 2)] * 30
    notes = guesses(state.put_each(made), "forget | never_kept").notes
    assert (notes.accuracy.there, notes.accuracy.missing, notes.accuracy.balanced) == (40, 30, 1.0)


# What repeats.


def test_a_fact_repeats_from_user_to_user_and_not_within_the_life_of_one(state: State) -> None:
    dog, boat = ("dog_name", "Bello"), ("boat_name", "Bello")
    for number, (timeline, facts, topic) in enumerate(
        [(1, (dog,), "rain"), (1, (dog,), "rain"), (2, (dog, boat), "rain"), (3, (("dog_name", ""),), "bread")], start=1
    ):
        state.put(number, Made(Ability.RECALL, facts=facts, topic=topic), timeline=timeline)
    found = read_shortcuts(state.connection)
    assert (found.facts.count, found.facts.distinct) == (3, 2)
    assert found.facts.most_frequent == (("dog_name: Bello", 2), ("boat_name: Bello", 1))
    assert (found.topics.count, found.topics.distinct) == (4, 2)
    assert found.topics.most_frequent[0] == ("rain", 3)


def test_a_brief_of_the_first_version_is_passed_over(state: State) -> None:
    state.put(1, Made(Ability.RECALL))
    state.put(2, Made(Ability.RECALL))
    state.connection.execute(
        """UPDATE conversations SET plan = '{"date": "2025-01-01", "topic": "tea"}' WHERE id = 1"""
    )
    assert kind(read_shortcuts(state.connection), Ability.RECALL).conversations == 1


def test_of_a_run_without_conversations_nothing_is_told(state: State) -> None:
    found = read_shortcuts(state.connection)
    assert found.kinds == ()
    assert describe_shortcuts(found) == []
    json.dumps(shortcuts_as_json(found))


# What the file alone tells.


def test_closing_questions_are_counted_with_tools_and_without() -> None:
    tally = Tally()
    used = [Message("assistant", f"<think>Hm.</think>\n\nOne moment?\n\n{LOOK}"), Message("tool", RESULT)]
    asking, telling = (Message("assistant", f"<think>So.</think>\n\n{text}") for text in ("And you?", "It rains."))
    hello = Message("user", "Hello.")
    tally.count([hello, *used, asking, hello, telling], 1)
    tally.count([hello, *used, telling, hello, asking], 2)
    tally.count([hello, telling, hello, asking, hello], 3)
    file = _file_stats(tally)
    assert file.closings == Closings(with_tools=2, asking_with_tools=1, without_tools=4, asking_without_tools=2)
    value = habits_as_json(file.closings, file.beginnings)["closing_questions"]
    assert value["with_tools"] == {"exchanges": 2, "asking": 1, "share": 0.5}
    assert "50.0 % of 2 exchanges with tools, 50.0 % of 4" in describe_habits(file.closings, file.beginnings)[0]


def test_beginnings_are_told_with_the_ten_most_frequent_and_their_entropy() -> None:
    tally = Tally()
    for number in range(8):
        begin = ("Oh yes" if number < 4 else "Oh no") + f" {number}"
        tally.count(
            [Message("user", "Hello."), Message("assistant", f"<think>{begin}.</think>\n\nWord{number}.")], number
        )
    found = _file_stats(tally).beginnings
    assert found["first_thoughts"].first_word == Openings(8, 1, 0.0, (("oh", 8),))
    assert found["first_thoughts"].first_pair == Openings(8, 2, 1.0, (("oh no", 4), ("oh yes", 4)))
    assert found["replies"].first_word.entropy == pytest.approx(3)
    assert found["later_thoughts"].first_word == Openings(0, 0, 0.0, ())
    assert found["later_thoughts"].first_word.largest_share == 0
    assert len(Openings.of(Counter({f"w{number}": 1 for number in range(30)})).most_frequent) == 10


# The whole.


def test_the_shortcuts_of_real_conversations_are_those_that_a_reader_found(tmp_path: Path) -> None:
    """Of 200 conversations of an earlier version, before whose plan was mended: an empty memory gives it away."""
    stats = read_stats(write_real_state(tmp_path), DEFAULT_MIX)
    assert stats.run is not None
    found = stats.run.shortcuts
    accepted = [real for real in real_conversations() if not real.was_rejected]
    assert sum(item.conversations for item in found.kinds if item.form is None) == len(accepted)
    for ability in (Ability.RECALL, Ability.ABSTAIN, Ability.FORGET):
        before = [
            len(real.case.change.before.memory) for real in accepted if real.case.brief.scenario.ability is ability
        ]
        assert kind(found, ability).notes == Spread.of(Counter(before)), ability
    assert kind(found, Ability.ABSTAIN).notes.upper_quartile == 0
    assert kind(found, Ability.RECALL).notes.smallest == 1
    abstain = kind(found, Ability.ABSTAIN)
    assert abstain.says_told > abstain.conversations * 0.8
    assert kind(found, Ability.SMALLTALK).looks == kind(found, Ability.ADVICE).looks == 0
    closings = stats.file.closings
    assert closings.asking_with_tools / closings.with_tools > 0.7
    assert closings.asking_without_tools / closings.without_tools < 0.2
    text = describe_stats(stats)
    assert text.index("Shortcuts: what a model could learn") < text.index("recall | abstain")


def keys_of(value: object) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set(value) | {key for item in value.values() for key in keys_of(item)} if isinstance(value, dict) else set()


def test_each_key_of_the_json_is_documented(state: State) -> None:
    found = state.put_each([(Made(Ability.RECALL, Form.NEWEST, facts=(("dog_name", "Bello"),)), 3)])
    for key in keys_of(shortcuts_as_json(found)):
        assert f"`{key}`" in (shortcuts_as_json.__doc__ or "")
    tally = Tally()
    tally.count([Message("user", "Hello."), Message("assistant", "<think>Hm.</think>\n\nHello.")], 1)
    file = _file_stats(tally)
    for key in keys_of(habits_as_json(file.closings, file.beginnings)):
        assert f"`{key}`" in (habits_as_json.__doc__ or "")
