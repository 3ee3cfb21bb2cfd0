"""Reading `apep-datagen.toml`, with the built-in providers below it and the options over it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import parse_toml, read_text, validate
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.suggestions import ask_for_nearest

__all__ = ["BUILT_IN_PROVIDERS", "DEFAULT_CONFIG", "load_settings"]

DEFAULT_CONFIG = Path("apep-datagen.toml")

# Defaults of the built-in providers. The limits are those of the free tiers, or what is safe where a limit is dynamic:
# https://docs.mistral.ai/deployment/ai-studio/tier, https://docs.together.ai/docs/rate-limits,
# https://huggingface.co/docs/inference-providers/pricing. They move; the configuration file overrides them.
BUILT_IN_PROVIDERS: dict[str, dict[str, Any]] = {
    "mistral": {"model": "mistral-large-latest", "requests_per_second": 1.0, "tokens_per_minute": 500_000},
    "together": {"model": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "requests_per_second": 1.0},
    "huggingface": {"model": "meta-llama/Llama-3.3-70B-Instruct", "requests_per_second": 0.5},
    # As many at once as llama.cpp has slots (`providers.local.SLOTS`); each takes the processor that there is.
    "local": {"model": "smollm2", "max_in_flight": 2},
}
_DEFAULT_IN_FLIGHT_WITHOUT_RATE = 4


def load_settings(
    config: Path | None,
    *,
    generation: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | None = None,
    roles: Mapping[str, Mapping[str, Any]] | None = None,
    models: Mapping[str, str] | None = None,
    rates: Mapping[str, float] | None = None,
) -> Settings:
    """Read the configuration file and put the options over it.

    Args:
        config: The file; None for `apep-datagen.toml` if that exists.
        generation: Keys of `[generation]` that were given as options; None is not given.
        budget: The same for `[budget]`.
        quality: The same for `[quality]`.
        roles: The same for `[roles.ROLE]`, by role.
        models: Model by provider, from `--model`.
        rates: Requests per second by provider, from `--rps`.

    Raises:
        SettingsError: The file is missing or no TOML, or a key is unknown, of a wrong type or impossible.
    """
    models, rates = models or {}, rates or {}
    path = config or DEFAULT_CONFIG
    values = _read(path) if config is not None or os.path.lexists(path) else {}
    providers = values.get("providers", {})
    if not isinstance(providers, dict) or not all(isinstance(section, dict) for section in providers.values()):
        raise SettingsError(f"{path}: providers: write one section for each, e.g. [providers.mistral]")
    for name in (*models, *rates):
        if name not in BUILT_IN_PROVIDERS and name not in providers:
            known = dict.fromkeys([*BUILT_IN_PROVIDERS, *providers])
            option = "--model" if name in models else "--rps"
            raise SettingsError(
                f"{option} PROVIDER=…: there is no provider of the name that was given{ask_for_nearest(name, known)};"
                f" there are {', '.join(known)}, and what has a section [providers.NAME] in {path}"
            )
    for name, rate in rates.items():
        if not 0 < rate < math.inf:
            raise SettingsError(f"--rps {name}={rate:g}: the rate must be a number above 0")
    values["providers"] = {
        name: _provider_values(path, name, providers.get(name, {}), models.get(name), rates.get(name))
        for name in dict.fromkeys([*BUILT_IN_PROVIDERS, *providers])
    }
    given: dict[str, str] = {}
    for key, options in (("generation", generation), ("budget", budget), ("quality", quality)):
        chosen = {name: value for name, value in (options or {}).items() if value is not None}
        section = values.get(key, {})
        values[key] = {**section, **chosen} if isinstance(section, dict) else section
        given |= {f"{key}.{name}": _option(name) for name in chosen}
    _put_over_roles(values, roles or {})
    settings = validate(Settings, values, str(path), options=given)
    _check_roles(settings, path, roles or {})
    _check_reviewer(settings, path, roles or {})
    return settings


def _put_over_roles(values: dict[str, Any], options: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the options for roles over what the file says of them; what is no table there is left to be refused."""
    sections = values.setdefault("roles", {})
    if not isinstance(sections, dict):
        return
    for role, given in options.items():
        chosen = {key: value for key, value in given.items() if value is not None}
        section = sections.get(role, {})
        if chosen and isinstance(section, dict):
            sections[role] = {**section, **chosen}


def _check_roles(settings: Settings, path: Path, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse names of a role that are no provider's. They are not quoted, as one may be a key in the wrong place."""
    for role in ModelRole:
        is_option = bool(options.get(role.value, {}).get("providers"))
        place = f"--role {role.value}=…" if is_option else f"{path}: roles.{role.value}.providers"
        for number, name in enumerate(settings.roles.of(role).providers or (), start=1):
            if name not in settings.providers:
                raise SettingsError(
                    f"{place}: name {number} is no provider{ask_for_nearest(name, settings.providers)}; there are"
                    f" {', '.join(settings.providers)}, and what has a section [providers.NAME] in {path}"
                )


def _check_reviewer(settings: Settings, path: Path, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse an option that names reviewers where nothing is reviewed."""
    reviewer = ModelRole.REVIEWER.value
    if options.get(reviewer, {}).get("providers") and not settings.roles.reviewer.is_asked:
        raise SettingsError(
            f'--role {reviewer}=…: nothing is reviewed; [roles.{reviewer}] in {path} has to say when = "accepted"'
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_text(path, "the configuration"), str(path))
    except SettingsError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise SettingsError(f"{path}: there is no such file; check --config") from error
        raise


def _option(key: str) -> str:
    """Return the option that gives a key."""
    named = {"level": "--quality", "patience_seconds": "--patience"}
    return named.get(key, f"--{key.replace('_', '-')}")


def _provider_values(
    path: Path, name: str, section: dict[str, Any], model: str | None, rate: float | None
) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise SettingsError(f"{path}: providers.{name}: a provider's name is lower-case letters, digits, - and _")
    values = {**BUILT_IN_PROVIDERS.get(name, {}), **section}
    if name in BUILT_IN_PROVIDERS:
        values.setdefault("kind", name)
    elif "kind" not in values:
        raise SettingsError(
            f'{path}: providers.{name}: kind is missing; for an OpenAI-compatible endpoint write kind = "openai"'
        )
    if model is not None and model != values.get("model"):
        # The price that was given is the other model's.
        price = values.pop("price_per_million_tokens", None)
        if price is not None and isinstance(values.get("prices", {}), dict):
            values["prices"] = {values.get("model", ""): price, **values.get("prices", {})}
        values["model"] = model
    if rate is not None:
        values["requests_per_second"] = rate
    if values["kind"] == "openai":
        for key, example in (("base_url", "http://localhost:11434/v1"), ("model", "qwen3:8b")):
            if key not in values:
                raise SettingsError(f'{path}: providers.{name}: {key} is missing; write e.g. {key} = "{example}"')
        if "requests_per_second" not in values:
            values.setdefault("max_in_flight", _DEFAULT_IN_FLIGHT_WITHOUT_RATE)
    return values
