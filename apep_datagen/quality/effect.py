"""The stage `effect`: what the ability demands has happened.

What should be in the memory is known before a model speaks, because it was planned; so nobody has to be asked. What
has to be there must be recognised (`language.values`): inflected, written out, with a letter wrong. What must not be
there is looked for in its exact spellings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from apep_datagen.core.calls import MalformedCall, ToolCall, texts_in
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_english
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.language.negation import clause_texts
from apep_datagen.language.spans import Span, first_span
from apep_datagen.language.values import is_told_by_any, saying, says_what_it_is, tells
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.scenario import TELLING, Ability, Fact, Scenario
from apep_datagen.people.story import Change, notes_still_saying, notes_that_hold
from apep_datagen.quality.admissions import admits, claimed_values
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample

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
        self.change = change
        self.before = change.before
        self.after = change.after
        self.phrases = phrases
        self.system = sample.system
        self.question = "\n".join(exchange.question for exchange in sample.exchanges)
        self.reply = "\n".join(exchange.reply for exchange in sample.exchanges)
        self.exchanges = sample.exchanges
        self.turns = [turn for exchange in sample.exchanges for turn in exchange.turns]
        self.results = "\n".join(text for turn in self.turns for result in turn.results for text in texts_in(result))

    @property
    def is_english(self) -> bool:
        """Whether the conversation is in the language whose grammar is known."""
        return is_english(self.question, self.reply)

    def question_up_to_results(self, forms: tuple[str, ...] = ()) -> str:
        """Return what the user said up to the exchange with the first results, or the first that tell a value.

        All of it where there are none.
        """
        said: list[str] = []
        for exchange in self.exchanges:
            said.append(exchange.question)
            shown = [text for turn in exchange.turns for result in turn.results for text in texts_in(result)]
            if (shown and not forms) or tells("\n".join(shown), forms):
                break
        return "\n".join(said)


def _problem(reason: str, detail: str = "", quote: str = "") -> Problem:
    return Problem(Stage.EFFECT, reason, detail, quote)


def _is_kept(fact: Fact, notes: Notes) -> bool:
    """Tell whether a note, where the fact is kept, tells its value."""
    return is_told_by_any([note.text for note in notes.on(fact.shelf)], fact.forms)


def _quote(text: str, forms: tuple[str, ...]) -> str:
    """Return a form as it stands in a text, or an empty text."""
    span = first_span(text, forms)
    return span.quote if span else ""


def _told(view: _View) -> Problem | None:
    """The tester told the planned facts."""
    for fact in view.scenario.facts:
        if not tells(view.question, fact.forms):
            return _problem("the user's message does not tell what was planned", f"{fact.tell} ({fact.slot})")
    return None


def _stored(view: _View) -> Problem | None:
    """Each planned fact is in memory, once."""
    for fact in view.scenario.facts:
        if not _is_kept(fact, view.after):
            return _problem("a fact that was told is not in memory", fact.tell)
    return None


def _order_of_memory(view: _View, known: tuple[Fact, ...]) -> Problem | None:
    """What was known is still there, and nothing is there twice."""
    scenario = view.scenario
    told = [fact for fact in scenario.facts if fact.shelf == "memory"] if scenario.ability in TELLING else []
    leaving = {fact.slot for fact in scenario.facts} if scenario.ability in _LEAVING else set()
    staying = [fact for fact in known if fact.slot not in leaving]
    for fact in staying:
        if not (_is_kept(fact, view.after) or _is_replaced(fact, view)):
            return _problem("a fact that was known is gone from memory", fact.tell)
    for fact in (*staying, *told):
        stating = [note for note in notes_that_hold(fact, view.after) if _states(note, fact)]
        if len(stating) > 1 and len(stating) > len(notes_that_hold(fact, view.before)):
            return _problem("a fact is in memory twice", fact.tell, stating[-1].text)
    return None


def _is_replaced(fact: Fact, view: _View) -> bool:
    """Tell whether the user spoke of the slot and a new note does: then it is another now, though nobody planned it."""
    new = view.change.added("memory")
    return holds(view.question, fact.cues) and any(holds(note.text, fact.cues) for note in new)


# A note that says so much beside a fact says something else of it: that the dog is ill, not that it is called Bello.
_MOST_BESIDES = 1


def _states(note: Note, fact: Fact) -> bool:
    """Tell whether a note says the fact, and little else."""
    besides = telling(note.text) - content(fact.tell, fact.ask, *fact.forms, *fact.cues)
    return holds(note.text, fact.cues) and len(besides) <= _MOST_BESIDES


_LEAVING = frozenset({Ability.UPDATE, Ability.FORGET})


def _share(view: _View) -> Problem | None:
    return _told(view) or _stored(view)


def _update(view: _View) -> Problem | None:
    problem = _told(view) or _stored(view)
    replaced = view.scenario.replaced
    if problem is None and replaced is not None and (stale := _left(replaced, view)):
        problem = _problem("the old value is still in memory", stale[0].text, stale[0].text)
    return problem


def _left(fact: Fact, view: _View) -> list[Note]:
    """Return the notes that still say a fact which was to go."""
    # Where no note spoke of it in words that are known, any that holds the value counts.
    if not notes_still_saying(fact, view.before):
        return notes_that_hold(fact, view.after)
    new = view.change.added(fact.shelf)
    return notes_still_saying(fact, view.after) + [note for note in new if holds(note.text, fact.forms)]


def _forget(view: _View) -> Problem | None:
    for fact in view.scenario.facts:
        if left := _left(fact, view):
            return _problem("what was to be forgotten is still in memory", left[0].text, left[0].text)
        for note in view.change.added("diary"):
            if holds(note.text, fact.forms):
                return _problem("what was to be forgotten was written into the diary", note.text, note.text)
    return None


def _asked(view: _View) -> Problem | None:
    """What was asked about was looked up and told, and the user had not said it."""
    for fact in view.scenario.facts:
        # Once she has told it, the user may say it as well.
        asked = view.question_up_to_results(fact.forms)
        if fact.shelf == "memory" and saying(asked, fact.forms, (fact.ask, *fact.cues)):
            return _problem("the user's message gives the answer away", fact.value, _quote(asked, fact.forms))
        is_told = _tells_of_page(view, fact) if fact.shelf == "diary" else tells(view.reply, fact.forms)
        if not is_told:
            return _problem("the reply does not tell what was asked for", f"{fact.ask}: {fact.value}")
        if not tells(view.results, fact.forms):
            return _problem("what was asked for was told without looking it up", f"{fact.ask}: {fact.value}")
    return None


# So many of a page's telling words come up where it is told of.
_TOLD_WORDS = 2


def _tells_of_page(view: _View, fact: Fact) -> bool:
    """Tell whether the reply is about the page; saying that it is not there is, if something of it is told besides.

    What a page is about stands in the question too. So a reply that denies it has to have something that does not.
    """
    # A moment's forms are everyday words: what is like one of them ("breaths", "meter") may be said by chance.
    if not holds(view.reply, fact.forms):
        return False
    if not admits(view.reply, fact.ask, view.phrases.admissions):
        return True
    pages = telling(*(note.text for note in notes_that_hold(fact, view.before)))
    news = pages - content(view.question, fact.ask)
    return len(news & content(view.reply)) >= _TOLD_WORDS


def _abstain(view: _View) -> Problem | None:
    # What the system prompt says, such as the day of the week, can be said without having been told.
    inventions = tuple(text for text in view.scenario.inventions if not holds(view.system, (text,)))
    asked = " ".join(f"{fact.ask} {' '.join(fact.cues)}" for fact in view.scenario.facts)
    told_with_it = view.question_up_to_results()
    if any(saying(told_with_it, (text,), (asked,)) for text in inventions):
        return _problem("the user's message gives the answer away", told_with_it, _quote(told_with_it, inventions))
    if span := next(_invented_in(view, inventions, asked), None):
        return _problem("something that was never told is claimed", span.phrase, span.quote)
    if not view.is_english:
        return None
    known = frozenset([*words(view.system), *words(view.question), *words(view.results), *words(asked), *_NO_NAMES])
    if claimed := claimed_values(view.reply, asked, known):
        return _problem("something that was never told is claimed", ", ".join(claimed), claimed[0])
    if not admits(view.reply, asked, view.phrases.admissions):
        return _problem("the reply does not say that she was never told", view.reply, view.turns[-1].reply)
    return None


def _invented_in(view: _View, inventions: tuple[str, ...], asked: str) -> Iterator[Span]:
    """Yield where Ada says or notes one of the values that nobody told, for what was asked."""
    said = ""
    for exchange in view.exchanges:
        # After she has said that she does not know, the user may tell.
        said += f"\n{exchange.question}"
        untold = tuple(text for text in inventions if not holds(said, (text,)))
        if span := _invented(exchange.reply, untold, asked, view):
            yield span
    untold = tuple(text for text in inventions if not holds(said, (text,)))
    for note in _new_notes(view):
        if span := _invented(note.text, untold, asked, view):
            yield span


def _invented(text: str, inventions: tuple[str, ...], asked: str, view: _View) -> Span | None:
    """Return where a text says one of several values for what was asked, or None.

    What was looked up may be told, but not for what was asked: "I only have Herman, your cousin's baby". So may words
    that turn up anyway: "Will two minutes in the glove box find it?".
    """
    for invention in inventions:
        span = first_span(text, (invention,))
        if span is None:
            continue
        is_told_for_it = any(
            holds(clause, (invention,)) and (content(clause) & content(asked) or says_what_it_is(clause))
            for clause in clause_texts(text)
        )
        is_of_all_talk = not saying(text, (invention,), ())
        if is_told_for_it or not (is_of_all_talk or holds(view.results, (invention,))):
            return span
    return None


def _new_notes(view: _View) -> list[Note]:
    return view.change.added("memory") + view.change.added("diary")


# What a capital letter does not make a value of.
_NO_NAMES = frozenset(
    word.casefold()
    for word in (
        *WEEKDAYS,
        *MONTHS,
        *("Ada", "English", "Christmas", "Easter"),
        *("Gran", "Grandma", "Grandpa", "Granny", "Mum", "Mom", "Dad", "Aunt", "Uncle", "Mr", "Mrs", "Ms", "Dr"),
    )
)


def _diary(view: _View) -> Problem | None:
    if problem := _told(view):
        return problem
    for fact in view.scenario.facts:
        new = view.change.added("diary")
        pages = [page for page in new if tells(page.text, fact.forms)]
        if not pages:
            return _problem("there is no diary page about the moment", fact.tell)
        if len(pages) > 1:
            return _problem("the moment has more than one diary page", pages[-1].text, pages[-1].text)
    return None


_SPEAKS_OF_TELLING = (
    *("remember", "recall", "told you", "tell you", "i told", "i tell", "mentioned", "as i said", "remind me"),
    *("you said", "you wrote", "you noted", "your diary", "your memory", "your memories", "your notes"),
)
_GROUNDED_WORDS = 2


def _without_tools(view: _View) -> Problem | None:
    """No tool was called, unless the user reminds her of something, or told something that she keeps."""
    for turn in view.turns:
        for call in turn.calls:
            if not _is_called_for(call, view):
                return _problem("a tool was called where there was nothing to remember or look up", call.label)
    return None


def _is_called_for(call: ToolCall | MalformedCall, view: _View) -> bool:
    if not isinstance(call, ToolCall) or call.name.startswith("delete_"):
        return False
    if call.name.startswith("recall_"):
        return holds(view.question, _SPEAKS_OF_TELLING) or not view.is_english
    of_herself = not (view.is_english and _OF_THE_USER.isdisjoint(words(view.question)))
    texts = list(texts_in([call.arguments, *call.positional]))
    said = telling(view.question)
    return of_herself and bool(texts) and all(len(telling(text) & said) >= _GROUNDED_WORDS for text in texts)


_OF_THE_USER = frozenset(words("i im ive my me we our us mine"))


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
