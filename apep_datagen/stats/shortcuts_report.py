"""The shortcuts of a dataset, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.core.words import shorten
from apep_datagen.stats.beginnings import Beginnings, Openings
from apep_datagen.stats.closings import Closings
from apep_datagen.stats.distribution import Spread
from apep_datagen.stats.pairs import Pair
from apep_datagen.stats.repeats import Repeats
from apep_datagen.stats.separation import LEAST_OF_EACH, Accuracy, Threshold
from apep_datagen.stats.shortcuts import Guesses, KindSummary, Shortcuts
from apep_datagen.terminal.tables import table

__all__ = [
    "THRESHOLD_COLUMNS",
    "describe_habits",
    "describe_repeats",
    "describe_shortcuts",
    "habits_as_json",
    "shortcuts_as_json",
    "spell_form",
    "spell_spread",
    "threshold_row",
]

_SHOWN_LENGTH = 60
_TOO_FEW = "too few"
THRESHOLD_COLUMNS = ("there | not there", "there", "not there", "KS", "number of notes", "by chance")
"""The columns of `threshold_row`."""

_PARTS = {"replies": "replies", "first_thoughts": "first thoughts", "later_thoughts": "later thoughts"}


# As JSON.


def habits_as_json(closings: Closings, beginnings: Mapping[str, Beginnings]) -> dict[str, Any]:
    """Return how exchanges end and texts begin, for a script.

    Returns:
        `closing_questions`: `with_tools` and `without_tools`, each with `exchanges` that have a reply, how many of them
        are `asking` (their last sentence is a question), and the `share` of these.

        `beginnings`: for `replies`, `first_thoughts` and `later_thoughts`: `first_word` and `first_pair` (the first two
        words), each with the `count` of the texts, how many `distinct` beginnings they have, their `entropy` in bits,
        the `largest_share` and the ten `most_frequent` (a list of `text` and `count`).
    """
    return {
        "closing_questions": {
            "with_tools": _closing(closings.with_tools, closings.asking_with_tools),
            "without_tools": _closing(closings.without_tools, closings.asking_without_tools),
        },
        "beginnings": {
            part: {"first_word": _openings(found.first_word), "first_pair": _openings(found.first_pair)}
            for part, found in beginnings.items()
        },
    }


def shortcuts_as_json(shortcuts: Shortcuts) -> dict[str, Any]:
    """Return what could be learned from a run's conversations instead of looking, for a script.

    Returns:
        `abilities`: a list, by ability first all forms together (`form` is null), then each `form`: `ability`,
        `conversations`; `notes` (in memory before the conversation), `pages` (in the diary before it), `message_words`
        (of each message of the user's), `exchanges` and `hours`, each with `count`, `smallest`, `lower_quartile`,
        `median`, `upper_quartile` and `largest`; `says_told` (the question speaks of having told something), `looks`
        (into memory or diary), `adds` (to them) and `looks_first` (before adding), each as a number of conversations.

        `guesses`: a list, by pair: `there` and `missing`, what the two sorts of conversations are called, and how well
        it is guessed of which sort one is: `notes` (by the best threshold on the number of notes: `at_least`; whether
        it is there from it on, `there_from`; else below; the `kolmogorov_smirnov_distance`; `by_chance`, which
        accuracy the best threshold exceeds 1 time in 20 where both sorts are alike), `first_word` and `first_pair` (of
        the question), `says_told`, `thought_pair` (the first two words of the first thought at it) and `thought_word`
        (the best single word in that thought, `word`). Each has `conversations_there`, `conversations_missing`, and
        the `balanced_accuracy` from 0 to 1, of which 0.5 is chance; null where there are fewer than 30 of either.

        `facts` (with their values; each counts once for a user) and `topics`: `count`, `distinct`, and `most_frequent`
        (a list of `text` and `count`).
    """
    return {
        "abilities": [_kind(kind) for kind in shortcuts.kinds],
        "guesses": [_guesses(guesses) for guesses in shortcuts.guesses],
        "facts": _repeats(shortcuts.facts),
        "topics": _repeats(shortcuts.topics),
    }


def _closing(exchanges: int, asking: int) -> dict[str, Any]:
    return {"exchanges": exchanges, "asking": asking, "share": asking / exchanges if exchanges else 0.0}


def _openings(openings: Openings) -> dict[str, Any]:
    return {
        "count": openings.count,
        "distinct": openings.distinct,
        "entropy": openings.entropy,
        "largest_share": openings.largest_share,
        "most_frequent": _counted(openings.most_frequent),
    }


def _counted(most_frequent: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"text": text, "count": count} for text, count in most_frequent]


def _kind(kind: KindSummary) -> dict[str, Any]:
    return {**asdict(kind), "conversations": kind.conversations}


def _guesses(guesses: Guesses) -> dict[str, Any]:
    return {
        "there": guesses.pair.there_name,
        "missing": guesses.pair.missing_name,
        "notes": {
            **_accuracy(guesses.notes.accuracy),
            "at_least": guesses.notes.at_least,
            "there_from": guesses.notes.there_from,
            "kolmogorov_smirnov_distance": guesses.notes.distance if guesses.notes.accuracy.is_known else None,
            "by_chance": guesses.notes.by_chance,
        },
        "first_word": _accuracy(guesses.first_word),
        "first_pair": _accuracy(guesses.first_pair),
        "says_told": _accuracy(guesses.says_told),
        "thought_pair": _accuracy(guesses.thought_pair),
        "thought_word": {**_accuracy(guesses.thought_word), "word": guesses.best_word or None},
    }


def _accuracy(accuracy: Accuracy) -> dict[str, Any]:
    return {
        "conversations_there": accuracy.there,
        "conversations_missing": accuracy.missing,
        "balanced_accuracy": accuracy.balanced if accuracy.is_known else None,
    }


def _repeats(repeats: Repeats) -> dict[str, Any]:
    return {
        "count": repeats.count,
        "distinct": repeats.distinct,
        "most_frequent": _counted(repeats.most_frequent),
    }


# In words.


def describe_habits(closings: Closings, beginnings: Mapping[str, Beginnings]) -> list[str]:
    """Return how exchanges end and texts begin, for a person."""
    lines = [
        f"{_percent(asking, exchanges)} of {exchanges:,} {where}"
        for exchanges, asking, where in (
            (closings.with_tools, closings.asking_with_tools, "exchanges with tools"),
            (closings.without_tools, closings.asking_without_tools, "exchanges without"),
        )
    ]
    each = [
        (f"{name}, {what}", openings)
        for part, name in _PARTS.items()
        for what, openings in (
            ("first word", beginnings[part].first_word),
            ("first two words", beginnings[part].first_pair),
        )
        if openings.count
    ]
    rows = [
        [
            name,
            *map(spell_count, (openings.count, openings.distinct)),
            _percent(openings.most_frequent[0][1], openings.count),
            f"{openings.entropy:.2f}",
        ]
        for name, openings in each
    ]
    parts = [f"Shortcuts: what a model could learn instead of looking\nAda ends with a question in {', '.join(lines)}"]
    if rows:
        columns = ["beginnings of", "texts", "different", "share of the largest", "entropy in bits"]
        most_frequent = [f"{name}: {_spell_openings(openings)}" for name, openings in each]
        parts.append("\n".join([table(columns, rows), "The ten most frequent:", *most_frequent]))
    return parts


def _spell_openings(openings: Openings) -> str:
    return ", ".join(
        f"{shorten(text, _SHOWN_LENGTH)} {_percent(count, openings.count)}" for text, count in openings.most_frequent
    )


def describe_shortcuts(shortcuts: Shortcuts) -> list[str]:
    """Return what could be learned from a run's conversations instead of looking, for a person."""
    if not shortcuts.kinds:
        return []
    return [
        _describe_kinds(shortcuts.kinds),
        _describe_guesses(shortcuts.guesses),
        *describe_repeats(shortcuts.facts, shortcuts.topics),
    ]


def _describe_kinds(kinds: Iterable[KindSummary]) -> str:
    rows = [
        [
            spell_form(kind.ability.value, kind.form),
            spell_count(kind.conversations),
            spell_spread(kind.notes),
            spell_spread(kind.pages),
            spell_spread(kind.message_words),
            spell_spread(kind.exchanges),
            spell_spread(kind.hours),
            _percent(kind.says_told, kind.conversations),
            _percent(kind.looks, kind.conversations),
            _percent(kind.looks_first, kind.adds),
        ]
        for kind in kinds
    ]
    columns = ["ability, form", "count", "notes before", "pages before", "words of a message", "exchanges", "hour"]
    explained = (
        "Notes in memory and pages in the diary are those before the conversation; numbers are the smallest, the\n"
        'quartiles and the largest. "Told": the question speaks of having told something, or of remembering. "Looks":\n'
        'Ada looks into memory or diary. "Looks first": before she adds, of those in which she adds.'
    )
    return table([*columns, "told", "looks", "looks first"], rows) + f"\n{explained}"


def _describe_guesses(guesses: Iterable[Guesses]) -> str:
    rows = [
        [
            *threshold_row(item.pair, item.notes),
            *map(_spell_accuracy, (item.first_word, item.first_pair, item.says_told, item.thought_pair)),
            _spell_accuracy(item.thought_word)
            + (f" ({item.best_word})" if item.thought_word.is_known and item.best_word else ""),
        ]
        for item in guesses
        if item.notes.accuracy.there and item.notes.accuracy.missing
    ]
    if not rows:
        return "Nothing was asked for both with and without being there, so no rule can guess which it is."
    columns = [*THRESHOLD_COLUMNS, "first word", "first two", "told", "thought's first two", "a word of the thought"]
    explained = (
        "How well a simple rule guesses whether it is there: balanced accuracy, of which 50 % is chance. By the\n"
        "number of notes: the best threshold, which exceeds what stands behind it 1 time in 20 where both are alike,\n"
        "and the Kolmogorov-Smirnov distance (KS). By the question's first words, and by whether it speaks of having\n"
        "told; by the first thought at it: what one half of the conversations teaches is tried on the other, so that\n"
        f'nothing is praised for what it has memorised. "Too few": fewer than {LEAST_OF_EACH} of either.'
    )
    return table(columns, rows) + f"\n{explained}"


def threshold_row(pair: Pair, threshold: Threshold) -> list[str]:
    """Return the cells that tell how well the number of notes tells a pair apart, for `THRESHOLD_COLUMNS`."""
    accuracy = threshold.accuracy
    known = accuracy.is_known
    side = ("from" if threshold.there_from else "below") + f" {threshold.at_least}"
    return [
        pair.name,
        spell_count(accuracy.there),
        spell_count(accuracy.missing),
        f"{threshold.distance:.3f}" if known else _TOO_FEW,
        f"{100 * accuracy.balanced:.1f} % ({side})" if known else _TOO_FEW,
        f"{100 * threshold.by_chance:.1f} %" if known else "-",
    ]


def describe_repeats(facts: Repeats, topics: Repeats) -> list[str]:
    """Return how often what is planned repeats, for a person."""
    lines = []
    rows = []
    for name, each, repeats in (("facts with their values", "users", facts), ("topics", "conversations", topics)):
        if repeats.count:
            lines.append(f"{repeats.distinct:,} different {name}, planned {repeats.count:,} times")
            rows += [
                [shorten(text, _SHOWN_LENGTH), each, spell_count(count)]
                for text, count in repeats.most_frequent
                if count > 1
            ]
    if not lines:
        return []
    head = "\n".join(lines)
    return [f"{head}\n{table(['most repeated', 'in', 'count'], rows, left=2)}" if rows else head]


def spell_form(ability: str, form: str | None) -> str:
    """Return how a row of one form is called, which stands below the one of its ability."""
    return ability if form is None else f"  {form}"


def spell_spread(spread: Spread) -> str:
    """Return the smallest value, the quartiles and the largest; one alone where all are the same."""
    if not spread.count:
        return "-"
    if spread.smallest == spread.largest:
        return f"{spread.smallest:,}"
    quartiles = (spread.lower_quartile, spread.median, spread.upper_quartile)
    return " ".join(f"{value:,}" for value in (spread.smallest, *quartiles, spread.largest))


def _spell_accuracy(accuracy: Accuracy) -> str:
    return f"{100 * accuracy.balanced:.1f} %" if accuracy.is_known else _TOO_FEW


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
