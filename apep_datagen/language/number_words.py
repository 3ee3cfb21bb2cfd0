"""The words of numbers, with their values."""

from __future__ import annotations

from apep_datagen.core.words import words

__all__ = ["ORDINALS", "TENS", "UNITS"]

UNITS = {
    word: value
    for value, word in enumerate(
        words("""
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen
        """)
    )
}
"""Zero to nineteen."""
TENS = {
    word: 10 * value
    for value, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
"""Twenty to ninety."""
_ORDINAL_UNITS = words("""
    zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth
""")
_ORDINAL_TENS = words("twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth")
ORDINALS = {
    **{word: value for value, word in enumerate(_ORDINAL_UNITS)},
    **{word: 10 * value for value, word in enumerate(_ORDINAL_TENS, start=2)},
}
"""Zeroth to nineteenth, and twentieth to ninetieth by tens."""
