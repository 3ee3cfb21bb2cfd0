"""Measure what it costs to compare a conversation with all that were accepted, and how much of what is old is found.

    uv run --all-groups python benchmarks/novelty.py --conversations 100000

Messages of 40 words and replies of 80 are drawn from a vocabulary in which the second word is half as frequent as the
first, the third a third, and so on (Zipf's law); about a third of the words come in stock phrases, drawn in the same
way. So texts share trigrams as those of a language do. The database is set up as the program's is; commits are measured
apart, since the program makes them in a thread, and several conversations in one.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from apep_datagen.language.quotation import own_words
from apep_datagen.quality import novelty
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.wording import Wording
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.access import connect
from apep_datagen.storage.schema import migrate
from common import print_table

_QUESTION_WORDS, _REPLY_WORDS = 40, 80
_VOCABULARY_SIZE = 20_000
_STOCK_PHRASES = 2_000
_PHRASE_WORDS = 5
_PHRASE_SHARE = 0.1  # of the draws; the others are single words
_MEASURED = 500
_FILLED_IN_A_COMMIT = 200
_LIMITS = NoveltyLimits()


class Writer:
    """Writes texts of random words.

    Args:
        seed: The same writes the same.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._words = ["".join(self._random.choices(letters, k=2 + rank % 9)) for rank in range(_VOCABULARY_SIZE)]
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, _VOCABULARY_SIZE + 1)))
        self._phrases = [self._draw_words(_PHRASE_WORDS) for _ in range(_STOCK_PHRASES)]
        self._phrase_weights = self._weights[:_STOCK_PHRASES]

    def write(self, length: int) -> list[str]:
        """Return so many words."""
        text: list[str] = []
        while len(text) < length:
            if self._random.random() < _PHRASE_SHARE:
                text += self._random.choices(self._phrases, cum_weights=self._phrase_weights)[0]
            else:
                text += self._draw_words(1)
        return text[:length]

    def _draw_words(self, count: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=count)

    def vary(self, text: str, least_similarity: float) -> str:
        """Return a text with words replaced, as many as keep it as similar as this."""
        varied = text.split()
        for place in self._random.sample(range(len(varied)), len(varied)):
            (varied[place], before) = (*self.write(1), varied[place])
            if novelty.similarity(own_words(text), own_words(" ".join(varied))) < least_similarity:
                varied[place] = before
                return " ".join(varied)
        return " ".join(varied)


@dataclass(slots=True)
class Costs:
    """Seconds of each conversation's check and remembering, and of each commit."""

    check: list[float] = field(default_factory=list)
    remember: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    compared: int = 0
    refused: int = 0


