"""Telling of the same page is no sameness, and telling alike of different pages is one."""

from __future__ import annotations

import json
import sqlite3
from itertools import combinations, count

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.language.quotation import own_words
from apep_datagen.quality import novelty
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.wording import wording_of
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.samples import conversation

# A page as Ada wrote it, and the same as she tells it.
PAGES = {
    "ferry": (
        """
            The user told me about the last ferry. They ran along the quay with one shoe untied, and the
            deckhand held the rope for them and said nothing. On the water they tied the shoe and laughed
            until an old man gave them a peach. I like the deckhand most.
        """,
        """
            you ran along the quay with one shoe untied, and the deckhand held the rope for you and said
            nothing. On the water you tied the shoe and laughed until an old man gave you a peach. I like the
            deckhand most
        """,
    ),
    "choir": (
        """
            Today they sang in the stairwell because the rehearsal room was flooded. Every floor sent its own
            echo back, and a child on the third landing conducted with a toothbrush. The user's voice broke at
            the last verse. I would have loved to hear that stairwell.
        """,
        """
            today you all sang in the stairwell because the rehearsal room was flooded. Every floor sent its
            own echo back, and a child on the third landing conducted with a toothbrush. Your voice broke at
            the last verse. I would have loved to hear that stairwell
        """,
    ),
    "snow": (
        """
            The user and their father shovelled the whole drive at midnight without a word. When it was done
            it began to snow again, and their father leaned on the shovel and said that it looked better
            before. They had not heard him joke since the funeral. I kept that for them.
        """,
        """
            you and your father shovelled the whole drive at midnight without a word. When it was done it
            began to snow again, and he leaned on the shovel and said that it looked better before. You had
            not heard him joke since the funeral. I kept that for you
        """,
    ),
    "violin": (
        """
            They sold the violin to a girl of nine. She carried the case with both arms like a sleeping cat,
            and at the gate she turned and bowed. The user stood in the hall for a long time with the money in
            their hand. It made me think of things that go where they belong.
        """,
        """
            you sold the violin to a girl of nine. She carried the case with both arms like a sleeping cat,
            and at the gate she turned and bowed. You stood in the hall for a long time with the money in your
            hand. It made me think of things that go where they belong
        """,
    ),
    "owl": (
        """
            An owl sat on the washing line this evening. The users let the sheets hang, and ate their soup by
            the window without any light, and it stayed until the moon came over the shed. Nobody took a
            picture. I was glad that nobody did.
        """,
        """
            an owl sat on the washing line that evening. You let the sheets hang, and ate your soup by the
            window without any light, and it stayed until the moon came over the shed. Nobody took a picture.
            I was glad that nobody did
        """,
    ),
}

FRAMINGS = [
    """
        Of course I do, and it did me good to open the book at that evening. What I put down is this: {}.
        Shall I write the rest below it, if there is one?
    """,
    """
        Sit down a moment, then, and I will read. My page goes so: {}. And there the ink stops, my friend;
        what came after that I never heard.
    """,
    """
        Indeed I have kept it, with the corner turned down. In my hand it says that {}. Would that I wrote as
        well every day.
    """,
    """
        yep, got it. so: {}. thats the lot, word for word nearly. you ok with that version or did i miss a bit
    """,
    """
        I am looking at it now. On that page stands that {}. You have told it better, I think, but this is how
        it stayed with me, and why do you ask today?
    """,
]


