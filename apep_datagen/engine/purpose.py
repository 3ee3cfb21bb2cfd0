"""What a run is for: to make a dataset, or to evaluate a model. All else in it is the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from apep_datagen.config.invocation import Invocation
from apep_datagen.config.provider_settings import ProviderKind
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.ending import Ending, JudgedEnding
from apep_datagen.engine.judging import judge_at
from apep_datagen.formats.wire import Wire
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.contents import DATASET, Contents
from apep_datagen.storage.timelines import Timeline

__all__ = ["Purpose", "Source", "brief_source", "making_a_dataset"]


class Source(Protocol):
    """What new conversations are drawn from; `BriefSource` is what those of a dataset are drawn from."""

    @property
    def prompts(self) -> PromptSet:
        """The words."""

    def new_timeline(self, number: int) -> tuple[Timeline, Past]:
        """Return a timeline that begins, and what Ada has noted of its user before."""

    def draw_brief(
        self,
        conversation_id: int,
        timeline: Timeline,
        counts: Mapping[Ability, int],
        held_back: Collection[Ability] = (),
    ) -> Brief:
        """Draw the brief of the next conversation of a timeline; arguments as for `BriefSource`."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a run is for.

    Attributes:
        contents: What its output holds.
        source: What its conversations are drawn from, by the seed of the run.
        ending: Who decides what they come to, by the kind of the provider that ends them.
        timelines: How many timelines there are, each with all its conversations; None: as many as it takes.
        takes_any_answer: Whether whatever Ada answers is hers; else what is of no use is asked for again.
        may_be_others: Whether a run that goes on may do so with other providers.
        wire: How Ada is asked, where she was trained on an export; None where it is as when conversations are made.
    """

    contents: Contents
    source: Callable[[int], Source]
    ending: Callable[[ProviderKind], Ending]
    timelines: int | None = None
    takes_any_answer: bool = False
    may_be_others: bool = True
    wire: Wire | None = None


def making_a_dataset(invocation: Invocation) -> Purpose:
    """Return the purpose of a run that makes a dataset."""
    quality = invocation.settings.quality
    return Purpose(
        contents=DATASET,
        source=lambda seed: brief_source(invocation, seed),
        ending=lambda kind: JudgedEnding(
            judge_at(quality.level_for(kind), quality, invocation.prompts, invocation.cast)
        ),
    )


def brief_source(invocation: Invocation, seed: int) -> BriefSource:
    """Return what the conversations of a dataset with this seed are drawn from."""
    generation, scenarios = invocation.settings.generation, invocation.settings.scenarios
    return BriefSource(
        seed=seed,
        exchanges=generation.exchanges,
        max_tool_rounds=generation.max_tool_rounds,
        prompts=invocation.prompts,
        cast=invocation.cast,
        mix=scenarios.shares,
        first_day=scenarios.first_day.isoformat(),
        last_day=scenarios.last_day.isoformat(),
        rewrites=invocation.settings.roles.rewriter.rewrites,
        is_reviewed=invocation.settings.roles.reviewer.is_asked,
    )
