"""What is drawn is possible, recognisable, and the same again for the same seed, whatever has happened before."""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.words import holds
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_scenario, draw_time, draw_user, generator, possible_abilities
from apep_datagen.people.past import draw_past
from apep_datagen.people.scenario import FORMS, TELLING, Ability, Fact, Form, KnownFact, Scenario, User
from apep_datagen.people.story import Story, story_after, told_before
from apep_datagen.people.vocabulary import coming_day
from apep_datagen.people.world import SELF
from support import briefs
from support.paths import REPOSITORY
from support.world import CAST, values_of

FIRST_DAY, LAST_DAY = "2025-01-01", "2026-12-31"
CHATTING = {Ability.SMALLTALK, Ability.ADVICE}
NEW = {
    Form.TOLD, Form.TWO_AT_ONCE, Form.MAYBE_TOLD, Form.OLD_MISSING, Form.NEVER_KEPT, Form.SAID_ABOVE, Form.UNRELATED,
    Form.MOMENT, Form.MOMENT_AND_FACT,
}  # fmt: skip
WITHOUT_FACTS = {Form.PASSING, Form.CHAT, Form.GENERAL}
FORGETTING = {Form.ONE, Form.ONE_OF_SEVERAL, Form.PERSON, Form.HALF}
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
    """A timeline that is followed step by step, from its past on, with the notes of an Ada who does all rightly."""

    cast: Cast
    seed: int
    story: Story = field(init=False)
    count: int = 0
    notes: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {"memory": [], "diary": []})

    def __post_init__(self) -> None:
        user = draw_user(self.cast, generator(self.seed, "user"))
        day = draw_time(generator(self.seed, "when", 0), "", FIRST_DAY, LAST_DAY)[:10]
        past = draw_past(self.cast, generator(self.seed, "past"), user, day)
        self.story = past.story
        for note in past.notes:
            self.notes[note.shelf].append((note.date, note.text))

    def next_day(self) -> str:
        return draw_time(generator(self.seed, "when", self.count), self.story.at, FIRST_DAY, LAST_DAY)

    def draw(self, ability: Ability, at: str, exchanges: int) -> Scenario:
        draw = generator(self.seed, "scenario", self.count)
        return draw_scenario(self.cast, draw, ability, self.story, at=at, exchanges=exchanges)

    def go_on(self, scenario: Scenario, at: str, *, is_written_down: bool) -> None:
        """Let the conversation take place; Ada writes down what she is told, or does not."""
        leaving = scenario.facts if scenario.ability is Ability.FORGET else ()
        leaving += (scenario.replaced,) if scenario.replaced else ()
        for fact in leaving:
            for note in [note for note in self.notes["memory"] if holds(note[1], fact.forms)]:
                self.notes["memory"].remove(note)
                slots = {other.slot for other in leaving}
                others = [item.fact for item in self.story.known if item.fact.slot not in slots]
                self.notes["memory"] += [
                    (at[:10], self._note(other)) for other in others if holds(note[1], other.forms)
                ]
        if is_written_down and (scenario.ability in TELLING or scenario.form is Form.SAID_ABOVE):
            for fact in scenario.facts if scenario.form is not Form.KNOWN_ALREADY else ():
                self.notes[fact.shelf].append((at[:10], self._note(fact)))
        numbered = (
            tuple(Note(number, *note) for number, note in enumerate(self.notes[shelf], start=1))
            for shelf in ("memory", "diary")
        )
        self.story = story_after(self.story, scenario, at, Notes(*numbered))
        self.count += 1

    def _note(self, fact: Fact) -> str:
        return f"The user says: {fact.tell} ({fact.value})."


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.lists(st.tuples(st.integers(0, 99), st.booleans(), st.integers(1, 4)), max_size=8))
def test_whatever_happened_what_is_offered_can_be_drawn_and_is_right(
    seed: int, steps: list[tuple[int, bool, int]]
) -> None:
    life = Life(CAST, seed)
    for choice, is_written_down, exchanges in steps:
        at = life.next_day()
        possible = possible_abilities(CAST, life.story, at[:10], exchanges)
        assert set(possible) >= CHATTING
        scenarios = {ability: life.draw(ability, at, exchanges) for ability in possible}
        for ability, scenario in scenarios.items():
            assert scenario.ability is ability
            check(scenario, life.story, at, exchanges)
            assert scenario == life.draw(ability, at, exchanges)
        # What the tests are about comes up more often than it does by itself.
        wanted = [ability for ability in scenarios if ability not in CHATTING] + [Ability.SHARE, Ability.SHARE]
        ability = wanted[choice % len(wanted)]
        life.go_on(scenarios.get(ability, scenarios[Ability.SMALLTALK]), at, is_written_down=is_written_down)


