"""What an accepted conversation took, with all that came to nothing."""

from __future__ import annotations

from apep_datagen.engine.counters import ProviderCounters, RunCounters
from apep_datagen.terminal.cost import spell_cost_of_accepted, spell_cost_of_made


def test_all_that_was_spent_is_shared_out_among_those_that_were_accepted() -> None:
    said = spell_cost_of_accepted(40, 216, 118_000, 22_800, 0.048)
    assert said == "an accepted conversation took 5.4 requests, 2,950 + 570 tokens, $0.0012"


def test_what_nobody_knows_is_not_told() -> None:
    assert spell_cost_of_accepted(0, 12, 100, 10, 1.0) == ""
    assert spell_cost_of_accepted(3, 0, 0, 0, None) == ""
    for usd in (None, 0.0):
        assert "$" not in spell_cost_of_accepted(3, 12, 100, 10, usd)


def test_an_invocation_counts_what_it_has_made_itself() -> None:
    counters = RunCounters(target=9, done_before=6, done=8)
    assert spell_cost_of_made(counters) == ""
    counters.providers = {
        name: ProviderCounters(name, requests=5, prompt_tokens=900, completion_tokens=100, usd=0.5) for name in "ab"
    }
    assert spell_cost_of_made(counters) == "an accepted conversation took 5 requests, 900 + 100 tokens, $0.50"
    assert counters.usd == 1.0
    counters.providers["b"].usd = None  # one price is not known: neither is what all of it cost
    assert counters.usd is None
    assert spell_cost_of_made(counters) == "an accepted conversation took 5 requests, 900 + 100 tokens"
    counters.done = counters.done_before
    assert spell_cost_of_made(counters) == ""
