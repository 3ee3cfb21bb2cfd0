"""What the user asks for may be either of two: Ada asks which is meant, and tells it when the user has said."""

from __future__ import annotations

import re

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_function_word, sentences, stem
from apep_datagen.language.negation import clause_texts
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.questions import is_question
from apep_datagen.language.values import says_what_it_is, tells
from apep_datagen.people.scenario import Fact
from apep_datagen.people.story import notes_that_hold
from apep_datagen.quality.effect.asking import NOT_TOLD
from apep_datagen.quality.effect.near_misses import around
from apep_datagen.quality.effect.view import View, given_away, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]

_WHICH = re.compile(r"\b(?:which|whose|who)\b", re.IGNORECASE)
# "Which one", "which of them", "who do you mean"; but not "which cake will it be".
_OF_TWO = ("one", "ones", "of them", "of the two", "of your", "mean", "meant", "both", "two", "you're after", "in mind")
# Where both have been told: "Is it the small one you're after?".
_MEANING = ("you mean", "you meant", "you're after", "you are after", "in mind")
# … and "Which is it today?", "268 or 349, so which gate are you at?"; but not "349, which is upstairs".
_WHICH_OF_TOLD = re.compile(
    r"(?:\A|[;:–—]|\s-\s|\b(?:so|and|but|or|tell me|let me know|say)\b)\W*"  # noqa: RUF001 - dashes
    r"(?:(?:for|to|at|in|of)\s+)?which\b\s*(?P<of>[\w'’]*)(?P<asked>.*)",  # noqa: RUF001 - as typeset
    re.IGNORECASE | re.DOTALL,
)
# "Which will she like better, nuts or marzipan?" asks something else.
_OF_ELSE = FORMS[Person.HE_OR_SHE] | FORMS[Person.THEY] | {"or"}
# "There are two in my notes. Which do you need?"
_SEVERAL = ("two", "both", "more than one", "several", "a couple")
# "If it's Jana, …", "For 3 June …".
_SUPPOSES = re.compile(r"\A\W*(?:if|for|in case)\b", re.IGNORECASE)
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
    asks = any(_asks_which(sentence, facts) for sentence in sentences(reply))
    if not (asks or _asks_which_of_several(reply, facts) or _tells_both_and_asks(view, reply)):
        return problem_of("the reply does not ask which is meant", reply, view.exchanges[0].turns[-1].reply)
    return _answered(view)


def _told_alone(reply: str, facts: tuple[Fact, ...]) -> str:
    """Return the sentence that tells a value without saying whose it is, or the value of one alone."""
    is_one = len([fact for fact in facts if tells(reply, fact.forms)]) == 1
    for fact in facts:
        others = tuple(form for other in facts if other is not fact for form in other.forms)
        naming = [sentence for sentence in sentences(reply) if tells(sentence, fact.forms)]
        for place, sentence in enumerate(naming):
            is_told_apart = not fact.which or holds(around(sentence, fact.forms, others), (fact.which,))
            # Whose it is need not be said again.
            if is_one or not (is_told_apart or (place > 0 and _comes_back_to(sentence, fact, facts))):
                return sentence
    return ""


def _comes_back_to(sentence: str, fact: Fact, facts: tuple[Fact, ...]) -> bool:
    """Tell whether a sentence supposes that it is one of two, and has a value in it that it does not give for it.

    "For 3 June I'd bake early" does; "If you ask me, 3 June" and "If it's Jana, then 17 May" do not.
    """
    others = tuple(each.which for each in facts if each.which and each is not fact)
    both = (*fact.forms, fact.which, *others)
    clauses = clause_texts(sentence)
    if not _SUPPOSES.search(sentence) or not holds(clauses[0], both):
        return False
    holding = [clause for clause in clauses if tells(clause, fact.forms)]
    return bool(holding) and not any(
        says_what_it_is(clause) or holds(clause, others) or content(clause) <= content(*both) for clause in holding
    )


def _asks_which(sentence: str, facts: tuple[Fact, ...]) -> bool:
    """Tell whether a sentence asks which of two is meant: by both names, or by "which"."""
    names = [fact.which for fact in facts if fact.which]
    if is_question(sentence) and names and all(holds(sentence, (name,)) for name in names):
        return True
    if not _WHICH.search(sentence) or not (is_question(sentence) or holds(sentence, _TELL_ME)):
        return False
    if holds(sentence, ("whose",)):
        return True
    cues = tuple(cue for fact in facts for cue in fact.cues)
    return holds(sentence, (*_OF_TWO, *cues, *names))


def _asks_which_of_several(reply: str, facts: tuple[Fact, ...]) -> bool:
    """Tell whether a reply that speaks of several asks by "which" alone: "Which do you need?", "Which would it be?"."""
    names = [fact.which for fact in facts if fact.which]
    if not (holds(reply, _SEVERAL) or (names and all(holds(reply, (name,)) for name in names))):
        return False
    for sentence in sentences(reply):
        match = _WHICH_OF_TOLD.search(sentence) if is_question(sentence) or holds(sentence, _TELL_ME) else None
        asked = f"{match['of']} {match['asked']}" if match else ""
        if match and _OF_ELSE.isdisjoint(words(asked)) and not telling(asked):
            return True
    return False


def _tells_both_and_asks(view: View, reply: str) -> bool:
    """Tell whether a reply that tells all values, each apart, asks in whatever words which is meant.

    By "which" alone ("Which is it today?"), by something that their notes speak of ("Which gate are you at?"), or
    whether it is the one ("Is it Jana's you're after?").
    """
    facts = view.scenario.facts
    if not all(tells(reply, fact.forms) for fact in facts):
        return False
    names = tuple(fact.which for fact in facts if fact.which)
    spoken_of = telling(*(note.text for fact in facts for note in notes_that_hold(fact, view.before)))
    for question in filter(is_question, sentences(reply)):
        if holds(question, _MEANING) and holds(question, names):
            return True
        match = _WHICH_OF_TOLD.search(question)
        if match is None or holds(match["asked"], names) or not _OF_ELSE.isdisjoint(words(match["asked"])):
            continue
        if all(is_function_word(word) or stem(word) in spoken_of for word in words(match["of"])):
            return True
    return False


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
