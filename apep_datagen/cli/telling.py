"""What every command does at its end: it tells what it has found out, or what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import typer

from apep_datagen.core.errors import ApepError

__all__ = ["report", "telling_errors"]


@contextlib.contextmanager
def telling_errors() -> Iterator[None]:
    """Print what a user can mend as a sentence, and exit with its status."""
    try:
        yield
    except ApepError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(130) from None


def report(found: str | dict[str, Any]) -> None:
    """Print what a command has found out: a text, or an object as JSON."""
    from apep_datagen.terminal.text import say, say_json  # noqa: PLC0415 - takes a while, and `--help` has nothing to tell

    if isinstance(found, str):
        say(found)
    else:
        say_json(found)
