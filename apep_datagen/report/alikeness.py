"""How much of what users say in two conversations is the same: of each conversation, the one that is most like it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from apep_datagen.language.quotation import own_words
from apep_datagen.quality.novelty import trigrams

__all__ = ["Alikeness"]

# What more conversations have in common than that, makes no two of them alike. So it costs the same for each of many.
_MOST_HOLDERS = 64
_MOST_CANDIDATES = 16


class Alikeness:
    """Compares what users say, by the word trigrams by which the judge tells what is new."""

    def __init__(self) -> None:
        self._trigrams: dict[int, frozenset[int]] = {}
        self._holders: defaultdict[int, list[int]] = defaultdict(list)

    def add(self, place: int, messages: Iterable[str]) -> None:
        """Take in what a user says in a conversation.

        Args:
            place: By which the conversation is told from the others.
            messages: What the user says, in order.
        """
        # A number for each keeps them small: whatever collides would be one trigram too many of thousands.
        found = frozenset(hash(trigram) for text in messages for trigram in trigrams(own_words(text)))
        self._trigrams[place] = found
        for trigram in found:
            holders = self._holders[trigram]
            if len(holders) <= _MOST_HOLDERS:
                holders.append(place)

    def nearest(self) -> Iterator[tuple[int, int, float]]:
        """Yield each conversation that has something in common with another one, in the order in which they came.

        Returns:
            Its place, the place of the one that is most like it, and the share of the trigrams of both that both have.
        """
        for place, own in self._trigrams.items():
            shared: Counter[int] = Counter()
            for trigram in own:
                holders = self._holders[trigram]
                if len(holders) <= _MOST_HOLDERS:
                    shared.update(holders)
            del shared[place]
            candidates = sorted(shared, key=lambda other: (-shared[other], other))[:_MOST_CANDIDATES]
            if candidates:
                share, other = max((self._share(own, self._trigrams[each]), -each) for each in candidates)
                yield place, -other, share

    @staticmethod
    def _share(one: frozenset[int], other: frozenset[int]) -> float:
        common = len(one & other)
        return common / (len(one) + len(other) - common)
