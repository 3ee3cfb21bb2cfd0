"""Watching a run: on a screen that is drawn anew in place, or in lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.spelling import spell_value
from apep_datagen.inspect.status_report import describe_status
from apep_datagen.inspect.watch_report import describe_end, describe_look, look_as_json, spell_look, without_time
from apep_datagen.inspect.watching import Look, Phase, Watcher
from apep_datagen.terminal.screen import can_draw, screen
from apep_datagen.terminal.streams import is_lost
from apep_datagen.terminal.text import say, say_json_line

__all__ = ["SECONDS_BETWEEN_LOOKS", "watch_status"]

SECONDS_BETWEEN_LOOKS = 2.0


def watch_status(output: Path, settings: Settings, every: float, *, as_json: bool) -> None:
    """Tell how the run of an output goes, until it has ended or somebody wants no more.

    Args:
        output: The output.
        settings: The configuration; it has the prices.
        every: Seconds between two looks.
        as_json: Whether to print an object a line.

    Raises:
        StorageError: No run is active, and what is there cannot be read.
    """
    watcher = Watcher(output)
    try:
        if as_json:
            _print_changes(
                watcher, every, lambda look: say_json_line(look_as_json(look, output, settings)), key=lambda look: look
            )
        elif can_draw():
            _draw(watcher, every, settings)
        else:
            _print_changes(watcher, every, lambda look: say(spell_look(look)), key=spell_look)
    except KeyboardInterrupt:
        return


def _draw(watcher: Watcher, every: float, settings: Settings) -> None:
    with screen(f"apep-datagen status --watch, every {spell_value(every)} s; q or Ctrl-C ends it") as page:
        while (look := watcher.look(time.time())).phase is not Phase.ENDED:
            page.draw(describe_look(look, settings, time.time()))
            if page.wait(every):
                return
    assert look.status is not None  # noqa: S101 - it has ended
    say(f"{describe_status(look.status, settings, time.time())}\n\n{describe_end(look.status)}")


def _print_changes(
    watcher: Watcher, every: float, tell: Callable[[Look], None], *, key: Callable[[Look], object]
) -> None:
    """Tell of each look of which the key is another than that of the last one, were it at the same time."""
    told: object = None
    while not is_lost():
        look = watcher.look(time.time())
        if (now := key(without_time(look))) != told:
            tell(look)
            told = now
        if look.phase is Phase.ENDED:
            return
        time.sleep(every)
