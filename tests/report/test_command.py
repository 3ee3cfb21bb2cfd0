"""`apep-datagen report`, as a user calls it: also while a run goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer
from support.program import Program, section
from support.report_file import read_report
from support.waiting import wait_until

KILLS_ITSELF = """
import os, signal
from apep_datagen.cli.app import main
from apep_datagen.report import writing
writing.foot = lambda: os.kill(os.getpid(), signal.SIGKILL)
main()
"""


def test_a_report_is_written_while_a_run_goes_on_and_after_it_was_killed(tmp_path: Path) -> None:
    program = Program(tmp_path)
    page = program.output.with_name("generatedTrainingData.report.html")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=30.0))
        run = program.start("--providers", "endpoint", "--target", "100000", "--seed", "2")
        wait_until(
            lambda: program.state.exists() and _samples(program) >= 10, lambda: "no conversation was accepted in time"
        )
        told = program.run("report")
        assert told.status == 0, told.said
        assert run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.communicate()
    first = read_report(page)
    assert len(first.rows) >= 10
    assert (
        f"{page.relative_to(tmp_path)}: {sum(row['n'] is not None for row in first.rows)} conversations" in told.stdout
    )
    before = page.read_bytes()
    killed = program.run("report", command=("-c", KILLS_ITSELF))
    assert killed.status == -signal.SIGKILL
    assert page.read_bytes() == before
    again = program.run("report", "--sample", "5")
    assert again.status == 0, again.said
    assert "It is a sample" in again.stdout
    assert sum(row["n"] is not None for row in read_report(page).rows) == 5
    assert not list(page.parent.glob("*.part"))


def _samples(program: Program) -> int:
    try:
        return int(program.query("SELECT count(*) FROM samples")[0][0])
    except Exception:  # noqa: BLE001 - the tables are being made
        return 0


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("missing.json",), 4, "there is no such file"),
        (("out.json", "--to", "out.json"), 2, "would be the same file as"),
        (("out.json", "--to", "out.state.db"), 2, "would be the same file as"),
        (("out.json", "--to", "."), 2, "directory"),
        (("out.json", "--to", "notes.txt"), 4, "is no report of apep-datagen"),
        (("out.json", "--sample", "0"), 2, "--sample"),
        (("evaluation.json",), 4, "holds an evaluation"),
        (("broken.json",), 4, "broken.json"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, options: tuple[str, ...], status: int, said: str) -> None:
    (tmp_path / "out.json").write_text("[]", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "broken.json").write_text('{"a": 1}', encoding="utf-8")
    (tmp_path / "evaluation.json").write_text('[{"evaluation": {}, "transcript": []}]', encoding="utf-8")
    ended = Program(tmp_path).run("report", *options)
    assert ended.status == status, ended.said
    assert said in ended.stderr
    assert "Traceback" not in ended.said
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
