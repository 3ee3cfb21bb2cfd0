"""What is to be published: what the options say, and its files as they are to be on the hub."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.export.splits import Splits
from apep_datagen.hub.card import CardFacts, render_card
from apep_datagen.hub.contents import (
    CARD,
    FOLDERS,
    LocalFile,
    digest_of_data,
    is_of_dataset,
    read_directory,
    read_file,
)
from apep_datagen.hub.facts import DatasetFacts, read_facts
from apep_datagen.hub.forms import write_forms
from apep_datagen.hub.marker import MARKER, Marker, parse_marker, render_marker
from apep_datagen.storage.access import run_is_active, state_path
from apep_datagen.storage.faults import StoredFile

__all__ = [
    "TEMPLATES",
    "Publication",
    "Written",
    "check_license",
    "check_repository",
    "facts_of",
    "write_dataset",
]

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")

TEMPLATES = ("qwen3", "qwen3_training", "qwen2_5", "llama3_1", "gemma3", "gemma4", "chatml")
"""The chat templates that rows are checked with where none are named: of models that are trained most."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published.

    Attributes:
        output: The dataset.
        settings: The configuration: the wished shares of the abilities, and how strictly conversations were judged.
        repository: The dataset's name on the hub, as `owner/name`.
        license: The identifier of its licence.
        splits: Its parts.
        templates: The chat templates that its rows are checked with.
    """

    output: Path
    settings: Settings
    repository: str
    license: str
    splits: Splits
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset as it is to be on the hub.

    Attributes:
        facts: What is known of it.
        files: Its files, by name.
        tag: The name of this state of it: the same for the same rows and sessions of a run.
    """

    facts: DatasetFacts
    files: Mapping[str, LocalFile]
    tag: str


# What the options say.


def check_repository(name: str) -> str:
    """Return the name of a dataset, as `owner/name`.

    Raises:
        SettingsError: The hub takes no such name.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    if name.count("/") != 1:
        raise SettingsError(f"{name}: write OWNER/NAME, e.g. your-name/ada-conversations")
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise SettingsError(
            f"{name} is no name that the Hugging Face hub takes ({' '.join(str(error).split())}); write OWNER/NAME"
        ) from error
    return name


def check_license(name: str) -> str:
    """Return the identifier of a licence.

    Raises:
        SettingsError: It cannot be one. Which ones there are, the hub says when the card is sent.
    """
    license_name = name.strip().lower()
    if not _LICENSE.fullmatch(license_name):
        raise SettingsError(
            f"--license {name}: write its identifier, such as cc-by-4.0 or apache-2.0; they are listed at"
            " https://huggingface.co/docs/hub/repositories-licenses"
        )
    return license_name


# Writing it.


def facts_of(publication: Publication) -> DatasetFacts:
    """Find out what is to be told of a dataset, to which nobody is adding.

    Raises:
        StorageError: It cannot be read, or a run works on it: the card would tell of other rows than there are.
    """
    if run_is_active(state_path(publication.output)):
        raise StorageError(
            f"{publication.output}: a run is working on it, so its card could not tell of all that there is. Publish"
            " when the run has ended, or stop the run: it goes on from where it was"
        )
    return read_facts(publication.output, publication.settings.scenarios.shares)


def write_dataset(publication: Publication, facts: DatasetFacts, directory: Path) -> Written:
    """Write all files of a dataset, as they are to be on the hub, into a directory, which is made.

    Args:
        publication: What is to be published.
        facts: What is known of it.
        directory: Where its files are written.

    Raises:
        SettingsError: The directory holds something else.
        StorageError: The dataset cannot be read, or has changed since the facts were read; or a file cannot be written.
    """
    count = facts.stats.file.conversations
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(directory, facts.identity)
        marker = Marker(facts.identity, count, facts.version)
        # First: what is written from here on is known to be ours, also when it ends in the middle.
        (directory / MARKER).write_text(render_marker(marker), encoding="utf-8", newline="\n")
        forms = write_forms(
            publication.output,
            directory,
            publication.settings,
            splits=publication.splits,
            templates=publication.templates,
        )
        if forms.elements != count + facts.stats.file.others:
            raise StorageError(f"{publication.output}: the output was changed while it was read; start again")
        files = read_directory(directory)
        tag = _tag(facts, digest_of_data(files))
        levels = _levels(facts, publication.settings)
        card = CardFacts(publication.repository, publication.license, facts, levels, forms.splits, tag, forms.checks)
        (directory / CARD).write_text(render_card(card), encoding="utf-8", newline="\n")
        return Written(facts, {**files, CARD: read_file(directory / CARD)}, tag)
    except OSError as error:
        place = StoredFile(directory, "the directory of the dataset", "name another with --to")
        raise place.refused(error, "written") from error


def _levels(facts: DatasetFacts, settings: Settings) -> Counter[str]:
    """Return how many conversations of the run were judged at each level, as the column `level` tells it."""
    levels: Counter[str] = Counter()
    for provider, conversations in facts.run.providers.items() if facts.run else ():
        levels[settings.level_of(provider)] += conversations
    return levels


def _refuse_foreign(directory: Path, identity: str) -> None:
    """Refuse a directory that holds another dataset, or what would be lost where its folders are written anew."""
    if not any(directory.iterdir()):
        return
    marker = parse_marker((directory / MARKER).read_bytes()) if (directory / MARKER).is_file() else None
    others = [
        path
        for folder in FOLDERS
        for path in (directory / folder).rglob("*")
        if path.is_file() and not is_of_dataset(path.relative_to(directory).as_posix())
    ]
    if marker is None or marker.run != identity or others:
        what = f"such as {others[0]}" if others else "as it has no apep-datagen.json of this run"
        raise SettingsError(
            f"--to {directory}: it holds something else than this dataset, {what}; name an empty directory"
        )


def _tag(facts: DatasetFacts, digest: str) -> str:
    seed = "" if facts.run is None else f"seed-{facts.run.seed}-"
    return f"{seed}conversations-{facts.stats.file.conversations}-{digest}"
