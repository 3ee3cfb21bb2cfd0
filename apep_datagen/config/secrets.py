"""API keys and the enabled providers: `data/secrets.json`, or environment variables, which win over it.

No key is ever part of a message: nothing of the file is quoted, as a key can stand anywhere in it. What is meant is
told by its place, and by the nearest name that there is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text
from apep_datagen.core.suggestions import ask_for_nearest

__all__ = ["DEFAULT_SECRETS", "KEY_SOURCES", "SECRETS_TEMPLATE", "Secrets", "environment_variable", "load_secrets"]

DEFAULT_SECRETS = Path("data/secrets.json")

SECRETS_TEMPLATE = """\
{
  "mistral_api_key": "your-mistral-api-key",
  "together_api_key": "your-together-api-key",
  "huggingface_api_key": "your-hugging-face-token",
  "enabled_providers": ["mistral"]
}
"""

# Where a person gets a key.
KEY_SOURCES = {
    "mistral": "https://console.mistral.ai/api-keys",
    "together": "https://api.together.ai/settings/api-keys",
    "huggingface": "https://huggingface.co/settings/tokens",
}

_PLACEHOLDERS = {value.lower() for key, value in json.loads(SECRETS_TEMPLATE).items() if key != "enabled_providers"} | {
    "your-api-key",
    "your_api_key",
    "changeme",
    "...",
    "…",
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys by provider, and which providers to use where no option says so.

    Attributes:
        path: The file that was, or would be, read.
        exists: Whether there is such a file.
        enabled_providers: From the file, or those that the environment gives a key where there is no file.
    """

    path: Path
    exists: bool
    enabled_providers: tuple[str, ...]
    _file_keys: Mapping[str, str] = field(repr=False)
    _environment: Mapping[str, str] = field(repr=False)

    def key_for(self, provider: str) -> str | None:
        """Return the provider's API key, or None if there is none that can be sent."""
        key = self._given(provider)
        return key if key is not None and _unfit_character(key) is None else None

    def is_unfit(self, provider: str) -> bool:
        """Tell whether the provider was given a key that cannot be sent."""
        return self._given(provider) is not None and self.key_for(provider) is None

    def what_is_missing(self, provider: str) -> str:
        """Say what is wrong with a provider's key, and where to put it."""
        name = f'"{provider}_api_key"'
        if self.is_unfit(provider):
            return self._unfit(provider)
        if provider not in self._file_keys:
            wrong = f"{name} is missing in {self.path}"
        elif not self._file_keys[provider].strip():
            wrong = f"{name} is empty in {self.path}"
        else:
            wrong = f"{name} is still the placeholder in {self.path}"
        source = f" (get a key at {KEY_SOURCES[provider]})" if provider in KEY_SOURCES else ""
        return f"{wrong}: put your key there, or into the environment variable {environment_variable(provider)}{source}"

    def _given(self, provider: str) -> str | None:
        """Return what is meant as the provider's key: the environment's, else the file's."""
        return _meant(self._environment.get(environment_variable(provider))) or _meant(self._file_keys.get(provider))

    def _unfit(self, provider: str) -> str:
        variable = environment_variable(provider)
        is_in_environment = _meant(self._environment.get(variable)) is not None
        where = f"the environment variable {variable}" if is_in_environment else f'"{provider}_api_key" in {self.path}'
        place = _unfit_character(self._given(provider) or "")
        return (
            f"{where} holds no key: character {place} of it cannot be sent in a header, which takes printable ASCII"
            " alone; copy the key again"
        )

    def write_template(self) -> None:
        """Write a template for the user to fill in, readable by its owner only.

        Raises:
            SettingsError: It cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(SECRETS_TEMPLATE)
            except OSError:
                self.path.unlink()  # half of it would be taken for the user's
                raise
        except OSError as error:
            raise SettingsError(f"{self.path}: the template cannot be written ({error.strerror})") from error


def environment_variable(provider: str) -> str:
    """Return the environment variable that may hold a provider's key."""
    return "HF_TOKEN" if provider == "huggingface" else f"{provider.upper().replace('-', '_')}_API_KEY"


def load_secrets(path: Path | None, known_providers: Iterable[str], environment: Mapping[str, str]) -> Secrets:
    """Read the secrets file; there need not be one.

    Args:
        path: The file; None for `data/secrets.json`.
        known_providers: The built-in providers and those of the configuration file.
        environment: `os.environ`.

    Raises:
        SettingsError: The file is no JSON object, names an unknown key or provider, or holds a value of a wrong type.
    """
    path, known_providers = path or DEFAULT_SECRETS, tuple(known_providers)
    try:
        text = read_text(path, "the secrets")
    except SettingsError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        with_key = (name for name in known_providers if _meant(environment.get(environment_variable(name))))
        return Secrets(path, False, tuple(with_key), {}, environment)  # noqa: FBT003 - read beside its name above
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SettingsError(f"{path}: no valid JSON{place}; secrets.example.json shows how it looks") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{path}: must hold a JSON object, {{…}}; secrets.example.json shows how it looks")
    enabled, pairs = value.get("enabled_providers", ["mistral"]), value.items()
    if not isinstance(enabled, list) or not all(isinstance(name, str) for name in enabled):
        raise SettingsError(f'{path}: enabled_providers: must be a list of names, e.g. ["mistral", "together"]')
    for number, name in enumerate(enabled, start=1):
        if name not in known_providers:
            raise SettingsError(
                f"{path}: entry {number} of enabled_providers is no provider{ask_for_nearest(name, known_providers)};"
                f" there are {', '.join(known_providers)}"
            )
    keys: dict[str, str] = {}
    allowed = [*(f"{name}_api_key" for name in known_providers if name != "local"), "enabled_providers"]
    for number, (key, secret) in enumerate(pairs, start=1):
        if key == "enabled_providers":
            continue
        provider = key.removesuffix("_api_key")
        if provider not in known_providers or not key.endswith("_api_key"):
            raise SettingsError(
                f"{path}: the name of entry {number} is none that there is{ask_for_nearest(key, allowed)}; there are"
                f" {', '.join(allowed)}"
            )
        if secret is not None and not isinstance(secret, str):
            raise SettingsError(f'{path}: {key}: must be a text in quotation marks, e.g. "{key}": "…"')
        keys[provider] = secret or ""
    return Secrets(path, True, tuple(dict.fromkeys(enabled)), keys, environment)  # noqa: FBT003 - as above


def _meant(key: str | None) -> str | None:
    """Return what is meant as a key, without white space around it, or None if it is empty or a placeholder."""
    key = (key or "").strip()
    return key if key and not _is_placeholder(key) else None


def _unfit_character(key: str) -> int | None:
    """Return which character of a key, from 1, no header can carry; None where all can be sent."""
    return next((place for place, it in enumerate(key, start=1) if not (it.isascii() and it.isprintable())), None)


def _is_placeholder(key: str) -> bool:
    return key.lower() in _PLACEHOLDERS or (key.startswith("<") and key.endswith(">"))
