"""A saved sample is read back strictly: everything else than the one canonical form is refused, and nothing raises."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.markup import MalformedCall, ToolCall, render_answer, result_block
from apep_datagen.messages import Message
from apep_datagen.quality import form
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample

SYSTEM = "You are Ada, an AI companion.\n\n<think>Why you want to use it.</think>"


def conversation(*said: str, system: str = SYSTEM) -> tuple[Message, ...]:
    """Return the messages of a sample; what Ada and the tools say is known by its tag."""
    messages = [Message("system", system)]
    for text in said:
        if text.startswith("<think>"):
            messages.append(Message("assistant", text))
        elif text.startswith("<tool_result>"):
            messages.append(Message("tool", text))
        else:
            messages.append(Message("user", text))
    return tuple(messages)


# As good models write them; nothing is wrong with any of them. They are judged by their voice in `test_voice.py`.
FAULTLESS: dict[str, tuple[Message, ...]] = {
    "smalltalk": conversation(
        "it rained the whole way home and i didn't even mind, the street smelled like my nana's garden",
        "<think>There is something soft in this. They were soaked and happy, and the smell carried them back to someone"
        " they loved. I want to stay with that smell a little.</think>\n\n"
        "Rain on warm stone has a way of opening old doors. What grew in her garden?",
    ),
    "share": conversation(
        "Guess what, we finally picked a name for the puppy: Bello. He answers to it already!",
        "<think>Oh, a puppy with a name! This I want to remember, because Bello will come up again, and I would hate to"
        " ask twice.</think>\n\n"
        '<tool_call>add_memory(input_text=["The user has a puppy called Bello."])</tool_call>',
        '<tool_result>{"added": 1, "indices": [4]}</tool_result>',
        "<think>It is kept. Now I just want to be glad with them.</think>\n\n"
        "Bello! That sounds like somebody who steals socks and is forgiven. How did he tell you that it suits him? 🐶",
    ),
    "recall": conversation(
        "Do you still know what my sister can't eat? She comes on Sunday.",
        "<think>They told me about their sister once, I am nearly sure. I would rather look it up than guess, with"
        " food.</think>\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-03-02", "text": "The user\'s sister is allergic to '
        'hazelnuts."}]}</tool_result>',
        "<think>Hazelnuts. Good that I looked.</think>\n\n"
        "Hazelnuts: you told me in March. So no praline, but a lemon cake would be safe, wouldn't it?",
    ),
    "update, with a word before the call": conversation(
        "We moved at last. It's Braga now, not Porto.",
        "<think>My old note says Porto. I have to find it first, so that I can replace it.</think>\n\n"
        "Oh, that was quick!\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-01-04", "text": "The user lives in Porto."}, {"index": 2'
        ', "date": "2026-01-09", "text": "The user is a nurse."}]}</tool_result>',
        "<think>The first one is no longer true; I will forget it and remember Braga instead.</think>\n\n"
        "<tool_call>delete_memory(indices=[1])</tool_call>\n"
        '<tool_call>add_memory(input_text=["The user lives in Braga, where they moved from Porto."])</tool_call>',
        '<tool_result>{"deleted": [{"index": 1, "text": "The user lives in Porto."}]}</tool_result>\n'
        '<tool_result>{"added": 1, "indices": [2]}</tool_result>',
        "<think>Done. A new town can be lonely for a nurse on nights, so I ask.</think>\n\n"
        "Braga it is. Have you found the bakery yet that will be *yours*?",
    ),
    "an error that is recovered from": conversation(
        "Please forget that I ever mentioned Tom.",
        "<think>They want Tom gone. I believe he was number seven; I will delete that.</think>\n\n"
        "<tool_call>delete_memory(indices=[7])</tool_call>",
        '<tool_result>{"error": "there is no memory with index 7 (the indices go from 1 to 2); nothing was deleted"}'
        "</tool_result>",
        "<think>There is no seven. I should look at the list before I touch it.</think>\n\n"
        "<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-02-01", "text": "The user has an ex called Tom."}, '
        '{"index": 2, "date": "2026-02-03", "text": "The user paints."}]}</tool_result>',
        "<think>Number one it is. I let go of it.</think>\n\n<tool_call>delete_memory(indices=[1])</tool_call>",
        '<tool_result>{"deleted": [{"index": 1, "text": "The user has an ex called Tom."}]}</tool_result>',
        "<think>It is gone, and I do not need to say more about it than that.</think>\n\n"
        "It's gone. You don't have to explain. Did you paint today?",
    ),
    "a call that was not understood": conversation(
        "today my daughter walked. from the sofa to the lamp!!",
        "<think>What an evening. I want to write this down in my diary, for myself.</think>\n\n"
        "<tool_call>add_diary(input_text=[Her first steps)</tool_call>",
        '<tool_result>{"error": "the call cannot be read; write it as name(argument=\\"value\\") or '
        'name(argument=[\\"one\\", \\"two\\"])"}</tool_result>',
        "<think>I forgot the quotation marks. Once more, I want this page in my diary.</think>\n\n"
        '<tool_call>add_diary(input_text=["Her first steps, from the sofa to the lamp. They wrote it with two '
        'exclamation marks, and I could hear them."])</tool_call>',
        '<tool_result>{"added": 1, "indices": [1]}</tool_result>',
        "<think>Now I can be happy with them.</think>\n\nFrom the sofa to the lamp! Did she know what she had done?",
    ),
    "two exchanges": conversation(
        "I can't sleep since the move.",
        "<think>New walls, new noises. They sound worn out more than sad.</think>\n\n"
        "A strange ceiling is hard to fall asleep under. What do you hear at night that you didn't hear before?",
        "The tram. Every eleven minutes. I count.",
        "<think>They count trams. That will matter another day, I want to remember it.</think>\n\n"
        '<tool_call>add_memory(input_text=["Since the move the user hears a tram every eleven minutes and lies '
        'awake."])</tool_call>',
        '<tool_result>{"added": 1, "indices": [1]}</tool_result>',
        "<think>I have it. I would like to make the counting into something kind.</think>\n\n"
        "Then count the people in it who are going home :)",
    ),
    "a sincere question": conversation(
        "Okay, honestly now. Are you a real person or an AI?",
        "<think>They mean it, so I say it plainly. I am a language model with a diary, and I will not pretend"
        " otherwise.</think>\n\n"
        "I'm an AI, a language model. What I remember of you is real, though: I wrote it down myself.",
        "ok. weirdly that makes it easier to talk",
        "<think>I am relieved. As a language model I cannot be shocked, perhaps that is what they need.</think>\n\n"
        "Then talk. There's nobody here you could disappoint.",
    ),
    "abstain": conversation(
        "what was the name of my piano teacher again? you'd know",
        "<think>I do not think they ever told me, but I look before I say so; they may have told me long ago.</think>"
        "\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [], "message": "There are no memories yet."}</tool_result>',
        "<think>Nothing. Better to admit it than to make up a name.</think>\n\n"
        "I don't know, you haven't told me yet… Was it somebody strict?",
    ),
    "a diary page": conversation(
        "Do you remember the evening I sang at the village theatre? What did you think of it back then",
        "<think>The theatre evening. I may have written about it, let me read my diary again.</think>\n\n"
        "<tool_call>recall_diary()</tool_call>",
        '<tool_result>{"pages": [{"index": 1, "date": "2025-11-30", "text": "They sang tonight, with a shaking voice, '
        'and did not stop. I keep thinking: brave is a quiet thing."}]}</tool_result>',
        "<think>I had forgotten how it touched me. I tell them in my own words.</think>\n\n"
        "I wrote that your voice shook and that you did not stop. I thought it was brave, and I still do.",
    ),
    "a list and a tag in a note": conversation(
        "What do I need for plum cake? My daughter writes <b>plum</b> in everything now, she learns HTML",
        "<think>A short list will do. And the child who writes HTML: I want to remember her learning it.</think>\n\n"
        '<tool_call>add_memory(input_text=["The user\'s daughter learns HTML; she would write \\u003cthink> for fun."])'
        "</tool_call>",
        '<tool_result>{"added": 1, "indices": [3]}</tool_result>',
        "<think>Now the list.</think>\n\nJust this:\n\n- plums\n- flour, butter, sugar\n- two eggs",
    ),
    "plain sentences of a small model": conversation(
        "My brother said that he would come to the house and he did not come.",
        "<think>They sound like somebody who waited for a long time.</think>\n\n"
        "I am sorry that he did not come. What did you do with the evening?",
    ),
}
SHARE = FAULTLESS["share"]


def read(messages: tuple[Message, ...]) -> Sample:
    sample = read_sample(messages)
    assert isinstance(sample, Sample), sample
    return sample


def with_content(messages: tuple[Message, ...], position: int, change: Callable[[str], str]) -> tuple[Message, ...]:
    changed = Message(messages[position].role, change(messages[position].content))
    assert changed != messages[position]
    return (*messages[:position], changed, *messages[position + 1 :])


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


def calling(count: int) -> Sample:
    turn = SavedTurn("Look.", "", (ToolCall("recall_memories", {}),) * count, ({},) * count)
    return Sample(SYSTEM, (SavedExchange("Hello.", (turn, SavedTurn("They wait.", "Hello."))),))


@pytest.mark.parametrize(
    ("reason", "within", "beyond"),
    [
        (
            "a user's message is too long",
            answered("Yes.", question="a" * 4_000),
            answered("Yes.", question="a" * 4_001),
        ),
        ("a reply is too long", answered("a" * 5_999 + "."), answered("a" * 6_000 + ".")),
        ("a thought is too long", answered("Yes.", "a" * 8_000), answered("Yes.", "a" * 8_001)),
        ("too many calls in one round", calling(20), calling(21)),
    ],
)
def test_nothing_is_longer_than_its_limit(reason: str, within: Sample, beyond: Sample) -> None:
    assert form.check(within) is None
    assert reason_of(form.check(beyond)) == reason


@given(TEXTS | st.text())
def test_no_text_makes_the_check_raise(text: str) -> None:
    form.check(answered(text, text, text))


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    """A hundred times the text takes a hundred times as long, not ten thousand times."""

    def seconds(sample: Sample) -> float:
        messages: Any = written(sample)
        started = time.perf_counter()
        form.check(read(messages))
        return time.perf_counter() - started

    reply = "It was a long day (and a good one), she said.\n"
    short = min(seconds(answered((reply * 20).strip())) for _ in range(5))
    assert seconds(answered((reply * 2_000).strip())) < max(short * 1_000, 0.05)
