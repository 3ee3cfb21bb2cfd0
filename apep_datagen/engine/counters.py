"""What a run counts: numbers that the workers write and the view of progress reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from apep_datagen.people.ability_yield import AbilityYield
from apep_datagen.people.scenario import Ability

__all__ = ["LastConversation", "ProviderCounters", "RunCounters"]


@dataclass(frozen=True, slots=True)
class LastConversation:
    """The conversation that ended last, in short.

    Attributes:
        user: The user's name.
        ability: What it was to show.
        said: What the user said last; empty where it failed before that.
        tools: What Ada called, in order, as she spelled it where that is no call.
        stage: The stage that rejected it, or that it was set aside; empty where it was accepted.
        reason: Why it was rejected, else empty.
    """

    user: str
    ability: Ability
    said: str
    tools: tuple[str, ...]
    stage: str = ""
    reason: str = ""


@dataclass(slots=True)
class ProviderCounters:
    """One provider's work in this invocation.

    Attributes:
        name: The provider.
        requests_per_second: The rate that it is held to now, or None.
        conversations: Finished ones that it made the last call of.
        requests: Requests sent, retries included.
        prompt_tokens: As the provider counted them.
        completion_tokens: As the provider counted them.
        in_flight: Requests under way.
        retries: Requests that were sent again.
        failures: Requests that failed, by kind.
        usd: What all of them cost, in dollars; None where a price of it is missing.
        set_aside: Conversations that failed for good.
        rejected: Conversations that were finished and not accepted.
        state: What it does when it is not working, e.g. `resting` or `out`; empty when it works.
    """

    name: str
    requests_per_second: float | None = None
    conversations: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    in_flight: int = 0
    retries: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    usd: float | None = 0.0
    set_aside: int = 0
    rejected: int = 0
    state: str = ""

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(slots=True)
class RunCounters:
    """The whole run.

    Attributes:
        target: How many conversations the output shall hold.
        done_before: How many it held when this invocation began.
        done: How many it holds.
        set_aside: How many were set aside, over all invocations.
        rejected: How many were finished and not accepted, over all invocations.
        memories: Memories that there are, over all timelines.
        diary_pages: Diary pages that there are.
        kept_originals: Thoughts that are saved as Ada thought them, as the rewrite was worse, over all invocations.
        last_question: What the tester asked last.
        last: The conversation that ended last in this invocation.
        is_judged: Whether conversations are accepted or rejected; those of an evaluation are not.
        abilities: What became of the last conversations of each ability.
        held_back: The abilities of which no more is sent than their share.
        providers: By name.
    """

    target: int
    done_before: int
    done: int
    set_aside: int = 0
    rejected: int = 0
    memories: int = 0
    diary_pages: int = 0
    kept_originals: int = 0
    last_question: str = ""
    last: LastConversation | None = None
    is_judged: bool = True
    abilities: tuple[AbilityYield, ...] = ()
    held_back: frozenset[Ability] = frozenset()
    providers: dict[str, ProviderCounters] = field(default_factory=dict)

    @property
    def made(self) -> int:
        """How many conversations this invocation has added to the output."""
        return self.done - self.done_before

    @property
    def usd(self) -> float | None:
        """What all requests of this invocation cost, in dollars; None where a price of it is missing."""
        costs = [provider.usd for provider in list(self.providers.values())]
        known = [usd for usd in costs if usd is not None]
        return sum(known) if len(known) == len(costs) else None
