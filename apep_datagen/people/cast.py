"""What simulated users are made of: the TOML files in `systemprompts/`, or in a directory of the user's.

`users.toml` holds who they can be, `facts.toml` what they can tell and how it is recognised, `scenarios.toml` what
conversations are about and what the tester is told, `thoughts.toml` how Ada's thoughts can sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

import jinja2
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import parse_toml, read_text, validate
from apep_datagen.core.templates import compile_template, path_of_prompt
from apep_datagen.people.phrases import Phrases, load_phrases
from apep_datagen.people.scenario import Ability, Fact, User

__all__ = ["Cast", "Connection", "Moment", "Mood", "Scenarios", "Slot", "Users", "load_cast"]

_HOURS_OF_A_DAY: Final = 24


class _FromFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) else value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
OneOrMore = Annotated[Texts, BeforeValidator(_as_list)]


class Person(_FromFile):
    """`[person]`: the one person that all users then are."""

    name: Text
    age: Annotated[int, Field(ge=1, le=130)]
    place: Text
    job: Text
    temperament: Text
    writing: Text
    interests: tuple[Text, ...] = ()
    people: tuple[Text, ...] = ()
    animals: tuple[Text, ...] = ()

    def user(self) -> User:
        """Return the person as a user."""
        return User(**self.model_dump())


class Users(_FromFile):
    """`users.toml`: who users can be."""

    names: Texts
    ages: Annotated[tuple[Annotated[int, Field(ge=1, le=130)], ...], Field(min_length=1)]
    places: Texts
    jobs: Texts
    temperaments: Texts
    writing: Texts
    interests: Texts
    people: Texts
    animals: Texts
    person: Person | None = None


class Slot(_FromFile):
    """One of `[[facts]]`: something that a user can tell, with its possible values."""

    slot: Text
    tell: Text
    ask: Text
    cues: Texts
    change: Text | None = None
    values: Annotated[tuple[OneOrMore, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _sentences_hold_the_value(self) -> Self:
        for key, sentence in (("tell", self.tell), ("change", self.change)):
            if sentence is not None and "{value}" not in sentence:
                raise ValueError(f"{self.slot}: {key} must contain {{value}}")
        return self

    def fact(self, forms: tuple[str, ...], *, changed: bool = False) -> Fact:
        """Return the fact that this slot has the value that is spelled in `forms`; none: the slot alone."""
        value = forms[0] if forms else ""
        sentence = self.change if changed and self.change else self.tell
        tell = sentence.replace("{value}", value) if forms else ""
        return Fact(self.slot, value, forms, self.cues, tell, self.ask)


class Connection(_FromFile):
    """One of `[[connections]]`: a question that needs two facts."""

    slots: tuple[str, str]
    ask: Text


class Moment(_FromFile):
    """One of `[[moments]]`: something worth a page of the diary."""

    slot: Text
    tell: Text
    ask: Text
    forms: Texts

    def fact(self) -> Fact:
        """Return the moment as a fact that is kept in the diary."""
        return Fact(self.slot, self.forms[0], self.forms, (), self.tell, self.ask, "diary")


class _Facts(_FromFile):
    facts: Annotated[tuple[Slot, ...], Field(min_length=1)]
    connections: tuple[Connection, ...] = ()
    moments: tuple[Moment, ...] = ()

    @model_validator(mode="after")
    def _slots_fit(self) -> Self:
        names = [fact.slot for fact in self.facts] + [moment.slot for moment in self.moments]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"slot {twice[0]} is there twice")
        known = {slot.slot for slot in self.facts}
        for connection in self.connections:
            if unknown := sorted(set(connection.slots) - known):
                raise ValueError(f"a connection names the slot {unknown[0]}, which no [[facts]] has")
            if connection.slots[0] == connection.slots[1]:
                raise ValueError(f"a connection names the slot {connection.slots[0]} twice")
        return self


class AbilityText(_FromFile):
    """`[abilities.NAME]`: what the tester is told, and topics of its own."""

    instruction: Text
    topics: tuple[Text, ...] = ()


Hour = Annotated[int, Field(ge=0, le=_HOURS_OF_A_DAY)]


class Mood(_FromFile):
    """One of `moods`: how a user can feel, and from which hour of the day until which."""

    text: Text
    hours: tuple[Hour, Hour] = (0, _HOURS_OF_A_DAY)

    @model_validator(mode="after")
    def _hours_are_some(self) -> Self:
        if self.hours[0] >= self.hours[1]:
            raise ValueError(f"{self.text}: hours go from an earlier one to a later one")
        return self


def _as_mood(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


class Scenarios(_FromFile):
    """`scenarios.toml`: what conversations are about."""

    topics: Texts
    moods: Annotated[tuple[Annotated[Mood, BeforeValidator(_as_mood)], ...], Field(min_length=1)]
    styles: Texts
    abilities: dict[Ability, AbilityText]

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
        return self


class _Thoughts(_FromFile):
    """`thoughts.toml`: how Ada's thoughts can sound."""

    ways_of_thinking: Texts


