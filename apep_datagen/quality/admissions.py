"""Whether a reply admits that she does not have something, or claims a value for it.

An admission is told by its structure: something is denied, in a clause that speaks of what was asked for, of memory
and telling, or of nothing else at all ("it isn't with me"); or she asks to be told. Phrases besides let pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_function_word, sentences, stem, without_stops_of_titles
from apep_datagen.language.negation import clause_texts, is_negated, is_negation
from apep_datagen.language.numbers import DATE
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.questions import is_question, leaves_open
from apep_datagen.language.values import says_what_it_is, tells

__all__ = ["admits", "claimed_values", "claims_deletion", "denies_having", "denies_memory", "speaks_of_having"]


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


# Where things are kept: what is denied of it is denied of what was asked for.
_MEMORY = _stems("memory memories diary page pages list record records entry note notes noted written stored recorded")
# What one does with what one is told.
_KNOWING = _stems("""
    remember recall recollect recollection know knew known find found look looked search searched see saw keep kept save
    saved line trace clue guess guessing answer idea name invent pretend help place turn come show hold hear heard learn
    learned learnt read store write wrote knowledge given
""")
_TELLING = _stems("tell told say said mention mentioned share shared give gave speak spoke spoken talk talked reach")
_OF_MEMORY = _MEMORY | _KNOWING | _TELLING
_HAVING = frozenset(words("have has had having got get ive youve with here there nowhere among"))
_HERSELF = FORMS[Person.FIRST] | {"us"}
_YOU = frozenset(words("you youve youd ye ya u"))
_OTHERS = frozenset(words("they he she we nobody somebody anybody everyone them him her people"))
_EMPTY = frozenset(words("empty blank missing unknown silent bare"))
_OF_IT = _HERSELF | frozenset(words("that it here there"))
_LACKING = _HAVING | frozenset(words("no none isnt"))
_WHEREVER = frozenset(words("anywhere everywhere nowhere"))
_LIMITS = frozenset(words("only merely solely"))
_GAPS = _stems("gap gaps hole holes")
_GUESSING = _stems("guess")
_ONLY_GUESSING = frozenset(words("be only just have"))
_PLAIN_NO = frozenset(words("no not never"))
# A clause of so few words is an answer by itself: "Nope, nothing", "Not with me".
_SHORT_ANSWER = 4
_SHORT_CLAUSE = 7
# So many words that say nothing of what was asked for may stand in a clause with "I don't know".
_MOST_BESIDES = 1
_ASKING = frozenset(stem(word) for word in words("tell remind say give teach spell share let refresh help"))
_IN_ASKING = _stems("first please again time now one quickly")
_OTHER_THAN_IT = frozenset(words("more about how why all everything something"))
_TO_ME = re.compile(r"\bme\b(?=\W*\Z|\s+(?:with|in|about|of|that|it|on|any|which|what)\b)", re.IGNORECASE)
_WITH_ME = re.compile(r"\b(?:in|on|among|with)\s+(?:my|me|mine)\b", re.IGNORECASE)
_WHICH = frozenset(words("what which where who when"))
# "You never told me why": and so all the rest.
_OF_SOMETHING_ELSE = _WHICH | frozenset(words("why how whether if"))
_IT = frozenset(words("it one there he she they that"))
_FROM_ME = re.compile(r"\bfrom me\b|\bto yourself\b|\bto me\W*\Z", re.IGNORECASE)


def admits(reply: str, asked: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether a reply says that she does not have what was asked for.

    Args:
        reply: What she says.
        asked: Words that speak of what was asked for.
        phrases: With which one admits it in other ways.
    """
    slot = content(asked)
    if holds(reply, phrases):
        return True
    is_first = True
    for sentence in sentences(reply):
        said = clause_texts(sentence)
        for place, clause in enumerate(said, start=1):
            is_last = place == len(said)
            is_question = is_last and sentence.rstrip().endswith("?")
            if _asks_for_it(clause, slot, is_question=is_question):
                return True
            if _denies(clause, slot, is_plain_no_enough=is_first or is_last, is_question=is_question):
                return True
            is_first = False
    return False


def denies_memory(text: str) -> bool:
    """Tell whether a text says that something was not told, or is not written down."""
    return any(
        is_negated(clause) and not _OF_MEMORY.isdisjoint(content(clause))
        for sentence in sentences(text)
        for clause in clause_texts(sentence)
    )


