"""When enough conversations wait for a role, so that nobody begins more for those who serve it to finish.

The slowest role sets the pace of a run whose providers do not all serve every role. Before it, conversations pile up if
the others begin what they can; and it stands still if too few are on their way to it. How many are enough follows from
what happens, without a clock: as many as were served while the last ones were on their way (Little's law), twice over
because ways differ, and a few.

Conversations in their first call wait for nobody yet. They are no more than twice as many as have had theirs answered
in the time that one takes, and a few; so who is fast begins no thousands before the first one comes to who is slow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from apep_datagen.core.messages import ModelRole

__all__ = ["FEW", "Backlog"]

FEW = 8
"""So many may wait for a role, whatever happens."""

_SAFETY = 2
_FORGETTING = 1 / 16


@dataclass(slots=True)
class _Lately:
    """A number as it was lately: it rises at once, and falls slowly."""

    value: float = 0.0

    def note(self, number: int) -> None:
        self.value = max(number, self.value + (number - self.value) * _FORGETTING)

    @property
    def enough(self) -> float:
        return FEW + _SAFETY * self.value


class Backlog:
    """What is on its way to each role."""

    def __init__(self) -> None:
        self._made: Counter[ModelRole] = Counter()
        # For a conversation on its way, how many calls of each role that it has not come to were made when it began.
        self._on_way: dict[int, dict[ModelRole, int]] = {}
        self._made_on_way = {role: _Lately() for role in ModelRole}
        # For one in its first call, how many others have been in theirs before.
        self._in_first_call: dict[int, int] = {}
        self._first_calls = 0
        self._first_calls_meanwhile = _Lately()

    def begin(self, conversation_id: int) -> None:
        """Take note that a conversation begins."""
        self._on_way[conversation_id] = {role: self._made[role] for role in ModelRole}
        self._in_first_call[conversation_id] = self._first_calls

    def make_call(self, role: ModelRole) -> None:
        """Take note that somebody makes a call of a role."""
        self._made[role] += 1

    def come_to(self, conversation_id: int, role: ModelRole) -> None:
        """Take note that a conversation has got an answer, and now waits for a role."""
        self._end_first_call(conversation_id)
        made_before = self._on_way.get(conversation_id, {}).pop(role, None)
        if made_before is not None:
            self._made_on_way[role].note(self._made[role] - made_before)

    def end(self, conversation_id: int) -> None:
        """Take note that a conversation has ended."""
        self._end_first_call(conversation_id)
        self._on_way.pop(conversation_id, None)

    def _end_first_call(self, conversation_id: int) -> None:
        before = self._in_first_call.pop(conversation_id, None)
        if before is not None:
            self._first_calls += 1
            self._first_calls_meanwhile.note(self._first_calls - before)

    def is_enough(self, role: ModelRole, waiting: int) -> bool:
        """Tell whether enough conversations wait for a role."""
        return waiting >= self._made_on_way[role].enough

    def are_many_begun(self) -> bool:
        """Tell whether enough conversations are in their first call."""
        return len(self._in_first_call) >= self._first_calls_meanwhile.enough
