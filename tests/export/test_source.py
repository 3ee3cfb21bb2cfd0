"""What is known of an element of the output: what it says decides, whatever another hand has done with the file."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.export import source as sources
from apep_datagen.export.source import Source, SourceConversation, SourceDigest
from apep_datagen.formats.origin import Origin
from apep_datagen.storage.access import read_only, state_path
from support.outputs import MadeConversation, MadeOutput, chat, of_users


def read(path: Path, after: int = 0, behind: int = 0) -> list[SourceConversation]:
    return read_only(
        state_path(path), lambda connection: list(Source(path, connection, Settings()).conversations(after, behind))
    )


def assert_known_by_what_it_says(output: MadeOutput, found: list[SourceConversation]) -> None:
    """Each is known as a sample that says the same, or is not known."""
    for conversation in found:
        said = parse_messages(conversation.element)
        for number in conversation.origin.conversations:
            with output.database() as connection:
                [(line, user)] = connection.execute(
                    "SELECT line, timeline_id FROM samples JOIN conversations ON conversation_id = id WHERE id = ?",
                    (number,),
                ).fetchall()
            assert parse_messages(line.encode()) == said
            assert conversation.user == user
            assert conversation.origin.user == f"user-{user:05d}"


@pytest.fixture
def output(tmp_path: Path) -> MadeOutput:
    made = MadeOutput(tmp_path / "out.json")
    made.append(of_users(20, 4))
    return made


def test_all_that_the_state_database_knows_is_told(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(99)])
    output.append([MadeConversation(chat(1), user=3, ability="recall", form="newest", by_itself=True)])
    foreign, known = read(output.path)
    assert foreign.origin == Origin(numbers=(1,))
    assert foreign.user is None
    origin = known.origin
    assert (origin.numbers, origin.conversations, origin.user, origin.name) == ((2,), (1,), "user-00003", "Name 3")
    assert (origin.abilities, origin.forms, origin.topics) == (("recall",), ("newest",), ("topic 1",))
    assert origin.days == ("2026-05-04T07:30",)
    assert origin.models == ("endpoint / tester (tester)", "endpoint / large (ada, rewriter)")
    assert (origin.prompt_tokens, origin.completion_tokens, origin.seed) == (300, 30, 1)
    assert origin.stands_by_itself
    assert origin.level == "strict"


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 19), max_size=25),
    st.sampled_from([None, 2, "\t"]),
    st.lists(st.integers(0, 25), max_size=2),
    st.integers(0, 26),
)
def test_rows_that_were_deleted_reordered_doubled_and_added_are_known_by_what_they_say(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    indent: int | str | None,
    added: list[int],
    after: int,
) -> None:
    output = MadeOutput(tmp_path_factory.mktemp("run") / "out.json")
    output.append(of_users(20, 4))
    elements = [json.loads(output.elements[index]) for index in order]
    for place in added:
        elements.insert(place, {"conversations": [{"role": "user", "content": f"elsewhere {place}"}]})
    output.path.write_text(json.dumps(elements, indent=indent, ensure_ascii=bool(added)), encoding="utf-8")
    found = read(output.path)
    assert_known_by_what_it_says(output, found)
    assert [conversation.number for conversation in found] == list(range(1, len(elements) + 1))
    assert sum(conversation.user is not None for conversation in found) == len(order)
    # Read on from any place, the same is known of the rest.
    after = min(after, len(found))
    assert read(output.path, after, found[after - 1].end if after else 0) == found[after:]


def test_reformatted_as_by_jq_all_are_known(output: MadeOutput) -> None:
    before = [conversation.origin for conversation in read(output.path)]
    output.path.write_text(json.dumps(json.loads(output.path.read_text(encoding="utf-8")), indent=2), encoding="utf-8")
    assert [conversation.origin for conversation in read(output.path)] == before


def test_another_output_s_state_database_is_not_asked(output: MadeOutput) -> None:
    with output.database() as connection:
        connection.execute("UPDATE run SET output_name = 'other.json'")
    assert all(conversation.user is not None for conversation in read(output.path))  # it was renamed
    output.path.with_name("other.json").write_text("[]", encoding="utf-8")
    assert all(conversation.user is None for conversation in read(output.path))


@pytest.mark.parametrize("torn", [b',\n{"conversations": [{"ro', b",", b""])
def test_beside_a_run_no_more_is_read_than_is_known_to_be_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bytes
) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(90), chat(91)])
    output.append(of_users(6, 2))
    output.append(of_users(3, 2, first=7), synced=False)
    monkeypatch.setattr(sources, "run_is_active", lambda _: True)
    found = read(output.path)
    assert len(found) == 8
    output.path.write_bytes(output.path.read_bytes()[: found[-1].end] + torn)
    assert read(output.path) == found
    assert read(output.path, 7, found[6].end) == found[7:]
    assert read(output.path, 8, found[7].end) == []


def test_where_a_run_begins_meanwhile_what_there_was_is_read(output: MadeOutput) -> None:
    def read_while_it_grows(tail: bytes) -> list[SourceConversation]:
        content = output.path.read_bytes()

        def query(connection: object) -> list[SourceConversation]:
            source = Source(output.path, connection, Settings())  # type: ignore[arg-type]
            output.path.write_bytes(content.removesuffix(b"\n]\n") + tail)
            try:
                return list(source.conversations())
            finally:
                output.path.write_bytes(content)

        return read_only(state_path(output.path), query)

    before = read(output.path)
    assert read_while_it_grows(b',\n{"conversations": [{"role": "user", "con') == before
    with pytest.raises(StorageError, match="no JSON array"):  # it was torn by another hand
        read_while_it_grows(b",\n")
    assert read(output.path) == before


def test_a_digest_knows_what_was_read_and_where_it_ended(output: MadeOutput) -> None:
    digest = SourceDigest()
    found = list(digest.noting(read(output.path)))
    again = SourceDigest.of(output.path, len(found))
    assert again is not None
    assert (digest.conversations, digest.end) == (20, found[-1].end)
    assert again.hexdigest() == digest.hexdigest()
    content = output.path.read_bytes()
    for place in random.Random(1).sample(range(2, len(content) - 3), 30):  # noqa: S311 - places, no secret
        changed = bytearray(content)
        changed[place] ^= 1
        output.path.write_bytes(changed)
        other = SourceDigest.of(output.path, len(found))
        is_same = other is not None and other.hexdigest() == digest.hexdigest() and other.end == digest.end
        assert not is_same or content[place : place + 1].isspace()
    output.path.write_bytes(content.replace(b"},\n{", b"}, \n{"))
    moved = SourceDigest.of(output.path, len(found))
    assert moved is not None
    assert moved.hexdigest() != digest.hexdigest()