def denies_having(text: str, asked: str) -> bool:
    """Tell whether a text says of what was asked for, and of nothing else, that it was not told or is not in memory.

    "You never told me", "I don't have that in my notes"; but not "you didn't tell me the year".

    Args:
        text: What she says before she tells something all the same.
        asked: Words that speak of what was asked for.
    """
    of_it = content(asked) | _OF_MEMORY
    clauses = [clause for sentence in sentences(text) for clause in clause_texts(sentence) if is_negated(clause)]
    for clause in clauses:
        said, about = words(clause), content(clause)
        denied = next(place for place, word in enumerate(said) if is_negation(word))
        is_of_having = not about.isdisjoint(_MEMORY) or _is_what_you_never_told(said)
        if is_of_having and about <= of_it and _OF_SOMETHING_ELSE.isdisjoint(said[denied:]):
            return True
    return False


def speaks_of_having(text: str) -> bool:
    """Tell whether a text says that something was told or is in memory: "but my note says so", "you told me"."""
    return any(
        not is_negated(clause) and not content(clause).isdisjoint(_MEMORY | _TELLING)
        for sentence in sentences(text)
        for clause in clause_texts(sentence)
    )


_HAS_DELETED = re.compile(
    r"\bi(?:['’]ve|\s+have)?\s+(?:(?:just|now|already)\s+)*"  # noqa: RUF001 - as typeset
    r"(?:deleted|erased|removed|struck|crossed|wiped|cleared|dropped|forgot|forgotten|let\s+go|taken\s+(?:it|that|them)\s+out)\b"
    r"|\b(?:it|that|they|everything|all)(?:['’]s|\s+is|['’]re|\s+are|\s+has\s+been)\s+(?:(?:just|now|already|all)\s+)*"  # noqa: RUF001 - as typeset
    r"(?:gone|deleted|erased|removed|wiped|forgotten|cleared|struck)\b"
    r"|\ball\s+gone\b|\b(?:any\s?more|no\s+longer)\b"
    # That she will keep quiet of it is no word on whether she has it.
    r"|\bi\s+(?:won['’]?t|will\s+not|shall\s+not)\s+(?:mention|bring|speak|say|tell)\b",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)


def claims_deletion(reply: str) -> str:
    """Return the first sentence that says that something was there and is not any more, or an empty text."""
    return next((sentence for sentence in sentences(reply) if _says_it_is_gone(sentence)), "")


def _says_it_is_gone(sentence: str) -> bool:
    found = _HAS_DELETED.search(sentence)
    # "I haven't deleted anything", "whether it is gone"; but not "I don't have it any more".
    return found is not None and not re.search(r"\b(?:if|whether|as\s+(?:if|though|good))\b", sentence[: found.start()])


def _denies(clause: str, slot: frozenset[str], *, is_plain_no_enough: bool, is_question: bool) -> bool:
    """Tell whether a clause denies that she has what was asked for."""
    said = words(clause)
    about = frozenset(
        stem(word) for word in said if not (is_function_word(word) or is_negation(word) or word in _WHEREVER)
    )
    if not is_negated(clause):
        return _limits(clause, said, about, slot)
    if is_question:
        return bool(about & slot) and not about.isdisjoint(_OF_MEMORY)
    if not about:
        return "yours" in said or _is_bare_denial(said, is_plain_no_enough=is_plain_no_enough)
    besides = about - _OF_MEMORY - slot
    says_little_besides = len(besides) <= _MOST_BESIDES and not telling(*besides)
    return (
        # "it was not confided to me", "it is not in my book"
        said[-1] == "me"
        or bool(_WITH_ME.search(clause))
        or (said[-1] in _EMPTY and not _OF_IT.isdisjoint(said))
        or not about.isdisjoint(_MEMORY)
        or _is_of_slot(said, about, slot, says_little_besides=says_little_besides)
        or (_is_of_herself(said, about) and (says_little_besides or len(said) <= _SHORT_CLAUSE))
        or ("yours" in said and len(said) <= _SHORT_CLAUSE)
        or (not _YOU.isdisjoint(said) and bool(_TO_ME.search(clause)))
        or _is_what_you_never_told(said)
    )


