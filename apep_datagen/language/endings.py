"""How a text ends: with an end, or in the middle of something.

What can be told from the last characters and from pairs that are open is told in any script; which last words cannot
end a sentence is known of English.
"""

from __future__ import annotations

import re
import unicodedata

from apep_datagen.core.words import words

__all__ = ["is_cut_off", "promises_more"]

_COMMAS = frozenset(",،、，﹐;؛；﹔")  # noqa: RUF001 - the commas and semicolons of several scripts
_COLONS = frozenset(":：﹕")  # noqa: RUF001 - and their colons
# The same mark opens and closes; it opens where white space stands before it.
_TWO_SIDED_MARKS = frozenset("\"'`*_")
# A sad face ends in an opening bracket, a laughing one in a letter, a heart in a digit.
_EMOTICON = re.compile(
    r"(?:(?:\A|[\s\w.!?…*)])(?:[:;=][-^o']?[()\[\]{}DPpOo3sSxX/\\|*<>]|<3+)|(?:\A|\s)[()]-?[:;=]|(?:\A|[\s.!?…])(?:[xX][DP(]|[oO]_[oO]))\Z"
)
_LONGEST_EMOTICON = 8
# "212." is an answer, where no line before it is numbered.
_LIST_MARK_ALONE = re.compile(r"(?:\A|\n)[ \t]*[-*•]\Z|^[ \t]*\d+[.)][ \t](?s:.*)\n[ \t]*\d+[.)]\Z", re.MULTILINE)
_ADDRESS = re.compile(r"(?:\A|[(<])(?:https?://|www\.)\S")
_CODE_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…。！？](?=[\s\"'”’)\]*_]|\Z)")  # noqa: RUF001 - the marks of wide scripts
_EMOTICON_INSIDE = re.compile(r"[:;=][-^o']?[()\[\]{}|/\\]|(?<=\s)[:;=]-?\*(?!\*)|<3+|(?:^|\s)\d+\)")
# "3*4", "3 * 4", and a word that is put right: "*their".
_NO_EMPHASIS = re.compile(r"(?<=\w)\*(?=\w)|(?<=\s)\*(?=\s)|(?<!\S)\*(?=[\w'’-]+\Z)")  # noqa: RUF001
_BULLET = re.compile(r"^[ \t]*[*•-][ \t]+", re.MULTILINE)
# Determiners and conjunctions: a sentence goes on behind them.
_NEVER_LAST = frozenset(
    words("a an the and or nor but because unless although whereas whether than my your our their every into onto")
)
# Where nothing is left behind, as in "if you want to" and "what it is made of", neither do these end one.
_LAST_WHERE_LEFT_BEHIND = frozenset(words("to of with for from at"))
_LEAVING_BEHIND = frozenset(
    words("""
    want wants wanted need needs needed have has had like likes liked love loves going used able try tries tried trying
    meant supposed ought hope hopes hoped hoping got get gets about up ready free allowed happy glad welcome choose
    refuse refused forgot afraid mean learn learning plan planned promise promised not talk talking speak listen
    listening look looking turn think thinking thought heard hear dream dreamed dreamt proud tired fond
    sort kind aware made instead course out it them me you him her us go come came deal cope start end
    live stay wait waiting care hard easy good nice fun away
    """)
)
_MODALS = frozenset(words("would could should might must will can may shall"))
_CARRYING_A_MODAL = frozenset(
    words("""
    if than as what whatever who which where wherever when whenever how while because yes yeah no aye so nor neither
    know knew think thought wish hope hoped bet said say sure course both that all
    """)
)
_ASKING = frozenset(words("what who whom whose which where how that whatever whoever"))
# Behind an emoji: how it is to be drawn, and what joins it to others.
_VARIATION_SELECTORS = frozenset("\ufe0e\ufe0f")
# Their sentences end without a mark.
_SCRIPTS_WITHOUT_MARKS = ("THAI ", "LAO ")


def is_cut_off(text: str, *, is_said_to_be_whole: bool) -> bool:
    """Tell whether a text ends in the middle of something.

    An emoji, a closing mark and every mark that ends a sentence, in any script, are ends. A letter or a digit is one
    where who made the text says that it is whole, where the text is written without marks, where the line before ends
    without one as well (a list, a poem), and in an address; unless its last word cannot end a sentence, or something
    that was opened is still open.

    Args:
        text: A text that somebody is to read.
        is_said_to_be_whole: Whether the provider said that the model came to its end.
    """
    text = _without_selectors(text.rstrip())
    if not text or _LIST_MARK_ALONE.search(text) or len(_CODE_FENCE.findall(text)) % 2:
        return True
    if _EMOTICON.search(text[-_LONGEST_EMOTICON:]):
        return False
    if not _is_word_character(text[-1]):
        return _ends_in_an_opening_mark(text)
    last_line = text[text.rfind("\n") + 1 :]
    if _ends_without_mark(text[-1]) or _ADDRESS.search(last_line.split()[-1]):
        return False
    may_end = is_said_to_be_whole or _line_before_is_bare(text) or _is_written_without_marks(text)
    return not may_end or _has_something_open(text) or _ends_in_an_open_phrase(text)


def promises_more(text: str) -> bool:
    """Tell whether a thought, which may trail off, ends in a comma, a colon or an opening bracket."""
    text = text.rstrip()
    if _EMOTICON.search(text[-_LONGEST_EMOTICON:]):
        return False
    last = text[-1:]
    return last in _COMMAS | _COLONS or (bool(last) and unicodedata.category(last) == "Ps")


def _ends_in_an_opening_mark(text: str) -> bool:
    """Tell whether the mark at the end of `text` has to have something behind it."""
    last, before = text[-1], text[-2:-1]
    category = unicodedata.category(last)
    if last in _COMMAS:
        return not (last == ";" and unicodedata.name(before or " ", "").startswith("GREEK "))  # their question mark
    if last in _TWO_SIDED_MARKS or category == "Pi":
        emphasised = text.rstrip("*_")[-1:]
        return not before or before.isspace() or emphasised in _COLONS or emphasised in _COMMAS
    if category == "Pd" and text[text.rfind("\n") + 1 :].startswith(last):
        return text.count(last) == 1  # "— exactly —"
    if category == "Pd":
        behind = text[:-1].rstrip()[-1:]
        return not behind or _is_word_character(behind) or behind in _COMMAS
    return last in _COLONS or category == "Ps"


def _without_selectors(text: str) -> str:
    end = len(text)
    while end and (text[end - 1] in _VARIATION_SELECTORS or unicodedata.category(text[end - 1]) == "Cf"):
        end -= 1
    return text[:end].rstrip()


def _is_word_character(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category in ("Nd", "Mn", "Mc")


def _ends_without_mark(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_SCRIPTS_WITHOUT_MARKS)


def _line_before_is_bare(text: str) -> bool:
    """Tell whether the last line but one that is not empty ends in a letter or a digit as well."""
    before = _without_selectors(text.rpartition("\n")[0].rstrip())
    return bool(before) and _is_word_character(before[-1])


def _is_written_without_marks(text: str) -> bool:
    """Tell whether a text begins with a small letter and ends none of its sentences with a mark."""
    return unicodedata.category(text[0]) == "Ll" and not _SENTENCE_END.search(text) and " " in text


def _has_something_open(text: str) -> bool:
    """Tell whether a bracket, a quotation or emphasis is opened and not closed."""
    text = _NO_EMPHASIS.sub(" ", _EMOTICON_INSIDE.sub(" ", _BULLET.sub("", text)))
    if any(text.count(opening) > text.count(closing) for opening, closing in ("()", "[]", "{}", "“”", "«»")):
        return True
    return any(text.count(mark) % 2 for mark in ("**", "`")) or text.replace("**", "").count("*") % 2 == 1


def _ends_in_an_open_phrase(text: str) -> bool:
    """Tell whether the last word of a text has to have something behind it: "the", "because", "to"."""
    said = words(_SENTENCE_END.split(text[text.rfind("\n") + 1 :])[-1])
    if not said:
        return False
    last, before = said[-1], said[-2] if len(said) > 1 else ""
    if last in _NEVER_LAST:
        return True
    if last in _MODALS:
        # "And then I would", but not "Sleep, if you can", "I wish I could", and not where no sentence has a mark
        return bool(_SENTENCE_END.search(text)) and _CARRYING_A_MODAL.isdisjoint(said[:-1])
    # "if you want to", "what it is made of"
    return last in _LAST_WHERE_LEFT_BEHIND and before not in _LEAVING_BEHIND and _ASKING.isdisjoint(said)
