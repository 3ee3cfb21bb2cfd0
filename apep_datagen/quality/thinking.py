"""Whether thoughts are begun or phrased as those of too many other conversations are.

A model has habits, and so has a rewriter: every thought begins with "Oh", every one without a tool says that there is
nothing to keep. Each such thought is good by itself; only what is counted over the run can tell. Counted are, in the
conversations that were accepted:

- the first five words of thoughts, and the first one. Those at what the user said and those after results are apart: a
  result of the same kind is naturally taken up alike ("There it is, number 2"). That a thought begins with "they" or
  "the" is grammar, that it begins with "oh" is habit;
- their phrases of four words (`quality.phrase_counts`).

Four words are as often grammar as habit ("I don't want to"), so that many have one such phrase is nothing. Six words in
a row, which are three such phrases, are a sentence that is said again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apep_datagen.core.words import excerpt, ngrams, opening, words
from apep_datagen.language.content import is_function_word
from apep_datagen.quality.novelty import Accepted, NoveltyLimits, OpeningPart
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.wording import Wording

__all__ = ["check", "first_word", "openings", "phrases"]

_PHRASE_WORDS = 4
_SENTENCE_WORDS = 6
_BEGINS_ALIKE = "a thought begins as too many others do"
_PHRASED_ALIKE = "a thought is put together of phrases that too many others have"


def check(wording: Wording, accepted: Accepted, limits: NoveltyLimits) -> Problem | None:
    """Return what is not new about the thoughts of a conversation; they are not remembered by this.

    Args:
        wording: The words of the conversation.
        accepted: What was accepted before.
        limits: What is still new.
    """
    count = accepted.count()
    for part, thoughts in _parts(wording):
        for thought in thoughts:
            said = words(thought)
            begun = [(opening(said), len(opening(said).split()), limits.thought_opening_share)]
            if not (said and is_function_word(said[0])):
                begun.append((first_word(said), 1, limits.thought_habit_share))
            for begins, length, share in begun:
                if (times := accepted.times_begun(part, begins)) + 1 > limits.most_thoughts(share, count):
                    detail = f'"{begins}" begins a {part} in {times:,} of {count:,} accepted conversations'
                    return Problem(Stage.NOVELTY, _BEGINS_ALIKE, detail, excerpt(thought, 0, length))
    for thought in wording.thoughts:
        if problem := _phrased_alike(thought, accepted, limits, count):
            return problem
    return None


def _phrased_alike(thought: str, accepted: Accepted, limits: NoveltyLimits, count: int) -> Problem | None:
    said = words(thought)
    times = accepted.times_phrased([" ".join(phrase) for phrase in ngrams(said, _PHRASE_WORDS)])
    for least_words, share in (
        (_SENTENCE_WORDS, limits.thought_phrase_share),
        (_PHRASE_WORDS, limits.thought_habit_share),
    ):
        first, last = _longest_run(times, limits.most_thoughts(share, count))
        stop = last + _PHRASE_WORDS - 1
        if first < last and stop - first >= least_words:
            alike = f"{min(times[first:last]):,} of {count:,}"
            detail = f'"{" ".join(said[first:stop])}" is thought in {alike} accepted conversations'
            return Problem(Stage.NOVELTY, _PHRASED_ALIKE, detail, excerpt(thought, first, stop))
    return None


def _longest_run(times: Sequence[int], most: float) -> tuple[int, int]:
    """Return where the longest run of phrases that too many have begins and ends; both are the same for none."""
    start, best = 0, (0, 0)
    for place, count in enumerate(times):
        if count + 1 <= most:
            start = place + 1
        elif place + 1 - start > best[1] - best[0]:
            best = (start, place + 1)
    return best


def openings(wording: Wording) -> frozenset[tuple[OpeningPart, str]]:
    """Return how the thoughts of a conversation begin, as it is counted: by five words, and by one."""
    return frozenset(
        (part, begins)
        for part, thoughts in _parts(wording)
        for said in map(words, thoughts)
        if said
        for begins in (opening(said), first_word(said))
    )


def first_word(said: Sequence[str]) -> str:
    """Return the first word of a text as it is counted: with an ellipsis, so that no opening is the same."""
    return f"{said[0]} …" if said else ""


def phrases(wording: Wording) -> frozenset[str]:
    """Return the phrases of four words in the thoughts of a conversation."""
    return frozenset(
        " ".join(phrase) for thought in wording.thoughts for phrase in ngrams(words(thought), _PHRASE_WORDS)
    )


def _parts(wording: Wording) -> Iterator[tuple[OpeningPart, tuple[str, ...]]]:
    yield "first thought", wording.first_thoughts
    yield "later thought", wording.later_thoughts
