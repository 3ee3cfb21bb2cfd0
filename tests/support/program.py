"""Running the program as a user does: a process of its own, in an empty directory, against a loopback server."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.paths import REPOSITORY, SUPPORT
from support.preloaded import Preloaded, can_be_preloaded
from support.waiting import PATIENCE_SECONDS, wait_until

KEYS = {"MISTRAL_API_KEY": "key-of-mistral", "TOGETHER_API_KEY": "key-of-together", "HF_TOKEN": "hf_key_of_hf"}
OUTPUT = Path("data/trainingData/generatedTrainingData.json")

# Ways to start the program: as a user does; with rests, pauses and back-offs of a twentieth of the time; with ones that
# take 500 times as long, so that what ends at once is told from what would have ended by itself.
PLAINLY = ("-m", "apep_datagen")
QUICKLY = (str(SUPPORT / "other_speed.py"), "20")
SLOWLY = (str(SUPPORT / "other_speed.py"), "0.002")


@dataclass(slots=True)
class Program:
    """The program in a directory of its own."""

    directory: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(KEYS))

    def configure(self, text: str) -> None:
        """Write the configuration. What the loopback server's models say has no sense, so all of it is accepted.

        Where nothing else is said, a conversation has one exchange, and each thought is rewritten.
        """
        text = _with(text, "generation", "exchanges", "[1, 1]")
        text = _with(text, "roles.rewriter", "when", '"always"')
        if "[quality]" not in text:
            text += '\n[quality]\nlevel = "off"\n'
        (self.directory / "apep-datagen.toml").write_text(text, encoding="utf-8")

    def start(self, *options: str, command: tuple[str, ...] = PLAINLY, **settings: Any) -> subprocess.Popen[str]:
        inherited = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_TOKEN"))}
        environment = {**inherited, "PYTHONPATH": str(REPOSITORY), **self.environment}
        start = Preloaded if can_be_preloaded(command, environment, settings) else subprocess.Popen
        return start(
            [sys.executable, *command, *options],
            cwd=self.directory,
            env=environment,
            text=True,
            encoding="utf-8",
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **settings,
            },
        )

    def run(self, *options: str, command: tuple[str, ...] = PLAINLY, **settings: Any) -> Ended:
        process = self.start(*options, command=command, **settings)
        with killed_if_it_does_not_end(process):
            stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
        return Ended(process.returncode, stdout or "", stderr or "")

    def run_on_a_full_disk(self, size: int, *options: str) -> Ended:
        """Run the program where no file grows beyond `size` bytes: what a full disk is like, for one process alone."""
        limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        # Python (before 3.14) would leave half of a module's bytecode behind, and stumble over it at the next start.
        return dataclasses.replace(self, environment={**self.environment, "PYTHONDONTWRITEBYTECODE": "1"}).run(
            *options, preexec_fn=limit
        )

    def watch(self, *options: str, **settings: Any) -> Watched:
        """Start the program with its output in a file that can be read while it runs."""
        path = self.directory / "said.txt"
        with path.open("w", encoding="utf-8") as file:
            return Watched(self.start(*options, stdout=file, stderr=subprocess.STDOUT, **settings), path)

    @property
    def output(self) -> Path:
        return self.directory / OUTPUT

    @property
    def state(self) -> Path:
        return self.output.with_name(self.output.stem + ".state.db")

    def conversations(self) -> list[list[dict[str, str]]]:
        return [element["conversations"] for element in json.loads(self.output.read_text(encoding="utf-8"))]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.state)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an invocation ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        return self.stdout + self.stderr


@dataclass(frozen=True, slots=True)
class Watched:
    """The program under way, with what it says in a file."""

    process: subprocess.Popen[str]
    path: Path

    @property
    def said(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until the program says `text`."""

        def is_said() -> bool:
            has_ended = self.process.poll() is not None
            if text in self.said:
                return True
            assert not has_ended, f"it ended without saying {text!r}:\n{self.said}"
            return False

        wait_until(is_said, lambda: f"{text!r} was not said:\n{self.said}")

    def end(self) -> Ended:
        """Wait until it has ended by itself."""
        with killed_if_it_does_not_end(self.process):
            status = self.process.wait(PATIENCE_SECONDS)
        return Ended(status, self.said, "")


@contextlib.contextmanager
def killed(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing of a process running."""
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def killed_if_it_does_not_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave nothing running that was waited for in vain."""
    try:
        yield
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _with(text: str, section: str, key: str, value: str) -> str:
    """Return a configuration in which `key` has a value, if it has none yet."""
    before, header, rest = text.partition(f"[{section}]\n")
    inside, next_header, behind = rest.partition("\n[")
    if re.search(rf"^{key} *=", inside, re.MULTILINE):
        return text
    line = f"{key} = {value}\n"
    if not header:
        return f"{text}\n[{section}]\n{line}"
    return f"{before}{header}{inside}\n{line}{next_header}{behind}"


def section(name: str, base_url: str, **values: object) -> str:
    """Return the configuration of a provider at a loopback server, fast enough for a test."""
    lines = {"requests_per_second": 200.0, **values}
    kind = "" if name in ("mistral", "together", "huggingface") else 'kind = "openai"\nmodel = "model-one"\n'
    settings = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items() if value is not None)
    return f'[providers.{name}]\n{kind}base_url = "{base_url}"\n{settings}'
