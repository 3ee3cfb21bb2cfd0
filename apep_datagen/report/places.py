"""Where a report is; apart from what makes it, which takes a while to import."""

from __future__ import annotations

from pathlib import Path

__all__ = ["part_path", "report_path"]


def report_path(output: Path) -> Path:
    """Return where the report of an output goes, where nobody says otherwise."""
    return output.with_name(output.stem + ".report.html")


def part_path(to: Path) -> Path:
    """Return where a report is while it is written."""
    return to.parent / (to.name + ".part")