def test_long_lives_come_to_show_every_form() -> None:
    shown: Counter[tuple[Ability, Form]] = Counter()
    for seed in range(240):
        life = Life(CAST, seed)
        for number in range(6):
            at, exchanges = life.next_day(), number % 4 + 1
            possible = possible_abilities(CAST, life.story, at[:10], exchanges)
            ability = min(possible, key=lambda one: sum(count for (shows, _), count in shown.items() if shows is one))
            scenario = life.draw(ability, at, exchanges)
            check(scenario, life.story, at, exchanges)
            assert scenario.form is not None
            shown[ability, scenario.form] += 1
            life.go_on(scenario, at, is_written_down=True)
    assert set(shown) == {(ability, form) for ability, forms in FORMS.items() for form in forms}


def check(scenario: Scenario, story: Story, at: str, exchanges: int) -> None:
    """Check that a scenario is possible on that day, and that the tester is told what to tell and nothing else."""
    facts, date, form = scenario.facts, at[:10], scenario.form
    assert form in FORMS[scenario.ability]
    assert form is not None
    assert scenario.topic
    assert scenario.mood in CAST.scenarios.moods_at(int(at[11:13]))
    assert bool(facts) is (form not in WITHOUT_FACTS)
    assert bool(scenario.replaced) is (form in {Form.CHANGED, Form.TWO_TOUCHED, Form.MISTAKE})
    check_course(scenario, exchanges)
    slots = [CAST.slots[fact.slot] for fact in facts if fact.slot in CAST.slots]
    assert all(slot.fits(story.user) for slot in slots if form in NEW)
    if form in NEW or (scenario.ability, form) == (Ability.ABSTAIN, Form.NEAR_MISS):
        assert not {fact.slot for fact in facts} & set(story.used)
        check_new_values(tuple(fact for fact in facts if fact.value and fact.shelf == "memory"), story)
    if scenario.ability in TELLING or form is Form.SAID_ABOVE:
        assert all(any(fact.tell in told for told in scenario.course) for fact in facts)
        assert all(holds(fact.tell, fact.forms) for fact in facts)
    else:
        secret = [fact for fact in facts if fact.shelf == "memory"]
        assert not any(holds(told, fact.forms) for fact in secret for told in scenario.course)
    if form in _RIGHT:
        assert _RIGHT[form](scenario, story), scenario
    check_known(scenario, story, date)


def check_course(scenario: Scenario, exchanges: int) -> None:
    """There is something to be told in each exchange, and the ability's where it comes."""
    assert len(scenario.course) == exchanges
    assert all(scenario.course)
    assert scenario.course[scenario.place - 1] == scenario.instruction
    if scenario.form is Form.SAID_ABOVE:
        assert scenario.place > 1
        assert scenario.facts[0].tell in scenario.course[0]
        assert not holds(scenario.instruction, scenario.facts[0].forms)
    if scenario.form is Form.TWO_CANDIDATES and exchanges > 1:
        assert scenario.place < exchanges
        chosen = scenario.course[scenario.place]
        assert sum(holds(chosen, (fact.which,)) for fact in scenario.facts) == 1
    if scenario.form is Form.TWO_CANDIDATES:
        assert not holds(scenario.instruction, [fact.which for fact in scenario.facts])


_KNOWN = {
    Ability.UPDATE, Ability.FORGET, Ability.RECALL, Ability.CONNECT, Ability.DIARY_RECALL, Ability.APPLY, Ability.SHARE,
}  # fmt: skip


def check_known(scenario: Scenario, story: Story, date: str) -> None:
    """What is asked for is there, was told on a day before, and is not over."""
    form = scenario.form
    if scenario.ability not in _KNOWN or form in NEW | WITHOUT_FACTS:
        return
    known = {item.fact.slot: item for item in told_before(story.known, date)}
    asked = (scenario.replaced,) if scenario.replaced else scenario.facts
    for fact in asked:
        assert known[fact.slot].fact == fact
        slot = CAST.slots.get(fact.slot)
        if slot is not None and slot.expires:
            told_on = datetime.date.fromisoformat(known[fact.slot].told_on)
            day = coming_day(fact.value, told_on)
            assert day is None or day.isoformat() >= date
    if scenario.replaced is not None:
        (fact,) = scenario.facts
        assert not holds(fact.value, scenario.replaced.forms)
        assert not holds("\n".join(scenario.course), scenario.replaced.forms)
        if form is not Form.MISTAKE:
            told_on = datetime.date.fromisoformat(known[fact.slot].told_on)
            assert (datetime.date.fromisoformat(date) - told_on).days >= CAST.slots[fact.slot].pace[0]


def _of(story: Story, fact: Fact) -> KnownFact:
    return next(item for item in story.known if item.fact.slot == fact.slot)


