"""Letting a run's workers work to their end, until a signal stops them, or until nobody has answered for too long.

A first signal: nothing new is sent, what is under way may come in for a grace period. A second one: stop at once.
Both are equally safe, because everything that counts is on the disk already. Patience that ends is as a first signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from apep_datagen.engine.availability import spell_seconds
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.view import View
from apep_datagen.engine.worker import Worker

__all__ = ["work_until_stopped"]

# A terminal that is closed sends SIGHUP, and a run under way then ends as for SIGTERM.
_SIGNAL_STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
if hasattr(signal, "SIGHUP"):
    _SIGNAL_STATUS[signal.SIGHUP] = 143


async def work_until_stopped(
    workers: list[Worker],
    context: RunContext,
    view: View,
    grace_seconds: float,
    *,
    patience_seconds: float | None = None,
) -> int:
    """Run all workers to their end; return 0, or the exit status of the signal that stopped them.

    Args:
        workers: One for each provider.
        context: What they have in common.
        view: Is told what ends the run.
        grace_seconds: How long requests under way may still come in once nothing new is sent.
        patience_seconds: For how long nobody may answer, while anybody can be asked; None for ever.
    """
    status = 0
    stop = asyncio.Event()
    hurry = asyncio.Event()
    context.answered_at = asyncio.get_running_loop().time()

    def end(why: str) -> None:
        stop.set()
        context.stopping = True
        in_flight = sum(counters.in_flight for counters in context.counters.providers.values())
        view.notify(f"{why}: {in_flight} requests are in flight and may still come in; once more to stop at once.")
        for worker in workers:
            worker.availability.interrupt()
        context.wake()

    def on_signal(number: int) -> None:
        nonlocal status
        if stop.is_set():
            hurry.set()
            return
        status = _SIGNAL_STATUS[signal.Signals(number)]
        end("Stopping")

    async def be_patient(seconds: float) -> None:
        # Nobody is asked while another program's lock holds up what a request begins with.
        def left() -> float:
            since = max(context.answered_at, context.state.held_up_until)
            return since + seconds - asyncio.get_running_loop().time()

        while left() > 0:  # noqa: ASYNC110 - a known time
            await asyncio.sleep(left())
        if not stop.is_set():
            context.silent_for = seconds
            end(f"No provider has answered for {spell_seconds(seconds)} (--patience), stopping")

    with _handling_signals(on_signal):
        work = asyncio.create_task(_run_all(workers))
        stopping = asyncio.create_task(stop.wait())
        patience = None if patience_seconds is None else asyncio.create_task(be_patient(patience_seconds))
        try:
            await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                hurrying = asyncio.create_task(hurry.wait())
                await asyncio.wait([work, hurrying], timeout=grace_seconds, return_when=asyncio.FIRST_COMPLETED)
                hurrying.cancel()
            work.cancel()
            await asyncio.wait([work])
            _result_of(work)
        finally:
            stopping.cancel()
            work.cancel()
            if patience is not None:
                patience.cancel()
    return status


async def _run_all(workers: list[Worker]) -> None:
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())


def _result_of(work: asyncio.Task[None]) -> None:
    """Raise what a worker raised, taken out of the groups that task groups wrap around it."""
    error = None if work.cancelled() else work.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error


@contextlib.contextmanager
def _handling_signals(handler: Callable[[int], None]) -> Iterator[None]:
    """Call `handler` in the event loop when a signal to stop comes.

    A signal that is ignored stays so: `nohup` has SIGHUP ignored, and a shell SIGINT for what runs in the background.
    """
    loop = asyncio.get_running_loop()
    before = {
        number: signal.signal(number, lambda received, _frame: loop.call_soon_threadsafe(handler, received))
        for number in _SIGNAL_STATUS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
