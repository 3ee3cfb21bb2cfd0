"""Drawing users, days and scenarios: pure functions of the run's seed, the timeline's number and its story.

Each draw has a random generator of its own, named after what is drawn. So what is drawn for one timeline does not
depend on what was drawn for another, and the same seed gives the same users, days and facts.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Sequence
from typing import Any

from apep_datagen.people.cast import Cast
from apep_datagen.people.forms import Offers, offers
from apep_datagen.people.plan import Plan
from apep_datagen.people.scenario import FORMS, Ability, Fact, Form, Scenario, User
from apep_datagen.people.story import Story
from apep_datagen.people.users import Life

__all__ = ["draw_scenario", "draw_time", "draw_user", "generator", "possible_abilities", "possible_forms"]

# What a story seldom allows is taken when it does.
_READINESS = {Ability.CONNECT: 3.0, Ability.ASK_BACK: 3.0, Ability.APPLY: 2.0, Ability.DIARY_RECALL: 2.0}
_STRENGTH_OF_BALANCE = 3
# Of the questions that may say "I told you", because people forget such things, how many do.
_SHARE_SAYING_TOLD = 0.5
_SHARE_AT_THE_BEGINNING = 0.5
_UNDER, _OVER = 25, 60
_FEWEST_HABITS, _MOST_HABITS = 2, 3

# How long ago something was, up to so many days.
_AGES = (
    (6, "a few days ago"),
    (13, "about a week ago"),
    (50, "some weeks ago"),
    (300, "some months ago"),
    (450, "about a year ago"),
    (700, "more than a year ago"),
    (10**6, "years ago"),
)

# From one conversation to the next, in days, least and most, with a weight; 0 is later on the same day.
_GAPS = (((0, 0), 15), ((1, 3), 45), ((4, 14), 30), ((15, 42), 10))
_FIRST_MINUTE, _LAST_MINUTE = 6 * 60 + 30, 23 * 60 + 30
_LEAST_MINUTES_BETWEEN = 120


def generator(*names: object) -> random.Random:
    """Return a random generator for what `names` say, the run's seed first."""
    return random.Random("/".join(str(name) for name in names))  # noqa: S311 - no secret depends on it


def draw_user(cast: Cast, draw: random.Random) -> User:
    """Draw who a timeline's user is."""
    users = cast.users
    if users.person is not None:
        return users.person.user()
    age = draw.choice(users.ages)
    job = draw.choice([job for job in users.jobs if job.ages[0] <= age <= job.ages[1]] or users.jobs)
    animals = draw.sample(users.animals, draw.randint(0, 1))
    given = [*job.traits, *(trait for animal in animals for trait in animal.traits)]
    return User(
        name=_words(cast, draw, users.names),
        age=age,
        place=_words(cast, draw, users.places),
        job=job.text,
        temperament=draw.choice(users.temperaments),
        writing=_draw_writing(draw, users.writing),
        interests=tuple(draw.sample(users.interests, min(2, len(users.interests)))),
        people=tuple(_filled(cast, draw, text) for text in draw.sample(users.people, min(2, len(users.people)))),
        animals=tuple(animal.text for animal in animals),
        traits=tuple(dict.fromkeys([*given, *_draw_life(draw, users.life, age, given)])),
    )


def _draw_writing(draw: random.Random, groups: Sequence[Sequence[str]]) -> str:
    """Draw some small habits, each of another group; of a group with one entry alone it is that one."""
    most = min(_MOST_HABITS, len(groups))
    chosen = draw.sample(groups, draw.randint(min(_FEWEST_HABITS, most), most))
    return "; ".join(draw.choice(group) for group in chosen)


def _words(cast: Cast, draw: random.Random, texts: Sequence[str]) -> str:
    return _filled(cast, draw, draw.choice(texts))


def _filled(cast: Cast, draw: random.Random, text: str) -> str:
    return cast.world.vocabulary.fill(draw, text, datetime.date.min)


