"""Checking a row: rendered with a chat template, what is left of it, and how many tokens it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from apep_datagen.chat_templates.kept import Findings, what_is_kept
from apep_datagen.chat_templates.marks import mark
from apep_datagen.chat_templates.template import ChatTemplate, RefusedError
from apep_datagen.chat_templates.tokens import TokenCounter
from apep_datagen.formats.example import NOTHING, Counts, Example, count
from apep_datagen.formats.format import Row

__all__ = ["CheckedRow", "RowCheck"]


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """What came of rendering a row.

    Attributes:
        before: What its new messages hold.
        after: What of it is in the rendered text; nothing where the template refuses the row.
        refused: Why the template refuses it, in its own words; None where it does not.
        findings: How many of each kind have something wrong with them.
        is_unclear: Whether the template did something else because of the marks, so that nobody knows what it keeps.
        tokens: How many tokens the text is; None where nobody counts, and where there is none.
    """

    before: Counts
    after: Counts = NOTHING
    refused: str | None = None
    findings: Findings = field(default_factory=dict)
    is_unclear: bool = False
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Checks rows with a template; it can be sent to a process.

    Attributes:
        template: What renders them.
        counter: What counts their tokens; None where nobody does.
    """

    template: ChatTemplate
    counter: TokenCounter | None = None

    def check(self, messages: Sequence[Row], tools: Sequence[Row] | None, example: Example) -> CheckedRow:
        """Return what the template makes of a row.

        Args:
            messages: As `formats.chat.chat_messages` makes them of the example.
            tools: The schemas of the tools, if the row has some.
            example: What the row teaches.

        Raises:
            SettingsError: The template does not come to an end.
        """
        template = self.template
        before = count(example.new)
        try:
            rendered = template.render(messages, tools)
        except RefusedError as error:
            return CheckedRow(before, refused=str(error))
        tokens = None if self.counter is None else self.counter.count(rendered.text)
        marked = mark(messages, example, template.source)
        try:
            again = template.render(marked.messages, tools)
        except RefusedError:  # it does not refuse the row itself, so nothing is known of what it keeps
            return CheckedRow(before, is_unclear=True, tokens=tokens)
        kept = what_is_kept(marked, again, has_generation_tags=template.has_generation_tags)
        is_unclear = marked.without_marks(again.text) != rendered.text
        return CheckedRow(before, kept.counts, findings=kept.findings, is_unclear=is_unclear, tokens=tokens)
