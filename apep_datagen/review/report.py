"""What came of verdicts that were applied or undone, in words and as JSON."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from apep_datagen.core.spelling import counted
from apep_datagen.core.words import one_line, shorten
from apep_datagen.review.outcome import Applied, Dependent, Moved, Undone, Waiting
from apep_datagen.storage.reviewed import Said, Word

__all__ = [
    "applied_as_json",
    "describe_applied",
    "describe_undone",
    "describe_waiting",
    "undone_as_json",
    "waiting_as_json",
]

_SHOWN = 20
_SHOWN_UNKNOWN = 5
_SHOWN_LENGTH = 120


def applied_as_json(found: Applied) -> dict[str, Any]:
    """Return what came of it for a script.

    Returns:
        `output`; `dry_run`; `waiting`, false; `good`, `bad`, `unsure`, how many verdicts were new; `unchanged`, how
        many were known before; `unknown`, the digests of conversations that are not known; `left` and `back`, what left
        the output and what came back (lists of `number` in the output, that it had or has now, `conversation` in the
        run or null, `user`, `ability`, `reason`, `dependent`); `dependents`, what used what a bad one has stored (a
        list of `number`, `conversation`, `user`, `note`, `source` in the run, `left`, `called_good`); `in_output`.
    """
    words = Counter(said.word for said in found.said)
    return {
        "output": str(found.output),
        "dry_run": found.is_dry_run,
        "waiting": False,
        **{word.value: words[word] for word in Word},
        "unchanged": found.unchanged,
        "unknown": [said.digest for said in found.unknown],
        "left": _moved_as_json(found.left),
        "back": _moved_as_json(found.back),
        "dependents": [
            {
                "number": one.number,
                "conversation": one.conversation_id,
                "user": one.user,
                "note": one.note,
                "source": one.source,
                "left": one.left,
                "called_good": one.is_called_good,
            }
            for one in found.dependents
        ],
        "in_output": found.in_output,
    }


def waiting_as_json(found: Waiting) -> dict[str, Any]:
    """Return for a script that verdicts wait: `output`, `waiting`, true, `path`, `verdicts`, `unknown` as above."""
    return {
        "output": str(found.output),
        "waiting": True,
        "path": str(found.path),
        "verdicts": found.count,
        "unknown": [said.digest for said in found.unknown],
    }


def undone_as_json(found: Undone) -> dict[str, Any]:
    """Return what came of undoing for a script.

    Returns:
        `output`; `undone`, what was (`by`, `source`, `at` in seconds since 1970), or null; `verdicts`; `left` and
        `back` as of `applied_as_json`; `in_output`; `can_be_undone`, how many times more.
    """
    batch = found.batch
    return {
        "output": str(found.output),
        "undone": batch and {"by": batch.name, "source": batch.source, "at": batch.at},
        "verdicts": found.verdicts,
        "left": _moved_as_json(found.left),
        "back": _moved_as_json(found.back),
        "in_output": found.in_output,
        "can_be_undone": found.batches_left,
    }


def describe_applied(found: Applied) -> str:
    """Return what came of it for a person."""
    parts = [_what_was_said(found)]
    if found.unknown:
        parts.append(_describe_unknown(found.unknown))
    if found.left:
        parts.append(_list("Would leave" if found.is_dry_run else "Left the output", found.left))
    if found.back:
        parts.append(_list("Would come back" if found.is_dry_run else "Came back", found.back))
    if found.dependents:
        parts.append(_describe_dependents(found))
    parts.append(_what_was_done(found))
    return "\n\n".join(parts)


def describe_waiting(found: Waiting) -> str:
    """Return for a person that verdicts wait."""
    parts = [_describe_unknown(found.unknown)] if found.unknown else []
    parts.append(
        f"Another apep-datagen is working on {found.output}: {counted(found.count, 'verdict')} of {found.source.name}"
        f" wait beside it, in {found.path}. It takes note of them when its target is reached; where it is stopped"
        " before, the next run does."
    )
    return "\n\n".join(parts)


def describe_undone(found: Undone) -> str:
    """Return what came of undoing for a person."""
    if found.batch is None:
        return f"Nothing to undo: no verdict on {found.output} was applied, or all of them are undone."
    at = datetime.datetime.fromtimestamp(found.batch.at).astimezone()
    what = f"{counted(found.verdicts, 'verdict')} of {found.batch.name}, from {found.batch.source}"
    parts = [f"No longer counted: {what}, applied {at:%Y-%m-%d %H:%M}."]
    if found.back:
        parts.append(_list("Came back", found.back))
    if found.left:
        parts.append(_list("Left the output", found.left))
    more = f" {counted(found.batches_left, 'earlier application')} can be undone." if found.batches_left else ""
    parts.append(f"{found.output} holds {found.in_output:,} conversations.{more}")
    return "\n\n".join(parts)


def _what_was_said(found: Applied) -> str:
    words = Counter(said.word for said in found.said)
    if not found.said and not found.unchanged and not found.unknown:
        return f"{found.source} holds no verdict."
    new = ", ".join(f"{words[word]:,} {word.value}" for word in Word)
    known = f"; {counted(found.unchanged, 'verdict')} had been applied before" if found.unchanged else ""
    return f"{counted(len(found.said), 'new verdict')}: {new}{known}."


def _describe_unknown(unknown: Sequence[Said]) -> str:
    shown = ", ".join(said.digest for said in unknown[:_SHOWN_UNKNOWN])
    more = ", …" if len(unknown) > _SHOWN_UNKNOWN else ""
    return (
        f"{counted(len(unknown), 'verdict')} about conversations that this output does not know, such as where their"
        f" text has changed since: left out ({shown}{more})."
    )


def _describe_dependents(found: Applied) -> str:
    lines = ["Used what a bad one has stored, or what such a one has stored:"]
    lines += [_describe_dependent(one) for one in found.dependents[:_SHOWN]]
    if (more := len(found.dependents) - _SHOWN) > 0:
        lines.append(f"… and {more:,} more (see --json)")
    if any(not one.left and not one.is_called_good for one in found.dependents):
        lines.append("They stay; with --with-dependents, they leave as well.")
    return "\n".join(lines)


def _describe_dependent(one: Dependent) -> str:
    note = shorten(one_line(one.note), _SHOWN_LENGTH)
    what = " (left)" if one.left else " (stays: called good)" if one.is_called_good else ""
    of = f" of {one.user}" if one.user else ""
    return f"- {one.number}{of}{what}: conversation {one.source} of the run has stored “{note}”"


def _what_was_done(found: Applied) -> str:
    if found.is_dry_run:
        return (
            f"Nothing was changed (--dry-run). Without it, {found.output} would hold"
            f" {counted(found.in_output, 'conversation')}."
        )
    line = f"{found.output} holds {counted(found.in_output, 'conversation')}."
    return (
        f"{line} The next run makes others for what left; apep-datagen review undo takes all of it back."
        if (found.left)
        else line
    )


def _list(title: str, moved: Sequence[Moved]) -> str:
    lines = [f"{title} ({len(moved):,}), by the number in the output:", *map(_describe_moved, moved[:_SHOWN])]
    if (more := len(moved) - _SHOWN) > 0:
        lines.append(f"… and {more:,} more (see --json)")
    return "\n".join(lines)


def _describe_moved(one: Moved) -> str:
    of = ", ".join(filter(None, (one.user, one.ability)))
    line = f"- {one.number}" + (f" ({of})" if of else "")
    return line + (f": {one.reason}" if one.reason else "")


def _moved_as_json(moved: Iterable[Moved]) -> list[dict[str, Any]]:
    return [
        {
            "number": one.number,
            "conversation": one.conversation_id,
            "user": one.user,
            "ability": one.ability,
            "reason": one.reason,
            "dependent": one.is_dependent,
        }
        for one in moved
    ]
