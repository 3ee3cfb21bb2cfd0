"""Whether Ada ends with a question more often where she has used tools, or less often: a habit that a model copies."""

from __future__ import annotations

from dataclasses import dataclass

from apep_datagen.stats.traits import ends_with_question

__all__ = ["Closings"]


@dataclass(slots=True)
class Closings:
    """How exchanges end.

    Attributes:
        with_tools: Exchanges with a reply in which tools were used.
        asking_with_tools: Of these, how many end with a question.
        without_tools: Exchanges with a reply in which none was used.
        asking_without_tools: Of these, how many end with a question.
    """

    with_tools: int = 0
    asking_with_tools: int = 0
    without_tools: int = 0
    asking_without_tools: int = 0

    def count(self, reply: str, *, with_tools: bool) -> None:
        """Count an exchange by the last reply in it."""
        if with_tools:
            self.with_tools += 1
            self.asking_with_tools += ends_with_question(reply)
        else:
            self.without_tools += 1
            self.asking_without_tools += ends_with_question(reply)

    def add(self, other: Closings) -> None:
        """Count what another one has counted."""
        self.with_tools += other.with_tools
        self.asking_with_tools += other.asking_with_tools
        self.without_tools += other.without_tools
        self.asking_without_tools += other.asking_without_tools
