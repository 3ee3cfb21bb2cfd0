"""Everything that an invocation is told: the configuration with the options over it, the keys, the prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.provider_choice import ProviderChoice
from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_OUTPUT, Settings
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.people.cast import Cast, load_cast

__all__ = ["Invocation", "ledger_path", "read_invocation"]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation is to do.

    Attributes:
        settings: Configuration and options.
        providers: Names of the providers to use, with their API keys (None for one that needs none).
        serving: Which of them serve which role.
        output: The output file.
        ledger: Where the tokens of each month are booked.
        prompts: The words for new conversations.
        cast: What users and scenarios are drawn from.
        reset_tools: Whether to empty memory and diary first.
        log_file: Where every request is logged, or None.
        log_text: Whether prompts and answers are logged too.
    """

    settings: Settings
    providers: Mapping[str, str | None]
    serving: Serving
    output: Path
    ledger: Path
    prompts: PromptSet
    cast: Cast
    reset_tools: bool
    log_file: Path | None = None
    log_text: bool = False

    def models_of(self, provider: str) -> tuple[str, ...]:
        """Return the models of a provider that new conversations use."""
        settings = self.settings.providers[provider]
        return tuple(dict.fromkeys(settings.model_for(role) for role in self.serving.needed_of(provider)))


def ledger_path(secrets: Path) -> Path:
    """Return where the ledger is: beside the keys, whose limits it keeps."""
    return secrets.parent / "ledger.db"


def read_invocation(
    settings: Settings,
    choice: ProviderChoice,
    *,
    output: Path | None,
    prompts: Path | None,
    reset_tools: bool,
    log_file: Path | None,
    log_text: bool,
) -> Invocation:
    """Read what else an invocation depends on; all but the first two arguments are options.

    Args:
        settings: The configuration, with the options over it.
        choice: The providers.
        output: `--output`.
        prompts: `--prompts`.
        reset_tools: `--reset-tools`.
        log_file: `--log-file`.
        log_text: `--log-text`.

    Raises:
        SettingsError: A prompt cannot be used.
    """
    return Invocation(
        settings=settings,
        providers=choice.keys,
        serving=choice.serving,
        output=output or DEFAULT_OUTPUT,
        ledger=ledger_path(choice.secrets_path),
        prompts=load_prompts(prompts),
        cast=load_cast(prompts),
        reset_tools=reset_tools,
        log_file=log_file,
        log_text=log_text,
    )
