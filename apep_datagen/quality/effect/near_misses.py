"""Whether a text gives for the answer what is the answer to something else, or was so once.

A near miss may be named as what it is: "your brother's is Dr Hale". Then it stands with a word that tells it apart, one
that its note has and the question has not, and not between such a word and the right value: "your brother's is Dr Hale,
yours Dr Anand" tells both rightly, the other way round neither. A word that turns up in any talk tells nothing apart by
itself; a friend who has the thing does, and so do two such words that stand together, as in "name day".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from apep_datagen.core.words import ISO_DAY, holds, ngrams, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_function_word, sentences, stem
from apep_datagen.language.negation import clause_texts, is_negated
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.questions import leaves_open
from apep_datagen.language.spans import first_span
from apep_datagen.language.values import saying, tells
from apep_datagen.people.scenario import Fact
from apep_datagen.people.story import notes_that_hold
from apep_datagen.quality.effect.view import View

__all__ = ["around", "tells_apart", "told_as_present", "told_for_it"]

_OF_OTHERS = FORMS[Person.HE_OR_SHE] | FORMS[Person.THEY]
_OTHER = frozenset(words("other another somebody someone different similar"))
# What was so once. A bare "was" is no witness for something else: "I think it was Dr Hale".
_ONCE = re.compile(
    r"\b(?:used to|formerly|former|earlier|before|previous(?:ly)?|old|ago|back then|until|till|once|last|no longer"
    r"|any ?more|ex|then|originally|at first|first|years?|months?|past)\b",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    rf"{_ONCE.pattern}|\b(?:was|were|had|been|went|gave up|took over|after|from|since|left|instead of"
    rf"|replac\w+|follow\w*|succe\w+|history|\w{{3,}}ed)\b",
    re.IGNORECASE,
)
# Every eighth note of a near miss is about a friend's, and a quarter of those have no rarer word of their own. But a
# friend is spoken of in any talk ("a friend to every tooth"): it has to be said whose it is, or what they have.
_FRIEND, _THE_USER = stem("friend"), stem("user")
_OF_A_FRIEND = re.compile(r"\bfriend(?:['’]s| of yours| (?:is|has|had|goes))\b", re.IGNORECASE)  # noqa: RUF001 - as typeset

# "So, Dr Hale then" gives it, "as 25 January will be" does not.
_LEAST_SAID_OF_IT = 3
_OF_WHAT_WAS_ASKED = frozenset(words("it it's that that's this yours you your you're"))

# "The only place I have near him is …": what is not there, is not it.
_ALL_THERE_IS = re.compile(r"\b(?:the only|only thing|nearest|closest|all (?:that )?i have)\b", re.IGNORECASE)


def told_for_it(view: View, texts: Iterable[str], asked: Fact) -> tuple[Fact, str] | None:
    """Return a near miss that texts give for what was asked, with the sentence; None where they do not.

    Args:
        view: The conversation.
        texts: Replies, or notes.
        asked: What was asked for; without a value where Ada does not have it.
    """
    for text in texts:
        for other in view.scenario.beside:
            if quote := _told_for(view, text, other, asked):
                return other, quote
    return None


def told_as_present(text: str, earlier: Fact, asked: Fact) -> str:
    """Return the sentence of a text that tells an earlier state as if it were so still, or an empty text."""
    for sentence in sentences(text):
        if not _says(sentence, earlier, asked):
            continue
        said = around(sentence, earlier.forms, asked.forms, in_whole_clauses=True)
        if not (_speaks_of_before(_NOT_NOW, said, asked, earlier) or _is_denied(said, earlier)):
            return sentence
    return ""


def around(sentence: str, forms: tuple[str, ...], others: tuple[str, ...], *, in_whole_clauses: bool = False) -> str:
    """Return what a sentence says of a value: the words around it, up to other values.

    Args:
        sentence: The sentence.
        forms: Spellings of the value.
        others: Spellings of the other values.
        in_whole_clauses: Whether the clause behind it that holds another value says nothing of this one: "Dr Hale, and
            you used to go to Dr Anand".
    """
    span = first_span(sentence, forms)
    if span is None:
        return sentence
    before, after = span.before, span.after
    while others and (cut := first_span(before, others)) and cut.quote:
        before = cut.after
    if others and (cut := first_span(after, others)):
        after = cut.before
        if in_whole_clauses and (clauses := clause_texts(after)):
            after = after[: after.rindex(clauses[-1])]
    return f"{before}{span.quote}{after}"


def _told_for(view: View, text: str, other: Fact, asked: Fact) -> str:
    if not saying(text, other.forms, (asked.ask, *asked.cues)):
        return ""
    said = sentences(text)
    is_told_apart, is_answered = False, False
    notes = notes_that_hold(other, view.before)
    was_once = any(_speaks_of_before(_ONCE, note.text, asked, other) for note in notes)
    for before, sentence, following in zip(["", *said[:-1]], said, [*said[1:], ""], strict=True):
        was_answered, is_answered = is_answered, is_answered or tells(sentence, asked.forms, (asked.ask,))
        if not _says(sentence, other, asked):
            continue
        near = around(sentence, other.forms, asked.forms)
        if _is_denied(near, other) or _is_of_another(near):
            continue
        # "Ask your brother. He has Dr Hale."
        with_it = (following,) if _OF_OTHERS.isdisjoint(words(sentence)) else (before, following)
        if tells_apart(view, other, asked, near, *with_it):
            is_told_apart = True
            continue
        if is_told_apart and _comes_back_to(near, other, asked):
            continue
        if was_answered and not _of_its_notes(view, other, asked).isdisjoint(content(near)):
            continue
        if was_once and _speaks_of_before(_ONCE, near, asked, other):
            continue
        if not asked.value and _ALL_THERE_IS.search(sentence):
            continue
        return sentence
    return ""


def _comes_back_to(said: str, other: Fact, asked: Fact) -> bool:
    """Tell whether what was told apart is named once more, and not given for what was asked.

    "The one I have is your godchild's, 25 January. … It's a Monday again, as 25 January will be."
    """
    holding = [clause for clause in clause_texts(said) if holds(clause, other.forms)]
    return content(said).isdisjoint(content(asked.ask, *asked.cues) - content(*other.forms)) and not any(
        not _OF_WHAT_WAS_ASKED.isdisjoint(words(clause))
        or len(words(clause)) - len(words(other.value)) < _LEAST_SAID_OF_IT
        for clause in holding
    )


def _of_its_notes(view: View, other: Fact, asked: Fact) -> frozenset[str]:
    """Return the words that notes have of a near miss alone: behind the answer any of them says what it is."""
    return content(*_notes_without_days(view, other)) - _not_its_own(other, asked)


def _notes_without_days(view: View, other: Fact) -> list[str]:
    """Return the notes of a near miss; two dates may have the year in common."""
    return [ISO_DAY.sub(" ", note.text) for note in notes_that_hold(other, view.before)]


def _not_its_own(other: Fact, asked: Fact) -> frozenset[str]:
    """Return the words that do not tell a near miss apart: those of what was asked for, and of its own value."""
    return content(asked.tell, asked.ask, *asked.cues, *asked.forms, *other.forms) | {_THE_USER}


def _says(sentence: str, fact: Fact, asked: Fact) -> bool:
    """Tell whether a sentence says a value, and does not only ask for it."""
    return not leaves_open(sentence) and bool(saying(sentence, fact.forms, (asked.ask, *asked.cues)))


def tells_apart(view: View, other: Fact, asked: Fact, *texts: str) -> bool:
    """Tell whether texts say of a near miss what it is, in words of its notes and not of what was asked for."""
    about_it = (other.tell, other.ask, other.which, *_notes_without_days(view, other))
    not_its_own = _not_its_own(other, asked)
    if not (telling(*about_it) - not_its_own).isdisjoint(content(*texts)):
        return True
    if _FRIEND in content(*about_it) - not_its_own and any(map(_OF_A_FRIEND.search, texts)):
        return True
    its_pairs = {pair for text in about_it for pair in _side_by_side(text) if not_its_own.isdisjoint(pair)}
    return any(not its_pairs.isdisjoint(_side_by_side(text)) for text in texts)


def _side_by_side(text: str) -> list[tuple[str, str]]:
    """Return the stems of each two content words that stand side by side in a text."""
    neighbours = ngrams(words(text), 2)
    return [(stem(one), stem(two)) for one, two in neighbours if not (is_function_word(one) or is_function_word(two))]


def _is_of_another(said: str) -> bool:
    """Tell whether somebody or something else is spoken of: "the other one is Dr Hale"; but not "I have no other"."""
    return any(not (_OTHER.isdisjoint(words(clause)) or is_negated(clause)) for clause in clause_texts(said))


def _speaks_of_before(pattern: re.Pattern[str], text: str, asked: Fact, other: Fact) -> bool:
    """Tell whether a text says that something is past, in other words than those of what was asked for: "my ex".

    Nor in those of the values: "smoked trout" is no past.
    """
    texts = (asked.ask, *asked.cues, *asked.forms, *other.forms)
    own = {word for text in texts for word in words(text)}
    return any(not own.issuperset(words(match[0])) for match in pattern.finditer(text))


def _is_denied(said: str, fact: Fact) -> bool:
    return any(holds(clause, fact.forms) and is_negated(clause) for clause in clause_texts(said))
