"""What simulated users are made of: the files in `systemprompts/`, or in a directory of the user's.

`users.toml` holds who they can be, `world/` what is in their lives and how it is recognised, `scenarios.toml` what the
tester is told, `thoughts.toml` how Ada's thoughts can sound.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text, read_toml, validate
from apep_datagen.core.templates import compile_template, path_of_prompt
from apep_datagen.people.held_out import Part
from apep_datagen.people.parts import load_users, load_world
from apep_datagen.people.phrases import Phrases, load_phrases
from apep_datagen.people.scenario import Ability, Fact, Form
from apep_datagen.people.scenarios import Scenarios
from apep_datagen.people.users import Users
from apep_datagen.people.world import FromFile, Slot, Texts, World, load_table

__all__ = ["Cast", "load_cast"]

# A kind with so many values is drawn as often as any; one with few, this much less often at the most.
_MANY, _LEAST_WEIGHT = 300, 0.03


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
        """How often each kind of fact, or of two, is drawn: one with few values seldom, so that none repeats much."""
        values = {slot.slot: slot.values for slot in self.slots.values()}
        values |= {twins.slot: twins.values for twins in self.world.twins.values()}
        counts = {name: sum(self.world.vocabulary.count(forms[0]) for forms in all_) for name, all_ in values.items()}
        return {name: min(1.0, max(count / _MANY, _LEAST_WEIGHT)) for name, count in counts.items()}

    @functools.cached_property
    def weighted_slots(self) -> tuple[list[Slot], list[float]]:
        """All kinds of facts, with their weights cumulated."""
        weights = [self.weights[slot] for slot in self.slots]
        return list(self.slots.values()), list(itertools.accumulate(weights))

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


def load_cast(directory: Path | None = None, part: Part = "drawn") -> Cast:
    """Read `users.toml`, `scenarios.toml`, `thoughts.toml`, `phrases.toml` and what is in `world/`.

    Args:
        directory: Where to look first; a file that it lacks is taken from those that come with the program.
        part: What users and their lives are drawn from: what generation draws, or what is held out for evaluation and
            is the program's own alone.

    Raises:
        SettingsError: A file cannot be read, or something in it is wrong.
    """
    phrases = path_of_prompt("phrases.toml", directory)
    users = path_of_prompt("users.toml", None if part == "held out" else directory)
    cast = Cast(
        load_users(directory, part),
        load_world(directory, part),
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
