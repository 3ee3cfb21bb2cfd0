"""The stage `execution`: the saved calls, executed again, give the saved results; and errors were dealt with."""

from __future__ import annotations

from apep_datagen.core.markup import is_error
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.tools import run_call
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample

__all__ = ["WRONG_RESULT", "check", "replay_calls"]

WRONG_RESULT = "a saved tool result is not what the call gives"


def replay_calls(sample: Sample, before: Notes, date: str) -> tuple[Problem | None, Notes]:
    """Execute the saved calls again.

    Args:
        sample: The conversation.
        before: Memory and diary before it.
        date: The day on which it takes place, as an ISO date.

    Returns:
        What is wrong with the saved results, or None; and memory and diary after the calls.
    """
    notebook = Notebook.holding(before, date=date)
    problem = None
    for exchange in sample.exchanges:
        for turn in exchange.turns:
            for call, saved in zip(turn.calls, turn.results, strict=True):
                result = run_call(call, notebook)
                if result != saved and problem is None:
                    detail = f"{call.label}: saved {saved}, replayed {result}"
                    problem = Problem(Stage.EXECUTION, WRONG_RESULT, detail)
    return problem, notebook.notes()


def check(sample: Sample, before: Notes, after: Notes, date: str) -> Problem | None:
    """Check a conversation by executing its calls again.

    Args:
        sample: The conversation, as it is saved.
        before: Memory and diary before it, as recorded.
        after: Memory and diary after it, as recorded.
        date: The day on which it takes place, as an ISO date.
    """
    problem, replayed = replay_calls(sample, before, date)
    if problem is None and replayed != after:
        problem = Problem(Stage.EXECUTION, "the calls do not lead to the recorded memory and diary")
    return problem or _unmended_error(sample)


def _unmended_error(sample: Sample) -> Problem | None:
    """Find an error that Ada left as it was: one in her last round of calls."""
    for exchange in sample.exchanges:
        rounds = [turn for turn in exchange.turns if turn.calls]
        for result in rounds[-1].results if rounds else ():
            if is_error(result):
                return Problem(Stage.EXECUTION, "a call failed, and was not made again rightly", str(result["error"]))
    return None
