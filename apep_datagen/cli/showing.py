"""How a run is shown: while it goes on, at its end, and as a report that is written anew.

What is needed is imported when it is, so that `--help` does not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from apep_datagen.core.errors import StorageError

if TYPE_CHECKING:
    from apep_datagen.config.invocation import Invocation
    from apep_datagen.engine.outcome import Outcome
    from apep_datagen.engine.view import View

__all__ = ["STOPPED", "Showing"]

STOPPED = (130, 143)
"""Exit statuses of who was told to stop, and does not wait for a terminal that takes nothing, or for a report."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How a run is shown.

    Attributes:
        is_quiet: Whether nothing is printed but what went wrong.
        report_every: After how many conversations more its report is written anew; None: never.
        config: `--config`.
    """

    is_quiet: bool
    report_every: int | None
    config: Path | None

    def view(self, output: Path) -> View:
        """Return the view of a run with this output."""
        from apep_datagen.terminal.progress import make_view

        view = make_view(quiet=self.is_quiet)
        if self.report_every is None:
            return view
        from apep_datagen.report.while_running import ReportingView

        return ReportingView(view, output, every=self.report_every, config=self.config)

    def sum_up(self, invocation: Invocation, outcome: Outcome) -> None:
        """Tell what a run came to."""
        from apep_datagen.cli.summary import summarize
        from apep_datagen.terminal.text import say

        if not self.is_quiet:
            say(summarize(outcome, invocation.output, invocation.settings.scenarios.shares))

    def write_last_report(self, invocation: Invocation, outcome: Outcome) -> None:
        """Write the report of a run that has ended, if there is to be one; not where somebody waits for the end."""
        if self.report_every is None or outcome.exit_status in STOPPED:
            return
        from apep_datagen.report.places import report_path
        from apep_datagen.report.writing import write_report
        from apep_datagen.terminal.text import say

        try:
            page = write_report(invocation.output, report_path(invocation.output), invocation.settings)
        except StorageError as error:
            typer.echo(f"The report could not be written: {error}", err=True)
        else:
            if not self.is_quiet:
                say(page.describe())
