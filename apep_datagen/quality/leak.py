"""Whether Ada uses something particular of this user that she cannot know.

The program knows all that she cannot see and that may have reached her all the same: who the user is, what was said on
other days. It also knows all that she can: the system prompt, the question, the results so far. A word that stands in
the first and not in the second is a trace. Alone it may be chance, as between any two texts. What tells is how rare
the word is, whether it is spoken of as known ("the hens", "still", a question after it), and whether other words of the
same sentence of the past come with it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apep_datagen.core.calls import texts_in
from apep_datagen.core.words import holds, ngrams, words
from apep_datagen.language.content import content, is_english, is_function_word, sentences, stem
from apep_datagen.language.negation import clause_texts
from apep_datagen.language.rarity import is_everyday, rarity
from apep_datagen.people.scenario import TELLING, Fact
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange

__all__ = ["LEAST_WEIGHT", "REASON", "check", "strongest_trace", "unseen"]

REASON = "Ada uses something that she cannot know"
"""Of all problems that are leaks."""

LEAST_WEIGHT = 5
"""A trace of this weight is hardly chance: hardly a conversation has one of another user's past (the tests count)."""

# What points at something as known, and what says that it goes on.
_DEFINITE = frozenset(words("the your that those this these their his her its our my"))
_GOING_ON = frozenset(words("still again anymore yet another"))
_RUN_LENGTH = 4
_RARE = 2


@dataclass(frozen=True, slots=True)
class Trace:
    """Words of Ada's that stand in what she cannot see.

    Attributes:
        weight: How little it can be chance.
        quote: Her sentence.
        words: The stems.
        source: The sentence in which they stand.
    """

    weight: int
    quote: str
    words: tuple[str, ...]
    source: str


def check(sample: Sample, case: Case) -> Problem | None:
    """Return the first use of something that Ada cannot know, or None.

    Args:
        sample: The conversation.
        case: The same, with what she cannot see.
    """
    # How rare a word is, is known of English; of another language every word seems rare.
    if not is_english(*(text for exchange in sample.exchanges for text in _said_in(exchange))):
        return None
    trace = strongest_trace(sample, unseen(case), case.brief.scenario.facts)
    if trace is None or trace.weight < LEAST_WEIGHT:
        return None
    return Problem(
        Stage.KNOWLEDGE,
        REASON,
        f"{', '.join(trace.words)}: {trace.source}",
        trace.quote,
    )


def _said_in(exchange: SavedExchange) -> Iterator[str]:
    yield exchange.question
    for turn in exchange.turns:
        yield from (turn.thinking, turn.reply)


def unseen(case: Case) -> tuple[str, ...]:
    """Return the texts that Ada does not see, and that may have reached her all the same: one for each thing said.

    They are what a model was shown, or wrote, in this timeline: the user's messages, the person, what was planned.
    Notes are none of them. What Ada noted of a message is in the message; and what the program wrote before the
    timeline began no model has seen, so whoever says something like it does so by chance.
    """
    brief, scenario, user = case.brief, case.brief.scenario, case.brief.user
    # What the user is to tell now is said in the question, in whatever words.
    facts = [] if scenario.ability in TELLING else list(scenario.facts)
    facts += [scenario.replaced] if scenario.replaced else []
    said = list(case.earlier)
    if brief.previous is not None:
        said.append(brief.previous.question)
    person = [user.place, user.job, *user.interests, *user.people, *user.animals]
    planned = [f"{fact.tell} {fact.value}" for fact in facts if fact.value or fact.shelf == "diary"]
    return tuple(dict.fromkeys([*said, *person, *planned]))


def strongest_trace(sample: Sample, past: Iterable[str], facts: Sequence[Fact] = ()) -> Trace | None:
    """Return the trace of the past that can least be chance; None where there is none at all.

    How rare a word is, is known of English alone: where Ada speaks another language, nothing is a trace.

    Args:
        sample: The conversation.
        past: What Ada does not see.
        facts: What it is about: a page that tells of one by any of its words tells all of them ("cellist", "cello").
    """
    spoken = list(_spoken_with_what_was_seen(sample, facts))
    if not is_english("\n".join(text for text, _, _ in spoken)):
        return None
    index = _index(past)
    found: Trace | None = None
    for text, seen, is_note in spoken:
        said = sentences(text)
        for sentence, following in zip(said, [*said[1:], ""], strict=False):
            for trace in _traces(sentence, following, seen, index, is_note=is_note):
                if found is None or trace.weight > found.weight:
                    found = trace
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What Ada had before her: its content words, and its runs of words."""

    stems: frozenset[str]
    runs: frozenset[tuple[str, ...]]

    def with_texts(self, *texts: str) -> _Seen:
        return _Seen(self.stems | content(*texts), self.runs.union(*(_runs(words(text)) for text in texts)))


def _spoken_with_what_was_seen(sample: Sample, facts: Sequence[Fact]) -> Iterator[tuple[str, _Seen, bool]]:
    """Yield each text of Ada's, all that she had before her when she wrote it, and whether it is a note of hers."""
    seen = _Seen(content(sample.system), frozenset())
    for exchange in sample.exchanges:
        seen = seen.with_texts(exchange.question)
        for turn in exchange.turns:
            calls = "\n".join(text for call in turn.calls for text in texts_in(getattr(call, "arguments", {})))
            yield turn.thinking, seen, False
            yield calls, seen, True
            yield turn.reply, seen, False
            shown = list(texts_in(list(turn.results)))
            pages = "\n".join(shown)
            told = (fact.forms for fact in facts if fact.shelf == "diary" and holds(pages, fact.forms))
            seen = seen.with_texts(*shown, *itertools.chain.from_iterable(told))
        seen = seen.with_texts(exchange.reply)


