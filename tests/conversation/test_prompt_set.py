"""The prompts: where they come from, and that a broken one is refused before anything is spent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.prompting import tool_instructions
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.tools import run_call
from apep_datagen.core.words import holds
from apep_datagen.people.cast import load_cast
from support.paths import REPOSITORY, TESTS

WHEN = {"date": "2026-01-31", "weekday": "Saturday", "time": "19:40", "time_of_day": "evening"}
# What `grow` says to a provider is of no conversation.
FILES = sorted({path.name for path in (REPOSITORY / "systemprompts").glob("*.txt")} - {"grow.txt"})

TESTER = "history, previous, instruction, topic, date, weekday, time, time_of_day"


def refusal(directory: Path, name: str, text: str) -> str:
    (directory / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_prompts(directory)
    return str(caught.value)


def test_every_word_comes_from_the_prompt_files() -> None:
    prompts = load_prompts()
    assert sorted(prompts.texts) == FILES
    for name in FILES:
        assert prompts.texts[name] == (REPOSITORY / "systemprompts" / name).read_text(encoding="utf-8")


def test_ada_says_that_she_is_an_ai() -> None:
    rendered = load_prompts().render("ada_system.txt", tool_instructions="…", **WHEN)
    assert "You never claim to be human" in rendered
    assert "2026-01-31" in rendered


def test_a_file_that_the_directory_lacks_is_taken_from_the_program(tmp_path: Path) -> None:
    (tmp_path / "tester_system.txt").write_text("You are Sam.\n", encoding="utf-8")
    prompts, defaults = load_prompts(tmp_path), load_prompts()
    assert prompts.render("tester_system.txt") == "You are Sam."
    changed = [name for name in FILES if prompts.texts[name] != defaults.texts[name]]
    assert changed == ["tester_system.txt"]


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_directory_without_a_prompt_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="no prompts here; a prompt directory holds one or more of ada_system"):
        load_prompts(tmp_path / name)


def test_a_directory_may_hold_a_world_alone(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    assert load_prompts(tmp_path).texts == load_prompts().texts


def test_a_broken_template_is_refused_with_its_file_and_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "ada_system.txt", "One\n\n{% if %}\n")
    assert message.startswith(f"{tmp_path / 'ada_system.txt'}, line 3: ")


@pytest.mark.parametrize(
    ("name", "text", "given"),
    [
        ("ada_system.txt", "{{ dtae }}", "date, weekday, time, time_of_day, tool_instructions"),
        # Known, but not in this file.
        ("ada_system.txt", "{{ topic }}", "date, weekday, time, time_of_day, tool_instructions"),
        ("tester_system.txt", "{{ topic }}", "user"),
        ("rewriter_system.txt", "{{ topic }}", "none"),
        # In a branch that not every conversation comes to.
        ("tester_user.txt", "{% if history %}Go on.{% else %}{{ tpoic }}{% endif %}", TESTER),
        ("tester_user.txt", "{% if previous %}{{ tpoic }}{% endif %}", TESTER),
        ("tester_user.txt", "{{ previous.question }}", TESTER),  # there may be none
        ("rewriter_user.txt", "{{ thoughts[1] }}", "question, thoughts, way_of_thinking"),
        ("tool_results.txt", "{% if not last_round %}{{ x }}{% endif %}", "last_round, results"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_known_ones(tmp_path: Path, name: str, text: str, given: str) -> None:
    message = refusal(tmp_path, name, text)
    assert message.startswith(f"{tmp_path / name}: ")
    assert message.endswith(f"; its variables are {given}" if given != "none" else "; it has no variables")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ history.append(1) }}",
        "{{ '{0.__class__.__mro__}'.format(topic) }}",
        "{% include '/etc/hostname' %}",
    ],
)
def test_a_template_cannot_reach_outside_its_variables(tmp_path: Path, text: str) -> None:
    assert str(tmp_path / "tester_user.txt") in refusal(tmp_path, "tester_user.txt", text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1 / 0 }}",
        "{{ '{1}'.format(topic) }}",
        "{{ '{x}'.format(topic) }}",
        "{{ topic.nothing() }}",
        "{{ range(10 ** 9) | list }}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "(" * 10 + "{{ " + "(" * 2_000,
    ],
)
def test_whatever_a_template_raises_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    assert str(tmp_path / "tester_user.txt") in refusal(tmp_path, "tester_user.txt", text)


def test_a_prompt_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ada_system.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_prompts(tmp_path)


def test_stored_prompts_are_the_same_prompts() -> None:
    prompts = load_prompts()
    stored = PromptSet.from_json(prompts.to_json())
    assert stored.texts == prompts.texts
    assert stored.digest == prompts.digest


def test_other_words_have_another_digest() -> None:
    prompts = load_prompts()
    changed = PromptSet({**prompts.texts, "tester_system.txt": "You are Sam."})
    assert changed.digest != prompts.digest


def test_what_a_model_wrote_is_not_a_template() -> None:
    history = [("{{ 7 * 7 }}", "{% raise %}")]
    rendered = load_prompts().render(
        "tester_user.txt", history=history, previous=None, topic="", instruction="", **WHEN
    )
    assert "{{ 7 * 7 }}" in rendered
    assert "{% raise %}" in rendered


def test_prompts_of_an_earlier_version_are_still_used(tmp_path: Path) -> None:
    texts = json.loads((TESTS / "real_model" / "prompts.json").read_text("utf-8"))
    assert "way_of_thinking" not in texts["rewriter_user.txt"]
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    prompts = load_prompts(tmp_path)
    assert prompts.texts == load_prompts().texts | texts
    said = prompts.render("rewriter_user.txt", question="How?", thoughts=["They ask."], way_of_thinking="dry")
    assert "They ask." in said
    assert "dry" not in said


# What is shipped.


@pytest.mark.parametrize("thoughts", [["They ask."], ["They ask.", "So I say it."]])
def test_the_rewriter_is_told_how_ada_thinks_where_that_was_drawn(thoughts: list[str]) -> None:
    prompts = load_prompts()
    drawn = prompts.render("rewriter_user.txt", question="How?", thoughts=thoughts, way_of_thinking="dry and short")
    not_drawn = prompts.render("rewriter_user.txt", question="How?", thoughts=thoughts, way_of_thinking="")
    assert drawn == f"{not_drawn}\nHer way of thinking today, which is in the words alone: dry and short."


def test_adas_example_is_a_call_that_can_be_carried_out() -> None:
    rounds = tool_instructions(load_prompts(), 3)
    example = parse_answer(rounds[rounds.index("<tool_call>") : rounds.rindex("</tool_call>") + len("</tool_call>")])
    assert example.reply == ""
    notebook = Notebook()
    assert [list(run_call(call, notebook)) for call in example.calls] == [["added", "indices"]]
    assert len(notebook.on("memory")) == 1


@pytest.mark.parametrize("name", ["ada_system.txt", "tester_user.txt"])
def test_what_is_the_same_in_many_prompts_stands_before_the_hour(name: str) -> None:
    """A server that caches what prompts begin with has read it once."""
    at: dict[str, Any] = {
        "topic": "rain",
        "instruction": "Write.",
        "history": [],
        "previous": None,
        "tool_instructions": "…",
    }
    prompts = load_prompts()
    morning, evening = (prompts.render(name, **at, **{**WHEN, "time": hour}) for hour in ("09:15", "19:40"))
    [line] = [line for line in morning.split("\n") if line not in evening]
    assert morning.endswith(line)
    assert morning.partition(line)[0] == evening[: len(morning) - len(line)]


@pytest.mark.parametrize("last_round", [False, True])
def test_the_results_of_the_last_round_alone_ask_for_an_answer(last_round: bool) -> None:  # noqa: FBT001 - a case
    said = load_prompts().render("tool_results.txt", results="<tool_result>{}</tool_result>", last_round=last_round)
    assert ("cannot use any more tools" in said) is last_round


def test_no_prompt_puts_words_into_adas_mouth_for_which_she_is_rejected() -> None:
    phrases, prompts = load_cast().phrases, load_prompts()
    texts = [
        prompts.render("ada_system.txt", tool_instructions=tool_instructions(prompts, 3), **WHEN),
        prompts.render("tool_results.txt", results="", last_round=True),
        prompts.render("rewriter_system.txt"),
        prompts.render("rewriter_user.txt", question="", thoughts=["", ""], way_of_thinking="dry"),
        *load_cast().ways_of_thinking,
    ]
    lists = (phrases.refusals, phrases.machine_talk, phrases.prompt_talk, phrases.ada_voice)
    found = {phrase for listed in lists for phrase in listed for text in texts if holds(text, (phrase,))}
    # What she is, and how her markup is called.
    assert found == {"ai companion", "think block", "tool call", "tool result", "input_text"}


@pytest.mark.parametrize("exchanges", [0, 1])
def test_the_tester_is_told_day_and_hour_before_each_message(exchanges: int) -> None:
    said = load_prompts().render(
        "tester_user.txt",
        history=[("How are you?", "Well.")] * exchanges,
        previous=None,
        topic="the rain",
        instruction="Write about the rain.",
        **WHEN,
    )
    assert "It is Saturday, 2026-01-31, 19:40 (evening)." in said
