"""What the benchmarks share: a loopback server in a process of its own, and a run of the program against it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

SERVER = Path(__file__).parent.parent / "tests" / "support" / "loopback_server.py"


def print_table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> None:
    """Print rows under a header, in columns."""
    table = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for number, row in enumerate(table):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


@contextlib.contextmanager
def loopback_server(*options: str) -> Iterator[str]:
    """Serve, from a process of its own; yields the address that a provider's name is appended to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(SERVER), "--port", str(port), *options])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def requests_seen(address: str) -> list[tuple[str, float, int, str]]:
    """Return what the server logged: provider, monotonic time in seconds, HTTP status and step of each request."""
    with urllib.request.urlopen(f"{address}/log/statistics") as response:  # noqa: S310 - a loopback address
        statistics: dict[str, Any] = json.load(response)
    return [(provider, at, status, step) for provider, at, status, step in statistics["requests"]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A run of the program: wall time and CPU time in seconds, the most resident memory in bytes."""

    seconds: float
    cpu_seconds: float
    resident_bytes: int


def run_program(config: str, *options: str, directory: Path | None = None) -> Measured:
    """Run the program in an empty directory, or in `directory`, and measure it."""
    with contextlib.ExitStack() as stack:
        place = directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # What the loopback server's models say has no sense, so all of it is accepted.
        config += '\n[quality]\nlevel = "off"\n'
        (place / "apep-datagen.toml").write_text(config, encoding="utf-8")
        keys = dict.fromkeys(("MISTRAL_API_KEY", "TOGETHER_API_KEY", "HF_TOKEN"), "benchmark")
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "apep_datagen", *options, "--quiet"], cwd=place, env={**os.environ, **keys}
        )
        watched = psutil.Process(process.pid)
        resident, cpu = 0, 0.0
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                resident = max(resident, watched.memory_info().rss)
                times = watched.cpu_times()
                cpu = times.user + times.system
            time.sleep(0.05)
        assert process.returncode == 0, f"the program ended with {process.returncode}"
        return Measured(time.monotonic() - began, cpu, resident)
