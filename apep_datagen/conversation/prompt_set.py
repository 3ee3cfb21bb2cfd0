"""The words that are sent to a model: Jinja2 templates from `systemprompts/`, or from a directory of the user's.

A conversation keeps to the prompts that it began with: a `PromptSet` is a value that is stored with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text
from apep_datagen.core.templates import compile_template, path_of_prompt

__all__ = ["PROMPT_FILES", "PromptSet", "UnusablePromptError", "load_prompt", "load_prompts"]

_EXCHANGE = {"question": "How are you?", "answer": "Well."}
_USER = {
    "name": "Marta",
    "age": 34,
    "place": "Porto",
    "job": "a nurse",
    "temperament": "dry",
    "writing": "short sentences",
    "interests": ("chess",),
    "people": ("friend Amara",),
    "animals": (),
}
_WHEN = {"date": "2026-01-31", "weekday": "Saturday", "time": "19:40", "time_of_day": "evening"}
_TASK = {"instruction": "Write about the weather.", "topic": "the weather", **_WHEN}

# Each prompt file, and what it is given: values with which it is tried when it is loaded, so that every branch that a
# conversation can come to has been taken before anything is spent.
_TRIALS: dict[str, tuple[dict[str, Any], ...]] = {
    "ada_system.txt": ({**_WHEN, "tool_instructions": "…"},),
    "reviewer_system.txt": ({},),
    "reviewer_user.txt": tuple(
        {"conversation": parts, **_WHEN}
        for parts in (
            [("message", "How are you?"), ("thought", "They ask."), ("reply", "Well.")],
            [("message", "How are you?"), ("thought", "Once more."), ("call", "recall_diary()"), ("result", "{}")],
        )
    ),
    "rewriter_system.txt": ({},),
    "rewriter_user.txt": (
        {"question": "How are you?", "thoughts": ["One."], "way_of_thinking": "dry"},
        {"question": "How are you?", "thoughts": ["One.", "Two."], "way_of_thinking": "dry"},
        {"question": "How are you?", "thoughts": ["One."], "way_of_thinking": ""},
    ),
    "tester_system.txt": ({"user": _USER}, {"user": {**_USER, "people": (), "animals": ("a cat",), "interests": ()}}),
    "tester_user.txt": (
        {"history": [], "previous": None, **_TASK},
        {"history": [], "previous": _EXCHANGE, **_TASK},
        {"history": [("How are you?", "Well.")], "previous": _EXCHANGE, **_TASK},
        {"history": [("How are you?", "Well.")], "previous": None, **_TASK},
        {"history": [("How are you?", "Well.")], "previous": None, **_TASK, "instruction": ""},
    ),
    "tool_instructions.txt": tuple(
        {"max_tool_rounds": 3, "tools": "…", "signatures": "…", "schemas": "…", "calls": calls}
        for calls in ("text", "native", "hermes")
    ),
    "tool_results.txt": (
        {"last_round": False, "results": "<tool_result>{}</tool_result>"},
        {"last_round": True, "results": "<tool_result>{}</tool_result>"},
    ),
}

# What stands beside them, and is read by `cast`.
_TABLES = ("users.toml", "facts.toml", "scenarios.toml", "thoughts.toml", "phrases.toml")

PROMPT_FILES = (*_TRIALS, *_TABLES, "grow.txt")
"""The names of all files that a prompt directory can hold."""


class UnusablePromptError(ValueError):
    """A prompt cannot be written: its template fails with the values that it is given."""


class PromptSet:
    """One text for each prompt file, and what they render to.

    Args:
        texts: File name to template source; all of the files.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self._templates = {name: compile_template(text) for name, text in self.texts.items()}

    def render(self, name: str, **values: Any) -> str:
        """Return the prompt `name` with its variables filled in, without white space around it.

        Raises:
            UnusablePromptError: It cannot be rendered with these values.
        """
        try:
            return self._templates[name].render(values).strip()
        except Exception as error:  # a template is a program, and raises what it likes
            raise UnusablePromptError(f"the prompt {name} cannot be written: {error}") from error

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all texts, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def tells_each_message(self) -> bool:
        """Whether the tester is told what each message is to be; else only the first, as by an earlier version."""
        trial = {"history": [(_EXCHANGE["question"], _EXCHANGE["answer"])], "previous": None, **_TASK}
        return _TASK["instruction"] in self.render("tester_user.txt", **trial)

    def to_json(self) -> str:
        """Return all texts as JSON."""
        return json.dumps(self.texts, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PromptSet:
        """Make a prompt set of what `to_json` returned."""
        return cls(json.loads(text))


def load_prompts(directory: Path | None = None) -> PromptSet:
    """Read all prompts.

    Args:
        directory: Where to look first; a file that it lacks is taken from those that come with the program.

    Raises:
        SettingsError: The directory is missing or holds no prompt, or a file cannot be read or is no valid template.
    """
    if directory is not None and not any(os.path.lexists(directory / name) for name in (*PROMPT_FILES, "world")):
        names = ", ".join((*PROMPT_FILES, "world/"))
        raise SettingsError(f"{directory}: no prompts here; a prompt directory holds one or more of {names}")
    paths = {name: path_of_prompt(name, directory) for name in _TRIALS}
    texts = {name: read_text(path, "the prompt", encoding="utf-8") for name, path in paths.items()}
    for name, path in paths.items():
        _try_template(path, name, texts[name], _TRIALS[name])
    return PromptSet(texts)


def load_prompt(name: str, directory: Path | None, trials: Sequence[Mapping[str, Any]]) -> PromptSet:
    """Read one prompt that is of no conversation.

    Args:
        name: Its file.
        directory: Where to look first.
        trials: What it is given, in all cases that there are; it is tried with each.

    Raises:
        SettingsError: It cannot be read, or is no valid template.
    """
    path = path_of_prompt(name, directory)
    text = read_text(path, "the prompt", encoding="utf-8")
    _try_template(path, name, text, trials)
    return PromptSet({name: text})


def _try_template(path: Path, name: str, text: str, trials: Sequence[Mapping[str, Any]]) -> None:
    try:
        prompts = PromptSet({name: text})
        for values in trials:
            prompts.render(name, **values)
    except jinja2.TemplateSyntaxError as error:
        raise SettingsError(f"{path}, line {error.lineno}: {error.message}") from error
    except Exception as error:  # a template is a program, and raises what it likes
        given = ", ".join(trials[0])
        known = f"its variables are {given}" if given else "it has no variables"
        cause = error.__cause__ or error
        raise SettingsError(f"{path}: {str(cause) or type(cause).__name__}; {known}") from error
