"""A chat template, and what it makes of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2

from apep_datagen.chat_templates.environment import EndlessTemplateError, compiled, rendered
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.words import shorten
from apep_datagen.formats.format import Row

__all__ = ["ChatTemplate", "RefusedError", "Rendered"]

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_LONGEST_REASON = 160
# Under which names the thinking of a message is passed; the first is that which templates read.
_THOUGHT_FIELDS = ("reasoning_content", "thinking", "reasoning")


class RefusedError(ValueError):
    """A template refuses a row; the message is the template's own, in one line."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template made of a row.

    Attributes:
        text: The whole text.
        spans: Where in it what a model is to say begins and ends, by the template's generation tags.
    """

    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template. It renders as `apply_chat_template` of transformers 5.24 does, and can be sent to a process.

    Attributes:
        name: What it is called in messages and reports.
        source: Its text.
        tool_source: The text of another one, for rows with tools, where a tokenizer has two.
        special_tokens: What the tokenizer gives it besides, e.g. `bos_token`.
    """

    name: str
    source: str
    tool_source: str | None = None
    special_tokens: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for source in filter(None, (self.source, self.tool_source)):
            try:
                compiled(source)
            except jinja2.TemplateSyntaxError as error:
                raise SettingsError(f"{self.name}, line {error.lineno}: no chat template: {error.message}") from error

    @property
    def has_generation_tags(self) -> bool:
        """Whether it says what a model is to say, so that a trainer can learn that alone."""
        return _GENERATION.search(self.source) is not None

    def render(self, messages: Sequence[Row], tools: Sequence[Row] | None = None) -> Rendered:
        """Return what a trainer makes of a row.

        Args:
            messages: As `formats.chat.chat_messages` returns them.
            tools: The schemas of the tools, if the row has some.

        Raises:
            RefusedError: The template refuses it, or fails.
            SettingsError: The template does not come to an end.
        """
        source = self.tool_source if self.tool_source is not None and tools else self.source
        variables: dict[str, Any] = {
            **self.special_tokens,
            "messages": [_with_thought_names(message) for message in messages],
            "tools": tools,
            "documents": None,
            "add_generation_prompt": False,
        }
        try:
            return Rendered(*rendered(compiled(source), variables))
        except EndlessTemplateError as error:
            raise SettingsError(f"{self.name}: the chat template cannot be used: {error}") from error
        except Exception as error:  # a template can raise whatever Python can
            words = " ".join(str(error).split()) or type(error).__name__
            raise RefusedError(shorten(words, _LONGEST_REASON)) from error


def _with_thought_names(message: Row) -> Row:
    """Return a message with its thinking under every name by which transformers passes it on."""
    thought = next((message[name] for name in _THOUGHT_FIELDS if message.get(name) is not None), None)
    if thought is None:
        return message
    return {"thinking": thought, **message, "reasoning_content": thought}
