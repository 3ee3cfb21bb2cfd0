"""The file itself: the page's own source, and blocks of compressed data that its script reads.

The source in `page/` is joined as it is, without a build. Nothing but the one script and the one style sheet in the
file takes effect: a content security policy names them by their digests. A block is gzip in base64 in a `<script>` of a
type that no browser runs; nothing in base64 ends it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from apep_datagen.core.words import one_line

__all__ = ["MARK", "block", "foot", "head"]

MARK = b"<!doctype html><!-- a report of apep-datagen, version 1 -->"
"""The first line of every report, by which the program knows its own files."""

# In the order in which they are joined: who uses something may stand before it.
_SCRIPTS = (
    "data.js",
    "text.js",
    "dom.js",
    "model.js",
    "verdicts.js",
    "filters.js",
    "list.js",
    "conversation.js",
    "timeline.js",
    "charts.js",
    "overview.js",
    "app.js",
)
_LEVEL = 6


def head(title: str) -> bytes:
    """Return what stands before the blocks.

    Args:
        title: What the page is called, any text.
    """
    policy = (
        f"default-src 'none'; script-src '{_digest(_script())}'; style-src '{_digest(_style())}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    before, body = _source("page.html").split("<!-- style -->")
    before = before.replace("<!-- policy -->", policy).replace("<!-- title -->", _escaped(one_line(title)))
    return MARK + b"\n" + f"{before}<style>{_style()}</style>{body.split('<!-- data -->')[0]}".encode()


def foot() -> bytes:
    """Return what stands behind the blocks: the script, which finds all of them there when it runs."""
    return f"<script>{_script()}</script>{_source('page.html').split('<!-- data -->')[1]}".encode()


def block(name: str, value: Any) -> bytes:
    """Return a value of JSON as a block of data that the script finds by its name."""
    # Surrogates without a partner, which JSON can have and UTF-8 cannot, are escaped.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = json.dumps(value, separators=(",", ":")).encode()
    packed = base64.b64encode(gzip.compress(raw, _LEVEL, mtime=0))
    return b'<script type="application/octet-stream" id="%s">%s</script>\n' % (name.encode(), packed)


@cache
def _source(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return "\n" + _source("page.css")


@cache
def _script() -> str:
    return "\n".join(["\n(() => {", '"use strict";', *map(_source, _SCRIPTS), "})();\n"])


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escaped(text: str) -> str:
    kept = "".join(char if char.isprintable() else " " for char in text)
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
