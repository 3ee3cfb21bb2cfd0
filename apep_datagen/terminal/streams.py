"""The standard streams as this program prints to them: nothing that they do is an error, and what they get is clean.

A stream can be closed, full, or without a reader (`| head`, a terminal that hung up). Printing is no reason for a run
to end, so whatever is printed, by whomever, comes through here: what cannot be written goes nowhere, and `loss` tells
of it.

A stream can also take nothing for a while, as a terminal that was stopped with Ctrl-S does. While `let_output_be_lost`
holds, a thread writes what is printed, so that a run does not stand still with it.

Text loses what a terminal would obey, apart from what `obeyed` gets: that is for who draws, and cleans what it draws.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import queue
import select
import sys
import threading
from typing import IO, Any, TextIO, cast

from apep_datagen.terminal.text import plain_text

__all__ = ["finish", "install", "is_lost", "let_output_be_lost", "loss", "obeyed"]

# So many pieces wait for a stream that takes nothing; what is printed beyond goes nowhere.
_MOST_WAITING = 1_000
_READER_IS_GONE = {errno.EPIPE, errno.ECONNRESET}


class _Harmless(io.RawIOBase):
    """Bytes on their way to a stream that may be missing, or fail.

    Args:
        raw: The stream; None where there is none.

    Attributes:
        failure: Why something was not written that somebody waits for; None where all was, or nobody waits.
        may_be_lost: Whether nobody minds.
        is_lost: Whether something was not written, for whatever reason.
        writer: Writes in place of who prints; None where it has to wait.
    """

    def __init__(self, raw: io.RawIOBase | None) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self.may_be_lost = False
        self.is_lost = False
        self._raw = raw
        self.writer: _Writer | None = None
        # A terminal that hung up is one no more.
        self._is_terminal = raw is not None and raw.isatty()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._raw is not None and self._raw.isatty()

    def fileno(self) -> int:
        if self._raw is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self._raw.fileno()

    def write(self, content: Any) -> int:
        if self.writer is None:
            return self.write_now(content)
        self.writer.put(self, bytes(content))
        return len(content)

    def write_now(self, content: Any) -> int:
        """Write as much of this as the stream takes at once; return how much that was."""
        if self._raw is None or self._raw.closed:
            self._fail(OSError(errno.EBADF, os.strerror(errno.EBADF)))
            return len(content)
        try:
            written = self._raw.write(content)
            if written is None:  # another program has made the terminal one that does not wait
                select.select([], [self._raw.fileno()], [])
                return 0
        except OSError as error:
            self._fail(error)
            return len(content)
        return written

    def _fail(self, error: OSError) -> None:
        self.is_lost = True
        is_hung_up = self._is_terminal and error.errno == errno.EIO
        if error.errno not in _READER_IS_GONE and not is_hung_up:
            self.failure = self.failure or error


class _Writer:
    """A thread that writes to the streams what was printed, in that order."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[_Harmless, bytes] | threading.Event] = queue.Queue(_MOST_WAITING)
        threading.Thread(target=self._write, name="printing", daemon=True).start()

    def put(self, stream: _Harmless, content: bytes) -> None:
        """Let this be written; where too much waits already, it goes nowhere."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((stream, content))

    def finish(self, seconds: float | None) -> None:
        """Wait until all of this is written, but no longer than so many seconds."""
        is_written = threading.Event()
        with contextlib.suppress(queue.Full):
            self._waiting.put(is_written, timeout=seconds)
            is_written.wait(seconds)

    def _write(self) -> None:
        while True:
            item = self._waiting.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            stream, content = item
            left = memoryview(content)
            while left:
                left = left[stream.write_now(left) :]


class _Clean(io.TextIOWrapper):
    """A standard stream."""

    def __init__(self, raw: _Harmless, encoding: str, *, line_buffering: bool) -> None:
        # What a model writes can be outside the encoding of an old terminal; better a question mark than a crash.
        super().__init__(io.BufferedWriter(raw), encoding=encoding, errors="replace", line_buffering=line_buffering)
        self.harmless = raw

    def write(self, text: str) -> int:
        super().write(plain_text(text))
        return len(text)

    def write_obeyed(self, text: str) -> int:
        """Write a text with what a terminal obeys."""
        return super().write(text)


class _Obeyed(io.TextIOBase):
    """The same stream for who draws."""

    def __init__(self, stream: _Clean) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # as of `TextIOWrapper`
        return self._stream.encoding

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        return self._stream.write_obeyed(text)

    def flush(self) -> None:
        self._stream.flush()


def install() -> None:
    """Let everything that is printed from now on come through here."""
    _open_missing_descriptors()
    sys.stdout = _clean(sys.stdout)
    sys.stderr = _clean(sys.stderr)


def obeyed() -> IO[str]:
    """Return the standard output for who draws on a terminal."""
    return cast("IO[str]", _Obeyed(sys.stdout)) if isinstance(sys.stdout, _Clean) else sys.stdout


def let_output_be_lost() -> None:
    """Let `loss` be silent, and wait for no stream: what this invocation is for is not what it prints."""
    writer = _Writer()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Clean):
            stream.harmless.may_be_lost = True
            stream.harmless.writer = writer


def finish(seconds: float | None) -> None:
    """Wait until all that was printed is written, but no longer than so many seconds for what is not taken."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Clean) and (writer := stream.harmless.writer):
            stream.flush()
            writer.finish(seconds)
            stream.harmless.writer = None


def loss() -> OSError | None:
    """Write what is still to be written, and return why some of the standard output got lost; None where none did.

    A reader who went away has what they wanted.
    """
    sys.stdout.flush()
    if not isinstance(sys.stdout, _Clean) or sys.stdout.harmless.may_be_lost:
        return None
    return sys.stdout.harmless.failure


def is_lost() -> bool:
    """Tell whether something of the standard output could not be written, also where its reader has gone away."""
    return isinstance(sys.stdout, _Clean) and sys.stdout.harmless.is_lost


def _clean(stream: TextIO | None) -> TextIO:
    if stream is None:  # it was closed before the program began
        return _Clean(_Harmless(None), "utf-8", line_buffering=False)
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # PYTHONUNBUFFERED leaves the buffer out
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(raw, io.RawIOBase):
        return stream  # not a process's own
    with contextlib.suppress(OSError):
        stream.flush()
    return _Clean(_Harmless(raw), stream.encoding, line_buffering=stream.line_buffering or stream.write_through)


def _open_missing_descriptors() -> None:
    """Let no file of ours get the number of a standard stream, to which libraries in C print as well."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
