"""What is drawn is possible, recognisable, and the same again for the same seed, whatever has happened before."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.words import holds
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_scenario, draw_time, draw_user, generator, possible_abilities
from apep_datagen.people.scenario import Ability, Fact, KnownFact, Scenario, User
from apep_datagen.people.story import Story, story_after, told_before
from support import briefs
from support.paths import REPOSITORY

CAST = load_cast()
FIRST_DAY, LAST_DAY = "2025-01-01", "2026-12-31"
CHATTING = {Ability.SMALLTALK, Ability.ADVICE}
NEW = {Ability.SHARE, Ability.ABSTAIN, Ability.DIARY}
OLD = {Ability.UPDATE, Ability.FORGET, Ability.RECALL, Ability.CONNECT, Ability.DIARY_RECALL}
FACTS_TOML = """
[[facts]]
slot = "dog"
tell = "my dog is called {value}"
ask = "what my dog is called"
cues = ["dog"]
values = ["Bello", "Rex"]

[[facts]]
slot = "cat"
tell = "my cat is called {value}"
ask = "what my cat is called"
cues = ["cat"]
change = "my new cat is called {value}"
values = ["Rex", "Mitzi", "Minka"]

[[connections]]
slots = ["dog", "cat"]
ask = "Which names go on the sign?"
"""


@dataclass
class Life:
    """A timeline that is followed step by step; what each conversation was about is kept."""

    cast: Cast
    seed: int
    story: Story = field(init=False)
    past: list[Scenario] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.story = Story(draw_user(self.cast, generator(self.seed, "user")))

    def next_day(self) -> str:
        draw = generator(self.seed, "when", len(self.past))
        return draw_time(draw, self.story.at, FIRST_DAY, LAST_DAY)

    def draw(self, ability: Ability, at: str, times: int = 0) -> Scenario:
        draw = generator(self.seed, "scenario", len(self.past), times)
        return draw_scenario(self.cast, draw, ability, self.story, at)

    def go_on(self, scenario: Scenario, at: str, *, is_written_down: bool) -> None:
        """Let the conversation take place; Ada writes down what she is told, or does not."""
        slots = {fact.slot for fact in scenario.facts}
        leaves = scenario.ability in {Ability.UPDATE, Ability.FORGET}
        facts = [item.fact for item in self.story.known if not (leaves and item.fact.slot in slots)]
        if is_written_down and scenario.ability in {Ability.SHARE, Ability.UPDATE, Ability.DIARY}:
            facts += scenario.facts
        shelves = [
            tuple(Note(number, at[:10], f"Noted: {fact.value}") for number, fact in enumerate(on_shelf, start=1))
            for on_shelf in ([fact for fact in facts if fact.shelf == name] for name in ("memory", "diary"))
        ]
        self.story = story_after(self.story, scenario, at, Notes(*shelves))
        self.past.append(scenario)


@settings(max_examples=100)
@given(st.integers(0, 2**31), st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=14))
def test_whatever_happened_what_is_offered_can_be_drawn_and_is_right(seed: int, steps: list[tuple[int, bool]]) -> None:
    life = Life(CAST, seed)
    for choice, is_written_down in steps:
        at = life.next_day()
        possible = possible_abilities(CAST, life.story, at[:10])
        assert set(possible) >= CHATTING
        scenarios = {ability: life.draw(ability, at) for ability in Ability if ability in possible}
        for ability, scenario in scenarios.items():
            assert scenario.ability is ability
            check(scenario, life.story, at)
            assert scenario == life.draw(ability, at)
        # What the tests are about comes up more often than it does by itself.
        wanted = [ability for ability in scenarios if ability not in CHATTING] + [Ability.SHARE, Ability.SHARE]
        ability = wanted[choice % len(wanted)]
        life.go_on(scenarios.get(ability, scenarios[Ability.SMALLTALK]), at, is_written_down=is_written_down)


def test_long_lives_come_to_show_everything() -> None:
    shown: Counter[Ability] = Counter()
    for seed in range(20):
        life = Life(CAST, seed)
        for _ in range(40):
            at = life.next_day()
            possible = possible_abilities(CAST, life.story, at[:10])
            ability = min((one for one in Ability if one in possible), key=lambda one: shown[one])
            scenario = life.draw(ability, at)
            check(scenario, life.story, at)
            shown[ability] += 1
            life.go_on(scenario, at, is_written_down=True)
    assert min(shown[ability] for ability in Ability) >= 20


def check(scenario: Scenario, story: Story, at: str) -> None:
    facts, date = scenario.facts, at[:10]
    earlier = {item.fact.slot: item for item in told_before(story.known, date)}
    assert scenario.topic
    assert scenario.mood in CAST.scenarios.moods_at(int(at[11:13]))
    assert scenario.instruction
    assert bool(facts) is (scenario.ability not in CHATTING)
    assert bool(scenario.replaced) is (scenario.ability is Ability.UPDATE)
    assert bool(scenario.inventions) is (scenario.ability is Ability.ABSTAIN)
    if scenario.ability in NEW:
        assert not {fact.slot for fact in facts} & set(story.used)
    if scenario.ability in OLD:
        assert {fact.slot for fact in facts} <= set(earlier)
    if scenario.ability in OLD - {Ability.UPDATE}:
        assert all(earlier[fact.slot].fact == fact for fact in facts)
        assert not any(holds(scenario.instruction, fact.forms) for fact in facts if fact.shelf == "memory")
    if scenario.ability in {Ability.SHARE, Ability.UPDATE}:
        check_new_values(facts, story)
        assert all(fact.tell in scenario.instruction and holds(fact.tell, fact.forms) for fact in facts)
    match scenario.ability:
        case Ability.SHARE:
            assert 1 <= len(facts) == len({fact.slot for fact in facts}) <= 2
        case Ability.UPDATE:
            (fact,) = facts
            assert scenario.replaced == earlier[fact.slot].fact
            assert scenario.replaced is not None
            assert not holds(scenario.replaced.value, fact.forms)
            assert not holds(scenario.instruction, scenario.replaced.forms)
        case Ability.CONNECT:
            one, other = facts
            assert earlier[one.slot].told_on != earlier[other.slot].told_on
            assert (one.slot, other.slot) in [connection.slots for connection in CAST.connections]
        case Ability.ABSTAIN:
            (fact,) = facts
            assert (fact.value, fact.forms) == ("", ())
            assert set(scenario.inventions) == {form for forms in CAST.slots[fact.slot].values for form in forms}
            assert not holds(scenario.instruction, scenario.inventions)
        case Ability.RECALL | Ability.DIARY_RECALL:
            assert earlier[facts[0].slot].asked < 2


def check_new_values(facts: tuple[Fact, ...], story: Story) -> None:
    """Nothing else in the user's life is called so."""
    user = story.user
    own = [user.name, user.place, user.job, *user.interests, *user.people, *user.animals]
    known = [form for item in story.known for form in item.fact.forms]
    for fact in facts:
        others = [form for other in facts if other is not fact for form in other.forms]
        assert not any(holds(text, fact.forms) for text in [*own, *known, *others])


