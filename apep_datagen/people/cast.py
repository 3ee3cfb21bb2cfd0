"""What simulated users are made of: the files in `systemprompts/`, or in a directory of the user's.

`users.toml` holds who they can be, `world/` what is in their lives and how it is recognised, `scenarios.toml` what the
tester is told, `thoughts.toml` how Ada's thoughts can sound.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

import jinja2
from pydantic import BeforeValidator, Field, model_validator

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text, read_toml, validate
from apep_datagen.core.templates import compile_template, path_of_prompt
from apep_datagen.people.phrases import Phrases, load_phrases
from apep_datagen.people.scenario import FORMS, Ability, Fact, Form, User
from apep_datagen.people.world import FromFile, OneOrMore, Slot, Text, Texts, World, load_table, load_world

__all__ = ["Cast", "Life", "Mood", "Scenarios", "Trait", "Users", "load_cast"]

_HOURS_OF_A_DAY: Final = 24
# A kind with so many values is drawn as often as any; one with few, this much less often at the most.
_MANY, _LEAST_WEIGHT = 300, 0.1
_AnAge = Annotated[int, Field(ge=1, le=130)]


class Person(FromFile):
    """`[person]`: the one person that all users then are."""

    name: Text
    age: _AnAge
    place: Text
    job: Text
    temperament: Text
    writing: Text
    interests: tuple[Text, ...] = ()
    people: tuple[Text, ...] = ()
    animals: tuple[Text, ...] = ()
    traits: tuple[Text, ...] = ()

    def user(self) -> User:
        """Return the person as a user."""
        return User(**self.model_dump())


class Trait(FromFile):
    """A job or an animal, and what goes with it.

    Attributes:
        text: How the tester is told.
        traits: What it makes of a life, in one word each.
        ages: From which age until which somebody has it.
    """

    text: Text
    traits: tuple[Text, ...] = ()
    ages: tuple[_AnAge, _AnAge] = (1, 130)


class Life(FromFile):
    """One of `[[life]]`: what some have in their lives, and others have not.

    Attributes:
        trait: Its name.
        share: Of those who can have it, how many do.
        otherwise: The trait of those who do not; empty where that is none.
        ages: From which age until which.
        needs: Traits that it needs.
    """

    trait: Text
    share: Annotated[float, Field(ge=0, le=1)]
    otherwise: str = ""
    ages: tuple[_AnAge, _AnAge] = (1, 130)
    needs: tuple[Text, ...] = ()


def _as_table(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _as_one_group(value: Any) -> Any:
    """Return texts as one group: each is a whole way of writing, as in a file of an earlier version."""
    is_texts = isinstance(value, list) and value and all(isinstance(entry, str) for entry in value)
    return [value] if is_texts else value


Traits = Annotated[tuple[Annotated[Trait, BeforeValidator(_as_table)], ...], Field(min_length=1)]


class Users(FromFile):
    """`users.toml`: who users can be.

    Attributes:
        writing: Habits of writing in groups; of each, a person has one at the most. A list of texts is one group.
    """

    names: Texts
    ages: Annotated[tuple[_AnAge, ...], Field(min_length=1)]
    places: Texts
    jobs: Traits
    temperaments: Texts
    writing: Annotated[tuple[OneOrMore, ...], Field(min_length=1), BeforeValidator(_as_one_group)]
    interests: Texts
    people: Texts
    animals: Traits
    life: tuple[Life, ...] = ()
    person: Person | None = None


class Length(FromFile):
    """One of `lengths`: how long a message is.

    Attributes:
        text: How the tester is told.
        words: How many words, least and most.
        weight: How often it is drawn.
    """

    text: Text
    words: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    weight: Annotated[float, Field(ge=0)] = 1


class Style(FromFile):
    """One of `styles`: how a message is built, and how many words that needs at least."""

    text: Text
    words: Annotated[int, Field(ge=0)] = 0


class FormText(FromFile):
    """`[abilities.NAME.forms.FORM]`: how often an ability is shown in this form, and what the tester is told.

    Attributes:
        share: Its share among the forms that are possible.
        instruction: What the tester is told; empty: what the ability says.
        words: How many words the message needs at least; 0: as many as the ability says.
    """

    share: Annotated[float, Field(ge=0)] = 1
    instruction: str = ""
    words: Annotated[int, Field(ge=0)] = 0


class AbilityText(FromFile):
    """`[abilities.NAME]`: what the tester is told, topics of its own, and its forms."""

    instruction: Text
    words: Annotated[int, Field(ge=0)] = 0
    topics: tuple[Text, ...] = ()
    forms: Mapping[Form, FormText] = Field(default={})


Hour = Annotated[int, Field(ge=0, le=_HOURS_OF_A_DAY)]


class Mood(FromFile):
    """One of `moods`: how a user can feel, and from which hour of the day until which."""

    text: Text
    hours: tuple[Hour, Hour] = (0, _HOURS_OF_A_DAY)

    @model_validator(mode="after")
    def _hours_are_some(self) -> Self:
        if self.hours[0] >= self.hours[1]:
            raise ValueError(f"{self.text}: hours go from an earlier one to a later one")
        return self


class Course(FromFile):
    """`[course]`: what the tester is told in the exchanges around the one that shows the ability.

    Attributes:
        before: In the first.
        between: In those between the first and that one.
        after: In those after it.
        ending: In the last, beside `after`.
        telling: In the first, where what it tells is asked for later in the same chat.
        choosing: In the one after Ada has had to ask which is meant.
    """

    before: Texts = ("Begin a chat with Ada about {{ topic }}.",)
    between: Texts = ("Go on from what she just said; answer what she asked, if she did.",)
    after: Texts = ("Go on from what she just said; answer what she asked, if she did.",)
    ending: tuple[Text, ...] = ()
    telling: Text = 'Tell Ada by the way: "{{ facts[0].tell }}".'
    choosing: Text = "Answer what she just asked: you mean {{ facts[0].which }}."

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.before, *self.between, *self.after, *self.ending, self.telling, self.choosing)


class Scenarios(FromFile):
    """`scenarios.toml`: what conversations are about."""

    topics: tuple[Text, ...] = ()
    moods: Annotated[tuple[Annotated[Mood, BeforeValidator(_as_table)], ...], Field(min_length=1)]
    styles: Annotated[tuple[Annotated[Style, BeforeValidator(_as_table)], ...], Field(min_length=1)]
    lengths: Annotated[tuple[Length, ...], Field(min_length=1)] = (Length(text="a few sentences", words=(1, 80)),)
    course: Course = Course()
    abilities: Mapping[Ability, AbilityText]

    def lengths_of(self, ability: Ability, form: Form | None) -> tuple[Length, ...]:
        """Return how long a message can be that shows an ability; it is one length at least."""
        text = self.abilities[ability]
        words = (form is not None and form in text.forms and text.forms[form].words) or text.words
        return tuple(length for length in self.lengths if length.words[1] > words) or self.lengths[-1:]

    def styles_of(self, length: Length) -> tuple[str, ...]:
        """Return how a message of a length can be built; it is one style at least."""
        fitting = tuple(style.text for style in self.styles if style.words <= length.words[0])
        return fitting or (min(self.styles, key=lambda style: style.words).text,)

    def moods_at(self, hour: int) -> tuple[str, ...]:
        """Return how a user can feel at an hour of the day, from 0 to 23; it is one mood at least."""
        return tuple(mood.text for mood in self.moods if mood.hours[0] <= hour < mood.hours[1])

    @model_validator(mode="after")
    def _each_hour_has_a_mood(self) -> Self:
        if without := [hour for hour in range(_HOURS_OF_A_DAY) if not self.moods_at(hour)]:
            raise ValueError(f"none of the moods fits the hour {without[0]}")
        return self

    @model_validator(mode="after")
    def _all_abilities(self) -> Self:
        if missing := [ability.value for ability in Ability if ability not in self.abilities]:
            raise ValueError(f"there is no [abilities.{missing[0]}]")
        for ability, text in self.abilities.items():
            if wrong := [form.value for form in text.forms if form not in FORMS[ability]]:
                known = ", ".join(form.value for form in FORMS[ability])
                raise ValueError(f"abilities.{ability.value} has no form {wrong[0]}; it has {known}")
        return self


class _Thoughts(FromFile):
    """`thoughts.toml`: how Ada's thoughts can sound."""

    ways_of_thinking: Texts


