"""Sessions as rows of the columns that the Hugging Face hub has for traces.

`datasets` makes the same ones of the session files of agents that it knows (its `AGENT_TRACES_FEATURES`), and
by them the hub's viewer tells that a row is a session, whose file is at `file_path`. It reads all configurations of
one dataset by the same module (https://github.com/huggingface/datasets/issues/7101), so the files alone could be no
configuration beside Parquet.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType

from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.format import Row
from apep_datagen.formats.parquet import ColumnType
from apep_datagen.formats.traces import chat_message, session_lines

__all__ = ["TRACE_COLUMNS", "trace_row"]

TRACE_COLUMNS: Mapping[str, ColumnType] = MappingProxyType(
    {
        "harness": "text",
        "session_id": "text",
        "prompt": "text",
        "messages": "jsons",
        "tools": "jsons",
        "metadata": "json",
        "sent_at": "text",
        "num_user_messages": "number",
        "num_tool_calls": "number",
        "trace": "json",
        "file_path": "text",
    }
)
"""The columns, in order."""


def trace_row(session: Row, path: str) -> Row:
    """Return the row of a session.

    Args:
        session: As `traces` writes it, or as it was read from its file.
        path: Where its file is in the dataset.
    """
    header = session["session"]
    messages = [chat_message(message) for message in session["messages"]]
    first: Row = next((message for message in messages if message["role"] == "user"), {})
    return {
        "harness": header.get("harness"),
        "session_id": header["id"],
        "prompt": first.get("content"),
        "messages": [{name: value for name, value in message.items() if name != "timestamp"} for message in messages],
        "tools": tool_schemas(),
        "metadata": {name: value for name, value in header.items() if name not in {"type", "harness", "id"}},
        "sent_at": _spelled(first["timestamp"]) if "timestamp" in first else None,
        "num_user_messages": sum(message["role"] == "user" for message in messages),
        "num_tool_calls": sum(len(message.get("tool_calls", ())) for message in messages),
        "trace": "".join(f"{line}\n" for line in session_lines(session)),
        "file_path": path,
    }


def _spelled(milliseconds: int) -> str:
    """Spell milliseconds of the epoch as `datasets` does."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
