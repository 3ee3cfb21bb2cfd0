"""A rewriter whose rewrites are nearly never of use is found out early: a third of the calls is paid for them."""

from __future__ import annotations

from collections import Counter, deque

__all__ = ["RecentRewrites"]

_LAST = 36
_TOO_MANY = 0.5


class RecentRewrites:
    """What became of the last thoughts that a provider's model rewrote in this invocation."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._kept: deque[str] = deque(maxlen=_LAST)
        self._is_told = False

    def count(self, kept: tuple[str, ...]) -> str | None:
        """Take note of thoughts, by why each is saved as it was (empty where it is not); return what to say, once."""
        self._kept.extend(kept)
        reasons = Counter(why for why in self._kept if why)
        if self._is_told or len(self._kept) < _LAST or reasons.total() <= _TOO_MANY * _LAST:
            return None
        self._is_told = True
        [(reason, count)] = reasons.most_common(1)
        return (
            f"{self._provider}: {reasons.total()} of the last {_LAST} thoughts that it rewrote are saved as Ada thought"
            f" them, most often ({count} times) because {reason}. Name another model for the rewriter under"
            f" [providers.{self._provider}.models], or change rewriter_system.txt in a prompt directory of your own"
        )
