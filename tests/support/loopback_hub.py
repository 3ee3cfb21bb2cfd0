"""A Hugging Face hub on 127.0.0.1: the calls that `huggingface_hub` makes to publish a dataset, strictly.

What it answers is what https://huggingface.co/docs/hub/api and `huggingface_hub` itself say that the hub answers. Large
files go by Git LFS where the program is started with `HF_HUB_DISABLE_XET=1`, else by Xet, of which nothing is read: a
file that came so is known by its SHA-256 alone.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

__all__ = ["TOKEN", "Commit", "LoopbackHub", "Received", "RemoteDataset", "sha256_of"]

TOKEN = "hf_" + "s3cret" * 5
"""The token that may write to what belongs to `me`."""

_LARGE = re.compile(r"\.(?:parquet|bin|zip)$")
_LICENSES = {"apache-2.0", "cc-by-4.0", "cc0-1.0", "mit", "other", "unknown"}
_SIZES = {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M"}
_PAGE = 7


@dataclass(frozen=True, slots=True)
class Received:
    """A request."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: what it says, and all files after it."""

    oid: str
    message: str
    files: dict[str, bytes]


@dataclass(slots=True)
class RemoteDataset:
    """A dataset on the hub."""

    is_private: bool
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    @property
    def files(self) -> dict[str, bytes]:
        return self.head.files

    def add(self, message: str, files: dict[str, bytes]) -> Commit:
        oid = hashlib.sha1(f"{len(self.commits)} {message}".encode(), usedforsecurity=False).hexdigest()
        self.commits.append(Commit(oid, message, files))
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        if revision == "main":
            return self.head
        oid = self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)


class UnreadContent(bytes):
    """What a file holds that came by Xet: it is known by its SHA-256."""

    sha256: str

    @classmethod
    def of(cls, sha256: str) -> UnreadContent:
        content = cls()
        content.sha256 = sha256
        return content


