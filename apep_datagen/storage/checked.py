"""What comes out of a database: of the kinds that it should be of, or refused.

SQLite keeps any value in any column, and anybody can have written to the file. So what is read is made into dataclasses
of pydantic, with this configuration, where its kinds matter to those who get it.
"""

from __future__ import annotations

from pydantic import ConfigDict

__all__ = ["CHECKED", "integer"]

CHECKED = ConfigDict(strict=True, allow_inf_nan=False, revalidate_instances="always")
"""Nothing is converted, and numbers are finite; dataclasses inside are checked as well."""


def integer(value: object) -> int:
    """Return a whole number that was read.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, int):
        raise TypeError(f"a whole number is needed, and there is {value!r}")
    return value
