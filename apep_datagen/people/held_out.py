"""What is held out: the part of the program's own tables that generation never draws, and evaluation alone draws.

A model that was trained on a dataset is asked about people, things and kinds of facts that no dataset holds. What is
held out follows from a digest of each entry, so that it is so for good: not by chance, by a seed or by a version. No
entry was chosen. Adding entries moves none, except that a kind which a new connection joins to others goes with them.

**What is divided.** An eighth of most tables; of those that are small, a quarter, so that evaluation has enough:

- kinds of facts, those that connections join as one, so that each connection stays whole; with a kind goes all that
  is its own: the phrasings of its notes, its near misses and the values that are listed with it;
- two of a kind (a quarter), moments with their pages (a quarter), small notes, topics;
- the words in `world/words/` line by line, and the users' places with them: a text is held out of all lists or of none;
- values made by rule, where there are many: dates, telephone numbers, codes, wide ranges of numbers;
- the users' jobs and interests (a quarter).

**What is not**, because it is closed, and a conversation without it is none: weekdays, months, times, narrow ranges,
ages; relations ("chess partner", of which the name is held out), animals, habits of writing, temperaments, moods,
lengths and styles; the values that are listed with a kind, which stand with other kinds too; what the tester is told.

**What a user's own tables bring is not divided**: all of it is drawn (`people/parts.py` says what counts as theirs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

__all__ = ["Part", "Table", "is_held_out", "is_in", "names_of_units"]

Part = Literal["drawn", "held out"]
"""What generation draws from, and what evaluation does."""
Table = Literal["kinds", "twins", "moments", "trifles", "topics", "words", "jobs", "interests"]
"""What is divided; `words` are all lists of words, the users' places, and what is made by rule."""

_EIGHTHS: Mapping[Table, int] = {
    "kinds": 1,
    "twins": 2,
    "moments": 2,
    "trifles": 1,
    "topics": 1,
    "words": 1,
    "jobs": 2,
    "interests": 2,
}


def is_held_out(table: Table, text: str) -> bool:
    """Tell whether an entry of one of the program's own tables is held out.

    Args:
        table: Where it stands.
        text: What it is known by: a text as it stands there, the first spelling of a word or value, the name of two of
            a kind or of a moment; of a kind of fact, the name of its unit (`names_of_units`).
    """
    digest = hashlib.blake2b(f"{table}/{text}".encode(), digest_size=8).digest()
    return digest[-1] % 8 < _EIGHTHS[table]


def is_in(part: Part, table: Table, text: str) -> bool:
    """Tell whether an entry is in a part; arguments as above."""
    return is_held_out(table, text) is (part == "held out")


def names_of_units(slots: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each kind of fact what it is held out by: the first, by the alphabet, of those that it is joined to.

    Args:
        slots: The kinds.
        pairs: Which are joined by a connection; both are among `slots`.
    """
    unit = {slot: slot for slot in slots}

    def first(slot: str) -> str:
        while unit[slot] != slot:
            slot = unit[slot]
        return slot

    for one, other in pairs:
        earlier, later = sorted((first(one), first(other)))
        unit[later] = earlier
    return {slot: first(slot) for slot in unit}
