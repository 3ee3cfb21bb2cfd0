"""Words that point to something, and texts in which there is nothing that they could point to: "It changed to green".

Only what the closed classes show is looked at: pronouns, auxiliaries, determiners and the places where they stand.
Where a noun stands before a pronoun, it is taken to be what is meant, so little is found, and what is found is sure.
English alone is known; in a text of another language nothing is found.
"""

from __future__ import annotations

import re

from apep_datagen.core.words import words
from apep_datagen.language.content import is_function_word, sentences
from apep_datagen.language.persons import FORMS, Person

__all__ = ["pointing_nowhere", "speaking_as_somebody", "speaking_to_somebody"]

# Whoever is spoken of all the time; what is said of nobody else is said of them.
_PERSON = r"(?:the |this )?user"
_NAMES_THE_PERSON = re.compile(r"\b(?:user|they|them|their|theirs|themselves|themself)\b", re.IGNORECASE)

# Auxiliaries, and adverbs that stand beside them.
_BESIDE_VERBS = (
    r"(?:am|is|are|was|were|be|been|being|isn't|aren't|wasn't|weren't|has|have|had|hasn't|haven't|hadn't|do|does|did|don't"
    r"|doesn't|didn't|will|won't|would|wouldn't|can|can't|cannot|could|couldn't|shall|should|shouldn't|must|may|might"
    r"|not|never|always|also|still|just|only|really|now|no longer|already|often|usually|sometimes|even)"
)
_PREPOSITIONS = r"(?:about|after|against|at|by|for|from|in|near|of|off|on|over|through|to|under|up|with|without)"
_THINGS = (
    r"(?:it|this|that|these|those|there|one|another(?: one)?|the (?:other|first|second|third|last|same)(?: one| thing)?"
    r"|the others|the former|the latter)"
)
_PEOPLE = r"(?:him|her|them)"
_TAIL = (
    r"(?:too|as well|also|now|again|instead|any ?more|already|still|very much|so much|a lot|a bit|best|most|more|less"
    r"|either|at all|today|there|these days|since then|all the time|every (?:day|week|year|morning|evening|night))"
)
_END = rf"(?: {_TAIL})*[.!…\s]*\Z"
_PREDICATE = rf"(?:{_BESIDE_VERBS} )*(?P<predicate>[a-z'-]+)(?: {_PREPOSITIONS})?"
# "The user likes it too", "Moved there": between whoever does it and what is pointed to stands nothing but a verb.
_OBJECT = re.compile(rf"(?:(?:{_PERSON}|they) )?{_PREDICATE} (?P<pointer>{_THINGS}|{_PEOPLE}){_END}", re.IGNORECASE)
# "The user's neighbour plays it now": whose subject is somebody else. People are not looked at: they may be the user.
_OBJECT_OF_ANOTHER = re.compile(
    rf"(?:(?:{_PERSON}'s|their) [a-z-]+(?: [a-z-]+)?) {_PREDICATE} (?P<pointer>{_THINGS}){_END}", re.IGNORECASE
)
# "It changed to green". A capital behind it makes it a title, a comma an address.
_IT = re.compile(r"(?P<pointer>it)(?:'s|'ll|'d| )(?-i:(?![A-Z,]))", re.IGNORECASE)
# Where "it" only holds the place: "it matters that", "it is best to", "it was she who", and of weather and hours.
_HOLDS_THE_PLACE = re.compile(
    r"\b(?:that|who|whom|whether|when|if|since|because|what|how|why)\b"
    r"|\bit(?:'s| is| was| has| takes| took)\b.*\bto [a-z]"
    r"|\b(?:rain|snow|freez|thunder|storm|hot|cold|warm|dark|light|late|early|winter|summer|spring|autumn|o'clock|year|month)",
    re.IGNORECASE,
)
_PERSON_PRONOUN = re.compile(r"(?P<pointer>he|she)(?:'s|'ll|'d| )(?-i:(?![A-Z,]))", re.IGNORECASE)
_THIS = re.compile(
    rf"(?P<pointer>this|that|these|those|(?:the|an?) (?:other|second|third|first|last)(?: one)?|another(?: one)?"
    rf"|the others|the former|the latter|both|neither)(?:'s| (?:{_BESIDE_VERBS}|likes?|wants?|lives?|needs?))(?![\w'])",
    re.IGNORECASE,
)
_MARKUP = str.maketrans({"’": "'", "`": "'", "*": " ", "_": " ", "#": " ", ">": " "})  # noqa: RUF001 - an apostrophe as typeset
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']*'(?!\w)")
_TO_SOMEBODY = re.compile(r"\b(?:you|your|yours|yourself)\b")
_TO_SOMEBODY_FIRST = re.compile(r"(?:You|Your|You're|You've|you|your|you're|you've) [a-z]")
_AS_SOMEBODY = re.compile(r"(?:I|I'm|I've|I'd|My|We|We're|We've|Our|i|i'm|i've|i'd|my|we|we're|we've|our) [a-z]")
# So many words, one behind the other, are taken from what somebody said of themselves: "I have a", "my dog".
_TAKEN_OVER = {"i": 3, "im": 3, "ive": 3, "id": 3, "we": 3, "were": 3, "weve": 3, "my": 2, "our": 2}


