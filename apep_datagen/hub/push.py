"""Publishing a dataset: its files are written, compared with what the hub has, and what is new is sent."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.errors import HubError, SettingsError, StorageError
from apep_datagen.hub.card import CardFacts, Split, render_card
from apep_datagen.hub.client import Hub, Repository
from apep_datagen.hub.contents import (
    CARD,
    LocalFile,
    changes_between,
    digest_of_data,
    read_directory,
    stages,
)
from apep_datagen.hub.facts import DatasetFacts, read_facts
from apep_datagen.hub.marker import MARKER, Marker, parse_marker, render_marker
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.access import run_is_active, state_path
from apep_datagen.storage.faults import StoredFile

__all__ = ["Publication", "Written", "check_license", "check_repository", "publish", "write_dataset"]

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
# What the hub itself puts into an empty dataset.
_FILES_OF_HUB = frozenset({".gitattributes"})

WriteForms = Callable[[Path, Path], tuple[Sequence[Split], Sequence[str]]]
"""Writes the forms of an output into a directory; returns the splits, and what chat templates keep, in lines."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published.

    Attributes:
        output: The dataset.
        mix: The wished shares of the abilities.
        repository: The dataset's name on the hub, as `owner/name`.
        license: The identifier of its licence.
        write_forms: Writes its rows and sessions.
    """

    output: Path
    mix: Mapping[Ability, float]
    repository: str
    license: str
    write_forms: WriteForms


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
    from huggingface_hub.utils import validate_repo_id

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


def write_dataset(publication: Publication, directory: Path) -> Written:
    """Write all files of a dataset, as they are to be on the hub, into a directory, which is made.

    Raises:
        SettingsError: The directory holds something else.
        StorageError: The dataset cannot be read, a run works on it, or a file cannot be written.
    """
    facts = _read_quiet(publication)
    place = StoredFile(directory, "the directory of the dataset", "name another with --to")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(directory, facts.identity)
        marker = Marker(facts.identity, facts.stats.file.conversations, facts.version)
        # First: what is written from here on is known to be ours, also when it ends in the middle.
        (directory / MARKER).write_text(render_marker(marker), encoding="utf-8", newline="\n")
        splits, checks = publication.write_forms(publication.output, directory)
        tag = _tag(facts, digest_of_data(read_directory(directory)))
        card = render_card(CardFacts(publication.repository, publication.license, facts, splits, tag, checks))
        (directory / CARD).write_text(card, encoding="utf-8", newline="\n")
        return Written(facts, read_directory(directory), tag)
    except OSError as error:
        raise place.refused(error, "written") from error


def _read_quiet(publication: Publication) -> DatasetFacts:
    """Read the facts of a dataset that nobody is adding to: they are to be those of the rows."""
    if run_is_active(state_path(publication.output)):
        raise StorageError(
            f"{publication.output}: a run is working on it; its card would tell of other rows than there are. Publish it"
            " when the run has ended, or stop the run: it goes on from where it was"
        )
    return read_facts(publication.output, publication.mix)


def _refuse_foreign(directory: Path, identity: str) -> None:
    names = {path.name for path in directory.iterdir()}
    if not names:
        return
    marker = parse_marker((directory / MARKER).read_bytes()) if MARKER in names else None
    if marker is None or marker.run != identity:
        raise SettingsError(f"--to {directory}: it holds something else than this dataset; name an empty directory")


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
    version: str,
    tell: Callable[[str], None],
) -> None:
    """Put a dataset on the hub, or what is new of it.

    Nothing is changed on the hub before it is known that the dataset there is this run's, or empty, or not there.

    Args:
        publication: What is to be published.
        token: With what the hub is asked.
        is_public: Whether everybody may see it.
        directory: Where its files are written, and stay; None for a place of their own that is removed afterwards.
        version: Of this program.
        tell: Is told what happens, sentence by sentence.

    Raises:
        SettingsError: As for `write_dataset`; or the dataset on the hub is public, and this was not asked for.
        StorageError: As for `write_dataset`.
        HubError: The hub refuses, fails or cannot be reached, or the dataset there is somebody else's.
    """
    name = publication.repository
    identity = _read_quiet(publication).identity
    hub = Hub(name, token, version, tell)
    there = hub.look()
    if there is None:
        hub.create(is_private=not is_public)
        tell(f"{name} is made on the hub, {'public' if is_public else 'private'}")
        there = hub.look()
        if there is None:
            raise HubError(f"{name} was made, and the hub does not find it; start again")
    _refuse_somebody_else_s(name, hub, there, identity)
    _compare_visibility(name, there, is_public=is_public, tell=tell)
    with _directory(directory) as place:
        written = write_dataset(publication, place)
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
            f"{name} is there already and holds something that apep-datagen did not put there; nothing was changed. Name"
            " another dataset"
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
