"""Near-duplicates over the whole run: found wherever the first one was, and nothing else is refused."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.words import opening, words
from apep_datagen.language.quotation import own_words
from apep_datagen.quality import novelty
from apep_datagen.quality.novelty import NoveltyLimits, check, signature_keys, similarity
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.wording import Wording
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate

QUESTION = (
    "My sister Jana comes on Sunday, and I still have no idea what to cook; she has stopped eating fish, of all things."
)
REPLY = (
    "Then let it be the lentil stew that you made in March. You said that the whole house smelled of cumin for two"
    " days, and that Jana asked for the pot to scrape out."
)
VOCABULARY = [f"w{number}" for number in range(50_000)]


class Known(AcceptedConversations):
    """What was accepted, with its texts elsewhere than in the database; remembers which were asked for."""

    def __init__(
        self, connection: sqlite3.Connection, texts: Mapping[int, tuple[str, str]], accepted: int | None = None
    ) -> None:
        super().__init__(connection)
        self.asked: list[int] = []
        self._texts = texts
        self._accepted = len(texts) if accepted is None else accepted

    def count(self) -> int:
        return self._accepted

    def wording(self, conversation_id: int) -> Wording | None:
        self.asked.append(conversation_id)
        texts = self._texts.get(conversation_id)
        return said(*texts) if texts else None


def said(question: str, reply: str) -> Wording:
    return Wording(own_words(question), own_words(reply))


def keys_of(question: str, reply: str) -> list[int]:
    return signature_keys(said(question, reply))


class Run:
    """Accepts conversations as a run does, in a database in memory or in a file."""

    def __init__(self, path: Path | None = None, limits: NoveltyLimits | None = None) -> None:
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        if not self.connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            migrate(self.connection, seed=1, output_name="x", base_count=0, base_end=1)
        self.texts: dict[int, tuple[str, str]] = {}
        self.limits = limits or NoveltyLimits()

    def check(self, question: str, reply: str, accepted: int | None = None) -> Problem | None:
        return check(said(question, reply), Known(self.connection, self.texts, accepted), self.limits)

    def accept(self, question: str, reply: str) -> None:
        number = len(self.texts) + 1
        self.connection.execute("BEGIN")
        AcceptedConversations(self.connection).remember(number, said(question, reply))
        self.connection.execute("COMMIT")
        self.texts[number] = (question, reply)

    def reason(self, question: str, reply: str, accepted: int | None = None) -> str:
        problem = self.check(question, reply, accepted)
        return problem.reason if problem else ""


def write(draw: random.Random, length: int) -> str:
    return " ".join(draw.choices(VOCABULARY, k=length))


def draw_with(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret depends on it


def pair_of_similarity(draw: random.Random, trigrams: int, common: int) -> tuple[str, str]:
    """Return two texts with so many trigrams each, of which so many are in both."""
    shared = write(draw, common + 2)
    one, other = (f"{shared} {write(draw, trigrams - common)}" for _ in range(2))
    return one, other


# What is nearly the same.


def test_an_equal_message_is_found() -> None:
    run = Run()
    run.accept(QUESTION, REPLY)
    problem = run.check(QUESTION, write(draw_with(1), 80))
    assert problem == Problem(
        Stage.NOVELTY, "the user's message is nearly the same as an accepted one", "like conversation 1 (1.00)"
    )


def test_an_equal_reply_is_found_whatever_its_case_and_punctuation() -> None:
    run = Run()
    run.accept(QUESTION, REPLY)
    problem = run.check(write(draw_with(1), 40), REPLY.upper().replace(",", " -"))
    assert problem == Problem(
        Stage.NOVELTY, "the reply is nearly the same as an accepted one", "like conversation 1 (1.00)"
    )


def test_one_changed_word_of_twenty_is_found() -> None:
    run = Run()
    run.accept(QUESTION, REPLY)
    assert "message is nearly the same" in run.reason(QUESTION.replace("fish", "meat"), write(draw_with(1), 80))


def test_other_texts_are_new() -> None:
    run = Run()
    run.accept(QUESTION, REPLY)
    assert run.check(REPLY, QUESTION) is None, "a reply is compared with replies"
    assert run.check("The tram was late again, and my boss noticed.", "Did she say so, or did she only look?") is None


def test_what_is_less_similar_than_the_limit_is_new() -> None:
    one, other = pair_of_similarity(draw_with(1), 80, 60)
    assert similarity(own_words(one), own_words(other)) == pytest.approx(0.6)
    for limit, reason in ((0.6, "the reply is nearly the same as an accepted one"), (0.61, "")):
        run = Run(limits=NoveltyLimits(similarity=limit))
        run.accept(QUESTION, one)
        assert run.reason(write(draw_with(2), 40), other) == reason


def test_the_most_similar_of_several_is_named() -> None:
    run = Run(limits=NoveltyLimits(similarity=0.3))
    draw = draw_with(3)
    words = write(draw, 80).split()
    for kept in (60, 80, 65):
        run.accept(write(draw, 40), " ".join(words[:kept] + write(draw, 80 - kept).split()))
    problem = run.check(write(draw, 40), " ".join(words))
    assert problem
    assert problem.detail == "like conversation 2 (1.00)"


def test_texts_of_fewer_than_four_words_are_not_compared() -> None:
    run = Run(limits=NoveltyLimits(least_openings=9))
    run.accept("Ok, thanks Ada!", "Good night!")
    assert run.check("Ok, thanks Ada!", "Good night!") is None
    run.accept("Ok, thanks dear Ada!", "Sleep well, little owl!")
    assert "message is nearly the same" in run.reason("Ok, thanks dear Ada!", "…")
    assert "reply is nearly the same" in run.reason("…", "Sleep well, little owl!")


def test_a_text_that_is_not_to_be_had_is_not_compared() -> None:
    run = Run()
    run.accept(QUESTION, REPLY)
    run.texts.clear()
    assert run.check(QUESTION, REPLY) is None


def test_what_was_only_checked_does_not_count() -> None:
    run = Run(limits=NoveltyLimits(least_openings=1))
    for _ in range(5):
        assert run.check(QUESTION, REPLY) is None
    run.accept(QUESTION, REPLY)
    assert run.check(QUESTION, REPLY)


def test_what_is_rolled_back_does_not_count() -> None:
    run = Run(limits=NoveltyLimits(least_openings=1))
    run.connection.execute("BEGIN")
    AcceptedConversations(run.connection).remember(1, said(QUESTION, REPLY))
    run.texts[1] = (QUESTION, REPLY)
    assert run.check(QUESTION, REPLY)
    run.connection.execute("ROLLBACK")
    assert run.check(QUESTION, REPLY) is None


def test_a_later_process_still_knows(tmp_path: Path) -> None:
    path = tmp_path / "run.state.db"
    first = Run(path, NoveltyLimits(least_openings=1))
    first.accept(QUESTION, REPLY)
    first.connection.close()
    second = Run(path, NoveltyLimits(least_openings=1))
    assert second.reason(QUESTION, "Something else altogether, then.") == (
        "the user's message begins as too many others do"
    )
    second.texts = first.texts
    assert "message is nearly the same" in second.reason(QUESTION, REPLY)
    second.connection.close()


def test_old_near_duplicates_are_found_among_many_that_share_a_band() -> None:
    """Texts that have a frequent phrase in common are compared last: they share fewer bands."""
    run = Run(limits=NoveltyLimits(least_openings=1000))
    draw = draw_with(5)
    phrase = write(draw, 30)
    run.accept(write(draw, 40), REPLY + " " + phrase)
    for _ in range(300):
        run.accept(write(draw, 40), write(draw, 40) + " " + phrase)
    assert "reply is nearly the same" in run.reason(write(draw, 40), REPLY.replace("March", "May") + " " + phrase)


def numbers_compared(run: Run, question: str) -> list[int]:
    """Return which accepted texts a message is compared with, in order."""
    known = Known(run.connection, run.texts, 0)
    assert check(said(question, ""), known, run.limits) is None
    return known.asked


def test_few_texts_are_compared_however_many_share_a_band() -> None:
    run = Run(limits=NoveltyLimits(similarity=1.1, least_openings=1000))
    for _ in range(100):
        run.accept(QUESTION, "")
    assert numbers_compared(run, QUESTION) == list(range(100, 68, -1)), "the latest 32"


def test_few_texts_are_compared_however_many_share_different_bands() -> None:
    run = Run(limits=NoveltyLimits(similarity=1.1, least_openings=1000))
    draw = draw_with(4)
    question = write(draw, 40)
    for _ in range(60):
        start = draw.randrange(13)
        varied = write(draw, start).split() + question.split()[start : start + 28] + write(draw, 12 - start).split()
        run.accept(" ".join(varied), "")
    sharing = [1 for texts in run.texts.values() if {*keys_of(question, "")} & {*keys_of(*texts)}]
    assert len(sharing) > 40
    assert len(numbers_compared(run, question)) == 32


@pytest.mark.parametrize(
    ("trigrams", "common", "least_found"),
    # The first two of each have a similarity of 0.6, the last two 0.7, as messages and as replies.
    [(40, 30, 0.94), (80, 60, 0.94), (34, 28, 0.99), (85, 70, 0.99)],
)
def test_as_many_near_duplicates_are_found_as_promised(trigrams: int, common: int, least_found: float) -> None:
    run = Run()
    draw = draw_with(trigrams)
    pairs = [pair_of_similarity(draw, trigrams, common) for _ in range(1000)]
    for one, _ in pairs:
        run.accept(write(draw, 40), one)
    found = sum("reply is nearly the same" in run.reason(write(draw, 40), other) for _, other in pairs)
    assert found / len(pairs) >= least_found


def test_unrelated_texts_seldom_share_a_band() -> None:
    draw = draw_with(8)
    texts = [" ".join(draw.choices(VOCABULARY[:40], k=80)) for _ in range(300)]
    keys = [key for text in texts for key in keys_of("", text)]
    assert len(keys) - len(set(keys)) < len(keys) / 100


# Openings.


def openings_until_refused(
    limits: NoveltyLimits, pair: Callable[[int], tuple[str, str]], accepted: int
) -> tuple[int, str]:
    run = Run(limits=limits)
    for number in range(1000):
        question, reply = pair(number)
        problem = run.check(question, reply, accepted)
        if problem:
            return number, problem.reason
        run.accept(question, reply)
    raise AssertionError


@pytest.mark.parametrize(("accepted", "permitted"), [(0, 3), (150, 3), (250, 5), (299, 5), (1000, 20)])
def test_an_opening_is_refused_at_its_limit_and_only_then(accepted: int, permitted: int) -> None:
    draw = draw_with(9)
    assert openings_until_refused(
        NoveltyLimits(), lambda _: (write(draw, 40), "Oh, I love that you " + write(draw, 60)), accepted
    ) == (permitted, "the reply begins as too many others do")
    assert openings_until_refused(
        NoveltyLimits(), lambda _: ("Hey Ada, guess what happened " + write(draw, 30), write(draw, 80)), accepted
    ) == (permitted, "the user's message begins as too many others do")


def test_the_opening_is_told() -> None:
    run = Run(limits=NoveltyLimits(least_openings=1))
    run.accept(QUESTION, "Oh, I LOVE that you asked.")
    assert run.check("Guess what.", "Oh: I love that, you know, more than most things.") == Problem(
        Stage.NOVELTY, "the reply begins as too many others do", "oh i love that you"
    )
    assert run.check("Guess what.", "Oh, I love that she asked.") is None


def test_an_opening_is_counted_for_those_who_use_it() -> None:
    run = Run(limits=NoveltyLimits(least_openings=1))
    run.accept("Good morning, how are you today?", "Tired, and glad to hear from you.")
    assert run.check("Did it rain?", "Good morning, how are you this fine day, with all that snow?") is None


def test_short_messages_may_come_back_as_often_as_an_opening() -> None:
    draw = draw_with(10)
    assert openings_until_refused(NoveltyLimits(), lambda _: ("Ok, thanks!", write(draw, 80)), 0) == (
        3,
        "the user's message begins as too many others do",
    )


def test_a_text_without_words_has_no_opening() -> None:
    run = Run()
    for _ in range(10):
        assert run.check("…", "❤️") is None
        run.accept("…", "❤️")


# The pure functions.


def test_a_text_of_four_words_or_more_has_twelve_keys() -> None:
    assert len(set(keys_of(QUESTION, REPLY))) == 24
    assert len(set(keys_of(QUESTION, QUESTION))) == 24, "a message has other keys than an equal reply"
    assert len(keys_of("Ok, thanks Ada!", REPLY)) == 12
    assert keys_of("", "Good night!") == []
    assert len(keys_of("no no no no", "")) == 12


@given(st.text(max_size=60), st.text(max_size=60))
def test_keys_fit_into_the_database(question: str, reply: str) -> None:
    connection = Run().connection
    AcceptedConversations(connection).remember(1, said(question, reply))
    rows = connection.execute("SELECT key, conversation_id FROM near")
    assert sorted(rows) == sorted((key, 1) for key in keys_of(question, reply))


def test_keys_are_the_same_in_every_process() -> None:
    program = (
        "import json, sys; from apep_datagen.quality.novelty import signature_keys;"
        "from apep_datagen.language.quotation import own_words; from apep_datagen.quality.wording import Wording;"
        "print(json.dumps(signature_keys(Wording(*map(own_words, json.load(sys.stdin))))))"
    )
    for seed in ("1", "2"):
        completed = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps([QUESTION, REPLY]),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(completed.stdout) == keys_of(QUESTION, REPLY)


def test_keys_are_those_of_earlier_versions() -> None:
    """A run's database holds keys of the version that accepted the texts: others would find none of them."""
    assert keys_of(QUESTION, REPLY)[::6] == [
        2469326881263184593,
        -6652624130768218016,
        -4558270057373715195,
        1824916487501081080,
    ]


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_similarity_is_the_share_of_common_trigrams(one: list[str], other: list[str]) -> None:
    first, second = own_words(" ".join(one)), own_words(" ".join(other))
    value = similarity(first, second)
    assert 0 <= value <= 1
    assert value == similarity(second, first)
    assert similarity(first, first) == (1 if one else 0)
    trigrams = [{tuple(text[at : at + 3]) for at in range(len(text) - 2)} for text in (one, other)]
    if all(trigrams):
        assert value == len(trigrams[0] & trigrams[1]) / len(trigrams[0] | trigrams[1])


@given(st.lists(st.sampled_from(["Don't", "stop", "me", "NOW", "Ada"]), max_size=8))
def test_an_opening_is_the_first_five_words(said: list[str]) -> None:
    folded = [word.lower().replace("'", "") for word in said]
    assert opening(words(", ".join(said))) == " ".join(folded[:5])


def test_nothing_is_kept_in_memory_but_a_few_texts() -> None:
    assert novelty.band_keys.cache_parameters()["maxsize"] == 16
