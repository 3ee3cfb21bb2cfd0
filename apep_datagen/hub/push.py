"""Publishing a dataset: its files are written, compared with what the hub has, and what is new is sent."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import HubError, SettingsError, StorageError
from apep_datagen.export.splits import Splits
from apep_datagen.hub.card import CardFacts, render_card
from apep_datagen.hub.client import Hub, Repository
from apep_datagen.hub.contents import (
    CARD,
    FOLDERS,
    LocalFile,
    changes_between,
    digest_of_data,
    is_of_dataset,
    read_directory,
    read_file,
    stages,
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
    "publish",
    "write_dataset",
]

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
# What the hub itself puts into an empty dataset.
_FILES_OF_HUB = frozenset({".gitattributes"})

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
        card = CardFacts(publication.repository, publication.license, facts, forms.splits, tag, forms.checks)
        (directory / CARD).write_text(render_card(card), encoding="utf-8", newline="\n")
        return Written(facts, {**files, CARD: read_file(directory / CARD)}, tag)
    except OSError as error:
        place = StoredFile(directory, "the directory of the dataset", "name another with --to")
        raise place.refused(error, "written") from error


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


# Publishing it.


def publish(
    publication: Publication,
    *,
    token: str,
    is_public: bool,
    directory: Path | None,
    tell: Callable[[str], None],
) -> None:
    """Put a dataset on the hub, or what is new of it.

    Nothing is changed on the hub before it is known that the dataset there is this run's, or empty, or not there.

    Args:
        publication: What is to be published.
        token: With what the hub is asked.
        is_public: Whether everybody may see it.
        directory: Where its files are written, and stay; None for a place of their own that is removed afterwards.
        tell: Is told what happens, sentence by sentence.

    Raises:
        SettingsError: As for `write_dataset`; or the dataset on the hub is public, and this was not asked for.
        StorageError: As for `write_dataset`.
        HubError: The hub refuses, fails or cannot be reached, or the dataset there is somebody else's.
    """
    name = publication.repository
    facts = facts_of(publication)
    hub = Hub(name, token, facts.version, tell)
    there = hub.look()
    if there is None:
        hub.create(is_private=not is_public)
        tell(f"{name} is made on the hub, {'public' if is_public else 'private'}")
        there = hub.look()
        if there is None:
            raise HubError(f"{name} was made, and the hub does not find it; start again")
    _refuse_somebody_else_s(name, hub, there, facts.identity)
    _compare_visibility(name, there, is_public=is_public, tell=tell)
    with _directory(directory) as place:
        written = write_dataset(publication, facts, place)
        head = _send(name, hub, there, written, tell)
    if written.tag not in there.tags:
        hub.tag(written.tag, head)
        tell(f"Its tag is {written.tag}")


@contextlib.contextmanager
def _directory(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="apep-datagen-") as place:
        yield Path(place)


def _refuse_somebody_else_s(name: str, hub: Hub, there: Repository, identity: str) -> None:
    if there.files.keys() <= _FILES_OF_HUB:
        return
    if MARKER not in there.files:
        raise HubError(
            f"{name} is there already and holds something that apep-datagen did not put there; nothing was changed."
            " Name another dataset"
        )
    marker = parse_marker(hub.read(MARKER, there.head))
    if marker is None or marker.run != identity:
        raise HubError(f"{name} holds the dataset of another run; nothing was changed. Name another dataset")


def _compare_visibility(name: str, there: Repository, *, is_public: bool, tell: Callable[[str], None]) -> None:
    if not there.is_private and not is_public:
        raise SettingsError(
            f"{name} is public: everybody would see what is sent. Add --public if that is meant, or make it private in"
            " its settings on the hub"
        )
    if there.is_private and is_public:
        tell(
            f"{name} is private, and stays so: --public decides only how it is made. Its settings on the hub change it"
        )


def _send(name: str, hub: Hub, there: Repository, written: Written, tell: Callable[[str], None]) -> str:
    """Make the files on the hub those that were written; return the commit in which they are."""
    changes = changes_between(written.files, there.files)
    count = written.facts.stats.file.conversations
    if not changes:
        tell(f"{name}: nothing is new; its {count:,} conversations are on the hub already")
        return there.head
    head = there.head
    size = sum(written.files[path].size for path in changes.written)
    tell(f"{name}: {_count(len(changes.written), 'file')} of {size / 1e6:,.1f} MB in all are sent")
    for number, stage in enumerate(stages(changes), start=1):
        part = "" if number == 1 else f" (part {number})"
        head = hub.commit(stage, written.files, message=f"{count:,} conversations{part}", parent=head)
    tell(f"{name}: {count:,} conversations are on the hub")
    return head


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
