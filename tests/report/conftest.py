"""The browser in which the page is tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from support import report_file


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with report_file.browser() as chromium:
        yield chromium
