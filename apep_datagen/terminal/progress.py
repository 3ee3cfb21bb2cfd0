"""The view of a run: a live table in a terminal, a plain line every so often elsewhere. It decides nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from apep_datagen.core.words import one_line
from apep_datagen.engine.counters import ProviderCounters, RunCounters
from apep_datagen.terminal.cost import spell_cost_of_made
from apep_datagen.terminal.spelling import spell_duration
from apep_datagen.terminal.streams import obeyed
from apep_datagen.terminal.text import plain_text, say
from apep_datagen.terminal.yields import spell_low_yields

if TYPE_CHECKING:
    import rich.console

__all__ = ["PlainView", "QuietView", "TerminalView", "make_view"]

_SECONDS_BETWEEN_LINES = 30.0
_REFRESHES_PER_SECOND = 4.0
_LONGEST_QUESTION = 400


def make_view(*, quiet: bool) -> QuietView | PlainView | TerminalView:
    """Choose the view that fits where the output goes."""
    if quiet:
        return QuietView()
    return TerminalView() if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else PlainView()


class QuietView:
    """Shows nothing but what went wrong, on the standard error output."""

    def notify(self, message: str) -> None:
        """Print a sentence."""
        print(plain_text(one_line(message)), file=sys.stderr, flush=True)  # noqa: T201 - this is the view

    @contextlib.contextmanager
    def showing(self, counters: RunCounters) -> Iterator[None]:  # noqa: ARG002 - it is quiet
        """Show nothing."""
        yield


class PlainView:
    """Prints a line every so often, without control characters."""

    def notify(self, message: str) -> None:
        """Print a sentence."""
        say(one_line(message))

    @contextlib.contextmanager
    def showing(self, counters: RunCounters) -> Iterator[None]:
        """Print a line now, and every so often."""
        began = time.monotonic()
        ended = threading.Event()

        def print_lines() -> None:
            while not ended.wait(_SECONDS_BETWEEN_LINES):
                self.notify(_status_line(counters, time.monotonic() - began))

        self.notify(_status_line(counters, 0.0))
        thread = threading.Thread(target=print_lines, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class TerminalView:
    """Draws a bar and a table, with rich."""

    def __init__(self) -> None:
        import rich.console

        self._console: rich.console.Console = rich.console.Console(
            file=obeyed(), highlight=False, markup=False, emoji=False
        )

    def notify(self, message: str) -> None:
        """Print a sentence above the table."""
        self._console.print(plain_text(one_line(message)), soft_wrap=True)

    @contextlib.contextmanager
    def showing(self, counters: RunCounters) -> Iterator[None]:
        """Draw the table now, and as it changes."""
        from rich.live import Live

        drawing = _Drawing(counters)
        # What others print comes through `streams`, and not through rich, which would obey it.
        with Live(
            drawing,
            console=self._console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield


class _Drawing:
    """What rich draws: it asks for it at every refresh."""

    def __init__(self, counters: RunCounters) -> None:
        self._counters = counters
        self._began = time.monotonic()

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counters = self._counters
        seconds = time.monotonic() - self._began
        head = Table.grid(padding=(0, 1))
        head.add_row(
            ProgressBar(total=counters.target, completed=min(counters.done, counters.target), width=32),
            Text(f"{counters.done}/{counters.target} conversations ({_percent(counters)})"),
        )
        table = Table(box=None, padding=(0, 1), pad_edge=False)
        columns = (
            "provider",
            "conversations",
            "requests",
            "tokens",
            "in flight",
            "requests/s",
            "retries",
            "rejected",
            "set aside",
        )
        for name in columns:
            table.add_column(name, justify="left" if name == "provider" else "right", header_style="dim")
        for provider in list(counters.providers.values()):
            cells = (
                provider.name + (f" ({provider.state})" if provider.state else ""),
                str(provider.conversations),
                str(provider.requests),
                f"{provider.tokens:,}",
                str(provider.in_flight),
                _rate_against_limit(provider, seconds),
                str(provider.retries),
                str(provider.rejected),
                str(provider.set_aside),
            )
            table.add_row(*(Text(plain_text(one_line(cell))) for cell in cells))
        question = plain_text(one_line(counters.last_question))[:_LONGEST_QUESTION]
        return Group(
            head,
            Text(_pace(counters, seconds), style="dim"),
            table,
            Text(_achievements(counters), style="dim"),
            *(Text(plain_text(one_line(line)), no_wrap=True, overflow="ellipsis") for line in _low_yields(counters)),
            Text(f"Last question: {question}" if question else "", no_wrap=True, overflow="ellipsis"),
        )


def _status_line(counters: RunCounters, seconds: float) -> str:
    providers = "; ".join(
        f"{provider.name}{f' ({provider.state})' if provider.state else ''}: {provider.conversations} conversations,"
        f" {provider.requests} requests, {provider.tokens} tokens, {provider.in_flight} in flight,"
        f" {_rate_against_limit(provider, seconds)} requests/s, {provider.retries} retries,"
        f" {provider.rejected} rejected, {provider.set_aside} set aside"
        for provider in list(counters.providers.values())
    )
    parts = (_achievements(counters), *_low_yields(counters))
    return (
        f"{counters.done}/{counters.target} conversations ({_percent(counters)}), {_pace(counters, seconds)},"
        f" {'; '.join(parts)} | {providers}"
    )


def _low_yields(counters: RunCounters) -> list[str]:
    low = spell_low_yields(counters.abilities, counters.held_back)
    return [f"Accepted least: {low}"] if low else []


def _achievements(counters: RunCounters) -> str:
    usd = sum(provider.usd for provider in list(counters.providers.values()))
    cost = f", ${usd:.4f} spent" if usd else ""
    kept = f", {counters.kept_originals} thoughts kept as they were" if counters.kept_originals else ""
    each = spell_cost_of_made(counters)
    return f"{counters.memories} memories, {counters.diary_pages} diary pages{kept}{cost}{'; ' if each else ''}{each}"


def _percent(counters: RunCounters) -> str:
    return f"{100 * counters.done / counters.target:.1f} %"


def _pace(counters: RunCounters, seconds: float) -> str:
    """Spell the rate of this invocation, and what it leaves to wait."""
    made = counters.made
    if made <= 0 or seconds <= 0:
        return f"{spell_duration(seconds)} so far"
    left = seconds / made * max(0, counters.target - counters.done)
    return f"{3600 * made / seconds:.0f} conversations/hour, {spell_duration(left)} left"


def _rate_against_limit(provider: ProviderCounters, seconds: float) -> str:
    rate = provider.requests / seconds if seconds >= 1 else 0.0
    limit = provider.requests_per_second
    return f"{rate:.2f} of {limit:g}" if limit else f"{rate:.2f}"
