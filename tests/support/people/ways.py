"""How a conversation goes wrong, and what has to be said of it then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from apep_datagen.core.words import words
from apep_datagen.people.scenario import FORMS, Ability, Form, Scenario
from apep_datagen.quality.problem import Stage
from support.people.scene import Scene

__all__ = ["WAYS", "Way", "inventions_of"]

Exchange = Literal["any", "first", "later"]

_OF_THE_USER = frozenset(words("i im ive my me we our us mine"))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to go wrong.

    Attributes:
        name: What it is called.
        abilities: In which conversations it shows.
        stage: The stage that finds it; None where the conversation is accepted all the same.
        reason: What it says.
        accepted_first: How many are accepted before there is enough that they are like.
        forms: In which forms of the abilities; empty: in all.
        is_the_testers: Whether it is the tester who does it.
        exchange: In which exchange the ability has to come for it.
        is_impersonal: Whether it is wrong only where the user says nothing of their own.
    """

    name: str
    abilities: frozenset[Ability]
    stage: Stage | None = None
    reason: str = ""
    accepted_first: int = 0
    forms: frozenset[Form] = frozenset()
    is_the_testers: bool = False
    exchange: Exchange = "any"
    is_impersonal: bool = False

    def fits_message(self, ability: Ability, form: Form | None, number: int) -> bool:
        """Tell whether the tester can do it in the message with this number that shows an ability, perhaps in a form.

        Args:
            ability: Which.
            form: In which form, where the instruction tells.
            number: In which exchange, from 1.
        """
        is_of_form = form is None or not self.forms or form in self.forms
        return self.is_the_testers and ability in self.abilities and is_of_form and self._is_in_place(number)

    def fits(self, scene: Scene, questions: Iterable[str]) -> bool:
        """Tell whether Ada can do it, after all these messages of the user's."""
        scenario = scene.scenario
        return (
            not self.is_the_testers
            and scenario.ability in self.abilities
            and (not self.forms or scenario.form in self.forms)
            and self._is_in_place(scenario.place)
            and _has_what_it_takes(self.name, scene)
            and not (self.is_impersonal and not _is_impersonal(scene, questions))
        )

    def _is_in_place(self, number: int) -> bool:
        return self.exchange == "any" or (self.exchange == "first") == (number == 1)


def inventions_of(scenario: Scenario) -> list[str]:
    """Return what nobody ever told, and what stands in no note of something else."""
    beside = [form for fact in scenario.beside for form in fact.forms]
    return [text for text in scenario.inventions if text not in beside]


def _has_what_it_takes(name: str, scene: Scene) -> bool:
    if name == "invents":
        return bool(inventions_of(scene.scenario))
    if name == "forgets half of a person":
        # Two facts in one note go together.
        first, *others = scene.scenario.facts
        shared = {item.fact.slot: item.shared_with for item in scene.story.known}
        return any(shared[fact.slot] != first.slot for fact in others)
    return True


def _is_impersonal(scene: Scene, questions: Iterable[str]) -> bool:
    is_last = scene.scenario.place == scene.brief.exchanges
    return is_last and all(_OF_THE_USER.isdisjoint(words(question)) for question in questions)


def _ada(name: str, abilities: Iterable[Ability], stage: Stage | None, reason: str, *forms: Form) -> Way:
    return Way(name, frozenset(abilities), stage, reason, forms=frozenset(forms))


def _chatting(name: str, stage: Stage | None = None, reason: str = "") -> Way:
    return Way(name, _CHATTING, stage, reason)


def _tester(name: str, abilities: Iterable[Ability], stage: Stage, reason: str, *forms: Form) -> Way:
    return Way(name, frozenset(abilities), stage, reason, forms=frozenset(forms), is_the_testers=True)


def _effect(name: str, ability: Ability, reason: str, *forms: Form) -> Way:
    return _ada(name, {ability}, Stage.EFFECT, reason, *forms)


