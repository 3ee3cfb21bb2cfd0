"""A model that thinks the same again and again is stopped; one that says the same in many ways is not."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from apep_datagen.language.quotation import own_words
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.thinking import check, openings, phrases
from apep_datagen.quality.wording import Wording, wording_of
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.real_conversations import judge_all, real_conversations

BEGINS = "a thought begins as too many others do"
PHRASED = "a thought is put together of phrases that too many others have"


def thinking(*first: str, later: Sequence[str] = ()) -> Wording:
    return Wording(own_words(""), own_words(""), first, tuple(later))


class Run:
    """Judges thoughts and accepts, as a run does."""

    def __init__(self, limits: NoveltyLimits | None = None) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, seed=1, output_name="x", base_count=0, base_end=1)
        self.accepted = AcceptedConversations(self.connection)
        self.limits = limits or NoveltyLimits()

    def check(self, wording: Wording) -> Problem | None:
        return check(wording, self.accepted, self.limits)

    def accept(self, wording: Wording) -> None:
        number = self.accepted.count() + 1
        self.accepted.remember(number, wording)
        self.connection.execute(
            "INSERT INTO samples (position, conversation_id, line, end) VALUES (?, ?, '', 0)", [number] * 2
        )

    def judge(self, wording: Wording) -> str:
        """Return why a conversation is rejected, or accept it."""
        problem = self.check(wording)
        if problem is None:
            self.accept(wording)
        return problem.reason if problem else ""

    def play(self, conversations: int, thinks: Callable[[random.Random], Wording]) -> Counter[str]:
        """Return how often each reason was given; the empty one for what was accepted."""
        draw = random.Random(conversations)  # noqa: S311 - a test's draw
        return Counter(self.judge(thinks(draw)) for _ in range(conversations))


VOCABULARY = [
    f"{first}{second}{third}" for first in "bdfgklm" for second in "aeiou" for third in ("n", "st", "rd", "p")
]


def musing(draw: random.Random, length: int = 14) -> str:
    return " ".join(draw.choices(VOCABULARY, k=length))


# Whole runs.


STOCK = (
    "They are only chatting with me, and there is nothing in it that I would have to keep.",
    "I should have a look at my memory before I say anything about it.",
    "What a warm thing to tell me; let me think about how I would like to answer.",
)


def test_a_model_with_three_thoughts_is_stopped() -> None:
    counts = Run().play(400, lambda draw: thinking(draw.choice(STOCK)))
    assert counts[""] == 30, "ten of each"
    assert counts[BEGINS] == 370


def test_a_model_that_says_one_sentence_in_each_thought_is_stopped_wherever_it_stands() -> None:
    sentence = "none of this has to be written down"

    def thinks(draw: random.Random) -> Wording:
        return thinking(f"{musing(draw)} {sentence} {musing(draw, draw.randint(0, 9))}")

    counts = Run().play(300, thinks)
    assert counts[""] == 10
    assert counts[PHRASED] == 290


def test_a_model_that_says_four_words_in_each_thought_is_stopped() -> None:
    counts = Run().play(300, lambda draw: thinking(f"{musing(draw)} nothing here to store {musing(draw)}"))
    assert counts == {"": 10, PHRASED: 290}


def test_a_model_that_begins_each_thought_with_one_word_is_stopped() -> None:
    counts = Run().play(300, lambda draw: thinking(f"Ooh… {musing(draw)}"))
    assert counts == {"": 10, BEGINS: 290}


def test_a_model_that_takes_up_each_result_in_the_same_words_is_stopped() -> None:
    counts = Run().play(300, lambda draw: thinking(musing(draw), later=[f"Good, so that is settled. {musing(draw)}"]))
    assert counts == {"": 10, BEGINS: 290}


# The same idea, that there is nothing to keep, as one might think it forty times.
FORTY = (
    "Just chat, this, and pleasant chat at that; I can leave my notes closed.",
    "A joke about soup. No need to write down soup.",
    "Nothing about who they are in here, so I simply play along.",
    "They're passing the time, and so will I.",
    "I don't see what I'd do with this next month. Let it go by.",
    "My memory can sleep through this one.",
    "It's gossip about pigeons, not about them.",
    "Would I want to know this in a year? Hardly.",
    "Opinions on biscuits are weather, they change. I won't keep them.",
    "How nice, a question that needs no looking up at all.",
    "No names, no dates, no plans: only talk.",
    "Let me not file away every giggle.",
    "Whatever I noted here, it would be noise tomorrow.",
    "This asks for an answer and for nothing else.",
    "Hm, is there a fact in it? I can't find one.",
    "Idle talk on a bench, I'd call that, and I like benches.",
    "Advice is wanted, general advice, that I can give out of hand.",
    "I could store it, and I'd be a squirrel with a stone.",
    "They want company more than a clerk.",
    "Not a word about their life; then the pen stays down.",
    "So it's about ladders again, ladders in general. Fine.",
    "Nobody would be hurt if I forgot this by supper.",
    "What should I look up for that? It isn't about yesterday.",
    "All of it is in the question already.",
    "I'm only asked what I think, so I think.",
    "Keep it? It would be like pressing a dandelion clock.",
    "There's no tomorrow in this, only now.",
    "A riddle, good. Riddles don't go in the drawer.",
    "Well, none of it belongs to them in particular.",
    "Everybody could have asked me this, which means that I needn't remember who did.",
    "Small talk, and the better for being small.",
    "Some things are said to be said, and then they're over.",
    "Am I to note that toast falls? It does that by itself.",
    "He or she, old or young, I learn nothing of it, and that's all right.",
    "Musing aloud, they are. I'll muse back.",
    "For once I have no drawer to open and none to fill.",
    "If they want it kept they'd say it otherwise.",
    "That was fun to read. And now it can evaporate.",
    "Too light to be written down; it would blow off the page.",
    "Ducks, umbrellas, Mondays: I see no reason for a note.",
)


def test_one_with_forty_phrasings_of_the_same_idea_is_not_stopped() -> None:
    assert len(set(FORTY)) == 40
    assert Run().play(1_000, lambda draw: thinking(draw.choice(FORTY))) == {"": 1_000}


def test_of_one_with_a_favourite_thought_what_is_too_much_is_rejected() -> None:
    counts = Run().play(1_000, lambda draw: thinking(STOCK[0] if draw.random() < 0.2 else f"{musing(draw)}"))
    assert 80 <= counts[BEGINS] <= 130
    assert counts[""] == 1_000 - counts[BEGINS]


def test_one_that_begins_four_in_ten_thoughts_with_one_word_is_not_stopped() -> None:
    def thinks(draw: random.Random) -> Wording:
        begins = "Oh, " if draw.random() < 0.4 else ""
        return thinking(f"{begins}{musing(draw)}", later=[f"There, {musing(draw)}"] if draw.random() < 0.5 else [])

    assert Run().play(500, thinks) == {"": 500}


def test_one_that_often_uses_a_phrase_of_grammar_is_not_stopped() -> None:
    def thinks(draw: random.Random) -> Wording:
        phrase = "I don't want to" if draw.random() < 0.5 else musing(draw, 4)
        return thinking(f"{musing(draw)} {phrase} {musing(draw)}")

    assert Run().play(500, thinks) == {"": 500}


def test_the_real_conversations_have_thoughts_that_are_new_enough() -> None:
    """44 of the 200 begin their first thought with "Oh"; 124 look something up, and then 54 begin with "There"."""
    problems = [problem for _, problem in judge_all() if problem]
    assert [problem for problem in problems if problem.reason in {BEGINS, PHRASED}] == []
    assert [problem for problem in problems if "the reply is nearly the same" in problem.reason] == []
    assert len(problems) < len(real_conversations()) / 4


def test_the_real_conversations_keep_far_from_the_limits() -> None:
    """With half of what is permitted of openings and sentences, and two thirds of habits, they are accepted as well."""
    run = Run(NoveltyLimits(thought_opening_share=0.05, thought_phrase_share=0.075, thought_habit_share=0.4))
    assert [run.judge(wording_of(real.case.messages)) for real in real_conversations()] == [""] * 200


# What is told.


def test_the_words_are_told_and_quoted_as_they_stand() -> None:
    run = Run(NoveltyLimits(least_thoughts=2))
    for rest in ("one two three", "four five six"):
        run.accept(thinking(f"Ah — so it's THAT again! {rest}"))
    problem = run.check(thinking("Something else.", "Ah, so it's that again… and again, and again."))
    assert problem == Problem(
        Stage.NOVELTY,
        BEGINS,
        '"ah so its that again" begins a first thought in 2 of 2 accepted conversations',
        "Ah, so it's that again…",
    )
    assert run.check(thinking(later=["Ah, so it's that again."])) != problem, "those after results are others"


def test_the_longest_run_of_frequent_phrases_is_told() -> None:
    run = Run(NoveltyLimits(least_thoughts=2))
    for number in range(2):
        run.accept(thinking(f"Well{number} then{number}, there's nothing in it (for me) to keep; day{number}"))
    thought = "So, and there's NOTHING in it (for me) to keep today, though I don't want to be cold."
    assert run.check(thinking(thought)) == Problem(
        Stage.NOVELTY,
        PHRASED,
        '"theres nothing in it for me to keep" is thought in 2 of 2 accepted conversations',
        "there's NOTHING in it (for me) to keep",
    )


# Limits.


@pytest.mark.parametrize(
    ("accepted", "opening", "sentence", "word"),
    [(30, 10, 10, 18), (200, 20, 30, 120), (1000, 100, 150, 600)],
)
def test_as_many_may_be_alike_as_the_limits_say(accepted: int, opening: int, sentence: int, word: int) -> None:
    limits = NoveltyLimits()
    shares = (limits.thought_opening_share, limits.thought_phrase_share, limits.thought_habit_share)
    assert [int(limits.most_thoughts(share, accepted)) for share in shares] == [opening, sentence, word]


def test_with_a_limit_of_one_nothing_is_rejected() -> None:
    limits = NoveltyLimits(thought_opening_share=1, thought_phrase_share=1, thought_habit_share=1, least_thoughts=0)
    run = Run(limits)
    assert run.play(40, lambda _: thinking(STOCK[0], later=[STOCK[1]])) == {"": 40}


def test_several_thoughts_of_a_conversation_count_once() -> None:
    run = Run()
    for _ in range(4):
        run.accept(thinking(*[STOCK[1]] * 3, later=[STOCK[1], STOCK[1]]))
    assert run.accepted.times_begun("first thought", "i should have a look") == 4
    assert run.accepted.times_begun("later thought", "i should have a look") == 4
    assert run.accepted.times_begun("first thought", "i …") == 4
    assert list(run.accepted.times_phrased(["i should have a", "look at my memory", "never was here before"])) == [
        4,
        4,
        0,
    ]


def test_what_is_counted_of_thoughts_is_apart_from_what_is_counted_of_replies() -> None:
    run = Run()
    run.accept(Wording(own_words("I should have a look"), own_words("I should have a look at it.")))
    assert run.accepted.times_begun("first thought", "i should have a look") == 0
    assert list(run.accepted.times_phrased(["i should have a"])) == [0]


def test_thoughts_of_few_words() -> None:
    assert openings(thinking("…", "Yes.")) == {("first thought", "yes"), ("first thought", "yes …")}
    assert phrases(thinking("Yes, I see.", "…")) == frozenset()
    assert phrases(thinking("Yes, I see it.")) == {"yes i see it"}
    run = Run()
    assert run.play(12, lambda _: thinking("…")) == {"": 12}


def test_a_run_that_an_earlier_version_began_is_carried_on() -> None:
    """Of its conversations no thoughts are counted, so more of those that are new may be alike."""
    run = Run()
    run.connection.execute("INSERT INTO samples (position, conversation_id, line, end) VALUES (99, 99, '', 0)")
    assert run.play(100, lambda _: thinking(STOCK[0])) == {"": 11, BEGINS: 89}, "a tenth of all"
