"""The view of a run: a live table in a terminal, a plain line every so often elsewhere. It decides nothing."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from apep_datagen.core.spelling import spell_count, spell_duration, spell_percent, spell_rate, spell_usd
from apep_datagen.core.words import one_line, shorten
from apep_datagen.engine.counters import LastConversation, ProviderCounters, RunCounters
from apep_datagen.storage.verdicts import SET_ASIDE
from apep_datagen.terminal.cost import spell_cost_of_made
from apep_datagen.terminal.screen import can_draw
from apep_datagen.terminal.streams import obeyed
from apep_datagen.terminal.text import plain_text, say
from apep_datagen.terminal.yields import spell_low_yields, spell_yields

if TYPE_CHECKING:
    import rich.console
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table
    from rich.text import Text

__all__ = ["PlainView", "QuietView", "TerminalView", "make_view"]

_SECONDS_BETWEEN_LINES = 30.0
_REFRESHES_PER_SECOND = 4.0
_LONGEST_QUESTION = 400
_LONGEST_TOOL = 40
_MOST_LINES_OF_YIELDS = 3
_COLUMNS = (
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
_BETWEEN_COLUMNS = 2
# What is left out of the table first where it is too wide.
_LEAST_NEEDED = ("retries", "in flight", "set aside", "requests/s", "requests", "rejected", "tokens")
# The cursor stands below the view.
_LINES_LEFT_FREE = 1


def make_view(*, quiet: bool) -> QuietView | PlainView | TerminalView:
    """Choose the view that fits where the output goes."""
    if quiet:
        return QuietView()
    return TerminalView() if can_draw() else PlainView()


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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        counters = self._counters
        seconds = time.monotonic() - self._began
        above: list[RenderableType] = [
            self._bar(),
            Text(_pace(counters, seconds), style="dim"),
            self._table(seconds, options.max_width),
            Text(_achievements(counters), style="dim"),
            *(_line(line) for line in _low_yields(counters)),
        ]
        question = counters.last_question[:_LONGEST_QUESTION]
        below = _line(f"Last question: {question}" if question else "")
        lines = sum(len(console.render_lines(part, options, pad=False)) for part in (*above, below))
        yield from above
        yield from self._newest(console, options, options.size.height - lines - _LINES_LEFT_FREE)
        yield below

    def _newest(self, console: Console, options: ConsoleOptions, room: int) -> list[Text]:
        """Return what is shown of yields and of the last conversation, in so many lines at most."""
        from rich.text import Text

        counters = self._counters
        last = [] if counters.last is None else _describe_last(counters.last, is_judged=counters.is_judged)
        shown = ", ".join(spell_yields(counters.abilities)) if counters.is_judged else ""
        yields = list(Text(f"Accepted of the last: {shown}").wrap(console, options.max_width)) if shown else []
        # One line of yields is worth more than the last conversation, and that more than the others.
        most = max(1, min(_MOST_LINES_OF_YIELDS, room - len(last)))
        lines = yields[:most]
        if len(yields) > most:
            lines[-1].rstrip()
            lines[-1].append(" …")
            lines[-1].truncate(options.max_width, overflow="ellipsis")
        return [*lines, *map(_line, last)][: max(0, room)]

    def _bar(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        counters = self._counters
        head = Table.grid(padding=(0, 1))
        head.add_row(
            ProgressBar(total=counters.target, completed=min(counters.done, counters.target), width=32),
            Text(_how_far(counters)),
        )
        return head

    def _table(self, seconds: float, width: int) -> Table:
        """Return a row for each provider: all columns that find room, none of them cut."""
        from rich.cells import cell_len
        from rich.table import Table
        from rich.text import Text

        rows = [_row(provider, seconds) for provider in list(self._counters.providers.values())]
        names = list(_COLUMNS)
        widths = {name: max(map(cell_len, (name, *(row[name] for row in rows)))) for name in names}
        for least in _LEAST_NEEDED:
            if sum(widths[name] + _BETWEEN_COLUMNS for name in names) - _BETWEEN_COLUMNS <= width:
                break
            names.remove(least)
        table = Table(box=None, padding=(0, 1), pad_edge=False)
        for name in names:
            table.add_column(name, justify="left" if name == "provider" else "right", header_style="dim", no_wrap=True)
        for row in rows:
            table.add_row(*(Text(row[name]) for name in names))
        return table


def _row(provider: ProviderCounters, seconds: float) -> dict[str, str]:
    cells = (
        provider.name + (f" ({provider.state})" if provider.state else ""),
        spell_count(provider.conversations),
        spell_count(provider.requests),
        spell_count(provider.tokens),
        spell_count(provider.in_flight),
        _rate_against_limit(provider, seconds),
        spell_count(provider.retries),
        spell_count(provider.rejected),
        spell_count(provider.set_aside),
    )
    return {name: plain_text(one_line(cell)) for name, cell in zip(_COLUMNS, cells, strict=True)}


def _line(text: str) -> Text:
    """Return a text as one line, cut where it is too long."""
    from rich.text import Text

    return Text(plain_text(one_line(text)), no_wrap=True, overflow="ellipsis")


def _describe_last(last: LastConversation, *, is_judged: bool) -> list[str]:
    """Return two lines about a conversation: what became of it, and what there was in it."""
    if last.stage == SET_ASIDE:
        verdict = SET_ASIDE
    elif last.stage:
        verdict = f"rejected, {last.stage}: {last.reason}"
    else:
        verdict = "accepted" if is_judged else "ended"
    counts = Counter(shorten(one_line(tool), _LONGEST_TOOL) for tool in last.tools)
    tools = ", ".join(name if count == 1 else f"{name} {count} times" for name, count in counts.items())
    said = f" after: {last.said[:_LONGEST_QUESTION]}" if last.said else ""
    return [
        f"Last conversation: {last.ability.value}, {last.user}: {verdict}",
        f"  {tools or 'no tool'}{said}",
    ]


def _status_line(counters: RunCounters, seconds: float) -> str:
    providers = "; ".join(
        f"{provider.name}{f' ({provider.state})' if provider.state else ''}: {provider.conversations:,} conversations,"
        f" {provider.requests:,} requests, {provider.tokens:,} tokens, {provider.in_flight:,} in flight,"
        f" {_rate_against_limit(provider, seconds)} requests/s, {provider.retries:,} retries,"
        f" {provider.rejected:,} rejected, {provider.set_aside:,} set aside"
        for provider in list(counters.providers.values())
    )
    parts = (_achievements(counters), *_low_yields(counters))
    return f"{_how_far(counters)}, {_pace(counters, seconds)}, {'; '.join(parts)} | {providers}"


def _low_yields(counters: RunCounters) -> list[str]:
    low = spell_low_yields(counters.abilities, counters.held_back)
    return [f"Accepted least: {low}"] if low else []


def _achievements(counters: RunCounters) -> str:
    cost = f", {spell_usd(counters.usd)} spent" if counters.usd else ""
    kept = f", {counters.kept_originals:,} thoughts kept as they were" if counters.kept_originals else ""
    each = spell_cost_of_made(counters)
    return (
        f"{counters.memories:,} memories, {counters.diary_pages:,} diary pages{kept}{cost}{'; ' if each else ''}{each}"
    )


def _how_far(counters: RunCounters) -> str:
    percent = spell_percent(counters.done, counters.target)
    return f"{counters.done:,}/{counters.target:,} conversations ({percent})"


def _pace(counters: RunCounters, seconds: float) -> str:
    """Spell the rate of this invocation, and what it leaves to wait."""
    made = counters.made
    if made <= 0 or seconds < 1:
        return f"{spell_duration(seconds)} so far"
    left = seconds / made * max(0, counters.target - counters.done)
    return f"{spell_rate(3600 * made / seconds)} conversations/hour, {spell_duration(left)} left"


def _rate_against_limit(provider: ProviderCounters, seconds: float) -> str:
    rate = provider.requests / seconds if seconds >= 1 else 0.0
    limit = provider.requests_per_second
    return f"{spell_rate(rate)} of {spell_rate(limit)}" if limit else spell_rate(rate)
