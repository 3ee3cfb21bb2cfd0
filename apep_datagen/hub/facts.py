"""What is told of a dataset on its card: what `stats` finds, and where a run comes from."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass as plain_dataclass
from hashlib import blake2b
from importlib import metadata
from pathlib import Path

from pydantic.dataclasses import dataclass

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.people.scenario import Ability
from apep_datagen.stats.dataset import DatasetStats, read_stats
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.checked import CHECKED
from apep_datagen.storage.output_reader import read_lines
from apep_datagen.storage.verdicts import accepted_by_provider

__all__ = ["DatasetFacts", "PromptUse", "RunFacts", "read_facts"]

# Among so many conversations at the beginning, the first that uses a tool is shown.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True, config=CHECKED)
class PromptUse:
    """A set of prompts, by its digest, and how many accepted conversations were begun with it."""

    digest: str
    conversations: int


@dataclass(frozen=True, slots=True, config=CHECKED)
class RunFacts:
    """What the state database tells of a run as a whole.

    Attributes:
        identity: The same for all invocations for one output, and for no other run.
        seed: From which it draws.
        first_made: The day on which the first accepted conversation was begun, as an ISO date in UTC; empty where there
            is none.
        last_made: That on which the last one was ended.
        prompts: The sets of prompts.
        providers: How many accepted conversations each provider made.
    """

    identity: str
    seed: int
    first_made: str
    last_made: str
    prompts: tuple[PromptUse, ...]
    providers: dict[str, int]


@plain_dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is told of a dataset.

    Attributes:
        stats: What it contains.
        run: Where it comes from; None where no state database is beside it.
        identity: That of the run; where there is none, one of its first conversation.
        sample: One conversation of it.
        version: Of this program.
    """

    stats: DatasetStats
    run: RunFacts | None
    identity: str
    sample: tuple[Message, ...]
    version: str


def read_facts(output: Path, mix: Mapping[Ability, float]) -> DatasetFacts:
    """Find out what is to be told of a dataset.

    Args:
        output: The dataset.
        mix: The wished shares of the abilities; they need not add up to anything.

    Raises:
        StorageError: It cannot be read, or holds no conversation, or the state database beside it cannot be read.
    """
    stats = read_stats(output, mix)
    if not stats.file.conversations:
        raise StorageError(f"{output}: there is no conversation in it, so there is nothing to publish")
    has_state = is_there(state_path(output))
    if has_state and stats.run is None:
        raise StorageError(stats.why_no_run)
    run = read_only(state_path(output), _read_run) if has_state else None
    first, sample = _read_sample(output)
    return DatasetFacts(
        stats=stats,
        run=run,
        identity=run.identity if run else blake2b(first, digest_size=8).hexdigest(),
        sample=sample,
        version=metadata.version("apep-datagen"),
    )


def _read_run(connection: sqlite3.Connection) -> RunFacts:
    (seed,) = connection.execute("SELECT seed FROM run").fetchone()
    # No conversation ever leaves the state database, and no two runs begin in the same microsecond.
    begun = connection.execute("SELECT started_at FROM conversations ORDER BY id LIMIT 1").fetchone()
    first, last = connection.execute(
        "SELECT min(started_at), max(ended_at) FROM conversations WHERE id IN (SELECT conversation_id FROM samples)"
    ).fetchone()
    prompts = connection.execute(
        "SELECT digest, count(*) FROM samples JOIN conversations ON conversations.id = conversation_id"
        " JOIN prompt_sets ON prompt_sets.id = prompt_set_id GROUP BY digest ORDER BY min(conversation_id)"
    )
    return RunFacts(
        identity=blake2b(f"{seed} {begun}".encode(), digest_size=8).hexdigest(),
        seed=seed,
        first_made=_day(first),
        last_made=_day(last),
        prompts=tuple(PromptUse(*row) for row in prompts),
        providers=accepted_by_provider(connection),
    )


def _day(seconds: float | None) -> str:
    return "" if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


def _read_sample(output: Path) -> tuple[bytes, tuple[Message, ...]]:
    """Return the first element of a file, and a conversation of its beginning: where there is one, with a tool."""
    first, sample = b"", None
    for number, element in enumerate(read_lines(output)):
        first = first or element
        messages = parse_messages(element)
        if messages is not None and (sample is None or any(message.role == "tool" for message in messages)):
            sample = messages
            if any(message.role == "tool" for message in messages):
                break
        if number >= _LOOKED_AT and sample is not None:
            break
    assert sample is not None  # noqa: S101 - there is a conversation
    return first, sample
