"""Where things are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["REPOSITORY", "SUPPORT", "TESTS"]

SUPPORT = Path(__file__).parent
TESTS = SUPPORT.parent
REPOSITORY = TESTS.parent
