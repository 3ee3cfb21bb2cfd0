"""API keys and the enabled providers: `data/secrets.json`, or environment variables, which win over it.

No key is ever part of a message.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import SettingsError

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
        enabled_providers: From the file, or those with a key in the environment where there is no file.
    """

    path: Path
    exists: bool
    enabled_providers: tuple[str, ...]
    _file_keys: Mapping[str, str] = field(repr=False)
    _environment: Mapping[str, str] = field(repr=False)

    def key_for(self, provider: str) -> str | None:
        """Return the provider's API key, or None if there is none that could be one."""
        return _usable(self._environment.get(environment_variable(provider))) or _usable(self._file_keys.get(provider))

    def what_is_missing(self, provider: str) -> str:
        """Say what is wrong with a provider's key, and where to put it."""
        name = f'"{provider}_api_key"'
        if provider not in self._file_keys:
            wrong = f"{name} is missing in {self.path}"
        elif not self._file_keys[provider].strip():
            wrong = f"{name} is empty in {self.path}"
        elif _is_placeholder(self._file_keys[provider].strip()):
            wrong = f"{name} is still the placeholder in {self.path}"
        else:
            wrong = f"{name} holds a character that no key has in {self.path}"
        source = f" (get a key at {KEY_SOURCES[provider]})" if provider in KEY_SOURCES else ""
        return f"{wrong}: put your key there, or into the environment variable {environment_variable(provider)}{source}"

    def write_template(self) -> None:
        """Write a template for the user to fill in, readable by its owner only.

        Raises:
            SettingsError: It cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(SECRETS_TEMPLATE)
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
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        with_key = (name for name in known_providers if _usable(environment.get(environment_variable(name))))
        return Secrets(path, False, tuple(with_key), {}, environment)  # noqa: FBT003 - read beside its name above
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        # The parser's message quotes nothing of the file, so no key gets out.
        raise SettingsError(f"{path}: no valid JSON: {error}; secrets.example.json shows how it looks") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: no valid JSON; secrets.example.json shows how it looks") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{path}: must hold a JSON object, {{…}}; secrets.example.json shows how it looks")
    enabled = value.pop("enabled_providers", ["mistral"])
    if not isinstance(enabled, list) or not all(isinstance(name, str) for name in enabled):
        raise SettingsError(f'{path}: enabled_providers: must be a list of names, e.g. ["mistral", "together"]')
    for name in enabled:
        if name not in known_providers:
            raise SettingsError(
                f"{path}: enabled_providers: there is no provider {name!r}; there are {', '.join(known_providers)}"
            )
    keys: dict[str, str] = {}
    for key, secret in value.items():
        provider = key.removesuffix("_api_key")
        if provider not in known_providers or not key.endswith("_api_key"):
            allowed = ", ".join(f"{name}_api_key" for name in known_providers if name != "local")
            raise SettingsError(f"{path}: {key}: there is no such key; there are {allowed} and enabled_providers")
        if secret is not None and not isinstance(secret, str):
            raise SettingsError(f'{path}: {key}: must be a text in quotation marks, e.g. "{key}": "…"')
        keys[provider] = secret or ""
    return Secrets(path, True, tuple(dict.fromkeys(enabled)), keys, environment)  # noqa: FBT003 - as above


def _usable(key: str | None) -> str | None:
    """Return a key without white space around it, or None if it is empty, a placeholder or no header could carry it."""
    key = (key or "").strip()
    return key if key and not _is_placeholder(key) and key.isascii() and key.isprintable() else None


def _is_placeholder(key: str) -> bool:
    return key.lower() in _PLACEHOLDERS or (key.startswith("<") and key.endswith(">"))
