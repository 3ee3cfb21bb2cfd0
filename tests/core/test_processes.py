"""Work in several processes: in order, a few pieces ahead, and nothing left of them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from apep_datagen.core.processes import map_in_order
from support.paths import REPOSITORY
from support.waiting import wait_until

# It tells which processes work for it, and waits.
_WAITING = """
import sys, time
from apep_datagen.core.processes import map_in_order
import working

def tasks():
    for number in range(1_000):
        yield (number,)

if __name__ == "__main__":
    found = set()
    for process in map_in_order(tasks(), working.identity):
        found.add(process)
        if len(found) == 2:
            print(*found, flush=True)
            time.sleep(1_000)
"""
_WORKING = """
import os, time

def identity(number):
    time.sleep(0.01)
    return os.getpid()
"""


def _doubled(number: int) -> tuple[int, int]:
    if number == 13:
        raise ValueError("thirteen")
    return 2 * number, os.getpid()


@pytest.mark.parametrize(("count", "processes"), [(0, 0), (1, 0), (2, 0), (3, 2), (12, 2)])
def test_results_come_in_order_and_a_few_are_made_here(count: int, processes: int) -> None:
    results = list(map_in_order(((number,) for number in range(count)), _doubled))
    assert [number for number, _ in results] == [2 * number for number in range(count)]
    workers = {process for _, process in results}
    assert len(workers) <= max(1, processes)
    assert (os.getpid() in workers) is (count > 0 and not processes)


def test_no_more_is_taken_than_some_pieces_ahead() -> None:
    taken = 0

    def endless() -> Iterator[tuple[int]]:
        nonlocal taken
        while True:
            taken += 1
            yield (14,)

    results = map_in_order(endless(), _doubled)
    for count in range(1, 8):
        next(results)
        assert taken - count <= 6
    del results
    assert not _workers(psutil.Process())


def _workers(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


def test_an_error_of_a_process_comes_back_and_ends_them() -> None:
    with pytest.raises(ValueError, match="thirteen"):
        list(map_in_order(((number,) for number in range(20)), _doubled))
    assert not _workers(psutil.Process())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_they_end_with_the_process_that_began_them(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "waiting.py").write_text(_WAITING, encoding="utf-8")
    (tmp_path / "working.py").write_text(_WORKING, encoding="utf-8")
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "waiting.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(tmp_path)))},
    )
    assert program.stdout is not None
    with program.stdout:
        workers = [psutil.Process(int(word)) for word in program.stdout.readline().split()]
        assert len(workers) == 2
        program.send_signal(number)
        program.wait()
    wait_until(lambda: not any(map(psutil.Process.is_running, workers)), lambda: f"{workers} go on")