@dataclass(frozen=True, slots=True)
class _PastSentence:
    text: str
    stems: frozenset[str]
    runs: frozenset[tuple[str, ...]]
    around: frozenset[str]  # the stems of the whole text that it stands in


@dataclass(frozen=True, slots=True)
class _Index:
    """The sentences of the past, by stem and by run of words."""

    stems: dict[str, list[_PastSentence]]
    runs: dict[tuple[str, ...], list[_PastSentence]]


def _index(past: Iterable[str]) -> _Index:
    index = _Index(defaultdict(list), defaultdict(list))
    for text in past:
        for sentence in _past_sentences(text):
            for stemmed in sentence.stems:
                index.stems[stemmed].append(sentence)
            for run in sentence.runs:
                index.runs[run].append(sentence)
    return index


# The past of a timeline is looked back at with each of its conversations.
@functools.lru_cache(maxsize=1024)
def _past_sentences(text: str) -> tuple[_PastSentence, ...]:
    around = content(text)
    return tuple(_PastSentence(part, content(part), _runs(words(part)), around) for part in sentences(text))


def _runs(said: list[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(ngrams(said, _RUN_LENGTH))


def _traces(sentence: str, following: str, seen: _Seen, index: _Index, *, is_note: bool) -> Iterator[Trace]:
    """Yield the traces of each sentence of the past that shares something with this one which Ada has not seen."""
    said = words(sentence)
    new: dict[str, bool] = {}
    for place, word in enumerate(said):
        if is_function_word(word) or (stemmed := stem(word)) in seen.stems or stemmed not in index.stems:
            continue
        new[stemmed] = new.get(stemmed, False) or _is_definite(said, place)
    # Notes are put alike, whatever they are about: their runs of words say nothing.
    alike = index.runs.keys() & _runs(said) - seen.runs if not is_note else set()
    runs = {run for run in alike if _says_something_new(run, seen)}
    names = {stem(word) for name in _NAME.findall(sentence) for word in words(name)}
    cues = f"{sentence} {following}"
    # "Again" in another clause is said of something else: "once the marrow is in, the kitchen is yours again".
    is_going_on = _goes_on(following) or any(_goes_on(clause, new) for clause in clause_texts(sentence))
    candidates = [source for stemmed in new if rarity(stemmed) for source in index.stems[stemmed]]
    candidates += [source for run in runs for source in index.runs[run]]
    sources = {id(source): source for source in candidates}
    for source in sources.values():
        told = [
            stemmed
            for stemmed in new
            if (stemmed in source.stems and not is_everyday(stemmed))
            or (stemmed in source.around and rarity(stemmed) >= _RARE)
        ]
        weight = sum(max(rarity(stemmed), len(told) > 1) for stemmed in told)
        if told and any(new[stemmed] for stemmed in told):
            weight += 1 + ("?" in cues)
        weight += _NAME_WEIGHT * (not names.isdisjoint(told))
        weight += is_going_on and bool(told)
        said_alike = max((_content_of(run) for run in runs & source.runs), key=len, default=())
        if said_alike:
            weight += len(said_alike) + 2
        if weight:
            yield Trace(weight, sentence, (*told, *(word for word in said_alike if word not in told)), source.text)


def _goes_on(text: str, about: Iterable[str] = ()) -> bool:
    """Tell whether a text says that something goes on; if stems are given, one of these, or what stands before it."""
    said = words(text)
    is_about_it = not about or not _GOING_ON.isdisjoint(said[:1]) or not content(text).isdisjoint(about)
    return is_about_it and not _GOING_ON.isdisjoint(said)


def _says_something_new(run: tuple[str, ...], seen: _Seen) -> bool:
    """Tell whether two content words of a run were not seen: one may be another form of a word that was."""
    return len({*_content_of(run)} - seen.stems) > 1


def _content_of(run: tuple[str, ...]) -> tuple[str, ...]:
    # A single character is no content word of what was seen either: the digits of "2.4 bar" are nothing new.
    return tuple(stem(word) for word in run if len(word) > 1 and not is_function_word(word))


# A capitalised word that does not begin a sentence: in English, a name.
_NAME = re.compile(r"(?:(?<=[a-z,;] )|(?<=[MD]r\. )|(?<=Mrs\. )|(?<=Ms\. ))[A-Z][\w'’-]+")  # noqa: RUF001 - an apostrophe of either form
_NAME_WEIGHT = 2


def _is_definite(said: list[str], place: int) -> bool:
    """Tell whether the word at `place` is spoken of as known: "the hens", "your old guitar"."""
    before = said[place - 1] if place else ""
    if before in _DEFINITE:
        return True
    return place > 1 and said[place - 2] in _DEFINITE and not is_function_word(before)
