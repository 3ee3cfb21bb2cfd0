"""Whether a text leaves something out, or warns of it: "without sesame", "sesame-free", "I'd skip the walnuts"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from apep_datagen.core.words import words
from apep_datagen.language.content import is_function_word, sentences, stem
from apep_datagen.language.negation import clause_texts, is_negated
from apep_datagen.language.spans import first_span
from apep_datagen.language.values import tells

__all__ = ["not_left_out"]


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


# With what one says that something is not to be there, or is not liked. English has few more.
_LEAVING_OUT = _stems("""
    without free avoid avoiding skip leave left omit drop swap replace trade substitute substitution instead except
    minus careful beware check ask whether label wary mind warn hide hidden lurk sneak trace contain out off away
    aside rid clear ban banned forbidden taboo dislike hate loathe detest disagree unsafe safe spare rather refuse steer
    dodge worry nowhere far fewer
""")
# What it does to whom it harms; that may be said anywhere in the sentence.
_HARM = _stems("""
    allergic allergy allergies allergen intolerant intolerance react reaction harm poison danger dangerous risk itch
    itchy swell swells swollen rash sick ill hurt hurts trouble hospital bad throat sneeze
    afraid scared fear phobia
""")
# "Swap the almonds for walnuts", "walnuts instead of almonds": what comes in is not left out.
_COMING_IN = re.compile(
    r"\b(?:swap|replac|substitut|trad|exchang|chang)\w*\b.*\b(?:for|with|by|to)\s+(?:[\w'’]+\s+){0,2}\Z",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)
_IN_STEAD_OF = re.compile(r"\A\W*(?:instead\s+of|rather\s+than|in\s+place\s+of)\b", re.IGNORECASE)
_BEFORE_IT = re.compile(
    r"\bin\s+place\s+of\b|\b(?:everything|everywhere|anything|anywhere|nothing|nowhere|all|none|(?:any|every)(?:\s+\w+)?)\s+but\s+(?:\w+\s+)?\Z",
    re.IGNORECASE,
)
# "Kind to your right knee"; but who goes easy on the sesame has some.
_SPARED = re.compile(r"(?<!\bgo )\b(?:kind|gentle|easy)\s+(?:to|on)\s+your\s+(?:\w+\s+)?\Z", re.IGNORECASE)
_WIDE_BERTH = re.compile(
    r"\bwide\s+berth\b|\bgiv(?:e|ing)\b.*\ba\s+miss\b|\bwatch(?:ing)?\s+(?:out\s+)?for\b", re.IGNORECASE
)
# "Check the sauce" warns, "check out the film" recommends.
_CHECK_OUT = re.compile(r"\bcheck(?:ing)?\s+out\b", re.IGNORECASE)
# "It usually has walnuts, but I'd use oats."
_BUT_NOT_SO = re.compile(r"\bbut\s+(?:i|we|you|yours|mine|ours|not|let|here|for\s+you)\b", re.IGNORECASE)
# "Leave out the butterfly house, where there may be moths", "no cake, she bakes makowiec": it says what is, and what is
# left out because of it stands beside it. "Skip the soup and have the fish" says what is to be.
_SAYS_WHAT_IS = re.compile(
    r"\A\W*(?:(?:and|as|because|since|where|for|in\s+case)\s+)?(?:(?:there|she|he|they)\b|it\s+(?!is\b|was\b))",
    re.IGNORECASE,
)
_THERE_IS = re.compile(r"\bthere(?:['’](?:s|ll)|\s+(?:is|are|will|may|might))\b", re.IGNORECASE)  # noqa: RUF001 - as typeset
# "I'd leave out the zoo, or at least the corner with the buffaloes"; but not "skip the soup, or have the fish".
_OR_AT_LEAST = re.compile(
    r",?\s+or\s+(?:at\s+least|even|rather)\s+(?=(?:the|an?|any|your|his|her|their)\b)", re.IGNORECASE
)
# What is to be there, however often it was said that it is not to be.
_BRINGS_IN = re.compile(
    r"\b(?:try|have|get|take|buy|bring|bake|cook|make|add|use|choose|pick|go\s+for|(?:how|what)\s+about|recommend|suggest"
    r"|best|perfect|ideal|love)\b",
    re.IGNORECASE,
)
# A clause of so few words lists one thing more: "no almonds, walnuts or pecans".
_LONGEST_ITEM = 3
_IN_COMPOUND = re.compile(r"(?<=\w)-(?=free\b)", re.IGNORECASE)
# Stands for the thing while its sentence is read: its own words, as in "Out of Africa", leave nothing out.
_THE_THING = "thatverything"


def not_left_out(text: str, forms: Iterable[str]) -> str:
    """Return the first sentence that names a thing and neither denies it, leaves it out nor warns of it.

    An empty text where there is none. What a clause says holds for the items of a list that goes on behind it ("no
    almonds, walnuts or pecans"), and for one that is named alone before it ("Sesame: not in this kitchen"). Once it has
    been left out it may be spoken of: "any day but Monday. … With Monday gone, you have the rest of the week".

    Args:
        text: What is said.
        forms: Spellings of the thing.
    """
    forms = tuple(forms)
    if not tells(text, forms):
        return ""
    is_left_out = False
    for sentence in sentences(_OR_AT_LEAST.sub(" ", _IN_COMPOUND.sub(" ", text))):
        if not tells(sentence, forms):
            continue
        if _is_left_out_of(_unnamed(sentence, forms), (_THE_THING, *forms)):
            is_left_out = True
        elif not is_left_out or _brings_in(sentence, forms):
            return sentence
    return ""


def _brings_in(sentence: str, forms: tuple[str, ...]) -> bool:
    holding = [clause for clause in clause_texts(sentence) if tells(clause, forms)] or [sentence]
    return any(_BRINGS_IN.search(_around(clause, forms)[0]) for clause in holding)


def _unnamed(sentence: str, forms: Iterable[str]) -> str:
    """Return a sentence with one word in the place of the thing, wherever it is spelled as one of its forms."""
    for form in sorted(forms, key=len, reverse=True):
        read, rest = "", sentence
        while (span := first_span(rest, (form,))) and span.quote:
            read, rest = f"{read}{span.before}{_THE_THING}", span.after
        sentence = f"{read}{rest}"
    return sentence


def _is_left_out_of(sentence: str, forms: tuple[str, ...]) -> bool:
    before, after = _around(sentence, forms)
    if not _HARM.isdisjoint(_stems(sentence)):
        return True
    if _BEFORE_IT.search(before) or _SPARED.search(before) or _BUT_NOT_SO.search(after):
        return True
    said = clause_texts(sentence)
    holding = [place for place, clause in enumerate(said) if tells(clause, forms)]
    # The words of a name may stand in two clauses: "salt, and vinegar".
    return all(_is_left_out(said, place, forms) for place in holding) if holding else _leaves_out(sentence, forms)


def _is_left_out(said: Sequence[str], place: int, forms: tuple[str, ...]) -> bool:
    if _leaves_out(said[place], forms):
        return True
    says_what_is = _SAYS_WHAT_IS.match(said[place]) or _THERE_IS.search(_around(said[place], forms)[0])
    if says_what_is and any(map(_leaves_out, said[:place])):
        return True
    if not _is_item(said[place]):
        return False
    listed = [*takewhile(_is_bare_item, reversed(said[:place]))]
    governing = place - len(listed) - 1
    if governing >= 0:
        return _leaves_out(said[governing])
    before, after = _around(said[place], forms)
    is_named_alone = all(map(is_function_word, words(f"{before} {after}")))
    return is_named_alone and place + 1 < len(said) and _leaves_out(said[place + 1])


def _is_item(clause: str) -> bool:
    return len(words(clause)) <= _LONGEST_ITEM


def _is_bare_item(clause: str) -> bool:
    return _is_item(clause) and not _leaves_out(clause)


def _leaves_out(clause: str, forms: tuple[str, ...] = ()) -> bool:
    """Tell whether a clause leaves something out: the thing with these forms, if it names it."""
    before, after = _around(clause, forms)
    if forms and _COMING_IN.search(before):
        return False
    if forms and _IN_STEAD_OF.search(after):
        clause = before
    clause = _CHECK_OUT.sub(" ", clause)
    return is_negated(clause) or _WIDE_BERTH.search(clause) is not None or not _LEAVING_OUT.isdisjoint(_stems(clause))


def _around(text: str, forms: tuple[str, ...]) -> tuple[str, str]:
    """Return what stands before and behind the thing; all of it where it is spelled otherwise."""
    span = first_span(text, forms) if forms else None
    return (span.before, span.after) if span else (text, text)
