"""Whether a reply refuses what was asked: what it declines, where it stands, and what the reply does besides."""

from __future__ import annotations

import re

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import is_function_word, sentences
from apep_datagen.language.spans import Span, spans_of
from apep_datagen.quality.admissions import denies_memory
from apep_datagen.quality.sample import SavedExchange, texts_in

__all__ = ["refusal_in"]

# So many words beside the one sentence, some of them about what was asked, are an answer.
_WORDS_OF_AN_ANSWER = 12
# "The worms?", "And your landlord's name?"
_WORDS_OF_A_NAME = 5
# What stands for the whole of what was asked.
_GENERIC = frozenset(
    words("""
    that this it these those such you your request requests question questions topic topics subject matter matters
    conversation thing things kind kinds sort type anything further more today task prompt query content
    """)
)
_ONE_THING_FIRST = re.compile(r"\A\W*(?:as for|as to|about|on|with|when it comes to|what|the|that|those|these)\b", re.I)
_NEGATED = (
    r"(?:can ?not|can['’]?t|could ?n['’]t|won['’]?t|will not|would rather not|['’]d rather not"  # noqa: RUF001
    r"|(?:am|['’]m) (?:not (?:able|allowed|permitted|going|willing|free|in a position)|unable) to"  # noqa: RUF001
    r"|(?:must|have to|need to|['’]ll have to|will have to) (?:decline|refuse|pass|say no))"  # noqa: RUF001
)
_DOING = (
    "help|assist|do|answer|discuss|talk|speak|advise|comment|continue|comply|provide|give|offer|support|share|engage|"
    "respond|recommend|go|get|tell|be part of|take part|weigh in|touch"
)
_VERB = rf"(?: (?:{_DOING})\b|(?=\s*(?:[.!]|\Z))|(?<=decline)|(?<=refuse)|(?<=pass)|(?<=say no))"
_DECLINED = re.compile(
    rf"\bI(?: am|['’]m)?(?: \w+ly| just| am afraid)? ?{_NEGATED}{_VERB}"  # noqa: RUF001
    rf"|\b(?:that|this|it)(?: is|['’]s) (?:not )?(?:something|anything|a (?:thing|topic|subject)|one)(?: that)? I {_NEGATED}{_VERB}"  # noqa: RUF001
    rf"|\bnot (?:something|a (?:thing|topic|subject))(?: that)? I(?: can| could| will|['’]m (?:able|allowed|willing) to) (?:{_DOING})\b",  # noqa: RUF001
    re.IGNORECASE,
)


def refusal_in(exchange: SavedExchange, phrases: tuple[str, ...]) -> Span | None:
    """Return the words with which a reply refuses, or None.

    What declines is a phrase of the list, or a sentence of the form of "I won't answer that". It refuses if it declines
    the whole of what was asked and does not say it of one thing among others, nor because she was never told; or if the
    reply does nothing besides.

    Args:
        exchange: The question and the answer.
        phrases: With which one declines.
    """
    reply = exchange.reply
    if holds(reply, phrases):
        for sentence in sentences(reply):
            for span in spans_of(sentence, phrases):
                if _refuses(span, sentence, exchange):
                    return span
    if any(turn.calls for turn in exchange.turns):
        return None
    for sentence in sentences(reply):
        if (match := _DECLINED.search(sentence)) is not None:
            span = Span(match[0], match[0], sentence[: match.start()], sentence[match.end() :])
            if _is_whole(span) and not _does_more(reply, sentence, exchange) and not denies_memory(reply):
                return span
    return None


def _refuses(span: Span, sentence: str, exchange: SavedExchange) -> bool:
    does_more = _does_more(exchange.reply, sentence, exchange)
    if not _is_whole(span):
        return not does_more
    if denies_memory(exchange.reply.replace(span.quote, "")):
        return False
    return not (does_more and _is_of_one_thing(span, sentence, exchange.reply))


def _is_whole(span: Span) -> bool:
    """Tell whether what is declined is "that", "your request", or left open."""
    return all(is_function_word(word) or word in _GENERIC for word in words(span.rest_of_clause))


def _is_of_one_thing(span: Span, sentence: str, reply: str) -> bool:
    """Tell whether what is declined is named before: "As for the worms, …", "The worms? …"."""
    if _ONE_THING_FIRST.match(span.before) and telling(span.before):
        return True
    said = sentences(reply)
    place = said.index(sentence)
    named = words(said[place - 1]) if place and said[place - 1].endswith("?") else []
    return 0 < len(named) <= _WORDS_OF_A_NAME and "you" not in named


def _does_more(reply: str, sentence: str, exchange: SavedExchange) -> bool:
    """Tell whether a reply speaks of what was asked, or of what was looked up, beside one sentence."""
    rest = reply.replace(sentence, " ")
    known = [text for turn in exchange.turns for result in turn.results for text in texts_in(result)]
    about = telling(exchange.question, *known)
    return len(words(rest)) >= _WORDS_OF_AN_ANSWER and not telling(rest).isdisjoint(about)
