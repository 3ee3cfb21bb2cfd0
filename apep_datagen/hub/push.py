"""Publishing a dataset: the hub is looked at, the files are written and compared with it, and what is new is sent."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from apep_datagen.core.errors import HubError, SettingsError
from apep_datagen.core.spelling import counted
from apep_datagen.hub.client import Hub, Repository
from apep_datagen.hub.contents import changes_between, stages
from apep_datagen.hub.marker import MARKER, parse_marker
from apep_datagen.hub.publication import Publication, Written, facts_of, write_dataset

__all__ = ["publish"]

# What the hub itself puts into an empty dataset.
_FILES_OF_HUB = frozenset({".gitattributes"})


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
    tell(f"{name}: {counted(len(changes.written), 'file')} of {size / 1e6:,.1f} MB in all are sent")
    for number, stage in enumerate(stages(changes), start=1):
        part = "" if number == 1 else f" (part {number})"
        head = hub.commit(stage, written.files, message=f"{count:,} conversations{part}", parent=head)
    tell(f"{name}: {count:,} conversations are on the hub")
    return head
