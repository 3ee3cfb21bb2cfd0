"""What the page is made of, conversation by conversation: from the output, and what its state database knows.

Nothing is kept but what the list needs of each; what is drawn of one is handed on as soon as it is read.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic.dataclasses import dataclass as checked_dataclass

from apep_datagen.config.settings import Settings
from apep_datagen.conversation.brief import Brief
from apep_datagen.core.messages import Message, Step
from apep_datagen.core.sample_json import line_digest, messages_digest, parse_messages
from apep_datagen.export.source import Source, SourceConversation
from apep_datagen.inspect.readable import brief_rows
from apep_datagen.inspect.said import Said, read_said
from apep_datagen.report.sampling import sample_of
from apep_datagen.report.spoken import SystemLines, changes_of, openings_of, spoken, traits_of
from apep_datagen.storage.checked import CHECKED
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.notes import notes_from_json, read_entries

__all__ = ["Gathered", "Gathering", "notes_of_timeline"]

_LONGEST_TITLE = 140
# What a run knows of a conversation, whatever became of it.
_KNOWN = """
    SELECT conversations.id, timeline_id, prompt_set_id, status, coalesce(stage, ''), coalesce(reason, ''),
        coalesce(detail, ''), coalesce(quote, ''), plan, provider, ended_at, notes_before,
        told ->> '$.scenario.ability', told ->> '$.scenario.form', told ->> '$.user.name',
        coalesce(told ->> 'at', told ->> 'date')
    FROM (SELECT *, CASE WHEN json_valid(plan) THEN plan END AS told FROM conversations WHERE id = ?) AS conversations
    LEFT JOIN samples ON conversation_id = conversations.id
"""
_NOT_ACCEPTED = """
    SELECT id, coalesce(stage, status) FROM conversations WHERE status IN ('rejected', 'set aside') ORDER BY id
"""
_STEPS = """
    SELECT provider, model, kind, total(prompt_tokens), total(completion_tokens), total(seconds) FROM steps
    WHERE conversation_id = ? AND provider IS NOT NULL GROUP BY provider, model, kind ORDER BY min(number)
