"""What is measured of rows: their tokens, and what chat templates leave of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from apep_datagen.chat_templates.check import CheckedRow, RowCheck
from apep_datagen.chat_templates.known import load_template
from apep_datagen.chat_templates.tally import TRL_DEFAULT_MAX_LENGTH, CheckTally, describe_check
from apep_datagen.chat_templates.tokens import TokenCounter
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.tools import tool_schemas
from apep_datagen.export.plan import Plan
from apep_datagen.formats.chat import chat_messages
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Format
from apep_datagen.formats.shape import Shape

__all__ = ["Measured", "MeasuredRow", "Measuring", "why_not"]

_TEMPLATE_OF_NONE = "chatml"
"""With which tokens are counted where no template is named, or all of them refuse a row."""


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """What was measured of a row.

    Attributes:
        checked: What each template makes of it; where none is named, and tokens are counted, that of ChatML alone.
        tokens: The most that a template makes of it; None where nobody counts.
    """

    checked: tuple[CheckedRow, ...] = ()
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Measuring:
    """Measures rows; it can be sent to a process.

    Attributes:
        checks: The templates that rows are checked with.
        length: What counts the tokens of those that no template renders; None where nobody counts.
    """

    checks: tuple[RowCheck, ...] = ()
    length: RowCheck | None = None

    @classmethod
    def of(cls, plan: Plan) -> Measuring:
        """Return what measures the rows of a plan.

        Raises:
            SettingsError: A template or the tokenizer cannot be used, or there is none to count tokens with.
        """
        counter = TokenCounter(plan.tokenizer) if plan.tokenizer else None
        if counter is None and (plan.max_tokens is not None or plan.selection.counts_tokens):
            raise SettingsError(
                "tokens are counted by the tokenizer of your model: name its tokenizer.json with --tokenizer"
            )
        checks = tuple(RowCheck(load_template(name), counter) for name in plan.templates)
        length = RowCheck(load_template(_TEMPLATE_OF_NONE), counter) if counter else None
        return cls(checks, length)

    @property
    def used(self) -> tuple[RowCheck, ...]:
        """The templates with which every row is measured."""
        return self.checks or ((self.length,) if self.length else ())

    def measure(self, example: Example, form: Format, shape: Shape) -> MeasuredRow:
        """Return what each template makes of an example.

        Args:
            example: What a row teaches.
            form: The row's form.
            shape: Its shape.

        Raises:
            CannotHoldError: Its calls cannot be fields, as the shape has them.
        """
        if not self.used:
            return MeasuredRow()
        messages = chat_messages(example, shape, thoughts=form.thoughts)
        tools = tool_schemas() if shape.calls == "native" else None
        checked = tuple(check.check(messages, tools, example) for check in self.used)
        tokens = max((each.tokens for each in checked if each.tokens is not None), default=None)
        if tokens is None and self.length:
            tokens = self.length.check(messages, tools, example).tokens
        return MeasuredRow(checked, tokens)


@dataclass(slots=True)
class Measured:
    """What was measured of many rows; two of them add up.

    Attributes:
        checks: What came of each template, in the order of the plan.
    """

    checks: list[CheckTally] = field(default_factory=list)

    def count(self, measuring: Measuring, row: MeasuredRow, number: int) -> None:
        """Count a row that was written; `number` is that of the conversation in the file that it comes of."""
        if not self.checks:
            self.checks = [CheckTally(check.template.name) for check in measuring.used]
        for tally, each in zip(self.checks, row.checked, strict=True):
            tally.count(each, number)

    def add(self, other: Measured) -> None:
        """Count what another one has counted, of rows behind these."""
        if not self.checks:
            self.checks = [CheckTally(tally.template) for tally in other.checks]
        for mine, tally in zip(self.checks, other.checks, strict=False):
            mine.add(tally)

    @property
    def has_silent_loss(self) -> bool:
        """Whether a template leaves something out of which no trainer says a word."""
        return any(tally.has_silent_loss for tally in self.checks)

    @property
    def has_refusal_of_all(self) -> bool:
        """Whether a template refused every row."""
        return any(tally.refuses_all for tally in self.checks)

    def lines(self, *, is_checked: bool, limit: int | None) -> list[str]:
        """Return what was measured for a person.

        Args:
            is_checked: Whether templates were to be checked, and not tokens counted alone.
            limit: It is told how many rows have more tokens; None for where trainers cut by default.
        """
        lines = []
        for tally in self.checks:
            described = describe_check(tally, limit or TRL_DEFAULT_MAX_LENGTH)
            lines += described if is_checked else described[-1:]
        return lines

    def report(self, *, limit: int | None) -> list[dict[str, Any]]:
        """Return what was measured for a script; arguments as above."""
        return [tally.as_json(limit or TRL_DEFAULT_MAX_LENGTH) for tally in self.checks]

    def as_json(self) -> Any:
        """Return what was counted, as JSON."""
        return _tallies().dump_python(self.checks, mode="json")

    @classmethod
    def from_json(cls, value: Any) -> Measured:
        """Return what `as_json` returned.

        Raises:
            ValueError: It is something else.
        """
        return cls(_tallies().validate_python(value))


def why_not(plan: Plan, tokens: int | None) -> str:
    """Return why a row of so many tokens is left out; empty where it is not, or nobody counts."""
    if tokens is None:
        return ""
    if plan.max_tokens is not None and tokens > plan.max_tokens:
        return f"longer than {plan.max_tokens:,} tokens (--max-tokens)"
    if not plan.selection.takes_tokens(tokens):
        return "not selected by its number of tokens (--include, --exclude)"
    return ""


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _tallies() -> TypeAdapter[list[CheckTally]]:
    return TypeAdapter(list[CheckTally])
