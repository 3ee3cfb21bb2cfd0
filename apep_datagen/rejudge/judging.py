"""Each conversation of a run judged anew, and what becomes of it recorded in the state database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import parse_messages, sample_line
from apep_datagen.engine.judging import judge_at
from apep_datagen.people.cast import Cast
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge, Level
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.rejudge.evidence import Evidence, NotToldError, Rebuilt
from apep_datagen.rejudge.in_output import InOutput
from apep_datagen.rejudge.outcome import Judged, Verdict
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.faults import is_about_content, spell_finding
from apep_datagen.storage.rejudged import accept_by_itself, mend, reject_anew, take_out

__all__ = ["Judging"]

_SECONDS_BETWEEN_REPORTS = 5.0

_OF_EARLIER_VERSION = "an earlier version made it, and what it was to show is not recorded"
_NOT_IN_OUTPUT = "it is not in the output as it was written"
_NOT_READABLE = "what is recorded of it cannot be made sense of"


class _AcceptedSoFar(AcceptedConversations):
    """What is accepted of those that have been judged anew, as a run knows what it has accepted so far."""

    kept = 0

    def count(self) -> int:
        return self.kept


@dataclass(frozen=True, slots=True)
class _Sample:
    """A row of an accepted conversation."""

    position: int
    number: int
    provider: str
    plan: str
    line: bytes
    notes_before: str | None


class Judging:
    """Judges a run anew, in a transaction that the caller commits, or does not.

    Args:
        connection: The state database.
        output: The output.
        settings: What is accepted.
        prompts: The prompts of today.
        cast: By which words text is recognised.
        drops: Whether what fails is taken out, or mended.
        notify: Is told how far it is.

    Attributes:
        gone: Which conversations of the output's base are to leave it, by their number from 1; with the conversation
            whose sample stands there instead, or None.
        replaces: Whether the output is to be written anew, because something in the middle of it changes.
        in_output: How many conversations the output will hold.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        output: Path,
        settings: Settings,
        prompts: PromptSet,
        cast: Cast,
        *,
        drops: bool,
        notify: Callable[[str], None],
    ) -> None:
        self.gone: dict[int, int | None] = {}
        self.replaces = False
        self.in_output = 0
        self._connection = connection
        self._settings = settings
        self._drops = drops
        self._notify = notify
        self._evidence = Evidence(connection)
        self._accepted = _AcceptedSoFar(connection)
        self._in_output = InOutput(connection, output)
        self._judges: dict[Level, Judge] = {}
        self._make_judge: Callable[[Level], Judge] = lambda level: judge_at(level, settings.quality, prompts, cast)
        self._judged: dict[int, Judged] = {}
        self._reported_at = time.monotonic()

    def conversations(self) -> tuple[Judged, ...]:
        """Return all that were judged, in the order of their numbers."""
        return tuple(judged for _, judged in sorted(self._judged.items()))

    def judge_all(self) -> None:
        """Judge what was accepted, and then what was rejected."""
        samples, rejected = self._count(), self._rejected()
        self._total = samples + len(rejected)
        self.in_output = self._in_output.base_count + samples - self._in_output.base_position
        self._accepted.forget_all()
        for sample in self._samples():
            self._report()
            self._judged[sample.number] = self._judge_accepted(sample)
        # With more that is accepted, more may begin alike: what was too much like others before is asked once more,
        # until nothing changes, so that judging a second time finds nothing new.
        while rejected:
            added, again = 0, []
            for number in rejected:
                self._report()
                judged = self._judged[number] = self._judge_rejected(number)
                added += judged.is_added
                if judged.stage == Stage.NOVELTY:
                    again.append(number)
            rejected = again if added else []

    def number_added(self) -> None:
        """Take note of the numbers in the output that what was added has there."""
        for number, judged in self._judged.items():
            if judged.is_added:
                (place,) = self._connection.execute(
                    "SELECT base_count + position - base_position FROM samples, run WHERE conversation_id = ?",
                    (number,),
                ).fetchone()
                self._judged[number] = replace(judged, number_in_output=place)

    def _judge_accepted(self, sample: _Sample) -> Judged:
        """Judge a conversation that was accepted, as it is saved."""
        messages = parse_messages(sample.line)
        if messages is None:
            raise ValueError(f"of the accepted conversations the one numbered {sample.position} is none")
        brief, place = _brief(sample.plan), self._in_output.number(sample.position, messages)
        judge = self._judge_of(sample.provider)
        judged = Judged(sample.number, place, _ability(brief), Verdict.ACCEPTED, Verdict.ACCEPTED)
        if place is None:
            self._accepted.kept += 1
            return _not_judged(judged, _NOT_IN_OUTPUT)
        if brief is None:
            self._keep(sample.number, messages, judge)
            return _not_judged(judged, _OF_EARLIER_VERSION)
        problem = mended = None
        try:
            rebuilt = self._rebuilt(sample.number)
            reasons = rebuilt.conversation.finish_reasons if rebuilt else ()
            case = self._evidence.case_of_accepted(brief, messages, reasons, sample.notes_before)
            problem = judge.judge(case, self._accepted)
            mended = rebuilt.messages if problem and rebuilt and self._mends(rebuilt, case, judge) else None
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this conversation alone
            judged = _failed(judged, error)
        if problem is not None:
            judged = replace(_rejected(judged, problem), can_be_mended=mended is not None)
        if problem is None or not self._drops:
            self._keep(sample.number, messages, judge)
        elif mended is not None:
            self._change(sample.position, place, sample.number)
            mend(self._connection, sample.number, sample_line(mended))
            self._keep(sample.number, mended, judge)
        else:
            self._change(sample.position, place, None)
            self.in_output -= 1
            take_out(self._connection, brief, problem)
        return judged

    def _judge_rejected(self, number: int) -> Judged:
        """Judge a conversation that was rejected, as it would be saved today."""
        provider, plan, *was = self._connection.execute(
            "SELECT provider, plan, stage, reason, detail, quote FROM conversations WHERE id = ?", (number,)
        ).fetchone()
        brief, judge = _brief(plan), self._judge_of(provider)
        judged = Judged(number, None, _ability(brief), Verdict.REJECTED, Verdict.ACCEPTED)
        if brief is None:
            return _not_judged(judged, _OF_EARLIER_VERSION)
        try:
            case = self._evidence.case_of_rejected(self._evidence.rebuild(number))
            problem = judge.judge(case, self._accepted)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this conversation alone
            return _failed(judged, error)
        if problem is not None:
            judged = _rejected(judged, problem)
            if was != [judged.stage, judged.reason, judged.detail, judged.quote]:
                reject_anew(self._connection, brief, problem)
            return judged
        self.in_output += 1
        accept_by_itself(self._connection, brief, sample_line(case.messages), case.change.before)
        self._keep(number, case.messages, judge)
        return judged

    def _rebuilt(self, number: int) -> Rebuilt | None:
        try:
            return self._evidence.rebuild(number)
        except NotToldError:
            return None

    def _mends(self, rebuilt: Rebuilt, case: Case, judge: Judge) -> bool:
        """Tell whether a conversation is accepted as it is rebuilt, with other thoughts and nothing else changed."""
        return _differ_in_thoughts_alone(case.messages, rebuilt.messages) and (
            judge.judge(replace(case, messages=rebuilt.messages), self._accepted) is None
        )

    def _keep(self, number: int, messages: tuple[Message, ...], judge: Judge) -> None:
        """Let what is judged after it be compared with a conversation that is in the output."""
        self._accepted.kept += 1
        if isinstance(read_sample(messages), Sample):
            judge.remember(number, messages, self._accepted)

    def _change(self, position: int, place: int, instead: int | None) -> None:
        """Take note of a conversation that changes in the output, or leaves it."""
        self.replaces = True
        if position <= self._in_output.base_position:
            self.gone[place] = instead

    def _judge_of(self, provider: str) -> Judge:
        level = self._settings.level_of(provider)
        if level not in self._judges:
            self._judges[level] = self._make_judge(level)
        return self._judges[level]

    def _count(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM samples").fetchone()
        return int(count)

    def _samples(self) -> Iterator[_Sample]:
        """Yield what was accepted, in its order; it may be changed and deleted meanwhile."""
        position = 0
        while row := self._connection.execute(
            "SELECT position, conversation_id, provider, plan, CAST(line AS BLOB), notes_before FROM samples"
            " JOIN conversations ON id = conversation_id WHERE position > ? ORDER BY position LIMIT 1",
            (position,),
        ).fetchone():
            position = row[0]
            yield _Sample(*row)

    def _rejected(self) -> list[int]:
        rows = self._connection.execute("SELECT id FROM conversations WHERE status = 'rejected' ORDER BY id")
        return [number for (number,) in rows]

    def _report(self) -> None:
        """Say from time to time how far it is."""
        now = time.monotonic()
        if now - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
            self._reported_at = now
            self._notify(f"{len(self._judged):,} of {self._total:,} conversations are judged")


def _brief(plan: str) -> Brief | None:
    try:
        return brief_from_json(plan)
    except ValueError:
        return None


def _ability(brief: Brief | None) -> str:
    return brief.scenario.ability.value if brief else ""


def _rejected(judged: Judged, problem: Problem) -> Judged:
    return replace(
        judged,
        now=Verdict.REJECTED,
        stage=problem.stage.value,
        reason=problem.reason,
        detail=problem.detail,
        quote=problem.quote,
    )


def _not_judged(judged: Judged, reason: str, detail: str = "") -> Judged:
    return replace(judged, now=Verdict.NOT_JUDGED, reason=reason, detail=detail)


def _failed(judged: Judged, error: Exception) -> Judged:
    """Return what is told of a conversation that cannot be judged; it stays what it was.

    Raises:
        Exception: It says that the file cannot be read, and nothing of this conversation.
    """
    if isinstance(error, NotToldError):
        return _not_judged(judged, error.reason, error.detail)
    if not is_about_content(error):
        raise error
    return _not_judged(judged, _NOT_READABLE, spell_finding(error))


def _differ_in_thoughts_alone(one: tuple[Message, ...], other: tuple[Message, ...]) -> bool:
    return one != other and [*map(_without_thought, one)] == [*map(_without_thought, other)]


def _without_thought(message: Message) -> Message:
    if message.role != "assistant":
        return message
    before, tag, behind = message.content.partition("</think>")
    return Message("assistant", behind if tag else before)
