"""Stopped by a signal: nothing new is sent, what was paid for is kept, and the same command goes on."""

from __future__ import annotations

import fcntl
import itertools
import os
import signal
import termios
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apep_datagen.cli.app import app
from support.loopback_server import LoopbackServer, Received, Reply, hangs_after, well_behaved
from support.paths import SUPPORT
from support.program import Program, section
from support.waiting import PATIENCE_SECONDS, wait_until

HOW_TO_GO_ON = "Stopped; everything is saved. The same command goes on where this one ended."


def test_a_first_signal_lets_the_answers_under_way_come_in_and_nothing_is_asked_for_again(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "8")
    is_stopping = False

    def answers_some_and_then_those_under_way(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_stopping or received.number <= 6)

    with LoopbackServer(answers_some_and_then_those_under_way) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=3))
        running = program.watch(*options)
        server.wait_until(lambda: len(server.received) == 9)
        running.process.send_signal(signal.SIGINT)
        running.wait_for("3 requests are in flight and may still come in; once more to stop at once")
        is_stopping = True
        ended = running.end()
        received = list(server.received)
        assert ended.status == 130, ended.said
        assert HOW_TO_GO_ON in ended.said
        assert "Traceback" not in ended.said
        # Three could have been sent when the three were answered.
        assert len(received) == 9
        kept = {text for (text,) in program.query("SELECT text FROM steps")}
        assert {request.answer for request in received} <= kept
        assert program.query("SELECT count(*) FROM samples") == [(len(program.conversations()),)]
        # It goes on at once, and asks nothing twice.
        resumed = program.run(*options)
        sent = Counter(request.content for request in server.received)
    assert resumed.status == 0, resumed.said
    assert set(sent.values()) == {1}
    assert len(program.conversations()) == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_as_well_and_are_told_apart_by_the_status(tmp_path: Path, number: signal.Signals) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=20))
        running = program.watch("--providers", "endpoint", "--target", "500")
        server.wait_until(lambda: any(request.step == "rewrite" for request in server.received))
        running.process.send_signal(number)
        ended = running.end()
    assert ended.status == 143, ended.said
    assert HOW_TO_GO_ON in ended.said
    assert program.query("SELECT count(*) FROM samples") == [(len(program.conversations()),)]


def test_a_second_signal_stops_at_once_whatever_the_server_does(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hangs_after(2)) as server:
        program.configure(section("endpoint", server.url("endpoint"), timeout_seconds=3600))
        running = program.watch("--providers", "endpoint", "--target", "3", "--grace-seconds", "3600")
        server.wait_until(lambda: server.hanging == 3)
        running.process.send_signal(signal.SIGINT)
        running.wait_for("3 requests are in flight and may still come in; once more to stop at once")
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGINT)
        ended = running.end()
    assert ended.status == 130, ended.said
    assert HOW_TO_GO_ON in ended.said
    assert "Traceback" not in ended.said
    assert program.query("SELECT count(*) FROM steps WHERE kind != 'tools'") == [(2,)]


def test_a_signal_ends_a_long_pause_at_once(tmp_path: Path) -> None:
    def asks_for_an_hour(received: Received) -> Reply:
        limited = Reply("come back later", status=429, headers={"Retry-After": "3600"})
        return limited if received.number > 3 else well_behaved(received)

    program = Program(tmp_path)
    with LoopbackServer(asks_for_an_hour) as server:
        # One at a time, so that nothing else is on its way when the pause begins.
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
        running = program.watch("--providers", "endpoint", "--target", "9")
        running.wait_for("endpoint: rate limited, waiting 1 h 00 min")
        server.wait_until(lambda: server.in_flight == 0)
        sent = len(server.received)
        running.process.send_signal(signal.SIGINT)
        ended = running.end()
        assert len(server.received) == sent
    assert ended.status == 130, ended.said
    assert HOW_TO_GO_ON in ended.said
    assert "Traceback" not in ended.said
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]
    assert program.query("SELECT count(*) FROM steps WHERE kind != 'tools'") == [(3,)]


def test_who_has_sighup_ignored_as_nohup_does_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    was_sent = False

    def waits_for_the_signal(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: was_sent or received.number < 3)

    with LoopbackServer(waits_for_the_signal) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        running = program.watch("--providers", "endpoint", "--target", "8", preexec_fn=_ignore_hangup)
        server.wait_until(lambda: len(server.received) >= 3)
        running.process.send_signal(signal.SIGHUP)
        was_sent = True
        ended = running.end()
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 8


