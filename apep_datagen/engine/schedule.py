"""Which conversation goes on next: plain bookkeeping, without waiting and without I/O.

A provider that may send a request takes its most advanced waiting conversation, else begins a new one. So few
conversations are half-done at any time, and new ones go to the providers in turn, each as often as its rate permits.

A conversation waits for a role: for whoever serves it, or for the provider that is to keep it. Where all providers
serve all roles, one keeps it to its end. Where not, it goes round among those that serve its next role, and keeps its
Ada. There, a provider begins new ones only while few wait for the roles that it leaves to others (`backlog`), and takes
last what others can do as well who cannot do all that it can. So the slowest role sets the pace and is never idle.

Conversations of one timeline follow each other, because each begins where the last one ended; so what is in flight at
once is one conversation a timeline, and a new timeline begins when no other is idle.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping

from apep_datagen.config.serving import Serving
from apep_datagen.conversation.machine import begin
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.messages import ModelRole
from apep_datagen.engine.backlog import Backlog
from apep_datagen.engine.purpose import Source
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.conversations import ActiveConversation
from apep_datagen.storage.timelines import Timeline

__all__ = ["Schedule"]

# What waits, sorted by what failed least often (a request that fails by itself is not to hold up the others), is most
# advanced, is oldest.
_Queue = list[tuple[int, int, int, Conversation]]


class Schedule:
    """All conversations that are not finished, and how many are still to be begun.

    Args:
        missing: How many conversations the output lacks.
        source: What new conversations are drawn from.
        timelines: Timelines that go on.
        active: Conversations that were begun and not ended. Where they are more than are missing, the least advanced
            are left for a larger target.
        serving: Who serves whom in this run; what a provider of another one began, any of them takes over.
        may_finish: Tells whether so many conversations in progress can probably be paid for to their end, if a certain
            provider begins one of them. Where not, it begins none, unless none is in progress.
        accepted: How many conversations of each ability were accepted.
        held_back: Tells which abilities are held back now.
        last_conversation_id: The highest number given so far.
        new_timelines: The numbers of those that may be begun, in order. After a kill there may be gaps among those that
            were: what was recorded first is not always what began first.
    """

    def __init__(
        self,
        *,
        missing: int,
        source: Source,
        timelines: Iterable[Timeline],
        active: Iterable[ActiveConversation],
        serving: Serving,
        may_finish: Callable[[str, int], bool] = lambda _provider, _conversations: True,
        accepted: Mapping[Ability, int],
        held_back: Callable[[], Collection[Ability]] = frozenset,
        last_conversation_id: int,
        new_timelines: Iterable[int],
    ) -> None:
        self._source = source
        self.missing = missing
        # Accepted or in progress: what the draw of the next one goes by.
        self._by_ability = Counter(accepted)
        self._held_back = held_back
        self._last_conversation_id = last_conversation_id
        self._new_timelines = iter(new_timelines)
        self._next_timeline = next(self._new_timelines, None)
        self._in_progress = 0
        self._is_uniform = serving.is_uniform
        self._serve_by(serving)
        self._waiting: dict[tuple[ModelRole, str | None], _Queue] = {}
        # Who made the last of Ada's calls in a conversation.
        self._adas: dict[int, str] = {}
        self._backlog = Backlog()
        # A provider that cannot begin a conversation itself lacks one that has not failed, to see if it is back.
        self._lacks_probe = False
        self._may_finish = may_finish
        self._spare = deque(sorted(active, key=lambda item: -item.conversation.steps))
        busy = {item.conversation.brief.timeline_id for item in self._spare}
        self._resume_spare()
        self._idle = deque(timeline for timeline in timelines if timeline.id not in busy)

    def _serve_by(self, serving: Serving) -> None:
        self._serving = serving
        self._unserved = serving.unserved
        self._roles = {name: serving.roles_of(name) for name in serving.everybody}
        self._last_roles = {name: serving.left_to_others(name) for name in serving.everybody}
        self._roles_of_others = {name: self._find_roles_of_others(name) for name in serving.everybody}

    def _find_roles_of_others(self, provider: str) -> tuple[ModelRole, ...]:
        """Return the roles behind the first one that a provider leaves to others, altogether or as long as it can."""
        if self._is_uniform:
            return ()
        own = set(self._roles[provider]) - self._last_roles[provider]
        return tuple(role for role in self._serving.needed[1:] if role not in own)

    @property
    def finished(self) -> bool:
        """Whether the output lacks nothing."""
        return self.missing <= 0

    @property
    def in_progress(self) -> int:
        """How many conversations were begun and not ended."""
        return self._in_progress

    @property
    def lacking(self) -> tuple[ModelRole, ...]:
        """The roles that are needed, or waited for, and that nobody serves any more."""
        return tuple(
            role for role in ModelRole if role in self._unserved and (role in self._serving.needed or self._count(role))
        )

    @property
    def is_stuck(self) -> bool:
        """Whether nothing goes on any more, because nobody serves a role: what did not need it has come to its end."""
        lacking = self.lacking
        if not lacking:
            return False
        return self._in_progress == sum(map(self._count, ModelRole)) == sum(map(self._count, lacking))

    def is_complete_with(self, providers: Collection[str]) -> bool:
        """Tell whether these providers are enough to serve every role that is needed."""
        return self._serving.is_complete_with(providers)

    def ada_of(self, conversation: Conversation) -> str | None:
        """Return who made the last of Ada's calls in a conversation that goes on; None before the first one."""
        return self._adas.get(conversation.brief.conversation_id)

    def owner_of(self, conversation: Conversation, provider: str) -> str | None:
        """Return whose a conversation is: its Ada's; before her first call that of who has it, if it serves Ada."""
        can_own = self._serving.serves(provider, ModelRole.ADA)
        return self.ada_of(conversation) or (provider if can_own else None)

    def has_work(self, provider: str) -> bool:
        """Tell whether `take` would return something."""
        return bool(self._queues(provider)) or self._may_begin_new(provider)

    def take(self, provider: str, *, is_probe: bool = False, is_in_doubt: bool = False) -> Conversation | None:
        """Return the conversation that `provider` should go on with, or None if there is none.

        Args:
            provider: Who is to make the call.
            is_probe: Whether the call is to show if the provider is back. What failed before shows nothing if it fails
                again, so where nothing else waits, one conversation more than are missing is begun: now, or for the
                next probe by who can begin one. It takes the place of the other one where that one fails by itself.
            is_in_doubt: Whether the call is to show if the provider is of use: the same, but no more than are missing.
        """
        conversation = self._choose(provider, is_probe=is_probe, is_in_doubt=is_in_doubt)
        if conversation is not None:
            role = _role_of(conversation)
            self._backlog.make_call(role)
            if role is ModelRole.ADA:
                self._adas[conversation.brief.conversation_id] = provider
        return conversation

    def _choose(self, provider: str, *, is_probe: bool, is_in_doubt: bool) -> Conversation | None:
        may_begin_new = self._may_begin_new(provider)
        queues = self._queues(provider, without=self._last_roles.get(provider, ()))
        if not queues and not may_begin_new:
            queues = self._queues(provider)
        if not queues:
            return self._begin() if may_begin_new else None
        if min(queues)[0][0]:
            can_begin = self._can_begin(provider)
            if (is_probe and can_begin and self._in_progress <= self.missing) or (is_in_doubt and may_begin_new):
                return self._begin()
            self._lacks_probe |= is_probe and not can_begin
        return heapq.heappop(min(queues))[3]

    def put_back(
        self, conversation: Conversation, provider: str | None, *, away: Collection[str] = (), failures: int = 0
    ) -> None:
        """Let a conversation wait for its next call.

        Args:
            conversation: What waits.
            provider: Who has had it until now; None where it is nobody's.
            away: Who does not send for a while: what they would keep, others take over.
            failures: How often the call failed.
        """
        role, keeper = _role_of(conversation), self._keeper(conversation, provider)
        if not conversation.is_new:
            self._backlog.come_to(conversation.brief.conversation_id, role)
        self._push(role, None if keeper in away else keeper, failures, conversation)

    def _keeper(self, conversation: Conversation, provider: str | None) -> str | None:
        """Return who is to make the call that is due; None for whoever serves its role."""
        role, ada, serving = _role_of(conversation), self.ada_of(conversation), self._serving
        if role is ModelRole.ADA and ada is not None and serving.serves(ada, role) and not self._is_uniform:
            return ada
        if provider is None or not serving.serves(provider, role) or role in self._last_roles.get(provider, ()):
            return None
        return provider

    def _push(self, role: ModelRole, keeper: str | None, failures: int, conversation: Conversation) -> None:
        entry = (failures, -conversation.steps, conversation.brief.conversation_id, conversation)
        heapq.heappush(self._waiting.setdefault((role, keeper), []), entry)

    def release_provider(self, provider: str) -> None:
        """Let any provider go on with the conversations that wait for `provider`."""
        for role in ModelRole:
            for failures, _, _, conversation in self._waiting.pop((role, provider), []):
                self._push(role, None, failures, conversation)

    def remove_provider(self, provider: str) -> None:
        """Take note that a provider is not there any more; any other may go on with what waits for it."""
        self._serve_by(self._serving.without(provider))
        self.release_provider(provider)

    def end(self, conversation: Conversation, *, is_accepted: bool, timeline: Timeline | None, lost: int = 0) -> None:
        """Take note that a conversation has ended.

        Args:
            conversation: Which.
            is_accepted: Whether it is in the output; else another one takes its place.
            timeline: Its timeline as it goes on; None if it is over.
            lost: How many conversations, with this one, will not be made because it failed.
        """
        self._in_progress -= 1
        self._backlog.end(conversation.brief.conversation_id)
        self._adas.pop(conversation.brief.conversation_id, None)
        self.missing -= is_accepted + lost
        if not is_accepted:
            self._by_ability[conversation.brief.scenario.ability] -= 1
        if timeline is not None:
            self._idle.append(timeline)
        self._resume_spare()

    def _resume_spare(self) -> None:
        while self._spare and self._may_begin():
            item = self._spare.popleft()
            self._in_progress += 1
            self._by_ability[item.conversation.brief.scenario.ability] += 1
            provider = item.provider if item.provider in self._roles else None
            if provider is not None and any(exchange.turns for exchange in item.conversation.exchanges):
                self._adas[item.conversation.brief.conversation_id] = provider
            self.put_back(item.conversation, provider)

    def _may_begin(self) -> bool:
        return self._in_progress < self.missing

    def _may_begin_new(self, provider: str) -> bool:
        if self._in_progress >= self.missing + (self._lacks_probe and not self.finished):
            return False
        if not self._can_begin(provider) or self._leaves_enough_to_others(provider):
            return False
        return self._in_progress == 0 or self._may_finish(provider, self._in_progress + 1)

    def _has_timeline(self) -> bool:
        """Tell whether there is a timeline for one more conversation."""
        return bool(self._idle) or self._next_timeline is not None

    def _can_begin(self, provider: str) -> bool:
        """Tell whether a provider serves the role that is first in a conversation, and others all that it does not."""
        needed = self._serving.needed
        return self._has_timeline() and self._serving.serves(provider, needed[0]) and self._unserved.isdisjoint(needed)

    def _leaves_enough_to_others(self, provider: str) -> bool:
        """Tell whether those who serve the roles that a provider leaves to others have enough to do."""
        roles = self._roles_of_others[provider]
        return bool(roles) and (
            self._backlog.are_many_begun() or any(self._backlog.is_enough(role, self._count(role)) for role in roles)
        )

    def _queues(self, provider: str, *, without: Collection[ModelRole] = ()) -> list[_Queue]:
        """Return what waits for a provider; of the roles in `without`, only what it is to keep."""
        keys = [
            (role, name)
            for role in self._roles.get(provider, ())
            for name in (provider, None)
            if name or role not in without
        ]
        return [queue for key in keys if (queue := self._waiting.get(key))]

    def _count(self, role: ModelRole) -> int:
        """Return how many conversations wait for a role."""
        return sum(len(queue) for (waited_for, _), queue in self._waiting.items() if waited_for is role)

    def _begin(self) -> Conversation:
        past = None
        if self._idle:
            timeline = self._idle.popleft()
        else:
            assert self._next_timeline is not None  # noqa: S101 - `_can_begin` was asked
            timeline, past = self._source.new_timeline(self._next_timeline)
            self._next_timeline = next(self._new_timelines, None)
        self._in_progress += 1
        self._lacks_probe = False
        self._last_conversation_id += 1
        self._backlog.begin(self._last_conversation_id)
        brief = self._source.draw_brief(self._last_conversation_id, timeline, self._by_ability, self._held_back())
        self._by_ability[brief.scenario.ability] += 1
        return begin(brief, self._source.prompts, past)


def _role_of(conversation: Conversation) -> ModelRole:
    """Return the role that a conversation waits for."""
    step = due_call(conversation)
    assert step is not None  # noqa: S101 - only such conversations are in the schedule
    return step.model_role
