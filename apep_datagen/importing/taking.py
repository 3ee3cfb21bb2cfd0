"""A dataset taken into an output: each row understood or refused, exchanges joined, and counted before and after."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from apep_datagen.core.sample_json import parse_messages, sample_line
from apep_datagen.formats.example import Example, count
from apep_datagen.formats.format import Format
from apep_datagen.importing.joining import Joined, joined
from apep_datagen.importing.outcome import Imported
from apep_datagen.importing.prompts import Section, put_back, read_sections, teaches_text_form
from apep_datagen.importing.rows import NotTakenError, read_rows
from apep_datagen.importing.source import Source
from apep_datagen.importing.understanding import understand
from apep_datagen.storage.addition import Addition, adding_to, looking_at
from apep_datagen.storage.known_conversations import KnownConversations

__all__ = ["take"]


def take(
    source: Source, output: Path, *, form: Format | None, is_dry_run: bool, notify: Callable[[str], None]
) -> Imported:
    """Take a dataset into an output: whole, or nothing where an error is raised.

    Args:
        source: The dataset.
        output: The output; it is made if it is missing. What it holds already is not taken again.
        form: Of which form all rows are; None to find that out, row by row.
        is_dry_run: Whether to write nothing, and tell what would be.
        notify: Is told, in a sentence, what was found in the output and mended.

    Raises:
        StorageError: The dataset cannot be read, or the output cannot be used. The output is as it was.
    """
    found = Imported(source.path, output, is_dry_run)
    sections = read_sections(source.report)
    with contextlib.closing(KnownConversations()) as known:
        opening = looking_at(output, known) if is_dry_run else adding_to(output, known, notify)
        with opening as addition:
            for conversation in joined(_examples(source, form, found)):
                _take(conversation, sections, known, addition, found)
            found.added, found.in_output = addition.added, addition.count
    return found


def _examples(source: Source, form: Format | None, found: Imported) -> Iterator[tuple[str, Example]]:
    """Yield what each row says that can be understood, with its place."""
    for read in read_rows(source):
        found.rows += 1
        try:
            understood = understand(read.checked(), form)
        except NotTakenError as error:
            found.refuse(read.place, str(error))
            continue
        found.forms.add(understood.form)
        for column in understood.columns:
            found.columns.add(column)
        found.mended += understood.is_mended
        for example in understood.examples:
            yield read.place, example


def _take(
    conversation: Joined,
    sections: tuple[Section, ...],
    known: KnownConversations,
    addition: Addition,
    found: Imported,
) -> None:
    messages = put_back(conversation.messages, sections)
    line = sample_line(messages)
    found.conversations += 1
    found.before += conversation.counts
    found.after += count(parse_messages(line.encode()) or ())
    found.context_alone += conversation.has_context_alone
    found.prompts_put_back += messages != conversation.messages
    if messages[0].role != "system":
        found.without_prompt += 1
    elif not teaches_text_form(messages):
        found.without_text_form += 1
    if known.learn(messages):
        addition.add(line)
