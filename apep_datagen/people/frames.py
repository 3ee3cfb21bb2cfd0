"""Which sentences of the written tester show an ability, and what stands in them in the place of the braces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from apep_datagen.people.phrasings import PLACEHOLDER, Phrasings
from apep_datagen.people.scenario import Ability, Fact, Form, Scenario
from apep_datagen.people.wishes import WishKind, wish_of

__all__ = ["filled", "frames_of"]

Frames = Sequence[str]

_BY_FORM: Final[Mapping[Form, Callable[[Phrasings], Frames]]] = {
    Form.MAYBE_TOLD: lambda phrasings: phrasings.telling.maybe_told,
    Form.TWO_AT_ONCE: lambda phrasings: phrasings.telling.two_at_once,
    Form.MISTAKE: lambda phrasings: phrasings.telling.mistake,
    Form.MOMENT_AND_FACT: lambda phrasings: phrasings.telling.moment_and_fact,
    Form.PERSON: lambda phrasings: phrasings.forgetting.person,
    Form.SAID_ABOVE: lambda phrasings: phrasings.asking.said_above,
    Form.NOTE_AND_PAGE: lambda phrasings: phrasings.asking.note_and_page,
    Form.RETOLD: lambda phrasings: phrasings.asking.retold,
}
"""The forms that differ in what the user says; the others show in Ada's memory alone."""

_BY_ABILITY: Final[Mapping[Ability, Callable[[Phrasings], Frames]]] = {
    Ability.SHARE: lambda phrasings: phrasings.telling.told,
    Ability.UPDATE: lambda phrasings: phrasings.telling.changed,
    Ability.DIARY: lambda phrasings: phrasings.telling.moment,
    Ability.FORGET: lambda phrasings: phrasings.forgetting.fact,
    Ability.RECALL: lambda phrasings: phrasings.asking.fact,
    Ability.ABSTAIN: lambda phrasings: phrasings.asking.fact,
    Ability.ASK_BACK: lambda phrasings: phrasings.asking.fact,
    Ability.CONNECT: lambda phrasings: phrasings.asking.connect,
    Ability.DIARY_RECALL: lambda phrasings: phrasings.asking.page,
    Ability.SMALLTALK: lambda phrasings: phrasings.chatting.topic,
    Ability.ADVICE: lambda phrasings: phrasings.chatting.advice,
}

_BY_WISH: Final[Mapping[WishKind, Callable[[Phrasings], Frames]]] = {
    WishKind.QUESTION: lambda phrasings: phrasings.wishing.question,
    WishKind.THING: lambda phrasings: phrasings.wishing.thing,
    WishKind.DEED: lambda phrasings: phrasings.wishing.deed,
    WishKind.EVENT: lambda phrasings: phrasings.wishing.event,
}

# "In which town my sister lives" is asked about, but not "about in which town".
_PREPOSITION: Final = re.compile(r"(?:at|by|for|from|in|of|on|to|under|until|with)\b", re.IGNORECASE)
_BEHIND_PREPOSITION: Final = re.compile(r"\b(?:about|of|on|for|to|with) \{(\w+)\}")
_BEFORE_A_SENTENCE: Final = re.compile(r"(?:\A|[.!?…] )\Z")
# What stands in braces may end a sentence itself: "Which two places am I travelling to?".
_STOP_AFTER_END: Final = re.compile(r"(?<=[^.][.?!])\.(?!\.)")


def frames_of(phrasings: Phrasings, scenario: Scenario) -> tuple[Frames, Mapping[str, str]]:
    """Return the sentences of which one shows the ability, and what stands in their braces.

    Args:
        phrasings: All sentences.
        scenario: What the conversation is about; not `passing`, which is about nothing.

    Raises:
        ValueError: It was drawn by an earlier version, and does not say what is asked (`Scenario.question`).
    """
    frames, values = _all_frames_of(phrasings, scenario)
    return [frame for frame in frames if _goes_with(frame, values)] or frames, values


def _goes_with(frame: str, values: Mapping[str, str]) -> bool:
    behind = (values[name] for name in _BEHIND_PREPOSITION.findall(frame))
    return not any(_PREPOSITION.match(value) for value in behind)


def _all_frames_of(phrasings: Phrasings, scenario: Scenario) -> tuple[Frames, Mapping[str, str]]:
    if scenario.ability in {Ability.CONNECT, Ability.APPLY} and not scenario.question:
        raise ValueError(f"the scenario of {scenario.ability.value} does not say what is asked")
    if scenario.ability is Ability.APPLY:
        kind, wish = wish_of(scenario.question)
        return _BY_WISH[kind](phrasings), {"wish": wish}
    by_form = _BY_FORM.get(scenario.form) if scenario.form is not None else None
    frames = (by_form or _BY_ABILITY[scenario.ability])(phrasings)
    values = {"question": scenario.question, "topic": scenario.topic}
    if facts := scenario.facts:
        first, last = facts[0], facts[-1]
        values |= {"tell": first.tell, "second": last.tell, "ask": first.ask, "page": last.ask}
        values["person"] = _person_of(facts, phrasings.persons)
    return frames, values


def _person_of(facts: Sequence[Fact], persons: Mapping[str, str]) -> str:
    """Return what somebody is called of whom all is to be forgotten: by a cue of all facts, or all that is known."""
    cues = set.intersection(*({*fact.cues} for fact in facts))
    called = (name for cue, name in persons.items() if cue in cues)
    return next(called, " and ".join(fact.ask for fact in facts))


def filled(frame: str, values: Mapping[str, str]) -> str:
    """Return a sentence with its braces filled in; what begins a sentence begins with a capital letter."""

    def put(match: re.Match[str]) -> str:
        value = values[match[1]]
        return _capital(value) if _BEFORE_A_SENTENCE.search(frame[: match.start()]) else value

    return _STOP_AFTER_END.sub("", PLACEHOLDER.sub(put, frame))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
