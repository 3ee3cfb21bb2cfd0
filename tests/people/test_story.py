"""What is known of a user after a conversation: what was planned, as far as Ada wrote it down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.people.scenario import Ability, Fact, KnownFact, Scenario
from apep_datagen.people.story import Story, connected_pair, notes_that_hold, story_after, told_before
from support import briefs

DOG = Fact("dog", "Bello", ("Bello",), ("dog",), "my dog is called Bello", "what my dog is called")
REX = replace(DOG, value="Rex", forms=("Rex",), tell="my new dog is called Rex")
CAT = Fact("cat", "Mitzi", ("Mitzi", "Mizzi"), ("cat",), "my cat is called Mitzi", "what my cat is called")
OWL = Fact("owl", "owl", ("owl", "windowsill"), (), "an owl came", "the visitor", "diary")
AT = "2026-03-14T19:40"
STORY = Story(briefs.USER, "2026-03-01T10:00", (KnownFact(DOG, "2026-02-01"),), ("dog",))


def after(ability: Ability, *facts: Fact, memory: tuple[str, ...] = (), diary: tuple[str, ...] = ()) -> Story:
    notes = Notes(
        tuple(Note(index, "2026-03-14", text) for index, text in enumerate(memory, start=1)),
        tuple(Note(index, "2026-03-14", text) for index, text in enumerate(diary, start=1)),
    )
    scenario = Scenario(ability, "the rain", "calm", "short", "…", facts)
    return story_after(STORY, scenario, AT, notes)


def test_what_was_told_and_written_down_is_known_from_that_day_on() -> None:
    story = after(Ability.SHARE, CAT, memory=("Bello the dog", "Their cat is Mizzi"))
    assert story.known == (KnownFact(DOG, "2026-02-01"), KnownFact(CAT, "2026-03-14"))
    assert (story.at, story.used, story.user) == (AT, ("dog", "cat"), briefs.USER)
    assert told_before(story.known, "2026-03-14") == [KnownFact(DOG, "2026-02-01")]
    assert told_before(story.known, "2026-03-15") == list(story.known)


def test_what_was_not_written_down_is_not_known_but_not_told_anew() -> None:
    story = after(Ability.SHARE, CAT, memory=("Bello the dog",))
    assert story.known == STORY.known
    assert story.used == ("dog", "cat")


def test_what_has_changed_takes_the_place_of_what_was_known() -> None:
    story = after(Ability.UPDATE, REX, memory=("Their dog is Rex",))
    assert story.known == (KnownFact(REX, "2026-03-14"),)
    assert story.used == ("dog",)


def test_a_slot_has_one_value_even_if_the_note_with_the_old_one_was_left() -> None:
    """Where only the form is judged, Ada may keep the old note."""
    story = after(Ability.UPDATE, REX, memory=("Bello the dog", "Their dog is Rex"))
    assert story.known == (KnownFact(REX, "2026-03-14"),)


def test_it_is_known_which_facts_were_connected() -> None:
    story = after(Ability.CONNECT, DOG, CAT, memory=("Bello the dog", "Mitzi the cat"))
    assert story.used == ("dog", "cat", connected_pair("dog", "cat"))
    assert connected_pair("dog", "cat") not in after(Ability.SHARE, DOG, CAT).used


def test_what_is_forgotten_is_not_known_any_more() -> None:
    story = after(Ability.FORGET, DOG)
    assert (story.known, story.used) == ((), ("dog",))


SHARED = (KnownFact(DOG, "2026-02-01", shared_with="cat"), KnownFact(CAT, "2026-02-01", shared_with="dog"))


def test_two_that_shared_a_note_do_so_only_as_long_as_they_stand_in_one() -> None:
    """Who changes one of them may write the other into a note of its own: of that one no half can be forgotten."""
    scenario = Scenario(Ability.UPDATE, "the rain", "calm", "short", "…", (REX,))
    for texts, shared_with in (
        (("Their dog is Rex", "Their cat is Mizzi"), ""),
        (("Rex the dog, Mizzi the cat",), "dog"),
    ):
        notes = Notes(tuple(Note(index, "2026-03-14", text) for index, text in enumerate(texts, start=1)))
        story = story_after(replace(STORY, known=SHARED), scenario, AT, notes)
        assert {item.fact: item.shared_with for item in story.known} == {CAT: shared_with, REX: ""}


@pytest.mark.parametrize("ability", [Ability.RECALL, Ability.CONNECT])
def test_it_is_counted_how_often_a_fact_was_asked_for(ability: Ability) -> None:
    story = after(ability, DOG, memory=("Bello the dog",))
    assert story.known == (KnownFact(DOG, "2026-02-01", 1),)


@pytest.mark.parametrize("ability", [Ability.SMALLTALK, Ability.ADVICE])
def test_chatting_changes_only_the_time(ability: Ability) -> None:
    assert after(ability, memory=("Bello the dog",)) == replace(STORY, at=AT)


def test_what_was_asked_for_and_never_told_is_not_told_later() -> None:
    story = after(Ability.ABSTAIN, replace(CAT, value="", forms=()), memory=("Bello the dog",))
    assert (story.known, story.used) == (STORY.known, ("dog", "cat"))


def test_a_moment_is_known_where_a_page_is_about_it() -> None:
    story = after(Ability.DIARY, OWL, memory=("Bello the dog", "An owl"), diary=("On the windowsill",))
    assert story.known == (*STORY.known, KnownFact(OWL, "2026-03-14"))
    assert after(Ability.DIARY, OWL, memory=("Bello the dog", "An owl")).known == STORY.known


def test_notes_are_looked_for_where_the_fact_is_kept() -> None:
    notes = Notes((Note(1, AT, "Bello"), Note(2, AT, "An owl")), (Note(1, AT, "The owl"), Note(2, AT, "BELLO")))
    assert notes_that_hold(DOG, notes) == [Note(1, AT, "Bello")]
    assert notes_that_hold(OWL, notes) == [Note(1, AT, "The owl")]
