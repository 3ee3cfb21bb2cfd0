"""Which kinds of conversations are to be told apart by looking alone: those in which something is there or is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.stats.separation import Threshold, best_threshold

__all__ = ["PAIRS", "Kind", "Pair"]

Kind = tuple[Ability, Form | None]
"""An ability, and the form in which it is shown; None where an earlier version began the conversation."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sorts of conversations that begin alike.

    Attributes:
        there_name: What those are called in which it is there.
        missing_name: What those are called in which it is not.
        there: Their kinds.
        missing: The kinds of the others.
    """

    there_name: str
    missing_name: str
    there: frozenset[Kind]
    missing: frozenset[Kind]

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.there_name} | {self.missing_name}"

    def threshold(self, notes: Mapping[Kind, Mapping[int, int]]) -> Threshold:
        """Return the best threshold on a number of notes, told how often each number occurs in each kind."""
        there, missing = (
            _together(notes[kind] for kind in kinds & notes.keys()) for kinds in (self.there, self.missing)
        )
        return best_threshold(there, missing)


def _together(histograms: Iterable[Mapping[int, int]]) -> Counter[int]:
    whole: Counter[int] = Counter()
    for histogram in histograms:
        whole.update(histogram)
    return whole


def _kinds(ability: Ability, *, besides: tuple[Form | None, ...] = ()) -> frozenset[Kind]:
    """Return an ability in all its forms but some; also as an earlier version began it, without any."""
    return frozenset((ability, form) for form in (None, *FORMS[ability]) if form not in besides)


def _forms(ability: Ability, *forms: Form) -> frozenset[Kind]:
    return frozenset((ability, form) for form in forms)


# What was said some messages above is not looked for.
_RECALL = _kinds(Ability.RECALL, besides=(Form.SAID_ABOVE,))
_ABSTAIN = _kinds(Ability.ABSTAIN)
_ASKED = {
    "recall": _RECALL,
    "connect": _kinds(Ability.CONNECT),
    "ask_back": _kinds(Ability.ASK_BACK),
    "diary_recall": _kinds(Ability.DIARY_RECALL),
}

PAIRS: tuple[Pair, ...] = (
    *(Pair(name, "abstain", kinds, _ABSTAIN) for name, kinds in _ASKED.items()),
    Pair("all these", "abstain", frozenset().union(*_ASKED.values()), _ABSTAIN),
    Pair(
        "forget",
        "never_kept",
        _kinds(Ability.FORGET, besides=(Form.NEVER_KEPT,)),
        _forms(Ability.FORGET, Form.NEVER_KEPT),
    ),
    Pair(
        "update",
        "old_missing",
        _kinds(Ability.UPDATE, besides=(Form.OLD_MISSING,)),
        _forms(Ability.UPDATE, Form.OLD_MISSING),
    ),
    Pair(
        "known_already",
        "told",
        _forms(Ability.SHARE, Form.KNOWN_ALREADY),
        _forms(Ability.SHARE, Form.TOLD, Form.TWO_AT_ONCE, Form.MAYBE_TOLD),
    ),
)
"""Asked for and there or not; to be forgotten, to be changed, and told: there already or not."""
