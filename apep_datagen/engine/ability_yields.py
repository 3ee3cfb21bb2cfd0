"""What the abilities yield during a run: which of them are held back, and what is said of it, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.hints import show_rejected
from apep_datagen.conversation.state import Conversation
from apep_datagen.people.ability_yield import AbilityYield, Verdict, held_back
from apep_datagen.people.scenario import Ability

__all__ = ["AbilityYields", "Complaint"]

_SHOWN_REASONS = 2


@dataclass(frozen=True, slots=True)
class Complaint:
    """That too little is accepted of an ability.

    Attributes:
        low: What became of its last conversations.
        text: What a person is told of it.
    """

    low: AbilityYield
    text: str


class AbilityYields:
    """What became of the last conversations of each ability that were made with the prompts of this run.

    Args:
        recent: What was before this invocation.
        mix: The wished shares of the abilities.
        least: The least share that is to be accepted of an ability's conversations.
        prompts: The digest of the prompts: what others came to says nothing of these.
        output: The output, as messages name it.

    Attributes:
        by_ability: What became of them, of those wished for.
        held_back: Of which abilities no more is sent than their share.
    """

    def __init__(
        self,
        recent: Iterable[AbilityYield],
        mix: Mapping[Ability, float],
        least: float,
        *,
        prompts: str,
        output: Path,
    ) -> None:
        wished = {ability: AbilityYield(ability) for ability in Ability if mix.get(ability, 0) > 0}
        self.by_ability = wished | {item.ability: item for item in recent if item.ability in wished}
        self.held_back = held_back(self.by_ability.values(), mix, least)
        self._mix = mix
        self._least = least
        self._prompts = prompts
        self._output = output
        self._complained_of: set[Ability] = set()

    def note(self, conversation: Conversation, stage: str = "", reason: str = "") -> None:
        """Take note of a conversation that has ended; stage and reason as of a `Verdict`."""
        before = self.by_ability.get(conversation.brief.scenario.ability)
        if before is None or conversation.prompts.digest != self._prompts:
            return
        now = before.with_verdict(Verdict(conversation.brief.conversation_id, stage, reason))
        self.by_ability[now.ability] = now
        self.held_back = held_back(self.by_ability.values(), self._mix, self._least)
        if now.is_good(self._least):
            self._complained_of.discard(now.ability)

    def complaints(self) -> list[Complaint]:
        """Return what is wrong and was not said yet: each ability's once, and again only after it was good."""
        low = [item for item in self.by_ability.values() if item.is_low(self._least)]
        new = [item for item in low if item.ability not in self._complained_of]
        self._complained_of.update(item.ability for item in new)
        return [Complaint(item, self._spell(item)) for item in new]

    def _spell(self, low: AbilityYield) -> str:
        often = "; ".join(f"{reason.count} times {reason}" for reason in low.reasons[:_SHOWN_REASONS])
        what_now = (
            "It is held back: until it passes more often, no more of it is sent than its share in [scenarios.mix]"
            if low.ability in self.held_back
            else "It is not held back, because nothing else is left to be sent"
        )
        return (
            f"{low.ability.value}: only {low.accepted} of its last {low.ended} conversations were accepted,"
            f" least_ability_yield in [quality] is {self._least:g}. Most often {often};"
            f" {show_rejected(self._output, low.reasons[0].example)} prints one. {what_now}"
        )
