"""The conversations of a whole output, compared with each other: which are doubled, nearly the same, or begin alike.

Texts are compared as in `quality.novelty`. Of each conversation some 300 bytes are kept; which pairs may be nearly the
same is found band by band, so that the keys of one band at a time are in a dictionary.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import eq

from apep_datagen.quality.novelty import BANDS, MOST_IN_A_BAND, PARTS, SKETCH_LENGTH, first_alike
from apep_datagen.verify.examination import Examined

__all__ = ["Comparison", "NearlyTheSame", "TooManyAlike"]

# So many pairs of a conversation are compared word by word: where more look similar, one of them is.
_MOST_CANDIDATES = 8
# How far, in standard deviations, a sketch may be below the similarity that is looked for.
_DEVIATIONS = 3.5


@dataclass(frozen=True, slots=True)
class NearlyTheSame:
    """A text that is like one in an earlier conversation.

    Attributes:
        number: The conversation's number in the file, from 1.
        earlier: The earlier one's.
        part: Which of `PARTS`, as an index.
        similarity: Of the two texts.
    """

    number: int
    earlier: int
    part: int
    similarity: float


@dataclass(frozen=True, slots=True)
class TooManyAlike:
    """An opening that too many conversations have.

    Attributes:
        number: The first conversation that is one too many.
        part: Which of `PARTS` begins so, as an index.
        count: How many begin so.
    """

    number: int
    part: int
    count: int


class Comparison:
    """What is known of all conversations of an output; filled by `add`, in order."""

    def __init__(self) -> None:
        self.contents = array("q")
        self._keys = [array("q") for _ in range(len(PARTS) * BANDS)]
        self._sketches = bytearray()
        self._openings = [array("q") for _ in PARTS]

    def __len__(self) -> int:
        return len(self.contents)

    def add(self, examined: Examined) -> None:
        """Take in the conversations that follow."""
        self.contents.extend(examined.contents)
        self._sketches += examined.sketches
        for place, keys in enumerate(self._keys):
            keys.extend(examined.keys[place :: len(self._keys)])
        for part, openings in enumerate(self._openings):
            openings.extend(examined.openings[part :: len(PARTS)])

    def doubled(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each conversation that was there before, and of the first that is the same."""
        first: dict[int, int] = {}
        for number, content in enumerate(self.contents, start=1):
            if (earlier := first.setdefault(content, number)) != number:
                yield number, earlier

    def nearly_the_same(
        self, judged: Sequence[int], least: float, texts_of: Callable[[int], tuple[str, str] | None]
    ) -> Iterator[NearlyTheSame]:
        """Yield what is nearly the same as something earlier; of each conversation one text at most.

        Args:
            judged: For each conversation whether it is to be new.
            least: Texts as similar as this, or more, are nearly the same.
            texts_of: Returns what both said in the conversation with a number, or None if that cannot be read.
        """
        found: set[int] = set()
        for part in range(len(PARTS)):
            candidates: dict[int, list[int]] = {}
            for band in range(BANDS):
                self._collect(candidates, part, band, judged, least)
            for index, others in sorted(candidates.items()):
                if index in found:
                    continue
                texts = texts_of(index + 1)
                earlier = ((other + 1, said[part]) for other in others if (said := texts_of(other + 1)))
                if texts and (alike := first_alike(texts[part], earlier, least)):
                    found.add(index)
                    yield NearlyTheSame(index + 1, alike[0], part, alike[1])

    def _collect(
        self, candidates: dict[int, list[int]], part: int, band: int, judged: Sequence[int], least: float
    ) -> None:
        """Add to each conversation's candidates the earlier ones that share this band and have a similar sketch."""
        expected = SKETCH_LENGTH * least
        fewest_alike = expected - _DEVIATIONS * math.sqrt(expected * (1 - least))
        latest: dict[int, int] = {}
        before = array("i")
        for index, key in enumerate(self._keys[part * BANDS + band]):
            other = latest.get(key, -1) if key else -1
            before.append(other)
            if key:
                latest[key] = index
            if other < 0 or not judged[index]:
                continue
            own, chosen = self._sketch(part, index), candidates.get(index, [])
            for _ in range(MOST_IN_A_BAND):
                if other < 0 or len(chosen) >= _MOST_CANDIDATES:
                    break
                if sum(map(eq, own, self._sketch(part, other))) >= fewest_alike and other not in chosen:
                    chosen.append(other)
                    candidates[index] = chosen
                other = before[other]

    def _sketch(self, part: int, index: int) -> bytearray:
        start = (index * len(PARTS) + part) * SKETCH_LENGTH
        return self._sketches[start : start + SKETCH_LENGTH]

    def too_many_alike(self, judged: Sequence[int], most: float) -> Iterator[TooManyAlike]:
        """Yield the openings that more than `most` of the judged conversations have."""
        for part, openings in enumerate(self._openings):
            counts = Counter(value for value, is_judged in zip(openings, judged, strict=True) if value and is_judged)
            excess = {value: count for value, count in counts.items() if count > most}
            met: Counter[int] = Counter()
            for number, (value, is_judged) in enumerate(zip(openings, judged, strict=True), start=1):
                if value in excess and is_judged:
                    met[value] += 1
                    if met[value] == math.floor(most) + 1:
                        yield TooManyAlike(number, part, excess[value])
