"""How a run divides the work of each role among the providers that serve it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.messages import ModelRole
from apep_datagen.inspect.division import divide

ROLES = (ModelRole.TESTER, ModelRole.ADA, ModelRole.REWRITER)
NAMES = ("a", "b", "c")
SETS = [names for count in (1, 2, 3) for names in itertools.combinations(NAMES, count)]

RATES = st.fixed_dictionaries(dict.fromkeys(NAMES, st.floats(0.1, 100)))
WORK = st.fixed_dictionaries(dict.fromkeys(ROLES, st.floats(0.1, 10)))


def load(work: dict[ModelRole, float], shares: dict[ModelRole, dict[str, float]], name: str) -> float:
    return sum(work[role] * shares[role].get(name, 0.0) for role in shares)


@given(rates=RATES, work=WORK)
def test_where_all_serve_all_each_does_of_each_role_what_it_can_take(
    rates: dict[str, float], work: dict[ModelRole, float]
) -> None:
    shares = divide(work, dict.fromkeys(ROLES, NAMES), rates)
    for role in ROLES:
        assert shares[role] == pytest.approx({name: rate / sum(rates.values()) for name, rate in rates.items()})


@given(rates=RATES, work=WORK, data=st.data())
def test_all_is_done_as_early_as_the_slowest_roles_permit(
    rates: dict[str, float], work: dict[ModelRole, float], data: st.DataObject
) -> None:
    serving = {role: data.draw(st.sampled_from(SETS)) for role in ROLES}
    shares = divide(work, serving, rates)
    for role in ROLES:
        assert sum(shares[role].values()) == pytest.approx(1)
        assert set(shares[role]) == set(serving[role])
        assert all(share >= 0 for share in shares[role].values())
    # However it is divided, those who serve some roles cannot do them earlier than all of them together.
    least = max(
        sum(work[role] for role in roles) / sum(rates[name] for name in set().union(*(serving[role] for role in roles)))
        for count in (1, 2, 3)
        for roles in itertools.combinations(ROLES, count)
    )
    assert max(load(work, shares, name) / rates[name] for name in NAMES) == pytest.approx(least, rel=1e-3)


def test_what_only_one_can_do_is_left_to_it() -> None:
    work = {ModelRole.TESTER: 1.0, ModelRole.ADA: 2.0, ModelRole.REWRITER: 1.0}
    serving = {ModelRole.TESTER: ("all",), ModelRole.ADA: ("all", "ada"), ModelRole.REWRITER: ("all",)}
    shares = divide(work, serving, {"all": 10.0, "ada": 5.0})
    # 4 requests a conversation at 15 a second: of Ada's two, `ada` does what it can, which is two thirds.
    assert shares[ModelRole.ADA] == pytest.approx({"all": 1 / 3, "ada": 2 / 3})
