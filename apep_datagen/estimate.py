"""What a run will need before it reaches its target: requests, tokens, dollars and time.

    read_estimate → Estimate → describe_estimate

All but `read_estimate` is plain arithmetic, and nothing is written. What a conversation needs is measured where the
output has a history, else assumed: the prompts are rendered as they will be, and only what models answer is a guess.

Conversations go to the providers in proportion to how many requests each can take in a second, and all work at once.
Left out: the tail of a run, when few conversations are left, and retries where there is no history to know them from.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.budget import known_prices
from apep_datagen.conversation import (
    Conversation,
    Plan,
    QuestionAnswer,
    advance_with_completion,
    advance_with_results,
    prompt,
)
from apep_datagen.dataset import inspect_output
from apep_datagen.ledger import Ledger, this_month
from apep_datagen.messages import ModelRole, Step
from apep_datagen.progress import spell_duration
from apep_datagen.prompts import PromptSet
from apep_datagen.run_plan import RunPlan
from apep_datagen.settings import BudgetSettings, GenerationSettings, ProviderSettings, RolesSettings
from apep_datagen.state import state_path
from apep_datagen.status import (
    Need,
    RunStatus,
    Used,
    cost,
    describe_missing_prices,
    measured_need,
    read_status,
)
from apep_datagen.tables import about, spell_count, spell_number, spell_usd, table

__all__ = ["Budget", "Estimate", "Share", "assumed_need", "describe_estimate", "read_estimate", "share_out"]

# Of chat models that do not reason at length; in an exchange, in an answer.
_ASSUMED_COMPLETION_TOKENS = {ModelRole.TESTER: 50, ModelRole.ADA: 220, ModelRole.REWRITER: 100}
_ASSUMED_TOOL_ROUNDS = 1 / 3
_ASSUMED_SECONDS = 5.0
_BYTES_PER_TOKEN = 4
# Where neither a rate nor a number of requests in flight is configured.
_ASSUMED_IN_FLIGHT = 4
# Conversations of the history that are so much longer or shorter than those to come count in proportion.
_NOTABLE_DIFFERENCE = 0.25

_WORD = "word "
_THOUGHT = _WORD * 90
_CALL = f'<think>{_THOUGHT}</think>\n\n<tool_call>add_memory(input_text=["{_WORD * 12}"])</tool_call>'
_SECONDS_PER_MINUTE = 60


def _seconds_per_answer(used: Iterable[Used]) -> dict[str, float]:
    """Return how long an answer took on average, by provider, as far as there were any."""
    answers: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for item in used:
        answers[item.provider] = answers.get(item.provider, 0) + item.answers
        seconds[item.provider] = seconds.get(item.provider, 0.0) + item.seconds
    return {name: seconds[name] / count for name, count in answers.items() if count and seconds[name] > 0}


def assumed_need(generation: GenerationSettings, roles: RolesSettings, prompts: PromptSet) -> dict[ModelRole, Need]:
    """Return what a conversation will need, by its prompts as they will be and answers as they may be."""
    least, most = generation.exchanges
    needs = {role: Need() for role in ModelRole}

    def ask(step: Step, conversation: Conversation, weight: float) -> None:
        role = step.model_role
        completion = min(_ASSUMED_COMPLETION_TOKENS[role], roles.of(role).max_tokens)
        size = sum(len(message.content.encode()) for message in prompt(conversation))
        needs[role] += Need(1, size / _BYTES_PER_TOKEN, completion) * weight

    conversation = Conversation(_sample_plan(generation, prompts), prompts)
    for number in range(1, most + 1):
        # Lengths are drawn evenly; this is how many of all conversations are so long.
        weight = (most - max(number, least) + 1) / (most - least + 1)
        ask(Step.ASK, conversation, weight)
        conversation = advance_with_completion(conversation, _WORD * 40, "stop")
        ask(Step.ANSWER, conversation, weight)
        if generation.max_tool_rounds:
            after_call = advance_with_results(
                advance_with_completion(conversation, _CALL, "stop"), [{"added": 1, "indices": [1]}]
            )
            ask(Step.CONTINUE, after_call, weight * _ASSUMED_TOOL_ROUNDS)
        conversation = advance_with_completion(conversation, f"<think>{_THOUGHT}</think>\n\n{_WORD * 90}", "stop")
        ask(Step.REWRITE, conversation, weight)
        conversation = advance_with_completion(conversation, _THOUGHT, "stop")
    return needs


def _sample_plan(generation: GenerationSettings, prompts: PromptSet) -> Plan:
    topics = sorted(prompts.topics, key=len)
    return Plan(
        conversation_id=1,
        timeline_id=1,
        exchanges=generation.exchanges[1],
        max_tool_rounds=generation.max_tool_rounds,
        date=datetime.date.min.isoformat(),
        topic=topics[len(topics) // 2],
        # All conversations of a timeline but the first are told of the one before.
        previous=QuestionAnswer(_WORD * 40, _WORD * 90) if generation.timeline_length > 1 else None,
        seed=0,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What one provider will do.

    Attributes:
        provider: Its name.
        requests_per_second: How many requests it takes.
        bound: What bounds it: `requests`, `tokens` or `in flight`.
        seconds_per_answer: How long an answer takes.
        is_measured: Whether that was measured; else it is assumed.
        conversations: How many conversations' worth of requests go to it.
        need: What these are.
        usd: What they cost, or None where a price is not known.
        unpriced: Its models that have no price.
    """

    provider: str
    requests_per_second: float
    bound: str
    seconds_per_answer: float
    is_measured: bool
    conversations: float
    need: Need
    usd: float | None
    unpriced: tuple[str, ...]


