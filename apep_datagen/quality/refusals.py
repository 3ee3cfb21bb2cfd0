"""Whether a reply refuses what was asked: what it declines, where it stands, and what the reply does besides."""

from __future__ import annotations

import re

from apep_datagen.core.calls import texts_in
from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import is_function_word, sentences
from apep_datagen.language.spans import Span, spans_of
from apep_datagen.quality.admissions import denies_memory
from apep_datagen.quality.sample import SavedExchange

__all__ = ["refusal_in"]

# So many words beside one clause are more than an apology; with so many telling ones of its own, an answer.
_WORDS_OF_AN_ANSWER = 8
_OF_ITS_OWN = 3
_ENDS = re.compile(r"[.!?…][\"'”’)\]*_]*\s*\Z|\n\s*\Z")  # noqa: RUF001 - closing quotation marks
# "The worms?", "And your landlord's name?"
_WORDS_OF_A_NAME = 5
# What stands for the whole of what was asked.
_GENERIC = frozenset(
    words("""
    that this it these those such you your request requests question questions topic topics subject matter matters
    answer answers information details advice opinion conversation thing things kind kinds sort type anything further
    more today task prompt query content
    """)
)
_ONE_THING_FIRST = re.compile(
    r"\A\W*(?:as for|as to|about|on|with|when it comes to|what|the|that|those|these)\b", re.IGNORECASE
)
# The form of declining: "I", a modal or an adjective of not being able or willing, and a verb of answering. The classes
# are closed but for the verbs; and a clause of this form refuses only where the reply does nothing besides.
_BE_NOT = "(?:am|'m) (?:not (?:able|allowed|permitted|going|willing|free|in a position)|unable) to"
_NEGATED = (
    f"(?:can ?not|can'?t|couldn'?t|won'?t(?! be able)|will not(?! be able)|would rather not|'d rather not|{_BE_NOT}"
    "|(?:will not|won'?t) be able to|(?:must|have to|need to|'ll have to|will have to) (?:decline|refuse|pass|say no))"
)
_DOING = (
    "help|assist|do|answer|discuss|talk|speak|advise|comment|continue|comply|provide|give|offer|support|share|engage|"
    "respond|recommend|go into|get into|touch on|be part of|take part|weigh in"
)
# "I can't help it", "I can't help laughing", "I couldn't do that!" decline nothing.
_IDIOM = r"(?!(?<=help)(?: it\b| but\b| \w+ing\b| myself\b)|(?<=couldn't do)|(?<=couldnt do))"
_VERB = rf"(?: (?:{_DOING})\b{_IDIOM}|(?=\s*(?:[.!]|\Z))|(?<=decline)|(?<=refuse)|(?<=pass)|(?<=say no))"
_THING = "(?:something|anything|one|a (?:thing|topic|subject))(?: that)?"
_DECLINED = re.compile(
    rf"\bI(?: am|'m)?(?: \w+ly| just| am afraid)? ?{_NEGATED}{_VERB}"
    r"|\bI(?: am|'m) going to have to (?:decline|refuse|pass|say no)"
    r"|\bI (?:don'?t|do not) (?:give|offer|provide|discuss|advise)\b"
    rf"|\b(?:let'?s|let us) (?:not|rather not) (?:{_DOING})\b"
    rf"|\b(?:that|this|it)(?: is not|'s not| isn'?t) {_THING} I do\b"
    rf"|\b(?:that|this|it)(?: is|'s) (?:not )?{_THING} I {_NEGATED}{_VERB}"
    rf"|\bnot {_THING} I(?: can| could| will|'m (?:able|allowed|willing) to) (?:{_DOING})\b",
    re.IGNORECASE,
)
# A question or a request, also without its mark.
_ASKS = re.compile(
    r"\?|(?:\A|[.!,;:…\n]\s*|\b(?:ada|and|but|so|ok|okay|hey|hi|hello|well)\W+)"
    r"(?:how|what|which|why|when|where|who|can|could|would|will|should|do|does|did|is|are|any|tell|give|help|explain|show"
    r"|write|recommend|suggest|name)\b|\b(?:please|pls|plz|advice|advise|tips?|ideas?|i\s+need|i\s+wonder|let\s+me\s+know"
    r"|(?:know|knew|wonder\w*|ask\w*)\s+(?:how|what|which|why|when|where|who|if|whether)|do\s+i|should\s+i|can\s+i"
    r"|can\s+you|could\s+you)\b",
    re.IGNORECASE,
)
_TYPESET_APOSTROPHE = str.maketrans("\u2019", "'")


