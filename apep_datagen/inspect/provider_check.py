"""Checking the configured providers: one small request to each model, and what the headers of its answer say.

check_providers → Checked → describe_checks, checks_as_json
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from apep_datagen.config.provider_choice import ProviderChoice
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import ModelUnknownError, ProviderError
from apep_datagen.core.messages import CompletionRequest, Message, ModelRole, ReportedLimits, Step, Usage
from apep_datagen.core.spelling import spell_count, spell_rate, spell_value
from apep_datagen.core.words import one_line
from apep_datagen.providers.base import Provider, spell_offer
from apep_datagen.providers.factory import create_provider
from apep_datagen.terminal.tables import table

__all__ = ["Checked", "check_providers", "checks_as_json", "describe_checks"]

_LONGEST_TIMEOUT_SECONDS = 60.0
_MOST_TOKENS = 16
_SHOWN_MODEL_LENGTH = 40
# A limit that differs by less is the same, spelled otherwise.
_NOTABLE_DIFFERENCE = 0.02
_STEPS = {step.model_role: step for step in (Step.ASK, Step.ANSWER, Step.REWRITE, Step.REVIEW)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of the request to one model.

    Attributes:
        provider: The provider's name.
        model: The model's name there.
        roles: Who uses it.
        problem: Why it cannot be used, or None where all is well.
        seconds: From the request to the answer, the connection included; None where nothing was sent.
        usage: What it cost.
        limits: What the headers say.
        offered_models: What the endpoint offers, where it does not know the model.
        hint: What to change where the headers permit more or less than is configured; or empty.
    """

    provider: str
    model: str
    roles: tuple[ModelRole, ...]
    problem: str | None = None
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    limits: ReportedLimits = field(default_factory=ReportedLimits)
    offered_models: tuple[str, ...] = ()
    hint: str = ""


async def check_providers(settings: Settings, choice: ProviderChoice) -> list[Checked]:
    """Send one small request to each model that a role uses at each provider; the providers are asked at once.

    An answer without a word in it is well, too: it proves key and model, and a model that reasons may need more tokens.

    Args:
        settings: The configuration.
        choice: The providers.
    """
    serving = choice.serving
    checks = [
        _Check(name, settings, key, choice.missing.get(name), serving.needed_of(name) or serving.needed)
        for name, key in choice.keys.items()
    ]
    # Importing an SDK holds up the loop, so all are there before the first answer is waited for.
    for check in checks:
        await check.start()
    return [checked for result in await asyncio.gather(*(check.run() for check in checks)) for checked in result]


class _Check:
    """The check of one provider."""

    def __init__(
        self, name: str, settings: Settings, key: str | None, problem: str | None, served: Iterable[ModelRole]
    ) -> None:
        self._name = name
        self._served = served
        self._roles = settings.roles
        section = settings.providers[name]
        timeout = min(section.timeout_seconds, _LONGEST_TIMEOUT_SECONDS)
        self._settings = section.model_copy(update={"timeout_seconds": timeout})
        self._problem = problem
        self._limits = ReportedLimits()
        self._provider: Provider = create_provider(self._settings, key, self._learn)

    def _learn(self, limits: ReportedLimits) -> None:
        self._limits = limits

    async def start(self) -> None:
        if self._problem is None:
            try:
                await self._provider.start()
            except ProviderError as error:
                self._problem = str(error)

    async def run(self) -> list[Checked]:
        models: dict[str, list[ModelRole]] = {}
        for role in self._served:
            models.setdefault(self._settings.model_for(role), []).append(role)
        try:
            return [await self._check(model, tuple(roles)) for model, roles in models.items()]
        finally:
            await self._provider.close()

    async def _check(self, model: str, roles: tuple[ModelRole, ...]) -> Checked:
        if self._problem is not None:
            return Checked(self._name, model, roles, problem=self._problem)
        self._limits = ReportedLimits()
        usage, failure = Usage(), None
        began = time.monotonic()
        try:
            usage = (await self._provider.complete(self._request(model, roles[0]))).usage
        except ProviderError as error:
            failure = error
        seconds = time.monotonic() - began
        offered = await self._provider.list_models() if isinstance(failure, ModelUnknownError) else []
        return Checked(
            provider=self._name,
            model=model,
            roles=roles,
            problem=None if failure is None else str(failure),
            seconds=round(seconds, 3),
            usage=usage,
            limits=self._limits,
            offered_models=tuple(sorted(offered)),
            hint=_hint(self._name, self._settings, self._limits),
        )

    def _request(self, model: str, role: ModelRole) -> CompletionRequest:
        return CompletionRequest(
            step=_STEPS[role],
            messages=(Message("user", "Say hello."),),
            model=model,
            temperature=self._roles.of(role).temperature,
            max_tokens=_MOST_TOKENS,
            seed=1,
        )


