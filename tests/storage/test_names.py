"""One file by several names: a run holds the output itself, so a second process meets it by whatever name it comes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.storage.access import lock_file
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section

TARGET = 3


def soft(link: Path, target: Path) -> None:
    link.symlink_to(target)


def hard(link: Path, target: Path) -> None:
    target.write_bytes(b"")
    link.hardlink_to(target)


def through_a_directory(link: Path, target: Path) -> None:
    """Reach the same directory by another path: the file beside the state database has another name as well."""
    target.parent.mkdir(exist_ok=True)
    link.parent.rmdir()
    link.parent.symlink_to(target.parent)


def through_two_links(link: Path, target: Path) -> None:
    between = link.with_name("between.json")
    between.symlink_to(target)
    link.symlink_to(between)


@pytest.mark.parametrize("make_link", [soft, hard, through_two_links, through_a_directory])
def test_a_second_process_is_refused_by_whatever_name_it_comes(
    tmp_path: Path, make_link: Callable[[Path, Path], None]
) -> None:
    """The first name may be the link, and the file need not be there when the link is made."""
    program = Program(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    file, link = tmp_path / "one" / "real.json", tmp_path / "two" / "also.json"
    make_link(link, file)
    if make_link is through_a_directory:
        link = link.with_name(file.name)
    options = ("--providers", "endpoint", "--target", str(TARGET))
    is_refused = False

    def waits_for_the_second(received: Received) -> Reply:
        # Where the second is not refused, it asks as well, and is to end.
        return replace(well_behaved(received), until=lambda: is_refused or len(server.received) > TARGET)

    with LoopbackServer(waits_for_the_second) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=40))
        first = program.watch(*options, "--output", str(link))
        server.wait_until(lambda: server.received)
        content, there = file.read_bytes(), sorted(path.name for path in file.parent.iterdir())
        second = program.run(*options, "--output", str(file))
        assert second.status == 4, second.said
        assert "another apep-datagen is working on this output" in second.stderr
        assert "Traceback" not in second.said
        assert file.read_bytes() == content
        made = {path.name for path in file.parent.iterdir()} - set(there)
        assert made <= {"real.state.lock"}, made
        is_refused = True
        ended = first.end()
    assert ended.status == 0, ended.said
    assert len(json.loads(file.read_bytes())) == TARGET


def test_the_other_name_goes_on_when_the_first_process_has_ended(tmp_path: Path) -> None:
    program = Program(tmp_path)
    (tmp_path / "also.json").symlink_to("real.json")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        for output, target in (("real.json", 2), ("also.json", 3), ("real.json", 4)):
            ended = program.run("--providers", "endpoint", "--target", str(target), "--output", output)
            assert ended.status == 0, ended.said
            assert len(json.loads((tmp_path / "real.json").read_bytes())) == target


def test_a_file_is_locked_without_changing_it(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("[1]", encoding="utf-8")
    os.link(path, tmp_path / "other.json")
    with lock_file(path):
        with pytest.raises(StorageError, match="another apep-datagen"), lock_file(tmp_path / "other.json"):
            pass
        assert path.read_text(encoding="utf-8") == "[1]"
    with lock_file(tmp_path / "other.json"):
        pass


def test_what_goes_wrong_while_a_file_is_locked_is_not_taken_for_a_lock(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), lock_file(tmp_path / "file.json"):
        raise BlockingIOError
