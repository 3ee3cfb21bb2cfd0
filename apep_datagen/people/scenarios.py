"""What the tester is told, and how: the tables of `scenarios.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.people.world import FromFile, Text, Texts, as_table

__all__ = ["AbilityText", "Course", "FormText", "Length", "Mood", "Scenarios", "Style"]

_HOURS_OF_A_DAY: Final = 24


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
    """One of `styles`: how a message is built.

    Attributes:
        text: What the tester is told.
        words: For how many words that will do, at least.
        most: And at most.
        begins: Whether it is one for a message that begins a chat alone.
    """

    text: Text
    words: Annotated[int, Field(ge=0)] = 0
    most: Annotated[int, Field(ge=1)] = 1_000
    begins: bool = False


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
    moods: Annotated[tuple[Annotated[Mood, BeforeValidator(as_table)], ...], Field(min_length=1)]
    styles: Annotated[tuple[Annotated[Style, BeforeValidator(as_table)], ...], Field(min_length=1)]
    lengths: Annotated[tuple[Length, ...], Field(min_length=1)] = (Length(text="a few sentences", words=(1, 80)),)
    course: Course = Course()
    abilities: Mapping[Ability, AbilityText]

    def lengths_of(self, ability: Ability, form: Form | None) -> tuple[Length, ...]:
        """Return how long a message can be that shows an ability; it is one length at least."""
        text = self.abilities[ability]
        words = (form is not None and form in text.forms and text.forms[form].words) or text.words
        return tuple(length for length in self.lengths if length.words[1] > words) or self.lengths[-1:]

    def styles_of(self, length: Length, place: int = 1) -> tuple[str, ...]:
        """Return how a message of a length can be built; it is one style at least.

        Args:
            length: How long it is.
            place: Which of the user's messages it is, from 1.
        """
        least, most = length.words
        styles = tuple(style for style in self.styles if place == 1 or not style.begins) or self.styles
        fitting = tuple(style.text for style in styles if style.words <= least and most <= style.most)
        return fitting or (min(styles, key=lambda style: style.words).text,)

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
