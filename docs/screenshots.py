"""Makes the screenshots of `docs/report.md` from `docs/sample.json`, in Chromium.

    uv run --all-groups python docs/screenshots.py

The sample has no state database, so users, days and plans are not in the pictures.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from apep_datagen.config.settings import Settings
from apep_datagen.report.writing import write_report

_DOCS = Path(__file__).parent
_FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
# What is to be seen: the address, the keys that are pressed there, the look, and the size.
_PICTURES = {
    "report-conversation.png": ("c={update}", ("1", "k"), "light", (1180, 720)),
    "report-search.png": ("q=allergic", ("j",), "dark", (1180, 720)),
    "report-phone.png": ("c={update}", (), "light", (360, 680)),
}


def take(browser: Browser, page_path: Path, to: Path) -> None:
    """Take all pictures of a report into a directory."""
    for name, (address, keys, look, (width, height)) in _PICTURES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if look == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(page_path.as_uri())
        page.wait_for_selector("html[data-searchable]", state="attached")
        page.evaluate("fragment => { location.hash = fragment; }", "tool=delete_memory")
        page.wait_for_function("document.querySelector('.shown').textContent.includes(' of ')")
        digest = page.evaluate(
            "(document.querySelector('.option').click(), new URLSearchParams(location.hash.slice(1)).get('c'))"
        )
        page.evaluate("fragment => { location.hash = fragment; }", address.format(update=digest))
        page.wait_for_timeout(300)
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(200)
        page.screenshot(path=to / name)
        context.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chromium", default=shutil.which("chromium") or "/usr/bin/chromium")
    parser.add_argument("--to", type=Path, default=_DOCS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        sample = Path(place) / "sample.json"
        shutil.copyfile(_DOCS / "sample.json", sample)
        written = write_report(sample, sample.with_name("sample.report.html"), Settings())
        browser = playwright.chromium.launch(executable_path=options.chromium, args=list(_FLAGS))
        take(browser, written.path, options.to)
        browser.close()
    for name in _PICTURES:
        print(f"{options.to / name}: {(options.to / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
