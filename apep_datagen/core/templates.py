"""The files of `systemprompts/`: where they are, and how their templates are rendered."""

from __future__ import annotations

import codecs
import functools
import os
from pathlib import Path

import jinja2
import jinja2.sandbox

__all__ = ["compile_template", "files_of_prompts", "is_own", "path_of_prompt"]


def path_of_prompt(name: str, directory: Path | None) -> Path:
    """Return where a file of `systemprompts/` is: in `directory` if it is there, else among the program's own.

    Something that is no file, or a link to nothing, is there too: who put it there meant it to be used.
    """
    if directory is not None and os.path.lexists(directory / name):
        return directory / name
    return _own_directory() / name


def files_of_prompts(folder: str, ending: str, directory: Path | None) -> list[Path]:
    """Return the files of a folder in `systemprompts/`, those of `directory` in the place of the program's own.

    Args:
        folder: Its name, e.g. `world/words`.
        ending: How the names of the files end, e.g. `.txt`.
        directory: Where else there is such a folder, whose files come beside the program's, or in the place of those
            that have the same name; it need not have one.
    """
    found: dict[str, Path] = {}
    for place in [_own_directory(), *([directory] if directory else [])]:
        if (place / folder).is_dir():
            found |= {path.name: path for path in (place / folder).iterdir() if path.suffix == ending}
    return [found[name] for name in sorted(found)]


def is_own(path: Path, folder: str = "") -> bool:
    """Tell whether a file of prompts is the program's own, or a copy of it in which nothing was changed.

    Args:
        path: The file.
        folder: Where in `systemprompts/` it stands, e.g. `world/words`.
    """
    own = _own_directory() / folder / path.name
    return path == own or (own.is_file() and path.is_file() and _content(path) == _content(own))


def _content(path: Path) -> bytes:
    """Return what a file holds, however an editor marks its encoding and ends its lines."""
    return path.read_bytes().removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")


@functools.cache
def _own_directory() -> Path:
    package = Path(__file__).parents[1]
    installed = package / "systemprompts"
    return installed if installed.is_dir() else package.parent / "systemprompts"


def compile_template(text: str) -> jinja2.Template:
    """Compile a template; a variable that it is not given is an error when it is rendered.

    Raises:
        jinja2.TemplateSyntaxError: It is none.
    """
    return _environment().from_string(text)


@functools.cache
def _environment() -> jinja2.Environment:
    # Sandboxed, because a prompt directory may come from somebody else.
    return jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
