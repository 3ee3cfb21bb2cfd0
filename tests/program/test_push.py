"""`push`, as a user calls it, against a hub on the loopback interface."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import load_dataset
from datasets.packaged_modules.json.json import AGENT_TRACES_FEATURES

from apep_datagen.storage.access import lock_beside, state_path
from support.loopback_hub import TOKEN, LoopbackHub, Received, sha256_of
from support.program import Ended, Program
from support.real_state import write_real_state

FEW, MORE = 20, 40
NAME = "me/talks"
PLAINLY = (NAME, "out.json", "--license", "cc-by-4.0", "--check", "chatml")


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as hub:
        yield hub


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, twice: as it was, and as it is when it has gone on."""
    directory = tmp_path_factory.mktemp("runs")
    for name, count in (("few", FEW), ("more", MORE)):
        (directory / name).mkdir()
        write_real_state(directory / name, count=count)
    return directory


@pytest.fixture
def program(tmp_path: Path, hub: LoopbackHub, runs: Path) -> Iterator[Program]:
    directory = tmp_path / "work"
    shutil.copytree(runs / "few", directory)
    program = Program(directory, environment_for(hub, tmp_path))
    yield program
    # Wherever anything was written, the token is not.
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path


def environment_for(hub: LoopbackHub, directory: Path) -> dict[str, str]:
    for name in ("home", "tmp"):
        (directory / name).mkdir(exist_ok=True)
    return {
        "HF_TOKEN": TOKEN,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "HF_HUB_DISABLE_XET": "1",
    }


def push(program: Program, *options: str) -> Ended:
    ended = program.run("push", *options)
    assert TOKEN not in ended.said
    assert "Traceback" not in ended.said
    return ended


def go_on(program: Program, runs: Path) -> None:
    """Let the run have more conversations."""
    shutil.copytree(runs / "more", program.directory, dirs_exist_ok=True)


def count_of(program: Program) -> int:
    return len(json.loads((program.directory / "out.json").read_text(encoding="utf-8")))


def files_in(directory: Path) -> dict[str, bytes]:
    paths = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


# What is published.


def test_a_first_push_makes_a_private_dataset_in_one_commit_with_a_tag(program: Program, hub: LoopbackHub) -> None:
    ended = push(program, *PLAINLY)
    assert ended.status == 0, ended.said
    dataset, count = hub[NAME], count_of(program)
    assert dataset.is_private
    assert [commit.message for commit in dataset.commits] == ["initial commit", f"{count} conversations"]
    [(tag, commit)] = dataset.tags.items()
    assert tag.startswith(f"seed-2026-conversations-{count}-")
    assert commit == dataset.head.oid
    assert {"README.md", "apep-datagen.json", "parquet/train-00000.parquet"} <= dataset.files.keys()
    sessions = [name for name in dataset.files if name.endswith(".jsonl")]
    assert len(sessions) == len(program_users(program))
    assert json.loads(dataset.files["apep-datagen.json"])["conversations"] == count
    assert list((program.directory.parent / "tmp").iterdir()) == []  # what was sent is gone


def program_users(program: Program) -> set[int]:
    rows = Program.query(  # its output has another name
        _at(program), "SELECT timeline_id FROM samples JOIN conversations ON conversations.id = conversation_id"
    )
    return {user for (user,) in rows}


def _at(program: Program) -> Program:
    class _Program(Program):
        __slots__ = ()

        @property
        def state(self) -> Path:
            return state_path(self.directory / "out.json")

    return _Program(program.directory)


def test_a_push_with_nothing_new_changes_nothing_and_says_so(program: Program, hub: LoopbackHub) -> None:
    assert push(program, *PLAINLY).status == 0
    hub.received.clear()
    ended = push(program, *PLAINLY)
    assert ended.status == 0, ended.said
    assert "nothing is new" in ended.stdout
    assert hub.changes == []


