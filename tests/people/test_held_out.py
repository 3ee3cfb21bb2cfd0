"""A part of the tables is held out for good: generation draws nothing of it, evaluation nothing else, and enough."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.rehearsal import RehearsedConversation, rehearse
from apep_datagen.people.cast import Cast, _Thoughts, load_cast
from apep_datagen.people.drawing import draw_scenario, draw_user, generator, possible_abilities
from apep_datagen.people.held_out import Part, is_held_out, is_in, names_of_units
from apep_datagen.people.past import draw_past
from apep_datagen.people.scenario import FORMS, Ability, User
from apep_datagen.people.users import Users
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import World, load_table, world_files

DRAWN, HELD_OUT = load_cast(), load_cast(part="held out")
CASTS: dict[Part, Cast] = {"drawn": DRAWN, "held out": HELD_OUT}
WORDS = Path(__file__).parents[2] / "systemprompts" / "world" / "words"
GOLDEN = Path(__file__).parent / "held_out.txt"
DAY = datetime.date(2026, 3, 4)
MADE = (
    "{dates}",
    "{coming_dates}",
    "{phones}",
    "{codes}",
    "{numbers 101-989}",
    "{years 1648-1899}",
    "{prices 120-890}",
)
CLOSED = ("{weekdays}", "{months}", "{times}", "{numbers 44-68}", "{prices 12-95}")


def names(cast: Cast) -> set[str]:
    return {*cast.slots, *cast.world.twins, *cast.world.moments}


def texts(cast: Cast) -> list[tuple[str, str]]:
    """Return all lists of texts of a cast, each entry with its list."""
    world, users = cast.world, cast.users
    lists = {
        "trifles": world.trifles,
        "topics": (*world.topics, *world.smalltalk_topics, *world.advice_topics),
        "places": users.places,
        "interests": users.interests,
        "jobs": tuple(job.text for job in users.jobs),
    }
    return [(name, text) for name, entries in lists.items() for text in entries]


def drawn(part: Part, text: str, count: int = 60) -> set[str]:
    vocabulary, draw = Vocabulary(None, part), generator(text)
    return {vocabulary.draw(draw, (text,), DAY)[0] for _ in range(count)}


def rehearsed(cast: Cast, seed: int, count: int = 600) -> list[RehearsedConversation]:
    mix = dict.fromkeys(Ability, 1.0)
    source = BriefSource(seed, (1, 3), 3, load_prompts(), cast, mix, "2025-01-01", "2026-12-31")
    return list(rehearse(source, count, 1, timeline_length=12))


# Two parts, for good.


def test_each_entry_of_the_programs_tables_is_in_one_part_and_in_one_alone() -> None:
    users = load_table(path_of_prompt("users.toml", None), Users)
    files = [file for _, file in world_files()]
    whole = Cast(users, World(files, Vocabulary()), DRAWN.scenarios, _Thoughts(ways_of_thinking=("…",)), DRAWN.phrases)
    assert sorted((*names(DRAWN), *names(HELD_OUT))) == sorted(names(whole))
    assert sorted((*texts(DRAWN), *texts(HELD_OUT))) == sorted(texts(whole))


def test_what_is_held_out_is_held_out_for_good() -> None:
    """Whoever adds entries to the tables adds what is new in `held_out.txt`; a line of it never goes."""
    assert sorted(names(HELD_OUT)) == GOLDEN.read_text(encoding="utf-8").split()


def test_a_digest_decides_and_nothing_else() -> None:
    """These are held out in all versions, on all machines."""
    assert [number for number in range(60) if is_held_out("words", f"word {number}")] == [8, 9, 31, 32, 43, 45]


@given(st.sampled_from(["kinds", "twins", "words", "jobs"]), st.text())
def test_an_entry_is_in_exactly_one_part(table: str, text: str) -> None:
    assert is_in("drawn", table, text) is not is_in("held out", table, text)  # type: ignore[arg-type]  # of the list


@pytest.mark.parametrize(("table", "share"), [("words", 1 / 8), ("kinds", 1 / 8), ("twins", 1 / 4), ("jobs", 1 / 4)])
def test_so_large_a_share_is_held_out(table: str, share: float) -> None:
    count = sum(is_held_out(table, str(number)) for number in range(20_000))  # type: ignore[arg-type]  # of the list
    assert abs(count / 20_000 - share) < 0.01


def test_kinds_that_are_joined_are_in_the_same_part() -> None:
    pairs = [one.slots for _, file in world_files() for one in file.connections]
    assert pairs
    for first, second in pairs:
        assert (first in DRAWN.slots) is (second in DRAWN.slots)
    assert len(DRAWN.connections) + len(HELD_OUT.connections) == len(pairs)


@given(st.data())
def test_a_unit_is_all_that_is_joined_and_nothing_else(data: st.DataObject) -> None:
    slots = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=2, unique=True))
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(slots), st.sampled_from(slots)), max_size=8))
    reached = {slot: {slot} for slot in slots}
    for _ in slots:
        for first, second in pairs:
            both = reached[first] | reached[second]
            reached |= {slot: reached[slot] | both for slot in both}
    assert names_of_units(slots, pairs) == {slot: min(reached[slot]) for slot in slots}


# What is drawn.


@pytest.mark.parametrize("text", [*(f"{{{path.stem}}}" for path in sorted(WORDS.glob("*.txt"))), *MADE])
def test_no_word_is_drawn_in_both_parts(text: str) -> None:
    both = {part: drawn(part, text) for part in CASTS}
    assert all(is_held_out("words", word) for word in both["held out"])
    assert not any(is_held_out("words", word) for word in both["drawn"])
    assert len(both["held out"]) > 4


@pytest.mark.parametrize("text", CLOSED)
def test_closed_sets_are_drawn_whole_in_both_parts(text: str) -> None:
    assert drawn("drawn", text, 5_000) == drawn("held out", text, 5_000)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_day_that_comes_can_be_drawn_at_any_time_of_the_year(month: int) -> None:
    vocabulary = Vocabulary(None, "held out")
    for seed in range(20):
        (value, *_) = vocabulary.draw(generator(seed), ("{coming_dates}",), datetime.date(2026, month, 1))
        assert is_held_out("words", value)


def test_users_of_both_parts_have_no_name_place_job_or_interest_in_common() -> None:
    users = {part: [draw_user(cast, generator(number)) for number in range(300)] for part, cast in CASTS.items()}

    def found(of: list[User]) -> set[str]:
        people = {text for user in of for text in (user.name, user.place, user.job, *user.interests, *user.people)}
        return {text.casefold() for text in people}

    assert not found(users["drawn"]) & found(users["held out"])
    assert len({user.name for user in users["held out"]}) > 250


# Tables of a user's.


def with_world(directory: Path, name: str, text: str) -> Path:
    (directory / "world").mkdir()
    (directory / "world" / name).write_text(text, encoding="utf-8")
    return directory


def test_what_a_user_brings_is_all_drawn_and_none_of_it_is_held_out(tmp_path: Path) -> None:
    topics = [f"topic {number}, of mine" for number in range(40)]
    assert any(is_held_out("topics", topic) for topic in topics)
    directory = with_world(tmp_path, "mine.toml", f"topics = {topics!r}")
    assert {*topics} <= {*load_cast(directory).world.topics}
    held_out = load_cast(directory, "held out")
    assert held_out.world.topics == HELD_OUT.world.topics
    assert held_out.slots == HELD_OUT.slots


def test_a_list_of_words_of_a_users_is_all_drawn(tmp_path: Path) -> None:
    words = [f"colour {number}" for number in range(40)]
    (tmp_path / "world" / "words").mkdir(parents=True)
    (tmp_path / "world" / "words" / "colours.txt").write_text("\n".join(words), encoding="utf-8")
    vocabulary, draw = Vocabulary(tmp_path), generator(1)
    assert {vocabulary.draw(draw, ("{colours}",), DAY)[0] for _ in range(2_000)} == {*words}


@pytest.mark.parametrize(("mark", "ending"), [("", "\n"), ("\ufeff", "\r\n")])
def test_a_copy_in_which_nothing_was_changed_is_the_programs_own(tmp_path: Path, mark: str, ending: str) -> None:
    own = path_of_prompt("world/people.toml", None).read_text(encoding="utf-8")
    with_world(tmp_path, "people.toml", "")
    (tmp_path / "world" / "people.toml").write_bytes((mark + own.replace("\n", ending)).encode())
    assert load_cast(tmp_path).slots == DRAWN.slots


def test_a_table_that_was_changed_is_all_drawn(tmp_path: Path) -> None:
    own = path_of_prompt("world/people.toml", None).read_text(encoding="utf-8")
    cast = load_cast(with_world(tmp_path, "people.toml", f"# mine\n{own}"))
    kinds = {slot.slot for path, file in world_files() if path.name == "people.toml" for slot in file.facts}
    assert kinds <= cast.slots.keys()
    assert kinds & HELD_OUT.slots.keys()


def test_a_connection_of_a_users_with_a_kind_that_is_held_out_is_left_aside(tmp_path: Path) -> None:
    first, second = min(HELD_OUT.slots), min(DRAWN.slots)
    table = f'[[connections]]\nslots = ["{first}", "{second}"]\nask = "both"\n'
    assert load_cast(with_world(tmp_path, "mine.toml", table)).connections == DRAWN.connections


# What an earlier version began.


@given(st.integers(0, 2**32))
def test_a_story_goes_on_that_knows_what_is_held_out_by_now(seed: int) -> None:
    past = draw_past(HELD_OUT, generator(seed, "past"), draw_user(HELD_OUT, generator(seed, "user")), "2026-03-04")
    possible = possible_abilities(DRAWN, past.story, "2026-03-05", 3)
    assert {Ability.SHARE, Ability.SMALLTALK, Ability.ADVICE, Ability.DIARY} <= possible.keys()
    for ability in possible:
        scenario = draw_scenario(DRAWN, generator(seed), ability, past.story, at="2026-03-05T10:00", exchanges=3)
        assert scenario.ability is ability


# Enough for an evaluation.


def test_what_is_held_out_is_enough_for_every_ability_in_every_form() -> None:
    conversations = [item for seed in (1, 2, 3) for item in rehearsed(HELD_OUT, seed)]
    found = {(item.brief.scenario.ability, item.brief.scenario.form) for item in conversations}
    assert found == {(ability, form) for ability, forms in FORMS.items() for form in forms}
    assert {min(item.notes // 15, 4) for item in conversations} == {0, 1, 2, 3, 4}


def test_what_is_drawn_of_it_repeats_little() -> None:
    scenarios = [item.brief.scenario for item in rehearsed(HELD_OUT, 1)]
    facts = [fact for scenario in scenarios for fact in scenario.facts if scenario.ability is not Ability.ASK_BACK]
    kinds, values = Counter(fact.slot for fact in facts), Counter(fact.value for fact in facts if fact.value)
    assert len(kinds) > 90
    assert max(kinds.values()) < 0.05 * len(facts)
    assert len(values) > 0.5 * values.total()
    assert max(values.values()) < 0.03 * values.total()
    assert len({scenario.topic for scenario in scenarios}) > 100


def test_memories_of_all_sizes_can_be_made_of_it() -> None:
    sizes = []
    for seed in range(300):
        past = draw_past(HELD_OUT, generator(seed, "past"), draw_user(HELD_OUT, generator(seed, "user")), "2026-03-04")
        sizes.append(sum(note.shelf == "memory" for note in past.notes))
    assert max(sizes) > 54
    assert min(size for size in sizes if size) >= 6
