"""Reading what an invocation is told: the configuration with the options over it, the keys, the prompts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

from apep_datagen.config.provider_choice import providers_to_plan, providers_to_run
from apep_datagen.config.run_plan import RunPlan
from apep_datagen.config.secrets import DEFAULT_SECRETS, Secrets, load_secrets
from apep_datagen.config.settings import DEFAULT_OUTPUT, Settings, load_settings
from apep_datagen.conversation.prompts import load_prompts
from apep_datagen.core.errors import SettingsError
from apep_datagen.people.cast import load_cast

__all__ = ["read_plan", "read_secrets", "read_settings"]


def read_settings(
    config: Path | None,
    *,
    generation: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    quality: dict[str, Any] | None = None,
    models: list[str] | None = None,
    rates: list[str] | None = None,
) -> Settings:
    """Read the configuration file and put the options over it.

    Args:
        config: The file; None for `apep-datagen.toml` if that exists.
        generation: Keys of `[generation]` that are options; None is not given.
        budget: The same for `[budget]`.
        quality: The same for `[quality]`.
        models: What `--model` says, as `PROVIDER=MODEL`.
        rates: What `--rps` says, as `PROVIDER=N`.

    Raises:
        SettingsError: The file or an option cannot be used.
        typer.BadParameter: `--model` or `--rps` is no such pair.
    """
    return load_settings(
        config,
        generation=generation or {},
        budget=budget or {},
        quality=quality or {},
        models=_pairs("--model", models),
        rates={name: _rate(name, value) for name, value in _pairs("--rps", rates).items()},
    )


def read_secrets(path: Path | None, settings: Settings) -> Secrets:
    """Read the API keys of the configured providers.

    Args:
        path: What `--secrets` says.
        settings: The configuration.

    Raises:
        SettingsError: The file cannot be used.
    """
    return load_secrets(path or DEFAULT_SECRETS, tuple(settings.providers), os.environ)


def read_plan(
    settings: Settings,
    *,
    sends: bool,
    providers: str | None,
    output: Path | None,
    secrets_file: Path | None,
    prompts: Path | None,
    reset_tools: bool,
    log_file: Path | None,
    log_text: bool,
) -> RunPlan:
    """Read everything that a run depends on; all but the first two arguments are options.

    Args:
        settings: The configuration, with the options over it.
        sends: Whether requests will be sent; else providers without a key will do.
        providers: `--providers`.
        output: `--output`.
        secrets_file: `--secrets`.
        prompts: `--prompts`.
        reset_tools: `--reset-tools`.
        log_file: `--log-file`.
        log_text: `--log-text`.

    Raises:
        SettingsError: An option, the secrets file or a prompt cannot be used.
        NoUsableProviderError: No provider can be used.
    """
    secrets = read_secrets(secrets_file, settings)
    choose = providers_to_run if sends else providers_to_plan
    plan = RunPlan(
        settings=settings,
        providers=choose(providers, secrets, settings),
        output=output or DEFAULT_OUTPUT,
        ledger=secrets.path.with_name("ledger.db"),
        prompts=load_prompts(prompts),
        cast=load_cast(prompts),
        reset_tools=reset_tools,
        log_file=log_file,
        log_text=log_text,
    )
    if plan.output.is_dir():
        raise SettingsError(f"--output {plan.output}: this is a directory; name a file in it")
    return plan


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    pairs = {}
    for value in values or []:
        name, separator, rest = value.partition("=")
        if not separator or not name.strip() or not rest.strip():
            raise typer.BadParameter(f"{value!r} is not PROVIDER=VALUE", param_hint=option)
        pairs[name.strip()] = rest.strip()
    return pairs


def _rate(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise SettingsError(f"--rps {name}={value}: the rate must be a number, e.g. --rps {name}=2.5") from error