class Cast:
    """Everything that conversations are drawn from.

    Args:
        users: Who users can be.
        world: What is in their lives.
        scenarios: What the tester is told.
        thoughts: How Ada's thoughts can sound.
        phrases: By what text is recognised.
    """

    def __init__(self, users: Users, world: World, scenarios: Scenarios, thoughts: _Thoughts, phrases: Phrases) -> None:
        self.users = users
        self.world = world
        self.slots = world.slots
        self.connections = world.connections
        self.moments = world.moments
        self.moment_facts = tuple(moment.fact() for moment in world.moments.values())
        self.scenarios = scenarios
        self.ways_of_thinking = thoughts.ways_of_thinking
        self.phrases = phrases
        self._templates: dict[str, jinja2.Template] = {}

    @functools.cached_property
    def slots_of(self) -> dict[str, list[Slot]]:
        """The kinds of facts by whom or what they are about."""
        found: dict[str, list[Slot]] = {}
        for slot in self.slots.values():
            found.setdefault(slot.of, []).append(slot)
        return found

    @functools.cached_property
    def weights(self) -> dict[str, float]:
        """How often each kind of fact is drawn: one with few values seldom, so that no value repeats much."""
        counts = {
            slot.slot: sum(self.world.vocabulary.count(forms[0]) for forms in slot.values)
            for slot in self.slots.values()
        }
        return {name: min(1.0, max(count / _MANY, _LEAST_WEIGHT)) for name, count in counts.items()}

    @functools.cached_property
    def weighted_slots(self) -> tuple[list[Slot], list[float]]:
        """All kinds of facts, with their weights cumulated."""
        return list(self.slots.values()), list(itertools.accumulate(self.weights.values()))

    def topics(self, ability: Ability) -> tuple[str, ...]:
        """Return what a conversation that shows this ability can be about."""
        of_its_own = {
            Ability.SMALLTALK: self.world.smalltalk_topics,
            Ability.ADVICE: self.world.advice_topics,
        }
        named = self.scenarios.abilities[ability].topics or self.scenarios.topics
        return named or of_its_own.get(ability, ()) or self.world.topics

    def instruction(self, ability: Ability, form: Form | None = None, **values: Any) -> str:
        """Return what the tester is told in the exchange that shows the ability.

        Args:
            ability: Which.
            form: In which form; None for the plain one.
            **values: topic, mood, style, length, facts, replaced, told, question and may_say_told.
        """
        text = self.scenarios.abilities[ability]
        of_form = text.forms[form].instruction if form is not None and form in text.forms else ""
        return self.render(of_form or text.instruction, **values)

    def render(self, source: str, **values: Any) -> str:
        """Return a template of `scenarios.toml` with its variables filled in."""
        # Compiled one by one, so that a mistake is told of the one that has it.
        if source not in self._templates:
            self._templates[source] = compile_template(source)
        return self._templates[source].render(values).strip()

    def share(self, ability: Ability, form: Form) -> float:
        """Return the share of a form among those of its ability that are possible."""
        forms = self.scenarios.abilities[ability].forms
        return forms[form].share if form in forms else 1.0

    @property
    def instruction_sources(self) -> tuple[str, ...]:
        """The templates of all instructions, as they stand in the file."""
        texts = self.scenarios.abilities.values()
        course = self.scenarios.course
        return (
            *(text.instruction for text in texts),
            *(form.instruction for text in texts for form in text.forms.values() if form.instruction),
            *course.texts,
        )


