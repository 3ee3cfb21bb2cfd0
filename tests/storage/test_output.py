"""The output: valid JSON whenever the process can be killed, appended to at a constant cost, and never overwritten."""

from __future__ import annotations

import io
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message, storable_text
from apep_datagen.core.sample_json import sample_line
from apep_datagen.storage.output import OutputFile, element_bytes, inspect_output, is_json


def conversation(text: str) -> dict[str, Any]:
    return {"conversations": [{"role": "user", "content": text}, {"role": "assistant", "content": "…"}]}


def line(text: str) -> str:
    return sample_line([Message("user", text), Message("assistant", "…")])


def texts(content: bytes) -> list[str]:
    return [element["conversations"][0]["content"] for element in json.loads(content)]


@contextmanager
def opened(path: Path) -> Iterator[OutputFile]:
    """Open an output as it is: a new one, or one that somebody else wrote."""
    there = inspect_output(path)
    end, count = (there.end, len(there.elements)) if there else (1, 0)
    with closing(OutputFile(path, end=end, count=count)) as output:
        yield output


class RecordingFile(io.FileIO):
    """A raw file that tells which writes reach it, and shows what a kill behind each of them would leave."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self.writes: list[bytes] = []
        self.states: list[bytes] = []
        self.path = path

    def write(self, content: Any) -> int:
        self.writes.append(bytes(content))
        written = super().write(content)
        self.states.append(self.path.read_bytes())
        return written

    def truncate(self, size: int | None = None) -> int:
        length = super().truncate(size)
        self.states.append(self.path.read_bytes())
        return length


def record(output: OutputFile) -> RecordingFile:
    output._file.close()
    recording = RecordingFile(output.path)
    output._file = recording
    return recording


# Appending.


def test_a_new_output_is_an_empty_array_in_directories_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "data.json"
    with opened(path):
        assert path.read_bytes() == b"[\n]\n"
        assert is_json(path)


def test_the_output_has_a_conversation_a_line(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with opened(path) as output:
        output.append([line("A")])
        output.append([line("B"), line("C\nD")])
    rows = path.read_text(encoding="utf-8").split("\n")
    assert rows == ["[", line("A") + ",", line("B") + ",", line("C\nD"), "]", ""]


@given(st.lists(st.lists(st.text().map(storable_text), max_size=3), max_size=5))
def test_the_output_is_a_valid_array_after_every_append(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.unlink(missing_ok=True)
    expected: list[str] = []
    with opened(path) as output:
        for batch in batches:
            output.append([line(text) for text in batch])
            expected += batch
            assert texts(path.read_bytes()) == expected
            assert output.count == len(expected)
            assert output.ends_cleanly()


def test_an_append_is_one_write_whose_size_does_not_depend_on_what_is_there(tmp_path: Path) -> None:
    with opened(tmp_path / "data.json") as output:
        output.append([line("first")])
        recording = record(output)
        for number in range(500):
            output.append([line(f"{number:05}")])
        output.append([line("a"), line("b")])
    assert len(recording.writes) == 501
    assert {len(write) for write in recording.writes[:500]} == {len(b",\n" + line("00000").encode() + b"\n]\n")}


def test_an_append_leaves_everything_before_the_closing_bracket(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with opened(path) as output:
        for number in range(20):
            before = path.read_bytes()
            output.append([line(str(number))])
            assert path.read_bytes().startswith(before.removesuffix(b"\n]\n").removesuffix(b"\n]"))


def test_appending_nothing_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "data.json") as output:
        recording = record(output)
        output.append([])
        assert recording.writes == []


# What somebody else wrote.

COMPACT = json.dumps([conversation("A"), conversation("é")], separators=(",", ":"), ensure_ascii=False)
FOREIGN = {
    "compact": COMPACT,
    "pretty": json.dumps([conversation("A"), conversation("é")], indent=4),
    "crlf": json.dumps([conversation("A")], indent=2).replace("\n", "\r\n") + "\r\n",
    "empty": "[]",
    "empty with space": " [ ]\n",
    "trailing space": COMPACT + " \n\t\r\n" * 3,
    "far bracket": COMPACT[:-1] + "\n" * 5_000 + "]",
    "far bracket, far end": COMPACT[:-1] + " " * 5_000 + "]" + "\n" * 5_000,
    "empty, far bracket": "[" + " " * 5_000 + "]",
    "more keys": json.dumps([{**conversation("A"), "id": 1, "score": 0.5}]),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_array_is_continued_without_a_changed_byte(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content.encode())
    elements = json.loads(content)
    with opened(path) as output:
        assert path.read_bytes() == content.encode()
        assert output.ends_cleanly()
        kept = content.encode()[: output.end]
        recording = record(output)
        for number, added in enumerate(["x", "y", "z"], start=1):
            output.append([line(added)])
            assert path.read_bytes().startswith(kept)
            assert json.loads(path.read_bytes())[: len(elements)] == elements
            assert texts(path.read_bytes())[len(elements) :] == ["x", "y", "z"][:number]
        assert output.count == len(elements) + 3
    # Wherever it is killed between two system calls, the array is valid.
    assert all(isinstance(json.loads(state), list) for state in recording.states)
    assert len(recording.writes) == 3
    assert path.read_bytes().endswith(line("z").encode() + b"\n]\n")


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_the_end_of_a_foreign_array_is_behind_its_last_element(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content.encode())
    there = inspect_output(path)
    assert there is not None
    assert there.elements == json.loads(content)
    assert content.encode()[: there.end].endswith(b"}" if there.elements else b"[")


def test_a_missing_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    assert inspect_output(path) is None
    path.touch()
    assert inspect_output(path) is None
    with opened(path) as output:
        output.append([line("A")])
    assert texts(path.read_bytes()) == ["A"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"hello", "no valid JSON"),
        (b" ", "no valid JSON"),
        (b"\xff\xfe[\x00]\x00", "no valid JSON"),
        (COMPACT.encode()[:-1], "no valid JSON"),
        (COMPACT.encode() * 2, "no valid JSON"),
        (line("A").encode() + b"\n" + line("B").encode(), "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
        (json.dumps(conversation("A")).encode(), "holds no JSON array"),
        (b"null", "holds no JSON array"),
        (b"[1, 2]", "element 1 is no conversation"),
        (json.dumps([conversation("A"), {"messages": []}]).encode(), "element 2 is no conversation"),
        (b'[{"conversations": []}]', "element 1 is no conversation"),
        (b'[{"conversations": "A"}]', "element 1 is no conversation"),
        (b'[{"conversations": [{"role": "user"}]}]', "element 1 is no conversation"),
        (b'[{"conversations": [{"role": "user", "content": 1}]}]', "element 1 is no conversation"),
        (b'[{"conversations": [{"from": "human", "value": "A"}]}]', "element 1 is no conversation"),
        (b"[[]]", "element 1 is no conversation"),
        (b"[null]", "element 1 is no conversation"),
    ],
)
def test_what_is_no_array_of_conversations_is_refused_and_left_as_it_is(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        inspect_output(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")
    assert "name another file with --output" in str(caught.value)
    assert path.read_bytes() == content


@given(st.binary(max_size=60) | st.text(st.sampled_from('[]{},:" \n\r1e')).map(str.encode))
def test_whatever_a_disk_holds_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "disk.json"
    path.write_bytes(content)
    try:
        there = inspect_output(path)
    except StorageError:
        pass
    else:
        assert there is None or json.loads(content) == there.elements
    assert path.read_bytes() == content
    is_json(path)


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the output cannot be read"):
        inspect_output(tmp_path)
    with pytest.raises(StorageError, match="the output cannot be written"):
        OutputFile(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="the output cannot be written"):
        OutputFile(tmp_path / "file" / "data.json")


# What a crash and a full disk leave.


def test_a_write_torn_off_at_any_byte_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with opened(path) as output:
        for number, batch in enumerate([["A"], ["B", "ü"], ["C"]]):
            before, end, count = path.read_bytes(), output.end, output.count
            output.append([line(text) for text in batch])
            after = path.read_bytes()
            for offset in range(len(after) - end + 1):
                written = after[end : end + offset]
                path.write_bytes(before[:end] + written + before[end + offset :])
                with closing(OutputFile(path, end=end, count=count)) as reopened:
                    # Nothing is torn where the bytes that were written are those that stood there before.
                    assert reopened.ends_cleanly() == (path.read_bytes() == before)
                    reopened.truncate()
                    assert path.read_bytes() == before, (number, offset)
                    reopened.append([line(text) for text in batch])
                assert path.read_bytes() == after
            path.write_bytes(after)


def test_a_file_shortened_anywhere_behind_its_end_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with opened(path) as output:
        output.append([line("A")])
        whole = path.read_bytes()
        for length in range(output.end, len(whole)):
            path.write_bytes(whole[:length])
            output.truncate()
            assert path.read_bytes() == whole


def test_what_a_crash_left_out_of_the_count_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with opened(path) as output:
        output.append([line("A"), line("B")])
    with closing(OutputFile(path)) as output:
        assert not output.advance_if_present(line("B"))
        assert output.advance_if_present(line("A"))
        assert not output.ends_cleanly()
        assert output.advance_if_present(line("B"))
        assert not output.advance_if_present(line("C"))
        assert output.ends_cleanly()
        assert output.count == 2


LIFT_THE_LIMIT = "the system permits no larger file here: lift the limit (ulimit -f), then start again"
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from apep_datagen.storage.output import OutputFile, inspect_output
from apep_datagen.core.errors import StorageError

path, line, room = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
there = inspect_output(path)
output = OutputFile(path, end=there.end, count=len(there.elements))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        output.append([line])
    except StorageError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if len(sys.argv) > 4:
    output.append([line])
"""


