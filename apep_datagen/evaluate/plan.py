"""What an exam asks, user by user and day by day: pure functions of its seed and of the tables.

What is asked goes on as if Ada had done all that she should, whatever she does: so every model is asked the same, and
what one failed to write down is missing on the day when it is asked for.
"""

from __future__ import annotations

import functools
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Protocol

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.evaluate.exam import WRITTEN, Exam
from apep_datagen.people.cast import Cast
from apep_datagen.people.drawing import draw_scenario, draw_time, draw_user, generator, possible_forms
from apep_datagen.people.ideal import IdealTimeline
from apep_datagen.people.past import Past, draw_past
from apep_datagen.people.scenario import ASKING, FORMS, Ability, Form, Scenario, User
from apep_datagen.people.story import Story

__all__ = ["SIZES", "ExamPlan", "Tester"]

SIZES = ((0, 0), (6, 14), (15, 28), (29, 60))
"""How many notes a user's memory begins with, least and most; users take turns."""

# The days on which users are met for the first time.
_FIRST_DAY, _LAST_DAY = "2025-01-01", "2026-12-31"
# Of what is asked for, or is to be forgotten, this share was told since the exam began, where the form allows it: what
# Ada did with it shows.
_SHARE_TOLD_IN_EXAM = 0.5
_ABOUT_THE_KNOWN = ASKING | {Ability.FORGET}
_MOST_EXCHANGES = 2
_PASTS_DRAWN = 8
# Of as many timelines as are under way at once, a fast provider included; one takes 65 KB.
_USERS_KEPT = 512
_DIGEST_BYTES = 8


class Tester(Protocol):
    """Writes beforehand what the user says (`people.written.WrittenTester`)."""

    def messages(self, draw: random.Random, scenario: Scenario, user: User, exchanges: int) -> tuple[str, ...]:
        """Return what the user says in each exchange."""


@dataclass(frozen=True, slots=True)
class _Day:
    """A conversation of a user, the same in each try.

    Attributes:
        brief: As a first try would have it.
        story: The story before it, as if Ada had done all that she should.
        notes: How many notes are in her memory then.
        pages: How many pages are in her diary then.
        question: A digest of what is asked.
    """

    brief: Brief
    story: Story
    notes: int
    pages: int
    question: str


@dataclass(frozen=True, slots=True)
class _User:
    past: Past
    days: tuple[_Day, ...]