_CHATTING = frozenset({Ability.SMALLTALK, Ability.ADVICE})
_NOT_STORED = "a fact that was told is not in memory"
_NOT_TOLD = "the reply does not tell what was asked for"
_SOMETHING_ELSE = "the reply gives something else for what was asked"
_CLAIMED = "something that was never told is claimed"
_NEEDLESS = "a tool was called where there was nothing to remember or look up"
_TWICE = "a fact is in memory twice"
_BLINDLY = "Ada stored it without having looked what is there already"
_STILL_THERE = "what was to be forgotten is still in memory"
_LOST = "a fact that was known is gone from memory"
_SHOWS_THROUGH = "the instructions show through"
_MACHINE = "Ada speaks of being a language model though nobody asked"
_LOOKED_UP = frozenset(FORMS[Ability.RECALL]) - {Form.SAID_ABOVE}
_OF_ONE_NOTE = (Form.TOLD, Form.TWO_AT_ONCE)
_KEPT = (Form.ONE, Form.ONE_OF_SEVERAL, Form.PERSON, Form.HALF)
_CHANGED = (Form.CHANGED, Form.TWO_TOUCHED, Form.MISTAKE)

_IN_FORM = (
    _chatting("no think block", Stage.FORM, "an assistant message has no leading <think> block"),
    _chatting("stops in the middle", Stage.FORM, "a reply is cut off"),
    _ada(
        "fails a call", {Ability.SHARE}, Stage.EXECUTION, "a call failed, and was not made again rightly", *_OF_ONE_NOTE
    ),
)
_KEEPING = (
    _effect("forgetful", Ability.SHARE, _NOT_STORED, *_OF_ONE_NOTE),
    _effect("stores twice", Ability.SHARE, _TWICE, *_OF_ONE_NOTE),
    _effect("stores something else", Ability.SHARE, _NOT_STORED, *_OF_ONE_NOTE),
    _effect("stores what is known", Ability.SHARE, _TWICE, Form.KNOWN_ALREADY),
    _effect("stores what passes", Ability.SHARE, "what is not worth keeping was stored", Form.PASSING),
    _effect("stores blindly", Ability.SHARE, _BLINDLY, Form.MAYBE_TOLD),
    _effect("changes blindly", Ability.UPDATE, _BLINDLY, Form.OLD_MISSING),
    _ada(
        *("stores what says nothing", {Ability.SHARE}, Stage.NOTES, "a note cannot be understood by itself"),
        *_OF_ONE_NOTE,
    ),
    _effect("keeps the old value", Ability.UPDATE, "the old value is still in memory", *_CHANGED),
    _effect("leaves one of two", Ability.UPDATE, "the old value is still in memory", Form.TWO_TOUCHED),
    _effect("only deletes", Ability.UPDATE, _NOT_STORED, *_CHANGED),
    _effect("does not forget", Ability.FORGET, _STILL_THERE, *_KEPT),
    _effect(
        *("forgets into the diary", Ability.FORGET, "what was to be forgotten was written into the diary"),
        *(Form.ONE, Form.ONE_OF_SEVERAL),
    ),
    _effect("forgets the near miss", Ability.FORGET, _LOST, Form.ONE_OF_SEVERAL),
    _effect("forgets half of a person", Ability.FORGET, _STILL_THERE, Form.PERSON),
    _effect("loses the other half", Ability.FORGET, _LOST, Form.HALF),
    _effect("forgets something else", Ability.FORGET, _LOST, Form.NEVER_KEPT),
    _effect(
        *("says it is gone", Ability.FORGET, "the reply does not say that there is nothing of it", Form.NEVER_KEPT),
    ),
    _effect("writes no page", Ability.DIARY, "there is no diary page about the moment"),
    _effect("writes two pages", Ability.DIARY, "the moment has more than one diary page"),
    _effect("writes the page alone", Ability.DIARY, _NOT_STORED, Form.MOMENT_AND_FACT),
)
_TELLING = (
    _effect("does not look up", Ability.RECALL, "what was asked for was told without looking it up", *_LOOKED_UP),
    _effect("tells another value", Ability.RECALL, _NOT_TOLD, *_LOOKED_UP),
    _effect("tells the near miss", Ability.RECALL, _NOT_TOLD, Form.NEAR_MISS),
    _effect("tells the near miss as well", Ability.RECALL, _SOMETHING_ELSE, Form.NEAR_MISS),
    _effect("tells what was once", Ability.RECALL, "an earlier state is told as the present one", Form.NEWEST),
    _effect("tells one half", Ability.CONNECT, _NOT_TOLD),
    _effect("invents", Ability.ABSTAIN, _CLAIMED),
    _effect("invents a name", Ability.ABSTAIN, _CLAIMED),
    _effect("evades", Ability.ABSTAIN, "the reply does not say that she was never told"),
    _effect("gives the near miss for it", Ability.ABSTAIN, _SOMETHING_ELSE, Form.NEAR_MISS),
    _effect(
        *("knows without a look", Ability.ABSTAIN, "Ada says that she was never told without having looked"),
    ),
    _effect("has no page to show", Ability.DIARY_RECALL, _NOT_TOLD),
    _effect(
        *("recites the page", Ability.DIARY_RECALL, "a page was read aloud that was to be told of", Form.RETOLD),
    ),
    _effect("does not think of it", Ability.APPLY, "Ada did not look up what would have helped"),
    _effect("recommends it", Ability.APPLY, "the reply holds what was to be avoided", Form.AVOID),
    _effect("makes no use of it", Ability.APPLY, "Ada did not heed what she had looked up", Form.USE),
    _effect(
        *("tells one", Ability.ASK_BACK, "the reply tells one of two though it is not known which is meant"),
    ),
    Way(
        "claims before she looks",
        frozenset({Ability.RECALL, Ability.ABSTAIN, Ability.CONNECT}),
        Stage.KNOWLEDGE,
        "Ada claims to remember before she has looked",
        forms=frozenset({*_LOOKED_UP, Form.TWO_FACTS, *FORMS[Ability.ABSTAIN]}),
        exchange="later",
    ),
)
_CHAT = (
    Way("looks up for nothing", _CHATTING, Stage.EFFECT, _NEEDLESS, is_impersonal=True),
    _chatting("stores for nothing", Stage.EFFECT, _NEEDLESS),
    _chatting("remembers unasked", Stage.KNOWLEDGE, "Ada claims to remember before she has looked"),
    _chatting("refuses", Stage.VOICE, "a reply is a refusal"),
    _chatting("language model", Stage.VOICE, _MACHINE),
    _chatting("thinks as a model", Stage.VOICE, _MACHINE),
    _chatting("leaks her prompt", Stage.VOICE, _SHOWS_THROUGH),
    _chatting("role label", Stage.VOICE, "a line begins with the name of a role"),
    Way(
        *("repeats herself", frozenset({Ability.SMALLTALK}), Stage.NOVELTY),
        *("the reply is nearly the same as an accepted one", 1),
        exchange="first",
    ),
    Way(
        *("begins alike", frozenset({Ability.ADVICE}), Stage.NOVELTY),
        *("the reply begins as too many others do", 3),
        exchange="first",
    ),
)
_TESTERS = (
    _tester(
        "does not tell",
        {Ability.SHARE, Ability.UPDATE, Ability.DIARY},
        Stage.EFFECT,
        "the user's message does not tell what was planned",
        *(set(Form) - {Form.PASSING}),
    ),
    Way(
        *("gives away", frozenset({Ability.RECALL}), Stage.EFFECT, "the user's message gives the answer away"),
        forms=_LOOKED_UP,
        is_the_testers=True,
        exchange="later",
    ),
    Way(
        *("says which", frozenset({Ability.ASK_BACK}), Stage.EFFECT),
        "the user's message says already which is meant",
        is_the_testers=True,
        exchange="later",
    ),
    Way(
        *("Ada's voice", _CHATTING, Stage.VOICE, "the user's message is in Ada's voice"),
        is_the_testers=True,
        exchange="first",
    ),
    _tester("greets themselves", _CHATTING, Stage.VOICE, "the user speaks to somebody of their own name"),
    _tester("confuses the days", _CHATTING, Stage.TIME, "the user's message contradicts the time of the conversation"),
    _tester("explains the message", _CHATTING, Stage.VOICE, _SHOWS_THROUGH),
    Way(
        *("asks the same", frozenset({Ability.ADVICE}), Stage.NOVELTY),
        *("the user's message is nearly the same as an accepted one", 1),
        is_the_testers=True,
        exchange="first",
    ),
)
# What looks wrong, and is mended, by Ada or by the program.
_MENDED = (
    _ada("mends a call", {Ability.SHARE}, None, "", *_OF_ONE_NOTE),
    _ada("rewriter drops the reason", {Ability.SHARE, Ability.RECALL}, None, ""),
    _chatting("stray tags"),
)

WAYS = {way.name: way for way in (*_IN_FORM, *_KEEPING, *_TELLING, *_CHAT, *_TESTERS, *_MENDED)}
"""By name."""
