"""The configuration: what is right is read, and every mistake is told with its file, its key and what is allowed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.cli.values import parse_exchanges
from apep_datagen.config.settings import DEFAULT_MIX, Settings
from apep_datagen.config.settings_file import BUILT_IN_PROVIDERS, load_settings
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import ModelRole
from apep_datagen.people.scenario import Ability

# The example of the design, word for word but for the one URL that it leaves out.
EXAMPLE = """
[generation]
target = 5000
exchanges = [1, 1]            # least and most exchanges in a conversation

[providers.mistral]
model = "mistral-large-latest"
requests_per_second = 1.0
tokens_per_minute = 500_000
tokens_per_month = 1_000_000_000
base_url = "https://api.mistral.ai"                # optional, for any provider

[providers.mistral.models]    # optional: another model for a role
tester = "mistral-small-latest"

[providers.ollama]            # any other name is an OpenAI-compatible endpoint
kind = "openai"
base_url = "http://localhost:11434/v1"
model = "qwen3:8b"
"""


def load(
    path: Path | None,
    *,
    generation: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    quality: dict[str, Any] | None = None,
    models: dict[str, str] | None = None,
    rates: dict[str, float] | None = None,
) -> Settings:
    return load_settings(
        path,
        generation=generation or {},
        budget=budget or {},
        quality=quality or {},
        models=models or {},
        rates=rates or {},
    )


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None, **options: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, **options)
    return str(caught.value)


# What is right.


def test_the_example_of_the_design_loads(tmp_path: Path) -> None:
    settings = load(write(tmp_path, EXAMPLE))
    assert (settings.generation.target, settings.generation.exchanges) == (5000, (1, 1))
    mistral, ollama = settings.providers["mistral"], settings.providers["ollama"]
    assert (mistral.requests_per_second, mistral.tokens_per_minute) == (1.0, 500_000)
    assert mistral.tokens_per_month == 1_000_000_000
    assert mistral.model_for(ModelRole.TESTER) == "mistral-small-latest"
    assert mistral.model_for(ModelRole.ADA) == "mistral-large-latest"
    assert (ollama.kind, ollama.base_url, ollama.model) == ("openai", "http://localhost:11434/v1", "qwen3:8b")


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None)
    assert (settings.generation.target, settings.generation.exchanges) == (5000, (1, 4))
    assert settings.roles.rewriter.when == "needed"
    assert list(settings.providers) == list(BUILT_IN_PROVIDERS)
    assert settings.providers["huggingface"].requests_per_second == 0.5
    assert settings.providers["mistral"].model == "mistral-large-latest"


def test_the_file_of_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("apep-datagen.toml").write_text("[generation]\ntarget = 7\n", encoding="utf-8")
    assert load(None).generation.target == 7


def test_options_win_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE + "\n[roles.ada]\ntemperature = 0.1\n")
    settings = load(
        path,
        generation={"target": 9, "exchanges": (2, 4), "seed": None},
        models={"mistral": "other", "ollama": "qwen3:1b"},
        rates={"mistral": 2.5},
    )
    assert (settings.generation.target, settings.generation.exchanges) == (9, (2, 4))
    assert (settings.providers["mistral"].model, settings.providers["mistral"].requests_per_second) == ("other", 2.5)
    assert settings.providers["ollama"].model == "qwen3:1b"


def test_a_role_keeps_the_defaults_that_are_not_overridden(tmp_path: Path) -> None:
    ada = load(write(tmp_path, "[roles.ada]\ntemperature = 0.1\n")).roles.of(ModelRole.ADA)
    assert (ada.temperature, ada.max_tokens) == (0.1, 1500)


def test_a_provider_keeps_the_defaults_that_are_not_overridden(tmp_path: Path) -> None:
    mistral = load(write(tmp_path, "[providers.mistral]\ntokens_per_minute = 7\n")).providers["mistral"]
    assert (mistral.tokens_per_minute, mistral.requests_per_second) == (7, 1.0)


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_a_seed_is_any_number_that_the_database_can_hold(tmp_path: Path, seed: int) -> None:
    assert load(write(tmp_path, f"[generation]\nseed = {seed}")).generation.seed == seed
    assert load(write(tmp_path, ""), generation={"seed": seed}).generation.seed == seed


@pytest.mark.parametrize(("text", "pair"), [("3", (3, 3)), ("1-4", (1, 4)), (" 2 - 2 ", (2, 2))])
def test_exchanges_are_one_number_or_two(text: str, pair: tuple[int, int]) -> None:
    assert parse_exchanges(text) == pair


# What is wrong.


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1-2-3", "1.5", "1000", "1..4"])
def test_other_exchanges_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--exchanges .*: write MIN-MAX, e\.g\. --exchanges 1-4"):
        parse_exchanges(text)


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        # Unknown keys.
        ("[generate]", "generate", "generation, budget, roles, quality, scenarios, providers"),
        ("[generation]\ntraget = 5", "generation.traget", "target, exchanges, seed, max_tool_rounds, timeline_length"),
        ("[roles.narrator]", "roles.narrator", "tester, ada, rewriter"),
        ("[roles.ada]\ntop_p = 1", "roles.ada.top_p", "temperature, max_tokens"),
        ("[providers.mistral]\nrps = 1", "providers.mistral.rps", "requests_per_second"),
        ("[providers.mistral]\napi_key = 'secret'", "providers.mistral.api_key", "base_url"),
        ("[providers.mistral.models]\nnarrator = 'x'", "providers.mistral.models.narrator", "tester, ada, rewriter"),
        # Wrong types.
        ("generation = 5", "generation", "dictionary"),
        ("[generation]\ntarget = '5'", "generation.target", "integer"),
        ("[generation]\ntarget = 5.0", "generation.target", "integer"),
        ("[generation]\ntarget = true", "generation.target", "integer"),
        ("[generation]\nexchanges = 3", "generation.exchanges", "tuple"),
        ("[generation]\nexchanges = [1]", "generation.exchanges", "required"),
        ("[generation]\nexchanges = [1, 2, 3]", "generation.exchanges", "at most 2"),
        ("[roles]\nada = 1", "roles.ada", "dictionary"),
        ("providers = 1", "providers", "[providers.mistral]"),
        ("providers.mistral = 1", "providers", "[providers.mistral]"),
        ("[providers.mistral]\nmodel = 1", "providers.mistral.model", "string"),
        ("[providers.mistral]\nkind = 'anthropic'", "providers.mistral.kind", "'openai'"),
        ("[providers.mistral]\nkind = ['openai']", "providers.mistral.kind", "'openai'"),
        # Impossible values.
        ("[generation]\ntarget = 0", "generation.target", "greater than or equal to 1"),
        ("[generation]\ntarget = -5", "generation.target", "greater than or equal to 1"),
        ("[generation]\nexchanges = [0, 1]", "generation.exchanges.0", "greater than or equal to 1"),
        ("[generation]\nexchanges = [1, 51]", "generation.exchanges.1", "less than or equal to 50"),
        ("[generation]\nexchanges = [4, 1]", "generation.exchanges", "the least number is larger than the most"),
        ("[generation]\nseed = -1", "generation.seed", "greater than or equal to 0"),
        ("[generation]\nseed = 9223372036854775808", "generation.seed", "does not fit into 64 bits"),
        ("[generation]\nmax_tool_rounds = -1", "generation.max_tool_rounds", "greater than or equal to 0"),
        ("[roles.ada]\ntemperature = 2.1", "roles.ada.temperature", "less than or equal to 2"),
        ("[roles.ada]\ntemperature = nan", "roles.ada.temperature", "than or equal to"),
        ("[roles.ada]\nmax_tokens = 0", "roles.ada.max_tokens", "greater than or equal to 16"),
        ("[providers.mistral]\nmodel = ''", "providers.mistral.model", "at least 1 character"),
        ("[providers.mistral]\nbase_url = 'api.mistral.ai'", "providers.mistral.base_url", "https?://"),
        ("[providers.mistral]\nrequests_per_second = 0", "providers.mistral.requests_per_second", "greater than 0"),
        ("[providers.mistral]\nrequests_per_second = inf", "providers.mistral.requests_per_second", "less than"),
        ("[providers.mistral]\nrequests_per_second = nan", "providers.mistral.requests_per_second", "than"),
        ("[providers.mistral]\ntokens_per_minute = 0", "providers.mistral.tokens_per_minute", "greater than or equal"),
        ("[providers.mistral]\nmax_in_flight = 0", "providers.mistral.max_in_flight", "greater than or equal to 1"),
        ("[providers.mistral]\ntimeout_seconds = 0", "providers.mistral.timeout_seconds", "greater than 0"),
        # Incomplete and misnamed endpoints.
        ("[providers.ollama]\nmodel = 'x'", "providers.ollama", "kind is missing; for an OpenAI-compatible endpoint"),
        ("[providers.ollama]\nkind = 'openai'\nmodel = 'x'", "providers.ollama", "base_url is missing; write e.g."),
        ("[providers.o]\nkind = 'openai'\nbase_url = 'http://x'", "providers.o", "model is missing; write e.g."),
        ("[providers.Ollama]\nkind = 'openai'", "providers.Ollama", "lower-case letters, digits, - and _"),
    ],
)
def test_a_mistake_is_told_with_its_file_its_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, allowed: str
) -> None:
    path = write(tmp_path, text)
    message = refusal(path)
    assert re.match(rf"{re.escape(f'{path}: {key}')}\b", message), message
    assert allowed in message
    assert "\n" not in message


def test_the_value_of_an_unknown_key_is_not_shown(tmp_path: Path) -> None:
    assert "s3cret" not in refusal(write(tmp_path, "[providers.mistral]\napi_key = 's3cret'"))


@pytest.mark.parametrize(
    "line",
    [
        "base_url = 'https//user:s3cret@host'",
        "base_url = 'https://user:s3cret@host:70000/v1'",
        "base_url = 'https://host:port/v1?key=s3cret'",
        "base_url = 'https://[s3cret'",
        "base_url = 'https://s3cret\u2100host/'",  # urllib quotes such a host, which would be another one
        "base_url = 'https:///v1?key=s3cret'",
        "base_url = 'https://host/s3cret\u200b'",
        "base_url = ['https://host', 's3cret']",
        "requests_per_second = 's3cret'",
        "models = 's3cret'",
        "models.ada = ['s3cret']",
        'model = "s3cret\\u0007"',
        "kind = 's3cret'",
        "prices.m = 's3cret'",
    ],
)
@pytest.mark.parametrize("name", ["mistral", "mine"])
def test_a_text_that_can_hold_a_key_is_not_quoted(tmp_path: Path, name: str, line: str) -> None:
    kind = "" if name == "mistral" or line.startswith("kind") else "kind = 'mistral'\nmodel = 'm'\n"
    kind = "" if line.startswith("model =") else kind
    message = refusal(write(tmp_path, f"[providers.{name}]\n{kind}{line}"))
    assert f"providers.{name}" in message
    assert "s3cret" not in message


@pytest.mark.parametrize("port", ["65536", "0", "-1", "1e3", "99999999999999999999"])
def test_a_port_that_there_is_not_is_refused(tmp_path: Path, port: str) -> None:
    message = refusal(write(tmp_path, f"[providers.mistral]\nbase_url = 'http://127.0.0.1:{port}/v1'"))
    assert "providers.mistral.base_url: it has to be a host, with a port from 1 to 65535" in message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:65535", "https://[::1]:1/v1", "http://localhost", "https://user:key@host/v1?key=key#x"]
)
def test_an_address_is_read(tmp_path: Path, url: str) -> None:
    assert load(write(tmp_path, f"[providers.mistral]\nbase_url = '{url}'")).providers["mistral"].base_url == url


INTEGERS = [
    "generation.target",
    "generation.seed",
    "generation.timeline_length",
    "generation.max_tool_rounds",
    "budget.max_requests",
    "budget.max_tokens",
    "roles.ada.max_tokens",
    "providers.mistral.tokens_per_minute",
    "providers.mistral.tokens_per_month",
    "providers.mistral.max_in_flight",
]


@pytest.mark.parametrize("key", INTEGERS)
@pytest.mark.parametrize(
    "value", ["9223372036854775808", "0xffffffffffffffffffff", "9" * 400, "9" * 5_000, "-" + "9" * 99]
)
def test_an_integer_that_no_database_holds_is_refused(tmp_path: Path, key: str, value: str) -> None:
    message = refusal(write(tmp_path, f"{key} = {value}"))
    assert message.startswith(f"{tmp_path / 'config.toml'}: ")
    assert key in message or "an integer has thousands of digits" in message
    assert len(message) < 400


@pytest.mark.parametrize("value", [2**53, 2**63, 10**400])
@pytest.mark.parametrize("key", ["target", "seed", "max_requests", "max_tokens"])
def test_an_option_that_no_database_holds_is_refused(tmp_path: Path, key: str, value: int) -> None:
    if key == "seed":
        value = max(value, 2**63)
    section = "generation" if key in ("target", "seed") else "budget"
    message = refusal(write(tmp_path, ""), **{section: {key: value}})
    assert message.startswith(f"--{key.replace('_', '-')}: Input should be less than")
    assert len(message) < 200


@pytest.mark.parametrize("key", ["budget.max_usd", "generation.grace_seconds", "providers.mistral.timeout_seconds"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e308"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, key: str, value: str) -> None:
    assert f"{key}: Input should be" in refusal(write(tmp_path, f"{key} = {value}"))


@pytest.mark.parametrize("days", ["first_day = 0001-01-01", "last_day = 9999-12-31", "first_day = 1899-12-31"])
def test_days_that_no_timeline_can_go_on_from_are_refused(tmp_path: Path, days: str) -> None:
    assert "from 1900 to 2999" in refusal(write(tmp_path, f"[scenarios]\n{days}"))


def test_every_mistake_is_told_on_a_line_of_its_own(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "[generation]\ntarget = 0\nseed = -1\nx = 1"))
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize(
    ("generation", "option"),
    [
        ({"target": 0}, "--target"),
        ({"exchanges": (0, 2)}, "--exchanges"),
        ({"exchanges": (4, 1)}, "--exchanges"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_an_impossible_option_is_told_as_the_option(tmp_path: Path, generation: dict[str, Any], option: str) -> None:
    assert refusal(write(tmp_path, ""), generation=generation).startswith(f"{option}: ")


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_rate_is_refused(tmp_path: Path, rate: float) -> None:
    assert "the rate must be a number above 0" in refusal(write(tmp_path, ""), rates={"mistral": rate})


def test_an_option_for_an_unknown_provider_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE)
    for options in ({"models": {"mistrall": "x"}}, {"rates": {"mistrall": 1.0}}):
        message = refusal(path, **options)
        assert "there is no provider of the name that was given (did you mean mistral?)" in message
        assert "mistral, together, huggingface, local, ollama" in message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.toml") == f"{tmp_path / 'no.toml'}: there is no such file; check --config"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"{tmp_path}: the configuration cannot be read")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe[\x00")
    assert "the configuration cannot be read" in refusal(tmp_path / "config.toml")


@pytest.mark.parametrize("text", ["[generation", "target = ", "a = 1\na = 2", "x = " + "[" * 5_000])
def test_invalid_toml_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    assert refusal(path).startswith(f"{path}: no valid TOML")


KEYS = ["generation", "target", "exchanges", "roles", "ada", "providers", "mistral", "kind", "models", "base_url", "x"]
TOML = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.just("openai")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=12,
)


def spell(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {spell(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spell, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return repr(value)


@given(st.dictionaries(st.sampled_from(KEYS), TOML, max_size=4))
@example({"providers": {"mistral": {"kind": {}}}})
def test_whatever_a_file_says_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(f"{key} = {spell(value)}" for key, value in values.items()), encoding="utf-8")
    message = str(path)
    try:
        load(path)
    except SettingsError as error:
        message = str(error)
    assert message.startswith(str(path))


def test_a_level_of_quality_that_there_is_not_is_told_as_the_option_or_the_key(tmp_path: Path) -> None:
    allowed = "Input should be 'off', 'form' or 'strict'"
    assert refusal(None, quality={"level": "best"}) == f"--quality: {allowed} (it is 'best')"
    path = write(tmp_path, '[quality]\nlevel = "best"\n')
    assert refusal(path) == f"{path}: quality.level: {allowed} (it is 'best')"


def test_a_share_that_is_not_given_keeps_its_default(tmp_path: Path) -> None:
    shares = load(write(tmp_path, "[scenarios.mix]\nshare = 0\nadvice = 33.5\n")).scenarios.shares
    assert (shares[Ability.SHARE], shares[Ability.ADVICE]) == (0, 33.5)
    assert shares[Ability.RECALL] == DEFAULT_MIX[Ability.RECALL]


def test_an_unknown_ability_a_mix_of_nothing_and_days_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    assert "there is no ability shar; there are share, update" in refusal(
        write(tmp_path, "[scenarios.mix]\nshar = 1\n")
    )
    nothing = "".join(f"{ability.value} = 0\n" for ability in Ability)
    assert "all shares are 0" in refusal(write(tmp_path, f"[scenarios.mix]\n{nothing}"))
    assert "first_day is after last_day" in refusal(write(tmp_path, "[scenarios]\nlast_day = 2020-01-01\n"))


@pytest.mark.parametrize("name", ["a" * 300, "file/c.toml"])
def test_a_configuration_whose_path_cannot_be_looked_at_is_told_as_one_that_cannot_be_read(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="the configuration cannot be read"):
        load_settings(tmp_path / name)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            'max_tokens_parameter = "max_output"\nextra_body = { max_output = 9_999 }',
            "it cannot stand in extra_body as well",
        ),
        ('max_tokens_parameter = "messages"', "max_tokens_parameter cannot be messages"),
        ('max_tokens_parameter = "temperature"', "max_tokens_parameter cannot be temperature"),
    ],
)
def test_no_parameter_takes_the_place_of_what_budgets_count_on(tmp_path: Path, keys: str, words: str) -> None:
    assert words in refusal(write(tmp_path, f"[providers.mistral]\n{keys}\n"))


@pytest.mark.parametrize("value", ['""', "1", "true", '"x"', "{}"])
@pytest.mark.parametrize("name", ["Authorization: Bearer s3cret-K3y", "Bearer s3cret-K3y", " s3cret-K3y"])
def test_a_key_in_the_name_of_a_header_is_not_told(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "apep-datagen.toml"
    path.write_text(f'[providers.mistral.extra_headers]\n"{name}" = {value}\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"providers\.mistral\.extra_headers") as told:
        load_settings(path)
    assert "s3cret" not in str(told.value)
