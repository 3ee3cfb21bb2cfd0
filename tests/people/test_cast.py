"""The files that users and scenarios are made of: each mistake is told, and those that are shipped fit together."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.core.words import holds
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability
from support.world import CAST, values_of

FACT = """
[[facts]]
slot = "x"
tell = "my x is {value}"
ask = "what my x is"
cues = ["x"]
values = ["one", "two"]
"""


def shipped(name: str) -> str:
    """Return a file that comes with the program; a `facts.toml` is none of them, and takes the place of all kinds."""
    return FACT if name == "facts.toml" else path_of_prompt(name, None).read_text(encoding="utf-8")


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text, f"{old!r} is not in the file any more"
        return text.replace(old, new, 1)

    return change


def written(text: str) -> Callable[[str], str]:
    return lambda _: text


def added(text: str) -> Callable[[str], str]:
    return lambda before: f"{before}\n{text}\n"


def fact_with(old: str, new: str) -> Callable[[str], str]:
    return written(replaced(old, new)(FACT))


MISTAKES: list[tuple[str, Callable[[str], str], tuple[str, ...]]] = [
    # users.toml
    ("users.toml", written("names = ["), ("no valid TOML",)),
    ("users.toml", written(""), ("names: Field required", "animals: Field required")),
    (
        "users.toml",
        replaced("names = [", "nams = ["),
        ("nams: there is no such key; there are names, ages", "names: Field"),
    ),
    ("users.toml", replaced("ages = [", 'ages = ["young", '), ("ages.0", "valid integer", "'young'")),
    ("users.toml", replaced("ages = [", "ages = [0, "), ("ages.0", "greater than or equal to 1")),
    ("users.toml", replaced("places = [", 'places = ["", '), ("places.0", "at least 1 character")),
    (
        "users.toml",
        replaced("\nanimals = [", "\nanimals = []\nunused = ["),
        ("animals", "at least 1 item"),
    ),
    ("users.toml", added('[person]\nname = "Marta"'), ("person.age: Field required",)),
    ("users.toml", added('[person]\nhobby = "x"'), ("person.hobby: there is no such key; there are name, age",)),
    # facts.toml
    ("facts.toml", written("[[facts]"), ("no valid TOML",)),
    ("facts.toml", written("connections = []"), ("there are no [[facts]]",)),
    ("facts.toml", written("facts = []"), ("there are no [[facts]]",)),
    ("facts.toml", written(f'{FACT}notes = ["The x is one."]'), ("facts.0", "x: notes must contain {value}")),
    ("facts.toml", written(f'{FACT}was = ["The x was one."]'), ("facts.0", "x: was must contain {value}")),
    ("facts.toml", fact_with('"two"', '"a {thing}"'), ("x: 'a {thing}' has something in braces", "surnames")),
    ("facts.toml", fact_with('"two"', '"{numbers 9-2}"'), ("x: '{numbers 9-2}' has something in braces",)),
    (
        "facts.toml",
        written(f'{FACT}[[twins]]\nslot="y"\nwhich=["a"]\nvalues=["b"]\nnotes=["{{value}}"]\nask="?"\ncues=["c"]'),
        ("y: notes must contain {value} and {which}",),
    ),
    ("facts.toml", fact_with("{value}", "{values}"), ("facts.0", "x: tell must contain {value}")),
    ("facts.toml", written(f'{FACT}change = "another"'), ("facts.0", "x: change must contain {value}")),
    ("facts.toml", fact_with('ask = "what my x is"\n', ""), ("facts.0.ask: Field required",)),
    ("facts.toml", fact_with('cues = ["x"]', "cues = []"), ("facts.0.cues", "at least 1 item")),
    ("facts.toml", fact_with('["one", "two"]', '["one"]'), ("facts.0", "x: there must be two values at least")),
    ("facts.toml", fact_with('["one", "two"]', '["one", []]'), ("facts.0.values.1", "at least 1 item")),
    ("facts.toml", fact_with('["one", "two"]', '["one", 2.5]'), ("facts.0.values.1", "tuple")),
    (
        "facts.toml",
        written(f'{FACT}hint = "a"'),
        ("facts.0.hint: there is no such key; there are slot, of, tell, ask",),
    ),
    ("facts.toml", written(FACT + FACT), ("slot x is there twice",)),
    ("facts.toml", written(f'{FACT}[[moments]]\nslot="x"\ntell="a"\nask="b"\nforms=["a"]'), ("slot x is there twice",)),
    ("facts.toml", written(f'{FACT}[[moments]]\nslot="y"\ntell="a"\nask="b"'), ("moments.0.forms: Field required",)),
    (
        "facts.toml",
        written(f'{FACT}[[connections]]\nslots = ["x", "y"]\nask = "Which?"'),
        ("a connection names the slot y, which no [[facts]] has",),
    ),
    ("facts.toml", written(f'{FACT}[[connections]]\nslots = ["x", "x"]\nask = "?"'), ("names the slot x twice",)),
    ("facts.toml", written(f'{FACT}[[connections]]\nslots = ["x"]\nask = "?"'), ("connections.0.slots",)),
    # scenarios.toml
    ("scenarios.toml", written("topics = \n"), ("no valid TOML",)),
    ("scenarios.toml", replaced("moods = [", "mood = ["), ("mood: there is no such key; there are topics, moods",)),
    ("scenarios.toml", replaced("[abilities.connect]", "[abilities.join]"), ("abilities.join",)),
    ("scenarios.toml", added("style = 5"), ("abilities.advice.style: there is no such key; there are instruction",)),
    (
        "scenarios.toml",
        replaced("What it is about: {{ topic }}", "What it is about: {{ theme }}"),
        ("abilities.advice.instruction", "'theme' is undefined", "its variables are topic, mood, style, length"),
    ),
    (
        "scenarios.toml",
        replaced("What it is about: {{ topic }}", "{% if topic %}"),
        ("abilities.advice.instruction", "endif"),
    ),
    (
        "scenarios.toml",
        replaced(
            'Ask Ada this, in your own words and with both halves of the question: "{{ question }}"', "{{ 1 / 0 }}"
        ),
        ("abilities.connect.instruction", "division by zero"),
    ),
    (
        "scenarios.toml",
        replaced('"wistful"', '{ text = "wistful", hours = [9, 9] }'),
        ("moods", "wistful: hours go from an earlier one to a later one"),
    ),
    ("scenarios.toml", replaced('"wistful"', '{ text = "wistful", hours = [9, 25] }'), ("hours.1", "24")),
    ("scenarios.toml", replaced('"wistful"', "{ hours = [9, 12] }"), ("text: Field required",)),
    (
        "scenarios.toml",
        lambda text: re.sub(r"(?s)\nmoods = \[.*?\n\]", '\nmoods = [{ text = "tired", hours = [7, 24] }]', text),
        ("none of the moods fits the hour 0",),
    ),
    # thoughts.toml
    ("thoughts.toml", written("ways_of_thinking = ["), ("no valid TOML",)),
    ("thoughts.toml", written("ways_of_thinking = []"), ("ways_of_thinking", "at least 1 item")),
    ("thoughts.toml", written('ways = ["dry"]'), ("ways: there is no such key; there are ways_of_thinking",)),
    # phrases.toml
    ("phrases.toml", written("refusals = ["), ("no valid TOML",)),
    ("phrases.toml", replaced("refusals = [", "refusal = ["), ("refusal: there is no such key; there are refusals",)),
    ("phrases.toml", replaced("refusals = [", 'refusals = ["…", '), ("refusals.0", "at least one word")),
    (
        "phrases.toml",
        replaced("[intents]", '[intents]\nsing = ["sing"]'),
        ("intents", "there is no tool sing; the tools"),
    ),
]


@pytest.mark.parametrize(("name", "change", "said"), MISTAKES)
def test_a_mistake_is_told_with_file_key_and_what_is_right(
    tmp_path: Path, name: str, change: Callable[[str], str], said: tuple[str, ...]
) -> None:
    path = tmp_path / name
    path.write_text(change(shipped(name)), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_cast(tmp_path)
    message = str(caught.value)
    assert all(line.startswith(str(path)) for line in message.splitlines())
    for part in said:
        assert part in message


@pytest.mark.parametrize("name", ["users.toml", "facts.toml", "scenarios.toml", "thoughts.toml", "phrases.toml"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_cast(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("name", ["users.toml", "world/people.toml", "scenarios.toml", "thoughts.toml", "phrases.toml"])
def test_a_file_is_read_with_a_byte_order_mark_and_the_others_are_the_programs_own(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(shipped(name), encoding="utf-8-sig")
    cast = load_cast(tmp_path)
    assert (cast.users, cast.scenarios, cast.phrases) == (CAST.users, CAST.scenarios, CAST.phrases)
    assert (cast.slots, cast.connections, cast.moments) == (CAST.slots, CAST.connections, CAST.moments)
    assert cast.ways_of_thinking == CAST.ways_of_thinking


def test_a_value_may_stand_alone_or_with_other_spellings(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACT.replace('"two"', '["two", "2"]'), encoding="utf-8")
    slot = load_cast(tmp_path).slots["x"]
    assert slot.values == (("one",), ("two", "2"))
    fact = slot.fact(slot.values[1])
    assert (fact.value, fact.forms, fact.tell, fact.shelf) == ("two", ("two", "2"), "my x is two", "memory")


def test_a_mood_is_a_text_or_says_at_which_hours_it_fits(tmp_path: Path) -> None:
    moods = 'moods = ["calm", { text = "sleepy", hours = [22, 24] }, { text = "hungry", hours = [7, 13] }]'
    text = re.sub(r"(?s)\nmoods = \[.*?\n\]", f"\n{moods}", shipped("scenarios.toml"))
    (tmp_path / "scenarios.toml").write_text(text, encoding="utf-8")
    scenarios = load_cast(tmp_path).scenarios
    assert [scenarios.moods_at(hour) for hour in (0, 6, 7, 12, 13, 21, 22, 23)] == [
        ("calm",),
        ("calm",),
        ("calm", "hungry"),
        ("calm", "hungry"),
        ("calm",),
        ("calm",),
        ("calm", "sleepy"),
        ("calm", "sleepy"),
    ]


def test_an_instruction_of_an_earlier_version_is_still_read(tmp_path: Path) -> None:
    """It knows nothing of when Ada was told, and its moods are texts."""
    text = re.sub(r"\{ text = (\".*?\"), hours = .*? \}", r"\1", shipped("scenarios.toml"))
    assert "hours =" not in text
    text = text.replace("{{ told }}", "on another day").replace("{{ told | capitalize }}", "On another day")
    assert "told }}" not in text
    (tmp_path / "scenarios.toml").write_text(text, encoding="utf-8")
    cast = load_cast(tmp_path)
    assert cast.scenarios.moods_at(7) == tuple(mood.text for mood in CAST.scenarios.moods)
    assert cast.ways_of_thinking == CAST.ways_of_thinking


def test_a_directory_of_the_users_adds_to_the_world_or_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "own.toml").write_text(FACT, encoding="utf-8")
    assert set(load_cast(tmp_path).slots) == {*CAST.slots, "x"}
    (tmp_path / "world" / "moments.toml").write_text(FACT.replace('"x"', '"y"', 1), encoding="utf-8")
    cast = load_cast(tmp_path)
    assert set(cast.slots) == {*CAST.slots, "x", "y"}
    assert not cast.moments
    (tmp_path / "facts.toml").write_text(FACT.replace('"x"', '"z"', 1), encoding="utf-8")
    assert set(load_cast(tmp_path).slots) == {"x", "y", "z"}


# What is shipped.


def test_no_value_is_a_part_of_another_of_its_kind() -> None:
    for slot in CAST.slots.values():
        plain = [forms for forms in slot.values if not any("{" in form for form in forms)]
        for one, other in itertools.permutations(plain, 2):
            assert not holds(" / ".join(one), other), slot.slot


def test_no_value_stands_in_a_question_for_it() -> None:
    asked = {slot.slot: [slot.ask, *slot.occasions] for slot in CAST.slots.values()}
    for connection in CAST.connections:
        for name in connection.slots:
            asked[name].append(connection.ask)
    for slot in CAST.slots.values():
        forms = [form for spelled in values_of(slot) for form in spelled]
        assert [text for text in asked[slot.slot] if holds(text, forms)] == [], slot.slot


def test_what_is_noted_is_recognised() -> None:
    for slot in CAST.slots.values():
        for forms, note in itertools.product(values_of(slot)[:1], slot.notes):
            assert holds(note.replace("{value}", forms[0]), forms), (slot.slot, note)
            assert holds(note, slot.cues), (slot.slot, note)
        assert holds(slot.tell, slot.cues), slot.slot


def test_no_value_is_a_phrase_by_which_something_else_is_recognised() -> None:
    phrases = CAST.phrases
    lists = (phrases.refusals, phrases.machine_talk, phrases.ada_voice, phrases.prompt_talk, phrases.admissions)
    texts = " / - / ".join(form for slot in CAST.slots.values() for forms in values_of(slot) for form in forms)
    assert [phrase for phrase in itertools.chain(*lists) if holds(texts, (phrase,))] == []


def test_no_question_is_an_admission_or_shows_that_it_was_told_what_to_ask() -> None:
    """What she says again in her answer would be taken for one."""
    phrases = CAST.phrases
    asked = [slot.ask for slot in CAST.slots.values()] + [moment.ask for moment in CAST.moments.values()]
    asked += [connection.ask for connection in CAST.connections]
    texts = " / - / ".join(asked)
    assert [phrase for phrase in (*phrases.admissions, *phrases.prompt_talk) if holds(texts, (phrase,))] == []


def test_the_first_word_for_a_moment_is_in_the_sentence_that_tells_it_and_not_in_the_question_for_it() -> None:
    for moment in CAST.moments.values():
        assert holds(moment.tell, moment.forms), moment.slot
        assert not holds(moment.ask, moment.forms[:1]), moment.slot
        assert all(holds(page, moment.forms) for page in moment.pages), moment.slot


def test_there_is_enough_to_draw_from() -> None:
    world, slots = CAST.world, CAST.slots.values()
    assert len({*world.topics, *world.smalltalk_topics, *world.advice_topics}) >= 1_000
    assert all(len(CAST.topics(ability)) >= 60 for ability in Ability)
    assert len(slots) >= 300
    assert sum(world.vocabulary.count(forms[0]) for slot in slots for forms in slot.values) >= 100_000
    assert all(len(slot.notes) >= 4 and len(slot.beside) >= 2 for slot in slots)
    assert all(slot.was for slot in slots if slot.change)
    assert all(len(moment.pages) >= 2 for moment in CAST.moments.values())
    assert len(CAST.moments) >= 60
    assert len(CAST.connections) >= 60
    assert len(world.twins) >= 20
    assert len(world.trifles) >= 100
    assert sum(bool(slot.change) for slot in slots) >= 100
    assert len(CAST.ways_of_thinking) >= 12
    assert all(len(CAST.scenarios.moods_at(hour)) >= 24 for hour in range(24))
    for key in ("users.toml", "scenarios.toml", "thoughts.toml"):
        for values in tomllib.loads(shipped(key)).values():
            if isinstance(values, list) and values and isinstance(values[0], str):
                assert len(values) == len(set(values)), key
