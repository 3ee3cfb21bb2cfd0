"""The card: what it tells is what is known, the same for the same facts, and nothing of this machine."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from apep_datagen.chat_templates.tally import CheckTally
from apep_datagen.config.settings import QualitySettings, Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message, ModelRole
from apep_datagen.core.sample_json import sample_line
from apep_datagen.export.splits import WHOLE
from apep_datagen.hub.card import CardFacts, render_card, size_category
from apep_datagen.hub.facts import DatasetFacts, read_facts
from apep_datagen.hub.forms import Split
from apep_datagen.hub.publication import Publication, write_dataset
from apep_datagen.storage.access import state_path
from support.outputs import chat
from support.real_state import write_real_state

_STRICT = {"strict": 120}
_SPLITS = (Split("train", 90, 20, 3_000_000), Split("validation", 10, 3, 300_000), Split("test", 0, 0, 0))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real_state(tmp_path_factory.mktemp("run"), count=120)


@pytest.fixture(scope="module")
def facts(output: Path) -> DatasetFacts:
    return read_facts(output, Settings().scenarios.shares)


def _card(facts: DatasetFacts, levels: Mapping[str, int] = _STRICT) -> str:
    checks = [CheckTally("chatml", rows=100)]
    return render_card(CardFacts("me/talks", "mit", facts, levels, _SPLITS, "a-tag", checks))


def _with_run(facts: DatasetFacts, **changed: Any) -> DatasetFacts:
    assert facts.stats.run is not None
    run = dataclasses.replace(facts.stats.run, **changed)
    return dataclasses.replace(facts, stats=dataclasses.replace(facts.stats, run=run))


def test_the_same_facts_give_the_same_card_without_a_path_of_this_machine(output: Path, facts: DatasetFacts) -> None:
    assert _card(facts) == _card(read_facts(output, Settings().scenarios.shares))
    assert str(output.parent) not in _card(facts)


def test_the_metadata_names_the_splits_that_have_rows(facts: DatasetFacts) -> None:
    data = yaml.safe_load(_card(facts).split("---\n")[1])
    assert [config["config_name"] for config in data["configs"]] == ["default", "traces"]
    for config, folder in zip(data["configs"], ("parquet", "traces"), strict=True):
        assert config["data_files"] == [
            {"split": split, "path": f"{folder}/{split}-*.parquet"} for split in ("train", "validation")
        ]
    assert data["size_categories"] == ["n<1K"]
    assert data["language"] == ["en"]


def test_the_text_tells_what_is_known(facts: DatasetFacts) -> None:
    card, run = _card(facts), facts.run
    assert run is not None
    assert facts.stats.run is not None
    for text in (
        f"{facts.stats.file.conversations:,} conversations",
        'load_dataset("me/talks", revision="a-tag")',
        "| `validation` | 10 | 3 | 0.3 MB |",
        "No user is in two splits.",
        "| oracle | oracle | ada |",
        f"`{run.identity}`, seed 2026",
        run.prompts[0].digest[:16],
        "2026-11-18",
        "| `recall` |",
        "| chatml | 0 of 100 |",
        "apep-datagen 0.",
        "Models wrote it.",
    ):
        assert text in card, text
    for name in (item.ability.value for item in facts.stats.run.abilities if item.count):
        assert f"| `{name}` |" in card


def test_a_model_that_is_a_file_is_told_without_where_it_was(output: Path, tmp_path: Path) -> None:
    for name in (output.name, state_path(output).name):
        shutil.copy(output.with_name(name), tmp_path)
    with sqlite3.connect(tmp_path / state_path(output).name) as connection:
        connection.execute("UPDATE steps SET model = '/home/uncanny/models/own.gguf'")
    connection.close()
    card = _card(read_facts(tmp_path / output.name, Settings().scenarios.shares))
    assert "own.gguf" in card
    assert "uncanny" not in card


def test_of_conversations_that_were_there_before_it_does_not_say_who_wrote_them(facts: DatasetFacts) -> None:
    card = _card(_with_run(facts, foreign=7))
    assert "No person's conversation is in it" in _card(facts)
    assert "No person's conversation is in it" not in card
    assert "Nothing is known of 7 conversations" in card
    assert "**Not recorded** is of 7 conversations who wrote them" in card
    assert "simulated" in _card(facts)
    assert "simulated" not in card
    assert "Not recorded" not in _card(facts)


@pytest.mark.parametrize(
    ("levels", "told", "untold"),
    [
        (
            {"strict": 120},
            ("`strict`, 120 conversations: code judged each", "- `novelty`:", "**Judged by code, not by people.**"),
            ("`off`,", "**Not judged**"),
        ),
        (
            {"off": 120},
            ("`off`, 120 conversations: not judged", "**Not judged** is what 120 conversations say"),
            ("code judged", "- `form`:", "- `novelty`:", "Judged by code"),
        ),
        (
            {"form": 20},
            ("at the stage `form` alone", "- `form`:", "**Not judged** is what 20 conversations say"),
            ("- `execution`:", "at every stage", "Judged by code"),
        ),
        (
            {"off": 1, "form": 2, "strict": 117},
            ("`off`, 1 conversations", "`form`, 2 conversations", "- `voice`:", "Judged by code", "what 3 conv"),
            (),
        ),
    ],
    ids=str,
)
def test_it_tells_of_the_judging_that_took_place_alone(
    facts: DatasetFacts, levels: Mapping[str, int], told: tuple[str, ...], untold: tuple[str, ...]
) -> None:
    card = _card(facts, levels)
    for text in told:
        assert text in card, text
    for text in untold:
        assert text not in card, text


def test_how_it_was_judged_is_what_the_rows_tell(output: Path, facts: DatasetFacts, tmp_path: Path) -> None:
    settings = Settings(quality=QualitySettings(level="off"))
    publication = Publication(output, settings, "me/talks", "mit", WHOLE)
    write_dataset(publication, facts, tmp_path / "there")
    card = (tmp_path / "there" / "README.md").read_text(encoding="utf-8")
    assert facts.stats.run is not None
    assert f"`off`, {facts.stats.run.accepted} conversations: not judged" in card
    assert "code judged" not in card


def test_a_result_without_its_tags_is_left_out_and_all_else_is_published(tmp_path: Path) -> None:
    bare = (
        Message("user", "Do you know me?"),
        Message("assistant", "<tool_call>recall_memories()</tool_call>"),
        Message("tool", '{"memories": []}'),
        Message("assistant", "Not yet."),
    )
    from pyarrow.parquet import read_table

    path = tmp_path / "out.json"
    path.write_text(f'[{sample_line(bare)}, {{"id": 1}}, {sample_line(chat(1))}]', encoding="utf-8")
    publication = Publication(path, Settings(), "me/talks", "mit", WHOLE)
    write_dataset(publication, read_facts(path, Settings().scenarios.shares), tmp_path / "there")
    rows = read_table(tmp_path / "there" / "parquet" / "train-00000.parquet").to_pylist()
    assert [row["messages"] for row in rows] == [[message.as_dict() for message in chat(1)]]


def test_thoughts_are_called_written_anew_where_a_model_did_so(facts: DatasetFacts) -> None:
    assert facts.stats.run is not None
    makers = [maker for maker in facts.stats.run.makers if maker.role != ModelRole.REWRITER]
    rewriter = dataclasses.replace(makers[0], role=ModelRole.REWRITER)
    assert "wrote her thoughts anew" not in _card(_with_run(facts, makers=tuple(makers)))
    assert "wrote her thoughts anew" in _card(_with_run(facts, makers=(*makers, rewriter)))


def test_of_what_was_imported_alone_it_claims_nothing(output: Path, facts: DatasetFacts, tmp_path: Path) -> None:
    shutil.copy(output, tmp_path / "imported.json")
    without_state = read_facts(tmp_path / "imported.json", Settings().scenarios.shares)
    # Or with the database of a run that has made none of it.
    for of_others in (without_state, _with_run(facts, accepted=0, foreign=104)):
        card = _card(of_others, {})
        assert "is not recorded beside this dataset" in card
        assert "**Not recorded** is of all conversations who wrote them" in card
        for claim in (
            "drew who they are",
            "were executed",
            "ode judged",
            "Judged by code",
            "Models wrote",
            "simulated",
        ):
            assert claim not in card, claim


def test_a_run_is_the_same_when_it_has_gone_on_and_no_other(output: Path, facts: DatasetFacts, tmp_path: Path) -> None:
    shares = Settings().scenarios.shares
    earlier = read_facts(write_real_state(tmp_path, count=30), shares)
    assert earlier.identity == facts.identity
    with sqlite3.connect(state_path(tmp_path / output.name)) as connection:
        connection.execute("UPDATE conversations SET started_at = started_at + 0.001")
    connection.close()
    assert read_facts(tmp_path / output.name, shares).identity != facts.identity


def test_without_a_state_database_a_file_is_known_by_its_first_conversation(output: Path, tmp_path: Path) -> None:
    shares = Settings().scenarios.shares
    copy = tmp_path / "copy.json"
    elements = json.loads(output.read_text(encoding="utf-8"))
    identities = []
    for part in (elements[:3], elements, elements[1:]):
        copy.write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
        identities.append(read_facts(copy, shares).identity)
    assert identities[0] == identities[1] != identities[2]


def test_a_state_database_that_is_another_dataset_s_is_refused(output: Path, tmp_path: Path) -> None:
    for name in (output.name, state_path(output).name):
        shutil.copy(output.with_name(name), tmp_path)
    other = tmp_path / "other.json"
    shutil.copy(output, other)
    shutil.copy(state_path(output), state_path(other))
    with pytest.raises(StorageError, match="belongs to"):
        read_facts(other, Settings().scenarios.shares)


def test_a_card_that_would_tell_of_other_rows_is_not_written(output: Path, facts: DatasetFacts, tmp_path: Path) -> None:
    publication = Publication(output, Settings(), "me/talks", "mit", WHOLE)
    more = dataclasses.replace(facts.stats.file, conversations=facts.stats.file.conversations - 1)
    earlier = dataclasses.replace(facts, stats=dataclasses.replace(facts.stats, file=more))
    with pytest.raises(StorageError, match="changed while it was read"):
        write_dataset(publication, earlier, tmp_path / "there")
    assert not (tmp_path / "there" / "README.md").exists()
    assert "README.md" in write_dataset(publication, facts, tmp_path / "there").files


def test_a_size_is_called_as_the_hub_calls_it() -> None:
    assert [size_category(rows) for rows in (0, 999, 1000, 99_999, 1_000_000, 50_000_000)] == [
        "n<1K",
        "n<1K",
        "1K<n<10K",
        "10K<n<100K",
        "1M<n<10M",
        "10M<n<100M",
    ]
