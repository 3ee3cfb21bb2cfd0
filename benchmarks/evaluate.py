"""What evaluating costs beside making conversations, in CPU time of the program, and what the two bounds take.

    uv run --all-groups python benchmarks/evaluate.py

An OpenAI-compatible provider at a loopback server without a limit and without latency; journal and output included.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.evaluate.bounds import played_bounds
from apep_datagen.evaluate.element import read_examined
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.people.cast import load_cast
from apep_datagen.people.written import load_written_tester
from common import loopback_server, print_table, requests_seen, run_program

DAYS = 12


def _configuration(address: str, name: str) -> str:
    return (
        f'[providers.{name}]\nkind = "openai"\nbase_url = "{address}/{name}/v1"\nmodel = "model-one"\n'
        "max_in_flight = 64\n"
    )


def main() -> None:
    """Make as many conversations as are evaluated, and tell what one of each costs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=84, help=f"each has {DAYS} conversations")
    users = parser.parse_args().users
    conversations = users * DAYS
    rows: list[list[object]] = []
    with loopback_server() as address, tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        commands = {
            "made": ("--providers", "made", "--target", str(conversations), "--seed", "1"),
            "evaluated": ("evaluate", "--ada", "evaluated", "--users", str(users), "--days", str(DAYS)),
        }
        for name, command in commands.items():
            (directory / name).mkdir()
            run = run_program(_configuration(address, name), *command, directory=directory / name)
            requests = sum(provider == name for provider, *_ in requests_seen(address))
            cost = f"{1000 * run.cpu_seconds / conversations:.1f} ms"
            rows.append([name, conversations, requests, f"{run.cpu_seconds:.1f} s", cost, f"{run.seconds:.1f} s"])
        elements = list(read_examined(directory / "evaluated" / "data" / "evaluations" / "evaluated.json"))
        plan = ExamPlan(Exam(1, users, DAYS), load_cast(part="held out"), load_prompts(), load_written_tester())
        began = time.process_time()
        played_bounds(plan, elements)
        seconds = time.process_time() - began
        cost = f"{1000 * seconds / conversations:.1f} ms"
        rows.append(["both bounds", conversations, "", f"{seconds:.1f} s", cost, ""])
    print_table(rows, ("", "conversations", "requests", "CPU", "CPU a conversation", "wall"))


if __name__ == "__main__":
    main()
