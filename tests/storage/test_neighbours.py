"""Other programs that hold a lock on a database of ours are waited for, and named; a job that fails fails alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.budget.ledger import Ledger
from apep_datagen.core.errors import StorageError
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.faults import LockedError
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section
from support.waiting import wait_until

NAMED = "another program holds a lock on it, such as a browser for SQLite"
BEGINNINGS = {
    "a transaction": ("BEGIN IMMEDIATE",),
    "its exclusive mode": ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "CREATE TABLE other (a)", "COMMIT"),
}


@contextlib.contextmanager
def held(path: Path, beginning: tuple[str, ...] = BEGINNINGS["a transaction"]) -> Iterator[None]:
    """Hold a lock on a database as another program does."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as neighbour:
        for statement in beginning:
            neighbour.execute(statement)
        yield


def put(text: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute("UPDATE run SET output_name = ?", (text,))


async def opened(path: Path, said: list[str]) -> StateDatabase:
    return StateDatabase(path / "out.json", seed=1, notify=said.append)


# Waiting.


def test_a_lock_is_waited_for_without_holding_up_the_loop_and_told_once(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        state = await opened(tmp_path, said)
        with held(tmp_path / "out.state.db"):
            waiting = [asyncio.create_task(state.run(put(text))) for text in ("one", "two")]
            # The loop goes round all the while; who waited inside SQLite would hold up each round.
            rounds = 0
            while not said:
                await asyncio.sleep(0.001)
                rounds += 1
            assert rounds > 20
            assert not any(task.done() for task in waiting)
        await asyncio.gather(*waiting)
        assert (await state.run(lambda connection: connection.execute("SELECT output_name FROM run").fetchone())) == (
            "two",
        )
        await state.close()

    asyncio.run(main())
    assert len(said) == 1
    assert said[0].startswith(f"{tmp_path / 'out.state.db'}: {NAMED}")


def test_a_run_that_ends_while_a_lock_is_held_says_so_and_keeps_nothing_half(tmp_path: Path) -> None:
    async def main() -> None:
        state = await opened(tmp_path, [])
        with held(tmp_path / "out.state.db"):
            waiting = asyncio.create_task(state.run(put("x")))
            await asyncio.sleep(0)
            with pytest.raises(StorageError, match=NAMED):
                await state.close()
            with pytest.raises(StorageError, match=NAMED):
                await waiting
        again = StateDatabase(tmp_path / "out.json", seed=1, notify=lambda _: None)  # its own lock was released
        await again.close()

    asyncio.run(main())


def test_a_lock_on_the_ledger_is_waited_for_and_told_and_at_the_end_for_a_moment_only(tmp_path: Path) -> None:
    path, said = tmp_path / "ledger.db", list[str]()

    async def main() -> None:
        is_told = asyncio.Event()

        def notify(sentence: str) -> None:
            said.append(sentence)
            is_told.set()

        ledger = Ledger(path, tmp_path / "out.json", notify)
        ledger.book({})
        with held(path):
            granted = asyncio.create_task(ledger.when_free(lambda: ledger.grant("2026-01", "one", 10, 1_000)))
            await is_told.wait()
            assert not granted.done()
        assert await granted == 30
        ledger.hurry()
        with held(path), pytest.raises(LockedError, match=NAMED):
            await ledger.when_free(lambda: ledger.book({}))

    asyncio.run(main())
    assert said[0].startswith(f"{path}: {NAMED}")


# The program.


def test_a_run_waits_for_a_neighbour_and_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    is_locked = False

    def waits_for_the_neighbour(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_locked or received.number < 5)

    with LoopbackServer(waits_for_the_neighbour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=3))
        running = program.watch("--providers", "endpoint", "--target", "4")
        server.wait_until(lambda: len(server.received) >= 5)
        with held(program.state):
            is_locked = True
            running.wait_for(NAMED)
        ended = running.end()
        sent = Counter(request.content for request in server.received)
    assert ended.status == 0, ended.said
    assert ended.said.count(NAMED) == 1
    assert set(sent.values()) == {1}
    assert len(program.conversations()) == 4


def test_a_neighbour_does_not_use_up_the_patience_with_providers(tmp_path: Path) -> None:
    program = Program(tmp_path)
    patience = 4.0  # more than a busy machine takes until the lock is held
    is_locked = False

    def waits_for_the_neighbour(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_locked or received.number < 5)

    with LoopbackServer(waits_for_the_neighbour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=3))
        running = program.watch("--providers", "endpoint", "--target", "4", "--patience", str(patience))
        server.wait_until(lambda: len(server.received) >= 5)
        with held(program.state):
            is_locked = True
            running.wait_for(NAMED)
            # For longer than the patience would last.
            held_until = time.monotonic() + patience
            wait_until(lambda: time.monotonic() > held_until, lambda: "it is held")
        ended = running.end()
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 4


