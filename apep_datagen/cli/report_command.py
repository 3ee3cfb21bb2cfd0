"""The command that writes a page of a dataset.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import typer

# Typer looks for the parameters' annotations among the names of this module.
from apep_datagen.cli.options import Config, Dataset, Page, SampleSize
from apep_datagen.cli.telling import report, telling_errors

__all__ = ["report_dataset"]


def report_dataset(file: Dataset = None, to: Page = None, sample: SampleSize = None, config: Config = None) -> None:
    """Write the dataset as one HTML file: to read, search and judge its conversations, and to see the whole.

    It needs no server and loads nothing, and whatever a model wrote in it is shown as text. Where the state database is
    beside the dataset, it holds users, days, plans, notes, and what was rejected too. The dataset is not changed, and
    may be written meanwhile.
    """
    from apep_datagen.cli.files import files_of_report
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.core.paths import check_files
    from apep_datagen.report.places import report_path
    from apep_datagen.report.writing import write_report

    with telling_errors():
        path = checked_dataset(file)
        settings = load_settings(config)
        page = to or report_path(path)
        check_files(files_of_report(path, page, config=config))
        written = write_report(
            path, page, settings, sample=sample, notify=lambda message: typer.echo(message, err=True)
        )
        report(written.describe())