def _limits(clause: str, said: list[str], about: frozenset[str], slot: frozenset[str]) -> bool:
    """Tell whether a clause says without a negation that she has something else, or that it was kept from her."""
    if _FROM_ME.search(clause) and (about & slot or not _YOU.isdisjoint(said)):
        return True  # "you've kept that from me", "your sister is a closed book to me"
    # "There's only your dog in my notes", "I'd only be guessing".
    if not (about.isdisjoint(_MEMORY) or about.isdisjoint(_GAPS)):
        return True  # "there's a hole in my memory", "my list has gaps"
    if about == _GUESSING and not _ONLY_GUESSING.isdisjoint(said):
        return True  # "I'd be guessing", "I can only guess"
    is_here = not (_HERSELF | {"there", "here"}).isdisjoint(said)
    return is_here and not _LIMITS.isdisjoint(said) and not about.isdisjoint(_MEMORY | _stems("guess"))


def _is_of_slot(said: list[str], about: frozenset[str], slot: frozenset[str], *, says_little_besides: bool) -> bool:
    """Tell whether a clause denies what was asked for: "no tea here", "the tea never reached me"."""
    is_plain = about <= slot or (says_little_besides and not _LACKING.isdisjoint(said))
    return bool(about & slot) and (is_plain or not about.isdisjoint(_OF_MEMORY) or "me" in said)


def _is_of_herself(said: list[str], about: frozenset[str]) -> bool:
    """Tell whether a clause denies that she has, knows or was told: "I don't know", "can't say"."""
    is_hers = not (_HERSELF | {"there", "theres"}).isdisjoint(said) or (
        len(said) <= _SHORT_ANSWER and _OTHERS.isdisjoint(said)
    )
    return is_hers and not (about.isdisjoint(_KNOWING | _TELLING) and _HAVING.isdisjoint(said))


def _is_bare_denial(said: list[str], *, is_plain_no_enough: bool) -> bool:
    """Tell whether a clause of function words denies having: "it isn't with me", "Zilch.", "No."; but not "Oh no!"."""
    if not _OTHERS.isdisjoint(said):
        return False
    if len(said) <= _SHORT_ANSWER:
        is_no = is_plain_no_enough and len(said) == 1
        is_have_not = not _HAVING.isdisjoint(said) or _is_verb_denied_of_herself(said)
        is_have_not = is_have_not or (
            said[0] == "not" and said[-1] in ("that", "it", "this", "yet", "one", "me", "yours")
        )
        return is_no or is_have_not or any(is_negation(word) and not _is_auxiliary(word) for word in said)
    if not _YOU.isdisjoint(said) and "me" in said:
        return True
    return not _HAVING.isdisjoint(said) and not {"it", "that", "one", "nothing", "none"}.isdisjoint(said)


def _is_verb_denied_of_herself(said: list[str]) -> bool:
    """Tell whether a clause is "I don't", "I cannot", "I do not"."""
    return said[0] == "i" and said[1:] != [] and _is_auxiliary(said[-1]) and len(said) <= len(["i", "do", "not"])


def _is_auxiliary(denying: str) -> bool:
    """Tell whether a word denies a verb ("not", "wouldn't"), and not a thing ("nothing", "none")."""
    return denying in _PLAIN_NO or denying.endswith("nt") or denying in ("cannot", "hardly", "barely")


def _is_what_you_never_told(said: list[str]) -> bool:
    """Tell whether a clause goes "you", a negation, and a word of telling, in this order."""
    place = next((at for at, word in enumerate(said) if word in _YOU), len(said))
    denied = next((at for at in range(place, len(said)) if is_negation(said[at])), len(said))
    return any(stem(word) in _TELLING for word in said[denied:])


def _asks_for_it(clause: str, slot: frozenset[str], *, is_question: bool) -> bool:
    """Tell whether she asks for what was asked of her: "Tell me?", "Which tea is it that you like best?"."""
    about = content(clause)
    said = words(clause)
    if not about.isdisjoint(_ASKING) and not {"me", "us"}.isdisjoint(said) and not is_negated(clause):
        others = about - _ASKING - slot - _OF_MEMORY - _IN_ASKING
        if (about & slot or not others) and _OTHER_THAN_IT.isdisjoint(said):
            return True
    is_about_it = about <= slot and not _WHICH.isdisjoint(said[:1]) and not _IT.isdisjoint(said)
    return is_question and (is_about_it or 2 * len(about & slot) > len(slot) > 0)


