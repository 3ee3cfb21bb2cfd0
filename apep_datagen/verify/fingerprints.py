"""The conversations of an output, compared with each other: which are there twice, nearly the same, or begin alike.

Texts are compared as in `quality.novelty`. Of each conversation some 300 bytes are kept; which pairs may be nearly the
same is found band by band, so that the keys of one band at a time are in a dictionary, and by their sketches, so that
few texts are read from the file again.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from operator import eq

from apep_datagen.language.quotation import own_words
from apep_datagen.quality.novelty import (
    BANDS,
    MOST_IN_A_BAND,
    PART_NAMES,
    PARTS,
    SKETCH_LENGTH,
    Part,
    band_keys,
    first_alike,
    of_part,
    sketch,
)
from apep_datagen.quality.wording import Wording
from apep_datagen.verify.findings import BEGINS_ALIKE, NEARLY_THE_SAME, Finding

__all__ = ["Fingerprints", "number_for"]

# So many pairs of a conversation are compared word by word: where more look similar, one of them is.
_MOST_CANDIDATES = 8
# How far, in standard deviations, a sketch may be below the similarity that is looked for.
_DEVIATIONS = 3.5

_NO_KEYS = (0,) * BANDS
_NO_SKETCH = bytes(SKETCH_LENGTH)
_NOTHING = own_words("")
Words = Callable[[int], Wording | None]


def number_for(content: bytes) -> int:
    """Return a number of 64 bits that is the same for the same content, and in practice for no other."""
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


class Fingerprints:
    """What is kept of conversations that follow each other in a file.

    Attributes:
        contents: For each a number that is the same for the same messages.
        keys: For each part and band the keys of all, by which similar texts are found; 0 where there is none.
        sketches: For each part `SKETCH_LENGTH` bytes of each; zeros where there are none.
        openings: For each part a number for the first words of each; 0 where there are none.
    """

    def __init__(self) -> None:
        self.contents = array("q")
        self.keys: dict[Part, list[array[int]]] = {part: [array("q") for _ in range(BANDS)] for part in PARTS}
        self.sketches: dict[Part, bytearray] = {part: bytearray() for part in PARTS}
        self.openings: dict[Part, array[int]] = {part: array("q") for part in PARTS}

    def __len__(self) -> int:
        return len(self.contents)

    def append(self, content: int, wording: Wording | None) -> None:
        """Take in a conversation: the number for its messages, and its words; None where they cannot be read."""
        self.contents.append(content)
        for part in PARTS:
            text = of_part(part, wording) if wording else _NOTHING
            for keys, key in zip(self.keys[part], band_keys(part, text) or _NO_KEYS, strict=True):
                keys.append(key)
            self.sketches[part] += sketch(text) or _NO_SKETCH
            self.openings[part].append(number_for(text.opening.encode()) if text.opening else 0)

    def extend(self, others: Fingerprints) -> None:
        """Take in those that follow."""
        self.contents += others.contents
        for part in PARTS:
            for keys, following in zip(self.keys[part], others.keys[part], strict=True):
                keys.extend(following)
            self.sketches[part] += others.sketches[part]
            self.openings[part] += others.openings[part]

    def doubled(self) -> dict[int, int]:
        """Return the number of each conversation that was there before, with that of the first that is the same."""
        first: dict[int, int] = {}
        earlier = {number: first.setdefault(content, number) for number, content in enumerate(self.contents, start=1)}
        return {number: same for number, same in earlier.items() if same != number}

    def nearly_the_same(self, judged: Sequence[int], least: float, words: Words) -> Iterator[Finding]:
        """Find what is nearly the same as something earlier; of each conversation one text at most.

        Args:
            judged: For each conversation whether it is to be new.
            least: Texts as similar as this, or more, are nearly the same.
            words: Returns the words of the conversation with a number, or None if they cannot be read.
        """
        found: set[int] = set()
        for part in PARTS:
            for index, candidates in sorted(self._candidates(part, judged, least).items()):
                wording = words(index + 1) if index not in found else None
                if wording is None:
                    continue
                others = ((other + 1, of_part(part, said)) for other in candidates if (said := words(other + 1)))
                if alike := first_alike(of_part(part, wording), others, least):
                    found.add(index)
                    kind = NEARLY_THE_SAME.format(part=PART_NAMES[part])
                    yield Finding(index + 1, kind, f"like conversation {alike[0]} ({alike[1]:.2f})")

    def _candidates(self, part: Part, judged: Sequence[int], least: float) -> dict[int, list[int]]:
        """Return for conversations that are judged the earlier ones that share a band and have a similar sketch."""
        expected = SKETCH_LENGTH * least
        fewest_alike = expected - _DEVIATIONS * math.sqrt(expected * (1 - least))
        candidates: dict[int, list[int]] = {}
        for keys in self.keys[part]:
            latest: dict[int, int] = {}
            before = array("i")
            for index, key in enumerate(keys):
                before.append(latest.get(key, -1) if key else -1)
                latest[key] = index
                if before[index] < 0 or not judged[index]:
                    continue
                own, chosen = self._sketch(part, index), candidates.get(index, [])
                for other in islice(_chain(before, index), MOST_IN_A_BAND):
                    if len(chosen) >= _MOST_CANDIDATES:
                        break
                    if other not in chosen and sum(map(eq, own, self._sketch(part, other))) >= fewest_alike:
                        chosen.append(other)
                        candidates[index] = chosen
        return candidates

    def _sketch(self, part: Part, index: int) -> bytearray:
        return self.sketches[part][index * SKETCH_LENGTH : (index + 1) * SKETCH_LENGTH]

    def too_many_alike(self, judged: Sequence[int], most: float, words: Words) -> Iterator[Finding]:
        """Find with each opening that more than `most` have the first that is one too many; arguments as above."""
        for part in PARTS:
            openings = [value if is_judged else 0 for value, is_judged in zip(self.openings[part], judged, strict=True)]
            excess = {value: count for value, count in Counter(openings).items() if value and count > most}
            met: Counter[int] = Counter()
            for number, value in enumerate(openings, start=1):
                if value not in excess:
                    continue
                met[value] += 1
                if met[value] == math.floor(most) + 1:
                    wording = words(number)
                    begins = of_part(part, wording).opening if wording else ""
                    detail = f'"{begins}" begins {excess[value]:,} conversations; {math.floor(most):,} may begin so'
                    yield Finding(number, BEGINS_ALIKE.format(part=PART_NAMES[part]), detail)


def _chain(before: Sequence[int], index: int) -> Iterator[int]:
    """Yield the one before an index, the one before that, and so on, as far as there are any."""
    while (index := before[index]) >= 0:
        yield index
