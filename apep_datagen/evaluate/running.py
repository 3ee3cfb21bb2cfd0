"""Evaluating a model: a run of its own, whose conversations are examined in place of being judged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from apep_datagen.config.invocation import Invocation
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import NoProviderLeftError
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.notebook import Notebook
from apep_datagen.engine.ending import Acceptance, Ended
from apep_datagen.engine.outcome import Outcome
from apep_datagen.engine.purpose import Purpose
from apep_datagen.engine.run import run
from apep_datagen.engine.view import View
from apep_datagen.evaluate.element import Examinee, examined
from apep_datagen.evaluate.exam import WRITTEN
from apep_datagen.evaluate.outcome import examine
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.formats.wire import Wire
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.storage.cases import case_of
from apep_datagen.storage.contents import evaluation_of
from apep_datagen.storage.conversations import read_answers
from apep_datagen.storage.notes import read_entries
from apep_datagen.storage.timelines import Timeline, read_timeline

__all__ = ["Evaluation", "default_output", "evaluate"]

# A model that plays the user is asked so often for a message that is what it was to be.
_MOST_ASKED = 3
_SHOWN_OF_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is evaluated, and how.

    Attributes:
        plan: What is asked.
        ada: Whose answers are examined.
        wire: How she is asked, where she was trained on an export; None where it is as when conversations are made.
    """

    plan: ExamPlan
    ada: Examinee
    wire: Wire | None = None

    @property
    def begun_with(self) -> str:
        """What of it may not change while it goes on, as a JSON object with the names of the options."""
        exam = self.plan.exam
        return json.dumps(
            {
                "--ada": self.ada.provider,
                "its model": self.ada.model,
                "--as-trained": self.ada.as_trained or "(not given)",
                "--tester": exam.tester,
                "--users": exam.users,
                "--days": exam.days,
                "--tries": exam.tries,
                "--seed": exam.seed,
                "max_tool_rounds": exam.max_tool_rounds,
                "tables": self.plan.tables,
                "prompts": self.plan.prompts.digest[:_SHOWN_OF_DIGEST],
            }
        )


def default_output(ada: str) -> Path:
    """Return where the evaluation of a provider's model is, where nothing is said."""
    return Path("data/evaluations") / f"{ada}.json"


async def evaluate(invocation: Invocation, evaluation: Evaluation, view: View) -> Outcome:
    """Have all conversations of an exam, or what is left of them; each is in the output when it is examined.

    Args:
        invocation: What the run is told: providers, roles, budgets and where its output is.
        evaluation: What is evaluated.
        view: What it is shown by.

    Raises:
        SettingsError: As for `run`.
        StorageError: As for `run`; or the output is a dataset's, or of another evaluation.
    """
    exam = evaluation.plan.exam
    settings = invocation.settings
    generation = settings.generation.model_copy(
        update={"target": exam.conversations, "timeline_length": exam.days, "seed": exam.seed}
    )
    # What fails is what is looked for.
    quality = settings.quality.model_copy(update={"least_yield": 0.0, "least_ability_yield": 0.0})
    settings = settings.model_copy(update={"generation": generation, "quality": quality})
    if exam.tester == WRITTEN:  # nobody is asked, nor paid
        invocation = replace(invocation, serving=replace(invocation.serving, needed=(ModelRole.ADA,)))
    purpose = Purpose(
        contents=evaluation_of(evaluation.begun_with),
        source=lambda _seed: _ExamSource(evaluation.plan),
        ending=lambda _kind: _ExaminedEnding(evaluation),
        timelines=exam.timelines,
        takes_any_answer=True,
        may_be_others=False,
        wire=evaluation.wire,
    )
    outcome = await run(replace(invocation, settings=settings, reset_tools=False), view, purpose)
    if outcome.exit_status or not (left_out := exam.conversations - outcome.counters.target):
        return outcome
    return replace(outcome, error=_unasked(left_out, exam.conversations, invocation.output))


def _unasked(left_out: int, planned: int, output: Path) -> NoProviderLeftError:
    return NoProviderLeftError(
        f"{left_out:,} of {planned:,} conversations are not in {output}: requests failed for good, and with them all"
        " that was to come of these users; the figures are of the others.\n"
        "The same command asks for them again; nothing that was answered is asked twice."
    )


@dataclass(frozen=True, slots=True)
class _ExamSource:
    """Gives the conversations of an exam as they are planned."""

    plan: ExamPlan

    @property
    def prompts(self) -> PromptSet:
        return self.plan.prompts

    def new_timeline(self, number: int) -> tuple[Timeline, Past]:
        user, _ = self.plan.exam.place_of(number)
        past = self.plan.past(user)
        return Timeline(number, past.story), past

    def draw_brief(
        self,
        conversation_id: int,
        timeline: Timeline,
        counts: Mapping[Ability, int],  # noqa: ARG002 - what is asked is planned
        held_back: Collection[Ability] = (),  # noqa: ARG002 - the same
    ) -> Brief:
        user, number_of_try = self.plan.exam.place_of(timeline.id)
        brief = self.plan.day(user, number_of_try, timeline.conversations, conversation_id)
        # Whoever is asked the same again may say the same again.
        return replace(brief, seed=(brief.seed + timeline.rejected_in_a_row) % 2**31)


@dataclass(frozen=True, slots=True)
class _ExaminedEnding:
    """Examines a conversation; what Ada did in it stays, right or wrong."""

    evaluation: Evaluation

    def __call__(self, connection: sqlite3.Connection, conversation: Conversation, notebook: Notebook) -> Ended:
        brief, plan = conversation.brief, self.evaluation.plan
        timeline = read_timeline(connection, brief.timeline_id)
        assert timeline is not None  # noqa: S101 - one of its conversations was in progress
        user, _ = plan.exam.place_of(timeline.id)
        messages = training_sample(conversation)
        case = case_of(
            connection, brief, messages, finish_reasons=conversation.finish_reasons, known=(), notebook=notebook
        )
        outcome = examine(
            case,
            plan.cast.phrases,
            plan.story_before(user, timeline.conversations),
            read_entries(connection, timeline.id),
        )
        is_asked_again = plan.exam.tester != WRITTEN and timeline.rejected_in_a_row + 1 < _MOST_ASKED
        if outcome.is_void and is_asked_again:
            return Ended(conversation, Problem(Stage.EFFECT, outcome.reason, outcome.detail, outcome.quote))
        answers = read_answers(connection, brief.conversation_id)
        element = examined(
            plan,
            brief,
            timeline.conversations,
            messages=messages,
            outcome=outcome,
            ada=self.evaluation.ada,
            seconds=[answer.seconds or 0.0 for answer in answers],
            prompt_tokens=[answer.prompt_tokens or 0 for answer in answers],
            completion_tokens=[answer.completion_tokens or 0 for answer in answers],
        )
        next_day = min(timeline.conversations + 1, plan.exam.days - 1)
        return Ended(conversation, Acceptance(element.to_line(), plan.story_before(user, next_day)))
