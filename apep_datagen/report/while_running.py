"""A report that is written anew while a run goes on, each time that so many conversations more are there.

Making a page takes seconds of work in which nothing could be sent, so a process of its own does it: `apep-datagen
report`, one at a time, with a lower priority than the run's. Whatever becomes of it costs the run nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.view import View
from apep_datagen.report.places import report_path

__all__ = ["ReportingView"]

_SECONDS_BETWEEN_LOOKS = 0.5
_NICER_BY = 10


class ReportingView:
    """Shows a run as another view does, and has its report written anew as it goes on.

    Args:
        view: What shows the run.
        output: The output of the run.
        every: After how many conversations more the report is written anew.
        config: The configuration file of the run; None for the one that is taken where nothing is said.
    """

    def __init__(self, view: View, output: Path, *, every: int, config: Path | None) -> None:
        self._view = view
        self._output = output
        self._every = every
        self._config = config
        self._told: set[str] = set()

    def notify(self, message: str) -> None:
        """Show a sentence."""
        self._view.notify(message)

    @contextlib.contextmanager
    def showing(self, counters: RunCounters) -> Iterator[None]:
        """Show the counters, and write the report as they rise, inside the context."""
        writing = asyncio.get_running_loop().create_task(self._write_when_due(counters))
        try:
            with self._view.showing(counters):
                yield
        finally:
            writing.cancel()

    async def _write(self) -> None:
        """Write the report; where that fails, say why, each reason once."""
        command = [sys.executable, "-m", "apep_datagen", "report", str(self._output)]
        command += ["--to", str(report_path(self._output))]
        command += ["--config", str(self._config)] if self._config is not None else []
        try:
            # A session of its own: a Ctrl-C in the terminal is the run's, which ends this process itself.
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._tell(error.strerror or str(error))
            return
        try:
            if hasattr(os, "setpriority"):
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICER_BY)
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()  # nobody else writes the report until it has let go of it
        if process.returncode:
            lines = said.decode(errors="replace").split("\n")
            self._tell(next((line for line in reversed(lines) if line.strip()), f"status {process.returncode}"))

    async def _write_when_due(self, counters: RunCounters) -> None:
        written = counters.done
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            if counters.done - written >= self._every:
                written = counters.done
                await self._write()

    def _tell(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self.notify(f"The report could not be written, and the run goes on without it: {why}")
