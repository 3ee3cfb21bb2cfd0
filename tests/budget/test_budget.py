"""Budgets: no interleaving of answers, failures and crashes exceeds one; and what is left of one is used well."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.budget.account import Account, Limit, run_limits
from apep_datagen.budget.amounts import Amount, Price, picodollars, worst_case
from apep_datagen.budget.obstacles import BudgetSpentError, NotNowError
from apep_datagen.budget.prices import Prices
from apep_datagen.budget.purse import Purse, Treasury
from apep_datagen.core.errors import FailureKind, SettingsError
from apep_datagen.core.messages import CompletionRequest, Message, ModelRole, Step, Usage
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.spending import ModelUse, book_lost, read_uses
from support.loopback_server import LoopbackServer, Received, Reply, hangs_after, well_behaved
from support.memory_database import MemoryDatabase
from support.program import Program, section
from support.waiting import PATIENCE_SECONDS

QUOTES = {"cheap": (0.1, 0.3), "dear": (2, 6)}
PRICES = {model: Price.per_million_tokens(*quote) for model, quote in QUOTES.items()}


# The accounting.


def request_of(model: str, prompt: str, max_tokens: int) -> CompletionRequest:
    return CompletionRequest(Step.ANSWER, (Message("user", prompt),), model, 1.0, max_tokens, 1)


@dataclass(slots=True)
class Bill:
    """What the providers really charge: whatever was sent, also where the program never learns of it."""

    sent: int = 0
    tokens: int = 0
    picodollars: int = 0

    def add(self, model: str, usage: Usage) -> None:
        self.tokens += usage.total_tokens
        self.picodollars += PRICES[model].of(usage)


@dataclass(frozen=True, slots=True)
class Script:
    """One request, and what becomes of it: how long it takes, and what is charged of the most that it can cost."""

    model: str
    prompt: str
    max_tokens: int
    rounds: int
    share: float
    outcome: str


SCRIPTS = st.builds(
    Script,
    st.sampled_from(sorted(PRICES)),
    st.text(max_size=60),
    st.integers(1, 300),
    st.integers(0, 8),
    st.floats(0, 1),
    st.sampled_from(["answer", "answer", "answer without usage", "unusable", "refused", "not reached", "lost"]),
)
LIMITS = st.builds(
    run_limits,
    st.none() | st.integers(1, 12),
    st.none() | st.integers(1, 3_000),
    st.none() | st.floats(0, 0.005),
)


async def serve(purse: Purse, bill: Bill, script: Script, database: MemoryDatabase) -> None:
    request = request_of(script.model, script.prompt, script.max_tokens)
    reservation = await purse.reserve(request)
    most = worst_case(request)
    charged = Usage(round(most.prompt_tokens * script.share), round(most.completion_tokens * script.share))
    if script.outcome != "not reached":
        bill.sent += 1
    if script.outcome not in {"not reached", "refused"}:
        bill.add(script.model, charged)
    for _ in range(script.rounds):
        await asyncio.sleep(0)
    usage: Usage | None = charged
    if script.outcome in {"lost", "answer without usage"}:
        usage = None
    elif script.outcome in {"refused", "not reached"}:
        usage = Usage()
    settle = purse.settle(
        reservation,
        usage,
        requests=int(script.outcome != "not reached"),
        answers=int(script.outcome == "answer"),
        failure=None if "answer" in script.outcome else FailureKind.UNAVAILABLE,
    )
    for _ in range(script.rounds % 3):
        await asyncio.sleep(0)
    await database.run(settle)


def spent_in(database: MemoryDatabase) -> Amount:
    return Prices(lambda _, model: QUOTES[model]).amount(read_uses(database.connection))


@given(LIMITS, st.lists(st.tuples(st.lists(SCRIPTS, max_size=12), st.integers(0, 30)), max_size=4))
def test_no_interleaving_of_answers_failures_and_crashes_exceeds_a_budget(
    limits: list[Limit], invocations: list[tuple[list[Script], int]]
) -> None:
    """Each invocation sends its requests all at once, and is killed after some rounds of the loop, or ends."""
    bill, database = Bill(), MemoryDatabase()

    async def invocation(scripts: list[Script], rounds: int) -> None:
        book_lost(database.connection)
        treasury = Treasury(Account(limits, spent_in(database)), cast("StateDatabase", database))
        purse = Purse("provider", PRICES, treasury, None, lambda: False)
        tasks = [asyncio.create_task(serve(purse, bill, script, database)) for script in scripts]
        for _ in range(rounds):
            await asyncio.sleep(0)
            assert_within(limits, bill)
        if rounds % 2:  # else it is killed
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            assert outcome is None or isinstance(outcome, BudgetSpentError | asyncio.CancelledError)
        assert_within(limits, bill)

    for scripts, rounds in invocations:
        asyncio.run(invocation(scripts, rounds))
    book_lost(database.connection)
    # And what is booked is never less than the bill.
    booked = spent_in(database)
    assert booked.requests >= bill.sent
    assert booked.tokens >= bill.tokens
    assert booked.picodollars >= bill.picodollars


def assert_within(limits: list[Limit], bill: Bill) -> None:
    assert Account(limits).obstacle(Amount(bill.sent, bill.tokens, bill.picodollars)) is None


@given(st.lists(SCRIPTS, min_size=1, max_size=12), st.integers(1, 12))
def test_who_waits_for_a_budget_goes_on_when_a_reservation_turns_out_too_large(
    scripts: list[Script], requests: int
) -> None:
    """Every request is sent, or told that the budget is spent; none waits for ever."""
    bill, database = Bill(), MemoryDatabase()

    async def main() -> list[Any]:
        limits = run_limits(requests, 4_000, None)
        treasury = Treasury(Account(limits), cast("StateDatabase", database))
        purse = Purse("provider", PRICES, treasury, None, lambda: False)
        calls = (serve(purse, bill, script, database) for script in scripts)
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE_SECONDS)

    outcomes = asyncio.run(main())
    assert all(outcome is None or isinstance(outcome, BudgetSpentError) for outcome in outcomes)
    if all(script.outcome != "not reached" for script in scripts):
        assert bill.sent == len(scripts) or any(isinstance(outcome, BudgetSpentError) for outcome in outcomes)


def test_who_waits_for_a_budget_is_sent_home_when_the_run_is_over() -> None:
    over = False

    async def main() -> None:
        nonlocal over
        treasury = Treasury(Account(run_limits(1, None, None)), cast("StateDatabase", MemoryDatabase()))
        purse = Purse("provider", {}, treasury, None, lambda: over)
        await purse.reserve(request_of("free", "Hi", 16))
        waiting = asyncio.create_task(purse.reserve(request_of("free", "Hi", 16)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        over = True
        treasury.note_settlement()
        with pytest.raises(NotNowError):
            await waiting

    asyncio.run(main())


def test_who_waits_for_a_budget_goes_on_where_a_reservation_cannot_be_recorded() -> None:
    class Refusing(MemoryDatabase):
        async def run(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
            if not refused:
                refused.append(function)
                await asyncio.sleep(0)
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
            return await super().run(function)

    refused: list[object] = []

    async def main() -> None:
        treasury = Treasury(Account(run_limits(1, None, None)), cast("StateDatabase", Refusing()))
        purse = Purse("provider", {}, treasury, None, lambda: False)
        first, second = (asyncio.create_task(purse.reserve(request_of("free", "Hi", 16))) for _ in range(2))
        with pytest.raises(OverflowError):
            await first
        await asyncio.wait_for(second, PATIENCE_SECONDS)

    asyncio.run(main())


@given(st.text(), st.integers(1, 10_000))
def test_a_prompt_has_no_more_tokens_than_bytes(text: str, max_tokens: int) -> None:
    usage = worst_case(request_of("any", text, max_tokens))
    assert usage.prompt_tokens > len(text.encode())
    assert usage.completion_tokens == max_tokens


def test_prices_are_exact() -> None:
    price = Price.per_million_tokens(0.0375, 0.15)
    assert price.of(Usage(1_000_000, 2_000_000)) == picodollars(0.3375)


def test_what_was_spent_with_a_model_that_has_no_price_is_an_error_where_dollars_count() -> None:
    spent = [
        ModelUse("a", "known", ModelRole.ADA, 2, 2, 0, Usage(10, 10), 1.0),
        ModelUse("b", "unknown", ModelRole.ADA, 1, 1, 0, Usage(5, 5), 1.0),
    ]
    prices = Prices(lambda provider, _: (0.000001, 0.000002) if provider == "a" else None)
    assert prices.amount(spent) == Amount(3, 30, 30)
    assert prices.usd(spent) is None
    with pytest.raises(SettingsError, match=r"no price for unknown at b(.|\n)*providers\.b\.prices"):
        prices.require(prices.missing(spent))


# The program.

ONE_AND_TWO_DOLLARS = "price_per_million_tokens = { input = 1.0, output = 2.0 }\n"


@dataclass(slots=True)
class Charged:
    """What the server charged."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