def test_a_run_that_went_on_sends_what_is_new_as_one_commit(program: Program, hub: LoopbackHub, runs: Path) -> None:
    assert push(program, *PLAINLY, "--split", "0.8/0.2").status == 0
    before, earlier = dict(hub[NAME].files), count_of(program)
    go_on(program, runs)
    hub.received.clear()
    ended = push(program, *PLAINLY, "--split", "0.8/0.2")
    assert ended.status == 0, ended.said
    dataset, count = hub[NAME], count_of(program)
    assert [commit.message for commit in dataset.commits[1:]] == [
        f"{earlier} conversations",
        f"{count} conversations",
    ]
    [sent] = [json.loads(request.body) for request in hub.received if "/preupload/" in request.path]
    changed = {name for name, content in dataset.files.items() if before.get(name) != content}
    assert {item["path"] for item in sent["files"]} == changed
    assert before.keys() <= dataset.files.keys()
    assert any(before[name] == dataset.files[name] for name in before if name.endswith(".jsonl"))
    assert list(dataset.tags.values()) == [commit.oid for commit in dataset.commits[1:]]


def test_what_others_have_put_beside_it_stays_and_what_was_in_it_before_goes(
    program: Program, hub: LoopbackHub
) -> None:
    assert push(program, *PLAINLY).status == 0
    dataset = hub[NAME]
    stale = "traces/train/0/user-99999.jsonl"
    dataset.add("by hand", {**dataset.files, "LICENSE": b"mine", stale: b"{}"})
    assert push(program, *PLAINLY).status == 0
    assert dataset.files["LICENSE"] == b"mine"
    assert stale not in dataset.files


def test_an_empty_dataset_that_was_made_by_hand_is_filled(program: Program, hub: LoopbackHub) -> None:
    hub.put(NAME, {})
    assert push(program, *PLAINLY).status == 0
    assert "README.md" in hub[NAME].files


def test_a_dry_run_needs_no_hub_and_no_token_and_writes_what_a_push_sends(program: Program, hub: LoopbackHub) -> None:
    alone = Program(program.directory, {**program.environment, "HF_TOKEN": "", "HF_ENDPOINT": "http://127.0.0.1:9"})
    ended = push(alone, *PLAINLY, "--split", "0.8/0.2", "--dry-run", "--to", "there")
    assert ended.status == 0, ended.said
    assert hub.received == []
    written = files_in(program.directory / "there")
    assert push(alone, *PLAINLY, "--split", "0.8/0.2", "--dry-run", "--to", "there").status == 0
    assert files_in(program.directory / "there") == written
    assert push(program, *PLAINLY, "--split", "0.8/0.2").status == 0
    assert {name: content for name, content in hub[NAME].files.items() if name != ".gitattributes"} == written