class Cast:
    """Everything that conversations are drawn from.

    Args:
        users: Who users can be.
        facts: What they can tell, `connections` and `moments` included.
        scenarios: What conversations are about.
        thoughts: How Ada's thoughts can sound.
        phrases: By what text is recognised.
    """

    def __init__(
        self, users: Users, facts: _Facts, scenarios: Scenarios, thoughts: _Thoughts, phrases: Phrases
    ) -> None:
        self.users = users
        self.slots = {slot.slot: slot for slot in facts.facts}
        self.connections = facts.connections
        self.moments = {moment.slot: moment for moment in facts.moments}
        self.moment_facts = tuple(moment.fact() for moment in facts.moments)
        self.scenarios = scenarios
        self.ways_of_thinking = thoughts.ways_of_thinking
        self.phrases = phrases
        self._instructions: dict[Ability, jinja2.Template] = {}

    def instruction(self, ability: Ability, **values: Any) -> str:
        """Return what the tester is told; `values` are topic, mood, style, facts, replaced, told and question."""
        # Compiled one by one, so that a mistake is told of the one that has it.
        if ability not in self._instructions:
            self._instructions[ability] = compile_template(self.scenarios.abilities[ability].instruction)
        return self._instructions[ability].render(values).strip()

    @property
    def instruction_sources(self) -> tuple[str, ...]:
        """The templates of all instructions, as they stand in the file."""
        return tuple(text.instruction for text in self.scenarios.abilities.values())


Read = TypeVar("Read", bound=_FromFile)


def load_cast(directory: Path | None = None) -> Cast:
    """Read `users.toml`, `facts.toml`, `scenarios.toml`, `thoughts.toml` and `phrases.toml`.

    Args:
        directory: Where to look first; a file that it lacks is taken from those that come with the program.

    Raises:
        SettingsError: A file cannot be read, or something in it is wrong.
    """
    phrases = path_of_prompt("phrases.toml", directory)
    cast = Cast(
        _load(path_of_prompt("users.toml", directory), Users),
        _load(path_of_prompt("facts.toml", directory), _Facts),
        _load(path_of_prompt("scenarios.toml", directory), Scenarios),
        _load(path_of_prompt("thoughts.toml", directory), _Thoughts),
        load_phrases(read_text(phrases, "the file"), str(phrases)),
    )
    _try_instructions(cast, path_of_prompt("scenarios.toml", directory))
    return cast


def _load(path: Path, kind: type[Read]) -> Read:
    return validate(kind, parse_toml(read_text(path, "the file"), str(path)), str(path))


def _try_instructions(cast: Cast, path: Path) -> None:
    """Render each instruction once, so that a mistake in it is found before anything is spent."""
    slot = next(iter(cast.slots.values()))
    facts = [slot.fact(forms) for forms in slot.values[:2]]
    for ability in Ability:
        try:
            for replaced in (None, facts[0]):
                cast.instruction(ability, **_trial(cast, facts), replaced=replaced)
        except Exception as error:  # a template is a program, and raises what it likes
            raise SettingsError(
                f"{path}: abilities.{ability.value}.instruction: {str(error) or type(error).__name__}; its variables"
                " are topic, mood, style, facts, replaced, told, question"
            ) from error


def _trial(cast: Cast, facts: Iterable[Fact]) -> dict[str, Any]:
    scenarios = cast.scenarios
    return {
        "topic": scenarios.topics[0],
        "mood": scenarios.moods[0].text,
        "style": scenarios.styles[0],
        "facts": list(facts),
        "told": "yesterday",
        "question": "…",
    }
