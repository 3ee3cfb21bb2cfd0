"""The tables of a card: abilities, models, diversity and shortcuts, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from apep_datagen.chat_templates.tally import CheckTally, Seen
from apep_datagen.formats.format import Kind
from apep_datagen.formats.origin import model_name
from apep_datagen.hub.markdown import cell, table
from apep_datagen.stats.dataset import FileStats
from apep_datagen.stats.diversity import NGRAM_SIZES, NGRAMS_COUNTED
from apep_datagen.stats.run import Maker, RunStats
from apep_datagen.stats.separation import LEAST_OF_EACH, Accuracy
from apep_datagen.stats.shortcuts import Shortcuts
from apep_datagen.storage.verdicts import VerdictCount

__all__ = ["abilities", "diversity", "lengths", "makers", "shortcuts", "templates", "tools"]

_NGRAMS = {1: "words", 2: "word pairs", 3: "word triples"}
_TOO_FEW = "too few"


def makers(found: Iterable[Maker]) -> str:
    """Return which model worked in which role."""
    rows = [
        [cell(item.provider), cell(model_name(item.model)), item.role.value, f"{item.conversations:,}"]
        for item in found
    ]
    return table(["provider", "model", "role", "conversations"], rows, left=3)


def abilities(run: RunStats) -> str:
    """Return the abilities against the wish, and how many of the conversations that were to show each were accepted."""
    ended, accepted = _ended(run.verdicts)
    rows = []
    for item in run.abilities:
        name = item.ability.value
        if item.count or item.wished_percent or ended[name]:
            rows.append(
                [
                    f"`{name}`",
                    f"{item.count:,}",
                    f"{item.percent:.1f} %",
                    f"{item.wished_percent:.1f} %",
                    f"{accepted[name]:,} of {ended[name]:,}",
                    _percent(accepted[name], ended[name]),
                ]
            )
    return table(["ability", "conversations", "share", "wished", "accepted of those made", "yield"], rows)


def _ended(verdicts: Iterable[VerdictCount]) -> tuple[Counter[str], Counter[str]]:
    ended: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for item in verdicts:
        ended[item.ability] += item.count
        if not item.stage:
            accepted[item.ability] += item.count
    return ended, accepted


def tools(file: FileStats) -> str:
    """Return how often each tool is called."""
    names = sorted(file.calls, key=lambda name: (-file.calls[name], name))
    rows = [[f"`{name}`", f"{file.calls[name]:,}", f"{file.errors.get(name, 0):,}"] for name in names]
    return table(["tool", "calls", "results that are errors"], rows)


def lengths(file: FileStats) -> str:
    """Return how long what is said is."""
    kinds = {"user messages": file.question_words, "replies": file.reply_words, "thoughts": file.thinking_words}
    rows = [
        [name, f"{found.count:,}", f"{found.median:,}", f"{found.p05:,} to {found.p95:,}", f"{found.largest:,}"]
        for name, found in kinds.items()
    ]
    return table(["words of", "how many", "median", "nine of ten", "largest"], rows)


def diversity(file: FileStats) -> str:
    """Return how different what is said is."""
    kinds = {
        "user messages": file.questions,
        "replies": file.replies,
        "first thoughts": file.first_thoughts,
        "later thoughts": file.later_thoughts,
    }
    rows = [
        [f"different {_NGRAMS[size]}, share", *(f"{kind.distinct[size].share:.3f}" for kind in kinds.values())]
        for size in NGRAM_SIZES
    ]
    rows += [
        ["similarity to the nearest other one, mean", *(f"{kind.nearest_mean:.3f}" for kind in kinds.values())],
        ["share of the most frequent opening", *(f"{kind.openings.largest_share:.3f}" for kind in kinds.values())],
        ["share of the most frequent phrase", *(f"{kind.phrases.largest_share:.3f}" for kind in kinds.values())],
        ["compression ratio", *(f"{kind.compression_ratio:.2f}" for kind in kinds.values())],
    ]
    explained = (
        f"Shares of different words, pairs and triples are among {NGRAMS_COUNTED:,}, or as many as there are: the"
        " higher, the more diverse. All others: the lower, the more diverse. Similarity is the share of word triples in"
        " common; an opening is the first five words, a phrase four words anywhere. What a reply quotes from notes is"
        " left out. First thoughts are those at what the user said, later ones follow results."
    )
    return f"{table(['of', *kinds], rows)}\n\n{explained}"


def shortcuts(found: Shortcuts) -> str:
    """Return how well a rule that does not look guesses whether something is in memory."""
    rows = [
        [
            cell(item.pair.name),
            f"{item.notes.accuracy.there:,} and {item.notes.accuracy.missing:,}",
            *(
                _spell(accuracy)
                for accuracy in (item.notes.accuracy, item.first_pair, item.says_told, item.thought_pair)
            ),
            _spell(item.thought_word),
        ]
        for item in found.guesses
        if item.notes.accuracy.there and item.notes.accuracy.missing
    ]
    explained = (
        "A model that can guess whether something is in memory learns to guess, and not to look. Told is the balanced"
        " accuracy of simple rules, of which 50 % is chance: the best threshold on the number of notes in memory, the"
        " first two words of the question, whether it speaks of having told something; and, of the first thought at it,"
        f" its first two words and the best single word. Too few: fewer than {LEAST_OF_EACH} conversations of either"
        " kind."
    )
    if not rows:
        return f"Nothing was asked for both with and without being in memory, so nothing could be measured. {explained}"
    columns = ["there or not", "conversations", "notes", "question", "told", "thought", "a word of it"]
    return f"{table(columns, rows)}\n\n{explained}"


def templates(checks: Iterable[CheckTally]) -> str:
    """Return what chat templates leave of the rows."""
    rows = [
        [
            cell(PurePath(check.template).name),
            f"{check.refused_rows:,} of {check.rows:,}",
            *(_kept(check, kind) for kind in ("thoughts", "calls", "results")),
            ", ".join(
                f"{finding}: {sum(seen.number for seen in kinds.values()):,}" for finding, kinds in _noted(check)
            ),
        ]
        for check in checks
    ]
    explained = (
        "Every row was rendered with each template, and what is in the text was counted; of refused rows nothing is."
        " Glued are calls that are followed at once by what Ada answers, without their results: a model learns to make"
        " these up. Not learnt, and learnt, is what a template that marks what is trained on lacks, or has too much of."
    )
    columns = ["template", "rows refused", "thoughts kept", "calls kept", "results kept", "beside that"]
    return f"{table(columns, rows)}\n\n{explained}"


def _kept(check: CheckTally, kind: Kind) -> str:
    before, after = getattr(check.before, kind), getattr(check.after, kind)
    return f"{after:,} of {before:,}"


def _noted(check: CheckTally) -> Iterator[tuple[str, Mapping[Kind, Seen]]]:
    """Yield what is wrong but for what is lost, which the numbers tell."""
    yield from ((finding, kinds) for finding, kinds in sorted(check.findings.items()) if finding != "lost")


def _spell(accuracy: Accuracy) -> str:
    return f"{100 * accuracy.balanced:.1f} %" if accuracy.is_known else _TOO_FEW


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
