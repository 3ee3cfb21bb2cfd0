"""The first minutes: no keys, wrong keys, mistakes in a file or an option, and that no key is ever shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import typer

from apep_datagen.cli.app import app
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.paths import REPOSITORY
from support.program import KEYS, Program, section

OPTIONS = [
    option for parameter in typer.main.get_command(app).params for option in parameter.opts if option.startswith("--")
]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, environment={})


def write_secrets(program: Program, value: object) -> None:
    path = program.directory / "data" / "secrets.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


# Without keys.


def test_the_first_start_writes_a_template_and_says_how_to_go_on(program: Program) -> None:
    first = program.run()
    path = program.directory / "data" / "secrets.json"
    assert first.status == 3
    assert path.read_bytes() == (REPOSITORY / "secrets.example.json").read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for told in ("data/secrets.json", "https://console.mistral.ai", "https://huggingface.co", "--providers local"):
        assert told in first.said
    assert len(first.said.splitlines()) < 10

    second = program.run()
    assert second.status == 3
    assert second.said.startswith("No API clients initialized\n")
    assert '"mistral_api_key" is still the placeholder in data/secrets.json' in second.said
    assert "MISTRAL_API_KEY" in second.said
    assert path.read_bytes() == (REPOSITORY / "secrets.example.json").read_bytes()


def test_without_a_usable_key_each_enabled_provider_is_told_what_it_lacks(program: Program) -> None:
    write_secrets(program, {"mistral_api_key": "", "enabled_providers": ["mistral", "together", "huggingface"]})
    ended = program.run("--target", "1")
    assert ended.status == 3
    assert "No API clients initialized" in ended.said
    assert 'mistral: "mistral_api_key" is empty' in ended.said
    assert 'together: "together_api_key" is missing' in ended.said
    assert 'huggingface: "huggingface_api_key" is missing' in ended.said
    for variable in KEYS:
        assert variable in ended.said


# Mistakes.


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ('{"mistral_api_key": ', ("JSON", "line 1")),
        (
            {"enabled_providers": ["mistrall"]},
            ("enabled_providers", "did you mean mistral?", "mistral, together, huggingface"),
        ),
        ({"mistral_api_key": 7}, ("mistral_api_key", "quotation marks")),
    ],
    ids=["invalid JSON", "unknown provider", "wrong type"],
)
def test_a_mistake_in_the_secrets_is_told_with_file_key_and_remedy(
    program: Program, secrets: object, told: tuple[str, ...]
) -> None:
    write_secrets(program, secrets)
    ended = program.run()
    assert ended.status == 2
    for words in ("data/secrets.json", *told):
        assert words in ended.stderr
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("[generation]\ntarget = 5\nexchange = 2\n", ("generation.exchange", "exchanges")),
        ('[providers.mistral]\nrequests_per_second = "fast"\n', ("providers.mistral.requests_per_second", "number")),
    ],
    ids=["unknown key", "wrong type"],
)
def test_a_mistake_in_the_configuration_is_told_with_file_key_and_remedy(
    program: Program, config: str, told: tuple[str, ...]
) -> None:
    program.configure(config)
    ended = program.run()
    assert ended.status == 2
    for words in ("apep-datagen.toml", *told):
        assert words in ended.stderr
    assert "Traceback" not in ended.said
    assert not (program.directory / "data").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--target", "0"), "--target"),
        (("--providers", "nobody"), "there are mistral, together, huggingface, local"),
        (("--rps", "mistral=fast"), "--rps mistral=2.5"),
        (("--nonsense",), "--nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_in_an_option_is_told_with_what_is_allowed(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    ended = Program(tmp_path).run(*options)
    assert ended.status == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.said


def test_files_are_read_though_an_editor_put_a_byte_order_mark_in_front(program: Program) -> None:
    write_secrets(program, "\ufeff" + json.dumps({"mistral_api_key": "", "enabled_providers": ["mistral"]}))
    program.configure("\ufeff[generation]\ntarget = 3\n")
    ended = program.run()
    assert ended.status == 3, ended.said
    assert '"mistral_api_key" is empty' in ended.said


# Keys and providers.


def test_a_key_in_the_environment_alone_suffices(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"MISTRAL_API_KEY": "key-of-mistral"})
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral")))
        ended = program.run("--target", "1")
        assert {received.authorization for received in server.received} == {"Bearer key-of-mistral"}
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 1
    assert not (tmp_path / "data" / "secrets.json").exists()


def test_the_option_providers_overrides_those_of_the_secrets(program: Program) -> None:
    write_secrets(program, {"mistral_api_key": "key-1", "together_api_key": "key-2", "enabled_providers": ["mistral"]})
    with LoopbackServer() as server:
        config = section("mistral", server.url("mistral")) + section("together", server.url("together"))
        program.configure(config)
        ended = program.run("--target", "1", "--providers", "together")
        assert {received.provider for received in server.received} == {"together"}
    assert ended.status == 0, ended.said


def assert_shown_nowhere(program: Program, said: str, keys: list[str]) -> None:
    files = [path for path in program.directory.rglob("*") if path.is_file() and path.name != "secrets.json"]
    assert program.state in files
    shown = [said.encode(), *(path.read_bytes() for path in files)]
    for key in keys:
        assert not any(key[:10].encode() in content for content in shown)


def test_a_key_is_neither_shown_nor_stored_though_the_server_repeats_it(program: Program) -> None:
    keys = ["s3cret-K3y-of-mistral", "s3cret-K3y-of-together", "s3cret-K3y-of-mine"]
    write_secrets(
        program,
        {
            "mistral_api_key": keys[0],
            "together_api_key": keys[1],
            "mine_api_key": keys[2],
            "enabled_providers": ["mistral", "together", "mine"],
        },
    )
    refused: dict[str, str] = {}

    def repeats_the_key(received: Received) -> Reply:
        """Refuse the key of mistral for good, a conversation of together's, and be overloaded once at mine."""
        status = {"mistral": 401, "together": 400, "mine": 503}[received.provider]
        refused.setdefault(received.provider, received.prompt)
        if received.prompt == refused.get("together"):
            status = 400  # whoever is asked
        elif status != 401 and refused[received.provider] != received.prompt:
            return well_behaved(received)
        if status == 503:
            refused["mine"] = "no other one"
        # Long enough that the key stands where a long message is cut.
        return Reply(f"{'Incorrect ' * 28} key: {received.authorization.removeprefix('Bearer ')}", status=status)

    with LoopbackServer(repeats_the_key) as server:
        program.configure("".join(section(name, server.url(name)) for name in ("mistral", "together", "mine")))
        ended = program.run("--target", "4")
    assert ended.status == 0, ended.said
    assert "mistral is out for the rest of this run" in ended.said
    assert "is set aside" in ended.said
    assert "mine: unavailable" in ended.said
    assert_shown_nowhere(program, ended.said, keys)


