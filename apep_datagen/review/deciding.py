"""What follows of what people say: what leaves the output, and what comes back. Nothing is changed here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.review.dependents import Use, uses_of
from apep_datagen.review.known import InOutput, Known
from apep_datagen.storage.reviewed import Opinion, Removed, Said, Word, read_opinion

__all__ = ["DEPENDS", "Change", "Plan", "plan_application", "plan_undoing"]

_REJECTED = "rejected by a person"
DEPENDS = "it used what a rejected conversation had stored"
"""The reason why something leaves with another one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of conversations.

    Attributes:
        leaving: What leaves the output, each with why.
        back: What comes back.
        otherwise: What stays out for another reason than before, by its number in the run.
    """

    leaving: tuple[tuple[InOutput, Problem], ...] = ()
    back: tuple[Removed, ...] = ()
    otherwise: tuple[tuple[int, Problem], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file of verdicts comes to.

    Attributes:
        said: What is new of what it says.
        unchanged: How much of it was known before.
        unknown: What it says of conversations that are not known.
        uses: Which conversations of the output used what a bad one has stored; of each conversation the first.
        spared: Those of them that somebody called good, by their numbers in the run.
        dependents: The digests of what is to leave with what is bad, each with that one's, as far as it is new.
        change: What becomes of conversations.
    """

    said: tuple[Said, ...]
    unchanged: int
    unknown: tuple[Said, ...]
    uses: tuple[Use, ...]
    spared: frozenset[int]
    dependents: tuple[tuple[str, str], ...]
    change: Change

    @property
    def changes_nothing(self) -> bool:
        """Whether all of it was applied before."""
        return not self.said and not self.dependents and self.change == Change()


def plan_application(
    connection: sqlite3.Connection, known: Known, given: Iterable[Said], *, name: str, with_dependents: bool
) -> Plan:
    """Return what follows of some verdicts.

    Args:
        connection: The state database.
        known: The conversations that there are.
        given: The verdicts, as a file has them.
        name: Who said so.
        with_dependents: Whether what was built on a bad one leaves with it.
    """
    before = read_opinion(connection)
    found: dict[str, Said] = {}
    unknown: list[Said] = []
    for said in given:
        if there := known.find(said.digest):
            digest, number = there
            found[digest] = replace(said, digest=digest, given=said.digest, conversation_id=number, name=name)
        else:
            unknown.append(said)
    new = {digest: said for digest, said in found.items() if not said.is_same_as(before.said.get(digest))}
    words = {**before.said, **new}
    spared = frozenset(
        said.conversation_id for said in words.values() if said.word is Word.GOOD and said.conversation_id is not None
    )
    bad = {said.conversation_id: digest for digest, said in found.items() if said.word is Word.BAD}
    uses = [use for root in bad if root is not None for use in uses_of(connection, root, spared)]
    dependents: dict[tuple[str, str], None] = {}
    if with_dependents:
        for use in uses:
            place = known.of_run(use.conversation_id)
            if place and use.conversation_id not in spared:
                dependents[place.digest, bad[use.root]] = None
    added = tuple((digest, root) for digest, root in dependents if root not in before.roots.get(digest, ()))
    now = Opinion(words, _with(before.roots, added))
    return Plan(
        said=tuple(new.values()),
        unchanged=len(found) - len(new),
        unknown=tuple(unknown),
        uses=tuple({use.conversation_id: use for use in reversed(uses) if use.conversation_id not in bad}.values())[
            ::-1
        ],
        spared=spared,
        dependents=added,
        change=_change(before, now, {*found, *(digest for digest, _ in added)}, known),
    )


def plan_undoing(connection: sqlite3.Connection, known: Known, batch: int) -> Change:
    """Return what follows if a batch had not been."""
    before, now = read_opinion(connection), read_opinion(connection, but=batch)
    said = connection.execute("SELECT digest FROM person_verdicts WHERE batch = ?", (batch,))
    dependents = connection.execute("SELECT digest FROM person_dependents WHERE batch = ?", (batch,))
    return _change(before, now, {digest for (digest,) in (*said.fetchall(), *dependents.fetchall())}, known)


def _with(roots: Mapping[str, frozenset[str]], added: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found = dict(roots)
    for digest, root in added:
        found[digest] = found.get(digest, frozenset()) | {root}
    return found


def _change(before: Opinion, now: Opinion, touched: set[str], known: Known) -> Change:
    """Return what becomes of conversations, and of those that were to leave with them."""
    with_them = {digest for roots in (before.roots, now.roots) for digest in roots if roots[digest] & touched}
    leaving: list[tuple[InOutput, Problem]] = []
    back: list[Removed] = []
    otherwise: list[tuple[int, Problem]] = []
    for digest in sorted(touched | with_them):
        problem = _problem(now, digest)
        if problem is None:
            back += known.removed(digest)
            continue
        leaving += ((place, problem) for place in known.in_output(digest))
        if problem != _problem(before, digest):
            otherwise += (
                (removed.conversation_id, problem)
                for removed in known.removed(digest)
                if removed.conversation_id is not None
            )
    leaving.sort(key=lambda item: item[0].number)
    back.sort(key=lambda removed: removed.id)
    return Change(tuple(leaving), tuple(back), tuple(otherwise))


def _problem(opinion: Opinion, digest: str) -> Problem | None:
    """Return why a conversation is not to be in the output; None where it is."""
    said = opinion.said.get(digest)
    if said is not None and said.word is Word.BAD:
        return Problem(Stage.PERSON, said.tags[0] if said.tags else _REJECTED, _detail(said))
    if said is not None and said.word is Word.GOOD:
        return None
    if roots := opinion.bad_roots(digest):
        which = ", ".join(str(root.conversation_id) for root in roots)
        return Problem(Stage.PERSON, DEPENDS, f"conversation {which} of the run, rejected by {roots[0].name}")
    return None


def _detail(said: Said) -> str:
    parts = [f"said by {said.name}"]
    if said.tags[1:]:
        parts.append(f"also {', '.join(said.tags[1:])}")
    return "; ".join(parts) + (f": {said.note}" if said.note else "")
