"""The terminal in which a person reads one conversation after the other and presses a key for each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from apep_datagen.core.errors import SettingsError
from apep_datagen.inspect.show import show_conversation
from apep_datagen.terminal.text import say

if sys.platform != "win32":
    import termios
    import tty

__all__ = ["ReviewerTerminal"]

_MOST_TYPED_AHEAD = 1024
_ESCAPE = "\x1b"  # with which an arrow begins, and other keys of no meaning here


class ReviewerTerminal:
    """Where a person reads and presses keys; methods as in `review.asking.Terminal`.

    Raises:
        SettingsError: The standard input or output is no terminal.
    """

    def __init__(self) -> None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise SettingsError(
                "review next needs a terminal to read on and press keys in; without one, apply a file of verdicts with"
                " apep-datagen review apply"
            )
        self._typed = ""  # ahead of being asked

    def show(self, output: Path, number: int) -> None:
        """Print the conversation with a number in the output."""
        show_conversation(output, number)

    def say(self, text: str) -> None:
        """Print a line."""
        say(text)

    def key(self) -> str:
        """Wait for a key.

        Raises:
            EOFError: There will be none.
        """
        while not self._typed:
            typed = _read_keys()
            self._typed = "" if typed.startswith(_ESCAPE) else typed
        key, self._typed = self._typed[0], self._typed[1:]
        return key

    def line(self) -> str:
        """Wait for a line."""
        line, end, self._typed = self._typed.partition("\n")
        return line if end else line + sys.stdin.readline()


def _read_keys() -> str:
    """Wait until something is typed, and return it, without waiting for the end of a line.

    Raises:
        EOFError: The terminal is gone.
    """
    if sys.platform == "win32":
        return str(typer.getchar())
    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    try:
        # What was typed before is not thrown away, as it is by what other programs use for this.
        tty.setcbreak(stdin, termios.TCSADRAIN)
        typed = os.read(stdin, _MOST_TYPED_AHEAD)
    except OSError as error:
        raise EOFError from error
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
    if typed in {b"", b"\x04"}:
        raise EOFError
    return typed.decode(errors="replace").replace("\r", "\n")
