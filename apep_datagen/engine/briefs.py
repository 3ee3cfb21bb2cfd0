"""The briefs of new conversations: who talks with Ada, when, and what it is to be about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from apep_datagen.conversation.brief import Brief, Rewrites
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.people.cast import Cast
from apep_datagen.people.drawing import (
    draw_scenario,
    draw_time,
    draw_user,
    generator,
    possible_abilities,
)
from apep_datagen.people.exchanges import draw_exchanges
from apep_datagen.people.past import Past, draw_past
from apep_datagen.people.scenario import Ability
from apep_datagen.people.steering import draw_ability
from apep_datagen.storage.timelines import Timeline

__all__ = ["BriefSource"]


@dataclass(frozen=True, slots=True)
class BriefSource:
    """What new conversations are drawn from.

    Attributes:
        seed: Everything drawn follows from this.
        exchanges: Least and most exchanges in a conversation.
        max_tool_rounds: How often Ada may use tools in an exchange.
        prompts: The words.
        cast: What users and scenarios are drawn from.
        mix: The wished shares of the abilities.
        first_day: The first day on which a timeline begins, as an ISO date.
        last_day: The last one.
        rewrites: Which exchanges have Ada's thoughts rewritten.
        is_reviewed: Whether a model is asked about what the code has accepted.
    """

    seed: int
    exchanges: tuple[int, int]
    max_tool_rounds: int
    prompts: PromptSet
    cast: Cast
    mix: Mapping[Ability, float]
    first_day: str
    last_day: str
    rewrites: Rewrites = "needed"
    is_reviewed: bool = False

    def new_timeline(self, number: int) -> tuple[Timeline, Past]:
        """Return a timeline that begins, with a user of its own, and what Ada has noted of them before."""
        user = draw_user(self.cast, generator(self.seed, "user", number))
        at = self._draw_time(number, 0, "")
        past = draw_past(self.cast, generator(self.seed, "past", number), user, at[:10])
        return Timeline(number, past.story), past

    def _draw_time(self, timeline_id: int, conversations: int, previous: str) -> str:
        draw = generator(self.seed, "when", timeline_id, conversations)
        return draw_time(draw, previous, self.first_day, self.last_day)

    def draw_brief(
        self,
        conversation_id: int,
        timeline: Timeline,
        counts: Mapping[Ability, int],
        held_back: Collection[Ability] = (),
    ) -> Brief:
        """Draw the brief of the next conversation of a timeline.

        Args:
            conversation_id: The number that it gets.
            timeline: Where it takes place.
            counts: How many conversations of each ability were accepted or are in progress.
            held_back: The abilities of which no more is to be sent than their share.
        """
        story = timeline.story
        place = (timeline.id, timeline.conversations)
        at = self._draw_time(*place, story.at)
        attempt = (*place, timeline.rejected_in_a_row)
        draw = generator(self.seed, "scenario", *attempt)
        exchanges = draw_exchanges(draw, *self.exchanges)
        # What the tester is not told, cannot come in a later message.
        planned = exchanges if self.prompts.tells_each_message else 1
        possible = possible_abilities(self.cast, story, at[:10], planned)
        ability = draw_ability(draw, self.mix, counts, possible, held_back)
        return Brief(
            conversation_id=conversation_id,
            timeline_id=timeline.id,
            exchanges=exchanges,
            max_tool_rounds=self.max_tool_rounds,
            at=at,
            user=story.user,
            scenario=draw_scenario(self.cast, draw, ability, story, at=at, exchanges=planned),
            previous=timeline.previous,
            seed=draw.getrandbits(31),
            way_of_thinking=generator(self.seed, "way of thinking", *attempt).choice(self.cast.ways_of_thinking),
            rewrites=self.rewrites,
            is_reviewed=self.is_reviewed,
        )
