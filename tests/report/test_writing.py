"""A report is written whole or not at all, of whatever is there, and replaces nothing but a report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.sample_json import line_digest
from apep_datagen.report import document, writing
from apep_datagen.report.places import part_path, report_path
from apep_datagen.report.writing import write_report
from support.outputs import MadeConversation, MadeOutput, chat
from support.paths import REPOSITORY
from support.real_state import write_real_state
from support.report_file import read_report, report_of

SAMPLE = REPOSITORY / "docs" / "sample.json"


def made(directory: Path, count: int, **changes: Any) -> MadeOutput:
    output = MadeOutput(directory / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number, **changes) for number in range(1, count + 1))
    return output


def test_all_of_a_run_is_in_it(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=40)
    read = read_report(report_of(output))
    elements = [json.dumps(each, ensure_ascii=False).encode() for each in json.loads(output.read_bytes())]
    accepted = [row for row in read.rows if row["n"]]
    assert [row["d"] for row in accepted] == [line_digest(element).hex() for element in elements]
    assert [row["n"] for row in accepted] == list(range(1, len(elements) + 1))
    rejected = [row for row in read.rows if row["n"] is None]
    assert len(rejected) + len(accepted) == 40
    assert all(row["s"] == "rejected" and row["st"] and row["re"] for row in rejected)
    assert all(row["a"] and row["at"] and row["nm"] and row["u"] in read.notes for row in read.rows)
    assert any(message.get("o") for body in read.bodies for message in body["m"])
    assert {label for body in read.bodies for label, _ in body["b"]} >= {"User", "When", "Topic", "Facts", "Plan"}
    for place, element in enumerate(json.loads(output.read_bytes())):
        lines = [read.index["lines"][part] if isinstance(part, int) else part for part in read.bodies[place]["y"]]
        assert "\n".join(lines) == element["conversations"][0]["content"]
    assert read.index["statistics"]["conversations"] == len(elements)
    bars = read.index["run"]["speed"]["bars"]
    assert [sum(bar[place] for bar in bars) for place in (1, 2)] == [len(accepted), len(rejected)]


def test_a_dataset_alone_is_enough(tmp_path: Path) -> None:
    output = tmp_path / "sample.json"
    output.write_bytes(SAMPLE.read_bytes())
    written = write_report(output, report_path(output), Settings())
    read = read_report(written.path)
    assert written.conversations == len(read.rows) == len(json.loads(SAMPLE.read_bytes()))
    assert "there is no state database" in read.index["why_no_run"]
    assert "there is no state database" in written.describe()
    assert f"{written.size / 1_000_000:.1f} MB" in written.describe()
    assert written.size == written.path.stat().st_size


@pytest.mark.parametrize("content", ["[]", "[\n]\n"])
def test_an_empty_dataset_has_an_empty_report(tmp_path: Path, content: str) -> None:
    output = tmp_path / "out.json"
    output.write_text(content, encoding="utf-8")
    assert read_report(report_of(output)).rows == []


def test_what_is_no_conversation_is_counted(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    element = {"conversations": [message.as_dict() for message in chat(1)]}
    output.write_text(json.dumps([element, {"a": 1}, element]), encoding="utf-8")
    written = write_report(output, report_path(output), Settings())
    assert (written.conversations, written.others) == (2, 1)
    assert [row["n"] for row in read_report(written.path).rows] == [1, 3]


def test_what_it_costs_follows_from_the_prices(tmp_path: Path) -> None:
    output = made(tmp_path, 2)
    assert [use[5] for use in read_report(report_of(output.path)).bodies[0]["u"]] == [None, None]
    section = {"kind": "openai", "base_url": "http://127.0.0.1:1", "model": "large"}
    section["prices"] = {"large": {"input": 10.0, "output": 100.0}}  # type: ignore[assignment]
    settings = Settings.model_validate({"providers": {"endpoint": section}})
    write_report(output.path, report_path(output.path), settings)
    uses = {use[1]: use[2:] for use in read_report(report_path(output.path)).bodies[0]["u"]}
    assert uses["large"] == [["ada", "rewriter"], 200, 20, (200 * 10 + 20 * 100) / 1_000_000]


def test_a_sample_is_of_all_abilities_and_the_same_each_time(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(
        MadeConversation(chat(number, 1), user=number, ability="recall" if number % 10 == 0 else "smalltalk")
        for number in range(1, 201)
    )
    first, second = (read_report(report_of(output.path, sample=20)) for _ in range(2))
    assert first.rows == second.rows
    assert [row["a"] for row in first.rows].count("recall") == 2
    assert len(first.rows) == 20
    assert first.index["left_out"] == 180
    assert first.index["identity"] == read_report(report_of(output.path)).index["identity"]


def test_the_same_run_gives_the_same_file(tmp_path: Path) -> None:
    output = made(tmp_path, 5).path
    assert report_of(output).read_bytes() == report_of(output).read_bytes()


def test_only_the_script_and_the_style_of_the_file_take_effect(tmp_path: Path) -> None:
    text = report_of(made(tmp_path, 1).path).read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "require-trusted-types-for 'script'" in policy[1]
    source = "".join(path.read_text(encoding="utf-8") for path in Path(writing.__file__).parent.glob("page/*.js"))
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|https?://(?!www\.w3\.org/2000/svg)",
        source,
    )


def test_no_place_of_this_machine_is_in_it(tmp_path: Path) -> None:
    output = made(tmp_path, 2).path
    alone = tmp_path / "alone.json"
    alone.write_bytes(output.read_bytes())
    for path in (output, alone):
        assert str(tmp_path) not in json.dumps(read_report(report_of(path)).index)


# Files.


def test_only_a_report_is_replaced(tmp_path: Path) -> None:
    output = made(tmp_path, 1)
    for content in (b"<!doctype html>\n<p>mine", b"{}"):
        other = tmp_path / "mine.html"
        other.write_bytes(content)
        with pytest.raises(StorageError, match="is no report of apep-datagen, and is left as it is"):
            write_report(output.path, other, Settings())
        assert other.read_bytes() == content
    page = report_of(output.path)
    output.append([MadeConversation(chat(2, 1), user=2)])
    assert len(read_report(page).rows) == 1
    assert len(read_report(report_of(output.path)).rows) == 2


def test_a_report_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = made(tmp_path, 1).path
    page = report_of(output)
    before = page.read_bytes()

    def full(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "foot", lambda: full(None))
    with pytest.raises(StorageError, match="No space left on device"):
        write_report(output, page, Settings())
    assert page.read_bytes() == before
    assert not part_path(page).exists()


def test_two_at_once_do_not_write_into_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = made(tmp_path, 1).path
    original = document.foot

    def another_at_that_moment() -> bytes:
        monkeypatch.setattr(writing, "foot", original)
        with pytest.raises(StorageError, match="another apep-datagen is writing this report"):
            report_of(output)
        return original()

    monkeypatch.setattr(writing, "foot", another_at_that_moment)
    assert len(read_report(report_of(output)).rows) == 1
    assert len(read_report(report_of(output)).rows) == 1


def test_what_a_killed_one_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    output = made(tmp_path, 1).path
    part_path(report_path(output)).write_bytes(b"x" * 10_000_000)
    page = report_of(output)
    assert page.stat().st_size < 1_000_000
    assert not part_path(page).exists()


def test_a_state_database_that_was_changed_is_told(tmp_path: Path) -> None:
    output = made(tmp_path, 1)
    with output.database() as connection:
        connection.execute("UPDATE conversations SET provider = 5.5, ended_at = 'yesterday'")
    with pytest.raises(StorageError, match="damaged, or another hand has changed it"):
        report_of(output.path)
