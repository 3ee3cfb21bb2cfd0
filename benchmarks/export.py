"""Measure how fast a dataset is exported, and in how much memory.

    uv run --all-groups python benchmarks/export.py --conversations 20000

The output is made as for `verify_and_stats.py`, with its state database; `--directory` keeps it for another time. What
each form costs is measured by itself; `trl, again` goes on from the export before, where nothing has come since.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import time
from pathlib import Path

from apep_datagen.config.settings import DEFAULT_OUTPUT
from common import Measured, print_table
from verify_and_stats import kept_or_temporary, make, measure

_MILLION = 1_000_000
_WAYS = {
    "trl": ("trl", ()),
    "trl, again": ("trl", ()),
    "axolotl (a conversation a row)": ("axolotl", ()),
    "trl --calls native": ("trl", ("--calls", "native")),
    "trl --megachat 3-6": ("trl", ("--megachat", "3-6", "--rows", "conversation")),
    "parquet": ("parquet", ()),
    "traces": ("traces", ()),
}


def export(directory: Path, name: str, form: str, options: tuple[str, ...]) -> tuple[Measured, int]:
    """Export the output in `directory`, and return what it took, and how many rows came of it."""
    to = directory / "exported"
    if not name.endswith("again"):
        shutil.rmtree(to, ignore_errors=True)
    command = ("-m", "apep_datagen", "export", str(DEFAULT_OUTPUT), "--format", form, *options, "--to", str(to))
    measured = measure(directory, *command)
    report = json.loads((to / form / "report.json").read_bytes())
    return measured, sum(report["rows"].values())


def main() -> None:
    """Make an output, if there is none, and measure each way of exporting it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--directory", type=Path, help="where the output is kept; else it is made and removed")
    parser.add_argument("--ways", default="; ".join(_WAYS), help="which ways, with semicolons between them")
    options = parser.parse_args()
    with kept_or_temporary(options.directory) as directory:
        output = directory / DEFAULT_OUTPUT
        if not output.exists():
            began = time.monotonic()
            asyncio.run(make(output, options.conversations))
            print(f"made in {time.monotonic() - began:.0f} s")
        print(f"an output of {output.stat().st_size / 1e6:.0f} MB")
        rows = []
        for name in options.ways.split("; "):
            measured, count = export(directory, name, *_WAYS[name])
            seconds = measured.seconds
            rows.append(
                (
                    name,
                    f"{count:,}",
                    f"{seconds:.1f}",
                    f"{measured.cpu_seconds:.1f}",
                    f"{count / seconds:,.0f}",
                    f"{seconds * _MILLION / options.conversations / 60:.0f}",
                    f"{measured.resident_bytes / 1e6:.0f}",
                )
            )
    print_table(
        rows,
        ("form", "rows", "seconds", "of processors", "rows/s", "minutes for 1,000,000 conversations", "MB resident"),
    )


if __name__ == "__main__":
    main()
