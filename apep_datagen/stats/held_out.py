"""What of the tables that are held out for evaluation a conversation holds.

What was *drawn* for a conversation is told exactly, by what was decided before its first call. Of a conversation alone
there is its text, and what *stands* in a text says less: a note in the very words of the tables that are held out is
hardly anything else, but a name a model may have said by itself. Only what tells is looked for: notes and pages in the
words of the tables, names, and values of several words; in the spelling of the tables; and nothing that also stands in
what generation draws. Dates and numbers, which are held out too, tell nothing by themselves.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from apep_datagen.core.messages import Message
from apep_datagen.core.words import excerpt, words
from apep_datagen.people.parts import load_files, load_users
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import World
from apep_datagen.quality.wording import notes_in

__all__ = ["HeldOut", "HeldOutCount", "load_held_out"]

# So many words of a note in a row, as the tables have them, are nobody else's; no more are looked at.
_LEAST_WORDS, _MOST_WORDS = 6, 12
# A word that there is not, so that nothing reaches from one text into the next.
_BETWEEN = "qxzxq"
_BRACES = re.compile(r"\{[^}]*\}")


@dataclass(slots=True)
class HeldOutCount:
    """How many conversations hold something that is held out.

    Attributes:
        conversations: How many.
        found: What they hold, each with how many of them hold it, e.g. `value: Okafor`.
    """

    conversations: int = 0
    found: Counter[str] = field(default_factory=Counter)

    def add(self, found: Iterable[str]) -> None:
        """Count a conversation that holds this."""
        found = set(found)
        self.conversations += bool(found)
        self.found.update(found)

    def join(self, other: HeldOutCount) -> None:
        """Count what another one has counted."""
        self.conversations += other.conversations
        self.found.update(other.found)


class _Phrases:
    """Texts that are looked for as whole words, all at once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: dict[str, list[str]] = {}
        self._longer: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for text in texts:
            said = words(text)
            if len(said) == 1:
                self._words.setdefault(said[0], []).append(text)
            elif said:
                self._longer.setdefault((said[0], said[1]), []).append((f" {' '.join(said)} ", text))

    def __iter__(self) -> Iterator[str]:
        yield from (text for texts in self._words.values() for text in texts)
        yield from (text for texts in self._longer.values() for _, text in texts)

    def but(self, texts: Iterable[str]) -> _Phrases:
        """Return those that stand in none of these texts."""
        found = set(self.in_text(f"\n{_BETWEEN}\n".join(texts)))
        return _Phrases(text for text in self if text not in found)

    def in_text(self, text: str) -> Iterator[str]:
        """Yield which stand in a text, whatever their case and accents; also as possessives."""
        said = words(text)
        for word in self._words.keys() & {*said, *(word[:-1] for word in said if word[-1] == "s")}:
            yield from self._words[word]
        if pairs := self._longer.keys() & pairwise(said):
            whole = f" {' '.join(said)} "
            yield from (text for pair in pairs for start, text in self._longer[pair] if start in whole)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What is held out, as it is recognised.

    Attributes:
        kinds: Names of kinds of facts, of two of a kind and of moments.
        topics: All topics.
        users: What a user can be: places, jobs and interests.
        values: Words of the lists that nothing which generation draws has.
        names: Those of them that tell in a text, too: names, and what has several words.
        notes: What stands in notes and pages of kinds and moments, and in small notes.
    """

    kinds: frozenset[str]
    topics: frozenset[str]
    users: frozenset[str]
    values: _Phrases
    names: _Phrases
    notes: _Phrases

    def in_scenario(self, scenario: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is held out of what was drawn for a conversation.

        Args:
            scenario: A `Scenario` as JSON has it; it can lack anything.
        """
        if scenario.get("topic") in self.topics:
            yield f"topic: {scenario['topic']}"
        facts = [*(scenario.get("facts") or ()), *filter(None, [scenario.get("replaced")])]
        for fact in facts:
            if fact["slot"] in self.kinds:
                yield f"kind: {fact['slot']}"
            else:
                yield from self._values_in(fact["value"])

    def in_user(self, user: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is held out of what was drawn for a user, who is a `User` as JSON has it."""
        for text in (user["place"], user["job"], *user["interests"]):
            if text in self.users:
                yield f"user: {text}"
        for text in (user["name"], *user["people"]):
            yield from self._values_in(text)

    def in_note(self, text: str) -> Iterator[str]:
        """Yield what stands in a note, or a page, that was written before the first conversation."""
        yield from self._told(self.notes, text, "note")
        yield from self._told(self.values, text, "value")

    def in_messages(self, messages: Iterable[Message]) -> tuple[str, ...]:
        """Return what stands in the user's messages and in the notes of a conversation."""
        messages = tuple(messages)
        said = [message.content for message in messages if message.role == "user"]
        return self.in_texts(said, [note for message in messages for note in notes_in(message)])

    def in_texts(self, said: Iterable[str], notes: Iterable[str]) -> tuple[str, ...]:
        """Return what stands in messages of a user, and in notes."""
        notes = list(notes)
        found = [each for text in notes for each in self._told(self.notes, text, "note")]
        found += [each for text in (*said, *notes) for each in self._told(self.names, text, "value")]
        return tuple(dict.fromkeys(found))

    def _values_in(self, text: str) -> Iterator[str]:
        yield from self._told(self.values, text, "value")

    @staticmethod
    def _told(phrases: _Phrases, text: str, what: str) -> Iterator[str]:
        for phrase in phrases.in_text(text):
            if _stands_in(phrase, text) or _stands_in(phrase[:1].upper() + phrase[1:], text):
                yield f"{what}: {phrase}"


def _stands_in(phrase: str, text: str) -> bool:
    """Tell whether a phrase stands in a text in this very spelling, not as a part of a longer word."""
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            return True
        start = text.find(phrase, start + 1)
    return False


@functools.cache
def load_held_out() -> HeldOut:
    """Read the program's own tables, and return what of them is held out."""
    files, vocabulary, users = load_files(), Vocabulary(), load_users(part="held out")
    drawn, held_out = (World((file for _, file in each), vocabulary) for each in (files["drawn"], files["held out"]))
    entries = vocabulary.entries()
    words_drawn = (form for forms, part in entries.items() if part == "drawn" for form in forms)
    values = _Phrases(form for forms, part in entries.items() if part == "held out" for form in forms)
    values = values.but((*words_drawn, *_listed(drawn), *_noted(drawn)))
    return HeldOut(
        kinds=frozenset((*held_out.slots, *held_out.twins, *held_out.moments)),
        topics=frozenset((*held_out.topics, *held_out.smalltalk_topics, *held_out.advice_topics)),
        users=frozenset((*users.places, *(job.text for job in users.jobs), *users.interests)),
        values=values,
        names=_Phrases(text for text in values if len(words(text)) > 1 or text[:1].isupper()),
        notes=_Phrases(_runs(_noted(held_out))).but(_noted(drawn)),
    )


def _listed(world: World) -> Iterator[str]:
    """Yield the values that are listed with kinds of facts, with two of a kind and with moments."""
    yield from (form for slot in world.slots.values() for forms in slot.values for form in forms)
    for twins in world.twins.values():
        yield from (form for forms in (*twins.values, *twins.which) for form in forms)
    yield from (form for moment in world.moments.values() for form in moment.forms)


def _noted(world: World) -> Iterator[str]:
    """Yield what can stand in a past, with what is filled in left in braces."""
    for slot in world.slots.values():
        yield from (*slot.notes, *slot.beside, *slot.was)
    yield from (note for twins in world.twins.values() for note in twins.notes)
    yield from (page for moment in world.moments.values() for page in moment.pages)
    yield from world.trifles


def _runs(texts: Iterable[str]) -> Iterator[str]:
    """Yield the words between braces, where they are so many that nobody else has them in a row."""
    for text in texts:
        for run in _BRACES.split(text):
            if len(words(run)) >= _LEAST_WORDS:
                yield excerpt(run, 0, _MOST_WORDS)
