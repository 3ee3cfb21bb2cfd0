"""Of a conversation, Ada is sent what the rows of an export have before her answer: made by the export itself."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.conversation.machine import (
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    needs_no_rewrite,
    next_step,
)
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.prompting import prompt_as_trained, training_sample
from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import ModelRole, Spelled
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.tools import run_call
from apep_datagen.export.making import make_rows
from apep_datagen.export.plan import Plan, Target, read_retellings
from apep_datagen.export.source import SourceConversation
from apep_datagen.formats.format import Format
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from support.briefs import BRIEF
from support.sample_rows import as_json, shapes_of

PROMPTS = load_prompts()
# Words of somebody else, who knows of no other way to call than text.
OTHERS = PromptSet(
    {
        **PROMPTS.texts,
        "ada_system.txt": "You are Ada. It is {{ date }}.\n\n{{ tool_instructions }}\n\nBe kind.",
        "tool_instructions.txt": "Call thus: <tool_call>add_memory(…)</tool_call>, {{ max_tool_rounds }} times.",
    }
)
THOUGHT = "<think>I want to look.</think>\n\n"
SAID = (
    "Do you know it?",
    f"{THOUGHT}<tool_call>recall_memories()</tool_call>\n<tool_call>recall_diary()</tool_call>",
    f'{THOUGHT}<tool_call>add_memory(input_text=["The user likes \\"quinces\\"."])</tool_call>',
    f"{THOUGHT}There it is.",
    "And now?",
    f"{THOUGHT}<tool_call>recall_memories()</tool_call>",
    "Quinces, still.",
)

_each = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)


@functools.cache
def states(prompts: PromptSet) -> tuple[Conversation, ...]:
    """Return a conversation at each of Ada's calls, and at its end."""
    conversation, notebook = Conversation(replace(BRIEF, exchanges=2, rewrites="never"), prompts), Notebook()
    notebook.date = "2026-01-31"
    notebook.add("memory", ["The user has a dog."])
    found = []
    for text in SAID:
        needed = next_step(conversation)
        assert isinstance(needed, ModelCall)
        if needed.step.model_role is ModelRole.ADA:
            found.append(conversation)
        conversation = advance_with_completion(conversation, text, "stop")
        if isinstance(tools := next_step(conversation), ToolRound):
            conversation = advance_with_results(conversation, [run_call(call, notebook) for call in tools.calls])
        if needs_no_rewrite(conversation):
            conversation = advance_with_completion(conversation, "", NOT_NEEDED)
    assert next_step(conversation) is not None
    assert len(found) == 5
    return (*found, conversation)


@functools.cache
def rows_of(prompts: PromptSet, form: str, shape: Shape, directory: Path | None) -> list[Any]:
    """Return the rows that an export makes of the whole conversation."""
    target = Target(form, shape)
    messages = [message.as_dict() for message in training_sample(states(prompts)[-1])]
    element = json.dumps({"conversations": messages}, ensure_ascii=False).encode()
    plan = Plan((target,), read_retellings(None, directory, [target.instructions]))
    [made] = make_rows(plan, [[SourceConversation(1, element, 0, Origin(numbers=(1,)))]])
    assert not made.tally.left_out
    return [json.loads(line) for lines in made.lines.values() for line in lines.splitlines()] or [
        as_json(row) for rows in made.rows.values() for row in rows
    ]


def is_beginning(sent: Spelled, row: Any, form: Format) -> bool:
    fed = form.spell(row)
    count = len(sent.messages)
    return (
        as_json(fed.messages[:count]) == as_json(sent.messages)
        and fed.tools == sent.tools
        and count < len(fed.messages)
    )


@_each
@pytest.mark.parametrize("whose", ["the program's", "others"])
def test_what_she_is_sent_at_each_call_is_the_beginning_of_a_row(form: Format, whose: str, tmp_path: Path) -> None:
    prompts, directory = PROMPTS, None
    if whose == "others":
        prompts, directory = OTHERS, tmp_path
        for name, text in OTHERS.texts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
    *asked, _ = states(prompts)
    for shape in shapes_of(form):
        role = "tool" if shape.calls == "native" else shape.tool_role
        wire = Wire(form.name, replace(shape, tool_role=role))
        rows = rows_of(prompts, form.name, wire.shape, directory)
        for conversation in asked:
            sent = prompt_as_trained(conversation, wire)
            assert any(is_beginning(sent, row, form) for row in rows), (shape, sent)


def test_all_lists_are_whole_and_nothing_is_said_beside_the_results() -> None:
    *_, last, _ = states(PROMPTS)
    for shape in (Shape(tool_role="user"), Shape(tool_role="tool")):
        sent = prompt_as_trained(last, Wire("trl", shape))
        results = [str(message["content"]) for message in sent.messages if "<tool_result>" in message["content"]][1:]
        assert [content.count("a dog") for content in results] == [1, 0, 1]
        assert not any("again below" in content or "any more tools" in content for content in results)
        assert all(content.endswith("</tool_result>") for content in results)


@_each
def test_the_system_prompt_tells_of_calls_as_the_rows_have_them(form: Format) -> None:
    first = states(PROMPTS)[0]
    for shape in shapes_of(form):
        system = prompt_as_trained(first, Wire(form.name, shape)).messages[0]["content"]
        told = form.instructions(shape)
        assert ("<tools>" in system) is (told == "hermes")
        assert ("<tool_call>add_memory(" in system) is (told == "text")
