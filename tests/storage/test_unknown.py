"""What the run made is known in the output wherever it stands and however it is laid out; each once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apep_datagen.core.sample_json import sample_line
from apep_datagen.storage.unknown import count_unknown
from support.outputs import MadeOutput, chat, of_users

OURS = [json.loads(sample_line(chat(number))) for number in (1, 2, 3)]
THEIRS = json.loads(sample_line(chat(9)))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("there", "unknown"),
    [
        (OURS, 0),
        ([*OURS, THEIRS], 1),
        ([THEIRS, OURS[2], THEIRS, OURS[0]], 2),
        ([*OURS, OURS[1]], 1),
        ([THEIRS, {**OURS[0], "kept": "as it is"}, {"conversations": []}], 2),
        ([], 0),
    ],
)
def test_what_the_run_made_is_known_in_the_base(
    tmp_path: Path, indent: int | None, there: list[object], unknown: int
) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(of_users(3, 1))
    output.path.write_text(json.dumps(there, indent=indent), encoding="utf-8")
    with output.database() as connection:
        connection.execute("UPDATE run SET base_count = ?, base_position = 3", (len(there),))
        assert count_unknown(connection, output.path) == unknown


def test_a_second_time_behind_the_base_makes_nothing_of_the_base_unknown(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(of_users(3, 1))
    output.path.write_text(json.dumps([OURS[0], THEIRS, *OURS[1:], THEIRS]), encoding="utf-8")
    with output.database() as connection:
        connection.execute("UPDATE run SET base_count = 2, base_position = 1")
        assert count_unknown(connection, output.path) == 1


def test_behind_the_base_all_is_known(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(8), chat(9)])
    output.append(of_users(3, 1))
    with output.database() as connection:
        assert count_unknown(connection, output.path) == 2