def charged(server: LoopbackServer) -> Charged:
    total = Charged()
    for received in server.received:
        prompt = sum(len(message["content"]) for message in received.body["messages"]) // 4
        completion = len(received.answer) // 4
        total.requests += 1
        total.tokens += prompt + completion
        total.usd += (prompt + 2 * completion) / 1e6
    return total


@pytest.mark.parametrize(
    ("option", "limit", "larger"),
    [("--max-requests", 30, 500), ("--max-tokens", 20_000, 500_000), ("--max-usd", 0.02, 5)],
)
def test_at_a_budget_the_run_ends_clearly_and_with_a_larger_one_it_goes_on(
    tmp_path: Path, option: str, limit: float, larger: float
) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "20")
    with LoopbackServer(latency=0.02) as server:
        program.configure(section("endpoint", server.url("endpoint")) + ONE_AND_TWO_DOLLARS)
        ended = program.run(*options, option, str(limit))
        assert ended.status == 6, ended.said
        assert f"The budget {option} is reached." in ended.stderr
        assert "with a larger one, the same command goes on" in ended.stderr
        assert "Traceback" not in ended.said
        first = charged(server)
        assert {"--max-requests": first.requests, "--max-tokens": first.tokens, "--max-usd": first.usd}[option] <= limit
        # What could be paid for was brought to its end.
        made = len(program.conversations())
        assert made >= (2 if option == "--max-usd" else 5)
        # It counts all invocations.
        again = program.run(*options, option, str(limit))
        assert again.status == 6, again.said
        more = charged(server)
        assert {"--max-requests": more.requests, "--max-tokens": more.tokens, "--max-usd": more.usd}[option] <= limit
        resumed = program.run(*options, option, str(larger))
        bodies = Counter(str(received.body) for received in server.received)
    assert resumed.status == 0, resumed.said
    assert len(program.conversations()) == 20
    assert set(bodies.values()) == {1}


