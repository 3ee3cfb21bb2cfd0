"""What models of all families write is read as Ada's markup, or found; what people write stays as it is."""

# ruff: noqa: RUF001 - the marks of some families have signs of wide scripts

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apep_datagen.conversation.completions import read_question
from apep_datagen.conversation.rewritten_parts import read_parts
from apep_datagen.core.calls import MalformedCall, ToolCall, render_call
from apep_datagen.core.dialects import foreign_markup, own_markup
from apep_datagen.core.markup import Answer, parse_answer, render_answer
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.tools import canonical_call, tool_names
from apep_datagen.core.words import holds
from support.hostile_texts import MARKUP_PIECES
from support.samples import FAULTLESS


def read(text: str) -> Answer:
    return parse_answer(own_markup(text))


def called(text: str) -> list[str]:
    """Return the calls in a text as they are saved."""
    calls = [canonical_call(call) for call in read(text).calls]
    return [render_call(call) if isinstance(call, ToolCall) else f"not understood: {call.text}" for call in calls]


# Thoughts.

THOUGHT, REPLY = "They ask after the dog, and I miss him too.", "He is asleep by the stove.\n\nShall I wake him?"


@pytest.mark.parametrize(
    "text",
    [
        f"<think >{THOUGHT}</think >{REPLY}",
        f"<thought>\n{THOUGHT}\n</thought>\n{REPLY}",
        f"<Reasoning>{THOUGHT}</Reasoning>\n<answer>\n{REPLY}\n</answer>",
        f"<scratch_pad>{THOUGHT}</scratch_pad>{REPLY}<|im_end|>",
        f"[THINK]{THOUGHT}[/THINK]{REPLY}</s>",
        f"<seed:think>\n{THOUGHT}\n</seed:think>{REPLY}<seed:eos>",
        f"◁think▷{THOUGHT}◁/think▷{REPLY}",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{REPLY}<|END_RESPONSE|>",
        f"<|begin_of_thought|>\n\n{THOUGHT}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>{REPLY}<|end_of_solution|>",
        f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>{REPLY}",
        f"<|channel>thought\n{THOUGHT}<channel|>{REPLY}<turn|>",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{REPLY}<|return|>",
        f"Here's my thought process: {THOUGHT}\n\nHere is my response: {REPLY}",
        f"{THOUGHT}[/THINK]{REPLY}",
        f"{THOUGHT}</thought>\n{REPLY}",
        f"<|im_start|>assistant\n<think>{THOUGHT}</think>\n\n{REPLY}<|im_end|>\n<|endoftext|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n<think>{THOUGHT}</think>{REPLY}<|eot_id|>",
        f"<think>{THOUGHT}</think><|assistant|>\n{REPLY}<｜end▁of▁sentence｜>",
        f"<think>{THOUGHT}<|im_end|></think><start_of_turn>model\n{REPLY}<end_of_turn>",
        f"```xml\n<think>{THOUGHT}</think>\n\n{REPLY}\n```",
        f"<think>{THOUGHT}</think><message>{REPLY}</message>",
    ],
)
def test_a_thought_in_the_marks_of_any_family_is_a_thought(text: str) -> None:
    assert read(text) == Answer(THOUGHT, REPLY)


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{THOUGHT}</think>\n\n<think>{THOUGHT}</think>{REPLY}",
        f"<think>{THOUGHT}</think>\n<thought>They ask after the dog,\nand I miss him too. </thought>{REPLY}",
        f"<think>{THOUGHT}\n{THOUGHT}</think>{REPLY}",
        f"<think>{THOUGHT}</think>\n\n{THOUGHT}</think>{REPLY}",
    ],
)
def test_a_thought_that_comes_twice_is_thought_once(text: str) -> None:
    assert read(text) == Answer(THOUGHT, REPLY)


def test_different_thoughts_and_short_words_are_all_kept() -> None:
    assert read("<think>No, no. Ha ha.</think><think>Well.</think>Yes.") == Answer("No, no. Ha ha.\n\nWell.", "Yes.")


