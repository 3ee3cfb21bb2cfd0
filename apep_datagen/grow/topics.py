"""What is wrong with a topic of a message: of itself, and beside those that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from apep_datagen.core.words import words
from apep_datagen.grow.texts import faults_of_text, quoted
from apep_datagen.language.content import content

__all__ = ["TOPIC_KEYS", "Topics", "faults_of_topic"]

TOPIC_KEYS = ("topics", "smalltalk_topics", "advice_topics")
"""The lists of topics that a file of `world/` can hold."""

_FEWEST_WORDS, _MOST_WORDS, _LONGEST = 1, 8, 60
_OF_A_SENTENCE = re.compile(r"[.!?:;]|\b(?:I|I'm|my|your?)\b")


def faults_of_topic(topic: str) -> Iterator[str]:
    """Yield in sentences what is wrong with a topic."""
    yield from faults_of_text("the topic", topic, _LONGEST)
    if not _FEWEST_WORDS <= len(words(topic)) <= _MOST_WORDS:
        yield f"the topic has {len(words(topic))} words, and {_MOST_WORDS} at most are right"
    if found := _OF_A_SENTENCE.search(topic):
        yield f"the topic is a sentence, and no keywords: {quoted(found[0])} stands in it"
    if not content(topic):
        yield "the topic says nothing"


class Topics:
    """The topics that there are, by what they speak of; looking one up costs the same however many they are.

    Args:
        topics: Those that there are.
    """

    def __init__(self, topics: Iterable[str]) -> None:
        self._by_content: dict[frozenset[str], str] = {}
        for topic in topics:
            self.add(topic)

    def add(self, topic: str) -> None:
        """Take in one more."""
        self._by_content.setdefault(content(topic), topic)

    def alike(self, topic: str) -> str | None:
        """Return a topic that speaks of the same as this one, or of all that it speaks of but one word; or None."""
        stems = content(topic)
        for few in (stems, *(stems - {stem} for stem in stems if len(stems) > _FEWEST_TO_MISS_ONE)):
            if few in self._by_content:
                return self._by_content[few]
        return None


_FEWEST_TO_MISS_ONE = 2
