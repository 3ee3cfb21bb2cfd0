"""The program in a terminal that a test can look at, type into and resize."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator

import pyte

from support.program import PLAINLY, Program
from support.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["Terminal", "in_terminal"]


class Terminal:
    """What a terminal shows, with a process in it that it controls.

    Args:
        ours: The end of the terminal that a person has.
        process: The program in it.
        screen: Shows what it prints.
    """

    def __init__(self, ours: int, process: subprocess.Popen[str], screen: pyte.Screen) -> None:
        self.process = process
        self.output = b""
        self._ours = ours
        self._screen = screen
        self._stream = pyte.ByteStream(screen)
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._is_over.is_set():
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # how a terminal says that the other side has closed it
                return
            with self._lock:
                self.output += data
                self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        """What it shows now."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    @property
    def shown(self) -> str:
        """The same as a text."""
        return "\n".join(self.lines)

    def wait_for(self, *texts: str) -> None:
        """Wait until all of these are shown at once."""
        self.wait_until(lambda: all(text in self.shown for text in texts))

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds, which the program brings about."""

        def holds() -> bool:
            has_ended = not self._reader.is_alive()
            if condition():
                return True
            assert not has_ended, f"it ended before:\n{self.shown}"
            return False

        wait_until(holds, lambda: self.shown, look_every=0.03)  # a screen takes some milliseconds to read

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size."""
        with self._lock:
            self._screen.resize(lines, columns)
        termios.tcsetwinsize(self._ours, (lines, columns))

    def mode(self) -> list[object]:
        """Return how the terminal is set."""
        return list(termios.tcgetattr(self._ours))

    def end(self) -> int:
        """Wait until the program has ended and all of its output is here; return its status."""
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return status

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._is_over.set()
        self._reader.join()
        os.close(self._ours)


@contextlib.contextmanager
def in_terminal(
    program: Program, *options: str, columns: int = 100, lines: int = 50, command: tuple[str, ...] = PLAINLY
) -> Iterator[Terminal]:
    """Start the program in a terminal of its own, so that Ctrl-C is a key there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (lines, columns))
    # pytest's workers say how wide their output is, which is not this terminal.
    program.environment |= {"TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
    process = program.start(
        *options,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
        command=command,
    )
    os.close(theirs)
    terminal = Terminal(ours, process, pyte.Screen(columns, lines))
    try:
        yield terminal
    finally:
        terminal.close()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
