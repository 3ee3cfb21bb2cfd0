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
from apep_datagen.people.scenario import Ability, Form, Scenario, User

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
    "you said",
    "you wrote",
)

# How often there is what need not be.
_GREETING, _BRIDGE, _REACTION, _ASIDE, _SCENE, _ENDING, _MORE, _GOODBYE = 0.5, 0.5, 0.35, 0.25, 0.12, 0.45, 0.45, 0.7


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
            *(self._perhaps(_SCENE, around.scenes) or self._perhaps(_ASIDE, around.asides)),
            self._fill(*frames_of(self._phrasings, self._scenario)),
            *self._perhaps(_ENDING, self._endings()),
        ]

    def _endings(self) -> Sequence[str]:
        around, chatting = self._phrasings.around, self._phrasings.chatting
        return {
            Ability.SHARE: around.after_telling,
            Ability.UPDATE: around.after_telling,
            Ability.DIARY: around.after_moment,
            Ability.FORGET: around.after_forgetting,
            Ability.DIARY_RECALL: around.after_page,
            Ability.APPLY: around.after_wishing,
            Ability.SMALLTALK: chatting.musing,
            Ability.ADVICE: chatting.terms,
        }.get(self._scenario.ability, around.after_asking)

    # ---------------------------------------------------------------------------------------- the messages around it

    def _opening(self) -> list[str]:
        """Return a message that begins a chat, and leaves its subject for later."""
        ways: list[Callable[[], list[str]]] = [
            lambda: [self._take(self._phrasings.chatting.hello)],
            lambda: [*self._beginning(), *self._trifles()],
        ]
        topic, mood = self._scenario.topic, self._scenario.mood
        if self._scenario.ability not in _WITHOUT_MEMORY and not holds(topic, self._secret):
            ways.append(lambda: [*self._beginning(), self._fill(self._phrasings.chatting.topic, {"topic": topic})])
        if not self._is_impersonal and not holds(mood, self._secret):
            ways.append(lambda: [*self._beginning(), self._fill(self._phrasings.chatting.mood, {"mood": mood})])
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
        following = self._phrasings.following
        reactions = self._reactions() if is_after else self._reactions_before()
        more = following.after_all if reactions is following.asked else following.going_on
        behind = self._perhaps(_GOODBYE, following.goodbye) if is_last else self._perhaps(_MORE, more)
        return [self._take(reactions), *behind]

    def _reactions(self) -> Sequence[str]:
        """Return how a user reacts to what Ada says to what the conversation is about."""
        following = self._phrasings.following
        if self._scenario.form is Form.PASSING:
            return following.chat
        return {
            Ability.SHARE: following.told,
            Ability.UPDATE: following.told,
            Ability.DIARY: following.moved,
            Ability.DIARY_RECALL: following.moved,
            Ability.APPLY: following.helped,
            Ability.SMALLTALK: following.chat,
            Ability.ADVICE: following.helped,
        }.get(self._scenario.ability, following.asked)

    def _reactions_before(self) -> Sequence[str]:
        following = self._phrasings.following
        return following.told if self._scenario.form is Form.SAID_ABOVE else following.chat

    def _beginning(self) -> list[str]:
        return self._perhaps(_GREETING, self._phrasings.around.greetings)

    def _turn(self) -> list[str]:
        """Return how a chat that is under way comes to something else."""
        reaction = self._perhaps(_REACTION, self._reactions_before())
        if self._scenario.form is Form.SAID_ABOVE:
            return reaction
        return [*reaction, *self._perhaps(_BRIDGE, self._phrasings.around.bridges)]

    def _trifles(self) -> list[str]:
        chatting = self._phrasings.chatting
        return [
            self._take(chatting.passing),
            *self._perhaps(_ASIDE, chatting.passing),
            *self._perhaps(_ENDING, chatting.comment),
        ]

    # ------------------------------------------------------------------------------------------------ sentences

    def _perhaps(self, chance: float, sentences: Sequence[str]) -> list[str]:
        """Return one of several sentences, or, by chance or because none is to be said, none."""
        is_said = self._draw.random() < chance
        return self._new(self._fitting(sentences)) if is_said else []

    def _fill(self, frames: Sequence[str], values: Mapping[str, str]) -> str:
        return filled(self._take(frames), values)

    def _take(self, sentences: Sequence[str]) -> str:
        """Return one of several sentences, of which one has to be said: any, where all hold what is not to be said."""
        fitting = self._fitting(sentences) or sentences
        return next(iter(self._new(fitting)), fitting[0])

    def _new(self, sentences: Sequence[str]) -> list[str]:
        """Return one that was not said yet in this conversation, if there is one."""
        left = [sentence for sentence in sentences if sentence not in self._used]
        taken = [self._draw.choice(left)] if left else []
        self._used.update(taken)
        return taken

    def _fitting(self, sentences: Sequence[str]) -> Sequence[str]:
        return [sentence for sentence in sentences if self._fits(sentence)]

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