def test_keys_are_in_no_file_that_a_run_writes(tmp_path: Path) -> None:
    """Not even where the server quotes them, and prompts and answers are logged."""
    program = Program(tmp_path)

    def quotes(received: Received) -> Reply:
        if received.number % 3 == 0:
            return Reply(f"wrong: {received.authorization}", status=500)
        return well_behaved(received)

    with LoopbackServer(quotes) as server:
        names = ("mistral", "together", "huggingface")
        program.configure("".join(section(name, server.url(name)) for name in names))
        ended = program.run("--providers", ",".join(names), "--target", "6", "--log-file", "log.jsonl", "--log-text")
        assert {received.authorization.removeprefix("Bearer ") for received in server.received} == set(KEYS.values())
    assert ended.status == 0, ended.said
    assert "[API key]" in (tmp_path / "log.jsonl").read_text()
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        assert not [key for key in KEYS.values() if key.encode() in content], path
    assert not [key for key in KEYS.values() if key in ended.said]


@pytest.mark.parametrize(
    "options",
    [
        ("--providers", "mistral,s3cret-K3y"),
        ("--providers", "s3cret-K3y"),
        ("--model", "s3cret-K3y"),
        ("--model", "s3cret-K3y=x"),
        ("--model", "=s3cret-K3y"),
        ("--rps", "s3cret-K3y=1"),
        ("--rps", "mistral=s3cret-K3y"),
    ],
)
@pytest.mark.parametrize("command", [(), ("plan",), ("providers",)])
def test_a_key_in_the_place_of_a_provider_is_not_shown(
    program: Program, command: tuple[str, ...], options: tuple[str, str]
) -> None:
    ended = program.run(*command, *options)
    assert ended.status == 2, ended.said
    assert options[0] in ended.stderr
    assert "s3cret" not in ended.said
    assert list(program.directory.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "provider"),
    [({"MINE_API_KEY": "s3cret-K\u20acy"}, "mine"), ({"TOGETHER_API_KEY": "s3cret\x01"}, "together")],
)
def test_a_key_of_the_environment_that_cannot_be_sent_is_told_and_nothing_is_sent_without_it(
    program: Program, environment: dict[str, str], provider: str
) -> None:
    """Also where the endpoint would take requests without a key, and where there is no other provider."""
    program.environment.update(environment)
    with LoopbackServer() as server:
        program.configure("".join(section(name, server.url(name)) for name in ("mistral", "mine", "together")))
        alone = program.run("--target", "1")
        assert alone.status == 3, alone.said
        assert f"{provider}: the environment variable {next(iter(environment))} holds no key: character" in alone.said
        assert server.received == []
        assert not (program.directory / "data").exists()
        program.environment["MISTRAL_API_KEY"] = "key-of-mistral"
        ended = program.run("--target", "1")
        assert {received.provider for received in server.received} == {"mistral"}
    assert ended.status == 0, ended.said
    assert f"Not used: {provider}: the environment variable" in ended.stderr
    assert "s3cret" not in ended.said + alone.said


# Help.


def test_help_names_every_option_and_the_exit_status(program: Program) -> None:
    ended = program.run("--help")
    assert ended.status == 0
    for option in OPTIONS:
        assert option in ended.stdout
    assert "Exit status" in ended.stdout
    assert list(program.directory.iterdir()) == []


def test_the_documentation_names_every_option() -> None:
    page = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [option for option in OPTIONS if option not in page] == []


def test_version_prints_the_version(program: Program) -> None:
    ended = program.run("--version")
    assert ended.status == 0
    assert ended.stdout.startswith("apep-datagen 0.")