class ExamPlan:
    """What an exam asks.

    Users are drawn one at a time, and those that were drawn last are kept; all of it is the same whenever it is asked.

    Args:
        exam: Its seed and its extent.
        cast: What users and questions are drawn from.
        prompts: The words that a model is sent.
        tester: Who writes the user's messages beforehand; None where a model writes them.
    """

    def __init__(self, exam: Exam, cast: Cast, prompts: PromptSet, tester: Tester | None) -> None:
        self.exam = exam
        self.cast = cast
        self.prompts = prompts
        self._tester = tester
        self._user = functools.lru_cache(maxsize=_USERS_KEPT)(self._draw_user)

    def as_written(self, tester: Tester) -> ExamPlan:
        """Return the same exam with messages that a tester writes beforehand; itself where they are that already."""
        if self._tester is not None:
            return self
        return ExamPlan(replace(self.exam, tester=WRITTEN), self.cast, self.prompts, tester)

    @functools.cached_property
    def tables(self) -> str:
        """A digest of the tables that users and questions are drawn from, but for the lists of words."""
        cast, world = self.cast, self.cast.world
        tables = [cast.users, cast.scenarios, *cast.slots.values(), *world.twins.values(), *cast.moments.values()]
        texts = [table.model_dump_json() for table in (*tables, *cast.connections)]
        texts += [*world.trifles, *world.topics, *world.smalltalk_topics, *world.advice_topics]
        return _digest("\n".join([*texts, *world.vocabulary.names]))

    def past(self, user: int) -> Past:
        """Return what Ada has noted of a user, from 1, before the first day."""
        return self._user(user).past

    def day(self, user: int, number_of_try: int, day: int, conversation_id: int) -> Brief:
        """Return what a conversation is to be about.

        What is asked is the same in each try; the seeds of the model calls are not.

        Args:
            user: The number of the user, from 1.
            number_of_try: In which try, from 1.
            day: On which of the user's days, from 0.
            conversation_id: The number that it gets.
        """
        return replace(
            self._user(user).days[day].brief,
            conversation_id=conversation_id,
            timeline_id=self.exam.timeline_of(user, number_of_try),
            seed=generator(self.exam.seed, "model", user, number_of_try, day).getrandbits(31),
        )

    def question(self, user: int, day: int) -> str:
        """Return a digest by which what a user (from 1) asks on a day (from 0) is known in another evaluation."""
        return self._user(user).days[day].question

    def notes_before(self, user: int, day: int) -> tuple[int, int]:
        """Return how many notes and pages there are before a day (from 0) if Ada did all that she should."""
        planned = self._user(user).days[day]
        return planned.notes, planned.pages

    def story_before(self, user: int, day: int) -> Story:
        """Return the story of a user (from 1) before a day (from 0), as if Ada had done all that she should."""
        return self._user(user).days[day].story

    def _draw_user(self, number: int) -> _User:
        seed = self.exam.seed
        user = draw_user(self.cast, generator(seed, "user", number))
        at = draw_time(generator(seed, "when", number, 0), "", _FIRST_DAY, _LAST_DAY)
        wishes = _Wishes(seed, number)
        past = self._draw_past(number, user, at[:10], wishes)
        return _User(past, tuple(self._draw_days(number, past, at, wishes)))

    def _draw_past(self, number: int, user: User, day: str, wishes: _Wishes) -> Past:
        """Draw a few, and return the first of those that allow the most of what is wished for: some forms are rare."""
        size = SIZES[(number - 1) % len(SIZES)]
        draws = [
            generator(self.exam.seed, "past", number, attempt) for attempt in range(_PASTS_DRAWN if size[1] else 1)
        ]
        pasts = [draw_past(self.cast, draw, user, day, size) for draw in draws]
        return max(pasts, key=lambda past: wishes.granted(possible_forms(self.cast, past.story, day, _MOST_EXCHANGES)))

    def _draw_days(self, number: int, past: Past, at: str, wishes: _Wishes) -> Iterator[_Day]:
        user, began = past.story.user, at[:10]
        timeline = IdealTimeline.begun(user, past)
        for day in range(self.exam.days):
            if day:
                at = draw_time(generator(self.exam.seed, "when", number, day), at, _FIRST_DAY, _LAST_DAY)
            draw = generator(self.exam.seed, "scenario", number, day)
            exchanges = draw.randint(1, _MOST_EXCHANGES)
            # What the tester is not told, cannot come in a later message.
            told = exchanges if self._tester is not None or self.prompts.tells_each_message else 1
            possible = possible_forms(self.cast, timeline.story, at[:10], told)
            ability, form = wishes.take(draw, possible)
            story = self._story_asked_of(draw, timeline.story, ability, form, at=at, began=began)
            scenario = draw_scenario(self.cast, draw, ability, story, at=at, exchanges=told, form=form)
            messages: tuple[str, ...] = ()
            if self._tester is not None:
                written = generator(self.exam.seed, "messages", number, day)
                messages = self._tester.messages(written, scenario, user, exchanges)
            brief = Brief(
                conversation_id=day + 1,
                timeline_id=number,
                exchanges=exchanges,
                max_tool_rounds=self.exam.max_tool_rounds,
                at=at,
                user=user,
                scenario=scenario,
                previous=None,
                seed=0,
                rewrites="never",
                messages=messages,
            )
            notes = timeline.notebook.notes()
            yield _Day(brief, timeline.story, len(notes.memory), len(notes.diary), _question(brief))
            timeline = timeline.after(scenario, at, brief.conversation_id)

    def _story_asked_of(
        self, draw: random.Random, story: Story, ability: Ability, form: Form, *, at: str, began: str
    ) -> Story:
        """Return the story, or, as often as not, what of it was told since the exam began."""
        if ability not in _ABOUT_THE_KNOWN or draw.random() >= _SHARE_TOLD_IN_EXAM:
            return story
        new = replace(story, known=tuple(item for item in story.known if item.told_on >= began))
        return new if form in possible_forms(self.cast, new, at[:10], _MOST_EXCHANGES)[ability] else story


class _Wishes:
    """Which ability, in which form, comes next: of a user each ability about once, of many users each form as often.

    Each user wishes for one form of each ability; of the users in a row, as many as there are forms, each for another
    one. What is wished for comes where the story allows it, and something else of that ability where it never does.

    Args:
        seed: The exam's.
        user: The number of the user, from 1.
    """

    def __init__(self, seed: int, user: int) -> None:
        self._counts: Counter[Ability] = Counter()
        self._wished: dict[Ability, tuple[Form, ...]] = {}
        for ability, forms in FORMS.items():
            turn, place = divmod(user - 1, len(forms))
            in_turn = generator(seed, "forms", ability, turn).sample(forms, len(forms))
            self._wished[ability] = (*in_turn[place:], *in_turn[:place])

    def granted(self, possible: Mapping[Ability, Sequence[Form]]) -> int:
        """Return how many of the wished forms are among those that are possible."""
        return sum(self._wished[ability][0] in forms for ability, forms in possible.items())

    def take(self, draw: random.Random, possible: Mapping[Ability, Sequence[Form]]) -> tuple[Ability, Form]:
        """Return what comes next, one of what is possible: of the abilities that came least, one of the wished form."""
        abilities = [ability for ability, forms in possible.items() if forms]
        least = min(self._counts[ability] for ability in abilities)
        owed = [ability for ability in abilities if self._counts[ability] == least]
        granted = [ability for ability in owed if self._wished[ability][0] in possible[ability]]
        ability = draw.choice(granted or owed)
        self._counts[ability] += 1
        return ability, next(form for form in self._wished[ability] if form in possible[ability])


def _question(brief: Brief) -> str:
    """Return a digest of what a model is asked, and of all that it is judged by."""
    asked = (asdict(brief.user), asdict(brief.scenario), brief.at, brief.exchanges, brief.messages)
    return _digest(json.dumps(asked, ensure_ascii=False))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
