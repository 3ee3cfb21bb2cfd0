"""Values that nothing else in a user's life is called, so that each is recognised without doubt."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Sequence

from apep_datagen.core.words import words
from apep_datagen.people.scenario import User
from apep_datagen.people.story import Story
from apep_datagen.people.vocabulary import Forms, Vocabulary

__all__ = ["Taken"]

_MOST_ATTEMPTS = 12


class Taken:
    """What is there in a life: texts about the user, and the values of facts.

    Args:
        texts: What is taken from the beginning.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._words: set[str] = set()
        self._values: list[frozenset[str]] = []
        for text in texts:
            self._words.update(words(text))

    @classmethod
    def of_user(cls, user: User) -> Taken:
        """Return what is taken by the user alone."""
        return cls([user.name, user.place, user.job, *user.interests, *user.people, *user.animals])

    @classmethod
    def of_story(cls, story: Story) -> Taken:
        """Return what is taken by the user and all that Ada knows, or has forgotten, of them."""
        taken = cls.of_user(story.user)
        for item in story.known:
            for fact in (item.fact, *item.earlier):
                taken.add(fact.forms)
        facts = [near.fact for near in story.near] + [
            fact for twins in story.twins for fact in (twins.first, twins.second)
        ]
        for fact in (*facts, *story.forgotten):
            taken.add((*fact.forms, fact.which) if fact.which else fact.forms)
        return taken

    def add(self, forms: Forms) -> None:
        """Take a value."""
        for form in forms:
            said = words(form)
            self._words.update(said)
            self._values.append(frozenset(said))

    def speak_of(self, text: str) -> None:
        """Take what a note says: a value that is drawn later does not turn up in it by chance."""
        self._words.update(words(text))

    def is_none_in(self, text: str) -> bool:
        """Tell whether a text holds no value that is taken."""
        said = frozenset(words(text))
        return not any(value <= said for value in self._values)

    def is_free(self, forms: Forms) -> bool:
        """Tell whether neither holds the other: the value what is taken, nor what is taken the value."""
        for form in forms:
            said = frozenset(words(form))
            if said <= self._words or any(value <= said for value in self._values):
                return False
        return True

    def draw(self, draw: random.Random, vocabulary: Vocabulary, values: Sequence[Forms], day: datetime.date) -> Forms:
        """Draw a value that is free, if there is one, and take it."""
        forms: Forms = ()
        if len(values) > _MOST_ATTEMPTS or any("{" in text for texts in values for text in texts):
            for _ in range(_MOST_ATTEMPTS):
                forms = vocabulary.draw(draw, draw.choice(values), day)
                if self.is_free(forms):
                    break
        else:
            free = [forms for forms in values if self.is_free(forms)]
            forms = draw.choice(free or values)
        self.add(forms)
        return forms
