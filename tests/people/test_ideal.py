"""What Ada writes down and deletes, where she does all that she should."""

from __future__ import annotations

from dataclasses import replace

from apep_datagen.core.notebook import Notebook
from apep_datagen.people.ideal import IdealTimeline
from apep_datagen.people.scenario import Ability, Fact, Form, KnownFact
from apep_datagen.people.story import Story
from support.briefs import SCENARIO, USER

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
    return IdealTimeline(story or Story(USER), notebook).after(scenario, "2026-01-31T19:40", 1).notebook


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
