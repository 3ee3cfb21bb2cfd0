"""Conversations of one user together: in order, in series that follow from the seed, and in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.export.joining import conversations_by_user, joined, series_of
from apep_datagen.export.source import Source, SourceConversation
from apep_datagen.formats.origin import Origin
from apep_datagen.storage.access import read_only, state_path
from support.outputs import MadeConversation, MadeOutput, chat, of_users


def by_user(path: Path) -> list[list[SourceConversation]]:
    def query(connection: object) -> list[list[SourceConversation]]:
        source = Source(path, connection, Settings())  # type: ignore[arg-type]
        return list(conversations_by_user(source.conversations(), source))

    return read_only(state_path(path), query)


def test_each_user_comes_once_in_the_order_of_their_days_and_who_is_not_known_comes_last(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(90), chat(91)])
    output.append(of_users(12, 3))
    output.elements.reverse()
    output._write_file()
    users = by_user(output.path)
    assert [user[0].user for user in users] == [1, 2, 3, None, None]
    assert [len(user) for user in users] == [4, 4, 4, 1, 1]
    for user in users:
        numbers = [conversation.origin.conversations for conversation in user]
        assert numbers == sorted(numbers)
    content = output.path.read_bytes()
    for conversation in (conversation for user in users for conversation in user):
        assert content[: conversation.end].endswith(conversation.element)


def test_those_whom_nobody_knows_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(number) for number in range(50)])
    source = Source(output.path, None, Settings())
    users = conversations_by_user(source.conversations(), source)
    first = next(users)
    monkeypatch.setattr("apep_datagen.export.joining._read_again", None)
    assert len(first) == 1
    with pytest.raises(TypeError):  # the next one was not read yet
        next(users)


def test_a_file_that_is_changed_between_two_readings_is_told(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json", [chat(1), chat(2)])
    source = Source(output.path, None, Settings())

    def changed() -> Iterator[SourceConversation]:
        yield from source.conversations()
        output.path.write_bytes(output.path.read_bytes().replace(b"said 2", b"SAID 2"))

    with pytest.raises(StorageError, match="changed while it was read"):
        list(conversations_by_user(changed(), source))


def _of_user(by_itself: list[bool], user: int = 1) -> list[SourceConversation]:
    return [
        SourceConversation(number, b"", number, Origin(numbers=(number,), stands_by_itself=alone), user)
        for number, alone in enumerate(by_itself, start=1)
    ]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 5), st.integers(0, 4), st.integers())
def test_series_have_all_in_order_in_lengths_that_were_asked_for(
    by_itself: list[bool], least: int, more: int, seed: int
) -> None:
    found = list(series_of(_of_user(by_itself), least, least + more, seed))
    in_timeline = [conversation.number for series in found for conversation in series]
    assert sorted(in_timeline) == list(range(1, len(by_itself) + 1))
    together = [series for series in found if not series[0].origin.stands_by_itself]
    assert all(series == sorted(series, key=lambda each: each.number) for series in found)
    assert [each.number for series in together for each in series] == [
        number for number, alone in enumerate(by_itself, start=1) if not alone
    ]
    assert all(len(series) == 1 for series in found if series[0].origin.stands_by_itself)
    assert all(least <= len(series) <= least + more for series in together[:-1])
    assert all(len(series) <= least + more for series in together)


@given(st.integers(1, 20), st.integers(1, 10), st.integers())
def test_series_stay_what_they_are_when_the_user_comes_back(count: int, more: int, seed: int) -> None:
    before = list(series_of(_of_user([False] * count), 2, 4, seed))
    after = list(series_of(_of_user([False] * (count + more)), 2, 4, seed))
    assert after[: len(before) - 1] == before[:-1]


def test_another_seed_or_user_has_other_lengths() -> None:
    def lengths(seed: int, user: int) -> list[int]:
        return [len(series) for series in series_of(_of_user([False] * 200, user), 2, 6, seed)]

    assert lengths(1, 1) == lengths(1, 1)
    assert len({tuple(lengths(seed, user)) for seed in range(3) for user in range(3)}) == 9
    assert set(lengths(1, 1)[:-1]) == {2, 3, 4, 5, 6}


def test_a_joined_row_has_one_system_prompt_and_tells_the_days() -> None:
    part = (Message("system", "You are Ada."), Message("user", "Hi"), Message("assistant", "Hello"))
    days = ("2025-06-27T17:34", "2025-06-28T08:00")
    whole = joined([part, part], days, as_session=False)
    assert [message.role for message in whole] == ["system", "user", "assistant", "user", "assistant"]
    assert whole[0].content.startswith("You are Ada.\n\nWhere a message begins with a day")
    assert whole[1].content == "Hi"
    assert whole[3].content == "[Saturday, 2025-06-28, 08:00 (morning)]\n\nHi"
    assert joined([part], days[:1], as_session=False) == part
    assert joined([part, part], days, as_session=True) == part + part


def test_what_stands_by_itself_is_joined_with_nothing(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append([*of_users(3, 1), MadeConversation(chat(4), by_itself=True), *of_users(2, 1, first=5)])
    (user,) = by_user(output.path)
    assert [[each.number for each in series] for series in series_of(user, 9, 9, 7)] == [[4], [1, 2, 3, 5, 6]]
