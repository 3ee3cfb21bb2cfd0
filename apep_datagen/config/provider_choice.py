"""Which providers an invocation uses, and what those lack that it cannot use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apep_datagen.config.secrets import KEY_SOURCES, Secrets
from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import NoUsableProviderError, SettingsError
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.suggestions import ask_for_nearest

__all__ = ["ProviderChoice", "choose_providers"]

_KINDS_WITHOUT_KEY = ("openai", "local")


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """Providers that were asked for.

    Attributes:
        keys: Their API keys, by name; None where there is none.
        missing: What those lack that cannot be sent anything, by name.
        serving: Which of them serve which role.
        secrets_path: The file of the keys.
    """

    keys: Mapping[str, str | None]
    missing: Mapping[str, str]
    secrets_path: Path
    serving: Serving


def choose_providers(
    option: str | None, secrets: Secrets, settings: Settings, *, purpose: Literal["run", "plan", "check", "grow"]
) -> ProviderChoice:
    """Return the providers that are asked for, with what some of them lack.

    These are the providers that `--providers` names; without it, those that a role names, and for roles that name none
    those that the secrets enable.

    Args:
        option: What `--providers` names, or None.
        secrets: The keys.
        settings: The configuration.
        purpose: To `run` and to `grow`, those that requests can be sent to are chosen; to `plan` and to `check`, all.
            To `grow`, Ada's role alone is needed.

    Raises:
        SettingsError: `--providers` names an unknown one, or lacks one that a role names.
        NoUsableProviderError: For a role, or for all, none can be sent anything, or, to `plan`, none is named. On a
            first start of a run, a template for the keys is written.
    """
    choice = _choose(option, secrets, settings, purpose)
    usable = {name: key for name, key in choice.keys.items() if name not in choice.missing}
    sends = purpose in ("run", "grow")
    if sends and not usable and not secrets.exists and not any(map(secrets.is_unfit, choice.keys)):
        secrets.write_template()
        raise NoUsableProviderError(_welcome(secrets.path))
    if not (choice.keys if purpose == "plan" else usable):
        raise _no_provider(choice, secrets)
    if sends:
        serving = choice.serving
        for name in choice.missing:
            serving = serving.without(name)
        choice = replace(choice, keys=usable, serving=serving)
    if purpose != "check" and (lacking := [role for role in choice.serving.needed if role in choice.serving.unserved]):
        raise NoUsableProviderError(_no_provider_for(lacking, choice.missing))
    return choice


def _choose(option: str | None, secrets: Secrets, settings: Settings, purpose: str) -> ProviderChoice:
    needed = (ModelRole.ADA,) if purpose == "grow" else settings.roles.needed
    named = {role: names for role in needed if (names := settings.roles.of(role).providers)}
    if option is None:
        others = secrets.enabled_providers if len(named) < len(needed) else ()
        names = tuple(dict.fromkeys([*others, *(name for names in named.values() for name in names)]))
    else:
        others = names = tuple(dict.fromkeys(_read_names(option, settings)))
        if purpose in ("run", "plan"):
            _require_named(names, named)
        elif purpose == "check":
            chosen = {role: tuple(name for name in wanted if name in names) for role, wanted in named.items()}
            named = {role: present for role, present in chosen.items() if present}
        else:
            named = {}
    by_role = dict.fromkeys(needed, others) | named
    if purpose != "check":  # what no role is left for has nothing to do
        names = tuple(name for name in names if any(name in serving for serving in by_role.values()))
    # What an earlier invocation began may need a role that is off now: who is named for it serves it, if it is here.
    of_old = {
        role: tuple(name for name in settings.roles.of(role).providers or names if name in names) or names
        for role in ModelRole
    }
    serving = Serving(needed, of_old | by_role)
    keys = {name: secrets.key_for(name) for name in names}
    missing = {
        name: secrets.what_is_missing(name)
        for name, key in keys.items()
        if key is None and (secrets.is_unfit(name) or settings.providers[name].kind not in _KINDS_WITHOUT_KEY)
    }
    return ProviderChoice(keys, missing, secrets.path, serving)


def _require_named(names: Collection[str], named: Mapping[ModelRole, Collection[str]]) -> None:
    """Refuse `--providers` that lacks a provider which a role names."""
    for role, wanted in named.items():
        for name in wanted:
            if name not in names:
                raise SettingsError(
                    f"--providers: {name} is not among them, which serves the role {role.value} (--role {role.value}=…,"
                    f" or providers in [roles.{role.value}]); name it as well, or another one for the role"
                )


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


def _no_provider_for(roles: Iterable[ModelRole], missing: Mapping[str, str]) -> str:
    names = [role.value for role in roles]
    detail = [f"  {name}: {what}" for name, what in missing.items()]
    wrong = f"No provider can be used for {' and '.join(names)}"
    return "\n".join([wrong, *detail, f"Name one for it, e.g. --role {names[0]}=NAME, or others with --providers"])


def _welcome(path: Path) -> str:
    sources = "\n".join(f"  {name}: {url}" for name, url in KEY_SOURCES.items())
    return (
        f"No API clients initialized: there are no API keys yet.\n"
        f"A template was written to {path}; put at least one key into it, and its provider into enabled_providers.\n"
        f"Keys come from\n{sources}\n"
        "To try the program without any key: apep-datagen --providers local --target 5"
    )