class Run:
    """Judges by novelty and accepts, as a run does."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, seed=1, output_name="x", base_count=0, base_end=1)
        self.accepted = AcceptedConversations(self.connection)

    def reason(self, messages: tuple[Message, ...]) -> str:
        problem = novelty.check(wording_of(messages), self.accepted, NoveltyLimits())
        return problem.reason if problem else ""

    def accept(self, messages: tuple[Message, ...]) -> None:
        number = self.accepted.count() + 1
        self.accepted.remember(number, wording_of(messages))
        row = (number, number, sample_line(messages))
        self.connection.execute("INSERT INTO samples (position, conversation_id, line, end) VALUES (?, ?, ?, 0)", row)

    def reason_after(self, earlier: tuple[Message, ...], later: tuple[Message, ...]) -> str:
        self.accept(earlier)
        return self.reason(later)


_NUMBERS = count()


def telling(page: str, framing: str, question: str = "") -> tuple[Message, ...]:
    """Return a conversation in which a page is looked up and told."""
    text, told = (" ".join(text.split()) for text in PAGES[page])
    result = json.dumps({"pages": [{"index": 1, "date": "2026-02-11", "text": text}]})
    return conversation(
        question or f"Number {next(_NUMBERS)}, please.",
        "<think>I look.</think>\n\n<tool_call>recall_diary()</tool_call>",
        f"<tool_result>{result}</tool_result>",
        f"<think>Here.</think>\n\n{' '.join(framing.split()).format(told)}",
    )


NEARLY_THE_SAME = "the reply is nearly the same as an accepted one"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_may_be_told_again_in_other_words_of_ones_own(page: str) -> None:
    for one, other in combinations(FRAMINGS, 2):
        assert Run().reason_after(telling(page, one, "What was that?"), telling(page, other, "Read it to me.")) == ""


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_same_framing_around_another_page_is_found(framing: str) -> None:
    for one, other in combinations(PAGES, 2):
        assert Run().reason_after(telling(one, framing), telling(other, framing)) == NEARLY_THE_SAME, (one, other)


def test_nearly_the_same_framing_around_another_page_is_found() -> None:
    framing = FRAMINGS[0].replace("that evening", "that morning")
    assert Run().reason_after(telling("owl", FRAMINGS[0]), telling("snow", framing)) == NEARLY_THE_SAME


def test_a_page_that_is_only_recited_is_not_compared_but_how_it_begins_is_counted() -> None:
    run = Run()
    for number, page in enumerate([*PAGES, "owl"]):
        expected = "the reply begins as too many others do" if number >= 3 else ""
        assert run.reason(telling(page, "Here it is again, then: {}.")) == expected, page
        run.accept(telling(page, "Here it is again, then: {}."))


def test_a_reply_that_quotes_half_is_compared_by_the_other_half() -> None:
    run = Run()
    half = "The gulls are up early and the kettle is late, so let us read before anybody wakes. {} And now toast."
    run.accept(telling("ferry", half))
    again = half.replace("anybody", "somebody")
    assert run.reason(telling("choir", again)) == NEARLY_THE_SAME
    other = "Such a grey afternoon wants a good page, and this is the best that I own. {} I could hear it twice."
    assert run.reason(telling("ferry", other)) == ""


def test_who_recites_a_page_first_and_says_the_same_afterwards_is_found() -> None:
    framing = "{}. This is what I have on my page, no more and no less, and it is yours whenever you want it back."
    assert Run().reason_after(telling("violin", framing), telling("owl", framing)) == NEARLY_THE_SAME


def test_who_begins_with_the_page_begins_as_the_page_does() -> None:
    """Whoever asks for one page again and again hears the same first words."""
    run = Run()
    for number in range(8):
        rest = " ".join(f"closing{number}word{place}" for place in range(12))
        messages = telling("violin", f"{{}}. {rest}")
        assert run.reason(messages) == ""
        run.accept(messages)


def test_a_reply_that_was_accepted_with_its_quotations_counted_refuses_nobody() -> None:
    """Before quotations were left out, keys were those of the whole reply."""
    run = Run()
    earlier, later = telling("snow", FRAMINGS[0], "What was that?"), telling("snow", FRAMINGS[1], "Read it to me.")
    keys = novelty.band_keys("reply", own_words(earlier[-1].content.partition("</think>")[2]))
    run.connection.execute(
        "INSERT INTO samples (position, conversation_id, line, end) VALUES (1, 1, ?, 0)", [sample_line(earlier)]
    )
    run.connection.executemany("INSERT INTO near (key, conversation_id) VALUES (?, 1)", [(key,) for key in keys])
    assert run.reason(later) == ""
    whole = conversation("And then?", f"<think>Hm.</think>\n\n{earlier[-1].content.partition('</think>')[2].strip()}")
    assert run.reason(whole) == "", "what is the quoted one's own is not the same as the whole"
    run.accept(whole)
    assert run.reason(whole[:1] + conversation("Tell me once more?", whole[2].content)[1:]) == NEARLY_THE_SAME
