"""Which file a path names, by whatever name it comes, and whether one can be there; told before anything is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.errors import SettingsError

__all__ = ["NamedFile", "check_files", "is_at", "is_there", "kind_of_file"]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an invocation reads or writes; it need not be there yet.

    Attributes:
        path: Where it is.
        what: What it is, for messages, e.g. `the log (--log-file)`.
        is_written: Whether it is written, or may be. What is only read may be one file by two names.
        is_directory: Whether it is a directory.
    """

    path: Path
    what: str
    is_written: bool = False
    is_directory: bool = False


def check_files(files: Iterable[NamedFile]) -> None:
    """Refuse files that cannot be there, and those that are written and are another one of them, also through links.

    The standard streams, where they go into a file, are others as well.

    Raises:
        SettingsError: A path is impossible or stands for something that is no file, or two are the same file. Or the
            working directory is gone, so that no path says anything.
    """
    files = tuple(files)
    try:
        Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"the working directory cannot be used ({error.strerror}); change into one that is there"
        ) from error
    for file in files:
        _check_file(file)
    known: dict[tuple[int | str, ...], NamedFile] = {}
    for file in files:
        other = known.setdefault(_identity(file.path), file)
        if other is not file and (file.is_written or other.is_written):
            raise SettingsError(
                f"{file.path}: {file.what} would be the same file as {other.what}, {other.path}; name another file"
            )
    _check_streams(files)


def is_there(path: Path) -> bool:
    """Tell whether there is anything at a path; there is nothing where its name is impossible."""
    return os.path.exists(path)  # noqa: PTH110 - `Path.exists` fails where a name is too long


def is_at(path: Path, status: os.stat_result) -> bool:
    """Tell whether the file of this status is still the one at a path: it can be moved, deleted or replaced."""
    try:
        return os.path.samestat(path.stat(), status)
    except OSError:
        return False


def kind_of_file(mode: int) -> str:
    """Return what a mode, as `stat` gives it, stands for, e.g. `a directory`; an empty text for a plain file."""
    kinds = {
        stat.S_IFREG: "",
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def _check_file(file: NamedFile) -> None:
    path, what = file.path, file.what
    if file.is_written and not _is_utf8(os.path.abspath(path)):  # noqa: PTH100 - `Path.absolute` fails on a NUL
        # The databases and JSON can hold no other names.
        raise SettingsError(f"{path}: the path of {what} is not UTF-8; name another file")
    try:
        kind = kind_of_file(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        _check_missing(file)
        return
    except (OSError, ValueError) as error:
        raise _impossible(file, error) from error
    wanted = "a directory" if file.is_directory else ""
    if kind != wanted:
        raise SettingsError(
            f"{path}: {what} has to be {wanted or 'a file'}, and this is {kind or 'a file'}; name another"
        )


def _check_streams(files: Iterable[NamedFile]) -> None:
    """Refuse to print into a file that is written otherwise as well."""
    for number, stream in ((1, "standard output"), (2, "standard error output")):
        try:
            status = os.fstat(number)
        except OSError:  # it is closed
            continue
        for file in files:
            if file.is_written and is_at(file.path, status):
                raise SettingsError(
                    f"{file.path}: {file.what} would be the same file as the {stream}; print to another one"
                )


def _check_missing(file: NamedFile) -> None:
    """Refuse a file that is not there where its directories can be made, but a name cannot be."""
    directory, names = _nearest(file.path)
    for name in names:
        try:
            (directory / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _impossible(file, error) from error


def _impossible(file: NamedFile, error: Exception) -> SettingsError:
    return SettingsError(
        f"{file.path}: {file.what} cannot be there ({getattr(error, 'strerror', None) or error}); name another"
    )


def _identity(path: Path) -> tuple[int | str, ...]:
    """Return what is equal for two paths that are, or would be, the same file."""
    directory, names = _nearest(path)
    status = directory.stat()
    return (status.st_dev, status.st_ino, *names)


def _nearest(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Follow all links; return the file, or the directory nearest to it that is there, and the names behind that."""
    there = Path(os.path.realpath(path))  # also where the end of a link is missing
    names: list[str] = []
    while not is_there(there):
        names.insert(0, there.name)
        there = there.parent
    return there, tuple(names)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
