"""What came of an import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.core.words import shorten
from apep_datagen.formats.example import Counts

__all__ = ["Imported", "NotTaken", "Tally"]

EXIT_STATUS_OF_LOSS = 7
_MOST_NAMES = 50
_MOST_PLACES = 5
_LONGEST_NAME = 160
_OTHER = "(other)"


@dataclass(slots=True)
class NotTaken:
    """Rows that were not taken, for the same reason.

    Attributes:
        reason: Why.
        count: How many there are.
        places: Where the first of them are.
    """

    reason: str
    count: int = 0
    places: list[str] = field(default_factory=list)


class Tally:
    """Counts names that a file holds: as many different ones as fit on a page, whatever the file holds."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        """Count a name."""
        name = shorten(name, _LONGEST_NAME)
        self.counts[name if name in self.counts or len(self.counts) < _MOST_NAMES else _OTHER] += number


@dataclass(slots=True)
class Imported:
    """What came of an import.

    Attributes:
        source: What was read.
        output: Where it went.
        is_dry_run: Whether nothing was written.
        rows: How many rows there are.
        forms: By form, how many were understood.
        not_taken: By reason, those that were not.
        columns: By name, columns that have no place in a conversation: in how many rows each is.
        conversations: How many conversations were taken.
        added: How many of them were added to the output; the others are in it already.
        in_output: How many it holds.
        before: What the rows hold that were understood; context counts once.
        after: What of that is in the output.
        prompts_put_back: How many conversations have their prompts of the output again, by the export's report.
        without_prompt: How many have no system prompt.
        without_text_form: How many have one that does not show how Ada writes calls.
        context_alone: How many have an answer that their rows have as context alone, not to be learnt.
        mended: In how many rows characters that cannot be stored, or line ends, were replaced.
    """

    source: Path
    output: Path
    is_dry_run: bool
    rows: int = 0
    forms: Tally = field(default_factory=Tally)
    columns: Tally = field(default_factory=Tally)
    conversations: int = 0
    added: int = 0
    in_output: int = 0
    before: Counts = field(default_factory=Counts)
    after: Counts = field(default_factory=Counts)
    prompts_put_back: int = 0
    without_prompt: int = 0
    without_text_form: int = 0
    context_alone: int = 0
    mended: int = 0
    _reasons: dict[str, NotTaken] = field(default_factory=dict)

    @property
    def not_taken(self) -> list[NotTaken]:
        """Rows that were not taken, the most frequent reason first."""
        return sorted(self._reasons.values(), key=lambda found: -found.count)

    @property
    def there_already(self) -> int:
        """How many of the conversations that were taken were in the output already, or twice in what was read."""
        return self.conversations - self.added

    @property
    def exit_status(self) -> int:
        """0, or 7 if a row was not taken or anything of one was lost."""
        is_whole = not (self._reasons or self.mended or self.context_alone) and self.before == self.after
        return 0 if is_whole else EXIT_STATUS_OF_LOSS

    def refuse(self, place: str, reason: str) -> None:
        """Count a row that is not taken."""
        reason = shorten(reason, _LONGEST_NAME)
        if reason not in self._reasons and len(self._reasons) >= _MOST_NAMES:
            reason = _OTHER
        found = self._reasons.setdefault(reason, NotTaken(reason))
        found.count += 1
        if len(found.places) < _MOST_PLACES:
            found.places.append(place)
