"""A conversation as the checks look at it, and what several of them ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.markup import is_error
from apep_datagen.core.notebook import Note, Notes, ShelfName
from apep_datagen.language.content import is_english
from apep_datagen.language.spans import first_span
from apep_datagen.language.values import is_told_by_any, saying, tells
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.scenario import Fact, Form, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, told_in

__all__ = ["LOOKING_UP", "View", "given_away", "is_kept", "problem_of", "quote_of"]

LOOKING_UP: dict[ShelfName, str] = {"memory": "recall_memories", "diary": "recall_diary"}
"""The tool that shows what is on a shelf."""


class View:
    """A conversation, with the exchange in which its ability comes.

    Attributes:
        scenario: What it was to be about.
        change: What was known, and what it has changed.
        phrases: By what an admission is recognised.
        system: The system prompt.
        above: The exchanges before the ability comes: small talk of the same chat.
        exchanges: The one in which it comes, and those after it.
        question: What the user says in these.
        reply: What Ada replies in these.
        turns: All turns of the conversation.
        results: All that was shown in the conversation.
    """

    def __init__(self, sample: Sample, scenario: Scenario, change: Change, phrases: Phrases) -> None:
        self.scenario = scenario
        self.change = change
        self.phrases = phrases
        self.system = sample.system
        # Where a conversation has fewer exchanges than planned, the last one has to show it.
        begins = min(scenario.place, len(sample.exchanges)) - 1
        self.above = sample.exchanges[:begins]
        self.exchanges = sample.exchanges[begins:]
        self.question = "\n".join(exchange.question for exchange in self.exchanges)
        self.reply = "\n".join(exchange.reply for exchange in self.exchanges)
        self.turns = [turn for exchange in sample.exchanges for turn in exchange.turns]
        self.results = "\n".join(_shown_in(self.turns))
        self._new = {shelf: change.added(shelf) for shelf in LOOKING_UP}
        self._gone = {shelf: change.removed(shelf) for shelf in LOOKING_UP}

    @property
    def all_exchanges(self) -> tuple[SavedExchange, ...]:
        """The whole conversation."""
        return (*self.above, *self.exchanges)

    @property
    def said(self) -> str:
        """All that the user says in the conversation."""
        return "\n".join(exchange.question for exchange in self.all_exchanges)

    @property
    def before(self) -> Notes:
        """Memory and diary before the conversation."""
        return self.change.before

    @property
    def after(self) -> Notes:
        """Memory and diary after it."""
        return self.change.after

    def new_on(self, shelf: ShelfName) -> list[Note]:
        """Return the notes of one kind that were not there before the conversation."""
        return self._new[shelf]

    def gone_from(self, shelf: ShelfName) -> list[Note]:
        """Return the notes of one kind that are not there any more after it."""
        return self._gone[shelf]

    @property
    def is_english(self) -> bool:
        """Whether the conversation is in the language whose grammar is known."""
        return is_english(self.question, self.reply)

    @property
    def thoughts(self) -> Iterator[str]:
        """Ada's thoughts from the exchange on in which the ability comes."""
        return (turn.thinking for exchange in self.exchanges for turn in exchange.turns)

    def has_looked(self, shelf: ShelfName) -> bool:
        """Tell whether she was shown what is on a shelf, anywhere in the conversation."""
        return any(_shows(turn, shelf) for turn in self.turns)

    def looked_before_storing(self, facts: Iterable[Fact]) -> bool:
        """Tell whether she was shown her memory before she stored any of these facts in it."""
        forms = [fact.forms for fact in facts]
        for turn in self.turns:
            for call in turn.calls:
                if isinstance(call, ToolCall) and call.name == "add_memory":
                    stored = list(texts_in(call.arguments))
                    if any(is_told_by_any(stored, spelled) for spelled in forms):
                        return False
            if _shows(turn, "memory"):
                return True
        return True

    def question_up_to_results(self, forms: tuple[str, ...] = ()) -> str:
        """Return what the user said up to the exchange with the first results that tell a value; else all of it.

        Without a value, up to the first results from the exchange on in which the ability comes. What was to be told
        above is not looked at.
        """
        said = [] if self.scenario.form is Form.SAID_ABOVE else [exchange.question for exchange in self.above]
        if tells("\n".join(_shown_in(turn for exchange in self.above for turn in exchange.turns)), forms):
            return "\n".join(said)
        for exchange in self.exchanges:
            said.append(exchange.question)
            shown = _shown_in(exchange.turns)
            if (shown and not forms) or tells("\n".join(shown), forms):
                break
        return "\n".join(said)


def _shown_in(turns: Iterable[SavedTurn]) -> list[str]:
    return [text for turn in turns for text in told_in(turn.results)]


def _shows(turn: SavedTurn, shelf: ShelfName) -> bool:
    return any(
        isinstance(call, ToolCall) and call.name == LOOKING_UP[shelf] and not is_error(result)
        for call, result in zip(turn.calls, turn.results, strict=True)
    )


def problem_of(reason: str, detail: str = "", quote: str = "") -> Problem:
    """Return a problem of this stage."""
    return Problem(Stage.EFFECT, reason, detail, quote)


def is_kept(fact: Fact, notes: Iterable[Note]) -> bool:
    """Tell whether any of these notes tells the value of a fact."""
    return is_told_by_any([note.text for note in notes], fact.forms)


def quote_of(text: str, forms: tuple[str, ...]) -> str:
    """Return a form as it stands in a text, or an empty text."""
    span = first_span(text, forms)
    return span.quote if span else ""


def given_away(view: View, fact: Fact) -> Problem | None:
    """Find what Ada is to look up in what the user says before she has; afterwards the user may say it as well."""
    asked = view.question_up_to_results(fact.forms)
    if fact.shelf == "memory" and (quote := saying(asked, fact.forms, (fact.ask, *fact.cues))):
        quote = quote_of(asked, fact.forms) or quote
        return problem_of("the user's message gives the answer away", fact.value, quote)
    return None
