"""Text that has run into a loop: the same words again and again."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby, pairwise

from apep_datagen.core.words import words

__all__ = ["repeated_words"]

# In 818 texts of a capable model no run of even four words came more than twice, and no word more than twice in a row.
# Songs and lists of people repeat more; what loops does so until something stops it.
_RUN_LENGTH = 8
_MOST_TIMES = 4
_MOST_IN_A_ROW = 40
_CHARACTER = re.compile(r"(\S)\1{199}")


def repeated_words(text: str) -> str:
    """Return what a text says again and again, as no person does, or an empty text.

    That is a run of eight words, not all of them the same, which stands in it more than four times, a word more than
    forty times in a row, or a character two hundred times. So a sentence of eight words counts, and so does a shorter
    one that follows itself.
    """
    if found := _CHARACTER.search(text):
        return found[1]
    said = words(text)
    runs = list(zip(*(said[start:] for start in range(_RUN_LENGTH)), strict=False))
    if len(runs) - len(set(runs)) < _MOST_TIMES:
        return ""
    for word, same in groupby(said):
        if sum(1 for _ in same) > _MOST_IN_A_ROW:
            return word
    # Not all words of a run are the same where two that follow each other are not.
    varied = Counter(run for run in runs if any(word != following for word, following in pairwise(run)))
    run, times = max(varied.items(), key=lambda item: item[1], default=((), 0))
    return " ".join(run) if times > _MOST_TIMES else ""