@pytest.mark.parametrize("name", ["ours", "compact", "empty", "pretty"])
@pytest.mark.parametrize("room", [0, 1, 2, 3, 20])
def test_a_full_disk_is_told_and_leaves_a_valid_array(tmp_path: Path, name: str, room: int) -> None:
    assert hasattr(resource, "RLIMIT_FSIZE")
    assert hasattr(signal, "SIGXFSZ")
    path = tmp_path / "data.json"
    if name == "ours":
        with opened(path) as output:
            output.append([line("A"), line("B")])
    else:
        path.write_text(FOREIGN[name], encoding="utf-8")
    before = json.loads(path.read_bytes())
    command = [sys.executable, "-c", FULL_DISK, str(path), line("C" * 200), str(room)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"{path}: the output cannot be written (File too large); {LIFT_THE_LIMIT}"] * 2
    assert done.stderr == ""
    assert json.loads(path.read_bytes()) == before
    # When there is room again, it goes on.
    subprocess.run([*command, "again"], check=True, capture_output=True)
    assert texts(path.read_bytes())[len(before) :] == ["C" * 200]


def test_what_separates_elements_belongs_to_the_later_one() -> None:
    assert element_bytes("{}", first=True) == b"\n{}"
    assert element_bytes('{"ü": 1}', first=False) == ',\n{"ü": 1}'.encode()
