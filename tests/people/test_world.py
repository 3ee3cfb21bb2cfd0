"""The program's own tables keep the rules that a proposal has to keep: `grow` would refuse none of them.

The tables may be on their way: what is not there is not looked at.
"""

from __future__ import annotations

from collections import Counter

import pytest

from apep_datagen.core.templates import files_of_prompts
from apep_datagen.grow.kinds import alike_kinds, faults_of_kind, faults_of_value
from apep_datagen.grow.moments import faults_of_moment
from apep_datagen.grow.topics import TOPIC_KEYS, Topics, faults_of_topic
from apep_datagen.people.cast import load_cast
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import Slot, TwinKind, WorldFile, world_files

FILES = {path.name: file for path, file in world_files()}
WORDS = {path.stem: path for path in files_of_prompts("world/words", ".txt", None)}
VOCABULARY = Vocabulary()

pytestmark = pytest.mark.skipif(not FILES, reason="the tables of the world are not there")


def files_with(key: str) -> list[str]:
    return [name for name, file in FILES.items() if getattr(file, key)]


def faults_of(file: WorldFile) -> dict[str, list[str]]:
    found = {kind.slot: list(faults_of_kind(kind, VOCABULARY)) for kind in file.facts}
    for kind in file.facts:
        found[kind.slot] += [fault for forms in kind.values for fault in faults_of_value(forms, VOCABULARY)]
    return {slot: faults for slot, faults in found.items() if faults}


@pytest.mark.parametrize("name", files_with("facts"))
def test_each_kind_recognises_its_own_notes_and_gives_nothing_away(name: str) -> None:
    assert faults_of(FILES[name]) == {}


@pytest.mark.parametrize("name", files_with("moments"))
def test_each_page_is_recognised_as_one_of_its_moment(name: str) -> None:
    found = {moment.slot: list(faults_of_moment(moment)) for moment in FILES[name].moments}
    assert {slot: faults for slot, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", files_with("twins"))
def test_the_notes_of_twins_are_recognised_and_their_question_says_neither(name: str) -> None:
    def as_kind(twin: TwinKind, which: str) -> Slot:
        notes = tuple(note.replace("{which}", which) for note in twin.notes)
        return Slot(slot=twin.slot, tell="it is {value}", ask=twin.ask, cues=twin.cues, values=twin.values, notes=notes)

    # Of twins there are no near misses, and as few notes as two.
    of_a_kind_alone = ("notes, and", "notes in beside, and")
    found = {
        twin.slot: [
            fault
            for fault in faults_of_kind(as_kind(twin, "Zyxwina"), VOCABULARY)
            if not any(words in fault for words in of_a_kind_alone)
        ]
        for twin in FILES[name].twins
    }
    assert {slot: faults for slot, faults in found.items() if faults} == {}


@pytest.mark.parametrize("key", TOPIC_KEYS)
def test_topics_are_keywords_and_no_two_are_nearly_the_same(key: str) -> None:
    known = Topics([])
    found = {}
    for topic in (topic for file in FILES.values() for topic in getattr(file, key)):
        if faults := [*faults_of_topic(topic), *([like] if (like := known.alike(topic)) else [])]:
            found[topic] = faults
        known.add(topic)
    assert found == {}


def test_no_two_kinds_are_asked_for_in_the_same_words() -> None:
    seen: list[Slot] = []
    found = []
    for kind in (kind for file in FILES.values() for kind in file.facts):
        found += [(kind.slot, like.slot) for like, how in alike_kinds(kind, seen) if "in the same words" in how]
        seen.append(kind)
    assert found == []


def test_what_a_kind_needs_some_user_has() -> None:
    users = load_cast().users
    known = {trait for given in (*users.jobs, *users.animals) for trait in given.traits}
    known |= {trait for part in users.life for trait in (part.trait, part.otherwise)}
    known |= {"under_25", "25_to_60", "over_60"}
    kinds: list[Slot | TwinKind] = []
    for file in FILES.values():
        kinds += [*file.facts, *file.twins]
    assert {kind.slot: set(kind.needs) - known for kind in kinds if set(kind.needs) - known} == {}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_of_a_list_stands_there_once_and_means_one_thing(name: str) -> None:
    lines = [line.strip() for line in WORDS[name].read_text(encoding="utf-8").splitlines() if line.strip()]
    spelled = [(form, line) for line in lines for form in {form.casefold() for form in line.split(" | ")}]
    seen = Counter(form for form, _ in spelled)
    assert [(form, line) for form, line in spelled if seen[form] > 1] == []
