"""What came of an import, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.importing.outcome import Imported, NotTaken
from apep_datagen.terminal.tables import table

__all__ = ["describe_import", "import_as_json"]


def import_as_json(found: Imported) -> dict[str, Any]:
    """Return what came of it for a script.

    Returns:
        `source`; `output`; `dry_run`; `rows` read; `forms` (an object: rows by form); `conversations` that were taken;
        `added` of them, and `there_already`, the others; `in_output`, conversations that the output holds now, or would
        hold; `before` and `after` (`messages`, `thoughts`, `calls`, `results`); `not_taken` (a list of `reason`,
        `count` and `places`, the first of them); `columns` that have no place in a conversation (an object: rows by
        name); `mended`, rows in which characters that cannot be stored, or line ends, were replaced; `context_alone`,
        conversations with an answer that was not to be learnt; `prompts_put_back`, `without_prompt` and
        `without_text_form`, conversations.
    """
    return {
        "source": str(found.source),
        "output": str(found.output),
        "dry_run": found.is_dry_run,
        "rows": found.rows,
        "forms": dict(found.forms.counts.most_common()),
        "conversations": found.conversations,
        "added": found.added,
        "there_already": found.there_already,
        "in_output": found.in_output,
        "before": asdict(found.before),
        "after": asdict(found.after),
        "not_taken": [asdict(reason) for reason in found.not_taken],
        "columns": dict(found.columns.counts.most_common()),
        "mended": found.mended,
        "context_alone": found.context_alone,
        "prompts_put_back": found.prompts_put_back,
        "without_prompt": found.without_prompt,
        "without_text_form": found.without_text_form,
    }


def describe_import(found: Imported) -> str:
    """Return what came of it for a person."""
    forms = ", ".join(f"{name} ({number:,})" for name, number in found.forms.counts.most_common())
    parts = [f"{found.rows:,} rows of {found.source} were read" + (f", as {forms}." if forms else ".")]
    if found.conversations:
        before, after = asdict(found.before), asdict(found.after)
        rows = [[kind, spell_count(before[kind]), spell_count(after[kind])] for kind in before]
        parts.append(table(["", "in the rows", "taken"], rows))
    if not_taken := found.not_taken:
        parts.append("Not taken:\n" + _list_not_taken(not_taken))
    if notes := _notes(found):
        parts.append("\n".join(f"- {note}" for note in notes))
    parts.append(_what_was_done(found))
    return "\n\n".join(parts)


def _list_not_taken(not_taken: list[NotTaken]) -> str:
    rows = [[reason.reason, ", ".join(reason.places), spell_count(reason.count)] for reason in not_taken]
    return table(["reason", "such as rows", "count"], rows, left=2)


def _notes(found: Imported) -> list[str]:
    notes = []
    if found.before != found.after:
        notes.append("What was taken is not what the rows hold: please report it as a mistake of this program")
    if found.mended:
        notes.append(
            f"{found.mended:,} rows hold characters that cannot be stored, or line ends with a carriage return: U+FFFD"
            " stands for the former, a line feed for the latter"
        )
    if found.context_alone:
        notes.append(
            f"{found.context_alone:,} conversations have answers that are not to be learnt: their rows have them in a"
            " prompt, or mark them so (weight, train, loss). In the output they are answers like all others"
        )
    if columns := found.columns.counts:
        names = ", ".join(f"{name} ({number:,})" for name, number in columns.most_common())
        notes.append(f"Columns that have no place in a conversation were left out: {names}")
    if found.prompts_put_back:
        notes.append(
            f"{found.prompts_put_back:,} conversations have the instructions of their tools as text again, by the"
            " report beside the rows"
        )
    if found.without_prompt:
        notes.append(f"{found.without_prompt:,} conversations have no system prompt")
    if found.without_text_form:
        notes.append(
            f"{found.without_text_form:,} conversations have a system prompt that does not show how calls are written"
            " as text"
        )
    return notes


def _what_was_done(found: Imported) -> str:
    would = found.is_dry_run
    there = f"; {found.there_already:,} are there already" if found.there_already else ""
    return (
        ("Nothing was changed (--dry-run). " if would else "")
        + f"{found.added:,} conversations {'would be' if would else 'were'} added{there}. {found.output}"
        f" {'would hold' if would else 'holds'} {found.in_output:,}."
    )
