"""What an invocation is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.conversation.prompts import PromptSet
from apep_datagen.people.cast import Cast

__all__ = ["RunPlan"]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What an invocation is to do.

    Attributes:
        settings: Configuration and options.
        providers: Names of the providers to use, with their API keys (None for one that needs none).
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
    output: Path
    ledger: Path
    prompts: PromptSet
    cast: Cast
    reset_tools: bool
    log_file: Path | None = None
    log_text: bool = False
