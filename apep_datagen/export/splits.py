"""Dividing a dataset by users, so that nobody stands on both sides, also not while the run goes on."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from dataclasses import dataclass

from apep_datagen.core.errors import SettingsError

__all__ = ["SPLIT_NAMES", "WHOLE", "Splits", "parse_splits"]

SPLIT_NAMES = ("train", "validation", "test")
"""What parts can be called, in order."""
_SHARE = re.compile(r"\d{1,6}(?:\.\d{1,9})?|\.\d{1,9}")


@dataclass(frozen=True, slots=True)
class Splits:
    """The parts of a dataset.

    Attributes:
        shares: The share of each, by its name; together they are 1.
    """

    shares: tuple[tuple[str, float], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(name for name, _ in self.shares)

    def of(self, seed: int | None, user: int | None) -> str:
        """Return the part to which a user of a run belongs.

        It follows from the user alone, so it stays the same however many come after. Whoever is not known belongs to
        the first part: nobody can say whether they are in another one.

        Args:
            seed: That of the run.
            user: The number of the user in the run.
        """
        if user is None or len(self.shares) == 1:
            return self.shares[0][0]
        digest = hashlib.blake2b(f"{seed}/{user}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest, "big") / 2**64
        ends = itertools.accumulate(share for _, share in self.shares)
        return next((name for (name, _), end in zip(self.shares, ends, strict=True) if place < end), self.names[-1])


WHOLE = Splits(((SPLIT_NAMES[0], 1.0),))
"""All in one part."""


def parse_splits(text: str | None) -> Splits:
    """Read `--split`: the shares of two or three parts, such as `0.95/0.05`, `99.5/0.5` or `90/5/5`.

    Whole numbers say how the parts are to each other; what has fractions has to add up to 1, or 100.

    Raises:
        SettingsError: It is none.
    """
    if text is None:
        return WHOLE
    parts = [part.strip() for part in text.split("/")]
    if not 2 <= len(parts) <= len(SPLIT_NAMES) or not all(map(_SHARE.fullmatch, parts)):  # noqa: PLR2004 - train and validation
        raise SettingsError(f"--split {text}: write TRAIN/VALIDATION or TRAIN/VALIDATION/TEST, e.g. --split 0.95/0.05")
    shares = [float(part) for part in parts]
    whole = math.fsum(shares)
    if not all(shares):
        raise SettingsError(f"--split {text}: each share has to be above 0")
    if not all(share.is_integer() for share in shares) and not any(math.isclose(whole, each) for each in (1, 100)):
        raise SettingsError(
            f"--split {text}: the shares add up to {whole:g}; they have to add up to 1, or 100, e.g. --split 0.95/0.05"
        )
    return Splits(tuple((name, share / whole) for name, share in zip(SPLIT_NAMES, shares, strict=False)))