def test_a_block_that_the_template_opened_behind_a_thought_is_a_thought_as_well() -> None:
    assert read("<think>First.</think>\n\nSecond.</think>\n\nHello.") == Answer("First.\n\nSecond.", "Hello.")
    assert read("<think>First.</think>Hello.</think></tool_call>") == Answer("First.", "Hello.")


@pytest.mark.parametrize(
    "next_turn",
    [
        "<|im_end|>\n<|im_start|>user\nAnd you?<|im_end|>",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd you?",
        "<end_of_turn>\n<start_of_turn>user\nAnd you?",
        "</s>[INST] And you? [/INST] Me too.",
        "<|user|>\nAnd you?\n<|assistant|>\nMe too.",
        "<｜end▁of▁sentence｜><｜User｜>And you?<｜Assistant｜>Me too.",
        "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>And you?",
        "<|observation|>\n{}",
        "<|end|><|start|>user<|message|>And you?<|end|>",
    ],
)
def test_a_turn_that_is_written_for_somebody_else_is_cut_off(next_turn: str) -> None:
    assert read(f"<think>{THOUGHT}</think>{REPLY}{next_turn}") == Answer(THOUGHT, REPLY)
    calling = f"<think>{THOUGHT}</think><tool_call>recall_diary()</tool_call>"
    assert read(calling + next_turn) == read(calling)


# Calls.

ARGUMENTS = '{"indices": [2, 5]}'
DELETE = "delete_diary(indices=[2, 5])"
FENCE = "```"