class Known(AcceptedConversations):
    """What was accepted, with its texts in another database, so that sizes are told apart."""

    def __init__(self, connection: sqlite3.Connection, texts: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._texts = texts
        self.accepted = 0
        self.compared = 0

    def count(self) -> int:
        """Return how many were accepted."""
        return self.accepted

    def wording(self, conversation_id: int) -> Wording | None:
        """Return the words of one, and count that."""
        self.compared += 1
        row = self._texts.execute("SELECT question, reply FROM texts WHERE id = ?", (conversation_id,)).fetchone()
        return wording_of(*row) if row else None

    def remember(self, conversation_id: int, wording: Wording) -> None:
        """Take in one more; its texts are written by who measures."""
        self.accepted = conversation_id
        super().remember(conversation_id, wording)


def wording_of(question: str, reply: str) -> Wording:
    """Return the words of a conversation without thoughts."""
    return Wording(own_words(question), own_words(reply))


class Run:
    """A run that accepts conversations."""

    def __init__(self, directory: Path, writer: Writer) -> None:
        self.path = directory / "run.state.db"
        self._writer = writer
        self._connection = connect(self.path)
        self._texts = sqlite3.connect(directory / "texts.db", isolation_level=None)
        self._texts.execute("PRAGMA synchronous = OFF")
        self._texts.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, question TEXT, reply TEXT)")
        self._known = Known(self._connection, self._texts)
        migrate(self._connection, seed=1, output_name="x", base_count=0, base_end=1)

    @property
    def accepted(self) -> int:
        """How many were accepted."""
        return self._known.accepted

    def accept(self, conversations: int, in_a_commit: int) -> Costs:
        """Check and remember so many new conversations."""
        costs, compared = Costs(), self._known.compared
        for first in range(0, conversations, in_a_commit):
            pairs = [
                (" ".join(self._writer.write(_QUESTION_WORDS)), " ".join(self._writer.write(_REPLY_WORDS)))
                for _ in range(first, min(first + in_a_commit, conversations))
            ]
            self._connection.execute("BEGIN IMMEDIATE")
            self._texts.execute("BEGIN")
            for question, reply in pairs:
                self._accept(question, reply, costs)
            self._texts.execute("COMMIT")
            began = time.perf_counter()
            self._connection.execute("COMMIT")
            costs.commit.append(time.perf_counter() - began)
        costs.compared = self._known.compared - compared
        return costs

    def _accept(self, question: str, reply: str, costs: Costs) -> None:
        began = time.perf_counter()
        problem = self._check(question, reply)
        checked = time.perf_counter()
        costs.check.append(checked - began)
        if problem:
            costs.refused += 1
            return
        number = self.accepted + 1
        self._known.remember(number, wording_of(question, reply))
        costs.remember.append(time.perf_counter() - checked)
        self._texts.execute("INSERT INTO texts VALUES (?, ?, ?)", (number, question, reply))

    def _check(self, question: str, reply: str) -> str:
        problem = novelty.check(wording_of(question, reply), self._known, _LIMITS)
        return problem.reason if problem else ""

    def share_found(self, index: int, similarity: float, trials: int = 1000) -> float:
        """Return how many of the accepted texts are found again when they are varied down to a similarity.

        Args:
            index: 0 for messages, 1 for replies.
            similarity: Of the varied text to the accepted one, or a little more.
            trials: How many accepted texts are tried, evenly over the run.
        """
        found = 0
        for number in range(1, self.accepted, max(1, self.accepted // trials))[:trials]:
            texts = self._texts.execute("SELECT question, reply FROM texts WHERE id = ?", (number,)).fetchone()
            pair = [" ".join(self._writer.write(_QUESTION_WORDS)), " ".join(self._writer.write(_REPLY_WORDS))]
            pair[index] = self._writer.vary(texts[index], similarity)
            found += "nearly the same" in self._check(pair[0], pair[1])
        return found / trials

    def bytes_on_disk(self) -> int:
        """Return the size of the database with keys and openings, without its log."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.path.stat().st_size

    def close(self) -> None:
        """Close the databases."""
        self._connection.close()
        self._texts.close()


def _milliseconds(seconds: Iterable[float]) -> str:
    figures = sorted(seconds)
    return f"{1000 * statistics.mean(figures):.2f} ({1000 * figures[len(figures) * 99 // 100]:.2f})"


def main() -> None:
    """Accept conversations, measure on the way, and look for varied ones at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sizes = sorted({min(size, options.conversations) for size in (100, 10_000, options.conversations)})
    rows = []
    with tempfile.TemporaryDirectory() as place:
        run = Run(Path(place), Writer(options.seed))
        process = psutil.Process()
        for size in sizes:
            run.accept(max(0, size - run.accepted), _FILLED_IN_A_COMMIT)
            costs = run.accept(_MEASURED, 1)
            rows.append(
                [
                    f"{size:,}",
                    _milliseconds(a + b for a, b in zip(costs.check, costs.remember, strict=False)),
                    f"{1000 * statistics.mean(costs.check):.2f}",
                    f"{1000 * statistics.mean(costs.remember):.2f}",
                    _milliseconds(costs.commit),
                    f"{costs.compared / _MEASURED:.1f}",
                    f"{run.bytes_on_disk() / 1e6:.1f}",
                    f"{process.memory_info().rss / 1e6:.0f}",
                ]
            )
            assert costs.refused < _MEASURED // 100, "random texts are new, but for some openings"
        found = [
            [f"{part}, similarity {similarity}", f"{100 * run.share_found(index, similarity):.1f} %"]
            for index, part in enumerate(("message", "reply"))
            for similarity in (0.6, 0.7)
        ]
        run.close()
    print("Means, and what 99 of 100 do not exceed in brackets, in milliseconds.\n")
    print_table(
        rows,
        ("accepted", "check + remember", "check", "remember", "commit of one", "compared", "MB on disk", "MB resident"),
    )
    print()
    print_table(found, ("varied texts of the whole run", "found"))


if __name__ == "__main__":
    main()
