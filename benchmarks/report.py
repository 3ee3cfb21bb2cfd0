"""Measure how long a report takes to be made and to be opened, and how large it is.

    uv run --all-groups python benchmarks/report.py --conversations 5000

The output is made as for `verify_and_stats.py`, with its state database; `--directory` keeps it for another time. The
page is opened in Chromium from its file, three times, each in a profile of its own: until the list can be used, until
all text can be searched; then it is scrolled from one end to the other, and searched.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from apep_datagen.config.settings import DEFAULT_OUTPUT
from apep_datagen.report.places import report_path
from common import print_table
from verify_and_stats import kept_or_temporary, make, measure

_FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_TIMES = 3
_SCROLLS = 200
# Scrolls the list by a screen in each frame, and returns how long each frame took, in milliseconds.
_SCROLL = """async (steps) => {
  const list = document.getElementById("list");
  const frames = [];
  let before = performance.now();
  for (let step = 0; step < steps; step++) {
    list.scrollTop = (list.scrollHeight - list.clientHeight) * (step / steps);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""
# Types a word into the search, and returns after how many milliseconds the list shows what was found.
_SEARCH = """async (word) => {
  const field = document.getElementById("search");
  const shown = document.querySelector(".shown");
  const before = shown.textContent;
  const began = performance.now();
  field.value = word;
  field.dispatchEvent(new Event("input"));
  while (shown.textContent === before) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now() - began;
}"""


def open_once(browser: Browser, page_path: Path) -> dict[str, float]:
    """Open a report, and return how long each thing took, in milliseconds."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    began = time.monotonic()
    page.goto(page_path.as_uri(), wait_until="commit")
    page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    ready = time.monotonic() - began
    page.wait_for_selector("html[data-searchable]", state="attached", timeout=120_000)
    searchable = time.monotonic() - began
    frames: list[float] = page.evaluate(_SCROLL, _SCROLLS)
    found = page.evaluate(_SEARCH, "zzz no such words")
    heap: Any = page.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0")
    context.close()
    return {
        "list can be used (s)": ready,
        "all text can be searched (s)": searchable,
        "a frame of scrolling, median (ms)": statistics.median(frames),
        "the longest frame (ms)": max(frames),
        "a search (ms)": found,
        "memory of scripts (MB)": heap / 1e6,
    }


def main() -> None:
    """Make an output, if there is none, and measure its report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=5_000)
    parser.add_argument("--directory", type=Path, help="where the output is kept; else it is made and removed")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with kept_or_temporary(options.directory) as directory:
        output = directory / DEFAULT_OUTPUT
        if not output.exists():
            asyncio.run(make(output, options.conversations))
        page = report_path(output)
        made = measure(directory, "-m", "apep_datagen", "report", str(DEFAULT_OUTPUT))
        print(f"an output of {output.stat().st_size / 1e6:.0f} MB, a page of {page.stat().st_size / 1e6:.1f} MB")
        print(f"made in {made.seconds:.1f} s, in {made.resident_bytes / 1e6:.0f} MB of memory")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium, args=list(_FLAGS))
            times = [open_once(browser, page.resolve()) for _ in range(_TIMES)]
            browser.close()
        print_table([[what, *(f"{each[what]:,.2f}" for each in times)] for what in times[0]], ("opened", *"123"))


if __name__ == "__main__":
    main()