def share_out(
    conversations: float,
    needs: Mapping[ModelRole, Need],
    providers: Mapping[str, ProviderSettings],
    seconds: Mapping[str, float],
) -> list[Share]:
    """Share out conversations among the providers, in proportion to what each can take.

    Args:
        conversations: How many are to be made.
        needs: What one needs, by role.
        providers: Settings by name; one at least.
        seconds: How long an answer takes, by provider; `_ASSUMED_SECONDS` for others.
    """
    one = sum(needs.values(), Need())
    tokens_per_request = one.tokens / one.requests
    rates = {
        name: _rate(settings, tokens_per_request, seconds.get(name, _ASSUMED_SECONDS))
        for name, settings in providers.items()
    }
    total_rate = sum(rate for rate, _ in rates.values())
    shares = []
    for name, (rate, bound) in rates.items():
        count = conversations * rate / total_rate
        usd, unpriced = _price(providers[name], needs)
        shares.append(
            Share(
                provider=name,
                requests_per_second=rate,
                bound=bound,
                seconds_per_answer=seconds.get(name, _ASSUMED_SECONDS),
                is_measured=name in seconds,
                conversations=count,
                need=one * count,
                usd=None if unpriced else usd * count,
                unpriced=unpriced,
            )
        )
    return shares


def _rate(settings: ProviderSettings, tokens_per_request: float, seconds: float) -> tuple[float, str]:
    """Return how many requests a provider takes in a second, and what bounds it."""
    rates = []
    if settings.requests_per_second is not None:
        rates.append((settings.requests_per_second, "requests"))
    if settings.tokens_per_minute is not None:
        rates.append((settings.tokens_per_minute / _SECONDS_PER_MINUTE / tokens_per_request, "tokens"))
    if settings.max_in_flight is not None or not rates:
        rates.append(((settings.max_in_flight or _ASSUMED_IN_FLIGHT) / seconds, "in flight"))
    return min(rates)


def _price(settings: ProviderSettings, needs: Mapping[ModelRole, Need]) -> tuple[float, tuple[str, ...]]:
    """Return what a conversation costs in dollars, and the models that it cannot be told of."""
    usd = 0.0
    unpriced = []
    for role, need in needs.items():
        model = settings.model_for(role)
        price = settings.price_of(model)
        if price is None:
            unpriced.append(model)
        else:
            usd += (need.prompt_tokens * price.input + need.completion_tokens * price.output) / 1_000_000
    return usd, tuple(dict.fromkeys(unpriced))


