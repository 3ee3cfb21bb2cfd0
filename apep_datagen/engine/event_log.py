"""The log of a run: one JSON object a line, for every request, every pause, every change of a provider's state."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import storable_text

__all__ = ["EventLog"]


class EventLog:
    """Appends events to a file; without a file it does nothing.

    A line is handed to the operating system when its event happens, so a crash of the program loses none.

    Args:
        path: The file, or None.
        with_text: Whether prompts and answers are logged too.
        notify: Is told, once, when the file cannot be written any more. The run goes on: it does not depend on its log.

    Raises:
        SettingsError: The file cannot be opened.
    """

    def __init__(self, path: Path | None, *, with_text: bool, notify: Callable[[str], None]) -> None:
        self.with_text = with_text
        self._path = path
        self._notify = notify
        self._file = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Unbuffered: what cannot be written is known at once, and not tried again at the end.
                self._file = path.open("ab", buffering=0)
            except OSError as error:
                raise SettingsError(f"--log-file {path}: it cannot be written ({error.strerror or error})") from error

    def write(self, event: str, **values: Any) -> None:
        """Append an event.

        Args:
            event: What happened: `start`, `request`, `pause`, `provider`, `rejected`, `set aside`, `low yield`,
                `unforeseen` or `end`.
            values: Anything that JSON can spell; None is left out.
        """
        if self._file is None:
            return
        at = datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")
        given = {key: value for key, value in values.items() if value is not None}
        line = storable_text(json.dumps({"at": at, "event": event, **given}, ensure_ascii=False)) + "\n"
        try:
            self._file.write(line.encode())
        except OSError as error:
            self.close()
            self._notify(
                f"{self._path}: the log cannot be written ({error.strerror or error}); the run goes on without"
            )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
