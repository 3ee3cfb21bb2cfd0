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
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import parse_messages, sample_line
from apep_datagen.engine.judging import judge_at
from apep_datagen.people.cast import Cast
from apep_datagen.quality.judge import Judge, Level
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.quality.second_look import judge_rewritten
from apep_datagen.rejudge.evidence import Evidence, NotToldError, Rebuilt
from apep_datagen.rejudge.in_output import InOutput
from apep_datagen.rejudge.outcome import Rejudged, Verdict
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.faults import is_about_content, spell_finding
from apep_datagen.storage.notes import notes_to_json
from apep_datagen.storage.rejudged import accept_by_itself, mend, reject_anew, take_out
from apep_datagen.storage.reviewed import Word, read_opinion

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
        self._connection = connection
        self._settings = settings
        self._drops = drops
        self._notify = notify
        self._evidence = Evidence(connection)
        self._accepted = _AcceptedSoFar(connection)
        self._in_output = InOutput(connection, output)
        self.in_output = self._in_output.count()
        self._judges: dict[Level, Judge] = {}
        self._make_judge: Callable[[Level], Judge] = lambda level: judge_at(level, settings.quality, prompts, cast)
        self._judged: dict[int, Rejudged] = {}
        self._reported_at = time.monotonic()

    def conversations(self) -> tuple[Rejudged, ...]:
        """Return all that were judged, in the order of their numbers."""
        return tuple(judged for _, judged in sorted(self._judged.items()))

    def judge_all(self) -> None:
        """Judge what was accepted, and then what was rejected.

        How many may begin alike depends on how many there are. So what is too much like others is judged once more
        behind all others, and again until nothing changes any more: judged a second time, all comes to the same.
        """
        rejected = self._rejected()
        self._total = self._in_output.samples + len(rejected)
        self._accepted.forget_all()
        undecided: dict[int, int] = {}  # what was accepted, with its number in the output
        for sample, messages in self._samples():
            place = self._in_output.number(sample.position, messages)
            if not self._judge_accepted(sample, messages, place) and place is not None:
                undecided[sample.number] = place
        waiting, before = sorted([*undecided, *rejected]), -1
        while self._accepted.kept != before:  # else all would be compared with the same once more
            before = self._accepted.kept
            waiting = [number for number in waiting if not self._judge_again(number, undecided.get(number))]
        for number in waiting:
            if number in undecided:
                self._judge_accepted(*self._sample(number), undecided[number], is_last=True)

    def _judge_again(self, number: int, place: int | None) -> bool:
        """Judge what was accepted and is at a place of the output, or was rejected; tell whether that is decided."""
        return self._judge_rejected(number) if place is None else self._judge_accepted(*self._sample(number), place)

    def number_added(self) -> None:
        """Take note of the numbers in the output that what was added has there."""
        for number, judged in self._judged.items():
            if judged.is_added:
                (place,) = self._connection.execute(
                    "SELECT base_count + position - base_position FROM samples, run WHERE conversation_id = ?",
                    (number,),
                ).fetchone()
                self._judged[number] = replace(judged, number_in_output=place)

    def _judge_accepted(
        self, sample: _Sample, messages: tuple[Message, ...], place: int | None, *, is_last: bool = False
    ) -> bool:
        """Judge a conversation that was accepted, as it is saved.

        Args:
            sample: Which one.
            messages: As it is saved.
            place: Its number in the output; None where it is not there.
            is_last: Whether it is decided now, also where it is too much like others.

        Returns:
            Whether it is decided; else nothing has changed.
        """
        self._report()
        brief, judge = _brief(sample.plan), self._judge_of(sample.provider)
        judged = Rejudged(sample.number, place, _ability(brief), Verdict.ACCEPTED, Verdict.ACCEPTED)
        problem, mended = None, None
        if place is None:
            judged = _not_judged(judged, _NOT_IN_OUTPUT)
        elif brief is None:
            judged = _not_judged(judged, _OF_EARLIER_VERSION)
        else:
            try:
                problem, mended = self._problem(sample, brief, messages, judge)
            except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this conversation alone
                judged = _failed(judged, error)
        if problem is not None:
            judged = replace(_rejected(judged, problem), can_be_mended=mended is not None)
        self._judged[sample.number] = judged
        if problem is not None and problem.stage is Stage.NOVELTY and mended is None and not is_last:
            return False
        if problem is None or brief is None or place is None or not self._drops:
            self._keep(sample.number, messages, judge)
        elif mended is not None:
            self._change(sample.position, place, sample.number)
            mend(self._connection, sample.number, sample_line(mended))
            self._keep(sample.number, mended, judge)
        else:
            self._change(sample.position, place, None)
            self.in_output -= 1
            take_out(self._connection, sample.number, problem)
        return True

    def _problem(
        self, sample: _Sample, brief: Brief, messages: tuple[Message, ...], judge: Judge
    ) -> tuple[Problem | None, tuple[Message, ...] | None]:
        """Return why an accepted conversation is not accepted, or None; and the messages that it can be mended with."""
        rebuilt = self._rebuilt(sample.number)
        reasons = rebuilt.conversation.finish_reasons if rebuilt else ()
        review = rebuilt.conversation.review if rebuilt else None
        case = self._evidence.case_of_accepted(brief, messages, reasons, sample.notes_before, review)
        problem = judge.judge(case, self._accepted)
        if problem is None or rebuilt is None or _calls(rebuilt.messages) != _calls(messages):
            return problem, None
        case = replace(case, messages=rebuilt.messages)
        mended = judge_rewritten(judge, rebuilt.conversation, case, self._accepted)
        if mended.problem is not None:
            return mended.problem, None  # as it is judged the next time, when it counts as rejected
        return problem, training_sample(mended.conversation)

    def _judge_rejected(self, number: int) -> bool:
        """Judge a conversation that was rejected, as it would be saved today; tell whether it is decided."""
        self._report()
        provider, plan, *was = self._connection.execute(
            "SELECT provider, plan, stage, reason, detail, quote FROM conversations WHERE id = ?", (number,)
        ).fetchone()
        brief, judge = _brief(plan), self._judge_of(provider)
        judged = self._judged[number] = Rejudged(number, None, _ability(brief), Verdict.REJECTED, Verdict.ACCEPTED)
        if brief is None:
            self._judged[number] = _not_judged(judged, _OF_EARLIER_VERSION)
            return True
        try:
            rebuilt = self._evidence.rebuild(number)
            case = self._evidence.case_of_rejected(rebuilt)
            looked_at = judge_rewritten(judge, rebuilt.conversation, case, self._accepted)
            problem, messages = looked_at.problem, training_sample(looked_at.conversation)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this conversation alone
            self._judged[number] = _failed(judged, error)
            return True
        if problem is not None:
            self._judged[number] = _rejected(judged, problem)
            if was != [problem.stage.value, problem.reason, problem.detail, problem.quote]:
                reject_anew(self._connection, number, problem)
            return problem.stage is not Stage.NOVELTY
        self.in_output += 1
        accept_by_itself(self._connection, number, sample_line(messages), notes_to_json(case.change.before))
        self._keep(number, messages, judge)
        return True

    def _rebuilt(self, number: int) -> Rebuilt | None:
        try:
            return self._evidence.rebuild(number)
        except NotToldError:
            return None

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

    def _samples(self) -> Iterator[tuple[_Sample, tuple[Message, ...]]]:
        """Yield what was accepted, in its order; it may be changed and deleted meanwhile."""
        position = 0
        while found := self._read_sample("position > ? ORDER BY position LIMIT 1", position):
            position = found[0].position
            yield found

    def _sample(self, number: int) -> tuple[_Sample, tuple[Message, ...]]:
        found = self._read_sample("conversation_id = ?", number)
        assert found is not None  # noqa: S101 - it was just there
        return found

    def _read_sample(self, which: str, value: int) -> tuple[_Sample, tuple[Message, ...]] | None:
        row = self._connection.execute(
            "SELECT CAST(line AS BLOB), position, conversation_id, provider, plan, notes_before FROM samples"  # noqa: S608 - constants
            f" JOIN conversations ON id = conversation_id WHERE {which}",
            (value,),
        ).fetchone()
        if row is None:
            return None
        line, *columns = row
        sample = _Sample(*columns)
        messages = parse_messages(line)
        if messages is None:
            raise ValueError(f"of the accepted conversations the one numbered {sample.position} is none")
        return sample, messages

    def _rejected(self) -> list[int]:
        # What a person has rejected, or called bad, is not for the rules to decide.
        rows = self._connection.execute(
            "SELECT id FROM conversations WHERE status = 'rejected' AND stage IS NOT ? ORDER BY id",
            (Stage.PERSON.value,),
        )
        bad = {said.conversation_id for said in read_opinion(self._connection).said.values() if said.word is Word.BAD}
        return [number for (number,) in rows if number not in bad]

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


def _rejected(judged: Rejudged, problem: Problem) -> Rejudged:
    return replace(
        judged,
        now=Verdict.REJECTED,
        stage=problem.stage.value,
        reason=problem.reason,
        detail=problem.detail,
        quote=problem.quote,
    )


def _not_judged(judged: Rejudged, reason: str, detail: str = "") -> Rejudged:
    return replace(judged, now=Verdict.NOT_JUDGED, reason=reason, detail=detail)


def _failed(judged: Rejudged, error: Exception) -> Rejudged:
    """Return what is told of a conversation that cannot be judged; it stays what it was.

    Raises:
        Exception: It says that the file cannot be read, and nothing of this conversation.
    """
    if isinstance(error, NotToldError):
        return _not_judged(judged, error.reason, error.detail)
    if not is_about_content(error):
        raise error
    return _not_judged(judged, _NOT_READABLE, spell_finding(error))


def _calls(messages: tuple[Message, ...]) -> list[object]:
    """Return what a conversation did, and what came of it."""
    return [
        parse_answer(message.content).calls if message.role == "assistant" else message.content
        for message in messages
        if message.role in {"assistant", "tool"}
    ]
