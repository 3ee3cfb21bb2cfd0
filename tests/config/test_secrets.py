"""API keys: where they come from, what is told about one that is missing, and that none is ever shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.secrets import SECRETS_TEMPLATE, Secrets, environment_variable, load_secrets
from apep_datagen.core.errors import SettingsError
from support.paths import REPOSITORY

KNOWN = ("mistral", "together", "huggingface", "local", "my-endpoint")
KEY = "s3cret-K3y"


def write(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "secrets.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def load(path: Path, **environment: str) -> Secrets:
    return load_secrets(path, KNOWN, environment)


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, MISTRAL_API_KEY=KEY)
    return str(caught.value)


# The template.


def test_the_template_is_the_example_of_the_repository() -> None:
    assert (REPOSITORY / "secrets.example.json").read_bytes() == SECRETS_TEMPLATE.encode()


def test_the_template_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.json"
    umask = os.umask(0)
    try:
        load(path).write_template()
    finally:
        os.umask(umask)
    assert path.read_text(encoding="utf-8") == SECRETS_TEMPLATE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_template_never_overwrites_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    secrets = load(path)
    write(tmp_path, {"mistral_api_key": KEY})
    with pytest.raises(SettingsError, match="the template cannot be written"):
        secrets.write_template()
    assert KEY in path.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to be had")
def test_half_a_template_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secrets.json"
    opened = os.open

    def open_on_a_full_disk(name: Path, *arguments: int) -> int:
        os.close(opened(name, *arguments))
        return opened("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", open_on_a_full_disk)
    with pytest.raises(SettingsError, match="No space left on device"):
        load(path).write_template()
    assert not path.exists()


def test_the_template_as_it_is_holds_no_usable_key(tmp_path: Path) -> None:
    secrets = load(write(tmp_path, SECRETS_TEMPLATE))
    assert secrets.enabled_providers == ("mistral",)
    for provider in ("mistral", "together", "huggingface"):
        assert secrets.key_for(provider) is None
        assert "is still the placeholder" in secrets.what_is_missing(provider)


# Keys.


def test_a_key_is_read_without_the_white_space_around_it(tmp_path: Path) -> None:
    secrets = load(write(tmp_path, {"mistral_api_key": f" {KEY}\n", "my-endpoint_api_key": KEY}))
    assert secrets.key_for("mistral") == secrets.key_for("my-endpoint") == KEY


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("mistral", "MISTRAL_API_KEY"),
        ("together", "TOGETHER_API_KEY"),
        ("huggingface", "HF_TOKEN"),
        ("my-endpoint", "MY_ENDPOINT_API_KEY"),
    ],
)
def test_the_environment_wins_over_the_file(tmp_path: Path, provider: str, variable: str) -> None:
    path = write(tmp_path, {f"{provider}_api_key": "from-the-file"})
    assert load(path).key_for(provider) == "from-the-file"
    assert load(path, **{variable: KEY}).key_for(provider) == KEY
    assert environment_variable(provider) == variable


@pytest.mark.parametrize("value", ["", "  ", "your-mistral-api-key", "changeme"])
def test_an_empty_variable_does_not_hide_the_key_of_the_file(tmp_path: Path, value: str) -> None:
    assert load(write(tmp_path, {"mistral_api_key": KEY}), MISTRAL_API_KEY=value).key_for("mistral") == KEY


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, '"mistral_api_key" is missing'),
        ({"mistral_api_key": ""}, '"mistral_api_key" is empty'),
        ({"mistral_api_key": "  "}, '"mistral_api_key" is empty'),
        ({"mistral_api_key": None}, '"mistral_api_key" is empty'),
        ({"mistral_api_key": "your-mistral-api-key"}, '"mistral_api_key" is still the placeholder'),
        ({"mistral_api_key": "YOUR_API_KEY"}, '"mistral_api_key" is still the placeholder'),
        ({"mistral_api_key": "<your key>"}, '"mistral_api_key" is still the placeholder'),
    ],
)
def test_what_is_missing_is_told_with_the_file_the_variable_and_the_source(
    tmp_path: Path, content: dict[str, Any], complaint: str
) -> None:
    path = write(tmp_path, content)
    secrets = load(path)
    assert secrets.key_for("mistral") is None
    message = secrets.what_is_missing("mistral")
    assert message.startswith(f"{complaint} in {path}: ")
    assert "MISTRAL_API_KEY" in message
    assert "https://console.mistral.ai" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("key", "place"),
    [("s3cret-K€y", 9), ("s3cret\nK3y", 7), ("s3cret K3y\x7f", 11), ("ß3cret-K3y", 1), ("s3cret\u200b-K3y", 7)],
)
def test_a_key_that_cannot_be_sent_is_told_by_its_name_and_not_passed_over(
    tmp_path: Path, key: str, place: int
) -> None:
    """The environment's wins over the file's, also where it is the one that cannot be sent."""
    path = write(tmp_path, {"mistral_api_key": key, "together_api_key": KEY})
    in_file, in_environment = load(path), load(path, TOGETHER_API_KEY=key)
    for secrets, provider, name in (
        (in_file, "mistral", f'"mistral_api_key" in {path}'),
        (in_environment, "together", "the environment variable TOGETHER_API_KEY"),
    ):
        assert secrets.key_for(provider) is None
        message = secrets.what_is_missing(provider)
        assert message.startswith(f"{name} holds no key: character {place} of it cannot be sent"), message
        assert "3cret" not in message
    assert in_file.key_for("together") == KEY
    without_file = load(tmp_path / "none.json", MY_ENDPOINT_API_KEY=key)
    assert without_file.enabled_providers == ("my-endpoint",)


def test_without_a_file_the_providers_with_a_key_in_the_environment_are_enabled(tmp_path: Path) -> None:
    secrets = load(tmp_path / "none.json", HF_TOKEN=KEY, TOGETHER_API_KEY="your-together-api-key")
    assert not secrets.exists
    assert secrets.enabled_providers == ("huggingface",)
    assert "is missing" in secrets.what_is_missing("mistral")


def test_enabled_providers_are_kept_in_order_and_once(tmp_path: Path) -> None:
    secrets = load(write(tmp_path, {"enabled_providers": ["together", "mistral", "together"]}))
    assert secrets.exists
    assert secrets.enabled_providers == ("together", "mistral")


# Mistakes.


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no valid JSON"),
        ('{"mistral_api_key": "s3cret-K3y",}', "no valid JSON"),
        ("{'mistral_api_key': 's3cret-K3y'}", "no valid JSON"),
        ('{"mistral_api_key": "s3cret-K3y\n"}', "no valid JSON"),
        ('{"mistral_api_key": s3cret-K3y}', "no valid JSON"),
        ("[" * 100_000, "no valid JSON"),
        ("9" * 5_000, "no valid JSON"),
        ('["s3cret-K3y"]', "must hold a JSON object"),
        ('"s3cret-K3y"', "must hold a JSON object"),
        ({"enabled_providers": "mistral"}, "enabled_providers: must be a list of names"),
        ({"enabled_providers": [1]}, "enabled_providers: must be a list of names"),
        ({"enabled_providers": None}, "enabled_providers: must be a list of names"),
        (
            {"enabled_providers": ["mistrall"]},
            "entry 1 of enabled_providers is no provider (did you mean mistral?); there are mistral,",
        ),
        ({"enabled_providers": ["mistral", "s3cret-K3y"]}, "entry 2 of enabled_providers is no provider; there are m"),
        ({"mistral_api_key": ["s3cret-K3y"]}, "mistral_api_key: must be a text in quotation marks"),
        ({"mistral_api_key": {"key": "s3cret-K3y"}}, "mistral_api_key: must be a text in quotation marks"),
        ({"mistral_api_key": 5}, "mistral_api_key: must be a text in quotation marks"),
        ({"mistral_key": "s3cret-K3y"}, "the name of entry 1 is none that there is (did you mean mistral_api_key?)"),
        ({"mistral": "s3cret-K3y"}, "the name of entry 1 is none that there is (did you mean mistral_api_key?)"),
        (
            {"huggingface_api_key": "", "s3cret-K3y": "huggingface_api_key"},
            "the name of entry 2 is none that there is;",
        ),
        ({"_api_key": "s3cret-K3y"}, "the name of entry 1 is none that there is"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key_and_without_the_secret(
    tmp_path: Path, content: Any, complaint: str
) -> None:
    path = write(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: {complaint}")
    assert "s3cret" not in message.removeprefix(str(path))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"{tmp_path}: the secrets cannot be read")
    (tmp_path / "secrets.json").write_bytes(b'{"mistral_api_key": "s3cret-K\xff"}')
    message = refusal(tmp_path / "secrets.json")
    assert "cannot be read" in message
    assert "s3cret" not in message


def test_a_key_that_was_read_is_not_part_of_the_repr(tmp_path: Path) -> None:
    secrets = load(write(tmp_path, {"mistral_api_key": KEY}), HF_TOKEN=KEY)
    assert secrets.key_for("mistral") == secrets.key_for("huggingface") == KEY
    assert KEY not in repr(secrets) + str(secrets) + f"{secrets}"


MARKED_KEY = st.text(st.characters(), max_size=10).map(lambda text: f"{text}s3cret{text}")
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.integers(), MARKED_KEY),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


@given(
    st.one_of(
        st.dictionaries(st.sampled_from([f"{name}_api_key" for name in KNOWN]), MARKED_KEY, min_size=1),
        st.dictionaries(st.sampled_from([*(f"{name}_api_key" for name in KNOWN), "other"]), ANY_JSON, max_size=3),
    ),
    st.dictionaries(st.sampled_from(["MISTRAL_API_KEY", "HF_TOKEN"]), MARKED_KEY),
    st.sampled_from(["", "", ",", '"']),
)
def test_no_key_is_ever_part_of_a_message_or_a_repr(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], environment: dict[str, str], spoiler: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content) + spoiler, encoding="utf-8")
    try:
        secrets = load_secrets(path, KNOWN, environment)
        shown = [repr(secrets), str(secrets), *(secrets.what_is_missing(name) for name in KNOWN)]
    except SettingsError as error:
        shown = [repr(error), str(error)]
    assert not any("s3cret" in text for text in shown)
