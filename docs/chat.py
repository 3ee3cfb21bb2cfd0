"""Talk with a model that was trained on Ada's conversations, at any endpoint that speaks OpenAI's chat completions.

    uv run python docs/chat.py --base-url http://localhost:8080/v1 --model ada

It does what a server does not: it writes the system prompt with the day, reads the calls out of Ada's text, executes
them on a memory and a diary that are kept in a file, and sends the results back as in training. A line is a message;
`/notes` lists what she has written down, `/new` begins another conversation, Ctrl-D or Ctrl-C ends. Of an exchange that
is broken off, by a failure or by Ctrl-C, nothing stays: neither what was said nor what was noted.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from apep_datagen.conversation.prompt_set import UnusablePromptError, load_prompts
from apep_datagen.core.errors import ApepError, SettingsError
from apep_datagen.core.markup import result_block
from apep_datagen.core.messages import Message, clean_text
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.formats.wire import plain_wire
from apep_datagen.inspect.readable import message_texts, print_texts
from apep_datagen.terminal import streams
from apep_datagen.terminal.text import say
from notes_file import NotesFile
from talking import Chat, Endpoint

__all__ = ["main"]

_STOPPED: Final = 130
_MOST: Final = 1_000_000


def _lines() -> Iterator[str]:
    """Yield what the user types, line by line, until there is no more."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - lets `input` go back to earlier lines; Windows has none
    if not isinstance(sys.stdin, io.TextIOWrapper):  # it was closed before the program began
        return
    sys.stdin.reconfigure(errors="replace")
    prompt = "> " if sys.stdin.isatty() else ""
    with contextlib.suppress(EOFError):
        while True:
            yield clean_text(input(prompt)).strip()


def _converse(chat: Chat) -> None:
    """Let the user talk until there is no more to be read."""
    for text in _lines():
        if not text:
            continue
        if text == "/notes":
            print_texts(message_texts([Message("tool", result_block(_listed(chat.notebook.notes())))]))
        elif text == "/new":
            chat.begin(datetime.datetime.now().astimezone())
            say("A new conversation.")
        else:
            try:
                _show(chat.exchange(text))
            except ApepError as error:
                say(f"\n{error}.\nNothing of this exchange was kept. Say it again, or /new begins anew.")


def _show(messages: Iterator[Message]) -> None:
    """Print each message when it is there, and meanwhile that it is waited for."""
    while True:
        with _waiting():
            message = next(messages, None)
        if message is None:
            return
        print_texts(message_texts([message]))


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    terminal = streams.obeyed()
    terminal.write("…")
    terminal.flush()
    try:
        yield
    finally:
        terminal.write("\r\x1b[K")
        terminal.flush()


def _listed(notes: Notes) -> dict[str, list[str]]:
    shelves = {"memory": notes.memory, "diary": notes.diary}
    return {name: [f"{note.index}. {note.date} {note.text}" for note in shelf] for name, shelf in shelves.items()}


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Return what each request holds besides what was said.

    Raises:
        SettingsError: One of the options is impossible.
    """
    for name, value in (("--max-tokens", options.max_tokens), ("--timeout", options.timeout)):
        if not 0 < value <= _MOST:
            raise SettingsError(f"{name} {value}: this is to be a number above 0, at most {_MOST:,}")
    try:
        more = json.loads(options.extra_body)
    except (ValueError, RecursionError):
        more = None
    if not isinstance(more, dict):
        raise SettingsError("--extra-body: this is no JSON object, such as '{\"top_p\": 0.9}'")
    sampling = {} if options.temperature is None else {"temperature": options.temperature}
    return {"model": options.model, "max_tokens": options.max_tokens, **sampling, **more}


def _base_url(text: str) -> str:
    """Return an address that can be asked.

    Raises:
        SettingsError: It is none.
    """
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname:
            return text
    raise SettingsError(f"--base-url {text}: this is no address such as http://localhost:8080/v1")


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    if not os.environ.get(variable):
        raise SettingsError(f"--key-from {variable}: there is no such variable in the environment")
    return os.environ[variable]


def _talk(options: argparse.Namespace) -> None:
    endpoint = Endpoint(_base_url(options.base_url), _parameters(options), options.timeout, _key(options.key_from))
    wire = plain_wire(options.calls, options.tool_role, options.thoughts)
    notes_file = NotesFile(options.notes)
    with notes_file.held():
        notebook = Notebook.holding(notes_file.read())
        prompts = load_prompts(options.prompts)
        rounds, keep = options.max_tool_rounds, notes_file.write
        chat = Chat(endpoint, wire, prompts, max_tool_rounds=rounds, notebook=notebook, keep=keep)
        try:
            chat.begin(datetime.datetime.now().astimezone())
        except UnusablePromptError as error:
            raise SettingsError(str(error)) from error
        _converse(chat)
        say(f"Her notes are in {notes_file.path}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Talk with a model that was trained on Ada's conversations. A line is a message; /notes lists what"
        " she has written down, /new begins another conversation, Ctrl-D ends.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--base-url", required=True, help="the endpoint, such as http://localhost:8080/v1")
    parser.add_argument("--model", default="ada", help="what the endpoint calls the model")
    parser.add_argument("--calls", choices=("text", "native", "hermes"), default="text", help="as in the export")
    parser.add_argument(
        "--tool-role", choices=("user", "tool"), default="user", help="role of results, as in the export"
    )
    parser.add_argument("--thoughts", choices=("keep", "last", "drop"), default="keep", help="as in the export")
    parser.add_argument("--prompts", type=Path, help="your own prompts, as in the run")
    parser.add_argument("--max-tool-rounds", type=int, choices=range(21), metavar="N", default=3, help="as in the run")
    parser.add_argument("--notes", type=Path, default=Path("ada-notes.json"), help="file of her memory and diary")
    parser.add_argument("--max-tokens", type=int, default=1500, help="the most tokens of one answer")
    parser.add_argument("--temperature", type=float, help="if not set, the server decides")
    parser.add_argument("--extra-body", default="{}", help="further fields of each request, as JSON")
    parser.add_argument("--key-from", metavar="VARIABLE", help="the environment variable that holds the endpoint's key")
    parser.add_argument("--timeout", type=float, default=600, help="seconds that an answer may take")
    return parser


def main() -> None:
    """Talk until the user ends it."""
    options = _parser().parse_args()
    streams.install()
    try:
        _talk(options)
    except ApepError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        say("")
        sys.exit(_STOPPED)


if __name__ == "__main__":
    main()
