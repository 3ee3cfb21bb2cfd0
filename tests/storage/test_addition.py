"""Adding to an output: what was there stays byte for byte, nothing is there twice, and nothing is half done."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message, clean_text
from apep_datagen.core.sample_json import sample_line
from apep_datagen.storage.access import lock_beside, state_path
from apep_datagen.storage.addition import Addition, adding_to, looking_at
from apep_datagen.storage.known_conversations import KnownConversations
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.projection import record_sample
from apep_datagen.storage.replacement import replacement_path

SPACES = st.text(" \n\t\r", max_size=3)
TEXTS = st.text(max_size=5).map(clean_text)


def messages(text: str) -> tuple[Message, ...]:
    return (Message("user", text), Message("assistant", "…"))


def texts(output: Path) -> list[str]:
    return [element["conversations"][0]["content"] for element in json.loads(output.read_bytes())]


@contextlib.contextmanager
def added_to(output: Path) -> Iterator[tuple[KnownConversations, Addition]]:
    with contextlib.closing(KnownConversations()) as known, adding_to(output, known, lambda _: None) as addition:
        yield known, addition


def add(output: Path, wanted: Sequence[str]) -> int:
    """Add conversations that are not there yet; return how many were added."""
    with added_to(output) as (known, addition):
        for text in wanted:
            if known.learn(messages(text)):
                addition.add(sample_line(messages(text)))
        return addition.added


def look(output: Path) -> None:
    with contextlib.closing(KnownConversations()) as known, looking_at(output, known):
        pass


def make_run(output: Path, said: Sequence[str]) -> OpenedRun:
    run = OpenedRun(output, seed=1, notify=lambda _: None)
    run.connection.execute("INSERT OR IGNORE INTO prompt_sets VALUES (1, 'x', '{}')")
    run.connection.execute("INSERT OR IGNORE INTO timelines (id) VALUES (1)")
    for text in said:
        keep(run.connection, text)
    run.projection.bring_up_to_date()
    run.projection.note_synced()
    return run


def keep(connection: sqlite3.Connection, text: str) -> None:
    (number,) = connection.execute("SELECT count(*) + 1 FROM conversations").fetchone()
    connection.execute(
        "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, started_at)"
        " VALUES (?, 1, 1, '{}', 'x', 'finished', 0)",
        (number,),
    )
    record_sample(connection, number, sample_line(messages(text)))


# What was there stays, and nothing is there twice.


@given(
    there=st.lists(st.tuples(SPACES, TEXTS, SPACES), max_size=4),
    edges=st.tuples(SPACES, SPACES, SPACES),
    wanted=st.lists(TEXTS, max_size=5),
)
def test_what_was_there_stays_as_it_was_laid_out_and_what_is_new_follows(
    there: list[tuple[str, str, str]], edges: tuple[str, str, str], wanted: list[str]
) -> None:
    elements = [f"{before}{sample_line(messages(text))}{after}" for before, text, after in there]
    inner = ",".join(elements)
    laid_out = f"{edges[0]}[{inner}{edges[1]}]{edges[2]}".encode()
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "out.json"
        output.write_bytes(laid_out)
        known = [text for _, text, _ in there]
        new = list(dict.fromkeys(text for text in wanted if text not in known))
        assert add(output, wanted) == len(new)
        assert texts(output) == known + new
        kept = laid_out[: laid_out.rindex(b"]")].rstrip() if there else b"["
        assert output.read_bytes().startswith(kept if new else laid_out)
        again = output.read_bytes()
        assert add(output, wanted) == 0
        assert output.read_bytes() == again
        assert sorted(path.name for path in Path(directory).iterdir()) == ["out.json", "out.state.lock"]


def test_line_endings_make_no_conversation_another_one(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    output.write_text(json.dumps([json.loads(sample_line(messages("a\r\nb")))]), encoding="utf-8")
    assert add(output, ["a\nb"]) == 0


def test_a_new_output_is_as_a_run_writes_it(tmp_path: Path) -> None:
    output = tmp_path / "a" / "b.json"
    add(output, ["x", "y"])
    assert output.read_text(encoding="utf-8").split("\n") == [
        "[",
        sample_line(messages("x")) + ",",
        sample_line(messages("y")),
        "]",
        "",
    ]


def test_who_may_read_the_output_may_still_read_it_and_nobody_else(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    add(output, ["x"])
    output.chmod(0o600)
    add(output, ["y"])
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_where_nothing_is_added_there_is_no_output(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    assert add(output, []) == 0
    assert not output.exists()


# Between two processes, and with a run.


def test_an_output_that_a_process_works_on_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    with contextlib.ExitStack() as opened:
        opened.callback(lock_beside(state_path(output)).release)
        with pytest.raises(StorageError, match="another apep-datagen is working on this output"):
            add(output, ["x"])
        with pytest.raises(StorageError, match="another apep-datagen"):
            look(output)
    assert add(output, ["x"]) == 1
    with contextlib.closing(make_run(output, [])), pytest.raises(StorageError, match="another apep-datagen"):
        add(output, ["y"])
    link = tmp_path / "link.json"
    link.symlink_to(output)
    with contextlib.closing(make_run(output, [])), pytest.raises(StorageError, match="under another name"):
        add(link, ["y"])


def test_a_run_goes_on_behind_what_was_added(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    make_run(output, ["a", "b"]).close()
    assert add(output, ["b", "c"]) == 1
    said: list[str] = []
    with contextlib.closing(OpenedRun(output, seed=1, notify=said.append)) as run:
        keep(run.connection, "d")
        run.projection.bring_up_to_date()
        assert run.connection.execute("SELECT base_count FROM run").fetchone() == (3,)
    assert said == []
    assert texts(output) == ["a", "b", "c", "d"]


def test_what_a_killed_run_left_undone_is_done_first(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    run = make_run(output, ["a"])
    keep(run.connection, "b")
    run.close()
    with output.open("r+b") as file:  # in the middle of the write
        file.seek(-len(b"\n]\n"), os.SEEK_END)
        file.write(b",\n" + sample_line(messages("b")).encode()[:20])
    assert add(output, ["b", "c"]) == 1
    assert texts(output) == ["a", "b", "c"]


def test_a_kill_between_the_output_and_its_state_is_mended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.json"
    make_run(output, ["a", "b"]).close()

    class KilledError(Exception):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("apep_datagen.storage.projection.Projection.take_over", kill)
        with pytest.raises(StorageError):
            add(output, ["c"])
    assert texts(output) == ["a", "b", "c"]
    said: list[str] = []
    OpenedRun(output, seed=1, notify=said.append).close()
    assert said == [f"{output}: it was changed since this program wrote it; its 3 conversations are kept"]
    assert texts(output) == ["a", "b", "c"]


def test_what_a_kill_leaves_is_taken_away_by_whoever_is_next(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    make_run(output, ["a"]).close()
    replacement_path(output).write_bytes(b"[\nhalf")
    OpenedRun(output, seed=1, notify=lambda _: None).close()
    assert not replacement_path(output).exists()
    for file in (output, tmp_path / "without a run.json"):
        replacement_path(file).write_bytes(b"[\nhalf")
        add(file, [])
        assert not replacement_path(file).exists()


# What cannot be.


def assert_refused(output: Path, what: str) -> None:
    before = output.read_bytes()
    with pytest.raises(StorageError, match=what):
        add(output, ["x"])
    assert output.read_bytes() == before
    assert not replacement_path(output).exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'[{"a": 1}]', "element 1 is no conversation"),
        (sample_line(messages("x")).encode(), "does not begin with"),
        (b"[\n" + sample_line(messages("y")).encode(), "the file ends before the array does"),
        (b"\x00\x01", "does not begin with"),
    ],
)
def test_an_output_that_is_none_is_refused_and_left(tmp_path: Path, content: bytes, what: str) -> None:
    output = tmp_path / "out.json"
    output.write_bytes(content)
    assert_refused(output, what)


def test_an_output_with_two_names_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    output.write_bytes(b"[]")
    os.link(output, tmp_path / "other.json")
    assert_refused(output, "another name, by a hard link")


def test_an_output_that_another_hand_changes_meanwhile_is_left_as_that_made_it(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    add(output, ["a"])

    def add_while_it_changes() -> None:
        with added_to(output) as (_, addition):
            addition.add(sample_line(messages("b")))
            output.write_text("[\n]\n", encoding="utf-8")

    with pytest.raises(StorageError, match="changed by another hand"):
        add_while_it_changes()
    assert texts(output) == []
    assert not replacement_path(output).exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_where_the_disk_refuses_the_output_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    output = tmp_path / "out.json"
    add(output, ["a"])

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    assert_refused(output, os.strerror(code))


def test_looking_changes_nothing_and_counts_what_would_be(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    add(output, ["a"])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    with contextlib.closing(KnownConversations()) as known, looking_at(output, known) as addition:
        assert not known.learn(messages("a"))
        addition.add(sample_line(messages("b")))
        assert (addition.added, addition.count) == (1, 2)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