def _is_near(scenario: Scenario, story: Story) -> bool:
    near = [one.fact for one in story.near if one.slot == scenario.facts[0].slot]
    return bool(near) and list(scenario.beside) == near


def _is_all_of_a_person(scenario: Scenario, story: Story) -> bool:
    (of,) = {CAST.slots[fact.slot].of for fact in scenario.facts}
    known = [item.fact for item in story.known if item.fact.slot in CAST.slots]
    told = {fact.slot for fact in known if CAST.slots[fact.slot].of == of}
    return of != SELF and len(scenario.facts) > 1 and {fact.slot for fact in scenario.facts} <= told


_RIGHT: dict[Form, Callable[[Scenario, Story], bool]] = {
    Form.TOLD: lambda scenario, _: len(scenario.facts) == 1,
    Form.TWO_AT_ONCE: lambda scenario, _: len({fact.slot for fact in scenario.facts}) == 2,
    Form.CHANGED: lambda scenario, story: _of(story, scenario.facts[0]).notes == 1,
    Form.TWO_TOUCHED: lambda scenario, story: _of(story, scenario.facts[0]).notes > 1,
    Form.OLD_MISSING: lambda scenario, _: bool(CAST.slots[scenario.facts[0].slot].change),
    Form.MISTAKE: lambda scenario, _: not CAST.slots[scenario.facts[0].slot].avoid,
    Form.ONE: lambda scenario, story: not scenario.beside and not _of(story, scenario.facts[0]).shared_with,
    Form.ONE_OF_SEVERAL: _is_near,
    Form.PERSON: _is_all_of_a_person,
    Form.HALF: lambda scenario, story: bool(_of(story, scenario.facts[0]).shared_with),
    Form.NEAR_MISS: _is_near,
    Form.NEWEST: lambda scenario, _: len(scenario.earlier) >= 2,
    Form.DATE_OR_NUMBER: lambda scenario, _: bool(re.search(r"\d", scenario.facts[0].value)),
    Form.NOTE_AND_PAGE: lambda scenario, _: [fact.shelf for fact in scenario.facts] == ["memory", "diary"],
    Form.TWO_FACTS: lambda scenario, _: (
        tuple(fact.slot for fact in scenario.facts) in {connection.slots for connection in CAST.connections}
    ),
    Form.UNRELATED: lambda scenario, _: not scenario.beside,
    Form.FORGOTTEN: lambda scenario, story: scenario.facts[0].slot in {fact.slot for fact in story.forgotten},
    Form.MOMENT_AND_FACT: lambda scenario, _: [fact.shelf for fact in scenario.facts] == ["diary", "memory"],
    Form.AVOID: lambda scenario, _: CAST.slots[scenario.facts[0].slot].avoid,
    Form.USE: lambda scenario, _: not CAST.slots[scenario.facts[0].slot].avoid,
    Form.TWO_CANDIDATES: lambda scenario, story: scenario.facts in [(one.first, one.second) for one in story.twins],
}


def check_new_values(facts: tuple[Fact, ...], story: Story) -> None:
    """Nothing else in the user's life is called so."""
    user = story.user
    own = [user.name, user.place, user.job, *user.interests, *user.people, *user.animals]
    known = [form for item in story.known for form in item.fact.forms]
    for fact in facts:
        others = [form for other in facts if other is not fact for form in other.forms]
        assert not any(holds(text, fact.forms) for text in [*own, *known, *others])


def told_anew(cast: Cast, story: Story, at: str) -> set[tuple[str, ...]]:
    """Return the values that conversations in which something new is shared can tell."""
    drawn = [draw_scenario(cast, generator(seed), Ability.SHARE, story, at=at) for seed in range(200)]
    new = [scenario.facts for scenario in drawn if scenario.form in NEW]
    return {tuple(sorted(fact.value for fact in facts)) for facts in new}


