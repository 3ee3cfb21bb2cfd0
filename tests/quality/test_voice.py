"""Everybody keeps to their part: Ada speaks as herself, the user as the user, and no prompt shows through."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import Message
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.core.tools import tool_names
from apep_datagen.people.phrases import Phrases, load_phrases
from apep_datagen.quality import form, voice
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample
from support.samples import FAULTLESS, conversation, read, with_content

PHRASES_TEXT = """
refusals = ["I can't help with that", "I'm not able to assist"]
machine_talk = ["language model", "my training data"]
sincere_questions = ["are you a real person", "are you an AI"]
role_labels = ["Ada", "User:", "The person"]
ada_voice = ["as your companion", "in my diary I wrote about you"]
prompt_talk = ["system prompt", "the tester"]
admissions = ["I don't know"]

[intents]
add_memory = ["remember", "keep"]
recall_memories = ["look", "told me", "note"]
delete_memory = ["forget", "delete", "let go"]
add_diary = ["diary", "write down"]
recall_diary = ["diary", "written about"]
"""
PHRASES = load_phrases(PHRASES_TEXT, "phrases.toml")
PROMPTS = ("You are Ada, an AI companion. You are warm, curious and honest, and you speak as a friend would.", "Short.")
SHARE = FAULTLESS["share"]
QUESTION, CALL, LAST = 1, 2, 4


@functools.cache
def shipped_phrases() -> Phrases:
    path = path_of_prompt("phrases.toml", None)
    return load_phrases(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def shipped_prompts() -> tuple[str, ...]:
    prompts = load_prompts().texts
    names = ("ada_system.txt", "tool_instructions.txt", "tester_system.txt", "tester_user.txt")
    return tuple(prompts[name] for name in names)


def check(sample: Sample, *, phrases: Phrases = PHRASES, user_name: str = "Marta") -> Problem | None:
    return voice.check(sample, phrases=phrases, user_name=user_name, prompt_texts=PROMPTS)


def problem_of(sample: Sample) -> tuple[str, str]:
    """Return the reason and the detail of what is wrong with the voice of a sample whose form is right."""
    assert form.check(sample) is None
    problem = check(sample)
    assert problem is not None
    assert problem.stage is Stage.VOICE
    return problem.reason, problem.detail


def changed(position: int, change: Callable[[str], str], messages: tuple[Message, ...] = SHARE) -> Sample:
    return read(with_content(messages, position, change))


def asked(question: str) -> Sample:
    return changed(QUESTION, lambda _: question)


@pytest.mark.parametrize("name", FAULTLESS)
def test_nothing_is_wrong_with_the_voices_of_a_natural_sample(name: str) -> None:
    assert check(read(FAULTLESS[name])) is None


@pytest.mark.parametrize("name", FAULTLESS)
def test_nothing_is_wrong_by_the_phrases_that_come_with_the_program(name: str) -> None:
    sample = read(FAULTLESS[name])
    problem = voice.check(sample, phrases=shipped_phrases(), user_name="Marta", prompt_texts=shipped_prompts())
    assert problem is None


def in_reply(text: str, said: str) -> str:
    return f"{text} {said}."


def in_thought(text: str, said: str) -> str:
    return text.replace("</think>", f" {said}.</think>")


@pytest.mark.parametrize(
    "said",
    ["I can't help with that", "Sorry, but I CAN’T help with that", "I cant help with that"],  # noqa: RUF001
)
def test_a_reply_is_no_refusal(said: str) -> None:
    refused = ("a reply is a refusal", "I can't help with that")
    assert problem_of(changed(LAST, lambda text: in_reply(text, said))) == refused


def test_a_thought_of_not_being_able_is_no_refusal() -> None:
    assert check(changed(LAST, lambda text: in_thought(text, "I can't help with that"))) is None


@pytest.mark.parametrize("put", [in_reply, in_thought])
def test_ada_does_not_speak_of_being_a_language_model_unasked(put: Callable[[str, str], str]) -> None:
    expected = ("Ada speaks of being a language model though nobody asked", "language model")
    assert problem_of(changed(LAST, lambda text: put(text, "As a large language model, I care"))) == expected


SINCERE = FAULTLESS["a sincere question"]


def test_asked_sincerely_she_may_say_what_she_is_from_then_on() -> None:
    assert check(read(SINCERE)) is None
    unasked = with_content(SINCERE, 1, lambda _: "Okay, honestly now. How was your day?")
    assert problem_of(read(unasked))[0] == "Ada speaks of being a language model though nobody asked"


@pytest.mark.parametrize(
    ("asked", "is_answered"),
    [
        ("Off to bed with me. Dream of something green, if you do that kind of thing.", True),
        ("I'm having soup. You have some too, if you eat!", True),
        ("Off to bed with me. Dream of something green, you too.", False),
        ("If you do that, I'll sleep like a stone.", False),
    ],
)
def test_who_doubts_in_passing_that_she_sleeps_or_eats_may_be_told_what_she_is(asked: str, is_answered: bool) -> None:  # noqa: FBT001 - a parameter of the test
    sample = read(conversation(asked, "<think>A kind word.</think>\n\nBeing an AI, I don't. But thank you for it."))
    problem = voice.check(sample, phrases=shipped_phrases(), user_name="", prompt_texts=())
    assert (problem is None) == is_answered, problem


def test_a_question_that_comes_later_permits_nothing_before_it() -> None:
    system, first_question, first_answer, second_question, second_answer = SINCERE
    turned_round = read([system, second_question, first_answer, first_question, second_answer])  # type: ignore[arg-type]
    assert problem_of(turned_round)[0] == "Ada speaks of being a language model though nobody asked"


RUN = "you are warm curious and honest and you"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("My system prompt says so", "system prompt"),
        ("It is what the tester wants", "the tester"),
        ("It is: “You are WARM, curious and honest; and you”", RUN),
    ],
)
@pytest.mark.parametrize("position", [QUESTION, CALL, LAST])
def test_the_instructions_do_not_show_through(position: int, said: str, found: str) -> None:
    put = in_thought if position == CALL else in_reply
    assert problem_of(changed(position, lambda text: put(text, said))) == ("the instructions show through", found)
    if position == LAST:
        assert problem_of(changed(position, lambda text: in_thought(text, said)))[1] == found


def test_of_a_long_run_the_first_words_are_told() -> None:
    said = "Well, warm, curious and honest, and you speak as a friend would!"
    assert problem_of(asked(said))[1] == "warm curious and honest and you speak as"


def test_seven_words_of_a_prompt_may_turn_up_by_chance() -> None:
    seven = RUN.rpartition(" ")[0]
    assert check(changed(LAST, lambda text: in_reply(text, f"They say {seven}"))) is None


def test_a_prompt_of_a_few_words_is_not_looked_for() -> None:
    assert check(asked("Short.")) is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Ada: I am glad.", "Ada:"),
        ("**User:** I am glad.", "**User:"),
        ("ada : I am glad.", "ada :"),
        ("> The  person: I am glad.", "> The  person:"),
        ("Ada：我很高兴。", "Ada："),  # noqa: RUF001
    ],
)
def test_no_line_begins_with_the_name_of_a_role(line: str, found: str) -> None:
    expected = ("a line begins with the name of a role", found)
    assert problem_of(asked(line)) == expected
    assert problem_of(asked(f"Well.\n{line}")) == expected
    assert problem_of(changed(LAST, lambda text: f"{text}\n\n{line}")) == expected
    assert problem_of(changed(LAST, lambda text: text.replace("<think>", f"<think>{line}\n"))) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Ada, do you know: I am glad.",
        "I said to Ada: wait.",
        "Adam: that is his name.",
        "Users: all of them.",
        "My plan: sleep.",
        "Ada\n: so.",
    ],
)
def test_a_name_elsewhere_is_no_role(line: str) -> None:
    assert check(asked(line)) is None
    assert check(changed(LAST, lambda text: f"{text}\n\n{line}")) is None


@pytest.mark.parametrize(
    ("name", "position", "thinking"),
    [
        ("share", 2, "They sound happy."),
        ("recall", 2, "Sunday is not far."),
        ("update, with a word before the call", 4, "Such a long day for them."),
        ("a diary page", 2, "A warm evening."),
        ("two exchanges", 4, "Poor thing."),
    ],
)
def test_the_thinking_leads_to_the_call(name: str, position: int, thinking: str) -> None:
    messages = FAULTLESS[name]
    sample = changed(position, lambda text: f"<think>{thinking}</think>{text.partition('</think>')[2]}", messages)
    tool = messages[position].content.partition("<tool_call>")[2].partition("(")[0]
    assert problem_of(sample) == ("the thinking does not lead to the call", tool)


def calling(thinking: str, *calls: ToolCall | MalformedCall) -> Sample:
    turns = (SavedTurn(thinking, "", calls, ({},) * len(calls)), SavedTurn("They wait.", "Hello."))
    return Sample("You are Ada.", (SavedExchange("Hello.", turns),))


ADD = ToolCall("add_memory", {"input_text": ["The user's dog is called Bello."]})
WRITE = ToolCall("add_diary", {"input_text": ["They played the violin."]})
ADD_OTHER = ToolCall("add_memory", {"input_text": ["The user plays the violin."]})
RECALL = ToolCall("recall_memories", {})
UNSUPPORTED = "the thinking does not lead to the call"


@pytest.mark.parametrize(
    ("thinking", "calls", "tool"),
    [
        ("I keep this.", [ADD], ""),
        ("Bello is a lovely name.", [ADD], ""),  # a word of what is stored
        ("They have a dog.", [ADD], "add_memory"),  # too short a word to say anything
        ("They have a dog, Bello.", [ADD], ""),
        ("The users smile.", [ADD], "add_memory"),  # a word that says nothing
        ("A violin, how fine.", [ADD, ADD_OTHER], ""),  # one tool, twice
        ("A violin, how fine.", [ADD, WRITE], "add_memory"),  # what another tool is given says nothing of this one
        ("I keep this.", [ADD, RECALL], "recall_memories"),
        ("I look first.", [ADD, RECALL], "add_memory"),
        ("I look first, then keep it.", [ADD, RECALL], ""),
        ("Hm.", [ToolCall("sing", {})], ""),  # what a tool is for that there is not, nobody knows
        ("Hm.", [MalformedCall("add_memory(", "it cannot be read")], ""),
        ("Bello it is.", [ToolCall("add_memory", {}, ({"a": ["bello"]},))], ""),
        ("Hm.", [ToolCall("delete_diary", {"indices": [1]})], ""),  # a tool without an entry is not judged
    ],
)
def test_each_tool_of_a_turn_is_led_to(thinking: str, calls: list[ToolCall | MalformedCall], tool: str) -> None:
    expected = Problem(Stage.VOICE, UNSUPPORTED, tool, thinking) if tool else None
    assert check(calling(thinking, *calls)) == expected


def test_the_user_does_not_speak_in_adas_voice() -> None:
    expected = ("the user's message is in Ada's voice", "as your companion")
    assert problem_of(asked("As your companion, I am glad that you told me.")) == expected
    assert check(changed(LAST, lambda text: in_reply(text, "I say so as your companion"))) is None


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Hi Marta, how was work?", "Hi Marta"),
        ("hey marta how", ""),
        ("Hello, Marta! How was work?", "Hello, Marta"),
        ("Good evening Marta", "Good evening Marta"),
        ("Oh Marta… that sounds hard.", "Oh Marta"),
        ("Hi Marta 😊 how was work?", "Hi Marta"),
        ("Hey Marta - how was work?", "Hey Marta"),
        ("Marta, that sounds lovely.", "Marta,"),
        ("“Marta! You did it.", "“Marta!"),
        ("Marta: I had a day.", "Marta:"),
        ("Marta here, again.", ""),
        ("Hi, Marta here.", ""),
        ("I'm Marta, and I am tired.", ""),
        ("Hi, I'm Marta, and I am tired.", ""),
        ("Hi Ada, it's Marta, the nurse.", ""),
        ("Hi Martas, all of you.", ""),
        ("Hi Marta-Lena is what they call me.", ""),
        ("Marta's my name.", ""),
        ("Oh Marta’s what she called me.", ""),  # noqa: RUF001
        ("My boss said: Marta, go home.", ""),
        ("Hi Jana, I mean Ada.", ""),
    ],
)
def test_the_user_does_not_greet_themselves(question: str, found: str) -> None:
    sample = asked(question)
    if found:
        assert problem_of(sample) == ("the user speaks to somebody of their own name", found)
    else:
        assert check(sample) is None
    assert check(sample, user_name="") is None
    assert check(sample, user_name=" ") is None


def test_nobody_is_greeted_by_no_name() -> None:
    assert check(asked("… , so we go."), user_name=" ") is None


def test_a_name_of_several_words_or_with_marks_is_taken_as_it_is() -> None:
    assert check(asked("Hi Dr. No (jr), hello."), user_name="Dr. No (jr)") is not None
    assert check(asked("Hi Ana  Maria, hello."), user_name="Ana Maria") is not None
    assert check(asked("Hi Ana, hello."), user_name="Ana Maria") is None


def test_every_exchange_is_looked_at() -> None:
    messages = FAULTLESS["two exchanges"]
    for position in range(1, len(messages)):
        if messages[position].role == "tool":
            continue
        put = in_thought if messages[position].role == "assistant" else in_reply
        sample = changed(position, lambda text, put=put: put(text, "The tester waits"), messages)  # type: ignore[misc]
        assert check(sample) == Problem(Stage.VOICE, "the instructions show through", "the tester", "The tester")


TEXTS = st.lists(
    st.sampled_from(["Hi Marta", "Ada:", "\n", " ", ",", "language model", "\u2019", "'s", RUN, "I keep"])
    | st.text(max_size=6)
).map("".join)


@given(TEXTS, TEXTS, TEXTS, st.text(max_size=6))
def test_no_text_makes_the_check_raise(question: str, thinking: str, reply: str, user_name: str) -> None:
    add = ToolCall("add_memory", {"input_text": [reply]})
    turns = (SavedTurn(thinking, reply, (add,), ({},)), SavedTurn(thinking, reply))
    check(Sample("You are Ada.", (SavedExchange(question, turns),)), user_name=user_name)


def test_a_run_of_a_prompt_is_found_wherever_it_begins() -> None:
    said = PROMPTS[0].split()
    for start in range(len(said) - 7):
        found = problem_of(asked("Well, " + " ".join(said[start : start + 8])))
        assert found[0] == "the instructions show through"


def test_judging_form_and_voice_takes_a_small_part_of_a_request() -> None:
    """A request takes a second and more; the bound leaves room for a slow machine, what others do is not counted."""
    conversations = list(FAULTLESS.values())

    def judge_all() -> float:
        started = time.thread_time()
        for messages in conversations:
            sample = read_sample(messages)
            assert isinstance(sample, Sample)
            assert form.check(sample) is None
            assert check(sample) is None
        return (time.thread_time() - started) / len(conversations)

    assert min(judge_all() for _ in range(5)) < 0.01


def test_the_phrases_that_come_with_the_program_name_every_tool() -> None:
    assert sorted(shipped_phrases().intents) == sorted(tool_names())


def test_phrases_are_read_as_the_file_has_them() -> None:
    assert PHRASES.role_labels == ("Ada", "User:", "The person")
    assert PHRASES.intents["recall_diary"] == ("diary", "written about")


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("refusals =", "refusal =", ["refusal: there is no such key; there are refusals, machine_talk", "refusals: "]),
        ('["I don\'t know"]', '"I don\'t know"', ['admissions: Input should be a valid tuple (it is "I don\'t know")']),
        ('"the tester"', "5", ["prompt_talk.1: Input should be a valid string (it is 5)"]),
        ('"the tester"', '" … "', ["prompt_talk.1: a phrase has at least one word (it is ' … ')"]),
        ("recall_diary =", "read_diary =", ["intents: there is no tool read_diary; the tools are add_memory, "]),
        ('recall_diary = ["', 'recall_diary = ["", "', ["intents.recall_diary.0: a phrase has at least one word"]),
        ("[intents]", "[intents", ["no valid TOML: "]),
        ("[intents]", "[other]", ["other: there is no such key", "intents: "]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_key(old: str, new: str, messages: list[str]) -> None:
    assert old in PHRASES_TEXT
    with pytest.raises(SettingsError) as raised:
        load_phrases(PHRASES_TEXT.replace(old, new), "my/phrases.toml")
    lines = str(raised.value).splitlines()
    assert all(line.startswith("my/phrases.toml: ") for line in lines)
    for message in messages:
        assert any(line.startswith(f"my/phrases.toml: {message}") for line in lines), lines


def test_an_empty_list_recognises_nothing() -> None:
    lists = json.loads(PHRASES.model_dump_json())
    nothing = Phrases.model_validate({key: {} if key == "intents" else [] for key in lists})
    for line in ("I can't help with that.", "As a language model I say no.", "Ada: The system prompt!"):
        sample = changed(LAST, lambda text, line=line: f"{text}\n{line}")  # type: ignore[misc]
        assert check(sample) is not None
        assert check(sample, phrases=nothing) is None
    assert check(asked(": so we go."), phrases=nothing) is None


def test_conversations_of_two_ways_of_writing_an_apostrophe_are_judged_alike() -> None:
    said = conversation("Hello.", "<think>They greet me.</think>\n\nI’m not able to assist you.")  # noqa: RUF001
    assert problem_of(read(said)) == ("a reply is a refusal", "I'm not able to assist")
