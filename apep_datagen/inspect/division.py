"""How a run divides what each role has to do among the providers that serve it.

All work at once, and what several can do is done by whoever has time: so the work is divided such that the last one is
done as early as possible, and each role's among its providers in proportion to what they can take where they serve the
same roles.
"""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.core.messages import ModelRole

__all__ = ["divide"]

# Each round comes nearer to the division in which nobody waits for another; a few would do for three roles.
_ROUNDS = 200


def divide(
    work: Mapping[ModelRole, float],
    providers: Mapping[ModelRole, tuple[str, ...]],
    rates: Mapping[str, float],
) -> dict[ModelRole, dict[str, float]]:
    """Return which share of each role's work each provider does.

    Args:
        work: How many requests there are, by role.
        providers: Who serves each role; somebody, wherever there is work.
        rates: How many requests each provider takes in a second.
    """
    shares = {role: _in_proportion(names, rates) for role, names in providers.items() if work.get(role)}
    if len({frozenset(names) for role, names in providers.items() if role in shares}) <= 1:
        return shares
    for _ in range(_ROUNDS):
        for role in shares:
            others = {
                name: sum(work[other] * shares[other].get(name, 0.0) for other in shares if other is not role)
                for name in providers[role]
            }
            shares[role] = _level(work[role], others, rates)
    return shares


def _in_proportion(names: tuple[str, ...], rates: Mapping[str, float]) -> dict[str, float]:
    total = sum(rates[name] for name in names)
    return {name: rates[name] / total for name in names}


def _level(work: float, others: Mapping[str, float], rates: Mapping[str, float]) -> dict[str, float]:
    """Divide one role's work so that those who do any of it are done at the same time.

    Args:
        work: How many requests it has.
        others: How many requests of other roles each of its providers has.
        rates: How many requests each provider takes in a second.
    """
    in_order = sorted(others, key=lambda name: others[name] / rates[name])
    before, rate, end = 0.0, 0.0, 0.0
    for place, name in enumerate(in_order):
        before, rate = before + others[name], rate + rates[name]
        end = (work + before) / rate
        following = in_order[place + 1 :]
        if not following or end <= others[following[0]] / rates[following[0]]:
            break
    return {name: max(0.0, end * rates[name] - others[name]) / work for name in others}
