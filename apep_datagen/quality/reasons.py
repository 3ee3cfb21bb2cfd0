"""Whether a thought leads to the calls that follow it: by what thought, call, notes and question have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.markup import is_error
from apep_datagen.core.words import words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_english, sentences, stem
from apep_datagen.language.numbers import in_digits, names_line
from apep_datagen.quality.sample import SavedTurn

__all__ = ["call_without_reason"]

_ENOUGH_IN_COMMON = 2
# A thought that has so many telling words of its own, and none of the conversation's, is about something else. Of 168
# real thoughts with calls none had, of as many that were exchanged for those of other conversations two thirds.
_WORDS_OF_ITS_OWN = 4
_COMMONPLACES = 3
_SHARED_BY_CHANCE = 1
# A word with a capital letter inside a sentence, or with a digit: a name or a number.
_PARTICULAR = re.compile(r"(?<=[\w,;'’] )[^\W\d_a-z]\w+|\b\w*\d[\w:]*")  # noqa: RUF001 - an apostrophe

# A short sentence in which she does something to it: "I strike it.", "I'll put that down". What she only feels of it is
# a closed class, nearly.
_ACTS_ON_IT = re.compile(
    r"(?:\bI(?:['’]ll| will)? |(?:\A|[.!?…] )(?=\w+ing ))(\w+) (?:it|that|this|them|these|those)(?: \w+)?\W*(?:[.!]|\Z)"  # noqa: RUF001 - as typeset
)
# She wonders what it was.
_ASKS = re.compile(r"\b(?:what|which|where|who|when|did|do|have)\b", re.IGNORECASE)
# She resolves to do something, and it is not to say something.
_RESOLVES = re.compile(
    r"\b(?:I['’]ll|I will|let me|let['’]s|I['’]d better|I (?:should|must|have to|need to|want to)|I['’]d like to)\s+"  # noqa: RUF001 - as typeset
    r"(?:(?:just|first|only|better|really|quickly|rather)\s+)?"
    r"(?!(?:say|tell|ask|answer|reply|respond|be|stay|sound|laugh|make|speak|talk|comfort|help|enjoy|smile|tease|let|"
    r"give|offer|join|play|think|feel|thank|wish|hear|greet|cheer)\b)\w",
    re.IGNORECASE,
)
# "Red now. The old line first."
_COMES_FIRST = re.compile(r"\w\W+first\W*(?:[.!,;:]|\Z)", re.IGNORECASE)
_STATES = frozenset(
    words("""
    like love hate feel know see hear mean understand get enjoy believe think doubt prefer want have had liked loved
    felt knew saw heard meant understood got enjoyed thought admire appreciate share wonder sense
    """)
)


def call_without_reason(
    turn: SavedTurn, said: Sequence[str], shown: Sequence[str], intents: Mapping[str, Sequence[str]]
) -> str:
    """Return the tool of the first call of a turn to which its thought does not lead, or an empty text.

    A thought leads to a call if it has enough in common with what the call writes or deletes, with what the user said
    and with what was looked up before; if it names the line that is deleted; or, unless it is about something else
    altogether, if it says what the tool is for. What leads to one half of a replacement leads to the other.

    Args:
        turn: The thought and the calls.
        said: What was said before it in this conversation.
        shown: What was looked up before it.
        intents: What a thought says that leads to a call of a tool; one that is not there is not judged.
    """
    # What a malformed or an unknown call was meant to be cannot be told.
    called = [
        (call, result)
        for call, result in zip(turn.calls, turn.results, strict=True)
        if isinstance(call, ToolCall) and call.name in intents
    ]
    # What two texts have in common is known of English, and so are the words of the list, mostly.
    if not called or not is_english(turn.thinking, *said):
        return ""
    thought = _Thought(turn.thinking, said, shown, [text for pair in called for text in _texts(*pair)])
    led = {call.name for call, result in called if thought.leads_to(call, result, intents[call.name])}
    for call, _ in called:
        action, _, shelf = call.name.partition("_")
        other = {"add": "delete", "delete": "add"}.get(action, "")
        if call.name not in led and f"{other}_{shelf}" not in led:
            return call.name
    return ""


class _Thought:
    """A thought, with what it can have in common."""

    def __init__(self, text: str, said: Sequence[str], shown: Sequence[str], of_calls: Sequence[str]) -> None:
        self.text = text
        self.words = telling(text)
        self.said = telling(*said, *shown)
        self.shown = telling(*shown)
        all_words = content(text)
        in_common = content(*said, *shown, *of_calls)
        self.shared = len(all_words & in_common)
        self.counted = _counted([text])
        self.asks_itself = any(
            part.endswith("?") and _ASKS.search(part) and telling(part) <= self.said for part in sentences(text)
        )
        self.acts_on_it = any(verb.lower() not in _STATES for verb in _ACTS_ON_IT.findall(text))
        self.is_about_something_else = (
            len(self.words) >= _WORDS_OF_ITS_OWN
            and self.words.isdisjoint(in_common)
            and self.shared <= _COMMONPLACES
            and all(map(is_english, (text, *said[:1])))
        )

    def leads_to(self, call: ToolCall, result: object, intents: Sequence[str]) -> bool:
        # What is to be looked up may have been put in words that the thought has not; to look is to look.
        if call.name.startswith("recall_") and self.shared > _SHARED_BY_CHANCE and _says(self.text, intents):
            return True
        if self.is_about_something_else:
            return False
        texts = list(_texts(call, result))
        about = telling(*texts)
        in_common = len(self.words & about) + len(self.words & self.said)
        return (
            in_common >= _ENOUGH_IN_COMMON
            or (not call.name.startswith("add_") and bool(_COMES_FIRST.search(self.text)))
            or (call.name.startswith("delete_") and not self.words.isdisjoint(self.shown))
            or any(names_line(self.text, index) for index in _indices(call))
            or any(self._names(note) for note in texts)
            or not self.counted.isdisjoint(_counted(texts))
            or (not call.name.startswith("recall_") and self.acts_on_it)
            or bool(_RESOLVES.search(self.text))
            or (call.name.startswith("recall_") and self.asks_itself)
            or _says(self.text, intents)
        )

    def _names(self, note: str) -> bool:
        """Tell whether the thought has more than half of what a note is about, or a name or number of it."""
        about = telling(note)
        particulars = telling(*_PARTICULAR.findall(note))
        return bool(self.words & particulars) or 2 * len(self.words & about) > len(about)


def _texts(call: ToolCall, result: object) -> Iterator[str]:
    """Yield what a call writes or deletes."""
    yield from texts_in([call.arguments, *call.positional])
    if call.name.startswith("delete_") and not is_error(result):
        yield from texts_in(result)


def _indices(call: ToolCall) -> Iterator[int]:
    for value in (*call.arguments.values(), *call.positional):
        for index in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(index, int) and call.name.startswith("delete_"):
                yield index


def _counted(texts: Iterable[str]) -> frozenset[str]:
    """Return the numbers of texts, in digits; one is a pronoun as well."""
    return frozenset(word for text in texts for word in in_digits(text) if word.isdigit()) - {"1"}


def _says(text: str, phrases: Sequence[str]) -> bool:
    """Tell whether a phrase stands in a text, in any inflection of its words."""
    said = f" {' '.join(_stems(text))} "
    return any(f" {' '.join(_stems(phrase))} " in said for phrase in phrases)


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]