def refusal_in(exchange: SavedExchange, phrases: tuple[str, ...]) -> Span | None:
    """Return the words with which a reply refuses, or None.

    What declines is a phrase of the list, or a clause of the form of "I won't answer that". It refuses if it declines
    the whole of what was asked, does not say it of one thing among others, nor because she was never told; or if the
    reply does nothing besides. What is quoted declines nothing.

    Args:
        exchange: The question and the answer.
        phrases: With which one declines.
    """
    reply = exchange.reply
    is_listed = holds(reply, phrases)
    place = 0
    for sentence in sentences(reply):
        place = reply.index(sentence, place)
        for span in spans_of(sentence, phrases) if is_listed else ():
            within = span.within(reply[:place], reply[place + len(sentence) :])
            if not within.is_quoted and _refuses(within, exchange):
                return span
        match = _DECLINED.search(sentence.translate(_TYPESET_APOSTROPHE))
        if match and not any(turn.calls for turn in exchange.turns):
            before, after = reply[: place + match.start()], reply[place + match.end() :]
            words_of_it = sentence[match.start() : match.end()]
            span = Span(words_of_it, words_of_it, before, after)
            if not span.is_quoted and _refuses(span, exchange) and not _says_anything_else(span, exchange):
                return span
    return None


def _refuses(span: Span, exchange: SavedExchange) -> bool:
    if "else" in words(span.rest_of_clause):
        return False  # what she was asked for she has done
    if _is_whole(span):
        return not (_is_honest(span, exchange) or (_is_of_one_thing(span, exchange) and _says_more(span)))
    # "The compost", of which the question spoke among other things; or "medical advice", which is the whole of it.
    if not _ASKS.search(exchange.question):
        return False  # to a story: "I won't comment on the smell!"
    is_of_question = not telling(span.rest_of_clause).isdisjoint(telling(exchange.question))
    return not (_says_more(span) if is_of_question else _does_more(span, exchange))


def _is_whole(span: Span) -> bool:
    """Tell whether what is declined is "that", "your request", or left open."""
    return all(is_function_word(word) or word in _GENERIC for word in words(span.rest_of_clause))


def _is_honest(span: Span, exchange: SavedExchange) -> bool:
    """Tell whether she declines because she was never told: it says so beside it, after she has looked it up."""
    has_looked = any(turn.calls for turn in exchange.turns)
    near = " ".join((*sentences(span.text_before_clause)[-1:], *sentences(span.text_after_clause)[:1]))
    return has_looked and denies_memory(near)


def _is_of_one_thing(span: Span, exchange: SavedExchange) -> bool:
    """Tell whether what is declined is named before: "As for the worms, …", "The worms? …"."""
    said = sentences(span.before) or [""]
    opened = said[-1] if not _ENDS.search(span.before) else ""
    named = telling(opened)
    is_brief = len(words(opened)) <= _WORDS_OF_AN_ANSWER
    if named and (_ONE_THING_FIRST.match(opened) or (is_brief and named & telling(exchange.question))):
        return True
    before = said[-2:-1] if opened else said[-1:]
    asked = words(before[0]) if before and before[0].endswith("?") else []
    return 0 < len(asked) <= _WORDS_OF_A_NAME and "you" not in asked


def _says_more(span: Span) -> bool:
    """Tell whether a reply has something to say beside one clause."""
    return len(words(span.text_around_clause)) >= _WORDS_OF_AN_ANSWER


def _says_anything_else(span: Span, exchange: SavedExchange) -> bool:
    """Tell whether a reply speaks of what was asked beside one clause, however little; or declines a part of it."""
    asked = telling(exchange.question)
    around = telling(span.text_around_clause)
    return (_says_more(span) and not around.isdisjoint(asked)) or not (
        _is_whole(span) or telling(span.rest_of_clause).isdisjoint(asked)
    )


def _does_more(span: Span, exchange: SavedExchange) -> bool:
    """Tell whether a reply speaks of what was asked, or of what was looked up, beside one clause, and adds to it."""
    known = [text for turn in exchange.turns for result in turn.results for text in texts_in(result)]
    asked, said = telling(exchange.question, *known), telling(span.text_around_clause)
    return _says_more(span) and not said.isdisjoint(asked) and len(said - asked) >= _OF_ITS_OWN