def test_a_value_that_the_user_is_already_surrounded_by_is_not_drawn(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    cast = load_cast(tmp_path)
    user = replace(briefs.USER, people=("uncle Rex",), animals=("a cat called Mitzi",))
    drawn = set()
    for seed in range(60):
        scenario = draw_scenario(cast, generator(seed), Ability.SHARE, Story(user), "2026-01-01T10:00")
        drawn |= {fact.value for fact in scenario.facts}
    assert drawn == {"Bello", "Minka"}


def test_two_facts_of_a_timeline_never_have_the_same_value(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    cast = load_cast(tmp_path)
    pairs = set()
    for seed in range(200):
        scenario = draw_scenario(cast, generator(seed), Ability.SHARE, Story(briefs.USER), "2026-01-01T10:00")
        pairs.add(tuple(sorted(fact.value for fact in scenario.facts)))
    assert {pair for pair in pairs if len(pair) == 2} >= {("Bello", "Mitzi"), ("Minka", "Rex")}
    assert ("Rex", "Rex") not in pairs
    dog = cast.slots["dog"].fact(("Rex",))
    story = Story(briefs.USER, "2026-01-01T10:00", (KnownFact(dog, "2026-01-01"),), ("dog",))
    values = {
        draw_scenario(cast, generator(seed), Ability.SHARE, story, "2026-01-05T10:00").facts[0].value
        for seed in range(60)
    }
    assert values == {"Mitzi", "Minka"}


def test_what_a_small_list_of_facts_no_longer_has_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    cast = load_cast(tmp_path)
    dog, cat = cast.slots["dog"].fact(("Bello",)), cast.slots["cat"].fact(("Mitzi",))

    def offered(date: str, *known: KnownFact, used: tuple[str, ...] = ("dog", "cat")) -> set[Ability]:
        return set(possible_abilities(cast, Story(briefs.USER, "", known, used), date)) - CHATTING

    assert offered("2026-01-05", used=()) == {Ability.SHARE, Ability.ABSTAIN}
    assert offered("2026-01-05") == set()
    # What was told today is not yet asked for; what does not change is not changed.
    assert offered("2026-01-05", KnownFact(dog, "2026-01-05")) == set()
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04")) == {Ability.FORGET, Ability.RECALL}
    assert offered("2026-01-05", KnownFact(cat, "2026-01-04")) == {Ability.FORGET, Ability.RECALL, Ability.UPDATE}
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04", asked=2)) == {Ability.FORGET}
    # Two facts are connected only if they were told on different days, both before.
    both = {Ability.FORGET, Ability.RECALL, Ability.UPDATE}
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04"), KnownFact(cat, "2026-01-04")) == both
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04"), KnownFact(cat, "2026-01-05")) == both - {Ability.UPDATE}
    assert offered("2026-01-05", KnownFact(dog, "2026-01-03"), KnownFact(cat, "2026-01-04")) == both | {Ability.CONNECT}


def test_the_least_asked_is_asked_for() -> None:
    slots = list(CAST.slots.values())[:3]
    known = tuple(
        KnownFact(slot.fact(slot.values[0]), "2026-01-01", asked) for slot, asked in zip(slots, (1, 0, 1), strict=True)
    )
    story = Story(briefs.USER, "2026-01-01T10:00", known, tuple(slot.slot for slot in slots))
    for seed in range(20):
        scenario = draw_scenario(CAST, generator(seed), Ability.RECALL, story, "2026-02-01T10:00")
        assert scenario.facts == (known[1].fact,)


@pytest.mark.parametrize(
    ("told_on", "said"),
    [
        ("2026-02-28", "yesterday"),
        ("2026-02-27", "2 days ago"),
        ("2026-02-16", "13 days ago"),
        ("2026-02-15", "2 weeks ago"),
        ("2026-01-01", "8 weeks ago"),
        ("2025-12-31", "9 weeks ago"),
    ],
)
def test_the_tester_is_told_how_long_ago_ada_was_told(told_on: str, said: str) -> None:
    slot = next(slot for slot in CAST.slots.values() if slot.change)
    moment = CAST.moment_facts[0]
    known = (KnownFact(slot.fact(slot.values[0]), told_on), KnownFact(moment, told_on))
    story = Story(briefs.USER, "2026-02-28T23:10", known, (slot.slot, moment.slot))
    for ability in Ability:
        if ability in possible_abilities(CAST, story, "2026-03-01"):
            scenario = draw_scenario(CAST, generator(1), ability, story, "2026-03-01T00:05")
            assert (said in scenario.instruction.lower()) is (ability in OLD), ability


def test_of_two_facts_the_tester_is_told_of_both_days() -> None:
    connection = CAST.connections[0]
    slots = [CAST.slots[name] for name in connection.slots]
    days = ("2026-02-28", "2026-02-20")
    known = tuple(KnownFact(slot.fact(slot.values[0]), day) for slot, day in zip(slots, days, strict=True))
    story = Story(briefs.USER, "2026-02-28T10:00", known, connection.slots)
    scenario = draw_scenario(CAST, generator(1), Ability.CONNECT, story, "2026-03-01T10:00")
    assert ", yesterday and 9 days ago, " in scenario.instruction


# Days.


@given(st.integers(0, 2**31), st.integers(2, 30))
def test_time_goes_forward_by_hours_to_weeks(seed: int, count: int) -> None:
    moments = [draw_time(generator(seed, 0), "", FIRST_DAY, LAST_DAY)]
    for number in range(1, count):
        moments.append(draw_time(generator(seed, number), moments[-1], FIRST_DAY, LAST_DAY))
    assert FIRST_DAY <= moments[0][:10] <= LAST_DAY
    times = [datetime.datetime.fromisoformat(moment) for moment in moments]
    assert [time.isoformat(timespec="minutes") for time in times] == moments
    for earlier, later in itertools.pairwise(times):
        assert datetime.timedelta(hours=2) <= later - earlier <= datetime.timedelta(days=43)
        assert datetime.time(6, 30) <= later.time() <= datetime.time(23, 30)


@pytest.mark.parametrize("previous", ["2026-12-31T23:30", "2026-02-28T06:30", "2028-02-28T23:29", "2026-05-01T21:30"])
def test_a_late_or_a_last_hour_is_no_obstacle(previous: str) -> None:
    drawn = {draw_time(generator(seed), previous, FIRST_DAY, LAST_DAY) for seed in range(300)}
    assert min(drawn) > previous
    assert len({moment[:10] for moment in drawn}) > 10


def test_gaps_are_of_all_kinds() -> None:
    gaps = []
    for seed in range(2_000):
        later = draw_time(generator(seed), "2026-03-14T12:00", FIRST_DAY, LAST_DAY)
        gaps.append((datetime.date.fromisoformat(later[:10]) - datetime.date(2026, 3, 14)).days)
    assert 0.12 <= sum(gap == 0 for gap in gaps) / 2_000 <= 0.18
    assert 0.40 <= sum(1 <= gap <= 3 for gap in gaps) / 2_000 <= 0.50
    assert 0.07 <= sum(gap >= 15 for gap in gaps) / 2_000 <= 0.13
    assert max(gaps) == 42


def test_one_day_is_enough_for_a_beginning() -> None:
    assert {draw_time(generator(seed), "", "2026-01-05", "2026-01-05")[:10] for seed in range(50)} == {"2026-01-05"}


# Users.


def test_thousands_of_users_are_hardly_ever_the_same() -> None:
    users = [draw_user(CAST, generator(7, "user", number)) for number in range(3_000)]
    assert len(set(users)) > 2_900
    assert len({(user.name, user.job) for user in users}) > 1_500
    for user in users:
        assert len(set(user.interests)) == len(set(user.people)) == 2
        assert len(user.animals) <= 1
    assert 0.4 <= sum(bool(user.animals) for user in users) / 3_000 <= 0.6


def test_a_person_of_ones_own_is_who_all_users_are(tmp_path: Path) -> None:
    shipped = (REPOSITORY / "systemprompts" / "users.toml").read_text(encoding="utf-8")
    person = """
[person]
name = "Marta"
age = 34
place = "Porto"
job = "a nurse"
temperament = "dry"
writing = "short sentences"
people = ["friend Amara"]
"""
    (tmp_path / "users.toml").write_text(shipped + person, encoding="utf-8")
    cast = load_cast(tmp_path)
    expected = User("Marta", 34, "Porto", "a nurse", "dry", "short sentences", people=("friend Amara",))
    assert {draw_user(cast, generator(seed)) for seed in range(20)} == {expected}


def test_draws_of_one_timeline_do_not_depend_on_those_of_another() -> None:
    assert generator(1, "user", 2).random() == generator(1, "user", 2).random()
    assert len({generator(seed, name, number).random() for seed in (1, 2) for name in "ab" for number in (1, 11)}) == 8
