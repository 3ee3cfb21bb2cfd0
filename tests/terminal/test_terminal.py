"""What a person sees: a live table in a terminal, plain lines elsewhere, and never a control character of a model's."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import termios
import time
from pathlib import Path

import pyte

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section

COLUMNS, LINES = 110, 30


def hostile(received: Received) -> Reply:
    """Ask questions that would clear the screen, ring the bell and set the window's title."""
    reply = well_behaved(received)
    if received.step == "ask":
        reply.text = f"\x1b[2J\x07\x1b]0;owned\x07Shall I [bold]sing[/bold] {received.number}?\r\x9b31m"
    return reply


def run_in_terminal(program: Program, *options: str) -> tuple[int, list[list[str]], str]:
    """Run the program in a terminal; return its status, what the screen showed after each output, and all output."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (LINES, COLUMNS))
    program.environment |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    process = program.start(*options, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    shown: list[list[str]] = []
    output = b""
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, screen.display
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            data = os.read(ours, 65536)
        except OSError:  # how a terminal says that the other side has closed it
            break
        if not data:
            break
        output += data
        stream.feed(data)
        shown.append([line.rstrip() for line in screen.display if line.strip()])
    os.close(ours)
    try:
        return process.wait(20), shown, output.decode()
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def test_a_terminal_shows_the_bar_each_provider_and_the_last_question_and_ends_with_a_summary(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hostile, latency=0.1) as server:
        names = ("one", "two")
        program.configure("".join(section(name, server.url(name), requests_per_second=10) for name in names))
        status, shown, output = run_in_terminal(program, "--providers", "one,two", "--target", "8")
    assert status == 0, output
    screens = ["\n".join(lines) for lines in shown]
    assert any(re.search(r"━+.* [1-7]/8 conversations \((12|25|37|50|62|75|87)\.[05] %\)", text) for text in screens)
    assert any(re.search(r"\d+ conversations/hour, \d+ s left", text) for text in screens)
    for column in ("provider", "conversations", "requests", "tokens", "in flight", "requests/s", "retries"):
        assert any(column in text for text in screens)
    for name in names:
        row = re.compile(rf"^ *{name} +\d+ +\d+ +[\d,]+ +[1-9]\d* +[\d.]+ of 10 ", re.MULTILINE)
        assert any(row.search(text) for text in screens)
    assert any(re.search(r"\d+ memories, 0 diary pages", text) for text in screens)
    assert any("Shall I [bold]sing[/bold]" in text for text in screens)
    # The last screen: the finished table is still there, and below it the summary.
    last = screens[-1]
    assert "8/8 conversations (100.0 %)" in last
    assert "8 conversations made in" in last
    assert "8 of 8 conversations are in data/trainingData/generatedTrainingData.json" in last
    assert last.count("Last question:") == 1
    # Nothing of what the model wrote got through to the terminal.
    for sequence in ("\x1b[2J", "\x07", "\x1b]0;", "\x9b"):
        assert sequence not in output


def test_where_there_is_no_terminal_there_are_plain_lines_without_control_characters(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def refuses_one(received: Received) -> Reply:
        escaping = Reply("\x1b[31mred\x07 alert\r", status=400)
        return escaping if received.number == 2 else hostile(received)

    with LoopbackServer(refuses_one) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "3")
    assert ended.status == 0, ended.said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.said)
    assert ended.stdout.startswith("0/3 conversations (0.0 %)")
    assert "alert" in ended.stdout
    assert "3 of 3 conversations are in" in ended.stdout


def test_quiet_prints_only_what_goes_wrong(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def fails_once(received: Received) -> Reply:
        return Reply("busy", status=503) if received.number == 1 else well_behaved(received)

    with LoopbackServer(fails_once) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "1", "--quiet")
    assert ended.status == 0, ended.said
    assert ended.stdout == ""
    assert re.fullmatch(r"endpoint: unavailable, asking again in [\d.]+ s: HTTP 503: busy\n", ended.stderr)
