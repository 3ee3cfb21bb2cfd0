"""The conversations that the documentation shows are those of `docs/sample.json`, word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from apep_datagen.config.settings import Settings
from apep_datagen.core.messages import Message
from apep_datagen.export.exporting import export
from apep_datagen.export.plan import Plan, Target
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.wish import Wish, shape_of
from apep_datagen.quality.sample import Sample, read_sample
from support.paths import REPOSITORY

CONVERSATIONS = json.loads((REPOSITORY / "docs" / "sample.json").read_text(encoding="utf-8"))
SPEAKERS = {"User", "Ada thinks", "Ada"}


def spoken_in(page: str) -> list[str]:
    """Return what is spoken in the conversations of a page, each text in one line."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    said = []
    for block in re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        parts = re.split(r"^(User|Ada thinks|Ada|Results)\n", block, flags=re.MULTILINE)
        for speaker, part in zip(parts[1::2], parts[2::2], strict=True):
            if speaker in SPEAKERS:
                said.append(" ".join(line for line in part.split("\n") if not line.startswith("  →")))
    return [" ".join(part.split()) for part in said if part.strip()]


@pytest.mark.parametrize("page", ["README.md", "docs/quality.md"])
def test_what_a_page_shows_is_in_the_sample(page: str) -> None:
    there = " ".join(" ".join(message["content"] for message in one["conversations"]) for one in CONVERSATIONS)
    there = " ".join(there.split())
    said = spoken_in(page)
    assert said
    assert [part for part in said if part not in there] == []


def test_each_conversation_of_the_sample_is_a_whole_one() -> None:
    assert len(CONVERSATIONS) == 30
    for one in CONVERSATIONS:
        messages = [Message(**message) for message in one["conversations"]]
        assert isinstance(read_sample(messages), Sample)


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_is_exported_whole_in_every_form_and_way_of_calling(name: str, tmp_path: Path) -> None:
    """Its prompts are those of an earlier version, and no state database says so."""
    for calls in FORMATS[name].calls:
        plan = Plan((Target(name, shape_of(name, Wish(calls=calls))),))
        exported = export(REPOSITORY / "docs" / "sample.json", plan, tmp_path / calls, Settings())
        (target,) = exported.targets
        assert target.made.tally.conversations == 30
        assert not target.made.tally.left_out
        assert exported.exit_status == 0