def test_the_card_is_one_for_the_hub_s_own_validator_and_for_the_loader(
    program: Program, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import DatasetCard, constants

    assert push(program, *PLAINLY, "--split", "0.8/0.2", "--dry-run", "--to", "there").status == 0
    directory = program.directory / "there"
    card = DatasetCard.load(directory / "README.md")
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    card.validate()
    assert hub.received[-1].path == "/api/validate-yaml"
    data = card.data.to_dict()
    assert data["license"] == "cc-by-4.0"
    assert data["annotations_creators"] == ["machine-generated"]
    assert {"synthetic", "agent-traces"} <= set(data["tags"])
    assert data["size_categories"] == ["n<1K"]
    # By the configurations of the card.
    rows = load_dataset(str(directory), cache_dir=str(tmp_path / "cache"))
    assert set(rows) == {"train", "validation"}
    assert sum(len(part) for part in rows.values()) == count_of(program)
    assert not set(rows["train"]["user"]) & set(rows["validation"]["user"])
    traces = load_dataset(str(directory), "traces", cache_dir=str(tmp_path / "cache"))
    assert traces["train"].features == AGENT_TRACES_FEATURES  # by which the hub knows traces
    sessions = [session for part in traces.values() for session in part]
    assert len(sessions) == len(program_users(program))
    for session in sessions:
        assert (directory / session["file_path"]).read_text(encoding="utf-8") == session["trace"]


def test_large_files_go_by_xet_where_that_is_not_turned_off(program: Program, hub: LoopbackHub) -> None:
    plainly = Program(
        program.directory, {key: value for key, value in program.environment.items() if key != "HF_HUB_DISABLE_XET"}
    )
    assert push(plainly, *PLAINLY, "--to", "there").status == 0
    assert any("/cas/v1/xorbs/" in request.path for request in hub.received)
    written = files_in(program.directory / "there")
    assert {name: sha256_of(content) for name, content in hub[NAME].files.items() if name in written} == {
        name: sha256_of(content) for name, content in written.items()
    }
    hub.received.clear()
    assert "nothing is new" in push(plainly, *PLAINLY).stdout
    assert hub.changes == []


def test_what_is_public_is_public_only_where_that_was_asked_for(program: Program, hub: LoopbackHub) -> None:
    assert push(program, *PLAINLY, "--public").status == 0
    assert not hub[NAME].is_private
    hub.received.clear()
    ended = push(program, *PLAINLY)
    assert ended.status == 2, ended.said
    assert "is public" in ended.stderr
    assert hub.changes == []
    assert push(program, *PLAINLY, "--public").status == 0


def test_a_private_dataset_stays_private(program: Program, hub: LoopbackHub) -> None:
    assert push(program, *PLAINLY).status == 0
    ended = push(program, *PLAINLY, "--public")
    assert ended.status == 0, ended.said
    assert "is private, and stays so" in ended.stdout
    assert hub[NAME].is_private


def test_what_the_hub_warns_of_is_told(program: Program) -> None:
    ended = push(program, NAME, "out.json", "--license", "other")
    assert ended.status == 0, ended.said
    assert "license_name is missing" in ended.stdout


# What is refused, and leaves everything as it was.


def test_what_is_somebody_else_s_is_left_untouched(program: Program, hub: LoopbackHub) -> None:
    hub.put(NAME, {"data.csv": b"a,b"})
    ended = push(program, *PLAINLY)
    assert ended.status == 5, ended.said
    assert "something that apep-datagen did not put there" in ended.stderr
    assert hub.changes == []


@pytest.mark.parametrize(
    "marker", [b"{}", b"no JSON", b'{"made_by": "apep-datagen", "run": "another", "version": "1", "conversations": 3}']
)
def test_the_dataset_of_another_run_is_left_untouched(program: Program, hub: LoopbackHub, marker: bytes) -> None:
    hub.put(NAME, {"apep-datagen.json": marker, "README.md": b"theirs"})
    ended = push(program, *PLAINLY)
    assert ended.status == 5, ended.said
    assert "of another run" in ended.stderr
    assert hub.changes == []


@pytest.mark.parametrize("name", ["talks", "me/ta lks", "datasets/me/talks"])
def test_a_name_that_the_hub_does_not_take_is_refused(program: Program, hub: LoopbackHub, name: str) -> None:
    ended = push(program, name, "out.json", "--license", "mit")
    assert ended.status == 2, ended.said
    assert name in ended.stderr
    assert hub.received == []


def test_options_that_say_too_little_are_refused(program: Program, hub: LoopbackHub) -> None:
    for options, named in (
        ((NAME, "out.json"), "--license"),
        ((NAME, "out.json", "--license", "do what you want"), "--license"),
        ((*PLAINLY, "--dry-run"), "--to"),
        ((*PLAINLY, "--split", "1"), "--split"),
    ):
        ended = push(program, *options)
        assert ended.status == 2, ended.said
        assert named in ended.stderr
    assert hub.received == []


def test_a_directory_without_a_name_is_none(program: Program, hub: LoopbackHub) -> None:
    ended = push(program, *PLAINLY, "--dry-run", "--to", "")
    assert ended.status == 2
    assert "name a directory" in ended.stderr
    assert hub.received == []


def test_without_a_token_nothing_is_asked(program: Program, hub: LoopbackHub) -> None:
    ended = push(Program(program.directory, {**program.environment, "HF_TOKEN": ""}), *PLAINLY)
    assert ended.status == 3, ended.said
    assert "HF_TOKEN" in ended.stderr
    assert hub.received == []


def test_a_token_in_the_file_of_secrets_is_found(program: Program, tmp_path_factory: pytest.TempPathFactory) -> None:
    secrets = tmp_path_factory.mktemp("secrets") / "secrets.json"
    secrets.write_text(json.dumps({"huggingface_api_key": TOKEN}), encoding="utf-8")
    without = Program(program.directory, {**program.environment, "HF_TOKEN": ""})
    assert push(without, *PLAINLY, "--secrets", str(secrets)).status == 0


def test_a_token_that_the_hub_does_not_know_is_told_and_not_shown(program: Program, hub: LoopbackHub) -> None:
    wrong = "hf_0therT0ken0therT0ken"
    ended = push(Program(program.directory, {**program.environment, "HF_TOKEN": wrong}), *PLAINLY)
    assert ended.status == 5, ended.said
    assert "knows no such token" in ended.stderr
    assert wrong not in ended.said  # though the hub repeats it
    assert hub.changes == []


def test_a_name_that_belongs_to_others_is_told(program: Program, hub: LoopbackHub) -> None:
    ended = push(program, "them/talks", "out.json", "--license", "mit")
    assert ended.status == 5, ended.said
    assert "the token may not do this" in ended.stderr
    hub.put("them/talks", {})
    ended = push(program, "them/talks", "out.json", "--license", "mit")
    assert ended.status == 5, ended.said
    assert "the token may not do this" in ended.stderr
    assert len(hub["them/talks"].commits) == 1


def test_a_hub_that_cannot_be_reached_is_told(program: Program) -> None:
    ended = push(Program(program.directory, {**program.environment, "HF_ENDPOINT": "http://127.0.0.1:9"}), *PLAINLY)
    assert ended.status == 5, ended.said
    assert "cannot be reached" in ended.stderr
    ended = push(Program(program.directory, {**program.environment, "HF_HUB_OFFLINE": "1"}), *PLAINLY)
    assert ended.status == 5, ended.said
    assert "HF_HUB_OFFLINE" in ended.stderr


@pytest.mark.parametrize("call", ["create", "/large/", "/commit/", "/tag/"])
def test_what_fails_in_the_middle_leaves_nothing_half_and_is_made_up_for(
    program: Program, hub: LoopbackHub, call: str
) -> None:
    def fail(request: Received) -> tuple[int, str] | None:
        return (501, f"Bad luck with {request.authorization}") if call in request.path else None

    hub.refuse = fail
    ended = push(program, *PLAINLY)
    assert ended.status == 5, ended.said
    assert "the hub fails (501" in ended.stderr
    assert "start again" in ended.stderr
    dataset = hub.datasets.get(NAME)
    assert dataset is None or dataset.files.keys() == {".gitattributes"} or (call == "/tag/" and not dataset.tags)
    hub.refuse = lambda _: None
    assert push(program, *PLAINLY).status == 0
    dataset = hub[NAME]
    assert len(dataset.commits) == 2
    assert list(dataset.tags.values()) == [dataset.head.oid]


def test_of_many_sessions_the_card_comes_with_the_rows_also_where_a_commit_between_fails(
    program: Program, hub: LoopbackHub
) -> None:
    elements = json.loads((program.directory / "out.json").read_text(encoding="utf-8"))
    many = [elements[number % len(elements)] for number in range(300)]  # of unknown users: each is a session
    (program.directory / "many.json").write_text(json.dumps(many), encoding="utf-8")
    options = (NAME, "many.json", "--license", "mit", "--check", "chatml")

    def fail_later(request: Received) -> tuple[int, str] | None:
        is_last = "/commit/" in request.path and len(hub[NAME].commits) > 2
        return (501, "Bad luck") if is_last else None

    hub.refuse = fail_later
    assert push(program, *options).status == 5
    assert "apep-datagen.json" in hub[NAME].files
    assert not {"README.md", "parquet/train-00000.parquet", "traces/train-00000.parquet"} & hub[NAME].files.keys()
    hub.refuse = lambda _: None
    assert push(program, *options).status == 0
    dataset = hub[NAME]
    assert sum(name.endswith(".jsonl") for name in dataset.files) == 300
    assert {"README.md", "parquet/train-00000.parquet", "traces/train-00000.parquet"} <= dataset.files.keys()
    assert [len(commit.files) for commit in dataset.commits] == [1, 251, 302, 305]
    assert list(dataset.tags.values()) == [dataset.head.oid]


def test_who_changes_it_meanwhile_loses_nothing(program: Program, hub: LoopbackHub, runs: Path) -> None:
    assert push(program, *PLAINLY).status == 0
    go_on(program, runs)

    def interfere(request: Received) -> tuple[int, str] | None:
        if "/preupload/" in request.path:
            hub[NAME].add("by hand", {**hub[NAME].files, "LICENSE": b"mine"})
        return None

    hub.refuse = interfere
    ended = push(program, *PLAINLY)
    assert ended.status == 5, ended.said
    assert "somebody else has changed it meanwhile" in ended.stderr
    assert hub[NAME].head.message == "by hand"
    hub.refuse = lambda _: None
    assert push(program, *PLAINLY).status == 0
    assert hub[NAME].files["LICENSE"] == b"mine"


def test_a_licence_that_the_hub_does_not_know_is_told_before_anything_is_written(
    program: Program, hub: LoopbackHub
) -> None:
    ended = push(program, NAME, "out.json", "--license", "mine-1.0")
    assert ended.status == 5, ended.said
    assert '"license" must be one of' in ended.stderr
    assert len(hub[NAME].commits) == 1


def test_a_directory_that_holds_something_else_is_left_as_it_is(program: Program, hub: LoopbackHub) -> None:
    (program.directory / "mine").mkdir()
    (program.directory / "mine/notes.txt").write_text("mine", encoding="utf-8")
    ended = push(program, *PLAINLY, "--dry-run", "--to", "mine")
    assert ended.status == 2, ended.said
    assert files_in(program.directory / "mine") == {"notes.txt": b"mine"}
    assert hub.received == []


def test_while_a_run_works_on_it_nothing_is_published(program: Program, hub: LoopbackHub) -> None:
    lock = lock_beside(state_path(program.directory / "out.json"))
    try:
        ended = push(program, *PLAINLY)
    finally:
        lock.release()
    assert ended.status == 4, ended.said
    assert "a run is working on it" in ended.stderr
    assert hub.received == []


def test_what_is_no_dataset_is_told(program: Program, hub: LoopbackHub) -> None:
    (program.directory / "empty.json").write_text("[]", encoding="utf-8")
    for file in ("nothing.json", "empty.json"):
        ended = push(program, NAME, file, "--license", "mit")
        assert ended.status == 4, ended.said
        assert file in ended.stderr
    assert hub.received == []


def test_a_dataset_without_a_state_database_is_published_with_what_it_tells_itself(
    program: Program, hub: LoopbackHub
) -> None:
    shutil.copy(program.directory / "out.json", program.directory / "copy.json")
    assert push(program, NAME, "copy.json", "--license", "mit").status == 0
    card = hub[NAME].files["README.md"].decode()
    assert "is not recorded beside this dataset" in card
    assert "## Abilities" not in card
    [tag] = hub[NAME].tags
    assert tag.startswith("conversations-")
