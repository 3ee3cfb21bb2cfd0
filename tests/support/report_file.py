"""What a report holds, read back from its file; and a browser that opens it, as a reader does."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from apep_datagen.config.settings import Settings
from apep_datagen.report.writing import write_report

__all__ = ["ReadReport", "browser", "opened", "read_report", "report_of"]

_BLOCK = re.compile(rb'<script type="application/octet-stream" id="([\w-]+)">([A-Za-z0-9+/=]*)</script>')
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing but the page is asked for: a browser would look for updates by itself.
_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a report holds.

    Attributes:
        index: What the list needs.
        bodies: What is drawn of each conversation.
        notes: By timeline.
    """

    index: dict[str, Any]
    bodies: list[dict[str, Any]]
    notes: dict[int, list[list[Any]]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the list."""
        columns = self.index["columns"]
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def read_report(path: Path) -> ReadReport:
    """Read a report back."""
    index: dict[str, Any] = {}
    bodies: list[dict[str, Any]] = []
    notes: dict[int, list[list[Any]]] = {}
    for name, packed in _BLOCK.findall(path.read_bytes()):
        value = json.loads(gzip.decompress(base64.b64decode(packed)))
        if name == b"index":
            index = value
        elif name.startswith(b"chunk-"):
            bodies += value
        else:
            notes.update({int(timeline): those for timeline, those in value.items()})
    return ReadReport(index, bodies, notes)


def report_of(output: Path, **options: Any) -> Path:
    """Write the report of an output beside it, and return it."""
    to = output.with_suffix(".report.html")
    write_report(output, to, Settings(), **options)
    return to


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Give a Chromium; a test that needs one is skipped where there is none, unless one is required."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("APEP_DATAGEN_BROWSER") == "required":
            pytest.fail("there is no Chromium, and APEP_DATAGEN_BROWSER=required; install it with apt-get")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield chromium
        chromium.close()


@contextlib.contextmanager
def opened(
    chromium: Browser, path: Path, fragment: str = "", *, may_complain: bool = False, **options: Any
) -> Iterator[Page]:
    """Open a report from its file in a profile of its own, and see that it asks for nothing and complains of nothing.

    Args:
        chromium: The browser.
        path: The report.
        fragment: What stands behind `#` in the address.
        may_complain: Whether something is forbidden to it on purpose.
        options: Of the browser's context, such as `color_scheme`.
    """
    context = chromium.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
    page = context.new_page()
    page.set_default_timeout(15_000)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    address = path.as_uri() + (f"#{fragment}" if fragment else "")
    page.goto(address)
    page.wait_for_selector("html[data-searchable]", state="attached")
    yield page
    if not may_complain:
        assert complaints == []
        assert [url for url in asked if not url.startswith(("file://", "blob:"))] == []
        assert {url.partition("#")[0] for url in asked if url.startswith("file://")} == {path.as_uri()}
    context.close()


def downloaded(page: Page, path: Path) -> Any:
    """Download the verdicts of a page to a file, and return what they are."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download verdicts").click()
    waiting.value.save_as(path)
    return json.loads(path.read_text(encoding="utf-8"))
