"""What a dataset contains, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.core.words import shorten
from apep_datagen.stats.dataset import DatasetStats, FileStats
from apep_datagen.stats.distribution import Distribution
from apep_datagen.stats.diversity import NGRAM_SIZES, NGRAMS_COUNTED, Diversity, Frequent
from apep_datagen.stats.held_out_report import describe_held_out, held_out_as_json
from apep_datagen.stats.run import RunStats
from apep_datagen.stats.shortcuts_report import (
    describe_habits,
    describe_shortcuts,
    habits_as_json,
    shortcuts_as_json,
)
from apep_datagen.terminal.reviews import describe_reviews, reviews_as_json
from apep_datagen.terminal.rewrites import describe_rewrites, rewrites_as_json
from apep_datagen.terminal.tables import table
from apep_datagen.terminal.yields import describe_yield, yield_as_json

__all__ = ["describe_stats", "stats_as_json"]

_SHOWN_FREQUENT = 3
_SHOWN_LENGTH = 60
_NGRAM_NAMES = {1: "words", 2: "word pairs", 3: "word triples"}


def stats_as_json(stats: DatasetStats) -> dict[str, Any]:
    """Return the statistics for a script.

    Returns:
        `file`; `conversations`; `not_conversations` (elements of the file that are none, and that nothing else counts);
        `exchanges` (messages of users); `messages` by role.

        `tools`: `calls` and `errors` (results that are errors) by tool, a call that was not understood as
        `(not understood)`; `conversations_with_calls` and `conversations_with_errors`.

        `words`: for `user_messages`, `replies` (all that a user sees of an answer) and `thinking` (in one message of
        Ada's): `count`, `mean`, `median`, `p05`, `p95` (percentiles) and `largest`, in words; 0 where there are none.

        `diversity`: for `user_messages`, `replies` (without what they quote from notes), `first_thoughts` (at what the
        user said) and `later_thoughts` (after results): `distinct_ngrams` by n, each with `distinct` and `counted`
        (20,000 of a sample, or as many as there are) and `share`, the first divided by the second; `nearest`, among the
        `compared` messages: `mean_similarity` of a message to the most similar other one (share of the word trigrams
        that are common, from 0 to 1) and `share_above_half` of the messages for which it is above 0.5; `openings` (the
        first five words), `first_words` and `phrases` (of four words, in a sample): `messages` that have any, how many
        `distinct` ones, and the `most_frequent` (a list of `opening`, `word` or `phrase`, with `count` of the messages
        that have it, and `share` of all that have any); `compression`: `bytes` of a sample, and the `ratio` of these to
        the bytes after compression.

        `shortcuts`, what a model could learn instead of looking: as `habits_as_json` says, and `run`, as
        `shortcuts_as_json` says, or null.

        `held_out`, what is held out for evaluation and is in the dataset all the same: as `held_out_as_json` says, in
        the texts, and `run`, the same of what was drawn, or null.

        `run`, what the state database tells about the accepted conversations, or null: `accepted`; `unknown` (at the
        beginning of the file, of which it knows nothing); `abilities` (a list of `ability`, `count`, `percent`,
        `wished_percent` and `difference` in percentage points); `users`, `conversations_of_user` and `timeline_length`
        (as `words`, in conversations; how many timelines there are is its `count`); `topics`, `moods`, `styles` (how
        many different ones); `most_frequent_topics` (a list of `topic` and `count`); `first_day` and `last_day` (ISO
        dates, or null); `makers` (a list of `provider`, `model`, `role` and `conversations`); `quality` (as
        `yield_as_json` says); `rewrites`: `thoughts` that were rewritten, how many of them are saved so
        (`used`) and how many as Ada thought them (`kept`), `by_provider` the same, and `reasons`, why they were kept (a
        list of `provider`, `reason` and `count`), and `left_out`, those that nobody was asked to rewrite; `reviews` (as
        `reviews_as_json` says).

        `why_no_run`: why `run` is null, or null.
    """
    file = stats.file
    return {
        "file": str(stats.path),
        "conversations": file.conversations,
        "not_conversations": file.others,
        "exchanges": file.exchanges,
        "messages": dict(file.messages),
        "tools": {
            "calls": _by_count(file.calls),
            "errors": _by_count(file.errors),
            "conversations_with_calls": file.with_calls,
            "conversations_with_errors": file.with_errors,
        },
        "words": {
            "user_messages": asdict(file.question_words),
            "replies": asdict(file.reply_words),
            "thinking": asdict(file.thinking_words),
        },
        "diversity": {
            "user_messages": _diversity_as_json(file.questions),
            "replies": _diversity_as_json(file.replies),
            "first_thoughts": _diversity_as_json(file.first_thoughts),
            "later_thoughts": _diversity_as_json(file.later_thoughts),
        },
        "shortcuts": {
            **habits_as_json(file.closings, file.beginnings),
            "run": None if stats.run is None else shortcuts_as_json(stats.run.shortcuts),
        },
        "held_out": {
            **held_out_as_json(file.held_out),
            "run": None if stats.run is None else held_out_as_json(stats.run.held_out),
        },
        "run": None if stats.run is None else _run_as_json(stats.run),
        "why_no_run": stats.why_no_run or None,
    }


def _by_count(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _diversity_as_json(diversity: Diversity) -> dict[str, Any]:
    return {
        "distinct_ngrams": {
            str(size): {**asdict(distinct), "share": distinct.share} for size, distinct in diversity.distinct.items()
        },
        "nearest": {
            "compared": diversity.compared,
            "mean_similarity": diversity.nearest_mean,
            "share_above_half": diversity.nearest_above_half,
        },
        "openings": _frequent_as_json(diversity.openings, "opening"),
        "first_words": _frequent_as_json(diversity.first_words, "word"),
        "phrases": _frequent_as_json(diversity.phrases, "phrase"),
        "compression": {"bytes": diversity.compressed_bytes, "ratio": diversity.compression_ratio},
    }


def _frequent_as_json(frequent: Frequent, name: str) -> dict[str, Any]:
    return {
        "messages": frequent.messages,
        "distinct": frequent.distinct,
        "most_frequent": [
            {name: text, "count": count, "share": count / frequent.messages} for text, count in frequent.most_frequent
        ],
    }


def _run_as_json(run: RunStats) -> dict[str, Any]:
    return {
        "accepted": run.accepted,
        "unknown": run.foreign,
        "abilities": [
            {**asdict(item), "ability": item.ability.value, "difference": item.percent - item.wished_percent}
            for item in run.abilities
        ],
        "users": run.users,
        "conversations_of_user": asdict(run.conversations_of_user),
        "timeline_length": asdict(run.timeline_length),
        "topics": run.topics,
        "most_frequent_topics": [{"topic": topic, "count": count} for topic, count in run.most_frequent_topics],
        "moods": run.moods,
        "styles": run.styles,
        "first_day": run.first_day or None,
        "last_day": run.last_day or None,
        "makers": [{**asdict(maker), "role": maker.role.value} for maker in run.makers],
        "quality": yield_as_json(run.verdicts),
        "rewrites": rewrites_as_json(run.rewrites),
        "reviews": reviews_as_json(run.reviews),
    }


def describe_stats(stats: DatasetStats) -> str:
    """Return the statistics for a person."""
    file = stats.file
    parts = [_describe_size(stats)]
    if file.conversations:
        parts += [_describe_tools(file), _describe_lengths(file), *_describe_diversity(file)]
    if stats.run is None:
        parts.append(
            "Not known: abilities, users, timelines, topics, days, models and what was rejected; they are in the state"
            f" database alone ({stats.why_no_run})."
        )
    else:
        parts += _describe_run(stats.run)
    if file.conversations:
        parts += describe_habits(file.closings, file.beginnings)
    if stats.run is not None:
        parts += describe_shortcuts(stats.run.shortcuts)
    parts += describe_held_out(file.held_out, stats.run.held_out if stats.run else None, file.conversations)
    return "\n\n".join(parts)


def _describe_size(stats: DatasetStats) -> str:
    file = stats.file
    roles = ", ".join(f"{count:,} {role}" for role, count in file.messages.items())
    lines = [f"{file.conversations:,} conversations with {file.exchanges:,} exchanges are in {stats.path}"]
    if roles:
        lines.append(f"Messages: {roles}")
    if file.others:
        lines.append(
            f"{file.others:,} other elements are no conversations, and not counted; apep-datagen verify says what is"
            " wrong"
        )
    return "\n".join(lines)


def _describe_tools(file: FileStats) -> str:
    head = (
        f"{_percent(file.with_calls, file.conversations)} of the conversations use a tool,"
        f" {_percent(file.with_errors, file.conversations)} meet an error of one"
    )
    if not file.calls:
        return head
    rows = [
        [name, spell_count(count), spell_count(file.errors.get(name, 0))]
        for name, count in _by_count(file.calls).items()
    ]
    return f"{head}:\n{table(['tool', 'calls', 'errors'], rows)}"


def _describe_lengths(file: FileStats) -> str:
    kinds = {"user messages": file.question_words, "replies": file.reply_words, "thinking": file.thinking_words}
    return table(["words of", *_COLUMNS], [[name, *_cells(length)] for name, length in kinds.items()])


_COLUMNS = ("count", "mean", "median", "5 % up to", "95 % up to", "largest")


def _cells(distribution: Distribution) -> list[str]:
    values = (distribution.median, distribution.p05, distribution.p95, distribution.largest)
    return [spell_count(distribution.count), f"{distribution.mean:,.1f}", *(spell_count(value) for value in values)]


def _describe_diversity(file: FileStats) -> list[str]:
    kinds = {
        "user messages": file.questions,
        "replies": file.replies,
        "first thoughts": file.first_thoughts,
        "later thoughts": file.later_thoughts,
    }
    parts = kinds.values()
    rows = [
        [f"different {_NGRAM_NAMES[size]}, share", *(_share(part.distinct[size].share) for part in parts)]
        for size in NGRAM_SIZES
    ]
    rows += [[f"  of so many {_NGRAM_NAMES[1]}", *(spell_count(part.distinct[1].counted) for part in parts)]]
    rows += [
        ["similarity to the nearest other one, mean", *(_share(part.nearest_mean) for part in parts)],
        ["  share above 0.5", *(_share(part.nearest_above_half) for part in parts)],
        ["  of so many messages", *(spell_count(part.compared) for part in parts)],
        ["different openings (first five words)", *(spell_count(part.openings.distinct) for part in parts)],
        ["  share of the most frequent one", *(_share(part.openings.largest_share) for part in parts)],
        ["share of the most frequent first word", *(_share(part.first_words.largest_share) for part in parts)],
        ["share of the most frequent phrase (four words)", *(_share(part.phrases.largest_share) for part in parts)],
        ["compression ratio of a sample", *(f"{part.compression_ratio:.2f}" for part in parts)],
    ]
    explained = (
        "The higher the first three and the number of openings, and the lower all others, the more diverse. All but\n"
        "openings and first words are of samples from all over the file. The longer a text, the more it repeats\n"
        "itself: so each share of different words, pairs and triples is among "
        f"{NGRAMS_COUNTED:,}; among fewer, it cannot be\n"
        "compared. What a reply quotes from notes is left out. First thoughts are those at what the user said, later\n"
        "ones follow results."
    )
    return [
        table(["diversity of", *kinds], rows) + f"\n{explained}",
        *_describe_frequent("openings", {name: part.openings for name, part in kinds.items()}),
        *_describe_frequent("first words", {name: part.first_words for name, part in kinds.items()}),
        *_describe_frequent("phrases of four words", {name: part.phrases for name, part in kinds.items()}),
    ]


def _describe_frequent(what: str, kinds: Mapping[str, Frequent]) -> list[str]:
    rows = [
        [shorten(text, _SHOWN_LENGTH), kind, spell_count(count), _percent(count, frequent.messages)]
        for kind, frequent in kinds.items()
        for text, count in frequent.most_frequent[:_SHOWN_FREQUENT]
        if count > 1
    ]
    return [table([f"most frequent {what}", "of", "count", "share"], rows, left=2)] if rows else []


def _describe_run(run: RunStats) -> list[str]:
    users, lengths = run.conversations_of_user, run.timeline_length
    lines = [f"{run.accepted:,} conversations were accepted"]
    if run.foreign:
        lines[0] += (
            f"; nothing more is known of {run.foreign:,} in the file, which were there before, were imported, or were"
            " changed by another hand"
        )
    if run.accepted:
        days = f", from {run.first_day} to {run.last_day}" if run.first_day else ""
        lines += [
            f"{run.users:,} different users with {users.mean:.1f} conversations each (at most {users.largest:,}){days}",
            f"{lengths.count:,} timelines with {lengths.mean:.1f} conversations each (at most {lengths.largest:,})",
            f"{run.topics:,} different topics, {run.moods:,} moods, {run.styles:,} ways of building a message",
        ]
    parts = ["\n".join(lines)]
    if run.topics:
        rows = [[shorten(topic, _SHOWN_LENGTH), spell_count(count)] for topic, count in run.most_frequent_topics]
        parts.append(table(["most frequent topics", "count"], rows))
    if any(item.count for item in run.abilities):
        parts.append(_describe_abilities(run))
    if run.makers:
        rows = [[item.provider, item.model, item.role.value, spell_count(item.conversations)] for item in run.makers]
        parts.append(table(["provider", "model", "role", "conversations"], rows, left=3))
    return [
        *parts,
        *describe_yield(run.verdicts),
        *describe_rewrites(run.rewrites),
        *describe_reviews(run.reviews, run.verdicts),
    ]


def _describe_abilities(run: RunStats) -> str:
    rows = [
        [
            item.ability.value,
            spell_count(item.count),
            f"{item.percent:.1f} %",
            f"{item.wished_percent:.1f} %",
            f"{round(item.percent - item.wished_percent, 1) + 0.0:+.1f}",  # no -0.0
        ]
        for item in run.abilities
        if item.count or item.wished_percent
    ]
    return table(["ability", "conversations", "share", "wished", "difference in points"], rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _share(share: float) -> str:
    return f"{share:.3f}"
