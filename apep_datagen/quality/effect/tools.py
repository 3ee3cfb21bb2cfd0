"""Whether the calls that nobody planned were called for: the same for every ability.

A look is, wherever something of the user's own is in play. What is stored is, if the user told it of themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.core.calls import MalformedCall, ToolCall, texts_in
from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.values import is_told_by_any
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.effect.view import View, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]

_NEEDLESS = "a tool was called where there was nothing to remember or look up"
_WITHOUT_TOOLS = frozenset({Ability.SMALLTALK, Ability.ADVICE})
_SPEAKS_OF_TELLING = (
    *("remember", "recall", "told you", "tell you", "i told", "i tell", "mentioned", "as i said", "remind me"),
    *("you said", "you wrote", "you noted", "your diary", "your memory", "your memories", "your notes"),
)
# Of the telling words of a note so many stand in what the user said. An earlier version asked for two.
_GROUNDED_WORDS, _GROUNDED_WORDS_THEN = 1, 2
_OF_THE_USER = FORMS[Person.FIRST] | frozenset(words("we weve us our ours"))


def check(view: View) -> Problem | None:
    """Return a call that was made for nothing, or None."""
    for number, exchange in enumerate(view.all_exchanges):
        is_chat = view.scenario.ability in _WITHOUT_TOOLS or number < len(view.above)
        for turn in exchange.turns:
            for call in turn.calls:
                if not (_is_called_for(call, view) if is_chat else _is_grounded(call, view)):
                    return problem_of(_NEEDLESS, call.label)
    return None


def _is_called_for(call: ToolCall | MalformedCall, view: View) -> bool:
    """Tell whether a call in a chat is of use: the user speaks of their life, or tells what is kept."""
    # What was not understood is made again rightly (`execution`), and whether what is gone was spoken of is asked of
    # all (`memory`). An earlier version let neither pass in a chat.
    if not isinstance(call, ToolCall) or call.name.startswith("delete_"):
        return view.scenario.form is not None
    if call.name.startswith("recall_"):
        is_personal = view.scenario.form is not None and _is_of_the_user(view)
        return is_personal or holds(view.said, _SPEAKS_OF_TELLING) or not view.is_english
    return _is_grounded_in(call, view, telling(view.said))


def _is_grounded(call: ToolCall | MalformedCall, view: View) -> bool:
    """Tell whether what a call stores beside what was planned was told by the user, or stood in a note before.

    An earlier version did not ask.
    """
    if not isinstance(call, ToolCall) or not call.name.startswith("add_") or view.scenario.form is None:
        return True
    return _is_grounded_in(call, view, telling(view.said), view.results.splitlines())


def _is_grounded_in(call: ToolCall, view: View, told: frozenset[str], shown: Sequence[str] = ()) -> bool:
    planned = [fact.forms for fact in view.scenario.facts if fact.value or fact.shelf == "diary"]
    texts = list(texts_in([call.arguments, *call.positional]))
    unplanned = [text for text in texts if not any(is_told_by_any([text], forms) for forms in planned)]
    if texts and not unplanned:
        return True
    least = _GROUNDED_WORDS_THEN if view.scenario.form is None else _GROUNDED_WORDS
    known = told | telling(*shown)
    is_told = bool(texts) and all(len(telling(text) & known) >= least for text in unplanned)
    if not is_told or _is_of_the_user(view) or not view.is_english:
        return is_told
    # What stood in a note was told of the user then: "forget the name" leaves the rest of its note.
    return all(any(telling(text) <= telling(note) for note in shown) for text in unplanned)


def _is_of_the_user(view: View) -> bool:
    return not _OF_THE_USER.isdisjoint(words(view.said))
