"""How fast a provider may be asked, found out from what it refuses.

An `AdaptiveRate` begins at the rate that is configured. A 429 cuts it; then it climbs back, fast at first and slowly
near the rate that failed, and if that is not refused any more, faster and faster beyond it: the curve that TCP's
congestion control CUBIC takes (RFC 9438, section 4.2). Unlike there, requests are counted, not seconds, so that it is
as careful at one request a second as at fifty.

Nothing here reads a clock: times are passed in, in seconds, of any one clock that never goes back.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FORGIVEN_SECONDS", "AdaptiveRate", "Sending"]

# A request may come so early: what one is late, the next one makes up. Servers forgive some tens of milliseconds.
FORGIVEN_SECONDS = 0.02

_FLOOR_SHARE = 0.02  # of the ceiling
_FASTEST = 1_000.0  # requests per second, where there is no ceiling; this program cannot send more
_REMEMBERED_SENDINGS = 64

# The figures below were found by simulating servers that count in different ways, as `test_adaptive_rate.py` does
# again.
_DEEPEST_CUT, _SHALLOWEST_CUT = 0.6, 0.98
_ENOUGH_TO_COUNT = 20  # requests whose share of refusals says something
# The climb back, in requests and in seconds, and how much longer it is after refusals that cost much.
_CLIMB_REQUESTS, _SHORTEST_CLIMB_REQUESTS, _LONGEST_CLIMB_SECONDS = 45, 25, 30.0
# A limit that was met so often without a change is looked for more seldom, up to so many times.
_STEADY_AFTER_CUTS, _MOST_SELDOM = 5, 8
_REFUSALS_REMEMBERED_FOR = 100  # requests
_MOST_REFUSALS = 3.0
_CLIMB_SECONDS_AFTER_PAUSE, _LONGEST_CLIMB_AFTER_PAUSE_SECONDS = 30.0, 90.0  # the first: of one second
_DELAYS_A_CLIMB = 8.0
# Beyond the rate that failed: it is doubled in 0.83 times as many requests.
_BEYOND_REQUESTS, _LONGEST_BEYOND_SECONDS, _BEYOND_SHARE_OF_CLIMB = 32.0, 60.0, 0.1
_MOST_UNCONFIRMED = 2.0
# A limit that changed did so by more than this; less is what a server let pass that counts generously.
_CHANGED = 1.35
_NOTICED_AFTER_REQUESTS = 4

_LONGEST_BACKOFF_SECONDS = 60.0
_LONGEST_REFUSAL_DELAY_SECONDS = 15.0  # one that takes longer says nothing about the next ones
# A pause from which one can tell how much a server with fixed windows permits.
_LONG_PAUSE_SECONDS, _LONG_PAUSE_INTERVALS = 3.0, 3.0
_COUNTED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sending:
    """One request, as it was sent.

    Attributes:
        at: When, in seconds.
        epoch: After how many cuts.
        number: The how-many-eth of its epoch, from 1.
        rate: The rate in force, in requests per second, or None if there was none.
    """

    at: float
    epoch: int
    number: int
    rate: float | None


class AdaptiveRate:
    """A rate that settles near what a server permits.

    Args:
        ceiling: Requests per second that it never exceeds. None means that there is no rate until a request is refused,
            and that it may grow to any rate afterwards.
        jitter: Draws from 0 to 1.
    """

    def __init__(self, ceiling: float | None, *, jitter: Callable[[], float] = random.random) -> None:
        self._ceiling = ceiling
        self._jitter = jitter
        self._rate = ceiling
        self._floor = _FLOOR_SHARE * (ceiling or 0.0)
        self._turn = -math.inf
        self._last_sent = -math.inf
        self._first_sendings: deque[float] = deque(maxlen=_REMEMBERED_SENDINGS)
        # Since the last cut.
        self._epoch = 0
        self._number = 0
        self._cut_at = -math.inf
        self._paused_until = -math.inf
        self._backoffs = 0
        self._refused_before_cut = 0
        # The climb: from where, to where, in how many requests, and how far it is.
        self._low = self._failed = ceiling or math.inf
        self._climb_length = 0.0
        self._climbed = 0
        self._confirmed = 0.0
        self._same_limit_cuts = 0
        # What refusals are like here.
        self._refusals = 0.0
        self._refusal_delay = 0.0
        # What came through since when, for servers with fixed windows.
        self._blocked_since: float | None = None
        self._is_long_pause = False
        self._counted_since: float | None = None
        self._counted = 0.0

    @property
    def requests_per_second(self) -> float | None:
        """The rate in force now, or None for no limit."""
        return self._rate

    def set_ceiling(self, ceiling: float) -> None:
        """Replace the ceiling, in requests per second; a rate that was at the old one is at the new one."""
        if self._rate is None or self._rate == self._ceiling or self._rate > ceiling:
            self._rate = self._low = self._failed = ceiling
        self._ceiling = ceiling
        self._floor = _FLOOR_SHARE * ceiling
        self._rate = max(self._rate, self._floor)

    def wait(self, now: float) -> float:
        """Return in how many seconds the next request may be sent; 0 if it may now."""
        if self._rate is None:
            return 0.0
        interval = 1 / self._rate
        if self._backoffs and self._number == 1:
            # The first request behind a pause that was too short before: whether it is refused again comes first.
            interval = max(interval, 1.1 * self._refusal_delay)
        return max(0.0, self._turn + interval - FORGIVEN_SECONDS - now)

    def sent(self, now: float) -> Sending:
        """Take note that a request is sent."""
        if self._blocked_since is not None:
            self._look_back(self._blocked_since, now)
        if self._rate is None:
            self._turn = now
            self._first_sendings.append(now)
        else:
            interval = 1 / self._rate
            self._turn = max(now, self._turn + interval)
            # A rate that is not used proves nothing; neither does one whose refusals may still be under way.
            if now - self._last_sent <= 2 * interval and now >= self._cut_at + self._refusal_delay:
                self._climb()
        self._last_sent = now
        self._number += 1
        self._refusals *= 1 - 1 / _REFUSALS_REMEMBERED_FOR
        self._count(now)
        return Sending(now, self._epoch, self._number, self._rate)

    def accepted(self, sending: Sending) -> None:
        """Take note that a request was answered with something other than a 429."""
        if sending.epoch == self._epoch and sending.rate is not None:
            self._confirmed = max(self._confirmed, sending.rate)

    def refused(self, sending: Sending, retry_after: float | None, now: float) -> float:
        """Take note that a request was answered with a 429.

        Args:
            sending: The request.
            retry_after: Seconds that the server asked to wait, or None if it did not say.
            now: When the answer came, in seconds.

        Returns:
            Seconds for which nothing is to be sent.
        """
        self._refusals += 1
        self._counted -= 1
        delay = min(_LONGEST_REFUSAL_DELAY_SECONDS, now - sending.at)
        self._refusal_delay += (delay - self._refusal_delay) / (1 if delay > self._refusal_delay else 8)
        rate = self._rate_of(sending)
        if sending.epoch != self._epoch:
            if sending.epoch == self._epoch - 1:
                self._refine_cut(rate, sending.number)
            pause = retry_after or 0.0
        else:
            if sending.number == 1 and self._epoch:
                # The pause was too short: that says nothing about the rate.
                self._backoffs += 1
            else:
                self._backoffs = 0
                self._cut(rate, sending, now)
            self._epoch += 1
            self._number = self._climbed = 0
            self._refused_before_cut = 1
            self._confirmed = self._low
            pause = retry_after or self._backoff()
        if pause:
            self._paused_until = max(self._paused_until, now + pause)
        self._plan_climb()
        return pause

    def _rate_of(self, sending: Sending) -> float:
        """Return the rate at which a request was sent: the measured one if none was in force."""
        if sending.rate is not None:
            return sending.rate
        first, last = self._first_sendings[0], self._first_sendings[-1]
        return min(_FASTEST, len(self._first_sendings) / max(1.0, last - first))

    def _cut(self, rate: float, sending: Sending, now: float) -> None:
        """Lower the rate, because of the first refusal since the last cut."""
        failed_before = self._failed
        if self._climb_length and rate > self._failed:
            if rate > _CHANGED * self._failed:
                requests = self._beyond_requests()
                beyond = requests * math.sqrt(math.log(rate / self._failed)) - _NOTICED_AFTER_REQUESTS
                self._failed *= _growth(max(0.0, beyond) / requests)
            else:
                self._failed *= 1.02
            low = self._failed * _SHALLOWEST_CUT
        else:
            # A server that forgives one request refuses the n-th one at this rate if it permits 1 - 1/n of it.
            number = sending.number if sending.rate is not None else 1
            low = rate * min(_SHALLOWEST_CUT, max(_DEEPEST_CUT, 1 - 1 / number))
            self._failed = (low + rate) / 2
        if self._rate is None:
            self._floor = _FLOOR_SHARE * rate
        self._rate = self._low = max(self._floor, min(low, self._rate or low))
        self._failed = max(self._failed, self._low)
        is_same = failed_before / _CHANGED < self._failed < failed_before * _CHANGED
        self._same_limit_cuts = self._same_limit_cuts + 1 if is_same else 0
        self._cut_at = self._blocked_since = now
        self._is_long_pause = False

    def _refine_cut(self, rate: float, number: int) -> None:
        """Lower the rate further, if more of the requests that led to the last cut are refused than it assumed."""
        self._refused_before_cut += 1
        if number >= _ENOUGH_TO_COUNT and self._rate is not None:
            low = max(self._floor, rate * max(0.3, 1 - self._refused_before_cut / number))
            if low < self._rate:
                self._rate = self._low = low
                self._failed = min(self._failed, 1.1 * low)

    def _backoff(self) -> float:
        interval = 1 / (self._rate or _FASTEST)
        doubled = interval * 2.0 ** min(self._backoffs, 32)
        return min(_LONGEST_BACKOFF_SECONDS, doubled * (1 + 0.1 * self._jitter()))

    def _plan_climb(self) -> None:
        """Say how long the climb takes: the longer, the more the refusals cost that it leads to."""
        rate = self._rate or _FASTEST
        requests = _CLIMB_REQUESTS * min(_MOST_REFUSALS, max(1.0, self._refusals))
        pause = self._paused_until - self._cut_at
        seldom = min(_MOST_SELDOM, max(1, self._same_limit_cuts - _STEADY_AFTER_CUTS))
        self._climb_length = max(
            _SHORTEST_CLIMB_REQUESTS,
            min(requests, rate * _LONGEST_CLIMB_SECONDS * seldom),
            rate * min(_LONGEST_CLIMB_AFTER_PAUSE_SECONDS, _CLIMB_SECONDS_AFTER_PAUSE * math.sqrt(max(0.0, pause))),
            rate * min(_LONGEST_CLIMB_AFTER_PAUSE_SECONDS, _DELAYS_A_CLIMB * self._refusal_delay),
        )

    def _beyond_requests(self) -> float:
        rate = self._rate or _FASTEST
        return max(
            min(_BEYOND_REQUESTS, rate * _LONGEST_BEYOND_SECONDS),
            rate * _DELAYS_A_CLIMB * self._refusal_delay,
            _BEYOND_SHARE_OF_CLIMB * self._climb_length,
        )

    def _climb(self) -> None:
        if not self._climb_length or self._rate is None:
            return
        self._climbed += 1
        if self._climbed < self._climb_length:
            rate = self._failed - (self._failed - self._low) * (1 - self._climbed / self._climb_length) ** 3
        else:
            rate = self._failed * _growth((self._climbed - self._climb_length) / self._beyond_requests())
            # Answers take a while; far beyond what was answered, nothing is known.
            rate = min(rate, max(1.05 * self._failed, _MOST_UNCONFIRMED * self._confirmed))
        self._rate = max(self._rate, min(rate, self._ceiling or _FASTEST))

    # Servers with fixed windows let everything pass, then nothing: not the rate at which the first refusal came, but
    # what came through until the window's end is what they permit.

    def _count(self, now: float) -> None:
        if self._counted_since is None:
            self._counted_since = now
        self._counted += 1
        if now - self._counted_since > _COUNTED_SECONDS:
            self._counted_since = (now + self._counted_since) / 2
            self._counted /= 2

    def _look_back(self, blocked_since: float, now: float) -> None:
        """After a long pause, go on at the rate that came through from the last one's end to this one's."""
        if self._number:  # the first request behind the pause was not refused, so it is over
            if self._is_long_pause:
                self._counted_since, self._counted = self._last_sent, 1.0
            self._blocked_since = None
        elif self._rate is not None and self._counted_since is not None:
            shortest = max(_LONG_PAUSE_SECONDS, _LONG_PAUSE_INTERVALS / self._rate, 2 * self._refusal_delay)
            self._is_long_pause = now - blocked_since > shortest
            if self._is_long_pause:
                came_through = max(1.0, self._counted) / (now - self._counted_since)
                self._rate = min(max(self._floor, came_through), self._ceiling or _FASTEST)
                self._low = self._failed = self._rate
                self._paused_until = now
                self._plan_climb()


def _growth(progress: float) -> float:
    # A rate that is at its ceiling goes on climbing in vain.
    return math.exp(min(9.0, progress**2))