def _ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_the_grace_period_can_be_set(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hangs_after(2)) as server:
        # Nothing else ends the run.
        program.configure(section("endpoint", server.url("endpoint"), timeout_seconds=3600))
        running = program.watch("--providers", "endpoint", "--target", "3", "--grace-seconds", "0.5")
        server.wait_until(lambda: server.hanging == 3)
        running.process.send_signal(signal.SIGINT)
        ended = running.end()
    assert ended.status == 130, ended.said
    assert HOW_TO_GO_ON in ended.said
    # What was under way may have been charged for: it counts from the next start on.
    assert program.query("SELECT count(*) FROM reservations") == [(3,)]


def test_a_terminal_that_is_closed_ends_the_run_well(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "20")
    is_closed = False

    def waits_for_the_end(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_closed or received.number <= 20)

    with LoopbackServer(waits_for_the_end) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=3))
        terminal, of_program = os.openpty()
        running = program.start(
            *options, stdin=of_program, stdout=of_program, stderr=of_program, preexec_fn=_take_terminal
        )
        os.close(of_program)
        server.wait_until(lambda: len(server.received) == 23)
        os.close(terminal)
        is_closed = True
        assert running.wait(PATIENCE_SECONDS) == 143
        assert program.query("SELECT count(*) FROM samples") == [(len(program.conversations()),)]
        resumed = program.run(*options)
        sent = Counter(request.content for request in server.received)
    assert resumed.status == 0, resumed.said
    assert set(sent.values()) == {1}


def _take_terminal() -> None:
    """Make the standard input the controlling terminal of a session of its own, as a terminal's shell does."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


# The machine.


def test_a_machine_that_sleeps_wakes_up_and_goes_on_without_a_burst(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "40")
    rate, slept, time_out = 10, 3, 1
    with LoopbackServer(latency=0.2) as server:
        paced = section("endpoint", server.url("endpoint"), requests_per_second=rate, timeout_seconds=time_out)
        program.configure(paced)
        running = program.watch(*options)
        server.wait_until(lambda: len(server.received) >= 5)
        running.process.send_signal(signal.SIGSTOP)
        asleep_until = time.monotonic() + slept
        wait_until(lambda: time.monotonic() > asleep_until, lambda: "it sleeps")
        running.process.send_signal(signal.SIGCONT)
        awake_at = len(server.received)
        server.wait_until(lambda: len(server.received) >= awake_at + rate * slept)
        running.process.send_signal(signal.SIGINT)
        stopped = running.end()
        times = [request.at for request in server.received]
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run(*options)
    assert stopped.status == 130, stopped.said
    # A burst makes up for the sleep. On a busy machine some requests are late, and come closer to the next ones.
    assert most_ahead(times, rate) < rate * slept / 2
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 40


def most_ahead(times: list[float], rate: float) -> float:
    """Return how many requests more than `rate` permits came within some time, at the most."""
    most = ahead = 0.0
    for earlier, later in itertools.pairwise(times):
        ahead = max(0.0, ahead + 1 - rate * (later - earlier))
        most = max(most, ahead)
    return most


def test_a_clock_that_jumps_does_not_disturb_the_pace(tmp_path: Path) -> None:
    program = Program(tmp_path)
    command = (str(SUPPORT / "jumping_clock.py"),)
    with LoopbackServer(latency=0.05) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=10))
        ended = program.run("--providers", "endpoint", "--target", "8", command=command)
        times = [request.at for request in server.received]
    assert ended.status == 0, ended.said
    # By a clock that is a day ahead every request would be due, and by one that is a day behind the next one in a day.
    assert most_ahead(times, 10) < len(times) / 2
    assert times[-1] - times[0] < 60


@pytest.mark.parametrize("command", ["status", "verify", "stats", "show", "plan", "providers"])
def test_a_command_that_is_stopped_says_nothing_of_requests_that_it_does_not_know_of(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("apep_datagen.core.paths.check_files", stopped)
    monkeypatch.setattr("apep_datagen.cli.values.check_files", stopped)
    monkeypatch.setattr("apep_datagen.config.secrets.load_secrets", stopped)
    ended = CliRunner().invoke(app, [command])
    assert (ended.exit_code, ended.stderr) == (130, "Stopped.\n")