def _draw_life(draw: random.Random, life: Iterable[Life], age: int, given: Iterable[str]) -> list[str]:
    """Draw what traits a user has beside those that come with the job and the animals."""
    traits = [f"under_{_UNDER}" if age < _UNDER else f"over_{_OVER}" if age > _OVER else f"{_UNDER}_to_{_OVER}"]
    for part in life:
        can_have = part.ages[0] <= age <= part.ages[1] and {*given, *traits}.issuperset(part.needs)
        if draw.random() < part.share and can_have:
            traits.append(part.trait)
        elif part.otherwise:
            traits.append(part.otherwise)
    return traits


def draw_time(draw: random.Random, previous: str, first_day: str, last_day: str) -> str:
    """Draw when a conversation takes place.

    Args:
        draw: Where chance comes from.
        previous: When the last one of the timeline took place; empty where there was none.
        first_day: The first day on which a timeline begins, as an ISO date.
        last_day: The last one.

    Returns:
        Date and time to the minute, e.g. `2026-03-14T19:40`; hours to weeks after the previous one.
    """
    if not previous:
        first, last = datetime.date.fromisoformat(first_day), datetime.date.fromisoformat(last_day)
        day = first + datetime.timedelta(days=draw.randint(0, (last - first).days))
        return _at(day, draw.randint(_FIRST_MINUTE, _LAST_MINUTE))
    before = datetime.datetime.fromisoformat(previous)
    least, most = draw.choices([days for days, _ in _GAPS], [weight for _, weight in _GAPS])[0]
    days = draw.randint(least, most)
    earliest = _FIRST_MINUTE
    if days == 0:
        earliest = before.hour * 60 + before.minute + _LEAST_MINUTES_BETWEEN
        if earliest > _LAST_MINUTE:
            days, earliest = 1, _FIRST_MINUTE
    return _at(before.date() + datetime.timedelta(days=days), draw.randint(earliest, _LAST_MINUTE))


def _at(day: datetime.date, minute: int) -> str:
    return f"{day.isoformat()}T{minute // 60:02}:{minute % 60:02}"


def possible_abilities(cast: Cast, story: Story, date: str, exchanges: int = 1) -> dict[Ability, float]:
    """Return the abilities that a conversation of this timeline on the day `date` can show.

    Each comes with how readily it is to be drawn, compared with the others.
    """
    found = offers(cast, story, date)
    readiness = _READINESS | _balance(story)
    return {ability: readiness.get(ability, 1.0) for ability in Ability if _forms(cast, found, ability, exchanges)}


def possible_forms(cast: Cast, story: Story, date: str, exchanges: int = 1) -> dict[Ability, tuple[Form, ...]]:
    """Return in which forms a conversation of this timeline on the day `date` can show each ability."""
    found = offers(cast, story, date)
    return {ability: tuple(_forms(cast, found, ability, exchanges)) for ability in Ability}


def _balance(story: Story) -> dict[Ability, float]:
    """Return how readily what is there, and what is not, is asked for: on each timeline about as often.

    So memories of any size, one as often as the other, have the answer and do not have it.
    """
    tilt = ((1 + story.recalls) / (1 + story.abstains)) ** _STRENGTH_OF_BALANCE
    return {Ability.RECALL: 1 / tilt, Ability.ABSTAIN: tilt}


def _forms(cast: Cast, found: Offers, ability: Ability, exchanges: int) -> dict[Form, float]:
    """Return the forms that are possible, with their shares."""
    shares = {form: cast.share(ability, form) for form in found.forms(ability, exchanges)}
    return {form: share for form, share in shares.items() if share > 0}


