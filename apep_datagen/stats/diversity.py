"""How different from each other texts are.

Diversity is measured on a sample of fixed size, because all of its measures depend on how much text they see:

- Distinct n-grams (Li et al., NAACL 2016) are divided by all n-grams, of which a longer text repeats more. So always
  the same number of them is looked at, 20,000, in messages from all over the file. Liu et al., "Rethinking and Refining
  the Distinct Metric" (ACL 2022), divide instead by what is expected of as many draws from V equally frequent words;
  but words are not equally frequent. Of words with Zipf frequencies, 20,000 and 1,000,000 have 0.43 and 1.00 by this
  formula, and 0.27 both times among a fixed number. A fixed number also needs no V, which is unknown for n-grams.
- The nearest neighbour of a message is the one, of 1,000, with which it shares the most word trigrams (Jaccard).
- The compression ratio (Shaib et al., "Standardizing the Measurement of Text Diversity", 2024) is the size of up to
  1 MB of text, divided by its size when zlib has compressed it. zlib sees repetitions 32 kB apart at most.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from apep_datagen.core.words import opening, shingles, words
from apep_datagen.stats.distribution import most_frequent

__all__ = ["NGRAMS_COUNTED", "NGRAM_SIZES", "Distinct", "Diversity", "Texts", "diversity_of"]

NGRAM_SIZES = (1, 2, 3)
_NOTABLE_SIMILARITY = 0.5
NGRAMS_COUNTED = 20_000
_MOST_COMPARED = 1_000
_MOST_COMPRESSED_BYTES = 1_000_000
_COMPRESSION_LEVEL = 6

# The sample from which all of this is taken. A text of more characters counts with its beginning.
_MOST_SAMPLED = 5_000
_LONGEST_SAMPLED_TEXT = 4_000

# A message's rank is a hash of its place, so that those with the lowest ranks come from all over the file, in whatever
# rhythm it repeats itself. Of n messages, about r * n have a rank below r (from 0 to 1). With twice as many as needed
# before it, a message is not in the sample, and its text need not leave the process.
_RANKS = 2**64
_LARGEST_RANK_IN_SAMPLE = 2 * _MOST_SAMPLED * _RANKS


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different n-grams there are among so many; `counted` is 20,000 unless there are fewer."""

    distinct: int
    counted: int

    @property
    def share(self) -> float:
        """The different ones among them, from 0 to 1."""
        return self.distinct / self.counted if self.counted else 0.0


@dataclass(frozen=True, slots=True)
class Diversity:
    """How different the messages of one kind are.

    Attributes:
        distinct: The different n-grams, by n.
        compared: How many messages were compared with each other.
        nearest_mean: Mean of their similarities to the most similar other one, from 0 to 1.
        nearest_above_half: The share that has another one with a similarity above 0.5.
        begun: How many messages have a word.
        openings: How many different first five words these have.
        most_frequent: The most frequent first five words, and how many messages begin so.
        compressed_bytes: The size of the text that was compressed, before that, in UTF-8.
        compression_ratio: By how much it became smaller; the larger, the more repetitions. 0 where there is no text.
    """

    distinct: Mapping[int, Distinct]
    compared: int
    nearest_mean: float
    nearest_above_half: float
    begun: int
    openings: int
    most_frequent: tuple[tuple[str, int], ...]
    compressed_bytes: int
    compression_ratio: float


@dataclass(slots=True)
class Texts:
    """What is counted of the messages of one kind: user messages, or replies.

    Attributes:
        lengths: How many have so many words.
        openings: How many begin with these words.
        sample: Texts with their rank; those with the lowest ranks are the sample.
    """

    lengths: Counter[int] = field(default_factory=Counter)
    openings: Counter[str] = field(default_factory=Counter)
    sample: list[tuple[int, str]] = field(default_factory=list)

    def count(self, text: str, number: int, index: int) -> None:
        """Count a text: the one with this index in the conversation with this number."""
        said = words(text)
        self.lengths[len(said)] += 1
        if not said:
            return
        self.openings[opening(said)] += 1
        rank = _rank(number, index)
        if rank * number < _LARGEST_RANK_IN_SAMPLE:
            self.sample.append((rank, text[:_LONGEST_SAMPLED_TEXT]))

    def add(self, other: Texts) -> None:
        """Count what another one has counted."""
        self.lengths.update(other.lengths)
        self.openings.update(other.openings)
        self.sample += other.sample
        if len(self.sample) > 2 * _MOST_SAMPLED:
            self.sample = sorted(self.sample)[:_MOST_SAMPLED]

    def texts(self) -> list[str]:
        """Return the texts of the sample; the first so many of them come from all over the file, however many."""
        return [text for _, text in sorted(self.sample)[:_MOST_SAMPLED]]


def _rank(number: int, index: int) -> int:
    return int.from_bytes(blake2b(f"{number} {index}".encode(), digest_size=8).digest(), "little")


def diversity_of(part: Texts) -> Diversity:
    """Measure the diversity of texts that were counted."""
    texts = part.texts()
    said = [words(text) for text in texts]
    nearest = _nearest_similarities([shingles(text) for text in texts[:_MOST_COMPARED]])
    sample = "\n".join(texts).encode("utf-8", "replace")[:_MOST_COMPRESSED_BYTES]
    return Diversity(
        distinct={size: _distinct(said, size) for size in NGRAM_SIZES},
        compared=len(nearest),
        nearest_mean=sum(nearest) / len(nearest) if nearest else 0.0,
        nearest_above_half=sum(share > _NOTABLE_SIMILARITY for share in nearest) / len(nearest) if nearest else 0.0,
        begun=sum(part.openings.values()),
        openings=len(part.openings),
        most_frequent=most_frequent(part.openings),
        compressed_bytes=len(sample),
        compression_ratio=len(sample) / len(zlib.compress(sample, _COMPRESSION_LEVEL)) if sample else 0.0,
    )


def _distinct(texts: Iterable[Sequence[str]], size: int) -> Distinct:
    """Count the different n-grams among the first 20,000; an n-gram does not reach from one text into the next."""
    seen: set[tuple[str, ...]] = set()
    counted = 0
    for said in texts:
        for ngram in zip(*(said[start:] for start in range(size)), strict=False):
            seen.add(ngram)
            counted += 1
            if counted == NGRAMS_COUNTED:
                return Distinct(len(seen), counted)
    return Distinct(len(seen), counted)


def _nearest_similarities(texts: Sequence[frozenset[tuple[str, ...]]]) -> list[float]:
    """Return the Jaccard similarity of each set of trigrams to the most similar other one."""
    nearest = [0.0] * len(texts)
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, trigrams in enumerate(texts):
        common: Counter[int] = Counter()
        for trigram in trigrams:
            common.update(holders[trigram])
            holders[trigram].append(index)
        for other, shared in common.items():
            similarity = shared / (len(trigrams) + len(texts[other]) - shared)
            nearest[index] = max(nearest[index], similarity)
            nearest[other] = max(nearest[other], similarity)
    return nearest
