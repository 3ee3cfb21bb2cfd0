"""Answers to many requests at a time: whoever comes joins those that are being answered, token by token.

Nothing here needs PyTorch: what computes is a `Generator`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Answer", "Batcher", "Generator", "Prompt", "TooLongError", "most_in_common"]


class TooLongError(Exception):
    """A prompt leaves no room for an answer."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked.

    Attributes:
        tokens: All that stands before the answer.
        most: So many tokens an answer has at most.
        temperature: Of sampling; 0 takes the likeliest token.
        seed: Of sampling.
    """

    tokens: tuple[int, ...]
    most: int
    temperature: float
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    Attributes:
        tokens: Without the one that ends it.
        is_whole: Whether the model ended it; else its limit did.
    """

    tokens: tuple[int, ...]
    is_whole: bool


class Generator(Protocol):
    """What computes. Its places are numbered from 0; each is free or works on a prompt."""

    places: int

    def start(self, place: int, prompt: Prompt) -> None:
        """Read a prompt in a free place.

        Raises:
            TooLongError: It leaves no room for an answer.
        """

    def step(self, places: Sequence[int]) -> dict[int, Answer]:
        """Write a token further in each of these places; return the answers that are finished by it."""

    def best_place(self, free: Sequence[int], prompt: Prompt) -> int:
        """Return which of the free places suits a prompt best."""


class Batcher:
    """Lets many threads ask one generator.

    Attributes:
        asked: How many prompts have been handed in.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._waiting: queue.SimpleQueue[tuple[Prompt, Future[Answer]] | None] = queue.SimpleQueue()
        self.asked = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def answer(self, prompt: Prompt) -> Answer:
        """Return the answer to a prompt, when it is there.

        Raises:
            TooLongError: It leaves no room for an answer.
        """
        future: Future[Answer] = Future()
        self._waiting.put((prompt, future))
        self.asked += 1
        return future.result()

    def close(self) -> None:
        """Answer what was asked before, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        working: dict[int, Future[Answer]] = {}
        is_closing = False
        while working or not is_closing:
            is_closing = self._take_in(working, is_closing) or is_closing
            if not working:
                continue
            try:
                finished = self._generator.step(sorted(working))
            except Exception as error:  # noqa: BLE001 - each who waits is told
                for future in working.values():
                    future.set_exception(error)
                working.clear()
                continue
            for place, answer in finished.items():
                working.pop(place).set_result(answer)

    def _take_in(self, working: dict[int, Future[Answer]], is_closing: bool) -> bool:  # noqa: FBT001 - the loop's state
        """Start what waits, while there are places; wait for something to do where there is nothing.

        Returns:
            Whether it is to end.
        """
        while not is_closing and len(working) < self._generator.places:
            try:
                asked = self._waiting.get(block=not working)
            except queue.Empty:
                return False
            if asked is None:
                return True
            prompt, future = asked
            free = [place for place in range(self._generator.places) if place not in working]
            place = self._generator.best_place(free, prompt)
            try:
                self._generator.start(place, prompt)
            except Exception as error:  # noqa: BLE001 - who asked is told
                future.set_exception(error)
            else:
                working[place] = future
        return False


def most_in_common(tokens: Sequence[int], others: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return which of the others begins most like `tokens`, and how many tokens they have in common.

    The last of `tokens` never counts: a model has to read one to say what comes next.
    """
    best, most = 0, -1
    for number, other in enumerate(others):
        common = 0
        for mine, its in zip(tokens[:-1], other, strict=False):
            if mine != its:
                break
            common += 1
        if common > most:
            best, most = number, common
    return best, most
