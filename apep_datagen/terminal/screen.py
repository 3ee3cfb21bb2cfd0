"""A page that is drawn anew in place, on a terminal of any size, which is left as it was.

It is drawn on the alternate screen, so that nothing scrolls and a terminal whose size changes shows no remains.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from apep_datagen.terminal.streams import obeyed
from apep_datagen.terminal.text import plain_text

if sys.platform != "win32":
    import termios
    import tty

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.text import Text

__all__ = ["Screen", "can_draw", "screen"]

_QUIT = b"qQ"
# On fewer lines than that, what is at the foot is left out.
_LINES_WITH_FOOT = 8


def can_draw() -> bool:
    """Tell whether the standard output is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def screen(foot: str) -> Iterator[Screen]:
    """Give a screen to draw on, and leave the terminal as it was, also where a signal ends the program.

    Args:
        foot: What stands on the last line, where there is room.
    """
    from rich.console import Console
    from rich.live import Live

    page = _Page(foot)
    console = Console(file=obeyed(), highlight=False, markup=False, emoji=False)
    live = Live(page, console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    with _ending_at_signals(), _waking() as awake, _keys() as keys, live:
        yield Screen(page, live, awake, keys)


class Screen:
    """What is drawn on; made by `screen`."""

    def __init__(self, page: _Page, live: Live, awake: int, keys: int | None) -> None:
        self._page = page
        self._live = live
        self._awake = awake
        self._keys = keys

    def draw(self, text: str) -> None:
        """Draw a text, the most important of it first: what finds no room is left out at the end."""
        self._page.text = text
        self._live.refresh()

    def wait(self, seconds: float) -> bool:
        """Wait so long; return whether somebody wants it to end. The page keeps fitting the terminal meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            watched = [self._awake] if self._keys is None else [self._awake, self._keys]
            ready, _, _ = select.select(watched, [], [], left)
            if self._awake in ready:
                os.read(self._awake, 1024)
                self._live.refresh()
            if self._keys in ready and self._is_to_end():
                return True
        return False

    def _is_to_end(self) -> bool:
        assert self._keys is not None  # noqa: S101 - else it is not asked for
        try:
            typed = os.read(self._keys, 1024)
        except OSError:
            typed = b""
        if not typed:
            self._keys = None  # nothing is typed there any more
        return any(key in _QUIT for key in typed)


class _Page:
    """What rich draws."""

    def __init__(self, foot: str) -> None:
        self.text = ""
        self._foot = foot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        width, height = options.max_width, options.size.height
        foot = self._foot if height >= _LINES_WITH_FOOT else ""
        lines = [part for line in plain_text(self.text).split("\n") for part in _fitted(line, width, console)]
        lines = lines[: height - 1 if foot else height]
        if foot:
            lines += [Text("")] * (height - 1 - len(lines))
            lines.append(Text(foot, style="dim", no_wrap=True, overflow="ellipsis"))
        yield Text("\n", no_wrap=True, end="").join(lines)


def _fitted(line: str, width: int, console: Console) -> list[Text]:
    """Return a line as it fits: a row of a table, which has its columns two spaces apart, is cut, others wrapped."""
    from rich.text import Text

    text = Text(line)
    if "  " not in line:
        return list(text.wrap(console, width)) or [text]
    text.truncate(width, overflow="ellipsis")
    return [text]


@contextlib.contextmanager
def _ending_at_signals() -> Iterator[None]:
    """Let signals that would end the program at once end it as an error does, so that the terminal is put right."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    numbers = [signal.SIGTERM] if sys.platform == "win32" else [signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, end) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _waking() -> Iterator[int]:
    """Give what can be read when a signal has come, such as that the terminal has another size."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    resized = None if sys.platform == "win32" else signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    try:
        yield reading
    finally:
        if sys.platform != "win32":
            signal.signal(signal.SIGWINCH, resized)
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _keys() -> Iterator[int | None]:
    """Give what is typed, each key at once and not shown; None where nobody types to this program."""
    if sys.platform == "win32" or not _is_typed_to():
        yield None
        return
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys, termios.TCSANOW)
    try:
        yield keys
    finally:
        with contextlib.suppress(termios.error):  # it has gone
            termios.tcsetattr(keys, termios.TCSANOW, before)


def _is_typed_to() -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    try:
        # A program in the background would be stopped for it.
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal, but not that of this session
        return True
