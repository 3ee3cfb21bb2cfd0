"""One dataset on the Hugging Face hub, by way of `huggingface_hub`.

Whatever that raises is a `HubError` here: a sentence that says what to do next, with no token in it.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from apep_datagen.core.errors import HubError
from apep_datagen.core.words import shorten
from apep_datagen.hub.contents import Changes, LocalFile, RemoteFile

__all__ = ["Hub", "Repository"]

_TYPE = "dataset"
_BRANCH = "main"
# Nothing that the hub does takes as long; without a limit, a server that has gone would be waited for without an end.
_SECONDS = 300.0
_LONGEST_QUOTE = 300
_SERVER_ERROR = 500
_FAILS = "the hub fails ({}); start again: what is there already is not sent once more"
_CHANGED = "somebody else has changed it meanwhile ({}); start again"
_REFUSALS = {
    401: (
        "the hub knows no such token ({}); make one that may write at https://huggingface.co/settings/tokens, and put"
        " it where this one is"
    ),
    403: "the token may not do this ({}); take one that may write, and a name that is yours or your organisation's",
    404: "it is not there any more, or the token may not see it ({})",
    409: _CHANGED,
    412: _CHANGED,
    429: "the hub was asked too often ({}); start again later",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """What is there on the hub.

    Attributes:
        head: The latest commit.
        is_private: Whether its owner alone sees it.
        files: All files, by name.
        tags: The commits that have a name.
    """

    head: str
    is_private: bool
    files: Mapping[str, RemoteFile]
    tags: Mapping[str, str]


class Hub:
    """A dataset on the hub.

    Args:
        name: The dataset, as `owner/name`.
        token: With what it is read and written.
        version: Of this program.
        tell: Is told what the hub warns of.
    """

    def __init__(self, name: str, token: str, version: str, tell: Callable[[str], None]) -> None:
        import huggingface_hub
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what else is to be told, its errors say
        huggingface_hub.set_client_factory(_make_client)
        self._name = name
        self._token = token
        self._tell = tell
        self._api = huggingface_hub.HfApi(token=token, library_name="apep-datagen", library_version=version)

    def look(self) -> Repository | None:
        """Return what is there; None where there is no such dataset, or none that the token may see.

        Raises:
            HubError: The hub refuses, fails or cannot be reached.
        """
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.hf_api import RepoFile

        with self._talking("looked at"):
            try:
                found = self._api.dataset_info(self._name)
            except HfHubHTTPError as error:
                if error.response.status_code == httpx2.codes.NOT_FOUND:
                    return None
                raise
            tree = self._api.list_repo_tree(self._name, repo_type=_TYPE, recursive=True, revision=found.sha)
            files = {
                item.path: RemoteFile(item.lfs.sha256 if item.lfs else None, None if item.lfs else item.blob_id)
                for item in tree
                if isinstance(item, RepoFile)
            }
            tags = self._api.list_repo_refs(self._name, repo_type=_TYPE).tags
            return Repository(
                found.sha or "", bool(found.private), files, {tag.name: tag.target_commit for tag in tags}
            )

    def read(self, file: str, revision: str) -> bytes:
        """Return what a small file holds.

        Raises:
            HubError: As for `look`.
        """
        with self._talking("read"), tempfile.TemporaryDirectory() as directory:
            path = self._api.hf_hub_download(self._name, file, repo_type=_TYPE, revision=revision, local_dir=directory)
            return Path(path).read_bytes()

    def create(self, *, is_private: bool) -> None:
        """Make the dataset, empty.

        Raises:
            HubError: As for `look`; the token may not make it.
        """
        with self._talking("made"):
            self._api.create_repo(self._name, repo_type=_TYPE, private=is_private, exist_ok=True)

    def commit(self, changes: Changes, files: Mapping[str, LocalFile], *, message: str, parent: str) -> str:
        """Write and remove files, all or none of them, and return the commit.

        Args:
            changes: Which.
            files: The local files, by name.
            message: What the commit says.
            parent: The commit that was looked at; where there is another one by now, nothing is changed.

        Raises:
            HubError: As for `look`; the card is refused, or somebody else has changed the dataset.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(name, str(files[name].path)) for name in changes.written),
            *(CommitOperationDelete(name) for name in changes.removed),
        ]
        with self._talking("written"), warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always")
            made = self._api.create_commit(
                self._name,
                operations,
                commit_message=message,
                repo_type=_TYPE,
                revision=_BRANCH,
                parent_commit=parent or None,
            )
        for warning in noticed:
            if issubclass(warning.category, UserWarning):  # the hub's; others are for developers
                self._tell(self._quoted(str(warning.message)))
        return str(made.oid)

    def tag(self, name: str, commit: str) -> None:
        """Give a commit a name; one that is there already stays.

        Raises:
            HubError: As for `look`.
        """
        with self._talking("given a tag"):
            self._api.create_tag(self._name, tag=name, revision=commit, repo_type=_TYPE, exist_ok=True)

    # What goes wrong.

    @contextlib.contextmanager
    def _talking(self, what: str) -> Iterator[None]:
        """Let whatever `huggingface_hub` raises be a `HubError`; `what` is what cannot be done with the dataset."""
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is comes of the hub, and nothing was changed
            origin = _origin(error, (HfHubHTTPError, httpx2.HTTPError, OfflineModeIsEnabled))
            if isinstance(origin, HfHubHTTPError):
                problem = self._refusal(origin.response.status_code, origin.server_message or "")
            elif isinstance(origin, OfflineModeIsEnabled):
                problem = "HF_HUB_OFFLINE forbids it: unset that variable"
            elif isinstance(origin, httpx2.HTTPError):
                problem = (
                    f"the hub cannot be reached ({self._quoted(str(origin))}); see to the network, then start again"
                )
            else:
                problem = f"{self._quoted(str(error))} ({type(error).__name__}); start again"
            raise HubError(f"{self._name} cannot be {what}: {problem}") from None

    def _refusal(self, status: int, said: str) -> str:
        """Return what a status stands for, and what to do."""
        # Nothing else of the error is quoted: it has the address, which may hold a signature.
        told = f"{status}: {self._quoted(said)}" if said else str(status)
        what = _REFUSALS.get(status, _FAILS if status >= _SERVER_ERROR else "the hub refuses ({})")
        return what.format(told)

    def _quoted(self, text: str) -> str:
        """Return what somebody else says as one short line without the token."""
        return shorten(" ".join(text.replace(self._token, "[token]").split()), _LONGEST_QUOTE)


def _origin(error: BaseException, kinds: tuple[type[BaseException], ...]) -> BaseException | None:
    """Return the error of one of these kinds that an error comes of, or is."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kinds):
        found = found.__cause__
    return found


def _make_client() -> httpx2.Client:
    """Return the HTTP client of `huggingface_hub`, with a limit of how long it waits."""
    from huggingface_hub.utils._http import default_client_factory

    client = default_client_factory()
    client.timeout = httpx2.Timeout(_SECONDS)
    return client
