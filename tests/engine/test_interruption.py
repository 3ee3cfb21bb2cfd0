"""Waits that are ended from outside: only they end, and what came in the same moment is not lost."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from apep_datagen.budget.obstacles import NotNowError
from apep_datagen.engine.interruption import Interruption


def test_a_wait_is_ended_and_who_waited_goes_on() -> None:
    async def main() -> str:
        interruption = Interruption()
        asyncio.get_running_loop().call_soon(interruption.end_waits)
        with pytest.raises(NotNowError):
            await interruption.wait_for(asyncio.sleep(3_600))
        # Nothing of the interruption is left behind: the same task waits again, undisturbed.
        return await interruption.wait_for(asyncio.sleep(0, "came"))

    assert asyncio.run(main()) == "came"


@pytest.mark.parametrize("ended_first", [False, True])
def test_what_comes_in_the_moment_of_the_interruption_is_returned_or_was_never_taken(*, ended_first: bool) -> None:
    """A permit that was taken must not be lost: either it is returned, or it is there still."""

    async def main() -> None:
        for turns in range(4):
            interruption, permits = Interruption(), asyncio.Semaphore(0)

            def both(interruption: Interruption = interruption, permits: asyncio.Semaphore = permits) -> None:
                steps = [permits.release, interruption.end_waits]
                for step in reversed(steps) if ended_first else steps:
                    step()

            async def act(turns: int = turns, both: object = both) -> None:
                for _ in range(turns):
                    await asyncio.sleep(0)
                assert callable(both)
                both()

            acting = asyncio.create_task(act())
            try:
                await interruption.wait_for(permits.acquire())
                taken = 1
            except NotNowError:
                taken = 0
            await acting
            await asyncio.sleep(0)
            left = 0 if permits.locked() else 1
            assert taken + left == 1, turns

    asyncio.run(main())


def test_who_waits_can_be_cancelled_and_what_was_waited_for_ends_too() -> None:
    async def main() -> bool:
        interruption, began, ended = Interruption(), asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            began.set()
            try:
                await asyncio.sleep(3_600)
            finally:
                ended.set()

        waiting = asyncio.create_task(interruption.wait_for(wait()))
        await began.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await ended.wait()
        interruption.end_waits()
        return waiting.cancelled()

    assert asyncio.run(main())


def test_an_interruption_within_a_time_limit_of_the_same_turn_is_told_from_it() -> None:
    """`asyncio.wait_for` of Python 3.11 swallows a cancellation that comes with its result: nothing may hang on it."""

    async def main() -> None:
        for delay in range(6):
            interruption, result = Interruption(), asyncio.get_running_loop().create_future()

            async def act(
                delay: int = delay,
                interruption: Interruption = interruption,
                result: asyncio.Future[str] = result,
            ) -> None:
                for _ in range(delay):
                    await asyncio.sleep(0)
                result.set_result("came")
                interruption.end_waits()

            acting = asyncio.create_task(act())
            with contextlib.suppress(NotNowError):
                assert await interruption.wait_for(asyncio.wait_for(result, 60)) == "came"
            await acting

    asyncio.run(main())


def test_an_error_of_what_was_waited_for_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        asyncio.run(Interruption().wait_for(fail()))
