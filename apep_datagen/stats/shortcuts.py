"""What a model could learn from a dataset instead of looking: counted conversation by conversation.

For each ability in each of its forms: how full memory and diary were, how long messages and conversations are, at what
hour they take place, whether the question says "I told you", and whether Ada looks. For each pair of kinds that differ
by nothing but what is in memory (`pairs`): how well simple rules guess it without looking (`separation`).

Memory grows with the different words of first thoughts and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.stats.distribution import Spread
from apep_datagen.stats.pairs import PAIRS, Kind, Pair
from apep_datagen.stats.repeats import FactCounts, Repeats
from apep_datagen.stats.separation import Accuracy, Halves, Threshold, best_single_word, guessed_by_value
from apep_datagen.stats.traits import Traits

__all__ = ["Guesses", "KindSummary", "ShortcutTally", "Shortcuts"]


@dataclass(frozen=True, slots=True)
class KindSummary:
    """What conversations of one ability, in one or all of its forms, have in common.

    Attributes:
        ability: The ability.
        form: The form; None for all forms together.
        notes: Notes in memory before the conversation.
        pages: Pages in the diary before it.
        message_words: Words of each message of the user's.
        exchanges: Exchanges of a conversation.
        hours: The hour of day, from 0.
        says_told: In how many the question speaks of having told something, or of remembering.
        looks: In how many Ada looks into memory or diary.
        adds: In how many she adds to one of them.
        looks_first: In how many of these she has looked before.
    """

    ability: Ability
    form: Form | None
    notes: Spread
    pages: Spread
    message_words: Spread
    exchanges: Spread
    hours: Spread
    says_told: int
    looks: int
    adds: int
    looks_first: int

    @property
    def conversations(self) -> int:
        """How many there are."""
        return self.notes.count


@dataclass(frozen=True, slots=True)
class Guesses:
    """How well simple rules guess, of a pair, whether it is there.

    Attributes:
        pair: What is told apart.
        notes: By the number of notes in memory.
        first_word: By the first word of the question.
        first_pair: By its first two words.
        says_told: By whether it speaks of having told something, or of remembering.
        thought_pair: By the first two words of the first thought at it.
        thought_word: By whether the best single word is in this thought.
        best_word: That word.
    """

    pair: Pair
    notes: Threshold
    first_word: Accuracy
    first_pair: Accuracy
    says_told: Accuracy
    thought_pair: Accuracy
    thought_word: Accuracy
    best_word: str


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """What a model could learn from a run's conversations instead of looking.

    Attributes:
        kinds: By ability: all forms together, then each form that is there.
        guesses: By pair.
        facts: Planned facts with their values, and in how many users' lives each is.
        topics: Planned topics, and in how many conversations each is.
    """

    kinds: tuple[KindSummary, ...]
    guesses: tuple[Guesses, ...]
    facts: Repeats
    topics: Repeats


_IN_PAIRS = frozenset().union(*(pair.there | pair.missing for pair in PAIRS))


@dataclass(slots=True)
class _KindTally:
    """What is counted of one kind; `KindSummary` and `Guesses` explain it."""

    notes: Counter[int] = field(default_factory=Counter)
    pages: Counter[int] = field(default_factory=Counter)
    message_words: Counter[int] = field(default_factory=Counter)
    exchanges: Counter[int] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    does: Counter[str] = field(default_factory=Counter)
    first_word: Halves[str] = field(default_factory=Halves)
    first_pair: Halves[str] = field(default_factory=Halves)
    says_told: Halves[bool] = field(default_factory=Halves)
    thought_pair: Halves[str] = field(default_factory=Halves)
    thought_words: Halves[str] = field(default_factory=Halves)

    def count(self, notes: int, pages: int, at: str, traits: Traits) -> None:
        self.notes[notes] += 1
        self.pages[pages] += 1
        self.message_words.update(traits.message_words)
        self.exchanges[len(traits.message_words)] += 1
        self.hours[int(at[11:13])] += 1
        self.does.update(name for name in ("says_told", "looks", "adds", "looks_first") if getattr(traits, name))

    def count_for_guesses(self, number: int, traits: Traits) -> None:
        self.first_word.count(number, [traits.first_word])
        self.first_pair.count(number, [traits.first_pair])
        self.says_told.count(number, [traits.says_told])
        self.thought_pair.count(number, [traits.thought_pair])
        self.thought_words.count(number, traits.thought_words)

    def add(self, other: _KindTally) -> None:
        for mine, others in (
            (self.notes, other.notes),
            (self.pages, other.pages),
            (self.message_words, other.message_words),
            (self.exchanges, other.exchanges),
            (self.hours, other.hours),
        ):
            mine.update(others)
        self.does.update(other.does)
        self.first_word.add(other.first_word)
        self.first_pair.add(other.first_pair)
        self.says_told.add(other.says_told)
        self.thought_pair.add(other.thought_pair)
        self.thought_words.add(other.thought_words)

    def summary(self, ability: Ability, form: Form | None) -> KindSummary:
        return KindSummary(
            ability,
            form,
            notes=Spread.of(self.notes),
            pages=Spread.of(self.pages),
            message_words=Spread.of(self.message_words),
            exchanges=Spread.of(self.exchanges),
            hours=Spread.of(self.hours),
            says_told=self.does["says_told"],
            looks=self.does["looks"],
            adds=self.does["adds"],
            looks_first=self.does["looks_first"],
        )


@dataclass(slots=True)
class ShortcutTally:
    """Counts conversations, those of a timeline one after the other."""

    facts: FactCounts = field(default_factory=FactCounts)
    topics: Counter[str] = field(default_factory=Counter)
    _kinds: dict[Kind, _KindTally] = field(default_factory=dict)

    def count(self, kind: Kind, number: int, *, notes: int, pages: int, at: str, traits: Traits) -> None:
        """Count a conversation.

        Args:
            kind: Its ability and form.
            number: Its number in the run.
            notes: How many notes were in memory before it.
            pages: How many pages were in the diary before it.
            at: When it takes place, as an ISO date and time.
            traits: What shows of it.
        """
        tally = self._kinds.setdefault(kind, _KindTally())
        tally.count(notes, pages, at, traits)
        if kind in _IN_PAIRS:
            tally.count_for_guesses(number, traits)

    def shortcuts(self) -> Shortcuts:
        """Return what was found."""
        return Shortcuts(
            kinds=tuple(self._summaries()),
            guesses=tuple(map(self._guesses, PAIRS)),
            facts=self.facts.repeats(),
            topics=Repeats.of(self.topics),
        )

    def _summaries(self) -> Iterator[KindSummary]:
        for ability in Ability:
            forms = (None, *FORMS[ability])
            if whole := self._together((ability, form) for form in forms):
                yield whole.summary(ability, None)
            for form in FORMS[ability]:
                if part := self._kinds.get((ability, form)):
                    yield part.summary(ability, form)

    def _guesses(self, pair: Pair) -> Guesses:
        there = self._together(pair.there) or _KindTally()
        missing = self._together(pair.missing) or _KindTally()
        thought_word, best_word = best_single_word(there.thought_words, missing.thought_words)
        return Guesses(
            pair,
            notes=pair.threshold({kind: tally.notes for kind, tally in self._kinds.items()}),
            first_word=guessed_by_value(there.first_word, missing.first_word),
            first_pair=guessed_by_value(there.first_pair, missing.first_pair),
            says_told=guessed_by_value(there.says_told, missing.says_told),
            thought_pair=guessed_by_value(there.thought_pair, missing.thought_pair),
            thought_word=thought_word,
            best_word=best_word,
        )

    def _together(self, kinds: Iterable[Kind]) -> _KindTally | None:
        parts = [self._kinds[kind] for kind in kinds if kind in self._kinds]
        if not parts:
            return None
        whole = _KindTally()
        for part in parts:
            whole.add(part)
        return whole