def load_cast(directory: Path | None = None) -> Cast:
    """Read `users.toml`, `scenarios.toml`, `thoughts.toml`, `phrases.toml` and what is in `world/`.

    Args:
        directory: Where to look first; a file that it lacks is taken from those that come with the program.

    Raises:
        SettingsError: A file cannot be read, or something in it is wrong.
    """
    phrases = path_of_prompt("phrases.toml", directory)
    users = path_of_prompt("users.toml", directory)
    cast = Cast(
        load_table(users, Users),
        load_world(directory),
        _load_scenarios(directory),
        load_table(path_of_prompt("thoughts.toml", directory), _Thoughts),
        load_phrases(read_text(phrases, "the file"), str(phrases)),
    )
    _try_users(cast, users)
    _try_instructions(cast, path_of_prompt("scenarios.toml", directory))
    return cast


def _load_scenarios(directory: Path | None) -> Scenarios:
    """Read `scenarios.toml`; an ability, or a form of one, that a file of the user's lacks is the program's own.

    What a form is told in needs words of its own where those of the ability do not say it.
    """
    path, own = path_of_prompt("scenarios.toml", directory), path_of_prompt("scenarios.toml", None)
    values = read_toml(path)
    abilities = values.get("abilities")
    if path != own and isinstance(abilities, dict):
        shipped = read_toml(own)["abilities"]
        for name, text in abilities.items():
            forms = text.get("forms", {}) if isinstance(text, dict) else None
            if name in shipped and isinstance(forms, dict):
                text["forms"] = shipped[name].get("forms", {}) | forms
        values["abilities"] = shipped | abilities
    return validate(Scenarios, values, str(path))


