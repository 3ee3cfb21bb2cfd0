"""A provider that answers, and is of no use to one conversation after another, is found out.

One refusal says something of its conversation. Several in a row, of different conversations and with no usable answer
between, say that the provider refuses how it is asked: a parameter, a key, a model, a length. It is counted for each
role apart: where one role's answers are good and another's never are, no conversation comes to its end.

How many are too many depends on how often it failed before: a model that refuses two conversations in five refuses five
in a row every now and then, and goes on; one that hardly ever did has changed.

A refusal comes at once and an answer takes its time, so where many requests are under way, the few that are refused end
first, whatever becomes of the others. These are waited for as long as they are many more than those that failed.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from apep_datagen.core.messages import ModelRole

__all__ = ["Streak"]

# At one conversation in sixteen that fails, so many follow each other once in a million; where more fail, more of them.
_MOST_CONVERSATIONS = 5
_CHANCE = 1e-6
# At one answer in two that cannot be used, so many follow each other once in a million.
_MOST_ANSWERS = 20
# Where one request in ten fails, nine times as many are under way when the first ones have failed. Where all fail, a
# third more of them than are under way anyway is sent until that is known.
_UNDER_WAY_FOR_EACH_FAILURE = 3
# A conversation fails with its third useless answer, and some models answer the same every time.
_ANSWERS_A_CONVERSATION = 3
# What fails so often is left to the yield to judge.
_LARGEST_SHARE = 0.7


@dataclass(slots=True)
class _Row:
    """What was of no use to one role since its last usable answer."""

    conversations: set[int] = field(default_factory=set)
    answers: int = 0
    verdicts: int = 0


class Streak:
    """What was of no use in a row at one provider, by role.

    Attributes:
        under_way: How many requests of each role are.
    """

    def __init__(self) -> None:
        self.under_way: Counter[ModelRole] = Counter()
        self._rows: dict[ModelRole, _Row] = {}
        self._proven: set[str] = set()
        self._used: Counter[ModelRole] = Counter()
        self._failed: Counter[ModelRole] = Counter()

    def note_use(self, role: ModelRole, model: str) -> None:
        """Take note of an answer that is used."""
        self._proven.add(model)
        self._used[role] += 1
        self._failed[role] += len(self._rows.pop(role, _Row()).conversations)

    def note_useless_answer(self, role: ModelRole) -> None:
        """Take note of an answer that cannot be used."""
        self._row(role).answers += 1

    def note_failure(self, role: ModelRole, conversation_id: int) -> None:
        """Take note that a conversation was refused, or failed for good; the same one counts once."""
        self._row(role).conversations.add(conversation_id)

    def is_proven(self, model: str) -> bool:
        """Tell whether an answer of this model was used."""
        return model in self._proven

    def believe_verdict(self, role: ModelRole, model: str) -> bool:
        """Take note that the provider says that it cannot be used, of its key, say, or its model; tell if it is true.

        Where it worked before, one such answer can be a slip, of a gateway perhaps; where it never did, it is believed.
        """
        row = self._row(role)
        row.verdicts += 1
        return not self.is_proven(model) or self._are_many(role, row.verdicts, _MOST_CONVERSATIONS)

    def complaint(self, role: ModelRole) -> str | None:
        """Say what is wrong, where the provider is of no use for a role; else None."""
        row, most = self._row(role), self._most_conversations(role)
        if self._are_many(role, len(row.conversations), most):
            return f"{len(row.conversations)} conversations in a row got no usable answer from it"
        if self._are_many(role, row.answers, max(_MOST_ANSWERS, _ANSWERS_A_CONVERSATION * most)):
            return f"{row.answers} answers in a row were of no use"
        return None

    def is_in_doubt(self) -> bool:
        """Tell whether it is open if the provider is of use: a conversation has failed since the last usable answer."""
        return any(row.conversations for row in self._rows.values())

    def fails_alone(self, role: ModelRole, conversation_id: int) -> bool:
        """Tell whether no other conversation has failed since the last usable answer."""
        return self._row(role).conversations <= {conversation_id}

    def conversations(self) -> set[int]:
        """Return the conversations that failed in a row."""
        return {number for row in self._rows.values() for number in row.conversations}

    def _are_many(self, role: ModelRole, failures: int, most: int) -> bool:
        return failures >= most and self.under_way[role] <= _UNDER_WAY_FOR_EACH_FAILURE * failures

    def _most_conversations(self, role: ModelRole) -> int:
        """Return how many in a row are too many, going by the share that failed before this row."""
        used, failed = self._used[role], self._failed[role]
        if not used:
            return _MOST_CONVERSATIONS
        share = min(_LARGEST_SHARE, (failed + 0.5) / (used + failed + 1))
        return max(_MOST_CONVERSATIONS, math.ceil(math.log(_CHANCE) / math.log(share)))

    def _row(self, role: ModelRole) -> _Row:
        return self._rows.setdefault(role, _Row())
