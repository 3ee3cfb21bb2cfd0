"""Where the output goes: one process at a time, places that cannot be written, and a disk that is full."""

from __future__ import annotations

import ctypes
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section


def test_a_second_process_on_the_same_output_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "3")
    is_refused = False

    def waits_for_the_second(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_refused)

    with LoopbackServer(waits_for_the_second) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=40))
        first = program.watch(*options)
        server.wait_until(lambda: server.received)
        second = program.run(*options)
        assert first.process.poll() is None, first.said
        assert second.status == 4
        assert "another apep-datagen is working on this output" in second.stderr
        assert "Traceback" not in second.said
        is_refused = True
        ended = first.end()
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 3


@pytest.mark.parametrize("output", ["a-file/out.json", "/proc/out.json", "a-directory"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, output: str) -> None:
    (tmp_path / "a-file").write_text("in the way")
    (tmp_path / "a-directory").mkdir()
    ended = Program(tmp_path).run("--providers", "mistral", "--output", output)
    assert ended.status == (2 if output == "a-directory" else 4), ended.said
    assert output.partition("/out.json")[0] in ended.stderr
    assert "Traceback" not in ended.said
    assert (tmp_path / "a-file").read_text() == "in the way"
    assert list((tmp_path / "a-directory").iterdir()) == []


def test_a_secrets_template_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    ended = Program(tmp_path, environment={}).run()
    assert ended.status == 2, ended.said
    assert "data/secrets.json" in ended.stderr
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("make", [False, True], ids=["before", "in between"])
def test_a_directory_that_is_read_only_is_told_and_when_it_is_writable_the_run_goes_on(
    tmp_path: Path,
    make: bool,  # noqa: FBT001 - a parameter
) -> None:
    program = Program(tmp_path)
    directory = program.output.parent
    directory.mkdir(parents=True)
    options = ("--providers", "endpoint", "--target", "2")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        if make:
            assert program.run("--providers", "endpoint", "--target", "1").status == 0
        sent = len(server.received)
        before = {path.name: path.read_bytes() for path in directory.iterdir()}
        for path in (directory, *directory.iterdir()):
            path.chmod(0o555)
        refused = program.run(*options, preexec_fn=_without_privileges)
        assert refused.status == 4, refused.said
        assert str(program.output.parent.relative_to(tmp_path)) in refused.stderr
        assert "Traceback" not in refused.said
        assert len(server.received) == sent
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
        for path in (directory, *directory.iterdir()):
            path.chmod(0o755)
        ended = program.run(*options)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 2


def _without_privileges() -> None:
    """Let permissions hold for the superuser as well, who tests run as in containers; others cannot and need not."""
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h


@pytest.mark.parametrize(("there", "limit"), [(0, 250_000), (1_500_000, 1_504_000)], ids=["state", "output"])
def test_a_full_disk_stops_the_run_clearly_and_with_room_nothing_is_lost_or_doubled(
    tmp_path: Path, there: int, limit: int
) -> None:
    """Where the output has nearly the size of the limit already, it is the first to meet it."""
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "20")
    if there:
        program.output.parent.mkdir(parents=True)
        messages = [{"role": "user", "content": "x" * there}]
        program.output.write_text(json.dumps([{"conversations": messages}]), encoding="utf-8")
    with LoopbackServer() as server:
        # With few in flight, some are finished before the database has as much to write as the output.
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=100, max_in_flight=2))
        full = program.run_on_a_full_disk(limit, *options)
        assert full.status == 4, full.said
        assert ("the output" if there else "the state database") + " cannot be written" in full.stderr
        assert len(full.stderr.splitlines()) == 1
        assert "Traceback" not in full.said
        assert len(program.conversations()) < 20
        recorded = {text for (text,) in program.query("SELECT text FROM steps")}
        sent = len(server.received)
        resumed = program.run(*options)
        times_sent = Counter(request.content for request in server.received)
        received = server.received[:sent]
    assert resumed.status == 0, resumed.said
    # Only what could not be recorded was asked again.
    assert not [request for request in received if request.answer in recorded and times_sent[request.content] > 1]
    conversations = program.conversations()
    assert len(conversations) == len({json.dumps(messages) for messages in conversations}) == 20
    samples = [json.loads(line)["conversations"] for (line,) in program.query("SELECT line FROM samples")]
    assert conversations[bool(there) :] == samples


def test_a_disk_that_is_full_before_anything_is_written_is_told_and_harms_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        full = program.run_on_a_full_disk(20_000, "--providers", "endpoint", "--target", "1")
        assert full.status == 4, full.said
        assert "the state database cannot be" in full.stderr
        assert "Traceback" not in full.said
        assert server.received == []
        resumed = program.run("--providers", "endpoint", "--target", "1")
    assert resumed.status == 0, resumed.said
    assert len(program.conversations()) == 1
