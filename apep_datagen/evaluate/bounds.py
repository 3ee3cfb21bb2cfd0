"""Two Adas that need no model, to be read beside one: who never uses tools, and who looks and writes whatever is said.

What the first one gets right needs no memory. What the second one gets right needs one, and no judgement of when to
look and what to keep: she is told what each conversation is about, and finds in her notes whatever is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer
from apep_datagen.core.words import holds, words
from apep_datagen.evaluate.element import Examined
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.evaluate.play import Ada, Scene, play
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, sentences
from apep_datagen.language.values import tells
from apep_datagen.people.scenario import ASKING, TELLING, Ability, Fact, Form, Scenario

__all__ = ["BOUNDS", "always", "never", "played_bounds"]

_KIND = "That is good to hear from you. I am here, and I am listening."
_NOTHING_THERE = "I have looked in my notes, and there is nothing of it: you never told me."
_LOOK = (ToolCall("recall_memories", {}), ToolCall("recall_diary", {}))
_THIRD_PERSON = {
    "i am": "they are", "i'm": "they're", "i was": "they were", "i've": "they've", "i'll": "they'll", "i'd": "they'd",
    "i": "they", "my": "their", "me": "them", "am": "are", "mine": "theirs", "myself": "themselves", "we're": "they're",
    "we": "they", "us": "them", "our": "their", "ours": "theirs",
}  # fmt: skip
_FIRST_PERSON = re.compile(rf"\b(?:{'|'.join(_THIRD_PERSON)})\b", re.IGNORECASE)
_OF_THE_USER = frozenset(word for phrase in _THIRD_PERSON for word in words(phrase)) - {"am", "was"}
_WORDS_OF_A_PAGE = 4


def never(_scene: Scene) -> str:
    """Answer kindly, and without a tool."""
    return render_answer("", _KIND)


def always(scene: Scene) -> str:
    """Look at memory and diary, write down whatever the user says of themselves, and answer from what was shown.

    What she is asked to strike out she strikes out; what is there already, or is over tomorrow, she writes down too.
    """
    if not scene.rounds:
        return render_answer("", "", _LOOK)
    if scene.rounds == 1 and scene.rounds < scene.brief.max_tool_rounds and (calls := tuple(_changes(scene))):
        return render_answer("", "", calls)
    return render_answer("", _reply(scene))


BOUNDS: Mapping[str, Ada] = {"never": never, "always": always}
"""The bounds by name: who never uses tools, and who always does."""


def played_bounds(plan: ExamPlan, elements: Iterable[Examined]) -> dict[str, list[Examined]]:
    """Return what each of the bounds comes to where a model was asked.

    Args:
        plan: What was asked, with messages that are written beforehand.
        elements: The model's conversations; the bounds' of the same users, tries and days are returned.
    """
    asked = {(one.user, one.number_of_try, one.day) for one in elements}
    return {
        name: [one for one in play(plan, ada) if (one.user, one.number_of_try, one.day) in asked]
        for name, ada in BOUNDS.items()
    }


# What she writes down and strikes out.


def _changes(scene: Scene) -> Iterator[ToolCall]:
    leaving = _leaving(scene)
    gone = {index: text for fact in leaving for index, text in _saying(scene, fact)}
    if gone:
        yield ToolCall("delete_memory", {"indices": sorted(gone)})
    for shelf, name in (("memory", "add_memory"), ("diary", "add_diary")):
        facts = [fact for fact in (*_beside(scene, gone, leaving), *_told(scene)) if fact.shelf == shelf]
        texts = [_sentence(fact.tell) for fact in dict.fromkeys(facts)]
        if shelf == "memory" and not facts:
            texts = _said_of_themselves(scene)
        if texts:
            yield ToolCall(name, {"input_text": texts})


def _leaving(scene: Scene) -> tuple[Fact, ...]:
    scenario = scene.brief.scenario
    if scene.number != scenario.place:
        return ()
    if scenario.ability is Ability.FORGET:
        return tuple(fact for fact in scenario.facts if fact.value)
    return (scenario.replaced,) if scenario.replaced else ()


def _beside(scene: Scene, gone: Mapping[int, str], leaving: Iterable[Fact]) -> list[Fact]:
    """Return what else is lost with these notes."""
    left = "\n".join(text for index, text in scene.shown("memories") if index not in gone)
    slots = {fact.slot for fact in leaving}
    facts = [item.fact for item in scene.ideal.known if item.fact.shelf == "memory" and item.fact.slot not in slots]
    return [
        fact for fact in facts if any(holds(text, fact.forms) for text in gone.values()) and not holds(left, fact.forms)
    ]


def _told(scene: Scene) -> list[Fact]:
    """Return what of the planned facts the user has told just now."""
    scenario = scene.brief.scenario
    if scenario.ability not in TELLING and scenario.form is not Form.SAID_ABOVE:
        return []
    return [fact for fact in scenario.facts if fact.value and tells(scene.question, fact.forms)]


def _said_of_themselves(scene: Scene) -> list[str]:
    """Return the first thing that the user says of themselves where nothing is asked for, as a note."""
    scenario = scene.brief.scenario
    if scene.number == scenario.place and scenario.ability not in _TALK:
        return []
    said = (text for text in sentences(scene.question) if not text.rstrip().endswith("?"))
    own = next((text for text in said if not _OF_THE_USER.isdisjoint(words(text))), "")
    return [f"The user said: {_in_third_person(own)}"] if own else []


_TALK = frozenset({Ability.SHARE, Ability.SMALLTALK, Ability.ADVICE})


def _sentence(told: str) -> str:
    return f"The user told me: {_in_third_person(told)}."


def _in_third_person(text: str) -> str:
    return _FIRST_PERSON.sub(lambda match: _THIRD_PERSON[match[0].lower()], text)


# What she says.


def _reply(scene: Scene) -> str:
    scenario = scene.brief.scenario
    if scenario.form is Form.TWO_CANDIDATES and scene.number == scenario.place + 1:
        return _from_notes(scene, [fact for fact in scenario.facts if holds(scene.question, (fact.which,))])
    return _answer(scene, scenario) if scene.number == scenario.place else _KIND


def _answer(scene: Scene, scenario: Scenario) -> str:
    """Return what she says to what the conversation is about."""
    facts = scenario.facts
    match scenario.ability, scenario.form:
        case (Ability.ABSTAIN, _) | (_, Form.NEVER_KEPT):
            return _NOTHING_THERE
        case (_, Form.TWO_CANDIDATES):
            return f"Which one do you mean, {' or '.join(fact.which for fact in facts)}?"
        case (_, Form.AVOID):
            return " ".join(f"Whatever it is, do it without {fact.value}." for fact in facts)
        case (_, Form.SAID_ABOVE):
            return " ".join(f"It is {fact.value}." for fact in facts)
        case (ability, _) if ability in ASKING:
            return _from_notes(scene, facts)
        case _:
            return _KIND


def _from_notes(scene: Scene, facts: Iterable[Fact]) -> str:
    """Return what she was shown of each of these, or that there is nothing."""
    return " ".join(_of_page(scene, fact) if fact.shelf == "diary" else _of_note(scene, fact) for fact in facts)


def _of_note(scene: Scene, fact: Fact) -> str:
    return f"I have it in my notes: {fact.value}." if _saying(scene, fact) else _NOTHING_THERE


def _of_page(scene: Scene, fact: Fact) -> str:
    """Return what a page is about, in a few of its own words: first those that the user has not said."""
    for _, text in scene.shown("pages"):
        if form := next((form for form in fact.forms if holds(text, (form,))), ""):
            said = content(scene.question)
            about = sorted({word for word in words(text) if word.isalpha() and telling(word)})
            about.sort(key=lambda word: (not said.isdisjoint(content(word)), -len(word)))
            return f"I wrote of {form} in my diary, and of {', '.join(about[:_WORDS_OF_A_PAGE])}."
    return _NOTHING_THERE


def _saying(scene: Scene, fact: Fact) -> list[tuple[int, str]]:
    """Return the notes that were shown and say a fact: in words that speak of it, or, where none has, by its value."""
    by_value = [note for note in scene.shown("memories") if holds(note[1], fact.forms)]
    return [note for note in by_value if holds(note[1], (*fact.cues, fact.which))] or by_value
