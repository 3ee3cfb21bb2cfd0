"""Who users can be: the tables of `users.toml`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from apep_datagen.people.scenario import User
from apep_datagen.people.world import FromFile, OneOrMore, Text, Texts, as_table

__all__ = ["Life", "Person", "Trait", "Users"]

AnAge = Annotated[int, Field(ge=1, le=130)]


class Person(FromFile):
    """`[person]`: the one person that all users then are."""

    name: Text
    age: AnAge
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
    ages: tuple[AnAge, AnAge] = (1, 130)


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
    ages: tuple[AnAge, AnAge] = (1, 130)
    needs: tuple[Text, ...] = ()


def _as_one_group(value: Any) -> Any:
    """Return texts as one group: each is a whole way of writing, as in a file of an earlier version."""
    is_texts = isinstance(value, list) and value and all(isinstance(entry, str) for entry in value)
    return [value] if is_texts else value


Traits = Annotated[tuple[Annotated[Trait, BeforeValidator(as_table)], ...], Field(min_length=1)]


class Users(FromFile):
    """`users.toml`: who users can be.

    Attributes:
        writing: Habits of writing in groups; of each, a person has one at the most. A list of texts is one group.
    """

    names: Texts
    ages: Annotated[tuple[AnAge, ...], Field(min_length=1)]
    places: Texts
    jobs: Traits
    temperaments: Texts
    writing: Annotated[tuple[OneOrMore, ...], Field(min_length=1), BeforeValidator(_as_one_group)]
    interests: Texts
    people: Texts
    animals: Traits
    life: tuple[Life, ...] = ()
    person: Person | None = None
