"""What a conversation is to be about: plain values, decided before its first call and stored with its brief."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from apep_datagen.core.notebook import ShelfName

__all__ = ["ASKING", "FORMS", "TELLING", "Ability", "Fact", "Form", "KnownFact", "Scenario", "User"]


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
    APPLY = "apply"
    ASK_BACK = "ask_back"
    SMALLTALK = "smalltalk"
    ADVICE = "advice"


class Form(StrEnum):
    """In which of its forms, easy or difficult, a conversation shows its ability."""

    TOLD = "told"
    KNOWN_ALREADY = "known_already"
    TWO_AT_ONCE = "two_at_once"
    MAYBE_TOLD = "maybe_told"
    PASSING = "passing"
    CHANGED = "changed"
    OLD_MISSING = "old_missing"
    TWO_TOUCHED = "two_touched"
    MISTAKE = "mistake"
    ONE = "one"
    ONE_OF_SEVERAL = "one_of_several"
    PERSON = "person"
    NEVER_KEPT = "never_kept"
    HALF = "half"
    AMONG_MANY = "among_many"
    NEAR_MISS = "near_miss"
    NEWEST = "newest"
    DATE_OR_NUMBER = "date_or_number"
    NOTE_AND_PAGE = "note_and_page"
    SAID_ABOVE = "said_above"
    TWO_FACTS = "two_facts"
    UNRELATED = "unrelated"
    FORGOTTEN = "forgotten"
    MOMENT = "moment"
    MOMENT_AND_FACT = "moment_and_fact"
    RETOLD = "retold"
    AVOID = "avoid"
    USE = "use"
    TWO_CANDIDATES = "two_candidates"
    CHAT = "chat"
    GENERAL = "general"


FORMS: Mapping[Ability, tuple[Form, ...]] = {
    Ability.SHARE: (Form.TOLD, Form.KNOWN_ALREADY, Form.TWO_AT_ONCE, Form.MAYBE_TOLD, Form.PASSING),
    Ability.UPDATE: (Form.CHANGED, Form.OLD_MISSING, Form.TWO_TOUCHED, Form.MISTAKE),
    Ability.FORGET: (Form.ONE, Form.ONE_OF_SEVERAL, Form.PERSON, Form.NEVER_KEPT, Form.HALF),
    Ability.RECALL: (
        *(Form.AMONG_MANY, Form.NEAR_MISS, Form.NEWEST, Form.DATE_OR_NUMBER, Form.NOTE_AND_PAGE),
        Form.SAID_ABOVE,
    ),
    Ability.CONNECT: (Form.TWO_FACTS,),
    Ability.ABSTAIN: (Form.NEAR_MISS, Form.UNRELATED, Form.FORGOTTEN),
    Ability.DIARY: (Form.MOMENT, Form.MOMENT_AND_FACT),
    Ability.DIARY_RECALL: (Form.AMONG_MANY, Form.RETOLD),
    Ability.APPLY: (Form.AVOID, Form.USE),
    Ability.ASK_BACK: (Form.TWO_CANDIDATES,),
    Ability.SMALLTALK: (Form.CHAT,),
    Ability.ADVICE: (Form.GENERAL,),
}
"""The forms of each ability; the plainest is the first."""


TELLING = frozenset({Ability.SHARE, Ability.UPDATE, Ability.DIARY})
"""The abilities for which the user tells the scenario's facts."""
ASKING = frozenset({Ability.RECALL, Ability.CONNECT, Ability.DIARY_RECALL, Ability.APPLY})
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
        which: What tells it from another one of the same slot, e.g. the sister's name; empty where there is one alone.
    """

    slot: str
    value: str
    forms: tuple[str, ...]
    cues: tuple[str, ...]
    tell: str
    ask: str
    shelf: ShelfName = "memory"
    which: str = ""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that Ada has written down.

    Attributes:
        fact: What it is.
        told_on: The day she was told, as an ISO date.
        asked: How often she was asked about it since.
        earlier: What was so before it and is still in a note of its own, oldest first.
        shared_with: The slot of another fact that stands in the same note; empty where none does.
        notes: How many notes say it.
    """

    fact: Fact
    told_on: str
    asked: int = 0
    earlier: tuple[Fact, ...] = ()
    shared_with: str = ""
    notes: int = 1


@dataclass(frozen=True, slots=True)
class User:
    """A simulated user; each text completes a sentence about them, e.g. place `Porto`, people `sister Jana`.

    `traits` say in one word each what of their life makes facts possible or impossible, e.g. `dog`, `driver`.
    """

    name: str
    age: int
    place: str
    job: str
    temperament: str
    writing: str
    interests: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    animals: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()


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
        form: In which form it shows the ability; None where an earlier version began it.
        place: In which exchange the ability comes, from 1.
        course: What the tester is told in each exchange, the ability's in `place`; empty where an earlier version began
            it, which told `instruction` in the first and the same in all others.
        beside: Near misses: values of other things that stand in Ada's notes and are easily mistaken for what is
            asked.
        earlier: What was so before, and is still in a note, oldest first.
        question: What is asked, for `connect` (a question in full) and `apply` (an occasion of the world); empty for
            others, and where an earlier version began it.
    """

    ability: Ability
    topic: str
    mood: str
    style: str
    instruction: str
    facts: tuple[Fact, ...] = ()
    replaced: Fact | None = None
    inventions: tuple[str, ...] = ()
    form: Form | None = None
    place: int = 1
    course: tuple[str, ...] = ()
    beside: tuple[Fact, ...] = ()
    earlier: tuple[Fact, ...] = ()
    question: str = ""