@pytest.mark.parametrize(
    "text",
    [
        f'<tool_call>\n{{"name": "delete_diary", "arguments": {ARGUMENTS}}}\n</tool_call>',
        f'<tool_call name="delete_diary">{ARGUMENTS}</tool_call>',
        f'<tool_call>{{"id": 1, "function": {{"name": "delete_diary", "arguments": {ARGUMENTS}}}}}</tool_call>',
        f'<tool_call>{{"function": "delete_diary", "args": {ARGUMENTS}}}</tool_call>',
        f'<tool_call>{{"tool_calls": [{{"name": "delete_diary", "parameters": {ARGUMENTS}}}]}}</tool_call>',
        f"<tool_call>[{{'delete_diary': {ARGUMENTS}}}]</tool_call>",
        f'<toolcall>[{{"name": "delete_diary", "arguments": {ARGUMENTS}}}]</toolcall>',
        f'<function_call>{{"name": "functions.delete_diary", "arguments": {json.dumps(ARGUMENTS)}}}</function_call>',
        f"<function_calls>\n{DELETE}\n</function_calls>",
        f"<function=delete_diary>{ARGUMENTS}</function>",
        "<tool_call>\n<function=delete_diary>\n<parameter=indices>\n[2, 5]\n</parameter>\n</function>\n</tool_call>",
        "<function=delete_diary><parameter=indices>[2, 5]</parameter></function></tool_call>",
        "<seed:tool_call><function=delete_diary><parameter=indices>[2, 5]</parameter></function></seed:tool_call>",
        (
            '<minimax:tool_call><invoke name="delete_diary">\n<parameter name="indices">[2, 5]</parameter>\n</invoke>'
            "</minimax:tool_call>"
        ),
        '<invoke name="delete_diary"><parameter name="indices">[2, 5]</parameter></invoke>',
        (
            '<｜DSML｜function_calls><｜DSML｜invoke name="delete_diary">'
            '<｜DSML｜parameter name="indices" string="false">[2, 5]</｜DSML｜parameter>'
            "</｜DSML｜invoke></｜DSML｜function_calls>"
        ),
        "<tool_call>delete_diary\n<arg_key>indices</arg_key>\n<arg_value>[2, 5]</arg_value>\n</tool_call>",
        "<delete_diary><indices>2</indices><indices>5</indices></delete_diary>",
        f'[TOOL_CALLS][{{"name": "delete_diary", "arguments": {ARGUMENTS}, "id": "abc"}}]',
        f"[TOOL_CALLS]delete_diary[ARGS]{ARGUMENTS}</s>",
        f"[TOOL_CALLS]delete_diary[CALL_ID]a1B2c3D4e[ARGS]{ARGUMENTS}",
        (
            f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>delete_diary\n{FENCE}json\n{ARGUMENTS}\n{FENCE}"
            "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        ),
        (
            f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>delete_diary<｜tool▁sep｜>{ARGUMENTS}<｜tool▁call▁end｜>"
            "<｜tool▁calls▁end｜>"
        ),
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.delete_diary:3<|tool_call_argument_begin|>"
            f"{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>"
        ),
        f"<|channel|>commentary to=functions.delete_diary <|constrain|>json<|message|>{ARGUMENTS}<|call|>",
        f"<|start|>assistant to=functions.delete_diary<|channel|>commentary json<|message|>{ARGUMENTS}<|call|>",
        "<|tool_call>call:delete_diary{indices:[2,5]}<tool_call|>",
        f'<|python_tag|>{{"name": "delete_diary", "parameters": {ARGUMENTS}}}<|eom_id|>',
        f"<|python_start|>[{DELETE}]<|python_end|>",
        f"<|tool_call_start|>[{DELETE}]<|tool_call_end|>",
        f'<|START_ACTION|>[{{"id": "0", "tool_name": "delete_diary", "parameters": {ARGUMENTS}}}]<|END_ACTION|>',
        f"<|tools_prefix|>[{{'delete_diary': {ARGUMENTS}}}]<|tools_suffix|>",
        # In no tag.
        f'{{"type": "function", "name": "delete_diary", "parameters": {ARGUMENTS}}}',
        f"[{DELETE}]",
        f"{FENCE}tool_code\n{DELETE}\n{FENCE}",
        f"{FENCE}python\nprint(default_api.{DELETE})\n{FENCE}",
        f'{FENCE}json\n{{\n  "name": "delete_diary",\n  "arguments": {ARGUMENTS}\n}}\n{FENCE}\nI let go of them.',
        f"Action: delete_diary\nAction Input: {ARGUMENTS}\nObservation: done",
        # In a wrapping that is none of the call's.
        f"{FENCE}xml\n<tool_call>{DELETE}</tool_call>\n{FENCE}",
        f"`<tool_call>{DELETE}</tool_call>`",
        f"<tool_call>{FENCE}\n{DELETE}\n{FENCE}</tool_call>",
        "<tool_call>delete_diary（indices＝［2，5］）</tool_call>",
        f'<tool_call>{{"name": "delete_diary", "arguments": {ARGUMENTS}}}\n\nI let go of them.',
    ],
)
def test_a_call_in_the_spelling_of_any_family_is_a_call(text: str) -> None:
    answer = read(f"<think>Two and five, I let go of them.</think>\nA moment.\n{text}")
    assert called(f"<think>Two and five, I let go of them.</think>\nA moment.\n{text}") == [DELETE]
    assert (answer.thinking, answer.reply) == ("Two and five, I let go of them.", "A moment.")


@pytest.mark.parametrize(
    "strings",
    [
        "[“They’re called “Tom” now, he said.”]",
        "[‘They’re called “Tom” now, he said.’]",
        "[＂They’re called “Tom” now, he said.＂]",
    ],
)
def test_quotation_marks_of_any_kind_hold_a_text(strings: str) -> None:
    saved = 'add_memory(input_text=["They’re called “Tom” now, he said."])'
    assert called(f"<tool_call>add_memory(input_text={strings})</tool_call>") == [saved]
    assert called(f"<tool_call>{{“name”: “add_memory”, “arguments”: {{“input_text”: {strings}}}}}</tool_call>") == [
        saved
    ]


def test_a_text_in_an_element_may_hold_elements_and_several_make_a_list() -> None:
    text = "<function=add_diary>\n<parameter=input_text>\nThey wrote <b>yes</b>, 3 < 4.\n</parameter>\n</function>"
    assert called(text) == ['add_diary(input_text=["They wrote <b>yes</b>, 3 < 4."])']
    several = "<add_memory><input_text>One.</input_text>\n<input_text>Two.</input_text></add_memory>"
    assert called(several) == ['add_memory(input_text=["One.", "Two."])']


