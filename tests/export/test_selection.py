"""What `--include` and `--exclude` take: by key, any of the values; of whom nobody knows, none."""

from __future__ import annotations

import pytest

from apep_datagen.core.errors import SettingsError
from apep_datagen.export.selection import parse_selection
from apep_datagen.formats.origin import Origin

_RECALL = Origin(abilities=("recall",), forms=("newest",), provider="together")
_UNKNOWN = Origin()


@pytest.mark.parametrize(
    ("include", "exclude", "takes", "takes_unknown"),
    [
        ((), (), True, True),
        (("ability=recall",), (), True, False),
        (("ability=share, recall",), (), True, False),
        (("ability=share", "ability=recall"), (), True, False),
        (("ability=share",), (), False, False),
        (("ability=recall", "provider=mistral"), (), False, False),
        (("ability=recall", "provider=together"), (), True, False),
        ((), ("ability=recall",), False, True),
        ((), ("form=newest", "ability=share"), False, True),
        ((), ("provider=mistral",), True, True),
        (("ability=recall",), ("provider=together",), False, False),
        (("tokens=1-2",), (), True, True),  # rows are chosen by that, not conversations
    ],
)
def test_conversations_are_chosen(
    include: tuple[str, ...], exclude: tuple[str, ...], *, takes: bool, takes_unknown: bool
) -> None:
    selection = parse_selection(include, exclude)
    assert selection.takes(_RECALL) is takes
    assert selection.takes(_UNKNOWN) is takes_unknown


@pytest.mark.parametrize(
    ("include", "exclude", "taken"),
    [
        ((), (), {0, 1, 5, 9, 10**9}),
        (("tokens=1-5",), (), {1, 5}),
        (("tokens=5-",), (), {5, 9, 10**9}),
        (("tokens=-1, 9-9",), (), {0, 1, 9}),
        ((), ("tokens=2-",), {0, 1}),
        (("tokens=1-9",), ("tokens=4-6",), {1, 9}),
    ],
)
def test_rows_are_chosen_by_their_tokens(include: tuple[str, ...], exclude: tuple[str, ...], taken: set[int]) -> None:
    selection = parse_selection(include, exclude)
    assert {tokens for tokens in (0, 1, 5, 9, 10**9) if selection.takes_tokens(tokens)} == taken
    assert selection.counts_tokens is bool(include or exclude)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ability",
        "ability=",
        "=recall",
        "ability=,",
        "ability=juggle",
        "user=3",
        "form=what",
        "tokens=5",
        "tokens=9-1",
        "tokens=-",
    ],
)
def test_what_is_no_choice_is_refused_by_both(text: str) -> None:
    for arguments, option in ((([text], []), "--include"), (([], [text]), "--exclude")):
        with pytest.raises(SettingsError, match=option):
            parse_selection(*arguments)
