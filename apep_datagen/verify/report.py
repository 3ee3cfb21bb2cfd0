"""What checking a dataset has found, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apep_datagen.core.words import shorten
from apep_datagen.verify.findings import Finding
from apep_datagen.verify.matching import ComparedWithDatabase
from apep_datagen.verify.verification import Verification

__all__ = ["describe_verification", "verification_as_json"]

_SHOWN = 20
_SHOWN_DETAIL_LENGTH = 200


def verification_as_json(verification: Verification) -> dict[str, Any]:
    """Return what was found for a script.

    Returns:
        `output`; `conversations` looked at, `form_checked` and `novelty_checked` of them; `compared` with the state
        database (`conversations`, `foreign`, `unchecked`, `timelines`, `calls`, `notes`, and `active`, null where the
        system does not say), or null where there is none; `total` findings; `counts` (a list of `kind` and `count`);
        `findings`, at most 1,000 (a list of `conversation`, its number in the file from 1 or null, `kind` and
        `detail`).
    """
    return {
        "output": str(verification.output),
        "conversations": verification.conversations,
        "form_checked": verification.form_checked,
        "novelty_checked": verification.novelty_checked,
        "compared": None if verification.compared is None else asdict(verification.compared),
        "total": verification.total,
        "counts": [{"kind": kind, "count": count} for kind, count in verification.counts],
        "findings": [asdict(finding) for finding in verification.findings],
    }


def describe_verification(verification: Verification) -> str:
    """Return what was checked, what was not, and what was found, for a person."""
    parts = [
        f"{verification.conversations:,} conversations are in {verification.output}",
        _bulleted("Checked:", _checked(verification)),
    ]
    if unchecked := _unchecked(verification):
        parts.append(_bulleted("Not checked:", unchecked))
    parts.append(_describe_findings(verification) if verification.total else "Nothing was found.")
    return "\n\n".join(parts)


def _bulleted(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"- {line}" for line in lines)])


def _checked(verification: Verification) -> list[str]:
    lines = [
        f"the form of {verification.form_checked:,}",
        f"whether {verification.novelty_checked:,} are new among all, by their texts and openings",
    ]
    compared = verification.compared
    if compared is not None:
        again = f"{compared.calls:,} calls of {compared.timelines:,} timelines, executed again in order"
        lines += [
            f"whether {compared.conversations:,} are as this program wrote them",
            f"the results of {again}",
            f"{compared.notes:,} notes of memory and diary, deleted ones included, with what the calls lead to",
        ]
    return lines


def _unchecked(verification: Verification) -> list[str]:
    lines = []
    if others := verification.conversations - verification.form_checked:
        lines.append(f"the form of {others:,}: everything was to be accepted (level off in [quality])")
    if others := verification.form_checked - verification.novelty_checked:
        lines.append(f"whether {others:,} are new: their form alone was judged (level form in [quality])")
    compared = verification.compared
    if compared is None:
        lines.append("whether the calls give the saved results: there is no state database beside the file")
    else:
        lines += _unchecked_with_database(compared)
    return lines


def _unchecked_with_database(compared: ComparedWithDatabase) -> list[str]:
    lines = []
    if compared.foreign:
        lines.append(
            f"the calls of {compared.foreign:,}: they were there before the run, were imported, or were changed by hand"
        )
    if compared.unchecked:
        doing = "a run is active; it works on them or has only just written them" if compared.active else "not finished"
        lines.append(f"{compared.unchecked:,} conversations of the run: {doing}")
    if compared.active is None:
        lines.append("whether a run is active, which this system does not say: if so, check again when it has ended")
    return lines


def _describe_findings(verification: Verification) -> str:
    shown = verification.findings[:_SHOWN]
    lines = [f"{verification.total:,} findings:", *map(_describe, shown)]
    if verification.total > len(shown):
        width = max(len(f"{count:,}") for _, count in verification.counts)
        lines += [
            f"… and {verification.total - len(shown):,} more (--json tells the first {len(verification.findings):,})",
            "",
            *(f"{count:,}".rjust(width) + f"  {kind}" for kind, count in verification.counts),
        ]
    return "\n".join(lines)


def _describe(finding: Finding) -> str:
    place = "" if finding.conversation is None else f"conversation {finding.conversation}: "
    detail = shorten(" ".join(finding.detail.split()), _SHOWN_DETAIL_LENGTH)
    return f"- {place}{finding.kind}" + (f" ({detail})" if detail else "")
