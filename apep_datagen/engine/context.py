"""What all workers of a run have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from apep_datagen.budget.purse import Treasury
from apep_datagen.config.settings import RolesSettings
from apep_datagen.conversation.state import Conversation
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.engine.commit import Rules
from apep_datagen.engine.counters import LastConversation, RunCounters
from apep_datagen.engine.event_log import EventLog
from apep_datagen.engine.recent_yield import RecentYield
from apep_datagen.engine.schedule import Schedule
from apep_datagen.formats.wire import Wire
from apep_datagen.storage.database import StateDatabase

if TYPE_CHECKING:
    from apep_datagen.engine.availability import Availability

__all__ = ["RunContext", "Tries"]


@dataclass(slots=True)
class Tries:
    """How often a conversation's due call failed.

    Attributes:
        total: In all.
        counted: While its provider worked otherwise, each by what it says of the conversation. Where a provider fails
            altogether, that is nothing.
    """

    total: int = 0
    counted: int = 0


@dataclass(slots=True)
class RunContext:
    """What all workers of a run have in common.

    Attributes:
        schedule: Which conversation goes on next.
        state: Where outcomes are recorded.
        treasury: What requests are paid from.
        counters: What the view of progress shows.
        roles: How each role's model is sampled.
        notify: Is told, in a sentence, what a person should know.
        log: Every request, every pause, every change of a provider's state.
        yields: What becomes of the conversations of each ability.
        takes_any_answer: Whether whatever Ada answers is hers; else what is of no use is asked for again.
        wire: How Ada is asked, where she was trained on an export; None where it is as when conversations are made.
        work_changed: Set, and replaced, whenever the schedule has changed.
        stopping: Whether nothing new is to be sent.
        tries: By conversation, where its due call failed.
        available: The state of each provider.
        rules: By provider, what decides about the conversations that it plays Ada in.
        recent_yields: By provider, what became of the last of these.
        answered_at: When a provider has last answered, on the loop's clock; when the run began, before that.
        silent_for: For how many seconds nobody had answered when the run lost its patience; None if it did not.
    """

    schedule: Schedule
    state: StateDatabase
    treasury: Treasury
    counters: RunCounters
    roles: RolesSettings
    notify: Callable[[str], None]
    log: EventLog
    yields: AbilityYields
    takes_any_answer: bool = False
    wire: Wire | None = None
    work_changed: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    tries: dict[int, Tries] = field(default_factory=dict)
    available: list[Availability] = field(default_factory=list)
    rules: dict[str, Rules] = field(default_factory=dict)
    recent_yields: dict[str, RecentYield] = field(default_factory=dict)
    answered_at: float = 0.0
    silent_for: float | None = None

    def is_complete(self) -> bool:
        """Tell whether for every role that is needed a provider is left that need not wait for the next month."""
        return self.schedule.is_complete_with(
            {item.name for item in self.available if item.out_because is None and not item.waits_for_month()}
        )

    def away(self) -> set[str]:
        """Return the providers that send nothing for a while, or any more."""
        return {item.name for item in self.available if item.has_to_wait()}

    def tries_of(self, conversation_id: int) -> Tries:
        """Return how often a conversation's due call failed; that is forgotten where it was its provider's fault."""
        return self.tries.get(conversation_id, Tries())

    def note_verdict(self, conversation: Conversation, stage: str = "", reason: str = "") -> None:
        """Take note of what became of a conversation; stage and reason as of a `Verdict`."""
        self.yields.note(conversation, stage, reason)
        self.counters.last = _in_short(conversation, stage, reason)
        self.tell_of_yields()

    def tell_of_yields(self) -> None:
        """Show what the abilities yield, and tell where that is too little."""
        self.counters.abilities = tuple(self.yields.by_ability.values())
        self.counters.held_back = self.yields.held_back
        for complaint in self.yields.complaints():
            low = complaint.low
            self.log.write(
                "low yield",
                ability=low.ability.value,
                ended=low.ended,
                accepted=low.accepted,
                held_back=low.ability in self.yields.held_back,
                reasons=[asdict(reason) for reason in low.reasons],
            )
            self.notify(complaint.text)

    def wake(self) -> None:
        """Let every worker look at the schedule again, and every purse at the accounts."""
        self.work_changed.set()
        self.work_changed = asyncio.Event()
        self.treasury.note_settlement()


def _in_short(conversation: Conversation, stage: str, reason: str) -> LastConversation:
    turns = [turn for exchange in conversation.exchanges for turn in exchange.turns]
    return LastConversation(
        user=conversation.brief.user.name,
        ability=conversation.brief.scenario.ability,
        said=conversation.exchanges[-1].question if conversation.exchanges else "",
        tools=tuple(call.label for turn in turns for call in turn.answer.calls),
        stage=stage,
        reason=reason,
    )