@dataclass(slots=True)
class _Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class LoopbackHub:
    """The hub, in a thread.

    Attributes:
        datasets: What is there, by name.
        received: Every request.
        refuse: Is asked before each request is answered; what it returns is answered instead: a status and a message.
    """

    def __init__(self) -> None:
        self.datasets: dict[str, RemoteDataset] = {}
        self.received: list[Received] = []
        self.refuse: Callable[[Received], tuple[int, str] | None] = lambda _: None
        self._large: dict[str, bytes] = {}
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                request = Received(
                    self.command, self.path, self.headers.get("Authorization", ""), self.rfile.read(length)
                )
                hub.received.append(request)
                refused = hub.refuse(request)
                answer = _error(*refused) if refused else hub._route(request)
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 - as the library calls them

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __getitem__(self, name: str) -> RemoteDataset:
        return self.datasets[name]

    def put(self, name: str, files: dict[str, bytes], *, is_private: bool = True) -> RemoteDataset:
        """Let there be a dataset."""
        dataset = self.datasets[name] = RemoteDataset(is_private)
        dataset.add("initial commit", {".gitattributes": b"*.parquet filter=lfs\n"} | files)
        return dataset

    @property
    def changes(self) -> list[str]:
        """What was asked for that changes something."""
        return [
            f"{request.method} {urlsplit(request.path).path}"
            for request in self.received
            if request.method != "HEAD" and re.search(r"/(create|commit|tag)(/|$)", urlsplit(request.path).path)
        ]

    # What it answers.

    def _route(self, request: Received) -> _Answer:
        path = unquote(urlsplit(request.path).path)
        for pattern, answer in self._open_calls:
            if found := re.fullmatch(pattern, path):
                return answer(request, *found.groups())
        if request.authorization != f"Bearer {TOKEN}":
            return _error(401, f"Invalid username or password, not {request.authorization}")
        if path == "/api/repos/create":
            return self._create(json.loads(request.body))
        for pattern, answer in self._calls_of_dataset:
            if found := re.fullmatch(pattern, path):
                return self._of_dataset(answer, request, *found.groups())
        raise AssertionError(f"{request.method} {request.path}: no call of the hub")

    @property
    def _open_calls(self) -> list[tuple[str, Callable[..., _Answer]]]:
        return [
            (r"/api/agent-harnesses", lambda _: _error(404, "Not found")),  # where an agent runs the tests
            (r"/api/validate-yaml", lambda request: _validate(json.loads(request.body))),
            (r"/large/([0-9a-f]{64})", self._store),
            (r"/cas/.*|/v1/telemetry", self._xet),
        ]

    @property
    def _calls_of_dataset(self) -> list[tuple[str, Callable[..., _Answer]]]:
        name = r"([^/]+/[^/]+)"
        return [
            (rf"/api/datasets/{name}", self._info),
            (rf"/api/datasets/{name}/refs", self._refs),
            (rf"/api/datasets/{name}/tree/(.+)", self._tree),
            (rf"/api/datasets/{name}/preupload/(.+)", self._preupload),
            (rf"/datasets/{name}\.git/info/lfs/objects/batch", self._batch),
            (rf"/api/datasets/{name}/xet-write-token/(.+)", self._xet_token),
            (rf"/api/datasets/{name}/commit/(.+)", self._commit),
            (rf"/api/datasets/{name}/tag/(.+)", self._tag),
            (rf"/datasets/{name}/resolve/([^/]+)/(.+)", self._resolve),
        ]

    def _of_dataset(
        self, answer: Callable[..., _Answer], request: Received, name: str, revision: str = "main", *rest: str
    ) -> _Answer:
        dataset = self.datasets.get(name)
        if dataset is None:
            return _error(404, "Repository not found", "RepoNotFound")
        if request.method == "POST" and not name.startswith("me/"):
            return _error(403, "Forbidden: you must use a write token")
        commit = dataset.at(revision)
        if commit is None:
            return _error(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return answer(request, name, dataset, commit, *rest)

    def _info(self, _: Received, name: str, dataset: RemoteDataset, commit: Commit) -> _Answer:
        return _json({"id": name, "author": "me", "sha": commit.oid, "private": dataset.is_private, "tags": []})

    def _refs(self, _: Received, __: str, dataset: RemoteDataset, commit: Commit) -> _Answer:
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": oid} for tag, oid in dataset.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": commit.oid}
        return _json({"branches": [main], "tags": tags, "converts": []})

    def _tag(self, request: Received, _: str, dataset: RemoteDataset, commit: Commit) -> _Answer:
        tag = json.loads(request.body)["tag"]
        if tag in dataset.tags:
            return _error(409, "Reference already exists")
        dataset.tags[tag] = commit.oid
        return _json({})

    def _create(self, wish: dict[str, Any]) -> _Answer:
        assert wish["type"] == "dataset", wish
        name = f"{wish['organization']}/{wish['name']}"
        if wish["organization"] != "me":
            return _error(403, f'You don\'t have the rights to create a dataset under the namespace "{name}"')
        if name in self.datasets:
            return _error(409, "You already created this dataset repo")
        self.put(name, {}, is_private=wish["visibility"] == "private")
        return _json({"url": f"{self.url}/datasets/{name}", "name": name, "id": "1"})

    def _tree(self, request: Received, _: str, __: RemoteDataset, commit: Commit) -> _Answer:
        """Return files and folders, some at a time, as the hub does with thousands."""
        start = int(parse_qs(urlsplit(request.path).query).get("cursor", ["0"])[0])
        folders = {name.rsplit("/", count)[0] for name in commit.files for count in range(1, name.count("/") + 1)}
        entries: list[dict[str, Any]] = [
            {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0} for folder in sorted(folders)
        ]
        for name, content in sorted(commit.files.items()):
            entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": _blob(content)}
            if _LARGE.search(name):
                oid = sha256_of(content)
                entry |= {"oid": "1" * 40, "lfs": {"oid": oid, "size": len(content), "pointerSize": 130}}
            entries.append(entry)
        answer = _json(entries[start : start + _PAGE])
        if start + _PAGE < len(entries):
            path = urlsplit(request.path).path
            answer.headers["Link"] = f'<{self.url}{path}?recursive=true&cursor={start + _PAGE}>; rel="next"'
        return answer

    def _preupload(self, request: Received, _: str, __: RemoteDataset, commit: Commit) -> _Answer:
        return _json({"files": [self._mode(commit, item) for item in json.loads(request.body)["files"]]})

    def _mode(self, commit: Commit, item: dict[str, Any]) -> dict[str, Any]:
        name = item["path"]
        is_large = bool(_LARGE.search(name))
        oid = None
        if name in commit.files:
            content = commit.files[name]
            oid = sha256_of(content) if is_large else _blob(content)
        return {
            "path": name,
            "uploadMode": "lfs" if is_large else "regular",
            "shouldIgnore": False,
            **({"oid": oid} if oid else {}),
        }

    def _batch(self, request: Received, *_: object) -> _Answer:
        objects = []
        for item in json.loads(request.body)["objects"]:
            entry = {"oid": item["oid"], "size": item["size"], "authenticated": True}
            if item["oid"] not in self._large:
                entry["actions"] = {"upload": {"href": f"{self.url}/large/{item['oid']}", "header": {}}}
            objects.append(entry)
        return _json({"transfer": "basic", "objects": objects}, "application/vnd.git-lfs+json")

    def _store(self, request: Received, oid: str) -> _Answer:
        assert hashlib.sha256(request.body).hexdigest() == oid
        self._large[oid] = request.body
        return _Answer()

    def _xet_token(self, *_: object) -> _Answer:
        expires = int(time.time()) + 3600
        answer = _json({"casUrl": f"{self.url}/cas", "accessToken": "for xet alone", "exp": expires})
        answer.headers |= {
            "X-Xet-Cas-Url": f"{self.url}/cas",
            "X-Xet-Access-Token": "for xet alone",
            "X-Xet-Token-Expiration": str(expires),
        }
        return answer

    def _xet(self, request: Received) -> _Answer:
        """Take blocks and what files are made of, and have none of them before."""
        if "/xorbs/" in request.path:
            return _json({"was_inserted": True})
        if "/shards" in request.path:
            return _Answer(200, json.dumps({"type": "result", "result": 1}).encode() + b"\n")
        return _error(404, "Not found")

    def _resolve(self, _: Received, __: str, ___: RemoteDataset, commit: Commit, file: str) -> _Answer:
        if file not in commit.files:
            return _error(404, "Entry not found", "EntryNotFound")
        content = commit.files[file]
        headers = {"ETag": f'"{_blob(content)}"', "X-Repo-Commit": commit.oid, "Content-Type": "text/plain"}
        return _Answer(200, content, headers)

    def _commit(self, request: Received, name: str, dataset: RemoteDataset, _: Commit) -> _Answer:
        files, message = dict(dataset.files), ""
        for line in request.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            match item["key"]:
                case "header":
                    message = value["summary"]
                    if value.get("parentCommit", dataset.head.oid) != dataset.head.oid:
                        return _error(412, "A commit has happened since. Please refresh and try again.")
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self._large.get(value["oid"], UnreadContent.of(value["oid"]))
                case "deletedFile":
                    del files[value["path"]]
                case other:
                    raise AssertionError(other)
        commit = dataset.add(message, files)
        url = f"{self.url}/datasets/{name}/commit/{commit.oid}"
        return _json({"success": True, "commitOid": commit.oid, "commitUrl": url, "hookOutput": ""})


