"""The program, killing itself with SIGKILL at a chosen point; how a test makes a crash happen where it wants it.

    python killed_program.py POINT NUMBER [options of the program]

POINT is `ask`, `answer`, `tools`, `continue` or `rewrite`: behind the commit that holds the NUMBERth step of this kind,
before anything else is done; `in-flight`: when the NUMBERth answer has come, before it is recorded; `finish`: behind
the commit that finishes the NUMBERth conversation, before it is in the output; `torn`: in the middle of the NUMBERth
write to the output; `appended`: behind the NUMBERth write to the output.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from typing import Any

from apep_datagen.cli.app import main
from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.engine import commit as recording
from apep_datagen.providers.openai_compatible import OpenAICompatibleProvider
from apep_datagen.storage import journal
from apep_datagen.storage.conversations import StepRecord, record_acceptance, record_step
from apep_datagen.storage.output import OutputFile

POINT = sys.argv[1]
LEFT = {POINT: int(sys.argv[2])}
DUE: list[str] = []


def passed(point: str) -> bool:
    if point not in LEFT:
        return False
    LEFT[point] -= 1
    return LEFT[point] == 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def record_step_and_note(connection: sqlite3.Connection, conversation: int, number: int, step: StepRecord) -> None:
    record_step(connection, conversation, number, step)
    if passed(step.kind):
        DUE.append(step.kind)


def record_finish_and_note(connection: sqlite3.Connection, *arguments: Any) -> None:
    record_acceptance(connection, *arguments)
    if passed("finish"):
        DUE.append("finish")


def commit_and_die(self: journal.Journal) -> None:
    self._connection.execute("COMMIT")
    if DUE:
        die()
    self._after_commit()


original_complete = OpenAICompatibleProvider.complete


async def complete_and_die(self: OpenAICompatibleProvider, request: CompletionRequest) -> Completion:
    completion = await original_complete(self, request)
    # The rehearsal is no request of the run.
    if request.model != "rehearsal" and passed("in-flight"):
        die()
    return completion


original_write = OutputFile._write


def write_and_die(self: OutputFile, content: bytes, offset: int) -> None:
    if len(content) > 10 and passed("torn"):
        original_write(self, content[: len(content) // 2], offset)
        die()
    original_write(self, content, offset)
    if len(content) > 10 and passed("appended"):
        die()


vars(recording)["record_step"] = record_step_and_note
vars(recording)["record_acceptance"] = record_finish_and_note
journal.Journal._commit = commit_and_die  # type: ignore[method-assign]
OpenAICompatibleProvider.complete = complete_and_die  # type: ignore[assignment, method-assign]
OutputFile._write = write_and_die  # type: ignore[method-assign]
sys.argv[1:] = sys.argv[3:]
main()
