"""The program, forked from a process that has imported it already: without the second of computing that imports take.

What a test gets is a process of its own all the same, a child of its own, with its own directory, environment and
streams.

    python preloaded.py NUMBER     (the process that is forked; NUMBER is of the socket by which it is asked)

It is asked for a process with what `_Asked` holds, and answers with the number of the process.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

__all__ = ["Preloaded", "can_be_preloaded"]

_MODULE = "apep_datagen"
# What providers import when they start.
_SDKS = ("mistralai.client", "together", "huggingface_hub.inference._generated._async_client")
# A process whose parent ends becomes the child of the nearest ancestor that has asked for such (prctl(2)).
_SET_CHILD_SUBREAPER = 36
_MOST_BYTES = 1 << 18


class _Asked(TypedDict):
    """A process that is wanted.

    Attributes:
        command: As behind `python`.
        directory: Where it works.
        environment: All of its variables.
    """

    command: list[str]
    directory: str
    environment: dict[str, str]


def can_be_preloaded(command: Sequence[str], environment: dict[str, str], settings: dict[str, Any]) -> bool:
    """Whether a process with this command, environment and these settings of `Popen` is the same, forked or not.

    Modules read some variables when they are imported, and what is to happen between fork and exec cannot be sent.
    """
    at_import = ("PYTHON", "HF_HUB", "HF_HOME", "HF_ENDPOINT", "HF_XET", "HOME", "XDG_")
    changed = {name for name in environment.keys() | os.environ.keys() if environment.get(name) != os.environ.get(name)}
    return (
        sys.platform == "linux"
        and (command[:2] == ("-m", _MODULE) or Path(command[0]).parent == Path(__file__).parent)
        and settings.keys() <= {"stdin", "stdout", "stderr"}
        and not any(name.startswith(at_import) for name in changed - {"PYTHONPATH"})
    )


class Preloaded(subprocess.Popen[str]):
    """As `Popen`, for a command that `preloaded.py` can run: `-m apep_datagen …`, or a script of `support`."""

    def _execute_child(self, args: Any, *settings: Any) -> None:
        """Take the place of fork and exec; everything else is as `Popen` does it."""
        directory, environment = settings[4], settings[5]
        ours = settings[9:15]  # p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite
        its = [end if end != -1 else number for number, end in enumerate((ours[0], ours[3], ours[5]))]
        asked = _Asked(command=[*args[1:]], directory=os.fspath(directory), environment=environment)
        self.pid = _parent().fork(asked, its)
        self._child_created = True
        self._close_pipe_fds(*ours)  # type: ignore[attr-defined]  # not in the type's stub


class _Parent:
    """The process that is forked, as the tests see it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(its.fileno())]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()])
        its.close()
        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()

    def fork(self, asked: _Asked, streams: list[int]) -> int:
        """Return the number of a new child of this process."""
        with self._lock, _adopting():
            socket.send_fds(self._socket, [json.dumps(asked).encode()], streams)
            answer = self._socket.recv(_MOST_BYTES)
        assert answer, "the process that is to be forked has ended"
        return int(answer)


@functools.cache
def _parent() -> _Parent:
    return _Parent()


@contextlib.contextmanager
def _adopting() -> Any:
    """Have what loses its parent become a child of this process."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _serve(control: socket.socket) -> _Asked | None:
    """Fork whenever that is asked; return in each new process with what was asked, and at the end with nothing."""
    while True:
        sent, descriptors, _, _ = socket.recv_fds(control, _MOST_BYTES, 3)
        if not sent:
            return None
        says, hears = os.pipe()
        # Twice: the child of a process that has ended becomes the child of the test, which can then wait for it.
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child == 0:
                asked: _Asked = json.loads(sent)
                _become(asked, descriptors)
                return asked
            os.write(hears, str(child).encode())
            os._exit(0)
        os.waitpid(between, 0)
        control.send(os.read(says, _MOST_BYTES))
        for descriptor in (says, hears, *descriptors):
            os.close(descriptor)


def _become(asked: _Asked, descriptors: list[int]) -> None:
    """Take over streams, directory and environment, as if freshly started."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["directory"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    encoding = sys.stdout.encoding
    stdin = open(0, encoding=encoding, closefd=False)  # noqa: SIM115 - it stays open
    stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115 - as above
    stderr = open(2, "w", 1, encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115 - as above
    vars(sys).update(stdin=stdin, __stdin__=stdin, stdout=stdout, __stdout__=stdout, stderr=stderr, __stderr__=stderr)


def _run(asked: _Asked) -> None:
    """Do what `python` does with the command."""
    what, *options = asked["command"]
    if what == "-m":
        sys.path[0] = asked["directory"]
        sys.argv = options
        runpy.run_module(options[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(what).parent)
        sys.argv = [what, *options]
        runpy.run_path(what, run_name="__main__")


def _import_all() -> None:
    package = importlib.import_module(_MODULE)
    for found in pkgutil.walk_packages(package.__path__, f"{_MODULE}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _SDKS:
        importlib.import_module(name)


def _main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_all()
    assert threading.active_count() == 1, "a thread would not be there in what is forked"
    gc.collect()
    gc.freeze()
    if (asked := _serve(control)) is not None:
        control.detach()
        _run(asked)


if __name__ == "__main__":
    _main()
