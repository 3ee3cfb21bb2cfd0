"""A rehearsal draws what a run draws, and keeps in memory what Ada should keep."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.notebook import Notebook
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.rehearsal import RehearsedConversation, _write, rehearse
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import ASKING, Ability, Fact, Form, KnownFact
from apep_datagen.people.story import Story
from support.briefs import BRIEF, SCENARIO, USER

PROMPTS, CAST = load_prompts(), load_cast()


def rehearsed(count: int = 300, in_flight: int = 16, seed: int = 1, length: int = 12) -> list[RehearsedConversation]:
    source = BriefSource(seed, (1, 4), 3, PROMPTS, CAST, DEFAULT_MIX, "2025-01-01", "2026-12-31")
    return list(rehearse(source, count, in_flight, timeline_length=length))


@pytest.mark.parametrize(("count", "in_flight"), [(1, 1), (1, 200), (100, 1), (100, 16), (100, 200)])
def test_exactly_as_many_are_drawn_as_are_missing(count: int, in_flight: int) -> None:
    drawn = rehearsed(count, in_flight)
    assert [item.brief.conversation_id for item in drawn] == list(range(1, count + 1))


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    assert rehearsed(100) == rehearsed(100)
    assert rehearsed(100) != rehearsed(100, seed=2)


@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_timeline_goes_on_where_it_was_and_ends_at_its_length(in_flight: int) -> None:
    by_timeline: defaultdict[int, list[Brief]] = defaultdict(list)
    for item in rehearsed(in_flight=in_flight, length=5):
        by_timeline[item.brief.timeline_id].append(item.brief)
    assert max(map(len, by_timeline.values())) == 5
    for briefs in by_timeline.values():
        assert [brief.at for brief in briefs] == sorted({brief.at for brief in briefs})
        assert {brief.user for brief in briefs} == {briefs[0].user}
    open_at_once = len(by_timeline) - sum(len(briefs) == 5 for briefs in by_timeline.values())
    assert open_at_once <= in_flight


def test_memory_grows_by_what_is_told_and_by_nothing_that_is_asked() -> None:
    before: dict[int, RehearsedConversation] = {}
    told = asked = 0
    for item in rehearsed(in_flight=1):
        last = before.get(item.brief.timeline_id)
        before[item.brief.timeline_id] = item
        if last is None:
            continue
        scenario, gained = last.brief.scenario, (item.notes - last.notes, item.pages - last.pages)
        if scenario.ability in ASKING | {Ability.ABSTAIN, Ability.SMALLTALK, Ability.ADVICE}:
            assert gained == (0, 0)
            asked += 1
        elif scenario.ability is Ability.SHARE and scenario.form in {None, Form.TOLD, Form.TWO_AT_ONCE}:
            assert gained == (len(scenario.facts), 0)
            told += 1
        elif scenario.ability is Ability.DIARY and scenario.form in {None, Form.MOMENT}:
            assert gained == (0, 1)
            told += 1
    assert min(told, asked) > 30


# What Ada should do.

DOG = Fact("dog", "Bello", ("Bello",), ("dog",), "my dog is called Bello", "")
CAT = Fact("cat", "Mia", ("Mia",), ("cat",), "my cat is called Mia", "")
NEW_DOG = replace(DOG, value="Rex", forms=("Rex",), tell="my dog is called Rex")
PAGE = replace(CAT, slot="page", shelf="diary")


def after(
    ability: Ability,
    *facts: Fact,
    form: Form | None = None,
    replaced: Fact | None = None,
    notes: tuple[str, ...] = (),
    story: Story | None = None,
) -> Notebook:
    notebook = Notebook()
    notebook.add("memory", notes)
    scenario = replace(SCENARIO, ability=ability, facts=facts, form=form, replaced=replaced)
    _write(notebook, replace(BRIEF, scenario=scenario), story or Story(USER))
    return notebook


def kept(notebook: Notebook) -> int:
    return len(notebook.memory)


def test_what_is_told_is_kept_once() -> None:
    assert kept(after(Ability.SHARE, DOG, CAT)) == 2
    assert kept(after(Ability.SHARE, DOG, form=Form.KNOWN_ALREADY, notes=("Bello is the user's dog.",))) == 1
    assert kept(after(Ability.SHARE, DOG, form=Form.PASSING)) == 0
    assert kept(after(Ability.RECALL, DOG)) == 0
    both = after(Ability.DIARY, DOG, PAGE)
    assert (len(both.memory), len(both.diary)) == (1, 1)


def test_what_was_so_goes_when_it_changes() -> None:
    changed = after(Ability.UPDATE, NEW_DOG, replaced=DOG, notes=("Bello is the user's dog.", "Rain suits them."))
    assert [note.text.split()[0] for note in changed.memory] == ["Rain", "my"]
    assert kept(after(Ability.UPDATE, NEW_DOG, replaced=DOG)) == 1
    twice = ("Bello is the user's dog.", "They walk their dog Bello.")
    assert kept(after(Ability.UPDATE, NEW_DOG, replaced=DOG, notes=twice)) == 1


def test_what_is_to_be_forgotten_goes_and_nothing_else() -> None:
    notes = ("Bello is the user's dog.", "Mia is the user's cat.", "Bello is what they call the wind.")
    assert kept(after(Ability.FORGET, DOG, notes=notes)) == 2
    assert kept(after(Ability.FORGET, DOG, form=Form.NEVER_KEPT, notes=notes[1:])) == 2


def test_the_other_half_of_a_note_stays() -> None:
    story = Story(USER, known=(KnownFact(DOG, "2026-01-01", shared_with="cat"), KnownFact(CAT, "2026-01-01")))
    notes = ("The user's dog is Bello, and the cat Mia.",)
    half = after(Ability.FORGET, DOG, form=Form.HALF, notes=notes, story=story)
    assert [("Mia" in note.text, "Bello" in note.text) for note in half.memory] == [(True, False)]
    other = after(Ability.FORGET, CAT, form=Form.HALF, notes=notes, story=story)
    assert [("Mia" in note.text, "Bello" in note.text) for note in other.memory] == [(False, True)]