def pointing_nowhere(text: str, told: str = "") -> str:
    """Return by which word a note points to something that stands nowhere in it, or an empty text.

    "Now it's green", "The user likes it too", "The other one is allergic". A note without any word that carries
    content is returned whole. `told` is what the note was taken from: where nobody else is spoken of in it, "she" can
    only be whoever told it.
    """
    said = text.translate(_MARKUP)
    if not words(said):
        return ""
    if all(map(is_function_word, words(said))):
        return text.strip()
    first = _first_sentence(said)
    found = _object(first) or _subject(first, said, told)
    return found and text[(start := said.find(found)) : start + len(found)]


def speaking_to_somebody(text: str) -> str:
    """Return by which word a note about a person speaks to somebody ("You like tea"), or an empty text."""
    said = _unquoted(text)
    if _NAMES_THE_PERSON.search(said):
        return ""
    first = _first_sentence(said)
    if match := _TO_SOMEBODY_FIRST.match(first):
        return match[0].split()[0]
    # Behind a colon stands a title or something said; what begins with a capital is a name.
    match = _TO_SOMEBODY.search(said.partition(":")[0])
    return match[0] if match else ""


def speaking_as_somebody(text: str, told: str) -> str:
    """Return by which word a note takes over what somebody said of themselves ("My dog is Bello"), or an empty text.

    Args:
        text: The note; what it says of its writer, in words of the writer's own, is no fault.
        told: What was said by whom it is about.
    """
    said = _unquoted(text)
    if _NAMES_THE_PERSON.search(said):
        return ""
    match = _AS_SOMEBODY.match(_first_sentence(said))
    if match is None:
        return ""
    begins = words(said)
    taken = " ".join(begins[: _TAKEN_OVER[begins[0]]])
    return match[0].split()[0] if f" {taken} " in f" {' '.join(words(told))} " else ""


def _object(first: str) -> str:
    """Return what is pointed to as the object of the only verb, where nothing stands before it that it could be."""
    match = _OBJECT.match(first) or _OBJECT_OF_ANOTHER.match(first)
    # "Makes it", "takes that", "gets there" are sayings.
    predicate = match["predicate"].lower().replace("'", "") if match else ""
    if match is None or (is_function_word(predicate) and predicate != "like"):
        return ""
    return match["pointer"]


def _subject(first: str, said: str, told: str) -> str:
    """Return what is pointed to by the first word, where whoever is spoken of all the time is not named beside it."""
    if _NAMES_THE_PERSON.search(said) or ":" in first:
        return ""
    if (match := _IT.match(first)) and not _HOLDS_THE_PLACE.search(first):
        return match["pointer"]
    if (match := _PERSON_PRONOUN.match(first)) and _speaks_of_another(told):
        return match["pointer"]
    if (match := _THIS.match(first)) and not _HOLDS_THE_PLACE.search(first.removeprefix(match["pointer"])):
        return match["pointer"]
    return ""


def _speaks_of_another(told: str) -> bool:
    return not FORMS[Person.HE_OR_SHE].isdisjoint(words(told))


def _first_sentence(said: str) -> str:
    found = sentences(said)
    return " ".join(found[0].strip(" -–—•\"“'").split()) if found else ""  # noqa: RUF001 - dashes of lists


def _unquoted(text: str) -> str:
    return _QUOTED.sub("", text.translate(_MARKUP))
