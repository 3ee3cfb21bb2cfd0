"""Work that is done in several processes, whose results come in the order of what was to be done."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

__all__ = ["map_in_order"]

Result = TypeVar("Result")

# A process takes longer to start than these take to be worked through.
_WITHOUT_POOL = 3


def map_in_order(
    arguments: Iterable[tuple[object, ...]], function: Callable[..., Result], processes: int = 2
) -> Iterator[Result]:
    """Yield what `function` returns for each of these arguments, in order.

    A few are waiting at any time, so an endless number of them needs no more memory than some.

    Args:
        arguments: What the function is given each time; some hundred things at once are worth the way to a process.
        function: It runs in other processes, unless there is little to do, so it is a function of a module, or a
            `functools.partial` of one.
        processes: In how many.
    """
    rest = iter(arguments)
    first = list(itertools.islice(rest, _WITHOUT_POOL))
    if len(first) < _WITHOUT_POOL:
        for each in first:
            yield function(*each)
        return
    # Processes that are begun anew share no locks and no open database with this one.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_belong_to_parent)
    waiting: deque[Future[Result]] = deque()
    try:
        for each in itertools.chain(first, rest):
            waiting.append(pool.submit(function, *each))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _belong_to_parent() -> None:
    """Leave interrupts to the process that began this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Where it was killed, nobody says so: this process has both ends of the pipe from which it waits for work.
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - it began this one
    parent.join()
    os._exit(1)
