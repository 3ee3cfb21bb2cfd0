"""What is measured of rows: their tokens, and what chat templates leave of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apep_datagen.export.plan import Plan
from apep_datagen.formats.example import Example
from apep_datagen.formats.shape import Shape

__all__ = ["Measuring"]


@dataclass(slots=True)
class Measuring:
    """What was measured; two of them add up."""

    @classmethod
    def of(cls, plan: Plan) -> Measuring:  # noqa: ARG003
        return cls()

    def add(self, other: Measuring) -> None: ...

    def tokens_of(self, example: Example, shape: Shape) -> int:  # noqa: ARG002
        return 0

    def why_not(self, tokens: int) -> str:
        return ""

    def count(self, example: Example, shape: Shape, tokens: int, number: int) -> None: ...

    @property
    def has_findings(self) -> bool:
        return False

    def as_json(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_json(cls, value: Any) -> Measuring:
        return cls()

    def lines(self) -> list[str]:
        return []

    def report(self) -> dict[str, Any]:
        return {}