"""


@checked_dataclass(frozen=True, slots=True, config=CHECKED)
class _Known:
    """What the state database knows of a conversation: the columns of `_KNOWN`.

    Of the first versions' conversations, it does not know what they were about.
    """

    id: int
    timeline: int
    prompts: int
    status: str
    stage: str
    reason: str
    detail: str
    quote: str
    plan: str
    provider: str
    ended_at: float | None
    notes_before: str | None
    ability: str | None
    form: str | None
    name: str | None
    at: str | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """A conversation as the page has it.

    Attributes:
        row: What the list, the filters and the pictures need, by short names, as `page/model.js` explains them.
        body: What is drawn where it is read.
    """

    row: dict[str, Any]
    body: dict[str, Any]


@dataclass(slots=True)
class _Use:
    """What one model of one provider was used for in a conversation."""

    roles: dict[str, None] = field(default_factory=dict)
    prompt: int = 0
    completion: int = 0


class Gathering:
    """Reads an output, and what its state database knows, once from the beginning to the end.

    Args:
        source: The output.
        connection: Its state database, in the transaction in which all of it is read; None where there is none.
        settings: What models cost.
        openings: Beginnings of messages that can be looked for, with the kind of message.

    Attributes:
        lines: The lines of system prompts that came more than once.
        timelines: The timelines of what was read so far.
        others: Elements of the output that are no conversations.
        left_out: Conversations that are not in the sample.
        first: The digest of the first element of the output; empty where there is none.
        models: The models that were used, each with its provider.
    """

    def __init__(
        self,
        source: Source,
        connection: sqlite3.Connection | None,
        settings: Settings,
        openings: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.lines = SystemLines()
        self.timelines: dict[int, None] = {}
        self.others = 0
        self.left_out = 0
        self.first = ""
        self.models: dict[str, int] = {}
        self._source = source
        self._connection = connection
        self._openings = {opening: place for place, opening in enumerate(openings)}
        self._quote: Callable[[str, str], tuple[float, float] | None] = functools.cache(settings.quote)

    def conversations(self, sample: int | None = None) -> Iterator[Gathered]:
        """Yield the conversations of the output in its order, then those that were not accepted.

        Args:
            sample: How many of the first, and at most how many of the others; None for all.
        """
        wanted = None if sample is None else sample_of(self._kinds(), sample)
        for item in self._source.conversations():
            self.first = self.first or line_digest(item.element).hex()
            if wanted is not None and item.number not in wanted:
                self.left_out += 1
            elif (messages := parse_messages(item.element)) is None:
                self.others += 1
            else:
                yield self._accepted(item, messages)
        if self._connection is None:
            return
        rows = self._connection.execute(_NOT_ACCEPTED).fetchall()
        chosen = None if sample is None else sample_of(((each, stage, _rank(each)) for each, stage in rows), sample)
        for number, _ in rows:
            if chosen is not None and number not in chosen:
                self.left_out += 1
            else:
                yield self._rejected(self._connection, number)

    def _kinds(self) -> Iterator[tuple[int, str, str]]:
        for item in self._source.conversations():
            yield item.number, " ".join(item.origin.abilities), line_digest(item.element).hex()

    def _accepted(self, item: SourceConversation, messages: tuple[Message, ...]) -> Gathered:
        known, said = None, Said(messages)
        if self._connection is not None and item.origin.conversations:
            known = self._known(self._connection, item.origin.conversations[0])
            brief = _brief(known.plan)
            said = Said(messages, read_said(self._connection, known.id, brief, known.prompts).originals)
        return self._gathered(item.number, line_digest(item.element).hex(), said, known)

    def _rejected(self, connection: sqlite3.Connection, number: int) -> Gathered:
        known = self._known(connection, number)
        said = read_said(connection, number, _brief(known.plan), known.prompts)
        return self._gathered(None, messages_digest(said.messages).hex(), said, known)

    def _known(self, connection: sqlite3.Connection, number: int) -> _Known:
        return _Known(*connection.execute(_KNOWN, (number,)).fetchone())

    def _gathered(self, number: int | None, digest: str, said: Said, known: _Known | None) -> Gathered:
        messages = spoken(said.messages, said.originals)
        traits = traits_of(messages)
        row: dict[str, Any] = {
            "n": number,
            "d": digest,
            "t": " ".join(traits.title[: 2 * _LONGEST_TITLE].split())[:_LONGEST_TITLE],
            "x": traits.exchanges,
            "w": traits.words,
            "l": list(traits.tools),
            "e": int(traits.has_errors),
            "o": int(traits.has_rewrites),
            "h": sorted({self._openings[each] for each in openings_of(messages) if each in self._openings}),
        }
        body: dict[str, Any] = {"m": messages}
        if said.messages and said.messages[0].role == "system":
            body["y"] = self.lines.spell(said.messages[0].content)
        changes = [[change.shelf, int(change.is_added), change.text] for change in changes_of(said.messages)]
        if changes:
            body["g"] = changes
        if known is not None:
            self._tell_known(row, body, known)
        return Gathered(row, body)

    def _tell_known(self, row: dict[str, Any], body: dict[str, Any], known: _Known) -> None:
        self.timelines.setdefault(known.timeline)
        row |= {
            "r": known.id,
            "s": known.status,
            "u": known.timeline,
            "p": known.provider,
            "z": round(known.ended_at) if known.ended_at else None,
            "st": known.stage,
            "re": known.reason,
            "a": known.ability,
            "f": known.form,
            "nm": known.name,
            "at": known.at,
        }
        body |= {"q": known.quote, "dt": known.detail}
        brief = _brief(known.plan)
        if brief is not None:
            body["b"] = [list(item) for item in _rows(brief)]
        if known.notes_before is not None:
            before = notes_from_json(known.notes_before)
            body["nb"] = [
                [shelf, note.date, note.text]
                for shelf, notes in (("memory", before.memory), ("diary", before.diary))
                for note in notes
            ]
        uses, seconds = self._uses(known.id)
        body["u"] = [
            [provider, model, list(use.roles), use.prompt, use.completion, self._usd(provider, model, use)]
            for (provider, model), use in uses.items()
        ]
        body["sec"] = round(seconds, 1)
        row["md"] = [self.models.setdefault(f"{provider} / {model}", len(self.models)) for provider, model in uses]
        row["k"] = sum(use.prompt + use.completion for use in uses.values())

    def _uses(self, number: int) -> tuple[dict[tuple[str, str], _Use], float]:
        """Return what each model was used for in a conversation, and how many seconds all answers took together."""
        assert self._connection is not None  # noqa: S101 - else nothing is known
        uses: dict[tuple[str, str], _Use] = {}
        whole = 0.0
        for provider, model, kind, prompt, completion, seconds in self._connection.execute(_STEPS, (number,)):
            use = uses.setdefault((provider, model), _Use())
            use.roles.setdefault(Step(kind).model_role.value)
            use.prompt += int(prompt)
            use.completion += int(completion)
            whole += seconds
        return uses, whole

    def _usd(self, provider: str, model: str, use: _Use) -> float | None:
        price = self._quote(provider, model)
        return None if price is None else (use.prompt * price[0] + use.completion * price[1]) / 1_000_000


def _brief(plan: str) -> Brief | None:
    try:
        return brief_from_json(plan)
    except ValueError:  # an older version's
        return None


def _rows(brief: Brief) -> Iterator[tuple[str, str]]:
    """Yield what was planned, with a label each."""
    yield from brief_rows(brief)
    scenario = brief.scenario
    if scenario.form:
        yield "Form", scenario.form.value
    if scenario.question:
        yield "Question", scenario.question
    yield "Plan", " ".join(scenario.instruction.split())


def _rank(number: int) -> str:
    return line_digest(str(number).encode()).hex()


def notes_of_timeline(connection: sqlite3.Connection, timeline: int) -> list[list[Any]]:
    """Return every note that a timeline ever had, oldest first.

    Returns:
        Of each its shelf, its date, its text, and the conversations in which it was added and deleted; null while it is
        there.
    """
    return [
        [entry.shelf, entry.date, entry.text, entry.added_in, entry.deleted_in]
        for entry in read_entries(connection, timeline)
    ]
