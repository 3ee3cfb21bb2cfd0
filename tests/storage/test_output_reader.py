"""Reading an output: each element, whatever the layout, in pieces, in several processes, and where it is torn."""

from __future__ import annotations

import json
import os
import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.storage import output_reader as reading
from apep_datagen.storage.output import OutputFile
from apep_datagen.storage.output_reader import map_chunks, read_element_at, read_elements, read_lines

# Texts made of what could be taken for structure, and of anything.
texts = st.text(st.sampled_from('"\\[]{},:\n ü')) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
conversations = st.builds(
    lambda contents: {"conversations": [{"role": "user", "content": content} for content in contents]},
    st.lists(texts, min_size=1, max_size=3),
)
arrays = st.lists(conversations | values, max_size=6)


def ours(elements: list[Any]) -> bytes:
    lines = [json.dumps(element, ensure_ascii=False) for element in elements]
    return ("[" + ",".join("\n" + line for line in lines) + "\n]\n").encode(errors="surrogatepass")


LAYOUTS: dict[str, Callable[[list[Any]], bytes]] = {
    "one a line": ours,
    "one line": lambda elements: json.dumps(elements).encode(),
    "compact": lambda elements: json.dumps(elements, separators=(",", ":")).encode(),
    "pretty-printed": lambda elements: json.dumps(elements, indent=2).encode(),
    "tabs and carriage returns": lambda elements: b"\r\n\t" + json.dumps(elements, indent="\t").encode() + b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def place() -> Any:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "output.json"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block", [1, 7, 1 << 18])
@given(elements=arrays)
def test_the_elements_are_those_of_the_array_in_any_layout(
    layout: str, block: int, elements: list[Any], place: Path
) -> None:
    content = LAYOUTS[layout](elements)
    try:
        expected = json.loads(content.decode())
    except UnicodeDecodeError:
        return  # surrogates, which only escapes can spell
    place.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BLOCK", block)
        assert [json.loads(line) for line in read_lines(place)] == expected
        for offset, element in read_elements(place):
            assert content[offset : offset + len(element)] == element
            assert read_element_at(place, offset) == element


def test_what_the_program_appends_to_a_foreign_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    foreign = b'[\n  {"conversations": [{"role": "user",\n "content": "[Hi\\""}]}, {"a": {"b": []}}'
    path.write_bytes(foreign + b"\n ]")
    output = OutputFile(path, end=len(foreign), count=2)
    output.append(['{"conversations": []}', '{"conversations": [1]}'])
    output.close()
    assert [json.loads(line) for line in read_lines(path)] == json.loads(path.read_bytes())


def split_or_refused(path: Path) -> list[bytes] | None:
    try:
        return list(read_lines(path))
    except StorageError:
        return None


@given(elements=arrays, data=st.data())
def test_a_file_that_is_damaged_is_refused_or_one_of_its_elements_is_no_json(
    elements: list[Any], data: st.DataObject, place: Path
) -> None:
    content = bytearray(json.dumps(elements, indent=data.draw(st.sampled_from([None, 1]))).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.sampled_from([b"", b'"', b"[", b"]", b"{", b"}", b",", b"x", b"\\", b"\xff"]))
    content[at : at + data.draw(st.integers(0, 2))] = damage
    place.write_bytes(content)
    try:
        expected = json.loads(content.decode())
    except ValueError:
        expected = None
    lines = split_or_refused(place)
    if expected is None or not isinstance(expected, list):
        assert lines is None or any(not is_json(line) for line in lines)
    else:
        assert lines is not None
        assert [json.loads(line) for line in lines] == expected


def is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode())
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "does not begin with ["),
        (b'{"conversations": []}', "does not begin with [ at byte 0; `apep-datagen import` takes"),
        (b" \n", "the next one mends its end"),
        (b'[\n{"a": 1},\n{"b": "to', "in the middle"),
        (b'[\n{"a": 1},', "ends before the array"),
        (b'[\n{"a": 1}', "ends before the array"),
        (b'[{"a": 1},]', "an element is missing"),
        (b'[{"a": 1}{"a": 2}]', "a comma is missing"),
        (b'[{"a": 1}]]', "something behind"),
    ],
)
def test_what_is_no_array_is_told_with_the_file_and_the_place(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=told.replace("[", r"\[")) as raised:
        list(read_lines(path))
    assert str(path) in str(raised.value)


def test_a_torn_file_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(b'[\n{"a": 1},\n{"b": 2},\n{"c": "to')
    lines = read_lines(path)
    assert [next(lines), next(lines)] == [b'{"a": 1}', b'{"b": 2}']
    assert list(map_chunks(path, collected, limit=2)) == [(1, [b'{"a": 1}', b'{"b": 2}'], os.getpid())]


def test_a_file_that_is_not_there_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        with pytest.raises(StorageError, match=str(path)):
            list(read_lines(path))


def test_an_element_that_changed_meanwhile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(b'[{"a": 1}]')
    for offset in (9, 100):
        with pytest.raises(StorageError, match="changed"):
            read_element_at(path, offset)
    path.write_bytes(b'[{"a": "to')
    with pytest.raises(StorageError, match="changed"):
        read_element_at(path, 1)


def collected(number: int, elements: list[bytes]) -> tuple[int, list[bytes], int]:
    return number, elements, os.getpid()


@pytest.mark.parametrize(("count", "processes"), [(0, 0), (1, 0), (400, 0), (3_000, 2)])
def test_chunks_come_in_order_and_large_files_are_shared_out(tmp_path: Path, count: int, processes: int) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(ours([{"number": number} for number in range(count)]))
    offsets = array("q")
    chunks = list(map_chunks(path, collected, offsets=offsets))
    elements = [element for _, chunk, _ in chunks for element in chunk]
    assert [json.loads(element)["number"] for element in elements] == list(range(count))
    assert [first for first, _, _ in chunks] == [json.loads(chunk[0])["number"] + 1 for _, chunk, _ in chunks]
    assert [read_element_at(path, offset) for offset in offsets] == elements
    workers = {process for _, _, process in chunks} - {os.getpid()}
    assert len(workers) <= processes
    assert bool(workers) == bool(processes)


def test_chunks_of_long_elements_are_short(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(ours(["x" * 600_000] * 3))
    assert [(number, len(elements)) for number, elements, _ in map_chunks(path, collected)] == [(1, 2), (3, 1)]


def test_messages_of_a_conversation_and_of_what_is_none() -> None:
    assert parse_messages(b'{"conversations": [{"role": "user", "content": "\xc3\xbc"}], "more": 1}') == (
        Message("user", "ü"),
    )
    for element in (
        b"{",
        b"[]",
        b"\xff",
        b'{"conversations": []}',
        b'{"conversations": [1]}',
        b'{"conversations": [{"role": "user", "content": 1}]}',
        b'{"conversations": [{"role": "user"}]}',
        b"[" * 100_000,
    ):
        assert parse_messages(element) is None
