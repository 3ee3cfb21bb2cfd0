"""The written tester: what a user says in a conversation, from tables, without a model.

It says what a tester that is a model is asked to say, and nothing that gives the answer away, by construction: what is
told stands in the sentence that tells it, and a sentence that holds a word of what is not to be said is not taken. So
whoever is examined with the same seed is asked the same.

What Ada has to do shows in her memory alone. A fact that she knows already is told in the words of one that is new;
what she has, what she lacks and what there are two of is asked for in the same words; what she never kept is to be
forgotten like what she has, and a change of which she lacks the old state is told like any other. Words of their own
have only the forms that differ in what the user says: `maybe_told`, `two_at_once`, `passing`, `mistake`, `person`,
`note_and_page`, `said_above`, `moment_and_fact` and `retold`.

Two of three conversations of `smalltalk` and `advice` are impersonal: in none of their messages the user says "I",
"me", "my", "we" or "us", and so nothing is to be looked up (`quality/effect/tools.py`); in the others a look is
forgiven. A model that looks always fails in the former. A topic that itself says "us" or "my" is the exception.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from apep_datagen.core.words import holds
from apep_datagen.people.frames import filled, frames_of
from apep_datagen.people.habits import as_typed
from apep_datagen.people.phrasings import PLACEHOLDER, Phrasings, load_phrasings
from apep_datagen.people.scenario import TELLING, Ability, Form, Scenario, User

__all__ = ["WrittenTester", "load_written_tester"]

_WITHOUT_MEMORY: Final = frozenset({Ability.SMALLTALK, Ability.ADVICE})
_SHARE_IMPERSONAL: Final = 2 / 3
_PERSONAL: Final = re.compile(r"\b(?:I|me|my|mine|myself|we|us|our|ours|ourselves)\b", re.IGNORECASE)
# Who says these in a chat lets Ada look, whoever they speak of.
_SPEAKS_OF_TELLING: Final = (
    "remember",
    "recall",
    "told",
    "tell you",
    "mentioned",
    "diary",
    "memory",
    "notes",
    "remind",
)

# How often there is what need not be.
_GREETING, _BRIDGE, _REACTION, _ASIDE, _ENDING, _MORE, _GOODBYE = 0.55, 0.5, 0.35, 0.22, 0.45, 0.45, 0.7


def load_written_tester(directory: Path | None = None) -> WrittenTester:
    """Read what the written tester says; arguments and errors are those of `load_phrasings`."""
    return WrittenTester(load_phrasings(directory))


class WrittenTester:
    """The user of a conversation, written from tables.

    Args:
        phrasings: The sentences.
    """

    def __init__(self, phrasings: Phrasings) -> None:
        self._phrasings = phrasings

    def messages(self, draw: random.Random, scenario: Scenario, user: User, exchanges: int) -> tuple[str, ...]:
        """Return what the user says in each exchange of a conversation: the same for the same arguments.

        The ability comes in exchange `scenario.place`, or in the last where there are fewer. Before it there is small
        talk, but for `said_above`, which is told in the first; after it the user goes on whatever Ada has said, but for
        `ask_back`, where the next message says which is meant.

        Args:
            draw: Where chance comes from.
            scenario: What the conversation is about.
            user: Who writes.
            exchanges: How many exchanges it has, one at least.

        Raises:
            ValueError: The scenario, drawn by an earlier version, does not say what is asked (`Scenario.question`).
        """
        return _Writing(self._phrasings, draw, scenario, user).messages(exchanges)


class _Writing:
    """One conversation, as it is being written."""

    def __init__(self, phrasings: Phrasings, draw: random.Random, scenario: Scenario, user: User) -> None:
        self._phrasings = phrasings
        self._draw = draw
        self._scenario = scenario
        self._user = user
        self._secret = tuple(_not_to_be_said(scenario, user))
        self._used: set[str] = set()
        self._is_impersonal = scenario.ability in _WITHOUT_MEMORY and draw.random() < _SHARE_IMPERSONAL

    def messages(self, exchanges: int) -> tuple[str, ...]:
        """Return what is said in each exchange."""
        place = min(self._scenario.place, exchanges)
        said = [self._sentences(number, place, exchanges) for number in range(1, exchanges + 1)]
        return tuple(as_typed(sentences, self._user.writing, self._draw) for sentences in said)

    def _sentences(self, number: int, place: int, exchanges: int) -> list[str]:
        """Return the sentences of one message."""
        if number == place:
            return self._shown(number)
        if number == 1:
            return self._told_for_later() if self._scenario.form is Form.SAID_ABOVE else self._opening()
        if number == place + 1 and self._scenario.ability is Ability.ASK_BACK:
            return self._chosen()
        return self._going_on(is_after=number > place, is_last=number == exchanges)

    # ------------------------------------------------------------------------------------------------ the ability

    def _shown(self, number: int) -> list[str]:
        """Return the message that shows the ability."""
        around = self._phrasings.around
        before = self._beginning() if number == 1 else self._turn()
        if self._scenario.form is Form.PASSING:
            return [*before, *self._trifles()]
        return [
            *before,
            *self._perhaps(_ASIDE, around.asides),
            self._fill(*frames_of(self._phrasings, self._scenario)),
            *self._perhaps(_ENDING, self._endings()),
        ]

    def _endings(self) -> Sequence[str]:
        around, chatting, ability = self._phrasings.around, self._phrasings.chatting, self._scenario.ability
        if ability in TELLING:
            return around.after_telling
        return {
            Ability.FORGET: around.after_forgetting,
            Ability.SMALLTALK: chatting.musing,
            Ability.ADVICE: chatting.terms,
        }.get(ability, around.after_asking)

    # ---------------------------------------------------------------------------------------- the messages around it

    def _opening(self) -> list[str]:
        """Return a message that begins a chat, and leaves its subject for later."""
        ways: list[Callable[[], list[str]]] = [
            lambda: [self._take(self._phrasings.chatting.hello)],
            lambda: [*self._beginning(), *self._trifles()],
        ]
        if self._scenario.ability not in _WITHOUT_MEMORY:
            ways.append(
                lambda: [
                    *self._beginning(),
                    self._fill(self._phrasings.chatting.topic, {"topic": self._scenario.topic}),
                ]
            )
        if not self._is_impersonal:
            ways.append(
                lambda: [*self._beginning(), self._fill(self._phrasings.chatting.mood, {"mood": self._scenario.mood})]
            )
        return self._draw.choice(ways)()

    def _told_for_later(self) -> list[str]:
        tell = self._fill(self._phrasings.telling.told, {"tell": self._scenario.facts[0].tell})
        return [*self._beginning(), tell, *self._perhaps(_ENDING, self._phrasings.around.after_telling)]

    def _chosen(self) -> list[str]:
        meant = self._draw.choice(self._scenario.facts)
        chosen = self._fill(self._phrasings.choosing.which, {"which": meant.which})
        return [chosen, *self._perhaps(_ASIDE, self._phrasings.around.after_asking)]

    def _going_on(self, *, is_after: bool, is_last: bool) -> list[str]:
        """Return a message that goes on from whatever Ada has said."""
        following, ability = self._phrasings.following, self._scenario.ability
        reactions = following.chat
        if is_after and self._scenario.form is not Form.PASSING and ability not in _WITHOUT_MEMORY:
            reactions = following.told if ability in TELLING else following.asked
        elif self._scenario.form is Form.SAID_ABOVE:
            reactions = following.told
        more = self._perhaps(_MORE, following.going_on) if not is_last else self._perhaps(_GOODBYE, following.goodbye)
        return [self._take(reactions), *more]

    def _beginning(self) -> list[str]:
        return self._perhaps(_GREETING, self._phrasings.around.greetings)

    def _turn(self) -> list[str]:
        """Return how a chat that is under way comes to something else."""
        if self._scenario.form is Form.SAID_ABOVE:
            return self._perhaps(_REACTION, self._phrasings.following.told)
        return [
            *self._perhaps(_REACTION, self._phrasings.following.chat),
            *self._perhaps(_BRIDGE, self._phrasings.around.bridges),
        ]

    def _trifles(self) -> list[str]:
        chatting = self._phrasings.chatting
        return [
            self._take(chatting.passing),
            *self._perhaps(_ASIDE, chatting.passing),
            *self._perhaps(_ENDING, chatting.comment),
        ]

    # ------------------------------------------------------------------------------------------------ sentences

    def _perhaps(self, chance: float, sentences: Sequence[str]) -> list[str]:
        return [self._take(sentences)] if self._draw.random() < chance else []

    def _fill(self, frames: Sequence[str], values: Mapping[str, str]) -> str:
        return filled(self._take(frames), values)

    def _take(self, sentences: Sequence[str]) -> str:
        """Return one of several sentences that says nothing it must not, and was not said yet if there is another."""
        drawn = self._draw.sample(sentences, len(sentences))
        fitting = [sentence for sentence in drawn if self._fits(sentence)] or drawn
        taken = next((sentence for sentence in fitting if sentence not in self._used), fitting[0])
        self._used.add(taken)
        return taken

    def _fits(self, sentence: str) -> bool:
        own = PLACEHOLDER.sub(" ", sentence)
        if self._is_impersonal and (_PERSONAL.search(own) or holds(own, _SPEAKS_OF_TELLING)):
            return False
        return not holds(own, self._secret)


def _not_to_be_said(scenario: Scenario, user: User) -> Iterable[str]:
    """Yield what no sentence of the tables may hold, so that a value is said only where a fact is told.

    Nor the user's own name: nobody greets themselves.
    """
    for fact in (
        *scenario.facts,
        *scenario.beside,
        *scenario.earlier,
        *((scenario.replaced,) if scenario.replaced else ()),
    ):
        yield from fact.forms
        if fact.which:
            yield fact.which
    yield from scenario.inventions
    yield user.name
