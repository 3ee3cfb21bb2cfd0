"""A look at a run that is watched: as a page, as a line, and as JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from apep_datagen.config.settings import Settings
from apep_datagen.core.spelling import spell_duration, spell_rate
from apep_datagen.inspect.status import RunStatus
from apep_datagen.inspect.status_report import describe_status_on_screen, status_as_json
from apep_datagen.inspect.watching import Look, Phase
from apep_datagen.storage.verdicts import SET_ASIDE

__all__ = ["describe_end", "describe_look", "look_as_json", "spell_look", "without_time"]


def describe_look(look: Look, settings: Settings, now: float) -> str:
    """Return a page, the most important of it first; `now` in seconds since 1970."""
    lines = []
    if look.phase is Phase.WAITING:
        lines.append("Waiting for a run to begin.")
    if look.problem:
        lines.append(_spell_problem(look))
    if look.status is not None:
        lines.append(describe_status_on_screen(look.status, settings, now))
    return "\n".join(lines)


def describe_end(status: RunStatus) -> str:
    """Return what is said when a run has ended."""
    if status.missing:
        return (
            f"The run has ended, {status.missing:,} conversations before its target; the same command goes on with it."
        )
    return "The run has ended."


def spell_look(look: Look) -> str:
    """Return a line."""
    parts = []
    match look.phase:
        case Phase.WAITING:
            parts.append("Waiting for a run to begin")
        case Phase.ENDED:
            parts.append("The run has ended")
        case Phase.RUNNING:
            pass
    if look.problem:
        parts.append(_spell_problem(look))
    if look.status is not None:
        parts.append(_spell_status(look.status))
    return "; ".join(parts)


def _spell_problem(look: Look) -> str:
    return look.problem if look.status is None else f"What follows was so before; now it cannot be read: {look.problem}"


def _spell_status(status: RunStatus) -> str:
    target = "" if status.target is None else f" of {status.target:,}"
    rejected = sum(item.count for item in status.verdicts if item.stage not in ("", SET_ASIDE))
    set_aside = sum(item.count for item in status.set_aside)
    line = (
        f"{status.done:,}{target} conversations, {status.in_progress:,} in progress, {rejected:,} rejected,"
        f" {set_aside:,} set aside"
    )
    pace = status.conversations_per_hour
    if status.active is not False and pace is not None and status.seconds_left:
        line += f"; {spell_rate(pace)} conversations/hour, {spell_duration(status.seconds_left)} left"
    return line


def look_as_json(look: Look, output: Path, settings: Settings) -> dict[str, Any]:
    """Return a look for a script.

    Returns:
        `phase`: `waiting`, `running` or `ended`; `problem`: why the status cannot be read now, or null; and all that
        `status_as_json` says, as it was last read; `output` alone where it never could be.
    """
    status = {"output": str(output)} if look.status is None else status_as_json(look.status, settings)
    return {"phase": look.phase.value, "problem": look.problem or None, **status}


def without_time(look: Look) -> Look:
    """Return a look without what is another at every look: so two of them are equal where nothing has happened."""
    status = look.status
    return look if status is None else replace(look, status=replace(status, conversations_per_hour=None))
