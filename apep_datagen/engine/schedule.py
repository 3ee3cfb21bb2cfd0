"""Which conversation goes on next: plain bookkeeping, without waiting and without I/O.

A provider that may send a request takes its most advanced waiting conversation, else begins a new one. So few
conversations are half-done at any time, and new ones go to the providers in turn, each as often as its rate permits.

Conversations of one timeline follow each other, because each begins where the last one ended; so what is in flight at
once is one conversation a timeline, and a new timeline begins when no other is idle.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping

from apep_datagen.conversation.machine import begin
from apep_datagen.conversation.state import Conversation
from apep_datagen.engine.purpose import Source
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.conversations import ActiveConversation
from apep_datagen.storage.timelines import Timeline

__all__ = ["Schedule"]


class Schedule:
    """All conversations that are not finished, and how many are still to be begun.

    Args:
        missing: How many conversations the output lacks.
        source: What new conversations are drawn from.
        timelines: Timelines that go on.
        active: Conversations that were begun and not ended. Where they are more than are missing, the least advanced
            are left for a larger target.
        providers: The providers of this run; what another one began, any of them takes over.
        may_finish: Tells whether so many conversations in progress can probably be paid for to their end, if a certain
            provider begins one of them. Where not, it begins none, unless none is in progress.
        accepted: How many conversations of each ability were accepted.
        held_back: Tells which abilities are held back now.
        last_conversation_id: The highest number given so far.
        last_timeline_id: The same.
        most_timelines: How many timelines there are at most; None: as many as it takes.
    """

    def __init__(
        self,
        *,
        missing: int,
        source: Source,
        timelines: Iterable[Timeline],
        active: Iterable[ActiveConversation],
        providers: Collection[str],
        may_finish: Callable[[str, int], bool] = lambda _provider, _conversations: True,
        accepted: Mapping[Ability, int],
        held_back: Callable[[], Collection[Ability]] = frozenset,
        last_conversation_id: int,
        last_timeline_id: int,
        most_timelines: int | None = None,
    ) -> None:
        self._source = source
        self._most_timelines = most_timelines
        self.missing = missing
        # Accepted or in progress: what the draw of the next one goes by.
        self._by_ability = Counter(accepted)
        self._held_back = held_back
        self._last_conversation_id = last_conversation_id
        self._last_timeline_id = last_timeline_id
        self._in_progress = 0
        # What waits for a call: for each provider, and (key None) for any of them. Entries sort by what failed least
        # often (a request that fails by itself is not to hold up the others), is most advanced, is oldest.
        self._waiting: dict[str | None, list[tuple[int, int, int, Conversation]]] = {}
        self._providers = frozenset(providers)
        self._may_finish = may_finish
        self._spare = deque(sorted(active, key=lambda item: -item.conversation.steps))
        busy = {item.conversation.brief.timeline_id for item in self._spare}
        self._resume_spare()
        self._idle = deque(timeline for timeline in timelines if timeline.id not in busy)

    @property
    def finished(self) -> bool:
        """Whether the output lacks nothing."""
        return self.missing <= 0

    @property
    def in_progress(self) -> int:
        """How many conversations were begun and not ended."""
        return self._in_progress

    def has_work(self, provider: str) -> bool:
        """Tell whether `take` would return something."""
        return bool(self._waiting.get(provider) or self._waiting.get(None) or self._may_begin_new(provider))

    def take(self, provider: str, *, is_probe: bool = False, is_in_doubt: bool = False) -> Conversation | None:
        """Return the conversation that `provider` should go on with, or None if there is none.

        Args:
            provider: Who is to make the call.
            is_probe: Whether the call is to show if the provider is back. What failed before shows nothing if it fails
                again, so where nothing else waits, one conversation more than are missing is begun. It takes the
                place of the other one where that one fails by itself.
            is_in_doubt: Whether the call is to show if the provider is of use: the same, but no more than are missing.
        """
        queues = [queue for key in (provider, None) if (queue := self._waiting.get(key))]
        if queues:
            failures = min(queues)[0][0]
            may_begin = (is_probe and self._in_progress <= self.missing) or (
                is_in_doubt and self._may_begin_new(provider)
            )
            if failures and may_begin:
                return self._begin()
            return heapq.heappop(min(queues))[3]
        return self._begin() if self._may_begin_new(provider) else None

    def put_back(self, conversation: Conversation, provider: str | None, *, failures: int = 0) -> None:
        """Let a conversation wait for its next call.

        Args:
            conversation: What waits.
            provider: Who is to make the call; None for any.
            failures: How often the call failed.
        """
        entry = (failures, -conversation.steps, conversation.brief.conversation_id, conversation)
        heapq.heappush(self._waiting.setdefault(provider, []), entry)

    def release_provider(self, provider: str) -> None:
        """Let any provider go on with the conversations that wait for `provider`."""
        for failures, _, _, conversation in self._waiting.pop(provider, []):
            self.put_back(conversation, None, failures=failures)

    def end(self, conversation: Conversation, *, is_accepted: bool, timeline: Timeline | None, lost: int = 0) -> None:
        """Take note that a conversation has ended.

        Args:
            conversation: Which.
            is_accepted: Whether it is in the output; else another one takes its place.
            timeline: Its timeline as it goes on; None if it is over.
            lost: How many conversations, with this one, will not be made because it failed.
        """
        self._in_progress -= 1
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
            self.put_back(item.conversation, item.provider if item.provider in self._providers else None)

    def _may_begin(self) -> bool:
        return self._in_progress < self.missing

    def _may_begin_new(self, provider: str) -> bool:
        has_timeline = bool(self._idle) or self._last_timeline_id != self._most_timelines
        return (
            has_timeline
            and self._may_begin()
            and (self._in_progress == 0 or self._may_finish(provider, self._in_progress + 1))
        )

    def _begin(self) -> Conversation:
        past = None
        if self._idle:
            timeline = self._idle.popleft()
        else:
            self._last_timeline_id += 1
            timeline, past = self._source.new_timeline(self._last_timeline_id)
        self._in_progress += 1
        self._last_conversation_id += 1
        brief = self._source.draw_brief(self._last_conversation_id, timeline, self._by_ability, self._held_back())
        self._by_ability[brief.scenario.ability] += 1
        return begin(brief, self._source.prompts, past)