def draw_scenario(
    cast: Cast,
    draw: random.Random,
    ability: Ability,
    story: Story,
    *,
    at: str,
    exchanges: int = 1,
    form: Form | None = None,
) -> Scenario:
    """Draw what a conversation is about.

    Args:
        cast: What it is drawn from.
        draw: Where chance comes from.
        ability: What it is to show, one of `possible_abilities`.
        story: The timeline so far.
        at: When the conversation takes place, as an ISO date and time.
        exchanges: How many exchanges it has.
        form: In which form it is to show it, one of `possible_forms`; None: drawn as well.
    """
    found = offers(cast, story, at[:10])
    form = form or _draw_form(cast, draw, ability, _forms(cast, found, ability, exchanges))
    plan = Plan(cast, draw, story, found, datetime.date.fromisoformat(at[:10]))
    plan.draw(ability, form)
    scenarios = cast.scenarios
    place = _draw_place(draw, form, exchanges)
    lengths = scenarios.lengths_of(ability, form)
    length = draw.choices(lengths, [length.weight for length in lengths])[0]
    values: dict[str, Any] = {
        "topic": draw.choice(cast.topics(ability)),
        "mood": draw.choice(scenarios.moods_at(datetime.datetime.fromisoformat(at).hour)),
        "style": draw.choice(scenarios.styles_of(length, place)),
        "length": length.text,
        "facts": plan.facts,
        "replaced": plan.replaced,
        "told": _told(plan.facts, story, at),
        "question": plan.question,
        "may_say_told": plan.is_forgettable and draw.random() < _SHARE_SAYING_TOLD,
    }
    instruction = cast.instruction(ability, form, **values)
    return Scenario(
        ability,
        topic=values["topic"],
        mood=values["mood"],
        style=values["style"],
        instruction=instruction,
        facts=plan.facts,
        replaced=plan.replaced,
        inventions=plan.inventions,
        form=form,
        place=place,
        course=_course(cast, draw, form, place=place, exchanges=exchanges, values={**values, "task": instruction}),
        beside=plan.beside,
        earlier=plan.earlier,
        question=plan.question,
    )


def _draw_form(cast: Cast, draw: random.Random, ability: Ability, possible: dict[Form, float]) -> Form:
    """Draw a form by its share.

    Whether something is there comes first, in its wished share: so a memory in which few forms are possible does not
    lack what is asked of it more often than another.
    """
    wished = {form: cast.share(ability, form) for form in FORMS[ability]}
    lacking = sum(share for form, share in wished.items() if form in _LACKING) / sum(wished.values())
    is_lacking = draw.random() < lacking
    alike = {form: share for form, share in possible.items() if (form in _LACKING) is is_lacking} or possible
    return draw.choices(list(alike), list(alike.values()))[0]


_LACKING = frozenset({Form.NEVER_KEPT, Form.OLD_MISSING})


def _draw_place(draw: random.Random, form: Form, exchanges: int) -> int:
    """Draw in which exchange the ability comes, from 1."""
    first, last = 1, exchanges
    if form is Form.SAID_ABOVE:
        first = 2
    elif form is Form.TWO_CANDIDATES and exchanges > 1:
        last = exchanges - 1  # so that the user can say which
    return first if draw.random() < _SHARE_AT_THE_BEGINNING else draw.randint(first, last)


def _course(
    cast: Cast,
    draw: random.Random,
    form: Form,
    *,
    place: int,
    exchanges: int,
    values: dict[str, Any],
) -> tuple[str, ...]:
    """Return what the tester is told in each exchange; `task` of the values is that of the ability."""
    course = cast.scenarios.course
    told = []
    for number in range(1, exchanges + 1):
        if number == place:
            told.append(values["task"])
        elif number == 1 and form is Form.SAID_ABOVE:
            told.append(cast.render(course.telling, **values))
        elif number == place + 1 and form is Form.TWO_CANDIDATES:
            meant = draw.choice(values["facts"])
            told.append(cast.render(course.choosing, **{**values, "facts": (meant,)}))
        else:
            after = (*course.after, *course.ending) if number == exchanges else course.after
            texts = course.before if number == 1 else course.between if number < place else after
            told.append(cast.render(draw.choice(texts), **values))
    return tuple(told)


def _told(facts: Iterable[Fact], story: Story, at: str) -> str:
    """Return in words how long before `at` Ada was told of these facts; empty for those that are new to her."""
    today = datetime.datetime.fromisoformat(at).date()
    told_on = {item.fact.slot: datetime.date.fromisoformat(item.told_on) for item in story.known}
    told_on |= {twins.first.slot: datetime.date.fromisoformat(twins.told_on) for twins in story.twins}
    ages = [(today - told_on[fact.slot]).days for fact in facts if fact.slot in told_on]
    return " and ".join(dict.fromkeys(_spell_age(days) for days in sorted(ages)))


def _spell_age(days: int) -> str:
    """Return how somebody says who does not count."""
    if days == 1:
        return "yesterday"
    return next(said for most, said in _AGES if days <= most)