def _try_users(cast: Cast, path: Path) -> None:
    users, vocabulary = cast.users, cast.world.vocabulary
    for key in ("names", "places", "people", "interests"):
        for text in getattr(users, key):
            if "{" in text and not vocabulary.knows(text):
                raise SettingsError(
                    f"{path}: {key}: {text!r} has something in braces that there is not; there are"
                    f" {', '.join(vocabulary.names)}"
                )


_VARIABLES = ("topic", "mood", "style", "length", "facts", "replaced", "told", "question", "may_say_told")


def _try_instructions(cast: Cast, path: Path) -> None:
    """Render each instruction once, so that a mistake in it is found before anything is spent."""
    slot = next(iter(cast.slots.values()))
    facts = [slot.fact((text,)) for text in ("one thing", "another")]
    scenarios = cast.scenarios
    sources = [(f"abilities.{ability.value}", text.instruction) for ability, text in scenarios.abilities.items()]
    sources += [
        (f"abilities.{ability.value}.forms.{form.value}", one.instruction)
        for ability, text in scenarios.abilities.items()
        for form, one in text.forms.items()
        if one.instruction
    ]
    sources += [("course", text) for text in scenarios.course.texts]
    for place, source in sources:
        try:
            for replaced in (None, facts[0]):
                cast.render(source, **_trial(cast, facts), replaced=replaced)
        except Exception as error:  # a template is a program, and raises what it likes
            raise SettingsError(
                f"{path}: {place}.instruction: {str(error) or type(error).__name__}; its variables"
                f" are {', '.join(_VARIABLES)}"
            ) from error


def _trial(cast: Cast, facts: Iterable[Fact]) -> dict[str, Any]:
    scenarios = cast.scenarios
    return {
        "topic": "something",
        "mood": scenarios.moods[0].text,
        "style": scenarios.styles[0].text,
        "length": scenarios.lengths[0].text,
        "facts": list(facts),
        "told": "yesterday",
        "question": "…",
        "may_say_told": True,
    }