def _hint(name: str, settings: ProviderSettings, limits: ReportedLimits) -> str:
    """Say what to change where the headers permit more or less than is configured."""
    hints = []
    rate = limits.requests_per_second
    if rate is not None and (only := _compare(rate, settings.requests_per_second)):
        hints.append(f"it permits{only}{spell_rate(rate)} requests/s: --rps {name}={spell_value(rate)}")
    tokens = limits.tokens_per_minute
    if tokens is not None and (only := _compare(tokens, settings.tokens_per_minute)):
        hints.append(f"it permits{only}{tokens:,} tokens/min: tokens_per_minute = {tokens} in [providers.{name}]")
    return "; ".join(hints)


def _compare(permitted: float, configured: float | None) -> str:
    """Return what goes between `it permits` and a limit; nothing where it is the configured one."""
    if configured is None or permitted > configured * (1 + _NOTABLE_DIFFERENCE):
        return " "
    return " only " if permitted < configured * (1 - _NOTABLE_DIFFERENCE) else ""


def checks_as_json(checks: list[Checked]) -> dict[str, Any]:
    """Return the checks for a script.

    Returns:
        `ok` (whether all are well) and `providers`, a list with, for each model: `provider`, `model`, `roles`, `ok`,
        `problem` (null where all is well), `seconds` (null where nothing was sent), `prompt_tokens`,
        `completion_tokens`, `requests_per_second` and `tokens_per_minute` as the headers say (null where they do not),
        `offered_models` (where the model is not known) and `hint`.
    """
    return {
        "ok": all(check.problem is None for check in checks),
        "providers": [
            {
                "provider": check.provider,
                "model": check.model,
                "roles": [role.value for role in check.roles],
                "ok": check.problem is None,
                "problem": check.problem,
                "seconds": check.seconds,
                **asdict(check.usage),
                "requests_per_second": check.limits.requests_per_second,
                "tokens_per_minute": check.limits.tokens_per_minute,
                "offered_models": list(check.offered_models),
                "hint": check.hint,
            }
            for check in checks
        ],
    }


def describe_checks(checks: list[Checked]) -> str:
    """Return the checks for a person: a table, and below it what is wrong and what could be changed."""
    columns = ["provider", "model", "state", "latency", "requests/s", "tokens/min", "tokens"]
    lines = [table(columns, [_row(check) for check in checks], left=3)]
    for check in checks:
        if check.problem is not None:
            offer = spell_offer(check.offered_models, others=" and others (see --json)")
            lines.append(one_line(f"{check.provider}: {check.problem}{offer}"))
        if check.hint:
            lines.append(f"{check.provider}: {check.hint}")
    return "\n".join(dict.fromkeys(lines))


def _row(check: Checked) -> list[str]:
    model = check.model
    return [
        check.provider,
        model if len(model) <= _SHOWN_MODEL_LENGTH else f"…{model[1 - _SHOWN_MODEL_LENGTH :]}",
        "ok" if check.problem is None else "failed" if check.seconds is not None else "not asked",
        "-" if check.seconds is None else f"{check.seconds:.2f} s",
        spell_rate(check.limits.requests_per_second),
        spell_count(check.limits.tokens_per_minute),
        spell_count(check.usage.total_tokens),
    ]
