"""An output that is written anew: what another hand wrote stays as it is, and any part of it can leave."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.storage.access import state_path
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.projection import record_sample
from apep_datagen.storage.replacement import finish_replacement, plan_replacement, replacement_path

SPACES = st.text(" \n\t", max_size=3)


def element(number: int) -> str:
    return json.dumps({"conversations": [{"role": "user", "content": f"Number {number}, with ] and }} and \\ in it."}]})


def keep(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("INSERT OR IGNORE INTO prompt_sets VALUES (1, 'x', '{}')")
    connection.execute("INSERT OR IGNORE INTO timelines (id) VALUES (1)")
    connection.execute(
        "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, started_at)"
        " VALUES (?, 1, 1, '{}', 'x', 'finished', 0)",
        (number,),
    )
    record_sample(connection, number, element(number))


@given(
    base=st.lists(st.tuples(SPACES, SPACES, st.sampled_from(["stays", "leaves"])), max_size=5),
    edges=st.tuples(SPACES, SPACES, SPACES),
    samples=st.lists(st.sampled_from(["stays", "leaves"]), max_size=5),
    added=st.integers(0, 2),
)
def test_whatever_leaves_what_is_left_is_what_was_there(
    base: list[tuple[str, str, str]], edges: tuple[str, str, str], samples: list[str], added: int
) -> None:
    """For any layout of what another hand wrote, and any choice of what leaves it."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "out.json"
        inner = ",".join(
            f"{before}{element(number)}{after}" for number, (before, after, _) in enumerate(base, start=101)
        )
        output.write_text(f"{edges[0]}[{inner}{edges[1]}]{edges[2]}", encoding="utf-8")
        run = OpenedRun(output, seed=1, notify=lambda _: None)
        with contextlib.closing(run):
            connection = run.connection
            for number in range(1, len(samples) + 1):
                keep(connection, number)
            run.projection.bring_up_to_date()
            run.projection.note_synced()
            connection.execute("BEGIN")
            gone = {place: None for place, (_, _, fate) in enumerate(base, start=1) if fate == "leaves"}
            for number, fate in enumerate(samples, start=1):
                if fate == "leaves":
                    connection.execute("DELETE FROM samples WHERE conversation_id = ?", (number,))
            for number in range(51, 51 + added):
                keep(connection, number)
            plan_replacement(connection, output, gone)
            connection.execute("COMMIT")
            assert finish_replacement(connection, output)
            assert not finish_replacement(connection, output)  # it is done once
        assert not replacement_path(output).exists()
        left = [number for number, (_, _, fate) in enumerate(base, start=101) if fate != "leaves"]
        left += [number for number, fate in enumerate(samples, start=1) if fate != "leaves"]
        left += range(51, 51 + added)
        assert [json.dumps(one) for one in json.loads(output.read_bytes())] == [element(number) for number in left]
        # Another start finds what it expects, and goes on behind it.
        run = OpenedRun(output, seed=1, notify=pytest.fail)
        with contextlib.closing(run):
            keep(run.connection, 99)
            run.projection.bring_up_to_date()
        assert [json.dumps(one) for one in json.loads(output.read_bytes())] == [
            element(number) for number in [*left, 99]
        ]


def made(directory: Path) -> Path:
    """Make an output of three conversations, of which the second is to leave; nothing is written yet."""
    output = directory / "out.json"
    run = OpenedRun(output, seed=1, notify=lambda _: None)
    with contextlib.closing(run):
        for number in (1, 2, 3):
            keep(run.connection, number)
        run.projection.bring_up_to_date()
        run.projection.note_synced()
        run.connection.execute("BEGIN")
        run.connection.execute("DELETE FROM samples WHERE conversation_id = 2")
        keep(run.connection, 4)
        plan_replacement(run.connection, output, {})
        run.connection.execute("COMMIT")
    return output


def there(output: Path) -> list[str]:
    return [json.dumps(one) for one in json.loads(output.read_bytes())]


def test_what_was_not_finished_is_finished_by_the_next_start_whatever_is_left_beside_it(tmp_path: Path) -> None:
    output = made(tmp_path)
    replacement_path(output).write_bytes(b"[ torn off in the mid")
    said: list[str] = []
    OpenedRun(output, seed=1, notify=said.append).close()
    assert there(output) == [element(1), element(3), element(4)]
    assert said == [f"{output}: it is written anew, as was begun and not finished"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.state.db", "out.state.lock"]


def test_an_output_that_another_hand_changed_meanwhile_stays_and_lacks_nothing(tmp_path: Path) -> None:
    output = made(tmp_path)
    output.write_text(f"[{element(1)}, {element(7)}, {element(3)}]", encoding="utf-8")
    OpenedRun(output, seed=1, notify=lambda _: None).close()
    assert there(output) == [element(1), element(7), element(3), element(4)]


def test_an_output_that_is_gone_is_written_again_without_what_left_it(tmp_path: Path) -> None:
    output = made(tmp_path)
    output.unlink()
    OpenedRun(output, seed=1, notify=lambda _: None).close()
    assert there(output) == [element(1), element(3), element(4)]


def test_where_it_cannot_be_written_the_old_output_is_still_there(tmp_path: Path) -> None:
    output = made(tmp_path)
    before = output.read_bytes()
    replacement_path(output).mkdir()
    with pytest.raises(StorageError, match=r"out\.json: the output cannot be written"):
        OpenedRun(output, seed=1, notify=lambda _: None)
    assert output.read_bytes() == before
    replacement_path(output).rmdir()
    OpenedRun(output, seed=1, notify=lambda _: None).close()
    assert there(output) == [element(1), element(3), element(4)]
    assert state_path(output).exists()