def _seconds_of_run(shares: Iterable[Share]) -> float:
    """Return how long the slowest of the providers works on its share."""
    return max(share.need.requests / share.requests_per_second for share in shares)


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, and what the target needs of it.

    Attributes:
        name: The option or key that sets it.
        limit: What may be spent.
        spent: What was spent, or None where nobody knows.
        needed: What the target still needs, or None where nobody knows.
        conversations: How many conversations are to be made with it.
        is_usd: Whether these are dollars.
    """

    name: str
    limit: float
    spent: float | None
    needed: float | None
    conversations: float
    is_usd: bool = False

    @property
    def makes(self) -> float | None:
        """For how many of the conversations it suffices, or None where nobody knows."""
        if self.spent is None or self.needed is None:
            return None
        left = max(0.0, self.limit - self.spent)
        return self.conversations if self.needed <= left else self.conversations * left / self.needed


def _budgets_of_run(
    limits: BudgetSettings, used: Iterable[Used], usd: float | None, shares: list[Share]
) -> list[Budget]:
    """Return the budgets that are set, with what the target needs of each.

    Args:
        limits: The budgets.
        used: What was spent.
        usd: The same in dollars, or None where nobody knows.
        shares: What the target needs.
    """
    used = tuple(used)
    conversations = sum(share.conversations for share in shares)
    need = sum((share.need for share in shares), Need())
    budgets = []
    if limits.max_requests is not None:
        spent = sum(item.requests for item in used)
        budgets.append(Budget("--max-requests", limits.max_requests, spent, about(need.requests), conversations))
    if limits.max_tokens is not None:
        tokens = sum(item.prompt_tokens + item.completion_tokens for item in used)
        budgets.append(Budget("--max-tokens", limits.max_tokens, tokens, about(need.tokens), conversations))
    if limits.max_usd is not None:
        prices = [share.usd for share in shares if share.usd is not None]
        needed = sum(prices) if len(prices) == len(shares) else None
        budgets.append(Budget("--max-usd", limits.max_usd, usd, needed, conversations, is_usd=True))
    return budgets


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will need.

    Attributes:
        output: The output.
        target: How many conversations it shall hold.
        done: How many it holds.
        history: What was measured, or None where there is nothing yet.
        lengthened: How many times as long the conversations to come are as those of the history.
        one: What a conversation needs.
        shares: What each provider will do.
        budgets: The limits that are set.
    """

    output: Path
    target: int
    done: int
    history: RunStatus | None
    lengthened: float
    one: Need
    shares: tuple[Share, ...]
    budgets: tuple[Budget, ...]


def read_estimate(plan: RunPlan, now: float) -> Estimate:
    """Estimate what a run will need; nothing is sent, and nothing written.

    Args:
        plan: What the run is told.
        now: Seconds since 1970.

    Raises:
        StorageError: The output, its state database or the ledger cannot be read.
    """
    settings, generation = plan.settings, plan.settings.generation
    status = _status_if_any(plan.output, now)
    if status is None:
        foreign = inspect_output(plan.output)
        done = len(foreign.elements) if foreign else 0
    else:
        done = status.done
    missing = max(0, generation.target - done)
    conversations = float(missing) if status is None else status.left_to_pay(missing)
    history = status if status and status.made and status.used else None
    lengthened = 1.0
    if history is None:
        needs = assumed_need(generation, settings.roles, plan.prompts)
    else:
        lengthened = _lengthened(history, generation)
        measured = measured_need(history.used, history.worth_of_conversations)
        needs = {role: need * lengthened for role, need in measured.items()}
    used = status.used if status else ()
    providers = {name: settings.providers[name] for name in plan.providers}
    shares = share_out(conversations, needs, providers, _seconds_per_answer(used))
    prices = known_prices(settings, ((item.provider, item.model) for item in used))
    budgets = _budgets_of_run(settings.budget, used, cost(used, prices), shares)
    budgets += _budgets_of_month(plan, status, shares)
    one = sum(needs.values(), Need())
    return Estimate(plan.output, generation.target, done, history, lengthened, one, tuple(shares), tuple(budgets))


def _status_if_any(output: Path, now: float) -> RunStatus | None:
    path = state_path(output)
    return read_status(output, now) if path.is_file() and path.stat().st_size else None


def _lengthened(history: RunStatus, generation: GenerationSettings) -> float:
    """Return how many times as many exchanges a conversation to come has as one of the history."""
    asked = sum(item.answers for item in history.used if item.role is ModelRole.TESTER)
    before = asked / history.worth_of_conversations
    factor = sum(generation.exchanges) / 2 / before if before else 1.0
    return factor if abs(factor - 1) > _NOTABLE_DIFFERENCE else 1.0


