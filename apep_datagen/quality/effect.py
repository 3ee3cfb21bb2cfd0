"""The stage `effect`: what the ability demands has happened.

What should be in the memory is known before a model speaks, because it was planned; so nobody has to be asked.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Callable

from apep_datagen.core.notebook import Note
from apep_datagen.core.words import holds, words
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.scenario import TELLING, Ability, Fact, Scenario
from apep_datagen.people.story import Change, notes_that_hold
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, texts_in

__all__ = ["check"]


def check(sample: Sample, scenario: Scenario, change: Change, phrases: Phrases) -> Problem | None:
    """Check what a conversation did and said.

    Args:
        sample: The conversation.
        scenario: What it was to be about.
        change: What was known, and what it has changed.
        phrases: By what an admission is recognised.
    """
    view = _View(sample, scenario, change, phrases)
    return _CHECKS[scenario.ability](view) or _order_of_memory(view, change.known)


class _View:
    """A conversation, as the checks look at it."""

    def __init__(self, sample: Sample, scenario: Scenario, change: Change, phrases: Phrases) -> None:
        self.scenario = scenario
        self.before = change.before
        self.after = change.after
        self.phrases = phrases
        self.system = sample.system
        self.question = "\n".join(exchange.question for exchange in sample.exchanges)
        self.reply = "\n".join(exchange.reply for exchange in sample.exchanges)
        self.turns = [turn for exchange in sample.exchanges for turn in exchange.turns]
        self.results = "\n".join(text for turn in self.turns for result in turn.results for text in texts_in(result))

    def added(self, shelf: tuple[Note, ...], before: tuple[Note, ...]) -> list[Note]:
        """Return the notes on a shelf that were not there before."""
        there = Counter((note.date, note.text) for note in before)
        new = []
        for note in shelf:
            if there[note.date, note.text]:
                there[note.date, note.text] -= 1
            else:
                new.append(note)
        return new


def _problem(reason: str, detail: str = "") -> Problem:
    return Problem(Stage.EFFECT, reason, detail)


def _told(view: _View) -> Problem | None:
    """The tester told the planned facts."""
    for fact in view.scenario.facts:
        if not holds(view.question, fact.forms):
            return _problem("the user's message does not tell what was planned", f"{fact.tell} ({fact.slot})")
    return None


def _stored(view: _View) -> Problem | None:
    """Each planned fact is in memory, once."""
    for fact in view.scenario.facts:
        if not notes_that_hold(fact, view.after):
            return _problem("a fact that was told is not in memory", fact.tell)
    return None


def _order_of_memory(view: _View, known: tuple[Fact, ...]) -> Problem | None:
    """What was known is still there, and nothing is there twice."""
    scenario = view.scenario
    told = [fact for fact in scenario.facts if fact.shelf == "memory"] if scenario.ability in TELLING else []
    leaving = {fact.slot for fact in scenario.facts} if scenario.ability in _LEAVING else set()
    staying = [fact for fact in known if fact.slot not in leaving]
    for fact in staying:
        if not notes_that_hold(fact, view.after):
            return _problem("a fact that was known is gone from memory", fact.tell)
    for fact in (*staying, *told):
        stating = [note for note in notes_that_hold(fact, view.after) if holds(note.text, fact.cues)]
        if len(stating) > 1 and len(stating) > len(notes_that_hold(fact, view.before)):
            return _problem("a fact is in memory twice", fact.tell)
    return None


_LEAVING = frozenset({Ability.UPDATE, Ability.FORGET})


def _share(view: _View) -> Problem | None:
    return _told(view) or _stored(view)


def _update(view: _View) -> Problem | None:
    problem = _told(view) or _stored(view)
    replaced = view.scenario.replaced
    if problem is None and replaced is not None and (stale := notes_that_hold(replaced, view.after)):
        problem = _problem("the old value is still in memory", stale[0].text)
    return problem


def _forget(view: _View) -> Problem | None:
    for fact in view.scenario.facts:
        if left := notes_that_hold(fact, view.after):
            return _problem("what was to be forgotten is still in memory", left[0].text)
        for note in view.added(view.after.diary, view.before.diary):
            if holds(note.text, fact.forms):
                return _problem("what was to be forgotten was written into the diary", note.text)
    return None


def _asked(view: _View) -> Problem | None:
    """What was asked about was looked up and told, and the user had not said it."""
    for fact in view.scenario.facts:
        if fact.shelf == "memory" and holds(view.question, fact.forms):
            return _problem("the user's message gives the answer away", fact.value)
        is_told = _tells_of_page(view, fact) if fact.shelf == "diary" else holds(view.reply, fact.forms)
        if not is_told:
            return _problem("the reply does not tell what was asked for", f"{fact.ask}: {fact.value}")
        if not holds(view.results, fact.forms):
            return _problem("what was asked for was told without looking it up", f"{fact.ask}: {fact.value}")
    return None


# So many letters has a word that says something, mostly; and so many of a page's words come up where it is told of.
_SHORTEST_TELLING_WORD = 4
_TOLD_WORDS = 2


def _tells_of_page(view: _View, fact: Fact) -> bool:
    """Tell whether the reply is about the page; saying that it is not there is, if something of it is told besides.

    What a page is about stands in the question too. So a reply that denies it has to have something that does not.
    """
    if not holds(view.reply, fact.forms):
        return False
    if not holds(view.reply, view.phrases.admissions):
        return True
    pages = " ".join(note.text for note in notes_that_hold(fact, view.before))
    said = {*words(view.question), *words(fact.ask)}
    news = {word for word in words(pages) if len(word) >= _SHORTEST_TELLING_WORD} - said
    return len(news.intersection(words(view.reply))) >= _TOLD_WORDS


def _abstain(view: _View) -> Problem | None:
    # What the system prompt says, such as the day of the week, can be said without having been told.
    inventions = [text for text in view.scenario.inventions if not holds(view.system, (text,))]
    if holds(view.question, inventions):
        return _problem("the user's message gives the answer away", view.question)
    for text in (view.reply, *(note.text for note in _new_notes(view))):
        for invention in inventions:
            if holds(text, (invention,)):
                return _problem("something that was never told is claimed", invention)
    if names := _unknown_names(view):
        return _problem("something that was never told is claimed", ", ".join(names))
    if not holds(view.reply, view.phrases.admissions):
        return _problem("the reply does not say that she was never told", view.reply)
    return None


def _new_notes(view: _View) -> list[Note]:
    return view.added(view.after.memory, view.before.memory) + view.added(view.after.diary, view.before.diary)


# A capitalised word that does not begin a sentence: in English, a name.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+\b")
_NO_NAMES = frozenset(
    word.casefold()
    for word in (
        *calendar.day_name,
        *calendar.month_name,
        *("Ada", "English", "Christmas", "Easter"),
        *("Gran", "Grandma", "Grandpa", "Granny", "Mum", "Mom", "Dad", "Aunt", "Uncle", "Mr", "Mrs", "Ms", "Dr"),
    )
)


def _unknown_names(view: _View) -> list[str]:
    """Return the names in the reply that stand nowhere else."""
    names = list(dict.fromkeys(_NAME.findall(view.reply)))
    if not names:
        return []
    asked = " ".join(f"{fact.ask} {' '.join(fact.cues)}" for fact in view.scenario.facts)
    known = {*words(view.question), *words(view.results), *words(asked), *_NO_NAMES}
    return [name for name in names if not known.issuperset(words(name))]


def _diary(view: _View) -> Problem | None:
    if problem := _told(view):
        return problem
    for fact in view.scenario.facts:
        pages = view.added(view.after.diary, view.before.diary)
        if not any(holds(page.text, fact.forms) for page in pages):
            return _problem("there is no diary page about the moment", fact.tell)
        if len(pages) > 1:
            return _problem("the moment has more than one diary page", pages[-1].text)
    return None


def _without_tools(view: _View) -> Problem | None:
    for turn in view.turns:
        for call in turn.calls:
            return _problem("a tool was called where there was nothing to remember or look up", call.label)
    return None


_CHECKS: dict[Ability, Callable[[_View], Problem | None]] = {
    Ability.SHARE: _share,
    Ability.UPDATE: _update,
    Ability.FORGET: _forget,
    Ability.RECALL: _asked,
    Ability.CONNECT: _asked,
    Ability.ABSTAIN: _abstain,
    Ability.DIARY: _diary,
    Ability.DIARY_RECALL: _asked,
    Ability.SMALLTALK: _without_tools,
    Ability.ADVICE: _without_tools,
}