def test_several_calls_of_any_family_stay_several() -> None:
    several = [
        "[TOOL_CALLS]recall_diary[ARGS]{}[TOOL_CALLS]recall_memories[ARGS]{}",
        "<tools><invoke name='recall_diary'></invoke>\n<invoke name='recall_memories'></invoke></tools>",
        "<function=recall_diary></function>\n<function=recall_memories>{}</function>",
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>recall_diary<｜tool▁sep｜>{}<｜tool▁call▁end｜>\n"
            "<｜tool▁call▁begin｜>recall_memories<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        ),
        "[recall_diary(), recall_memories()]",
        "recall_diary()\nrecall_memories()",
        '{"name": "recall_diary"}\n{"name": "recall_memories", "parameters": {}}',
    ]
    for text in several:
        assert called(text) == ["recall_diary()", "recall_memories()"], text


@pytest.mark.parametrize("text", ["recall_diary", "recall_diary()", "```\nrecall_diary\n```", "[recall_diary()]"])
def test_a_name_or_a_call_on_a_line_of_its_own_is_a_call(text: str) -> None:
    assert read(f"<think>Let me read.</think>\n{text}") == Answer("Let me read.", "", (ToolCall("recall_diary", {}),))


def test_a_tool_that_there_is_not_is_called_where_a_mark_says_that_it_is_a_call() -> None:
    assert called("[TOOL_CALLS]get_weather[ARGS]{}") == ["get_weather()"]
    assert called("get_weather()") == []


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("[TOOL_CALLS]delete_diary[ARGS]{indices", "delete_diary[ARGS]{indices"),
        (
            "<function=delete_diary><parameter=indices>[2</function>",
            "<function=delete_diary><parameter=indices>[2</function>",
        ),
        ("<tool_call>delete_diary two</tool_call>", "delete_diary two"),
    ],
)
def test_what_cannot_be_read_in_a_call_is_answered_as_a_call(text: str, unread: str) -> None:
    assert called(text) == [f"not understood: {unread}"]


def test_a_block_of_code_before_a_call_stays_closed() -> None:
    said = "Try this:\n\n```\nprint(1)\n```"
    assert read(f"<think>Hm.</think>{said}\n<tool_call>recall_diary()</tool_call>").reply == said


def test_results_that_a_model_invents_are_no_part_of_the_reply() -> None:
    for result in ("<tool_response>{}</tool_response>", "[TOOL_RESULTS]{}[/TOOL_RESULTS]", "<function_results>{}"):
        assert read(f"<think>Hm.</think>Hello.{result}") == Answer("Hm.", "Hello.")


# What is found, and what is not.


@pytest.mark.parametrize(
    "text",
    [
        "Sleep well.<|im_end|> Good night.",
        "Sleep [/INST] well.",
        "<<SYS>> Be kind. <</SYS>> Sleep well.",
        "One </s> two.",
        "Sleep <｜tool▁sep｜> well.",
        "Sleep <unused42> well.",
        "A </function> here",
        "A </parameter> there",
        "I note it: add_diary(input_text=['rain'])",
        "I note it: recall_diary ( )",
        'I note it: {"name": "recall_diary"}',
        "I note it: {'tool': 'delete_memory'}",
        "Then Action: recall_memories",
        "&lt;tool_call&gt; and so on",
        "Sleep <end_of_turn> well.",
        "<answer> Sleep well.",
        "Sleep well.\n</response>",
    ],
)
def test_markup_that_no_person_writes_is_found(text: str) -> None:
    assert foreign_markup(parse_answer(own_markup(text)).reply)


