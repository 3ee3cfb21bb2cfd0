"""A saved sample is read back strictly: everything else than the one canonical form is refused, and nothing raises."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import Message
from apep_datagen.quality import form
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample
from support.samples import FAULTLESS, SYSTEM, read, with_content

SHARE = FAULTLESS["share"]


def written(sample: Sample) -> tuple[Message, ...]:
    """Write a sample as the program saves it."""
    messages = [Message("system", sample.system)]
    for exchange in sample.exchanges:
        messages.append(Message("user", exchange.question))
        for turn in exchange.turns:
            messages.append(Message("assistant", render_answer(turn.thinking, turn.reply, turn.calls)))
            if turn.results:
                messages.append(Message("tool", "\n".join(map(result_block, turn.results))))
    return tuple(messages)


@pytest.mark.parametrize("name", FAULTLESS)
def test_without_its_thoughts_a_sample_is_the_same_but_for_them(name: str) -> None:
    sample = read(FAULTLESS[name])
    bare = read_sample(FAULTLESS[name], with_thoughts=False)
    assert isinstance(bare, Sample)
    for exchange, other in zip(sample.exchanges, bare.exchanges, strict=True):
        assert [replace(turn, thinking="") for turn in exchange.turns] == list(other.turns)
    messages = [
        replace(one, content=one.content.partition("</think>\n\n")[2] or one.content) for one in FAULTLESS[name]
    ]
    assert read_sample(messages, with_thoughts=False) == bare
    assert isinstance(read_sample(messages), Problem)


@pytest.mark.parametrize("name", FAULTLESS)
def test_a_natural_sample_is_read_and_nothing_is_wrong_with_its_form(name: str) -> None:
    sample = read(FAULTLESS[name])
    assert form.check(sample) is None
    assert written(sample) == FAULTLESS[name]


def test_a_sample_is_read_into_its_parts() -> None:
    call = ToolCall("add_memory", {"input_text": ["The user has a puppy called Bello."]})
    (exchange,) = read(SHARE).exchanges
    first, last = exchange.turns
    assert read(SHARE).system == SYSTEM
    assert exchange.question.startswith("Guess what")
    assert first.thinking.startswith("Oh, a puppy")
    assert (first.reply, first.calls, first.results) == ("", (call,), ({"added": 1, "indices": [4]},))
    assert (last.thinking, last.calls, last.results) == (
        "It is kept. Now I just want to be glad with them.",
        (),
        (),
    )
    assert exchange.reply == last.reply


def test_the_reply_of_an_exchange_is_all_that_the_user_sees() -> None:
    (exchange,) = read(FAULTLESS["update, with a word before the call"]).exchanges
    assert exchange.reply == ("Oh, that was quick!\n\nBraga it is. Have you found the bakery yet that will be *yours*?")


def test_a_call_that_was_not_understood_is_read_as_such() -> None:
    (exchange,) = read(FAULTLESS["a call that was not understood"]).exchanges
    (call,) = exchange.turns[0].calls
    assert isinstance(call, MalformedCall)
    assert call.text == "add_diary(input_text=[Her first steps)"


CALL = 2
RESULT = 3
LAST = 4
WRONG_CONTENT: list[tuple[str, int, Callable[[str], str]]] = [
    ("the system prompt is empty", 0, lambda _: " \n"),
    ("a user's message is empty", 1, lambda _: ""),
    ("a user's message is empty", 1, lambda _: " \n"),
    ("a user's message holds tags, or white space around it", 1, lambda text: text + "\n"),
    ("a user's message holds tags, or white space around it", 1, lambda text: text + " </think> yes"),
    ("a message holds characters that cannot be stored", 1, lambda text: text + "\0"),
    ("a message holds characters that cannot be stored", LAST, lambda text: text + "\ud83d"),
    ("an assistant message has no leading <think> block", CALL, lambda text: text.partition("\n\n")[2]),
    ("an assistant message has no leading <think> block", LAST, lambda text: "\n" + text),
    ("an assistant message has no leading <think> block", LAST, lambda text: "Well. " + text),
    ("an assistant message has no leading <think> block", LAST, lambda text: text.replace("think>", "thinking>")),
    ("an assistant message has not exactly one <think> block", LAST, lambda text: text.replace("</think>", "")),
    ("an assistant message has not exactly one <think> block", LAST, lambda text: text + "<think>Hm.</think>"),
    ("an assistant message has not exactly one <think> block", LAST, lambda text: text + "</thinking>"),
    ("an assistant message has not exactly one <think> block", CALL, lambda text: text.replace("Bello.", "<THINK>")),
    ("a <think> block is empty", LAST, lambda text: "<think></think>" + text.partition("</think>")[2]),
    ("a <think> block is empty", LAST, lambda text: "<think> \n</think>" + text.partition("</think>")[2]),
    ("a call is not in canonical form", CALL, lambda text: text.replace("input_text=[", "input_text= [")),
    ("a call is not in canonical form", CALL, lambda text: text.replace('"', "'")),
    ("a call is not in canonical form", CALL, lambda text: text.replace("input_text=", "")),
    ("a call is not in canonical form", CALL, lambda text: text.replace('["', '"').replace('"]', '"')),
    ("a call is not in canonical form", CALL, lambda text: text.replace("</tool_call>", "")),
    ("a call is not in canonical form", CALL, lambda text: text + "\n\nIt is kept."),
    ("a call is not in canonical form", CALL, lambda text: text + "\n<tool_result>{}</tool_result>"),
    ("a call is not in canonical form", CALL, lambda text: text + "\n<tool_call></tool_call>"),
    ("an assistant message holds stray tags or white space", CALL, lambda text: text.replace("\n\n<", "\n<")),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text + "\n"),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text.replace("\n\n", "\n")),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text.replace("<think>", "<think> ")),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text + "</tool_result>"),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text + "\n\n</tool_call>"),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text + "<tool_call></tool_call>"),
    ("an assistant message holds stray tags or white space", LAST, lambda text: text.replace("kept", "</tool_call>")),
    (
        "an assistant message has calls but no results follow",
        LAST,
        lambda text: text + "\n\n<tool_call>recall_diary()</tool_call>",
    ),
    ("the last answer of an exchange has no reply", LAST, lambda text: text.partition("\n\n")[0]),
    ("results follow an assistant message that has no call", CALL, lambda text: text.partition("\n\n")[0] + "\n\nHm."),
    ("there are not as many results as calls", RESULT, lambda text: text + "\n" + text),
    ("there are not as many results as calls", CALL, lambda text: text + "\n<tool_call>recall_diary()</tool_call>"),
    ("a tool message holds something else than results", RESULT, lambda _: ""),
    ("a tool message holds something else than results", RESULT, lambda text: text + "\n"),
    ("a tool message holds something else than results", RESULT, lambda text: text.replace("</tool_result>", "")),
    ("a tool message holds something else than results", RESULT, lambda text: "Here it is: " + text),
    ("a tool message holds something else than results", RESULT, lambda text: text.replace(", ", ",\n")),
    ("a result is no JSON", RESULT, lambda text: text.replace("}", "")),
    ("a result is no JSON", RESULT, lambda text: text.replace('"', "'")),
    ("a result is no JSON", RESULT, lambda text: text.replace("[4]", "NaN")),
    ("a result is not in canonical form", RESULT, lambda text: text.replace("[4]", "1e999")),
    ("a result is no JSON", RESULT, lambda text: text.replace("[4]", "[" * 50_000)),
    ("a result is no JSON", RESULT, lambda text: text.replace("[4]", "9" * 5_000)),
    ("a result is not in canonical form", RESULT, lambda text: text.replace(": ", ":")),
    ("a result is not in canonical form", RESULT, lambda text: text.replace("[4]", "1e2")),
    ("a result is not in canonical form", RESULT, lambda text: text.replace("[4]", '"<think>"')),
    ("a result is not in canonical form", RESULT, lambda text: text.replace("indices", "added")),
]


@pytest.mark.parametrize(("reason", "position", "change"), WRONG_CONTENT)
def test_content_that_is_not_canonical_is_refused(reason: str, position: int, change: Callable[[str], str]) -> None:
    problem = read_sample(with_content(SHARE, position, change))
    assert isinstance(problem, Problem)
    assert (problem.stage, problem.reason) == (Stage.FORM, reason)


@pytest.mark.parametrize(
    ("reason", "order"),
    [
        ("the first message is not the system prompt", []),
        ("the first message is not the system prompt", [1, 2, 3, 4]),
        ("there is no exchange", [0]),
        ("the sample ends in the middle of an exchange", [0, 1]),
        ("an assistant message has calls but no results follow", [0, 1, 2]),
        ("an assistant message has calls but no results follow", [0, 1, 2, 4]),
        ("the sample ends in the middle of an exchange", [0, 1, 2, 3]),
        ("roles do not alternate", [0, 0, 1, 4]),
        ("roles do not alternate", [0, 4, 1]),
        ("roles do not alternate", [0, 1, 1, 4]),
        ("roles do not alternate", [0, 1, 4, 4]),
        ("roles do not alternate", [0, 1, 2, 3, 3, 4]),
        ("roles do not alternate", [0, 1, 2, 3, 1, 4]),
        ("roles do not alternate", [0, 1, 3, 4]),
        ("results follow an assistant message that has no call", [0, 1, 4, 3]),
        ("the sample ends in the middle of an exchange", [0, 1, 4, 1]),
    ],
)
def test_roles_come_in_one_order(reason: str, order: list[int]) -> None:
    problem = read_sample([SHARE[index] for index in order])
    assert isinstance(problem, Problem)
    assert (problem.stage, problem.reason) == (Stage.FORM, reason)


def test_a_role_that_there_is_not_does_not_alternate() -> None:
    stranger = Message("developer", "Hello.")  # type: ignore[arg-type]
    problem = read_sample([*SHARE, stranger])
    assert problem == Problem(Stage.FORM, "roles do not alternate", "message 6 is of developer, not of user")


def test_a_detail_is_short_however_long_the_text_is() -> None:
    problem = read_sample(with_content(SHARE, LAST, lambda text: text * 1000))
    assert isinstance(problem, Problem)
    assert len(problem.detail) < 200


FRAGMENTS = [
    *(part for messages in FAULTLESS.values() for message in messages[1:] for part in message.content.split("\n")),
    "<think>",
    "</think>",
    "<thi<think>nk>",
    "<tool_call>",
    "</tool_call>",
    "<tool_result>",
    "</tool_result>",
    "add_memory(",
    "recall_memories()",
    '{"name": "add_memory"}',
    "\\u003c",
    "\n\n",
    "\n",
    " ",
    '"',
    "[",
    "1e999",
    "-Infinity",
    "\0",
    "\ud800",
    "\u2028",
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=8).map("".join)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "", "User"])


@given(st.lists(st.builds(Message, ROLES, TEXTS), max_size=8))
def test_no_messages_make_the_reader_raise(messages: list[Message]) -> None:
    sample = read_sample(messages)
    if isinstance(sample, Problem):
        assert sample.stage is Stage.FORM
    else:
        form.check(sample)


@given(st.sampled_from(sorted(FAULTLESS)), st.randoms(use_true_random=False), TEXTS, st.integers(1, 3))
@example("share", random.Random(0), "", 1)  # noqa: S311 - an example
def test_what_is_read_was_written_so(name: str, draw: random.Random, inserted: str, changes: int) -> None:
    """However a sample is changed: it is refused, or writing what was read gives the very same messages."""
    messages = list(FAULTLESS[name])
    for _ in range(changes):
        position = draw.randrange(len(messages))
        content = messages[position].content
        start, end = sorted(draw.choices(range(len(content) + 1), k=2))
        match draw.randrange(5):
            case 0:
                messages[position] = Message(messages[position].role, content[:start] + inserted + content[start:])
            case 1:
                messages[position] = Message(messages[position].role, content[:start] + content[end:])
            case 2:
                messages[position] = Message(messages[position].role, content[:start] + inserted + content[end:])
            case 3:
                messages.insert(position, draw.choice(messages))
            case _ if len(messages) > 1:
                del messages[position]
    sample = read_sample(messages)
    if isinstance(sample, Sample):
        assert written(sample) == tuple(messages)
        form.check(sample)
    else:
        assert sample.stage is Stage.FORM


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0<>"), min_size=1).map(str.strip)
SOME_TEXT = TEXT.filter(bool)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
).filter(lambda value: "\0" not in repr(value) and not any("\ud800" <= c <= "\udfff" for c in repr(value)))
CALLS = st.sampled_from(
    [
        ToolCall("recall_memories", {}),
        ToolCall("delete_diary", {"indices": [1, 2]}),
        ToolCall("add_memory", {"input_text": ['a "b"', "c\n</tool_call>"]}),
        ToolCall("sing", {"loud": True}, ("now",)),
    ]
)
CALLED = st.lists(st.tuples(CALLS, VALUES), min_size=1, max_size=3).map(lambda pairs: tuple(zip(*pairs, strict=True)))
TURNS_WITH_CALLS = st.builds(
    lambda thinking, reply, called: SavedTurn(thinking, reply, *called), SOME_TEXT, TEXT, CALLED
)
EXCHANGES = st.builds(
    lambda question, turns, last: SavedExchange(question, (*turns, last)),
    SOME_TEXT,
    st.lists(TURNS_WITH_CALLS, max_size=2),
    st.builds(SavedTurn, SOME_TEXT, SOME_TEXT),
)


@given(st.lists(EXCHANGES, min_size=1, max_size=3))
def test_whatever_is_written_in_canonical_form_is_read_back(exchanges: list[SavedExchange]) -> None:
    sample = Sample(SYSTEM, tuple(exchanges))
    assert read_sample(written(sample)) == sample


def answered(reply: str, thinking: str = "They are glad.", question: str = "Hello there.") -> Sample:
    return Sample(SYSTEM, (SavedExchange(question, (SavedTurn(thinking, reply),)),))


def reason_of(problem: Problem | None) -> str:
    assert problem is not None
    assert problem.stage is Stage.FORM
    return problem.reason


@pytest.mark.parametrize(
    "reply",
    [
        "I think that you should",
        "You could bring her 2",
        "You could bring her plums,",
        "Three things come to mind:",
        "There are plums;",
        "There are plums (the blue",
        "There are plums (",
        "There are plums “",
        'She said "',
        "She said *",
        "I was think-",
        "I was thinking –",  # noqa: RUF001
        "It was the sea —",
        "Le café",
        "Le cafe\u0301",
        "Она ушла и",
        "ほら、",
        "他说：",  # noqa: RUF001
        "他说「",
        "یعنی،",
        "Well.\n\nAnd then they",
        "Try this:\n```\nprint(1)",
        "**Ingredients:**",
        "*Well,*",
        "Well, –",  # noqa: RUF001
        "—",
        "Do this.\n1. Rest.\n2.",
        "Do this.\n- Rest.\n-",
        "- plums.\n- two eggs and",
        "I like it \u200d",
    ],
)
def test_a_reply_that_ends_in_the_middle_is_cut_off(reply: str) -> None:
    assert reason_of(form.check(answered(reply))) == "a reply is cut off"


@pytest.mark.parametrize(
    "reply",
    [
        "Yes.",
        "Really?!",
        "Well…",
        "Well...",
        'She said "no"',
        "She said “no”",
        "Sie sagte „nein“",
        "Elle a dit « non »",
        "Han sagde »nej«",
        "Isn't that a long time (for a cat)",
        "*smiles*",
        "Say it **loud**",
        "So happy for you 🎉",
        "With love ❤️",
        "Fly home safely 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "Thumbs up 👍🏽",
        "A family 👨‍👩‍👧",
        "You are my number 1️⃣",
        "Sleep well :)",
        "Oh no :(",
        "Oh no :'(",
        "So funny :D",
        "Always <3",
        "That much? 5 €",
        "Almost 100%",
        "是的。",
        "真的吗？",  # noqa: RUF001
        "हाँ।",
        "نعم؟",
        "Τι κάνεις;",  # noqa: RUF001 - the Greek question mark
        "Այո։",  # noqa: RUF001
        "ใช่ครับ",
        "ພວກເຮົາ",
        "Look here:\n\n- plums\n- flour\n- eggs",
        "A poem:\n\nthe rain comes in\nand stays a while",
        "Read https://example.org/plums",
        "Try this:\n```\nprint(1)\n```",
        "~ Ada ~",
        "Good. -_-",
        "I love you, you know~",
        "Rest well.\n",
    ],
)
def test_a_reply_that_has_an_end_is_complete(reply: str) -> None:
    assert form.check(answered(reply)) is None


def test_only_the_last_reply_of_an_exchange_has_to_be_complete() -> None:
    messages = with_content(
        FAULTLESS["update, with a word before the call"], 2, lambda text: text.replace("quick!", "quick, one moment:")
    )
    assert form.check(read(messages)) is None


@pytest.mark.parametrize("position", [2, 6])
def test_every_exchange_has_to_be_complete(position: int) -> None:
    messages = with_content(FAULTLESS["two exchanges"], position, lambda text: text + " And I")
    assert reason_of(form.check(read(messages))) == "a reply is cut off"


@pytest.mark.parametrize("thinking", ["They said,", "I want to say:", "They are sad (", "他说，", "他说：", "She「"])  # noqa: RUF001
def test_a_thought_that_promises_more_is_cut_off(thinking: str) -> None:
    assert reason_of(form.check(answered("Yes.", thinking))) == "a thought is cut off"


@pytest.mark.parametrize("thinking", ["They are so", "I wonder –", "Oh no :(", "Hm;)", "Poor thing"])  # noqa: RUF001
def test_a_thought_may_trail_off(thinking: str) -> None:
    assert form.check(answered("Yes.", thinking)) is None


LONG = "".join(f"n{number:04}" for number in range(2_000))
"""Without repetition."""


def calling(count: int) -> Sample:
    turn = SavedTurn("Look.", "", (ToolCall("recall_memories", {}),) * count, ({},) * count)
    return Sample(SYSTEM, (SavedExchange("Hello.", (turn, SavedTurn("They wait.", "Hello."))),))


@pytest.mark.parametrize(
    ("reason", "within", "beyond"),
    [
        (
            "a user's message is too long",
            answered("Yes.", question=LONG[:4_000]),
            answered("Yes.", question=LONG[:4_001]),
        ),
        ("a reply is too long", answered(LONG[:5_999] + "."), answered(LONG[:6_000] + ".")),
        ("a thought is too long", answered("Yes.", LONG[:8_000]), answered("Yes.", LONG[:8_001])),
        ("too many calls in one round", calling(20), calling(21)),
    ],
)
def test_nothing_is_longer_than_its_limit(reason: str, within: Sample, beyond: Sample) -> None:
    assert form.check(within) is None
    assert reason_of(form.check(beyond)) == reason


WHOEVER_SPEAKS = ("question", "thinking", "reply")


@pytest.mark.parametrize("who", WHOEVER_SPEAKS)
@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("a text holds markup that no person writes", "Good night. <|im_end|> Sleep well."),
        ("a text holds markup that no person writes", "One [/INST] two."),
        ("a text holds markup that no person writes", "I keep it: add_diary(input_text=['rain'])."),
        (
            "a text holds markup that no person writes",
            '{"name": "delete_memory", "parameters": {"indices": [1]}} Done.',
        ),
        ("a text holds markup that no person writes", "&lt;tool_call&gt; Good night."),
        ("a text says the same again and again", "The rain came in, and the rain went out. " * 6 + "Yes."),
        ("a text says the same again and again", "no " * 60 + "yes."),
    ],
)
def test_nobody_writes_markup_or_in_a_loop(who: str, reason: str, text: str) -> None:
    said = {"question": "Hello there.", "thinking": "They are glad.", "reply": "Yes."} | {who: text}
    assert reason_of(form.check(answered(**said))) == reason


@pytest.mark.parametrize("who", WHOEVER_SPEAKS)
def test_everybody_may_speak_of_code(who: str) -> None:
    said = {"question": "Hello there.", "thinking": "They are glad.", "reply": "Yes."}
    said |= {who: "Write <b>no</b> or <s>yes</s>, x <- 3, f(x=[1]), [LAUGHS], <3 and {'name': 'Tom'}."}
    assert form.check(answered(**said)) is None


def test_only_a_reply_may_announce_a_text() -> None:
    text = "Here is a short version:\n\nDear neighbour, your music is lovely, and loud."
    for said in ({"question": text}, {"thinking": text}):
        assert reason_of(form.check(answered(**{"reply": "Yes."} | said))) == "a text is announced before it begins"
    assert form.check(answered(text)) is None


@given(TEXTS | st.text())
def test_no_text_makes_the_check_raise(text: str) -> None:
    form.check(answered(text, text, text))


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    """A hundred times the text takes a hundred times as long, not ten thousand times. What others do is not counted."""

    def seconds(sample: Sample) -> float:
        messages: Any = written(sample)
        started = time.thread_time()
        form.check(read(messages))
        return time.thread_time() - started

    reply = "It was a long day (and a good one), she said.\n"
    short = min(seconds(answered((reply * 20).strip())) for _ in range(5))
    assert seconds(answered((reply * 2_000).strip())) < max(short * 1_000, 0.05)