def _budgets_of_month(plan: RunPlan, status: RunStatus | None, shares: list[Share]) -> list[Budget]:
    month = this_month()
    others = Ledger(plan.ledger, plan.output).booked_by_others(month)
    budgets = []
    for share in shares:
        limit = plan.settings.providers[share.provider].tokens_per_month
        if limit is not None:
            own = status.tokens_by_month.get((month, share.provider), 0) if status else 0
            spent = others.get(share.provider, 0) + own
            name = f"tokens_per_month of {share.provider}"
            budgets.append(Budget(name, limit, spent, about(share.need.tokens), share.conversations))
    return budgets


# In words.


def describe_estimate(estimate: Estimate) -> str:
    """Return the estimate for a person."""
    there = f"{estimate.done:,} of {estimate.target:,} conversations are in {estimate.output}"
    if estimate.done >= estimate.target:
        return f"Nothing to do: {there} already. A larger --target continues this output."
    parts = [
        f"{there}; {estimate.target - estimate.done:,} are missing.\n{_describe_basis(estimate)}",
        _describe_shares(estimate.shares),
        _describe_time(estimate.shares),
    ]
    if unpriced := [(share.provider, model) for share in estimate.shares for model in share.unpriced]:
        parts.append(describe_missing_prices(unpriced))
    if estimate.budgets:
        parts.append(_describe_budgets(estimate.budgets))
    return "\n\n".join(parts)


def _describe_basis(estimate: Estimate) -> str:
    one = estimate.one
    each = (
        f"{one.requests:.1f} requests with {about(one.prompt_tokens):,} + {about(one.completion_tokens):,} tokens each"
    )
    if estimate.history is None:
        completions = ", ".join(f"{tokens} ({role})" for role, tokens in _ASSUMED_COMPLETION_TOKENS.items())
        return (
            f"Estimated from the prompts: {each}.\n"
            f"Assumed, as this output has no history: {_BYTES_PER_TOKEN} bytes a token, tools in one exchange of"
            f" {1 / _ASSUMED_TOOL_ROUNDS:.0f},\nanswers of {completions} tokens;\n"
            "a reasoning model writes several times as much."
        )
    text = f"Estimated from the {estimate.history.made:,} conversations that this program made for it:\n{each}"
    if estimate.lengthened != 1:
        text += f", counted {estimate.lengthened:.2g} times, as --exchanges is another now"
    if in_progress := estimate.history.in_progress:
        text += f";\n{in_progress:,} in progress count as half done"
    return text + "."


def _describe_shares(shares: tuple[Share, ...]) -> str:
    rows = [_cells(share.provider, share.conversations, share.need, share.usd) for share in shares]
    if len(shares) > 1:
        prices = [share.usd for share in shares if share.usd is not None]
        usd = sum(prices) if len(prices) == len(shares) else None
        need = sum((share.need for share in shares), Need())
        rows.append(_cells("all", sum(share.conversations for share in shares), need, usd))
    return table(["provider", "conversations", "requests", "prompt", "completion", "cost"], rows)


def _cells(name: str, conversations: float, need: Need, usd: float | None) -> list[str]:
    numbers = (conversations, need.requests, need.prompt_tokens, need.completion_tokens)
    return [name, *(spell_count(about(number)) for number in numbers), spell_usd(usd)]


def _describe_time(shares: tuple[Share, ...]) -> str:
    lines = [f"It takes about {spell_duration(_seconds_of_run(shares))}, with all of them working at once:"]
    for share in shares:
        why = {
            "requests": "its limit of requests",
            "tokens": "its limit of tokens per minute",
            "in flight": f"so many are in flight at once, {share.seconds_per_answer:.1f} s each"
            + ("" if share.is_measured else " (assumed)"),
        }[share.bound]
        lines.append(f"  {share.provider}: {spell_number(share.requests_per_second)} requests/s ({why})")
    return "\n".join(lines)


def _describe_budgets(budgets: tuple[Budget, ...]) -> str:
    rows = []
    for budget in budgets:
        spell = spell_usd if budget.is_usd else spell_count
        amounts = (budget.limit, budget.spent, budget.needed)
        rows.append(
            [budget.name, *("unknown" if amount is None else spell(amount) for amount in amounts), _verdict(budget)]
        )
    return table(["budget", "limit", "spent", "needed", "enough"], rows)


def _verdict(budget: Budget) -> str:
    if budget.makes is None:
        return "unknown"
    return "yes" if budget.makes == budget.conversations else f"for about {about(budget.makes):,} more"
