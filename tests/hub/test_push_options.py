"""What is read of a push's options."""

from __future__ import annotations

from typing import get_args

import pytest

from apep_datagen.chat_templates.known import load_template
from apep_datagen.cli.options import CheckOfPush
from apep_datagen.core.errors import SettingsError
from apep_datagen.hub.publication import TEMPLATES, check_license, check_repository


@pytest.mark.parametrize("name", ["me/talks", "My-Org_1/ada.v2", "a/b"])
def test_a_name_of_the_hub_is_taken(name: str) -> None:
    assert check_repository(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "talks", "/", "a/b/c", "me/", "/talks", "me/..", "me/a--b", "me/talks.git", "me/-x", "me/é", "x/" + "y" * 97],
)
def test_any_other_is_refused_in_one_line_that_names_it(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_repository(name)
    assert str(raised.value).startswith(name)
    assert "\n" not in str(raised.value)


def test_the_help_names_the_chat_templates_that_are_taken_by_default() -> None:
    [option] = get_args(CheckOfPush)[1:]
    assert option.help.endswith(f"[default: {', '.join(TEMPLATES)}]")
    for name in TEMPLATES:
        load_template(name)


def test_a_licence_is_taken_by_its_identifier() -> None:
    assert check_license(" CC-BY-4.0 ") == "cc-by-4.0"
    assert check_license("openrail++") == "openrail++"
    for text in ("", "GPL v3", "https://example.com", "a: b", "x\ny"):
        with pytest.raises(SettingsError, match="--license"):
            check_license(text)
