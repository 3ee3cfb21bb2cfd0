"""A provider that answers, and is of no use to one conversation after another, is found out.

One refusal says something of its conversation. Several in a row, of different conversations and with no usable answer
between, say that the provider refuses how it is asked: a parameter, a key, a model, a length. It is counted for each
role apart: where one role's answers are good and another's never are, no conversation comes to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from apep_datagen.core.messages import ModelRole

__all__ = ["Streak"]

# At one conversation in ten that fails, so many follow each other once in 100,000.
_MOST_CONVERSATIONS = 5
# At one answer in two that cannot be used, so many follow each other once in a million.
_MOST_ANSWERS = 20


@dataclass(slots=True)
class _Row:
    """What was of no use to one role since its last usable answer."""

    conversations: set[int] = field(default_factory=set)
    answers: int = 0
    verdicts: int = 0


class Streak:
    """What was of no use in a row at one provider, by role."""

    def __init__(self) -> None:
        self._rows: dict[ModelRole, _Row] = {}
        self._proven: set[str] = set()

    def note_use(self, role: ModelRole, model: str) -> None:
        """Take note of an answer that is used."""
        self._proven.add(model)
        self._rows.pop(role, None)

    def note_useless_answer(self, role: ModelRole) -> None:
        """Take note of a refusal, or of an answer that cannot be used."""
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
        return not self.is_proven(model) or row.verdicts >= _MOST_CONVERSATIONS

    def complaint(self, role: ModelRole) -> str | None:
        """Say what is wrong, where the provider is of no use for a role; else None."""
        row = self._row(role)
        if len(row.conversations) >= _MOST_CONVERSATIONS:
            return f"{len(row.conversations)} conversations in a row got no usable answer from it"
        return f"{row.answers} answers in a row were of no use" if row.answers >= _MOST_ANSWERS else None

    def conversations(self) -> set[int]:
        """Return the conversations that failed in a row."""
        return {number for row in self._rows.values() for number in row.conversations}

    def _row(self, role: ModelRole) -> _Row:
        return self._rows.setdefault(role, _Row())
