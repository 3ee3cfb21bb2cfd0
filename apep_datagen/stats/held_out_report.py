"""What is told of conversations that hold something that is held out for evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apep_datagen.core.words import shorten
from apep_datagen.stats.distribution import most_frequent
from apep_datagen.stats.held_out import HeldOutCount

__all__ = ["describe_held_out", "held_out_as_json"]

_SHOWN, _SHOWN_LENGTH = 3, 50


def held_out_as_json(count: HeldOutCount) -> dict[str, Any]:
    """Return a count for a script.

    Returns:
        `conversations`, how many hold anything that is held out; `most_frequent`, what they hold (a list of `what`,
        e.g. `value: Okafor`, and `conversations`).
    """
    return {
        "conversations": count.conversations,
        "most_frequent": [{"what": what, "conversations": number} for what, number in most_frequent(count.found)],
    }


def describe_held_out(in_texts: HeldOutCount, drawn: HeldOutCount | None, conversations: int) -> Iterable[str]:
    """Yield what is told to a person of a dataset.

    Args:
        in_texts: What stands in its texts.
        drawn: What was drawn for it; None where no state database tells.
        conversations: How many it holds.
    """
    if not conversations:
        return
    lines = []
    if drawn is not None and drawn.conversations:
        lines.append(
            f"{drawn.conversations:,} conversations were drawn from what is held out for evaluation"
            f" ({_examples(drawn)}): by an earlier version, or from tables that hold the same; a model that learns from"
            " them has met what it would be evaluated with"
        )
    elif drawn is not None:
        lines.append(
            "Held out for evaluation: nothing of it was drawn, no kind of fact, value, user, topic or note of a past"
        )
    if in_texts.conversations:
        lines.append(
            f"{in_texts.conversations:,} conversations have something in a message or note that is held out for"
            f" evaluation ({_examples(in_texts)})"
        )
        if drawn is None:
            lines[-1] += "; values a model may have said by itself, notes in the words of the tables hardly"
        elif not drawn.conversations:
            lines[-1] += "; a model said it by itself, or it was there before the run"
    elif drawn is None:
        lines.append("Held out for evaluation: nothing of it stands in a message or note")
    yield "\n".join(lines)


def _examples(count: HeldOutCount) -> str:
    return ", ".join(
        f"{shorten(what, _SHOWN_LENGTH)} {number:,}" for what, number in most_frequent(count.found)[:_SHOWN]
    )
