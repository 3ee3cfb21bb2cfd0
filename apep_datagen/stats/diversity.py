"""How different from each other texts are.

What a reply quotes from notes is left out, as it is where novelty is judged (`quality.wording`). Diversity is measured
on a sample of fixed size, because all of its measures depend on how much text they see:

- Distinct n-grams (Li et al., NAACL 2016) are divided by all n-grams, of which a longer text repeats more. So always
  the same number of them is looked at, 20,000, in messages from all over the file. Liu et al., "Rethinking and Refining
  the Distinct Metric" (ACL 2022), divide instead by what is expected of as many draws from V equally frequent words;
  but words are not equally frequent. Of words with Zipf frequencies, 20,000 and 1,000,000 have 0.43 and 1.00 by this
  formula, and 0.27 both times among a fixed number. A fixed number also needs no V, which is unknown for n-grams.
- The nearest neighbour of a message is the one, of 1,000, with which it shares the most word trigrams (Jaccard).
- A phrase is a run of four words; how many messages of the sample have it is counted, whatever it says.
- The compression ratio (Shaib et al., "Standardizing the Measurement of Text Diversity", 2024) is the size of up to
  1 MB of text, divided by its size when zlib has compressed it. zlib sees repetitions 32 kB apart at most.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from apep_datagen.core.words import ngrams, words
from apep_datagen.language.quotation import OwnWords, own_words
from apep_datagen.quality import novelty
from apep_datagen.stats.distribution import most_frequent
from apep_datagen.stats.traits import first_pair

__all__ = ["NGRAMS_COUNTED", "NGRAM_SIZES", "Distinct", "Diversity", "Frequent", "Texts", "diversity_of"]

NGRAM_SIZES = (1, 2, 3)
_PHRASE_WORDS = 4
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
class Frequent:
    """What is most frequent among openings, first words or phrases.

    Attributes:
        messages: How many messages were looked at that have any.
        distinct: How many different ones these have.
        most_frequent: The most frequent ones, and how many messages have each.
    """

    messages: int
    distinct: int
    most_frequent: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, messages: int, counts: Counter[str]) -> Frequent:
        """Make it of how many messages have each."""
        return cls(messages, len(counts), most_frequent(counts))

    @property
    def largest_share(self) -> float:
        """The share of the messages that have the most frequent one, from 0 to 1."""
        return self.most_frequent[0][1] / self.messages if self.most_frequent else 0.0


@dataclass(frozen=True, slots=True)
class Diversity:
    """How different the messages of one kind are.

    Attributes:
        distinct: The different n-grams, by n.
        compared: How many messages were compared with each other.
        nearest_mean: Mean of their similarities to the most similar other one, from 0 to 1.
        nearest_above_half: The share that has another one with a similarity above 0.5.
        openings: The first five words of all messages.
        first_words: The first words of all messages.
        phrases: The phrases of four words of the messages in the sample.
        compressed_bytes: The size of the text that was compressed, before that, in UTF-8.
        compression_ratio: By how much it became smaller; the larger, the more repetitions. 0 where there is no text.
    """

    distinct: Mapping[int, Distinct]
    compared: int
    nearest_mean: float
    nearest_above_half: float
    openings: Frequent
    first_words: Frequent
    phrases: Frequent
    compressed_bytes: int
    compression_ratio: float


@dataclass(slots=True)
class Texts:
    """What is counted of the messages of one kind: user messages, replies, or thoughts.

    Attributes:
        lengths: How many have so many words.
        openings: How many begin with these words.
        first_words: How many begin with this word.
        first_pairs: How many begin with these two words.
        sample: Texts with their rank, or of a text that quotes its own words; those with the lowest ranks are the
            sample.
    """

    lengths: Counter[int] = field(default_factory=Counter)
    openings: Counter[str] = field(default_factory=Counter)
    first_words: Counter[str] = field(default_factory=Counter)
    first_pairs: Counter[str] = field(default_factory=Counter)
    sample: list[tuple[int, str | OwnWords]] = field(default_factory=list)

    def count(self, text: str, number: int, index: int, sources: Sequence[str] = ()) -> None:
        """Count a text: the one with this index in the conversation with this number, which may quote sources."""
        said = words(text)
        self.lengths[len(said)] += 1
        if not said:
            return
        own = own_words(text[:_LONGEST_SAMPLED_TEXT], sources)
        if own.opening:
            self.openings[own.opening] += 1
            self.first_words[said[0]] += 1
            self.first_pairs[first_pair(said)] += 1
        rank = _rank(number, index)
        if rank * number < _LARGEST_RANK_IN_SAMPLE:
            self.sample.append((rank, own if own.quoted else text[:_LONGEST_SAMPLED_TEXT]))

    def add(self, other: Texts) -> None:
        """Count what another one has counted."""
        self.lengths.update(other.lengths)
        self.openings.update(other.openings)
        self.first_words.update(other.first_words)
        self.first_pairs.update(other.first_pairs)
        self.sample += other.sample
        if len(self.sample) > 2 * _MOST_SAMPLED:
            self.sample = sorted(self.sample, key=_rank_of)[:_MOST_SAMPLED]

    def texts(self) -> list[str | OwnWords]:
        """Return the texts of the sample; the first so many of them come from all over the file, however many."""
        return [text for _, text in sorted(self.sample, key=_rank_of)[:_MOST_SAMPLED]]


def _rank_of(sampled: tuple[int, str | OwnWords]) -> int:
    return sampled[0]


def _rank(number: int, index: int) -> int:
    return int.from_bytes(blake2b(f"{number} {index}".encode(), digest_size=8).digest(), "little")


def diversity_of(part: Texts) -> Diversity:
    """Measure the diversity of texts that were counted."""
    texts = part.texts()
    own = [text if isinstance(text, OwnWords) else own_words(text) for text in texts]
    nearest = _nearest_similarities([novelty.trigrams(text) for text in own[:_MOST_COMPARED]])
    sample = "\n".join(map(_as_text, texts)).encode("utf-8", "replace")[:_MOST_COMPRESSED_BYTES]
    begun = sum(part.openings.values())
    return Diversity(
        distinct={size: _distinct([run for text in own for run in text.runs], size) for size in NGRAM_SIZES},
        compared=len(nearest),
        nearest_mean=sum(nearest) / len(nearest) if nearest else 0.0,
        nearest_above_half=sum(share > _NOTABLE_SIMILARITY for share in nearest) / len(nearest) if nearest else 0.0,
        openings=Frequent.of(begun, part.openings),
        first_words=Frequent.of(begun, part.first_words),
        phrases=_phrases(own),
        compressed_bytes=len(sample),
        compression_ratio=len(sample) / len(zlib.compress(sample, _COMPRESSION_LEVEL)) if sample else 0.0,
    )


def _as_text(text: str | OwnWords) -> str:
    return text if isinstance(text, str) else "\n".join(" ".join(run) for run in text.runs)


def _phrases(texts: Iterable[OwnWords]) -> Frequent:
    """Count in how many texts each phrase is; of those that are in one alone, none is named."""
    counts: Counter[tuple[str, ...]] = Counter()
    messages = 0
    for text in texts:
        phrases = {phrase for run in text.runs for phrase in ngrams(run, _PHRASE_WORDS)}
        counts.update(phrases)
        messages += bool(phrases)
    named = Counter({" ".join(phrase): times for phrase, times in counts.items() if times > 1})
    return Frequent(messages, len(counts), most_frequent(named))


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
