"""Which accepted conversations are in the output, and at which place."""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_digest, parse_messages
from apep_datagen.storage.checked import integer
from apep_datagen.storage.output_reader import read_elements

__all__ = ["InOutput"]


class InOutput:
    """Tells where accepted conversations are in the output, asked for one after the other in the order of positions.

    What was written behind the base is there. What is among the base, which another hand has changed since it was
    written, is found by its content: there may be less of it, and more.

    Args:
        connection: The state database.
        output: The output.

    Attributes:
        base_count: How many conversations the base has.
        base_position: Samples up to here are among them, or were removed.
        samples: How many accepted conversations there are.
    """

    def __init__(self, connection: sqlite3.Connection, output: Path) -> None:
        run = connection.execute("SELECT base_count, base_position FROM run").fetchone()
        self.base_count, self.base_position = map(integer, run)
        (self.samples,) = map(integer, connection.execute("SELECT count(*) FROM samples").fetchone())
        self._places: dict[bytes, deque[int]] = defaultdict(deque)
        if self.base_count and self.base_position:
            for number, (_, element) in enumerate(islice(read_elements(output), self.base_count), start=1):
                if messages := parse_messages(element):
                    self._places[messages_digest(messages)].append(number)

    def count(self) -> int:
        """Return how many conversations the output holds."""
        return self.base_count + self.samples - self.base_position

    def number(self, position: int, messages: Sequence[Message]) -> int | None:
        """Return the number in the output, from 1, of a sample; None where it is not there as it was written."""
        if position > self.base_position:
            return self.base_count + position - self.base_position
        places = self._places.get(messages_digest(messages))
        return places.popleft() if places else None