def sha256_of(content: bytes) -> str:
    """Return by what the hub knows a large file."""
    return content.sha256 if isinstance(content, UnreadContent) else hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def _json(value: Any, kind: str = "application/json") -> _Answer:
    return _Answer(200, json.dumps(value).encode(), {"Content-Type": kind})


def _error(status: int, message: str, code: str = "") -> _Answer:
    headers = {"Content-Type": "application/json", "X-Error-Message": message}
    if code:
        headers["X-Error-Code"] = code
    return _Answer(status, json.dumps({"error": message}).encode(), headers)


def _validate(wish: dict[str, Any]) -> _Answer:
    """Check a card as the hub does, as far as that is documented."""
    from huggingface_hub import DatasetCard

    assert wish["repoType"] == "dataset", wish
    card = DatasetCard(wish["content"])
    data = yaml.safe_load(card.content.split("---")[1])
    errors, warnings = [], []
    if data.get("license") not in _LICENSES:
        errors.append('"license" must be one of a list')
    if not set(data.get("size_categories", [])) <= _SIZES:
        errors.append('"size_categories[0]" must be one of a list')
    if not all(config.get("config_name") and config.get("data_files") for config in data.get("configs", [])):
        errors.append('"configs[0]" needs a name and files')
    if data.get("license") == "other" and not data.get("license_name"):
        warnings.append("license_name is missing")
    told = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
    answer = _json(told)
    answer.status = 400 if errors else 200
    return answer
