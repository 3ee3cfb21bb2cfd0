"""The words of a text that carry its content, by their stems: "remembered the allergies" is `rememb`, `allergi`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from apep_datagen.core.words import days_in_words, words

__all__ = ["content", "content_list", "is_english", "is_function_word", "sentences", "stem", "without_stops_of_titles"]

# Words that hold sentences together. They say nothing of what a text is about; the class is closed, so the list is too.
_FUNCTION_WORDS = frozenset(
    words("""
    a an the this that these those some any each every either neither no none all both half such what which who whom
    whose i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her
    hers herself it its itself they them their theirs themselves one ones oneself somebody someone something anybody
    anyone anything nobody nothing everybody everyone everything and or but nor so yet for if unless until till while
    whereas although though because since as than whether when whenever where wherever why how once before after about
    above across against along among around at behind below beneath beside besides between beyond by despite down
    during except from in inside into like near of off on onto out outside over past per round through throughout to
    toward towards under underneath up upon via with within without be am is are was were been being have has had
    having do does did doing done will would shall should can could may might must ought need dare let lets get gets
    got getting gotten go goes going gone went come comes came coming make makes made making take takes took taken
    taking put puts not never ever always often sometimes seldom already still just only even also too very quite
    rather really almost nearly perhaps maybe well then there here now again away back else instead yes oh ah hm hmm
    ha ok okay please s t d m re ve ll im ive id ill youre youve youd youll hes shes theyre theyve theyd theyll weve
    were wed its thats theres whats dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt cant cannot couldnt
    wont wouldnt shouldnt mustnt neednt much many more most few fewer less least own other others another same
    """)
)


# Of English words, so many at least hold sentences together, also where somebody is curt; of German and French ones
# hardly any are spelled as one of those.
_LEAST_FUNCTION_WORDS = 0.2


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str:  # noqa: N802 - as the package spells it
        ...


# Not behind a title or an initial: "Mr. Okonkwo", "J. Sands".
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\b[A-Z]\.)[\"'”’)\]*_]*\s+|\n+"  # noqa: RUF001 - closing quotation marks
)

_TITLE = re.compile(r"\b(Mrs?|Ms|Dr|St|Prof)\.")


def is_function_word(word: str) -> bool:
    """Tell whether a word, as `core.words.words` spells it, only holds sentences together."""
    return word in _FUNCTION_WORDS


def is_english(*texts: str) -> bool:
    """Tell whether texts are, taken together, in the language whose grammar is known here; a few words never are."""
    said = [word for text in texts for word in words(text)]
    return bool(said) and sum(map(is_function_word, said)) >= _LEAST_FUNCTION_WORDS * len(said)


@functools.lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the stem of a word, as the Snowball stemmer for English has it (https://snowballstem.org)."""
    return _stemmer().stemWord(word)


@functools.cache
def _stemmer() -> _Stemmer:
    import snowballstemmer  # noqa: PLC0415 - takes a tenth of a second, and only judging needs it

    stemmer: _Stemmer = snowballstemmer.stemmer("english")
    return stemmer


def content_list(text: str) -> list[str]:
    """Return the stems of the content words of a text, in order, each as often as it stands there."""
    return [stem(word) for word in words(days_in_words(text)) if word not in _FUNCTION_WORDS and len(word) > 1]


def content(*texts: str) -> frozenset[str]:
    """Return the stems of the content words of texts."""
    return frozenset(_stems(texts))


def _stems(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _content(text)


# A user has some seventy notes and pages, which are looked at with each of their conversations.
@functools.lru_cache(maxsize=512)
def _content(text: str) -> frozenset[str]:
    return frozenset(content_list(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order; a line break ends one too."""
    return [part for piece in _SENTENCE_END.split(text) if (part := piece.strip())]


def without_stops_of_titles(text: str) -> str:
    """Return a text in which no full stop stands behind a title: "Mr Tanizaki" for "Mr. Tanizaki"."""
    return _TITLE.sub(r"\1", text)