# A name: a capital letter inside a sentence, other than that of "I've"; it may be emphasised or quoted where something
# is called so.
_NAME = r"(?!I['’])[^\W\d_a-z][\w’'-]*[a-zß-ÿ][\w’'-]*"  # noqa: RUF001 - an apostrophe of either form
_NAME_INSIDE = re.compile(rf"(?<=[a-zß-ÿ,’' ] )[*_\"“‘']*({_NAME})|(?<=[a-zß-ÿ] [*_\"“])({_NAME})")  # noqa: RUF001 - as typeset
# A number is what something is, or is called; one that counts seconds is not.
_NUMBER_INSIDE = re.compile(
    r"\b(?:is|was|it['’]s|that['’]s|called|named|number|no\.?|at|the)\s+[*_\"“‘']*(\d{2,}(?:[:.]\d\d)?)(?![\w%])(?!\s+[a-z])",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)
# "14 May" is no number of things, and its "May" supposes nothing.
_DAY_INSIDE = re.compile(rf"\b(?:{DATE.pattern})\b", re.IGNORECASE)
# All that such a sentence says is the value: "Probably 14 May."
_GUESSED = re.compile(
    r"\A\W*(?:probably|perhaps|maybe|possibly|presumably|(?:i|my|my best|at a|a wild)\s+guess)\b[\s,:]*(?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CALLED = _stems("called named name")
_SUPPOSES = re.compile(r"\b(?:would|could|might|may|['’]d|if|like|as|such as|unless|imagine|suppose)\b", re.IGNORECASE)  # noqa: RUF001 - as typeset
# What else will happen, unless something is done: "Put a cloth under the pot, or it'll be called Rusty."
_OR_ELSE = re.compile(r"\bor (?:it|he|she|they)(?:['’]ll| will)\b[^,;:.!?]*", re.IGNORECASE)  # noqa: RUF001 - as typeset


def claimed_values(reply: str, asked: str, known: str) -> list[str]:
    """Return names and numbers that a reply gives for what was asked for, though they stand nowhere else.

    A clause gives a value if it denies and supposes nothing, and speaks of what was asked for or says what it is. So
    does a sentence that is a guess and nothing else: "Probably 14 May."

    Args:
        reply: What she says.
        asked: Words that speak of what was asked for.
        known: What is known: a name or number of its words may be said, and a day that it tells.
    """
    slot = content(asked)
    known_words = frozenset(words(known))
    found: dict[str, None] = {}
    for sentence in sentences(without_stops_of_titles(reply)):
        if leaves_open(sentence):
            continue
        is_tagged = is_question(sentence)
        for clause in _clauses_in_place(_OR_ELSE.sub("", sentence)):
            if is_negated(clause) or _SUPPOSES.search(_DAY_INSIDE.sub(" ", clause)):
                continue
            gives_it = not content(clause).isdisjoint(slot) or says_what_it_is(clause) or _only_guesses(sentence)
            # "It's a bit of Schadenfreude when memory laughs, isn't it?" asks for no more than a smile.
            if not gives_it or (is_tagged and not content(clause) <= slot | _CALLED | content(*_particulars(clause))):
                continue
            found |= dict.fromkeys(
                name for name in _names_and_numbers(clause) if not known_words.issuperset(words(name))
            )
            found |= dict.fromkeys(day for day in _days(clause) if not tells(known, (day,)))
    return list(found)


def _clauses_in_place(sentence: str) -> Iterator[str]:
    """Yield clauses with what stands before them, so that a name at the beginning of one is seen as inside."""
    yield from (f", {clause}" if place else clause for place, clause in enumerate(clause_texts(sentence)))


def _particulars(clause: str) -> Iterator[str]:
    yield from _names_and_numbers(clause)
    yield from _days(clause)


def _names_and_numbers(clause: str) -> Iterator[str]:
    for groups in _NAME_INSIDE.findall(clause):
        yield from filter(None, groups)
    yield from _NUMBER_INSIDE.findall(clause)


def _days(clause: str) -> Iterator[str]:
    yield from (match[0] for match in _DAY_INSIDE.finditer(clause))


def _only_guesses(sentence: str) -> bool:
    """Tell whether a sentence is a guess at a name or number, and says nothing else."""
    match = _GUESSED.match(sentence)
    given = content(*_particulars(f", {match['value']}")) if match else None
    return bool(match and given and content(match["value"]) <= given)
