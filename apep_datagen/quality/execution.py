"""Second stage: the saved calls, executed again, give the saved results; and errors were dealt with."""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.core.tools import Note, Notes, run_call
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample

__all__ = ["ReplayedNotebook", "check", "replay_calls"]


class _ReplayedShelf:
    """Notes of one kind, in memory."""

    def __init__(self, notes: Sequence[Note], date: str) -> None:
        self._notes = [(note.date, note.text) for note in notes]
        self._date = date

    def add(self, texts: Sequence[str]) -> list[int]:
        self._notes += [(self._date, text) for text in texts]
        return list(range(len(self._notes) - len(texts) + 1, len(self._notes) + 1))

    def notes(self) -> list[Note]:
        return [Note(index, date, text) for index, (date, text) in enumerate(self._notes, start=1)]

    def delete(self, indices: Sequence[int]) -> None:
        gone = set(indices)
        self._notes = [note for index, note in enumerate(self._notes, start=1) if index not in gone]


class ReplayedNotebook:
    """Memory and diary in memory, on which calls are executed again.

    Args:
        notes: What is in them at first.
        date: ISO date that new notes carry.
    """

    def __init__(self, notes: Notes, date: str) -> None:
        self.memory = _ReplayedShelf(notes.memory, date)
        self.diary = _ReplayedShelf(notes.diary, date)

    def notes(self) -> Notes:
        """Return what is in them now."""
        return Notes(tuple(self.memory.notes()), tuple(self.diary.notes()))


def replay_calls(sample: Sample, before: Notes, date: str) -> tuple[Problem | None, Notes]:
    """Execute the saved calls again.

    Args:
        sample: The conversation.
        before: Memory and diary before it.
        date: The day on which it takes place, as an ISO date.

    Returns:
        What is wrong with the saved results, or None; and memory and diary after the calls.
    """
    notebook = ReplayedNotebook(before, date)
    problem = None
    for exchange in sample.exchanges:
        for turn in exchange.turns:
            for call, saved in zip(turn.calls, turn.results, strict=True):
                result = run_call(call, notebook)
                if result != saved and problem is None:
                    detail = f"{call.name if hasattr(call, 'name') else call.text}: saved {saved}, replayed {result}"
                    problem = Problem(Stage.EXECUTION, "a saved tool result is not what the call gives", detail)
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
            if isinstance(result, dict) and "error" in result:
                return Problem(Stage.EXECUTION, "a call failed, and was not made again rightly", str(result["error"]))
    return None
