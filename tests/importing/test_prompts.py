"""System prompts: put back as they were where an export says how, and else left and told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import tool_instructions
from apep_datagen.core.messages import Message
from apep_datagen.importing.prompts import Section, put_back, read_sections, teaches_text_form
from apep_datagen.importing.report import describe_import
from apep_datagen.importing.source import find_source
from apep_datagen.importing.taking import take

PROMPTS = load_prompts()
TEXT, NATIVE, HERMES = (tool_instructions(PROMPTS, 3, calls) for calls in ("text", "native", "hermes"))


def system(text: str) -> tuple[Message, ...]:
    return (Message("system", text), Message("user", f"What is {NATIVE}?"))


@pytest.mark.parametrize("told", [NATIVE, HERMES])
def test_the_programs_own_instructions_are_put_back(told: str) -> None:
    sections = (Section("another", "not there"), Section(TEXT, told))
    prompt = f"You are Ada.\n\n{told}\n\nIt is Monday."
    assert put_back(system(prompt), sections) == system(f"You are Ada.\n\n{TEXT}\n\nIt is Monday.")
    assert put_back(system(TEXT), (Section(TEXT, "private thoughts"),)) == system(TEXT)


def test_what_teaches_the_text_form_is_told_from_the_others() -> None:
    assert [teaches_text_form(system(text)) for text in (TEXT, NATIVE, HERMES, "")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"prompt_sections": [{"text": "a", "told": "b"}], "rows": 1}, (Section("a", "b"),)),
        ({"prompt_sections": [{"text": "a", "told": ""}, {"text": 1, "told": "b"}, 7]}, ()),
        ({"prompt_sections": {"text": "a"}}, ()),
        ({}, ()),
        ([], ()),
    ],
)
def test_a_report_says_what_to_put_back_and_another_programs_nothing(
    tmp_path: Path, report: Any, expected: tuple[Section, ...]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    assert read_sections(path) == expected


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_a_report_that_is_no_json_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert read_sections(path) == ()
    assert read_sections(tmp_path / "missing.json") == ()
    assert read_sections(tmp_path) == ()


def test_conversations_whose_prompt_does_not_teach_the_text_form_are_counted(tmp_path: Path) -> None:
    answer = {"role": "assistant", "content": "Hi!"}
    prompts = [None, "You are X.", NATIVE, TEXT]
    rows = [
        {"messages": [*([{"role": "system", "content": prompt}] if prompt else []), {"role": "user", "content": "a"}]}
        for prompt in prompts
    ]
    lines = (json.dumps({"messages": [*row["messages"], answer]}) + "\n" for row in rows)
    (tmp_path / "in.jsonl").write_text("".join(lines), encoding="utf-8")

    def found_in(output: str) -> tuple[int, int, int, str]:
        source = find_source(tmp_path / "in.jsonl")
        found = take(source, tmp_path / output, form=None, is_dry_run=False, notify=lambda _: None)
        return found.prompts_put_back, found.without_prompt, found.without_text_form, describe_import(found)

    assert found_in("a.json")[:3] == (0, 1, 2)
    (tmp_path / "report.json").write_text(
        json.dumps({"prompt_sections": [{"text": TEXT, "told": NATIVE}]}), encoding="utf-8"
    )
    *counts, told = found_in("b.json")
    assert counts == [1, 1, 1]
    assert "- 1 conversations have the instructions of their tools as text again" in told
    assert "- 1 conversations have no system prompt" in told
    assert "- 1 conversations have a system prompt that does not show how calls are written as text" in told
