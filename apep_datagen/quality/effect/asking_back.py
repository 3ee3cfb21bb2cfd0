"""What the user asks for may be either of two: Ada asks which is meant, and tells it when the user has said."""

from __future__ import annotations

import re

from apep_datagen.core.words import holds
from apep_datagen.language.content import sentences
from apep_datagen.language.values import tells
from apep_datagen.people.scenario import Fact
from apep_datagen.quality.effect.asking import NOT_TOLD
from apep_datagen.quality.effect.near_misses import around
from apep_datagen.quality.effect.view import View, given_away, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]

_WHICH = re.compile(r"\b(?:which|whose|who)\b", re.IGNORECASE)
# "Which one", "which of them", "who do you mean"; but not "which cake will it be".
_OF_TWO = ("one", "ones", "of them", "of the two", "of your", "mean", "meant", "both", "two", "you're after", "in mind")
_TELL_ME = (
    "tell me",
    "let me know",
    "say",
    "remind me",
    "need to know",
    "not sure",
    "don't know",
    "can't tell",
    "depends",
)


def check(view: View) -> Problem | None:
    """She looked both up and asked which is meant, instead of telling one as if it were the only one."""
    facts = view.scenario.facts
    asked, reply = view.exchanges[0].question, view.exchanges[0].reply
    named = [fact for fact in facts if holds(asked, (fact.which,))]
    if named and len(named) < len(facts):
        return problem_of("the user's message says already which is meant", named[0].which, named[0].which)
    for fact in facts:
        if problem := given_away(view, fact):
            return problem
        if not tells(view.results, fact.forms):
            return problem_of("Ada did not look up what could be meant", f"{fact.ask}: {fact.which} {fact.value}")
    if quote := _told_alone(reply, facts):
        return problem_of("the reply tells one of two though it is not known which is meant", reply, quote)
    if not any(_asks_which(sentence, facts) for sentence in sentences(reply)):
        return problem_of("the reply does not ask which is meant", reply, view.exchanges[0].turns[-1].reply)
    return _answered(view)


def _told_alone(reply: str, facts: tuple[Fact, ...]) -> str:
    """Return the sentence that tells a value without saying whose it is, or the value of one alone."""
    is_one = len([fact for fact in facts if tells(reply, fact.forms)]) == 1
    for fact in facts:
        others = tuple(form for other in facts if other is not fact for form in other.forms)
        for sentence in sentences(reply):
            if not tells(sentence, fact.forms):
                continue
            is_told_apart = not fact.which or holds(around(sentence, fact.forms, others), (fact.which,))
            if is_one or not is_told_apart:
                return sentence
    return ""


def _asks_which(sentence: str, facts: tuple[Fact, ...]) -> bool:
    """Tell whether a sentence asks which of two is meant: by both names, or by "which"."""
    is_question = sentence.rstrip(" )*_\"”'").endswith("?")
    names = [fact.which for fact in facts if fact.which]
    if is_question and names and all(holds(sentence, (name,)) for name in names):
        return True
    if not _WHICH.search(sentence) or not (is_question or holds(sentence, _TELL_ME)):
        return False
    if holds(sentence, ("whose",)):
        return True
    cues = tuple(cue for fact in facts for cue in fact.cues)
    return holds(sentence, (*_OF_TWO, *cues, *names))


def _answered(view: View) -> Problem | None:
    """Find that the user has said which, and the reply to it does not tell that one's value."""
    facts = view.scenario.facts
    for place, exchange in enumerate(view.exchanges[1:], start=1):
        chosen = [fact for fact in facts if holds(exchange.question, (fact.which,))]
        if len(chosen) != 1:
            continue
        # Where she told both as she asked, she need not say it again.
        replies = "\n".join(later.reply for later in (view.exchanges[0], *view.exchanges[place:]))
        if not tells(replies, chosen[0].forms):
            return problem_of(
                NOT_TOLD, f"{chosen[0].ask}: {chosen[0].which} {chosen[0].value}", exchange.turns[-1].reply
            )
    return None
