"""The tokens of a month: kept over runs and outputs, whoever crashes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.budget.amounts import Amount
from apep_datagen.budget.ledger import Ledger
from apep_datagen.budget.month import MonthAccount
from apep_datagen.core.errors import StorageError
from support.loopback_server import LoopbackServer, Received
from support.program import Program, section

MONTH = "2026-01"


@settings(max_examples=40)  # each books some times, and that is a file
@given(
    st.integers(1, 3_000),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 400), st.floats(0, 1), st.integers(0, 5)), max_size=20),
)
def test_whatever_runs_reserve_settle_and_crash_the_month_is_never_exceeded(
    tmp_path_factory: pytest.TempPathFactory, limit: int, actions: list[tuple[int, int, float, int]]
) -> None:
    """Three runs at the same ledger; a settled request cost a share of what was reserved, a crash settles nothing."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    ledgers = [Ledger(path, Path(f"out-{number}.json")) for number in range(3)]
    spent = [0, 0, 0]
    reserved = [0, 0, 0]

    def begin(number: int) -> MonthAccount:
        # What a crash left under way counts in full.
        spent[number] += reserved[number]
        reserved[number] = 0
        ledgers[number].book({(MONTH, "mistral"): spent[number]})
        return MonthAccount(ledgers[number], "mistral", MONTH, most=limit, spent=spent[number])

    async def main() -> None:
        runs = [begin(number) for number in range(3)]
        for number, tokens, share, kind in actions:
            if kind == 0:
                runs[number] = begin(number)
                continue
            amount = Amount(tokens=tokens)
            await runs[number].extend(amount)
            if runs[number].obstacle(amount):
                continue
            if not runs[number].try_reserve(amount):
                assert reserved[number]  # it fits when this is given back
                continue
            reserved[number] += tokens
            assert sum(spent) + sum(reserved) <= limit
            if kind > 2:
                cost = round(tokens * share)
                runs[number].settle(amount, Amount(tokens=cost))
                reserved[number] -= tokens
                spent[number] += cost

    asyncio.run(main())


def test_what_one_run_gives_back_another_may_use(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    first, second = Ledger(path, Path("a.json")), Ledger(path, Path("b.json"))
    assert first.grant(MONTH, "mistral", 900, 1_000) == 920
    assert second.grant(MONTH, "mistral", 100, 1_000) == 80
    assert second.grant(MONTH, "together", 100, 1_000) == 120
    assert second.grant("2026-02", "mistral", 100, 1_000) == 120
    first.book({(MONTH, "mistral"): 300})
    assert second.grant(MONTH, "mistral", 100, 1_000) == 120
    # An output is known by where it is, however it is named.
    assert Ledger(path, Path("x/../a.json")).grant(MONTH, "mistral", 880, 1_000) == 880


def test_a_ledger_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("I am no database. " * 100)
    with pytest.raises(StorageError, match="ledger of the tokens of each month cannot be used"):
        Ledger(path, Path("a.json")).book({})
    path = tmp_path / "ledger.db" / "in a file"
    with pytest.raises(StorageError, match="ledger of the tokens of each month cannot be used"):
        Ledger(path, Path("a.json")).grant(MONTH, "mistral", 1, 1)


# The program.


def test_the_tokens_of_a_month_are_kept_over_runs_and_outputs(tmp_path: Path) -> None:
    program = Program(tmp_path)
    spent = 0
    with LoopbackServer() as server:
        program.configure(
            section("endpoint", server.url("endpoint"), requests_per_second=50, tokens_per_month=20_000)
            + section("other", server.url("other"), requests_per_second=50)
        )
        for output in ("one.json", "one.json", "two.json"):
            ended = program.run("--providers", "endpoint", "--target", "30", "--output", output)
            assert ended.status == 6, ended.said
            assert "its tokens_per_month are spent; raise the limit or use another provider" in ended.stderr
            spent = sum(_tokens(received) for received in server.received)
            assert 12_000 < spent <= 20_000
        # A provider without a limit goes on.
        ended = program.run("--providers", "endpoint,other", "--target", "30", "--output", "one.json")
        assert ended.status == 0, ended.said
        assert sum(_tokens(received) for received in server.of("endpoint")) <= 20_000
    assert (tmp_path / "data/ledger.db").exists()


def test_without_a_limit_an_unusable_ledger_does_not_matter_and_with_one_nothing_is_sent(tmp_path: Path) -> None:
    program = Program(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ledger.db").write_text("I am no database. " * 100)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        assert program.run("--providers", "endpoint", "--target", "1").status == 0
        sent = len(server.received)
        program.configure(section("endpoint", server.url("endpoint"), tokens_per_month=1_000_000))
        ended = program.run("--providers", "endpoint", "--target", "2")
        assert ended.status == 4, ended.said
        assert "ledger.db: the ledger of the tokens of each month cannot be used" in ended.stderr
        assert "Traceback" not in ended.said
        assert len(server.received) == sent


def _tokens(received: Received) -> int:
    prompt = sum(len(message["content"]) for message in received.body["messages"]) // 4
    return prompt + len(received.answer) // 4
