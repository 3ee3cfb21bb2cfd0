"""Which providers an invocation uses, and what those lack that it cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apep_datagen.config.secrets import KEY_SOURCES, Secrets
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import NoUsableProviderError, SettingsError
from apep_datagen.core.suggestions import ask_for_nearest

__all__ = ["ProviderChoice", "choose_providers"]

_KINDS_WITHOUT_KEY = ("openai", "local")


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """Providers that were asked for.

    Attributes:
        keys: Their API keys, by name; None where there is none.
        missing: What those lack that cannot be sent anything, by name.
        secrets_path: The file of the keys.
    """

    keys: Mapping[str, str | None]
    missing: Mapping[str, str]
    secrets_path: Path


def choose_providers(
    option: str | None, secrets: Secrets, settings: Settings, *, purpose: Literal["run", "plan", "check"]
) -> ProviderChoice:
    """Return the providers that are asked for, with what some of them lack.

    Args:
        option: What `--providers` names; None for those that the secrets enable.
        secrets: The keys.
        settings: The configuration.
        purpose: To `run`, those that requests can be sent to are chosen; to `plan` and to `check`, all.

    Raises:
        SettingsError: `--providers` names an unknown one.
        NoUsableProviderError: None can be sent anything, or, to `plan`, none is named. On a first start of a run, a
            template for the keys is written.
    """
    choice = _choose(option, secrets, settings)
    usable = {name: key for name, key in choice.keys.items() if name not in choice.missing}
    if purpose == "run" and not usable and not secrets.exists and not any(map(secrets.is_unfit, choice.keys)):
        secrets.write_template()
        raise NoUsableProviderError(_welcome(secrets.path))
    if not (choice.keys if purpose == "plan" else usable):
        raise _no_provider(choice, secrets)
    return replace(choice, keys=usable) if purpose == "run" else choice


def _choose(option: str | None, secrets: Secrets, settings: Settings) -> ProviderChoice:
    names = secrets.enabled_providers if option is None else _read_names(option, settings)
    keys = {name: secrets.key_for(name) for name in names}
    missing = {
        name: secrets.what_is_missing(name)
        for name, key in keys.items()
        if key is None and (secrets.is_unfit(name) or settings.providers[name].kind not in _KINDS_WITHOUT_KEY)
    }
    return ProviderChoice(keys, missing, secrets.path)


def _read_names(option: str, settings: Settings) -> list[str]:
    """Read what `--providers` names."""
    names = [name.strip() for name in option.split(",") if name.strip()]
    for number, name in enumerate(names, start=1):
        if name not in settings.providers:
            # It is not quoted, as it may be a key that was put into the wrong place.
            raise SettingsError(
                f"--providers: name {number} is no provider{ask_for_nearest(name, settings.providers)}; there are"
                f" {', '.join(settings.providers)}; any other OpenAI-compatible endpoint gets a section"
                " [providers.NAME] in apep-datagen.toml"
            )
    return names


def _no_provider(choice: ProviderChoice, secrets: Secrets) -> NoUsableProviderError:
    if choice.missing:
        detail = [f"  {name}: {what}" for name, what in choice.missing.items()]
    elif secrets.exists:
        detail = [f'  {secrets.path}: enabled_providers is empty; name one, e.g. ["mistral"]']
    else:
        detail = ["  there are no API keys yet; name providers, e.g. --providers mistral"]
    return NoUsableProviderError(
        "\n".join(["No API clients initialized", *detail, "To try the program without any key: --providers local"])
    )


def _welcome(path: Path) -> str:
    sources = "\n".join(f"  {name}: {url}" for name, url in KEY_SOURCES.items())
    return (
        f"No API clients initialized: there are no API keys yet.\n"
        f"A template was written to {path}; put at least one key into it, and its provider into enabled_providers.\n"
        f"Keys come from\n{sources}\n"
        "To try the program without any key: apep-datagen --providers local --target 5"
    )
