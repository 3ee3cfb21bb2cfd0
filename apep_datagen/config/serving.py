"""Who serves whom: which providers of a run make the calls of which role."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from apep_datagen.core.messages import ModelRole

__all__ = ["Serving"]


@dataclass(frozen=True, slots=True)
class Serving:
    """Which providers serve which role.

    Attributes:
        needed: The roles that a new conversation needs, in the order in which it comes to them.
        providers: By role, who serves it; also for roles that only conversations of an earlier invocation need.
    """

    needed: tuple[ModelRole, ...]
    providers: Mapping[ModelRole, tuple[str, ...]]

    @classmethod
    def by_all(cls, providers: Iterable[str], needed: Iterable[ModelRole] = ModelRole) -> Self:
        """Return that every provider serves every role."""
        return cls(tuple(needed), dict.fromkeys(ModelRole, tuple(providers)))

    def without(self, provider: str) -> Self:
        """Return who serves whom when a provider is not there any more."""
        others = {role: tuple(name for name in names if name != provider) for role, names in self.providers.items()}
        return replace(self, providers=others)

    def serves(self, provider: str, role: ModelRole) -> bool:
        """Tell whether a provider serves a role."""
        return provider in self.providers.get(role, ())

    def roles_of(self, provider: str) -> tuple[ModelRole, ...]:
        """Return the roles that a provider serves, also those that no new conversation needs."""
        return tuple(role for role in ModelRole if self.serves(provider, role))

    def needed_of(self, provider: str) -> tuple[ModelRole, ...]:
        """Return the roles for which new conversations need a provider."""
        return tuple(role for role in self.needed if self.serves(provider, role))

    @property
    def everybody(self) -> frozenset[str]:
        """Who serves any role that is needed."""
        return frozenset(name for role in self.needed for name in self.providers[role])

    @property
    def is_uniform(self) -> bool:
        """Whether all serve the same roles, so that no call has to change its provider."""
        return len({frozenset(self.needed_of(name)) for name in self.everybody}) <= 1

    @property
    def unserved(self) -> frozenset[ModelRole]:
        """The roles that nobody serves, needed or not."""
        return frozenset(role for role, names in self.providers.items() if not names)

    def is_complete_with(self, providers: Collection[str]) -> bool:
        """Tell whether these providers are enough to serve every role that is needed."""
        return all(any(name in providers for name in self.providers[role]) for role in self.needed)

    def left_to_others(self, provider: str) -> frozenset[ModelRole]:
        """Return the roles that a provider serves last: others do, too, who cannot do all that it can.

        Where all serve the same, there are none.
        """
        own = set(self.needed_of(provider))
        return frozenset(
            role
            for role in own
            if any(not own <= set(self.needed_of(name)) for name in self.providers[role] if name != provider)
        )
