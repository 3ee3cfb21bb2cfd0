"""Whether somebody speaks out of their part: words of the machine, of the prompts, of Ada's or of a script.

Each list of phrases is one witness. The other is what stands around the phrase: who is spoken of, whether the sentence
says anything else, and whether somebody in the conversation speaks of the thing, who may.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_function_word, sentences, stem
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.spans import Span, spans_of

__all__ = ["label_of_role", "machine_talk", "may_have_label", "prompt_talk", "stems_spoken_of", "words_of_ada"]

_FIRST_PERSON = FORMS[Person.FIRST]
_OTHER_PERSONS = frozenset(words("he she they you we it who hes shes theyre youre were his her their your our"))
_BEING = frozenset(words("as being even because though"))
# What is said of persons and things as well as of programs: "a machine operator", "not a person who likes to guess".
_OF_MANY_THINGS = frozenset(words("assistant machine program bot person human companion"))
_LEAST_SENTENCES_AROUND_ASIDE = 3
_KIND = frozenset({"ai"})
_OF_HER_KIND = frozenset(words("i im am as an ai even just only being because though companion"))
_OF_SOMETHING = frozenset(words("about for on toward towards over"))
_SAYING_OF_TEXTS = frozenset(
    stem(word)
    for word in words("write mention reply respond pretend portray act play sound simulate generate output produce")
)


def machine_talk(text: str, phrases: tuple[str, ...], spoken_of: frozenset[str]) -> Span | None:
    """Return the words with which Ada speaks of herself as a language model, or None.

    Args:
        text: A thought or a reply.
        phrases: With which one does.
        spoken_of: Stems of what others in the conversation speak of; those things may be named, but not by "I am one":
            who speaks of languages does not speak of language models.
    """
    if not holds(text, phrases):
        return None
    said = sentences(text)
    for place, sentence in enumerate(said):
        # She is an AI, and may say so in passing: "The next one out was me, being an AI." It is what a text opens
        # with, or has little beside, that speaks of a machine.
        may_be_aside = place > 0 and len(said) >= _LEAST_SENTENCES_AROUND_ASIDE
        for span in spans_of(sentence, phrases):
            if may_be_aside and _is_of_a_person(span) and _KIND <= {*words(span.phrase)} <= _OF_HER_KIND:
                continue
            if _is_of_herself(span) if _is_of_a_person(span) else not content(span.phrase) <= spoken_of:
                return span
    return None


def _is_of_a_person(span: Span) -> bool:
    said = words(span.phrase)
    return said[0] != "my" and not (_FIRST_PERSON | _BEING).isdisjoint(said)


def _is_of_herself(span: Span) -> bool:
    """Tell whether "I am a …" or "as a …" ends there, and is said of Ada."""
    said = words(span.phrase)
    following = words(span.rest_of_clause)[:1]
    # "I'm a program, …" and "I'm a program and …", but not "I'm not a person who …", "as a machine operator".
    goes_on = any(word in ("who", "that", "of", "to") or not is_function_word(word) for word in following)
    if goes_on and said[-1] in _OF_MANY_THINGS:
        return False
    if said[0] not in _BEING:
        # "I don't have feelings about pineapple"
        return not (following and following[0] in _OF_SOMETHING)
    persons = [word for word in words(span.before) if word in _FIRST_PERSON | _OTHER_PERSONS]
    if persons:
        return persons[-1] in _FIRST_PERSON
    return all(map(is_function_word, words(span.begin_of_clause)))


def prompt_talk(text: str, phrases: tuple[str, ...], spoken_of: frozenset[str]) -> Span | None:
    """Return words of the instructions, or None.

    A term of several words is nobody's but theirs, unless somebody speaks of such things. A word that others use as
    well is theirs where the sentence says nothing else, or speaks of what is to be written.

    Args:
        text: A message, a thought or a reply.
        phrases: Words of the instructions.
        spoken_of: Stems of what others in the conversation speak of.
    """
    if not holds(text, phrases):
        return None
    held = [(sentence, span) for sentence in sentences(text) for span in spans_of(sentence, phrases)]
    stems_of_held = frozenset(stem for _, span in held for stem in content(span.phrase))
    several = len({frozenset(content(span.phrase)) for _, span in held}) > 1
    for sentence, span in held:
        term = content(span.phrase)
        if not spoken_of.isdisjoint(term):
            continue
        is_bare = telling(sentence) <= stems_of_held
        is_of_texts = not _SAYING_OF_TEXTS.isdisjoint(content(span.before, span.after))
        if len(telling(span.phrase)) > 1 or is_bare or is_of_texts or several:
            return span
    return None


_REPORTS = re.compile(
    r"\b(?:said|says?|saying|told|tells?|wrote|writes?|asked|asks|replied|answered|goes|went|called|read|reads|like)\b"
    r"(?:[\s,:]+[\w'’-]+){0,4}[\s,:]*[\"“”'‘’«»]*\s*\Z",  # noqa: RUF001 - quotation marks
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"(?:\A|[,;!?.…]\s*|\b(?:thanks|thank you|dear|hey|hi|oh)\s+)ada\b|,\s*ada\b", re.IGNORECASE)


def words_of_ada(text: str, phrases: tuple[str, ...], *, is_first: bool) -> Span | None:
    """Return words with which a user's message speaks as Ada would, or None.

    Whoever addresses Ada, quotes somebody, or thanks her for what she said before, is the user.

    Args:
        text: A user's message.
        phrases: What Ada would say.
        is_first: Whether she has not said anything yet.
    """
    if not holds(text, phrases):
        return None
    quoted: set[str] = set()
    for sentence in sentences(text):
        for span in spans_of(sentence, phrases):
            around = f"{span.before} … {span.after}"
            is_thanks = words(span.phrase)[0] in ("thank", "thanks")
            is_quoted = span.is_quoted or bool(_REPORTS.search(span.before)) or sentence.startswith(">")
            if is_quoted:
                quoted.add(span.phrase)
            if not (_ADDRESSED.search(around) or span.phrase in quoted or (is_thanks and not is_first)):
                return span
    return None


_LABELLED = re.compile(r"^[\s>*_#\-•\d.)]*[^\W\d_][^:：\n]{0,30}[:：]", re.MULTILINE)  # noqa: RUF001 - the colon of wide scripts


# As in "Human: 0, Printer: 3".
_LABEL_INSIDE = re.compile(r"[,;.!?–—-] *([^\W\d_]{2,30}[:：])\s")  # noqa: RUF001


def may_have_label(text: str) -> bool:
    """Tell whether a text has a colon."""
    return ":" in text or "：" in text  # noqa: RUF001 - as typeset


def label_of_role(text: str, labels: tuple[str, ...], spoken_of: frozenset[str]) -> str:
    """Return the label of a role that a line of a text begins with, such as `Ada:`, or an empty text.

    A label that is a word for other things too ("Instructions:", "Output:") is none where the text has other labels,
    as a recipe has, or where somebody speaks of that thing.

    Args:
        text: A message, a thought or a reply.
        labels: Names of roles.
        spoken_of: Stems of what others in the conversation speak of.
    """
    if not labels or not may_have_label(text):
        return ""
    pattern = _label_pattern(labels)
    lines = text.split("\n")
    for line in lines:
        if not (match := pattern.match(line)):
            continue
        label = match[0].strip()
        is_of_a_document = any(_LABELLED.match(other) and not pattern.match(other) for other in lines)
        inside = _LABEL_INSIDE.findall(line, match.end())
        is_of_a_document = is_of_a_document or any(not pattern.match(other) for other in inside)
        is_of_a_speaker = _is_name(label)
        if is_of_a_speaker or not (is_of_a_document or not spoken_of.isdisjoint(content(label))):
            return label
    return ""


_SPEAKERS = frozenset(words("ada assistant user person tester persona"))


def _is_name(label: str) -> bool:
    """Tell whether a label is the name of who speaks in a conversation."""
    return not _SPEAKERS.isdisjoint(words(label))


@functools.lru_cache(maxsize=64)
def _label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(r"\s+".join(map(re.escape, label.rstrip(": ").split())) for label in labels)
    # Around it may stand what makes it bold, a heading or a quotation.
    return re.compile(rf"[\s>*_#\[(\"“]*(?:{names})[\s*_\])\"”]*[:：]", re.IGNORECASE)  # noqa: RUF001 - as typeset


def stems_spoken_of(texts: Iterable[str]) -> frozenset[str]:
    """Return the stems of what texts speak of; `user` and `Ada` are nobody's topic."""
    return content(*texts) - content("user users Ada")
