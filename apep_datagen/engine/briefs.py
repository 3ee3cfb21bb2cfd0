"""The briefs of new conversations: who talks with Ada, when, and what it is to be about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from apep_datagen.conversation.brief import Brief, Rewrites
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.people.cast import Cast
from apep_datagen.people.drawing import draw_scenario, draw_time, draw_user, generator, possible_abilities
from apep_datagen.people.exchanges import draw_exchanges
from apep_datagen.people.scenario import Ability
from apep_datagen.people.steering import draw_ability
from apep_datagen.people.story import Story
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

    def new_timeline(self, number: int) -> Timeline:
        """Return a timeline that begins, with a user of its own."""
        return Timeline(number, Story(draw_user(self.cast, generator(self.seed, "user", number))))

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
        at = draw_time(generator(self.seed, "when", *place), story.at, self.first_day, self.last_day)
        attempt = (*place, timeline.rejected_in_a_row)
        draw = generator(self.seed, "scenario", *attempt)
        ability = draw_ability(draw, self.mix, counts, possible_abilities(self.cast, story, at[:10]), held_back)
        return Brief(
            conversation_id=conversation_id,
            timeline_id=timeline.id,
            exchanges=draw_exchanges(draw, *self.exchanges),
            max_tool_rounds=self.max_tool_rounds,
            at=at,
            user=story.user,
            scenario=draw_scenario(self.cast, draw, ability, story, at),
            previous=timeline.previous,
            seed=draw.getrandbits(31),
            way_of_thinking=generator(self.seed, "way of thinking", *attempt).choice(self.cast.ways_of_thinking),
            rewrites=self.rewrites,
        )