@pytest.mark.parametrize(
    "text",
    [
        "I <3 you, and <33 that song :> |-) <|",
        "Write <b>bold</b>, <s>not this</s>, <br/> and a <div class='x'> in <code>HTML</code>.",
        "x <- 3; a <= b; a < b > c; f <| g |> h; if x<y and z>w:",
        "<sigh> what a day </rant> [LAUGHS] [EDIT: typo] [sic] [/sarcasm]",
        "Dear <first name>, think about <your thought here>, 5 < answer and 7 > response",
        'print(\'hello\') and {"name": "Tom"} and f(x=[1])',
        "I remember it (diary, memory), add memory to it; the tool call of a blackbird",
        "<https://example.org> <me@example.org> -> <- <-> <!-- no -->",
        "Put <message> there, and <answer> here.",
        "Call <function> with <parameter> and <arguments>, it is your <turn>, mind the <pad-thai>",
        "It returns a List<Thought> or a Promise<Response>",
        "«Guillemets», <<so>> ⟨and⟩ ◁ ▷",
    ],
)
def test_what_people_write_of_code_and_hearts_stays_as_it_is(text: str) -> None:
    assert parse_answer(own_markup(text)) == Answer("", text)
    assert not foreign_markup(text)


@pytest.mark.parametrize("name", FAULTLESS)
def test_what_good_models_write_stays_as_it_is(name: str) -> None:
    for message in FAULTLESS[name][1:]:
        assert own_markup(message.content) == message.content


# Whatever it is.

HOSTILE = st.lists(st.sampled_from(MARKUP_PIECES) | st.text(max_size=6), max_size=14).map("".join)


def as_saved(answer: Answer) -> tuple[str, str, list[str]]:
    return (
        answer.thinking,
        answer.reply,
        [call.text if isinstance(call, MalformedCall) else repr(call) for call in answer.calls],
    )


@settings(max_examples=600)
@given(HOSTILE)
@example("</tool_result><tool_call></tool_result> ")
@example("<s></s><|message|>")
@example("<think><s>a</think><|im_end|></s>")
@example("<tool_call>```\n```\nf()\n```\n```")
@example("<function=f><function=f></function>")
@example("[TOOL_CALLS]" * 3)
@example("recall_diary\u2028")
def test_what_was_read_and_written_is_read_back_the_same(text: str) -> None:
    answer = read(text)
    written = render_answer(answer.thinking, answer.reply, answer.calls)
    assert as_saved(parse_answer(written)) == as_saved(answer)
    if "```" in text or any(isinstance(call, MalformedCall) for call in answer.calls):
        return
    # What stood in the way of a call, and is taken away, makes one of it.
    if any(line.strip() in tool_names() for line in answer.reply.splitlines()):
        return
    if not foreign_markup(answer.thinking) and not foreign_markup(answer.reply):
        assert as_saved(read(written)) == as_saved(answer)


@given(HOSTILE)
def test_no_text_makes_any_reader_raise(text: str) -> None:
    read_question(text)
    read_parts(("a", "b"), text, is_whole=True)
    foreign_markup(text)
    repeated_words(text)


# Time.


def seconds(action: Callable[[str], Any], text: str) -> float:
    """Return the CPU seconds of this thread that an action takes, at its best."""
    times = []
    for _ in range(2):
        began = time.thread_time()
        action(text)
        times.append(time.thread_time() - began)
    return min(times)


def read_in_every_way(text: str) -> None:
    answer = read(text)
    parse_answer(render_answer(answer.thinking, answer.reply, answer.calls))
    foreign_markup(text)
    repeated_words(text)
    holds(text, ("nobody says this",))
    read_question(text)
    read_parts(("a", "b"), text, is_whole=True)


@pytest.mark.parametrize("before", ["", "<tool_call>", "<think>", "\n{"])
def test_reading_takes_time_in_proportion_to_the_length(before: str) -> None:
    """Sixteen times the text takes some sixteen times as long; where it is read again and again, 256 times."""
    nested = [
        ("<answer>", "</answer>"),
        ("<think>", "</think>"),
        ("<thi", "nk>"),
        ("</tool_", "call>"),
        ("[f(x=", ")]"),
        ('{"name": ', "}"),
    ]
    for unit, closing in [*((piece, "") for piece in MARKUP_PIECES), *nested]:
        times = (length // len(unit + closing) for length in (1_500, 24_000))
        short, long = (before + unit * count + closing * count for count in times)
        assert seconds(read_in_every_way, long) < 80 * max(seconds(read_in_every_way, short), 0.0005), unit
