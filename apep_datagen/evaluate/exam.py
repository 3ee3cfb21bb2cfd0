"""What is asked of a model: all of it follows from an `Exam`, so two models that are given the same can be compared."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["WRITTEN", "Exam"]

WRITTEN = "written"
"""The tester whose messages are written beforehand, from tables."""


@dataclass(frozen=True, slots=True)
class Exam:
    """What is asked of a model.

    Each user talks with Ada on some days, in one conversation a day, and does so as often as there are tries: from the
    same memory, with the same things to tell and to ask, and nothing in common otherwise.

    Attributes:
        seed: Everything drawn follows from this.
        users: How many users there are.
        days: How many conversations a user has in one try.
        tries: How often each user begins anew.
        max_tool_rounds: How often Ada may use tools in an exchange.
        tester: Who writes what the user says: `WRITTEN`, or a model's name.
    """

    seed: int
    users: int
    days: int = 12
    tries: int = 1
    max_tool_rounds: int = 3
    tester: str = WRITTEN

    @property
    def timelines(self) -> int:
        """How many timelines there are: one for each user and try."""
        return self.users * self.tries

    @property
    def conversations(self) -> int:
        """How many conversations there are in all."""
        return self.timelines * self.days

    def place_of(self, timeline_id: int) -> tuple[int, int]:
        """Return the user and the try of a timeline; all three are counted from 1."""
        user, number_of_try = divmod(timeline_id - 1, self.tries)
        return user + 1, number_of_try + 1

    def timeline_of(self, user: int, number_of_try: int) -> int:
        """Return the timeline of a user and a try; all three are counted from 1."""
        return (user - 1) * self.tries + number_of_try

    def as_dict(self) -> dict[str, int | str]:
        """Return it as values of JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any) -> Exam:
        """Read what `as_dict` returned.

        Raises:
            ValueError: It is something else.
        """
        kinds = {name: str if name == "tester" else int for name in cls.__slots__}
        if not isinstance(value, dict) or value.keys() != kinds.keys():
            raise ValueError(f"an exam has {', '.join(kinds)}")
        for name, kind in kinds.items():
            if type(value[name]) is not kind:
                raise ValueError(f"{name} of an exam is of another kind")
            if name not in {"seed", "tester"} and value[name] < 1:
                raise ValueError(f"{name} of an exam is at least 1")
        return cls(**value)

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_dict())

    @classmethod
    def from_json(cls, text: str) -> Exam:
        """Read what `to_json` returned; errors as for `from_dict`."""
        return cls.from_dict(json.loads(text))