def test_a_run_is_stopped_while_a_neighbour_holds_the_database_and_the_next_one_loses_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "3")
    is_locked = False

    def waits_for_the_neighbour(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_locked or received.number < 4)

    with LoopbackServer(waits_for_the_neighbour) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=20))
        running = program.watch(*options)
        server.wait_until(lambda: len(server.received) >= 4)
        with held(program.state):
            is_locked = True
            running.wait_for(NAMED)
            running.process.send_signal(signal.SIGINT)
            running.wait_for("once more to stop at once")
            running.process.send_signal(signal.SIGINT)
            ended = running.end()
        assert ended.status == 4, ended.said
        assert f"the state database cannot be written (database is locked); {NAMED}" in ended.said
        assert "make room" not in ended.said
        assert "Traceback" not in ended.said
        resumed = program.run(*options)
    assert resumed.status == 0, resumed.said
    assert len(program.conversations()) == 3


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_lock_that_is_held_at_the_start_is_named_and_nothing_is_sent(
    tmp_path: Path, beginning: tuple[str, ...]
) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        assert program.run("--providers", "endpoint", "--target", "1").status == 0
        sent = len(server.received)
        with held(program.state, beginning):
            ended = program.run("--providers", "endpoint", "--target", "2")
            status = program.run("status")
        assert ended.status == 4, ended.said
        assert f"(database is locked); {NAMED}" in ended.stderr
        assert "make room" not in ended.said
        assert len(ended.stderr.splitlines()) == 1
        assert len(server.received) == sent
        assert status.status in {0, 4}
        assert "Traceback" not in status.said
        resumed = program.run("--providers", "endpoint", "--target", "2")
    assert resumed.status == 0, resumed.said


# What fails in a batch fails alone.

FAULTY: dict[str, Callable[[sqlite3.Connection], object]] = {
    "a constraint": lambda connection: connection.execute("INSERT INTO prompt_sets (digest) VALUES ('x')"),
    "a kind that cannot be stored": lambda connection: connection.execute("UPDATE run SET target = ?", (object(),)),
    "a number that is too large": lambda connection: connection.execute("UPDATE run SET target = ?", (2**70,)),
    "a text that is too large": lambda connection: connection.execute("SELECT zeroblob(3000000000)").fetchone(),
    "a table that is not there": lambda connection: connection.execute("SELECT * FROM nowhere"),
    "an error of its own": lambda _: dict[str, str]()["a key"],
}


@pytest.mark.parametrize("faulty", FAULTY.values(), ids=FAULTY)
def test_a_job_that_fails_takes_nothing_else_of_its_batch_with_it(
    tmp_path: Path, faulty: Callable[[sqlite3.Connection], object]
) -> None:
    def begun_and_failed(connection: sqlite3.Connection) -> object:
        connection.execute("INSERT INTO prompt_sets (digest, texts) VALUES ('half', '')")
        return faulty(connection)

    def put_set(name: str) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute("INSERT INTO prompt_sets (digest, texts) VALUES (?, '')", (name,))

    async def main() -> None:
        state = await opened(tmp_path, [])
        jobs = (put_set("before"), begun_and_failed, put_set("behind"))
        before, error, behind = await asyncio.gather(*map(state.run, jobs), return_exceptions=True)
        assert not isinstance(before, BaseException)
        assert not isinstance(behind, BaseException)
        assert isinstance(error, Exception)
        assert not isinstance(error, StorageError)  # it is no matter of the file
        rows = await state.run(lambda connection: connection.execute("SELECT digest FROM prompt_sets").fetchall())
        assert rows == [("before",), ("behind",)]
        await state.close()

    asyncio.run(main())
