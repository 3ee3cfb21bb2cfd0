"""Exports as files: the same bytes for the same input, gone on from where nothing differs, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.export import exporting, record
from apep_datagen.export.exported import Exported
from apep_datagen.export.exporting import export
from apep_datagen.export.folder import opened_folder
from apep_datagen.export.line_file import LineFile
from apep_datagen.export.plan import Plan, Target, digest_of
from apep_datagen.export.report import describe_target, target_as_json
from apep_datagen.export.selection import parse_selection
from apep_datagen.export.splits import parse_splits
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.wish import Wish, shape_of
from apep_datagen.storage.access import state_path
from support.outputs import MadeConversation, MadeOutput, chat, of_users
from support.real_state import write_real_state

_LINES = tuple(name for name, form in FORMATS.items() if form.container == "lines")


def plan_of(names: Iterable[str], *, splits: str | None = None, **others: Any) -> Plan:
    return Plan(tuple(Target(name, shape_of(name, Wish())) for name in names), splits=parse_splits(splits), **others)


def export_to(directory: Path, output: MadeOutput | Path, plan: Plan) -> Exported:
    path = output if isinstance(output, Path) else output.path
    return export(path, plan, directory, Settings())


def files(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def passed(exported: Exported) -> list[int]:
    return [target.passed for target in exported.targets]


@pytest.fixture
def output(tmp_path: Path) -> MadeOutput:
    made = MadeOutput(tmp_path / "out.json")
    made.append(of_users(30, 6))
    return made


# The same bytes.


@pytest.mark.parametrize("splits", [None, "0.5/0.3/0.2"])
def test_an_export_in_pieces_is_one_made_at_once_byte_for_byte(tmp_path: Path, splits: str | None) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(1000), chat(1001, words="wrote")])
    plan = plan_of(FORMATS, splits=splits)
    lines = plan_of(_LINES, splits=splits)
    for made in (of_users(5, 3), of_users(1, 3, first=6), [], of_users(9, 3, first=7)):
        output.append(made)
        export_to(tmp_path / "pieces", output, plan)
        last = export_to(tmp_path / "line pieces", output, lines)
    assert passed(last) == [8] * len(_LINES)
    export_to(tmp_path / "once", output, plan)
    at_once = files(tmp_path / "once")
    assert files(tmp_path / "pieces") == at_once
    of_lines = {name: content for name, content in at_once.items() if name.split("/")[0] in _LINES}
    assert files(tmp_path / "line pieces") == of_lines
    for name in FORMATS:
        assert json.loads(at_once[f"{name}/report.json"])["conversations"] == 17


def test_one_process_or_several_make_the_same(
    tmp_path: Path, output: MadeOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(FORMATS, splits="0.7/0.3")
    export_to(tmp_path / "one", output, plan)
    monkeypatch.setattr(exporting, "_CONVERSATIONS_IN_A_BATCH", 2)
    export_to(tmp_path / "several", output, plan)
    assert files(tmp_path / "one") == files(tmp_path / "several")


def test_the_order_and_the_company_of_formats_change_nothing_of_one(tmp_path: Path, output: MadeOutput) -> None:
    export_to(tmp_path / "all", output, plan_of(FORMATS))
    export_to(tmp_path / "reversed", output, plan_of(reversed(list(FORMATS))))
    assert files(tmp_path / "all") == files(tmp_path / "reversed")
    for name in FORMATS:
        export_to(tmp_path / "alone", output, plan_of([name]))
    assert files(tmp_path / "all") == files(tmp_path / "alone")


def test_an_export_with_others_is_gone_on_from_without_them(tmp_path: Path, output: MadeOutput) -> None:
    export_to(tmp_path / "to", output, plan_of(FORMATS))
    for name in _LINES:
        assert passed(export_to(tmp_path / "to", output, plan_of([name]))) == [30]


# Where it goes on, and where it begins anew.


def goes_on(tmp_path: Path, output: MadeOutput, plan: Plan, prepare: Callable[[Path], Plan | None]) -> bool:
    """Export, prepare, let the run go on and export again; tell whether it went on, and check what came of it."""
    directory = tmp_path / "to"
    export_to(directory, output, plan)
    plan = prepare(directory) or plan
    output.append(of_users(5, 6, first=31))
    went_on = export_to(directory, output, plan)
    export_to(tmp_path / "fresh", output, plan)
    assert files(directory) == files(tmp_path / "fresh")
    (number,) = set(passed(went_on))
    assert number in (0, 30)
    return number == 30


def test_it_goes_on_where_nothing_has_changed(tmp_path: Path, output: MadeOutput) -> None:
    assert goes_on(tmp_path, output, plan_of(["trl", "axolotl"]), lambda _: None)


@pytest.mark.parametrize(
    "changed",
    [
        plan_of(["trl", "axolotl"], splits="0.9/0.1"),
        plan_of(["trl", "axolotl"], selection=parse_selection((), ["ability=recall"])),
        plan_of(["trl", "axolotl"], series=(2, 3)),
        Plan((Target("trl", shape_of("trl", Wish(thoughts="drop"))), Target("axolotl", FORMATS["axolotl"].default))),
    ],
)
def test_it_begins_anew_with_other_options(tmp_path: Path, output: MadeOutput, changed: Plan) -> None:
    assert not goes_on(tmp_path, output, plan_of(["trl", "axolotl"]), lambda _: changed)


def test_it_begins_anew_with_another_version_of_the_program(
    tmp_path: Path, output: MadeOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade(_: Path) -> None:
        monkeypatch.setattr("importlib.metadata.version", lambda _: "999.0")

    assert not goes_on(tmp_path, output, plan_of(["trl"]), upgrade)


def test_it_begins_anew_where_a_chat_template_says_something_else_since(tmp_path: Path, output: MadeOutput) -> None:
    template = tmp_path / "mine.jinja"
    template.write_text("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}", encoding="utf-8")

    def change(_: Path) -> None:
        template.write_text("{% for m in messages %}{{ m.content }}{% endfor %}", encoding="utf-8")

    assert not goes_on(tmp_path, output, plan_of(["trl"], templates=(str(template),)), change)


def _change_bytes(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def test_it_begins_anew_where_the_source_was_changed_before_that_place(tmp_path: Path, output: MadeOutput) -> None:
    def change(_: Path) -> None:
        assert "said 7 1" in output.elements[6]
        output.elements[6] = output.elements[6].replace("said 7 1", "SAID 7 1")

    assert not goes_on(tmp_path, output, plan_of(["trl", "axolotl"]), change)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: _change_bytes(path, b"said 3 1", b"SAID 3 1"),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
        Path.unlink,
        lambda path: (path.unlink(), path.symlink_to("elsewhere")),
    ],
)
def test_it_begins_anew_where_rows_were_changed(
    tmp_path: Path, output: MadeOutput, change: Callable[[Path], object]
) -> None:
    def prepare(directory: Path) -> None:
        change(directory / "trl" / "train.jsonl")

    assert not goes_on(tmp_path, output, plan_of(["trl", "axolotl"]), prepare)


def _with(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        inner = report
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _with("continuation", value=None),
        _with("continuation", value=[1]),
        _with("continuation", value={}),
        _with("continuation", "conversations", value=29),
        _with("continuation", "conversations", value=-1),
        _with("continuation", "conversations", value="thirty"),
        _with("continuation", "end", value=-5),
        _with("continuation", "end", value=10**30),
        _with("continuation", "end", value=1.5),
        _with("continuation", "digest", value=None),
        _with("continuation", "source_sha256", value="e3b0c442"),
        _with("continuation", "files", value={}),
        _with("continuation", "files", "train", "bytes", value=3),
        _with("continuation", "files", "../../x", value={}),
        _with("continuation", "made", value={}),
        _with("continuation", "made", "tally", "conversations", value=7),
        _with("continuation", "made", "tally", "before", "thoughts", value=0),
        _with("continuation", "made", "tally", "rows", value={"train": "many"}),
        _with("continuation", "made", "measured", value=[{}]),
        _with("continuation", "made", "retold", value={"a": 1}),
    ],
)
def test_it_begins_anew_where_the_report_was_changed(
    tmp_path: Path, output: MadeOutput, change: Callable[[dict[str, Any]], None]
) -> None:
    def prepare(directory: Path) -> None:
        path = directory / "trl" / "report.json"
        report = json.loads(path.read_bytes())
        change(report)
        path.write_text(json.dumps(report), encoding="utf-8")

    assert not goes_on(tmp_path, output, plan_of(["trl"]), prepare)


def test_names_that_a_report_tells_lead_nowhere_else(tmp_path: Path, output: MadeOutput) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    export_to(tmp_path / "to", output, plan_of(["trl"]))
    path = tmp_path / "to" / "trl" / "report.json"
    report = json.loads(path.read_bytes())
    hostile = [
        "../../mine.txt",
        str(mine),
        "..",
        ".",
        "",
        "a\0b",
        "\ud800",
        "x" * 5_000,
        7,
        None,
        {"a": 1},
        "train.jsonl/..",
    ]
    path.write_text(json.dumps({**report, "written": hostile}), encoding="utf-8")
    export_to(tmp_path / "to", output, plan_of(["trl"]))
    assert mine.read_text(encoding="utf-8") == "mine"
    export_to(tmp_path / "fresh", output, plan_of(["trl"]))
    assert files(tmp_path / "to") == files(tmp_path / "fresh")
    for written in ({"a": 1}, "train.jsonl", 7, None):
        path.write_text(json.dumps({**report, "written": written}), encoding="utf-8")
        export_to(tmp_path / "to", output, plan_of(["trl"]))
        assert files(tmp_path / "to") == files(tmp_path / "fresh")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"program": "another"}', b"9" * 10_000, None]
)
def test_a_folder_whose_report_is_not_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, output: MadeOutput, content: bytes | None
) -> None:
    folder = tmp_path / "to" / "trl"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_bytes(b"mine")
    if content is not None:
        (folder / "report.json").write_bytes(content)
    before = files(tmp_path / "to")
    with pytest.raises(SettingsError, match="no export has made"):
        export_to(tmp_path / "to", output, plan_of(["axolotl", "trl"]))
    assert files(tmp_path / "to") == before


def test_a_report_that_is_too_large_or_no_file_is_refused(
    tmp_path: Path, output: MadeOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_to(tmp_path / "to", output, plan_of(["trl"]))
    path = tmp_path / "to" / "trl" / "report.json"
    monkeypatch.setattr(record, "_LARGEST", path.stat().st_size - 1)
    with pytest.raises(SettingsError, match="no export has made"):
        export_to(tmp_path / "to", output, plan_of(["trl"]))
    monkeypatch.undo()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="no export has made"):
        export_to(tmp_path / "to", output, plan_of(["trl"]))


def test_the_files_beside_the_rows_name_no_part_without_a_row(tmp_path: Path, output: MadeOutput) -> None:
    # `load_dataset` fails at one: "corresponds to no data".
    exported = export_to(tmp_path / "to", output, plan_of(FORMATS, splits="0.999999/0.000001"))
    for target in exported.targets:
        assert target.made.tally.rows["validation"] == 0
        assert "No row belongs to validation" in describe_target(exported, target)
        beside = [path for path in target.directory.iterdir() if path.suffix in {".md", ".yaml"} or "info" in path.name]
        for line in "\n".join(path.read_text(encoding="utf-8") for path in beside).splitlines():
            assert "validation" not in line or "rows: train" in line or "No row belongs" in line, line


# What is not wanted any more, and what is another's.


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_earlier_splits_go_and_those_of_others_stay(tmp_path: Path, output: MadeOutput, name: str) -> None:
    export_to(tmp_path / "to", output, plan_of([name], splits="0.4/0.3/0.3"))
    assert any("validation" in path for path in files(tmp_path / "to"))
    notes = tmp_path / "to" / name / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    export_to(tmp_path / "to", output, plan_of([name]))
    export_to(tmp_path / "fresh", output, plan_of([name]))
    assert files(tmp_path / "to") == {**files(tmp_path / "fresh"), f"{name}/notes.txt": b"mine"}


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_killed_export_left_goes(tmp_path: Path, output: MadeOutput, name: str) -> None:
    export_to(tmp_path / "to", output, plan_of([name]))
    folder = tmp_path / "to" / name
    for left in (
        "train.jsonl.new",
        "validation.jsonl.new",
        "test-00003.parquet.part",
        "report.json.new",
        "README.md.new",
    ):
        (folder / left).write_bytes(b"half")
    (folder / "validation.part" / "3").mkdir(parents=True)
    (folder / "validation.replaced" / "3").mkdir(parents=True)
    export_to(tmp_path / "to", output, plan_of([name]))
    export_to(tmp_path / "fresh", output, plan_of([name]))
    assert files(tmp_path / "to") == files(tmp_path / "fresh")
    assert not [path for path in folder.rglob("*") if path.name.endswith((".part", ".replaced", ".new"))]


def test_sessions_that_were_killed_between_two_folders_are_the_old_ones_until_there_are_new_ones(
    tmp_path: Path, output: MadeOutput
) -> None:
    export_to(tmp_path / "to", output, plan_of(["traces"]))
    before = files(tmp_path / "to")
    folder = tmp_path / "to" / "traces"
    (folder / "train").rename(folder / "train.replaced")
    with pytest.raises(RuntimeError), opened_folder(folder):
        raise RuntimeError
    assert files(tmp_path / "to") == before


def test_two_exports_do_not_write_into_one_folder(tmp_path: Path, output: MadeOutput) -> None:
    with opened_folder(tmp_path / "to" / "trl"):
        with pytest.raises(StorageError, match="another apep-datagen exports into it"):
            export_to(tmp_path / "to", output, plan_of(["trl"]))
        export_to(tmp_path / "to", output, plan_of(["axolotl"]))
    export_to(tmp_path / "to", output, plan_of(["trl"]))


@pytest.mark.parametrize("name", ["trl", "parquet", "traces"])
def test_an_export_that_fails_leaves_nothing_and_what_was_there_stays(
    tmp_path: Path, output: MadeOutput, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for place in ("apep_datagen.export.writing.TargetWriter.finish", "apep_datagen.export.exporting.make_rows"):
        with monkeypatch.context() as patch:
            patch.setattr(place, fail)
            with pytest.raises((OSError, StorageError)):
                export_to(tmp_path / "new" / "place", output, plan_of([name]))
        assert not (tmp_path / "new").exists()
    export_to(tmp_path / "to", output, plan_of([name]))
    before = files(tmp_path / "to")
    output.append(of_users(3, 6, first=31))
    with monkeypatch.context() as patch:
        patch.setattr("apep_datagen.export.writing.TargetWriter.finish", fail)
        with pytest.raises(OSError, match="space"):
            export_to(tmp_path / "to", output, plan_of([name]))
    assert files(tmp_path / "to") == before


def test_a_full_disk_that_is_met_again_when_the_rest_is_written_leaves_nothing(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "train.jsonl")
    file._file.close()
    full = Path("/dev/full").open("wb")  # noqa: SIM115 - it is closed below
    file._file = full
    file.write_lines(b"a row\n")
    with pytest.raises(OSError, match="space"):
        file.abandon()
    assert list(tmp_path.iterdir()) == []


# Where it is put.


def test_the_folder_may_be_a_link_and_stand_beside_the_output(tmp_path: Path, output: MadeOutput) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far")
    export_to(tmp_path / "link", output, plan_of(["trl"]))
    before = output.path.read_bytes()
    export_to(tmp_path, output, plan_of(["trl"]))
    assert output.path.read_bytes() == before
    assert files(tmp_path / "trl") == files(tmp_path / "far" / "trl")


def test_without_a_state_database_there_is_no_division_and_no_joining(tmp_path: Path, output: MadeOutput) -> None:
    state_path(output.path).unlink()
    for plan in (plan_of(["trl"], splits="0.9/0.1"), plan_of(["trl"], series=(2, 3))):
        with pytest.raises(SettingsError, match="there is no state database"):
            export_to(tmp_path / "to", output, plan)
    assert not (tmp_path / "to").exists()
    exported = export_to(tmp_path / "to", output, plan_of(FORMATS))
    assert exported.exit_status == 0
    assert "there is no state database" in exported.why_not
    sessions = [path for path in files(tmp_path / "to" / "traces" / "train") if path.endswith(".jsonl")]
    assert len(sessions) == 30


@pytest.mark.parametrize("choice", ["ability=recall", "form=told", "provider=endpoint"])
def test_without_a_state_database_nothing_is_chosen_by_what_it_knows(
    tmp_path: Path, output: MadeOutput, choice: str
) -> None:
    state_path(output.path).unlink()
    for include, exclude in (([choice], []), ([], [choice])):
        with pytest.raises(SettingsError, match=r"there is no state database .*tokens=MIN-MAX alone"):
            export_to(tmp_path / "to", output, plan_of(["trl"], selection=parse_selection(include, exclude)))
    assert not (tmp_path / "to").exists()


def test_a_provider_that_made_none_of_them_is_told_with_those_that_did(tmp_path: Path, output: MadeOutput) -> None:
    output.append([MadeConversation(chat(100), provider="other"), MadeConversation(chat(101), provider="endpoint")])
    for include, exclude in ((["provider=other,lop"], []), ([], ["provider=lop"])):
        with pytest.raises(SettingsError, match=r"provider=lop: no conversation .* there are endpoint, other$"):
            export_to(tmp_path / "to", output, plan_of(["trl"], selection=parse_selection(include, exclude)))
    assert not (tmp_path / "to").exists()
    plan = plan_of(["trl"], selection=parse_selection(["provider=other"], ["ability=recall"]))
    (target,) = export_to(tmp_path / "to", output, plan).targets
    assert (target.made.tally.conversations, target.made.tally.not_selected) == (32, 31)
    empty = MadeOutput(tmp_path / "empty.json")
    with pytest.raises(SettingsError, match="no provider has made any yet"):
        export_to(tmp_path / "to", empty, plan)


def test_of_an_output_without_conversations_there_are_no_rows(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    plan = plan_of(FORMATS)
    exported = export_to(tmp_path / "to", output, plan)
    assert exported.exit_status == 7
    for target in exported.targets:
        assert "No row was written." in describe_target(exported, target)
        assert "Nothing is lost" not in describe_target(exported, target)
        readme = (target.directory / "README.md").read_text(encoding="utf-8")
        assert "There is no row yet, so nothing to train on" in readme
        assert "data_files" not in readme
    output.append(of_users(3, 2))
    export_to(tmp_path / "to", output, plan)
    export_to(tmp_path / "fresh", output, plan)
    assert files(tmp_path / "to") == files(tmp_path / "fresh")


@pytest.mark.parametrize("content", [b"", b"{}", b'[{"conversations"', b"\x00" * 100])
def test_an_output_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=str(path)):
        export_to(tmp_path / "to", path, plan_of(["trl"]))
    assert not (tmp_path / "to").exists()


def test_elements_that_are_no_conversations_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b'[7, {"a": 1}, {"conversations": []}, {"conversations": [{"role": "user", "content": "Hi"}]}]')
    (target,) = export_to(tmp_path / "to", path, plan_of(["trl"])).targets
    assert (target.made.tally.conversations, target.made.tally.others) == (1, 3)
    assert target.made.tally.left_out.total() == 1


@pytest.mark.parametrize(("refuses", "status"), [("messages", 7), ("messages | length < 9", 0)])
def test_a_template_that_refuses_every_row_is_a_finding(
    tmp_path: Path, output: MadeOutput, refuses: str, status: int
) -> None:
    output.append([MadeConversation(chat(31, exchanges=1))])
    template = tmp_path / "strict.jinja"
    keeps_all = "{% for message in messages %}{{ message.role + ': ' + message.content }}\n{% endfor %}"
    template.write_text(f"{{% if {refuses} %}}{{{{ raise_exception('No.') }}}}{{% endif %}}{keeps_all}", "utf-8")
    exported = export_to(tmp_path / "to", output, plan_of(["openai"], templates=(str(template),)))
    (check,) = exported.targets[0].made.measured.checks
    assert 0 < check.refused_rows <= check.rows
    assert exported.exit_status == status
    assert ("refuses every row" in describe_target(exported, exported.targets[0])) is (status == 7)
    (told,) = target_as_json(exported, exported.targets[0])["checks"]
    assert told["refuses_all"] is (status == 7)


def test_what_stands_beside_the_messages_of_an_element_is_not_called_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    messages = [{"role": "user", "content": "Hi", "name": "Lina"}, {"role": "assistant", "content": "Hello."}]
    path.write_text(json.dumps([{"id": number, "conversations": messages} for number in range(3)]), encoding="utf-8")
    exported = export_to(tmp_path / "to", path, plan_of(["trl"]))
    said = describe_target(exported, exported.targets[0])
    assert "Left out: fields that no row has a place for: conversations.name (3), id (3)." in said
    assert "Nothing is lost" not in said
    assert target_as_json(exported, exported.targets[0])["without_place"] == {"conversations.name": 3, "id": 3}


def test_what_is_told_of_rows_is_what_they_are(tmp_path: Path, output: MadeOutput) -> None:
    wish = Wish(weights=True)
    for series in (None, (2, 3)):
        plan = Plan(tuple(Target(name, shape_of(name, wish)) for name in FORMATS), series=series)
        exported = export_to(tmp_path / "to", output, plan)
        for target in exported.targets:
            said, told = describe_target(exported, target), target_as_json(exported, target)
            weighted = any(
                name in message
                for path in target.data_files
                if path.suffix == ".jsonl"
                for line in path.read_text(encoding="utf-8").splitlines()
                for message in json.loads(line).get("messages", [])
                for name in ("weight", "train", "loss")
            )
            assert ("with weights" in said) is told["shape"]["weights"] is weighted
            assert ("a session for each user" in said) is (target.target.name == "traces")
            assert ("2 to 3 conversations of a user" in said) is bool(series and target.target.name != "traces")
            assert (told["megachat"] is not None) is bool(series and target.target.name != "traces")


def test_an_earlier_version_s_output_is_exported(tmp_path: Path) -> None:
    path = write_real_state(tmp_path, count=60)
    before = files(tmp_path)
    exported = export_to(tmp_path / "to", path, plan_of(FORMATS, splits="0.5/0.5"))
    assert exported.exit_status == 0
    assert all(not target.made.tally.left_out for target in exported.targets)
    shutil.rmtree(tmp_path / "to")
    joined = export_to(tmp_path / "to", path, plan_of(["trl"], series=(2, 3)))
    assert joined.exit_status == 0
    shutil.rmtree(tmp_path / "to")
    assert files(tmp_path) == before


def test_what_stands_by_itself_is_a_session_of_its_own_also_where_it_is_there_twice(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append([*of_users(4, 1), MadeConversation(chat(5), by_itself=True)])
    output.elements += output.elements[-1:]
    output.append([])
    (target,) = export_to(tmp_path / "to", output, plan_of(["traces"])).targets
    assert target.made.tally.rows == {"train": 3}
    names = sorted(Path(path).name for path in files(tmp_path / "to" / "traces" / "train"))
    assert len(names) == 3
    assert names[-1] == "user-00001.jsonl"


def test_a_mistake_of_this_program_is_not_told_as_damage_of_the_state_database(
    tmp_path: Path, output: MadeOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("mine")

    monkeypatch.setattr("apep_datagen.export.exporting.make_rows", fail)
    with pytest.raises(KeyError, match="mine"):
        export_to(tmp_path / "to", output, plan_of(["trl"]))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE conversations SET plan = '{' WHERE id = 3",
        'UPDATE conversations SET plan = \'{"seed": "x"}\' WHERE id = 3',
        "UPDATE prompt_sets SET texts = '{'",
    ],
)
def test_a_damaged_state_database_is_told(tmp_path: Path, output: MadeOutput, change: str) -> None:
    with output.database() as connection:
        connection.execute(change)
    with pytest.raises(StorageError, match="damaged") as raised:
        export_to(tmp_path / "to", output, plan_of(["trl", "hermes"]))
    assert str(state_path(output.path)) in str(raised.value)
    assert not (tmp_path / "to").exists()


def test_a_plan_that_only_counts_in_another_order_is_the_same() -> None:
    plan = plan_of(["trl"], selection=parse_selection(["ability=recall,share", "provider=b,a"], ()))
    other = replace(plan, selection=parse_selection(["provider=a,b", "ability=share,recall"], ()))
    assert digest_of(plan, plan.targets[0]) == digest_of(other, other.targets[0])