def test_requests_under_way_at_a_kill_count_as_sent(tmp_path: Path) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "20", "--max-requests", "12")

    with LoopbackServer(hangs_after(2)) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=20))
        for hanging in (2, 4):
            running = program.watch(*options)
            server.wait_until(lambda hanging=hanging: server.hanging >= hanging)  # type: ignore[misc]
            running.process.kill()
            running.process.wait()
        under_way = server.hanging
        server.behaviour = well_behaved
        ended = program.run(*options)
        assert ended.status == 6, ended.said
        assert len(server.received) <= 12
        [(lost,)] = program.query("SELECT sum(lost) FROM spending")
        [(booked,)] = program.query("SELECT sum(requests) FROM spending")
    assert lost >= under_way >= 4
    assert booked == 12 >= len(server.received)


def test_a_budget_in_dollars_is_refused_without_prices_before_anything_is_sent(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")) + ONE_AND_TWO_DOLLARS)
        options = ("--providers", "endpoint", "--target", "2", "--max-usd", "1")
        ended = program.run(*options, "--model", "endpoint=another-model")
        assert ended.status == 2, ended.said
        assert "there is no price for another-model at endpoint" in ended.stderr
        assert "[providers.endpoint.prices]" in ended.stderr
        assert server.received == []
        assert program.run(*options).status == 0


def test_where_the_dollars_are_spent_a_free_provider_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    free = "price_per_million_tokens = { input = 0, output = 0.0 }\n"
    with LoopbackServer(latency=0.02) as server:
        program.configure(
            section("dear", server.url("dear"), requests_per_second=20)
            + ONE_AND_TWO_DOLLARS
            + section("free", server.url("free"), requests_per_second=20)
            + free
        )
        ended = program.run("--providers", "dear,free", "--target", "15", "--max-usd", "0.004")
        usage = program.query("SELECT sum(prompt_tokens), sum(completion_tokens) FROM spending WHERE provider = 'dear'")
    assert ended.status == 0, ended.said
    assert "dear is out for the rest of this run: the budget --max-usd is reached" in ended.said
    [(prompt_tokens, completion_tokens)] = usage
    assert (prompt_tokens or 0) + 2 * (completion_tokens or 0) <= 4_000


@pytest.mark.parametrize("price_of_second", [ONE_AND_TWO_DOLLARS, ""])
def test_dollars_are_told_where_all_of_them_are_known(tmp_path: Path, price_of_second: str) -> None:
    program = Program(tmp_path)
    with LoopbackServer(latency=0.02) as server:
        first = section("first", server.url("first"), requests_per_second=20) + ONE_AND_TWO_DOLLARS
        second = section("second", server.url("second"), requests_per_second=20)
        program.configure(first + second + price_of_second)
        ended = program.run("--providers", "first,second", "--target", "8")
        providers = program.query("SELECT DISTINCT provider FROM spending")
    assert ended.status == 0, ended.said
    assert len(providers) == 2
    status = program.run("status").stdout
    for said in (ended.said, status):
        # A line is broken where it is long.
        [told] = re.findall(r"An accepted conversation took [^$]*?tokens(, \$)?", said)
        assert bool(told) is bool(price_of_second), said


def test_an_answer_without_usage_counts_as_the_most_that_it_can_have_cost(tmp_path: Path) -> None:
    def silent(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.usage = (0, 0)
        return reply

    program = Program(tmp_path)
    with LoopbackServer(silent) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=50))
        ended = program.run("--providers", "endpoint", "--target", "20", "--max-tokens", "20000")
    assert ended.status == 6, ended.said
    [(booked,)] = program.query("SELECT sum(prompt_tokens + completion_tokens) FROM spending")
    assert 10_000 < booked <= 20_000
