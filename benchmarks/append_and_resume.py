"""What the size of a run costs: an append to a large output, a resume of it, and the start of the program.

    uv run --all-groups python benchmarks/append_and_resume.py

The output of 100,000 conversations is made by the program's own journal and projection, without a model.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from apep_datagen.config.settings import DEFAULT_OUTPUT
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import advance_with_completion
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.people.scenario import Ability, Scenario, User
from apep_datagen.people.story import Story
from apep_datagen.storage.conversations import StepRecord, record_acceptance, record_start, record_step
from apep_datagen.storage.database import StateDatabase
from common import loopback_server, print_table, requests_seen, run_program

_SAMPLE_MEASUREMENTS = 200


def _finish_conversation(state: StateDatabase, number: int) -> asyncio.Future[None]:
    """Record a conversation with its steps and its finish, as a run does."""
    brief = Brief(number, number // 12 + 1, 1, 3, "2026-01-01T12:00", USER, SCENARIO, None, number)
    conversation = Conversation(brief, PROMPTS)
    question = f"Message {number}: my sister Mia visits on Sunday."
    conversation = advance_with_completion(conversation, question, "stop")
    conversation = advance_with_completion(conversation, f"<think>Thought {number}.</think>\n\nReply {number}!", "stop")
    answer = Message("assistant", f"<think>Hm.</think>\n\nReply {number}!")
    line = sample_line([Message("system", "You are Ada. " * 150), Message("user", question), answer])

    def record(connection: sqlite3.Connection) -> None:
        record_start(connection, conversation, "benchmark")
        for step in range(1, 4):
            record_step(connection, number, step, StepRecord("answer", "text " * 20, provider="benchmark"))
        record_acceptance(connection, conversation, line, Story(USER, brief.at), 12)

    return asyncio.ensure_future(state.run(record))


async def _fill(output: Path, conversations: int) -> tuple[float, float]:
    """Write conversations; return the median seconds of single appends at the 100th and at the last."""
    state = StateDatabase(output, seed=1, notify=print)

    async def timed(first: int) -> float:
        seconds = []
        for number in range(first, first + _SAMPLE_MEASUREMENTS):
            began = time.perf_counter()
            await _finish_conversation(state, number)
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds)

    await asyncio.gather(*(_finish_conversation(state, number) for number in range(1, 101)))
    early = await timed(101)
    number = 101 + _SAMPLE_MEASUREMENTS
    last = conversations - _SAMPLE_MEASUREMENTS
    while number <= last:
        batch = range(number, min(number + 500, last + 1))
        await asyncio.gather(*(_finish_conversation(state, item) for item in batch))
        number = batch[-1] + 1
    late = await timed(number)
    await state.close()
    return early, late


def _seconds_to_first_request(directory: Path, conversations: int) -> float:
    """Return seconds from the start of the program, imports included, to the first request."""
    with loopback_server() as address:
        config = f'[providers.endpoint]\nkind = "openai"\nbase_url = "{address}/endpoint/v1"\nmodel = "m"\n'
        began = time.monotonic()
        run_program(config, "--providers", "endpoint", "--target", str(conversations + 1), directory=directory)
        return min(at for _, at, _, _ in requests_seen(address)) - began


def main() -> None:
    """Measure appends, resumes and starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        early, late = asyncio.run(_fill(directory / DEFAULT_OUTPUT, options.conversations))
        size = (directory / DEFAULT_OUTPUT).stat().st_size / 1e6
        resumed = _seconds_to_first_request(directory, options.conversations)
    with tempfile.TemporaryDirectory() as place:
        fresh = _seconds_to_first_request(Path(place), 1)
    starts = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "apep_datagen", "--help"], check=True, capture_output=True)
        starts.append(time.monotonic() - began)
    print_table(
        [
            ["an append, at the 100th conversation", f"{1000 * early:.2f} ms"],
            [f"an append, at the {options.conversations:,}th ({size:.0f} MB)", f"{1000 * late:.2f} ms"],
            ["  of the former", f"{late / early:.2f} times"],
            ["from the start to the first request, empty output", f"{fresh:.2f} s"],
            [f"from the start to the first request, {options.conversations:,} conversations", f"{resumed:.2f} s"],
            ["  of which because of the size", f"{resumed - fresh:.2f} s"],
            ["apep-datagen --help, median of 5", f"{statistics.median(starts):.2f} s"],
        ],
        ("", "measured"),
    )


PROMPTS = load_prompts()
USER = User("Marta", 34, "Porto", "a nurse", "dry", "short sentences")
SCENARIO = Scenario(Ability.SMALLTALK, "the rain", "calm", "short", "Write about the rain.")

if __name__ == "__main__":
    main()
