"""What a person sees: a live table in a terminal, plain lines elsewhere, and never a control character of a model's."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import termios
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyte

from support.loopback_server import LoopbackServer, Received, Reply, hangs_after, well_behaved
from support.program import Program, killed_if_it_does_not_end, section
from support.terminal import in_terminal
from support.waiting import PATIENCE_SECONDS, wait_until

COLUMNS, LINES = 110, 30


def hostile(received: Received) -> Reply:
    """Ask questions that would clear the screen, ring the bell and set the window's title."""
    reply = well_behaved(received)
    if received.step == "ask":
        reply.text = f"\x1b[2J\x07\x1b]0;owned\x07Shall I [bold]sing[/bold] {received.number}?\r\x9b31m"
    return reply


def run_in_terminal(program: Program, *options: str, seen: Callable[[str], object]) -> tuple[int, str, str]:
    """Run the program in a terminal; return its status, what the screen showed at the end, and all output.

    Args:
        program: Which one.
        options: Its options.
        seen: Is told what the screen shows after each output.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (LINES, COLUMNS))
    program.environment |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    process = program.start(*options, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    shown = ""
    output = b""

    def read_to_the_end() -> bool:
        nonlocal shown, output
        if not select.select([ours], [], [], 1)[0]:
            return False
        try:
            data = os.read(ours, 65536)
        except OSError:  # how a terminal says that the other side has closed it
            return True
        output += data
        stream.feed(data)
        shown = "\n".join(line.rstrip() for line in screen.display if line.strip())
        seen(shown)
        return not data

    with killed_if_it_does_not_end(process):
        wait_until(read_to_the_end, lambda: shown, look_every=0)
        os.close(ours)
        return process.wait(PATIENCE_SECONDS), shown, output.decode()


def test_a_terminal_shows_the_bar_each_provider_and_the_last_question_and_ends_with_a_summary(tmp_path: Path) -> None:
    program = Program(tmp_path)
    names = ("one", "two")
    columns = ("provider", "conversations", "requests", "tokens", "in flight", "requests/s", "retries")
    wanted = {
        r"━+.* [1-7]/8 conversations \((13|25|38|50|63|75|88) %\)",
        r"[\d,.]+ conversations/hour, \d+ (s|min \d+ s) left",
        *columns,
        *(rf"(?m)^ *{name} +\d+ +\d+ +[\d,]+ +[1-9]\d* +[\d.]+ of 10 " for name in names),
        r"\d+ memories, \d+ diary pages?",
        r"Last question: .*Shall I \[bold\]sing\[/bold\]",
        r"Accepted of the last: \w+ [1-9] of [1-9]",
        r"(?m)^Last conversation: \w+, \w.*: accepted$",
        r"(?m)^  (no tool|add_memory) after: .*Shall I \[bold\]sing\[/bold\]",
    }
    finished: Counter[str] = Counter()

    def looked_at(received: Received) -> Reply:
        """Let each provider finish one conversation, and the others when all that is wanted was seen."""
        finished[received.provider] += received.step == "rewrite"
        is_first = finished[received.provider] <= 1
        return replace(hostile(received), until=lambda: is_first or not wanted)

    def see(text: str) -> None:
        wanted.difference_update([pattern for pattern in wanted if re.search(pattern, text)])

    with LoopbackServer(looked_at) as server:
        program.configure("".join(section(name, server.url(name), requests_per_second=10) for name in names))
        status, last, output = run_in_terminal(
            program, "--providers", "one,two", "--target", "8", "--exchanges", "1-1", seen=see
        )
    assert status == 0, output
    assert not wanted
    # The finished table is still there, as far as the screen is high, and below it the summary.
    assert "8/8 conversations (100 %)" in output
    assert "8 conversations made in" in last
    assert "8 of 8 conversations are in data/trainingData/generatedTrainingData.json" in last
    assert last.count("Last question:") == 1
    # Nothing of what the model wrote got through to the terminal.
    for sequence in ("\x1b[2J", "\x07", "\x1b]0;", "\x9b"):
        assert sequence not in output


def test_a_terminal_that_goes_away_does_not_end_a_run_that_may_go_on(tmp_path: Path) -> None:
    """As after `nohup` or `disown`: no signal says that it is gone, and the live view draws on."""
    program = Program(tmp_path)
    program.environment |= {"TERM": "xterm-256color"}
    is_gone = False

    def waits_for_the_end(received: Received) -> Reply:
        return replace(hostile(received), until=lambda: is_gone or received.number < 6)

    with LoopbackServer(waits_for_the_end) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=3))
        ours, theirs = pty.openpty()
        running = program.start(
            "--providers", "endpoint", "--target", "6", stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_as_nohup
        )
        os.close(theirs)
        server.wait_until(lambda: len(server.received) >= 6)
        os.close(ours)
        is_gone = True
        with killed_if_it_does_not_end(running):
            assert running.wait(PATIENCE_SECONDS) == 0
    assert len(program.conversations()) == 6


def _as_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


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
    assert ended.stdout.startswith("0/3 conversations (0 %)")
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


def test_what_was_rejected_and_set_aside_is_told_with_its_reason_on_a_small_terminal(tmp_path: Path) -> None:
    """A model that deletes what is not there, judged; and conversations that a provider refuses."""
    program = Program(tmp_path)
    may_end = [False]

    def refuses(received: Received) -> Reply:
        """Have each conversation rejected, whatever it is about, and refuse others when those were seen."""
        if received.step != "answer":
            return hostile(received)
        if received.number > 12:
            return Reply("no", status=400, until=lambda: may_end[0])
        return Reply("<think>Away with it.</think>\n\n<tool_call>delete_memory(indices=[99])</tool_call>")

    names = ("one", "two", "three")
    with LoopbackServer(refuses) as server:
        sections = "".join(section(name, server.url(name), max_in_flight=1) for name in names)
        program.configure(sections + "[quality]\nleast_yield = 0.0\n[generation]\nexchanges = [1, 1]\n")
        options = ("--providers", ",".join(names), "--target", "50")
        with in_terminal(program, *options, columns=80, lines=24) as terminal:
            last = r"(?m)^Last conversation: \w+, \w.*: "
            terminal.wait_until(lambda: re.search(last + r"rejected, \w+: \w", terminal.shown))
            terminal.wait_until(lambda: re.search(r"Accepted of the last: \w+ 0 of [1-9]", terminal.shown))
            shown = terminal.lines
            may_end[0] = True
            terminal.wait_until(lambda: re.search(last + "set aside$", terminal.shown))
            terminal.press("\x03")
            assert terminal.end() in {5, 130}
    for name in names:
        assert sum(line.startswith(name) for line in shown) == 1
    assert any(line.startswith("Last question: ") for line in shown)


def test_an_evaluation_is_not_said_to_accept_anything(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hangs_after(12)) as server:
        program.configure(section("one", server.url("one"), max_in_flight=1))
        with in_terminal(program, "evaluate", "--ada", "one", "--users", "2", "--days", "9") as terminal:
            terminal.wait_until(lambda: re.search(r"(?m)^Last conversation: \w+, \w.*: ended$", terminal.shown))
            assert "Accepted of the last" not in terminal.shown
            terminal.press("\x03")
            terminal.wait_for("once more to stop")  # two that come at a time are one
            terminal.press("\x03")
            assert terminal.end() == 130