def test_a_value_that_the_user_is_already_surrounded_by_is_not_drawn(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    user = replace(briefs.USER, people=("uncle Rex",), animals=("a cat called Mitzi",))
    drawn = told_anew(load_cast(tmp_path), Story(user), "2026-01-01T10:00")
    assert {value for values in drawn for value in values} == {"Bello", "Minka"}


def test_two_facts_of_a_timeline_never_have_the_same_value(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    cast = load_cast(tmp_path)
    pairs = told_anew(cast, Story(briefs.USER), "2026-01-01T10:00")
    assert {pair for pair in pairs if len(pair) == 2} >= {("Bello", "Mitzi"), ("Minka", "Rex")}
    assert ("Rex", "Rex") not in pairs
    dog = cast.slots["dog"].fact(("Rex",))
    story = Story(briefs.USER, "2026-01-01T10:00", (KnownFact(dog, "2026-01-01"),), ("dog",))
    assert told_anew(cast, story, "2026-01-05T10:00") == {("Mitzi",), ("Minka",)}


def test_what_a_small_list_of_facts_no_longer_has_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS_TOML, encoding="utf-8")
    cast = load_cast(tmp_path)
    dog, cat = cast.slots["dog"].fact(("Bello",)), cast.slots["cat"].fact(("Mitzi",))

    def offered(date: str, *known: KnownFact, used: tuple[str, ...] = ("dog", "cat")) -> set[Ability]:
        return set(possible_abilities(cast, Story(briefs.USER, "", known, used), date)) - CHATTING

    # What asks the memory is asked of one that holds something; what passes can always be told.
    assert offered("2026-01-05", used=()) == offered("2026-01-05") == {Ability.SHARE}
    # What was told today is not yet asked for; what does not change is not changed, but may have been a mistake.
    assert offered("2026-01-05", KnownFact(dog, "2026-01-05")) == {Ability.SHARE}
    known = {Ability.SHARE, Ability.FORGET, Ability.RECALL, Ability.UPDATE}
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04")) == known
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04"), used=("dog",)) == {*known, Ability.ABSTAIN}
    assert offered("2026-01-05", KnownFact(dog, "2026-01-04", asked=3)) == known - {Ability.RECALL}
    both = (KnownFact(dog, "2026-01-03"), KnownFact(cat, "2026-01-04"))
    assert offered("2026-01-05", *both) == known | {Ability.CONNECT}
    assert offered("2026-01-04", *both) == known


def test_the_least_asked_is_asked_for() -> None:
    slots = list(CAST.slots.values())[:3]
    known = tuple(
        KnownFact(slot.fact(values_of(slot)[0]), "2026-01-01", asked)
        for slot, asked in zip(slots, (1, 0, 1), strict=True)
    )
    story = Story(briefs.USER, "2026-01-01T10:00", known, tuple(slot.slot for slot in slots))
    for seed in range(20):
        scenario = draw_scenario(CAST, generator(seed), Ability.RECALL, story, at="2026-02-01T10:00")
        assert scenario.facts == (known[1].fact,)


def test_what_was_forgotten_is_not_to_be_told_where_it_is_asked_for_again() -> None:
    slot, other = [slot for slot in CAST.slots.values() if slot.fits(briefs.USER)][:2]
    gone = slot.fact(values_of(slot)[0])
    known = (KnownFact(other.fact(values_of(other)[0]), "2026-01-01"),)
    story = Story(briefs.USER, "2026-02-28T23:10", known, (slot.slot, other.slot), forgotten=(gone,))
    drawn = [draw_scenario(CAST, generator(seed), Ability.ABSTAIN, story, at="2026-03-01T10:00") for seed in range(60)]
    forgotten = [scenario for scenario in drawn if scenario.form is Form.FORGOTTEN]
    assert forgotten
    for scenario in forgotten:
        assert scenario.facts[0].value == ""
        assert set(gone.forms) <= set(scenario.inventions)


@pytest.mark.parametrize(
    ("told_on", "said"),
    [
        ("2026-02-28", "yesterday"),
        ("2026-02-27", "a few days ago"),
        ("2026-02-16", "about a week ago"),
        ("2026-02-15", "some weeks ago"),
        ("2026-01-12", "some weeks ago"),
        ("2025-12-31", "some months ago"),
        ("2025-03-01", "about a year ago"),
        ("2024-09-01", "more than a year ago"),
        ("2023-02-01", "years ago"),
    ],
)
def test_the_tester_is_told_how_long_ago_ada_was_told(told_on: str, said: str) -> None:
    slot = next(slot for slot in CAST.slots.values() if slot.change and slot.pace[1] > 400)
    known = (KnownFact(slot.fact(values_of(slot)[0]), told_on),)
    story = Story(briefs.USER, "2026-02-28T23:10", known, (slot.slot,))
    scenarios = [
        draw_scenario(CAST, generator(seed), Ability.UPDATE, story, at="2026-03-01T00:05") for seed in range(40)
    ]
    of_known = [scenario for scenario in scenarios if scenario.replaced]
    assert of_known
    assert all(said in scenario.instruction for scenario in of_known)


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


def test_a_style_that_begins_a_chat_is_drawn_for_no_later_message() -> None:
    """Who said hello before says it no more in the middle of the chat."""
    beginning = {style.text for style in CAST.scenarios.styles if style.begins}
    drawn: dict[bool, set[str]] = {True: set(), False: set()}
    life = Life(CAST, 5)
    for number in range(400):
        life.count = number
        scenario = life.draw(Ability.SHARE, "2026-03-01T09:00", 3)
        drawn[scenario.place == 1].add(scenario.style)
    assert beginning
    assert beginning <= drawn[True]
    assert not beginning & drawn[False]
