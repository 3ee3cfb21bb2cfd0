"""What a conversation is to be about: plain values, decided before its first call and stored with its brief."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apep_datagen.core.notebook import ShelfName

__all__ = ["ASKING", "TELLING", "Ability", "Fact", "KnownFact", "Scenario", "User"]


class Ability(StrEnum):
    """What a conversation shows of Ada."""

    SHARE = "share"
    UPDATE = "update"
    FORGET = "forget"
    RECALL = "recall"
    CONNECT = "connect"
    ABSTAIN = "abstain"
    DIARY = "diary"
    DIARY_RECALL = "diary_recall"
    SMALLTALK = "smalltalk"
    ADVICE = "advice"


TELLING = frozenset({Ability.SHARE, Ability.UPDATE, Ability.DIARY})
"""The abilities for which the user tells the scenario's facts."""
ASKING = frozenset({Ability.RECALL, Ability.CONNECT, Ability.DIARY_RECALL})
"""The abilities for which the user asks about the scenario's facts, which Ada was told before."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a user tells, with what it takes to recognise it in a text.

    Attributes:
        slot: What it is about, e.g. `dog_name`; a user has one value for each slot.
        value: The value, e.g. `Bello`; empty where only the slot is meant.
        forms: Spellings by which a text is recognised to hold the value; the value itself is the first.
        cues: Words by which a text is recognised to speak of the slot.
        tell: How the user would tell it, in the first person.
        ask: What is asked about, e.g. `what my dog is called`.
        shelf: Where Ada keeps it: a fact in her memory, a moment in her diary.
    """

    slot: str
    value: str
    forms: tuple[str, ...]
    cues: tuple[str, ...]
    tell: str
    ask: str
    shelf: ShelfName = "memory"


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that Ada has written down.

    Attributes:
        fact: What it is.
        told_on: The day she was told, as an ISO date.
        asked: How often she was asked about it since.
    """

    fact: Fact
    told_on: str
    asked: int = 0


@dataclass(frozen=True, slots=True)
class User:
    """A simulated user; each text completes a sentence about them, e.g. place `Porto`, people `sister Jana`."""

    name: str
    age: int
    place: str
    job: str
    temperament: str
    writing: str
    interests: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    animals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one conversation is about.

    Attributes:
        ability: What it shows.
        topic: What the user has in mind.
        mood: How the user feels.
        style: How the message is written.
        instruction: What the tester is told to do in the first message.
        facts: What is told (`share`, `update`, `diary`) or asked about; for `abstain` a slot without a value.
        replaced: For `update`: the fact as it was before.
        inventions: For `abstain`: values that nobody ever told.
    """

    ability: Ability
    topic: str
    mood: str
    style: str
    instruction: str
    facts: tuple[Fact, ...] = ()
    replaced: Fact | None = None
    inventions: tuple[str, ...] = ()
