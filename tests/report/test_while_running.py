"""`--report-every`: the report of a run is written anew as it goes on, and costs the run nothing."""

from __future__ import annotations

import signal
from pathlib import Path

from apep_datagen.report.places import report_path
from support.loopback_server import LoopbackServer, hangs_at_ada_after, well_behaved
from support.program import Program, section
from support.report_file import read_report
from support.waiting import wait_until

OPTIONS = ("--providers", "one", "--target", "30", "--exchanges", "1", "--report-every", "5")


def test_it_is_there_while_the_run_goes_on_and_holds_all_at_the_end(tmp_path: Path) -> None:
    program = Program(tmp_path)
    page = report_path(program.output)
    with LoopbackServer(hangs_at_ada_after(60)) as server:
        program.configure(section("one", server.url("one"), requests_per_second=None, max_in_flight=2))
        running = program.watch(*OPTIONS)
        wait_until(page.exists, lambda: str(running.process.poll()))
        assert running.process.poll() is None
        assert 5 <= sum(row["n"] is not None for row in read_report(page).rows) < 30
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGINT)
        assert running.end().status == 130
        server.behaviour = well_behaved
        ended = program.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert [row["n"] for row in read_report(page).rows if row["n"] is not None] == list(range(1, 31))
    assert f"{page.relative_to(tmp_path)}: 30 conversations" in ended.stdout
    assert [path for path in page.parent.iterdir() if path.suffix == ".part"] == []


def test_where_it_cannot_be_written_the_run_goes_on_and_says_so_once(tmp_path: Path) -> None:
    program = Program(tmp_path)
    page = report_path(program.output)
    page.parent.mkdir(parents=True)
    page.write_text("what somebody else wrote")
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one"), requests_per_second=20))
        ended = program.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 30
    assert page.read_text() == "what somebody else wrote"
    told = "The report could not be written, and the run goes on without it: "
    assert ended.stdout.count(told) == 1, ended.said
    assert f"{page.relative_to(tmp_path)}: is no report of apep-datagen, and is left as it is" in ended.said


def test_a_file_of_the_run_is_not_taken_for_it(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        ended = program.run(*OPTIONS, "--log-file", str(report_path(program.output)))
        assert server.received == []
    assert ended.status == 2
    assert "the report (--report-every)" in ended.stderr
