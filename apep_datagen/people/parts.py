"""The tables in two parts: what generation draws from, and what is held out for evaluation (`held_out.py`).

Tables are divided where they are read, so nothing that draws has to know of it. Only the program's own are: of a file
in a directory of the user's, all is drawn, except where it is a copy in which nothing was changed. What is held out is
the same with any directory.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from apep_datagen.core.templates import is_own, path_of_prompt
from apep_datagen.people.held_out import Part, Table, is_in, names_of_units
from apep_datagen.people.users import Users
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import World, WorldFile, check_world, load_table, world_files

__all__ = ["load_files", "load_users", "load_world"]

Entry = TypeVar("Entry")


def load_world(directory: Path | None = None, part: Part = "drawn") -> World:
    """Read what is in users' lives.

    Args:
        directory: A directory of the user's, with tables of the world; what is held out has nothing of it.
        part: Which part of the tables.

    Raises:
        SettingsError: A file cannot be read, or something in it is wrong.
    """
    if part == "held out":
        directory = None
    files = load_files(directory)
    return World((file for _, file in files[part]), Vocabulary(directory, part))


def load_files(directory: Path | None = None) -> Mapping[Part, list[tuple[Path, WorldFile]]]:
    """Read the files of the world, and return what each holds of either part; arguments and errors as above."""
    files = world_files(directory)
    check_world(files, Vocabulary(directory))
    own = {path for path, _ in files if is_own(path, "world")}
    units = _units(file for path, file in files if path in own)
    parts: tuple[Part, Part] = ("drawn", "held out")
    return {part: _divided(files, part, own, units) for part in parts}


def _divided(
    files: Iterable[tuple[Path, WorldFile]], part: Part, own: Container[Path], units: Mapping[str, str]
) -> list[tuple[Path, WorldFile]]:
    divided = [(path, _in_part(file, part, units)) if path in own else (path, file) for path, file in files]
    if part == "held out":
        divided = [(path, file) for path, file in divided if path in own]
    there = {slot.slot for _, file in divided for slot in file.facts}
    return [(path, _connected(file, there)) for path, file in divided]


def load_users(directory: Path | None = None, part: Part = "drawn") -> Users:
    """Read who users can be; arguments and errors as above."""
    path = path_of_prompt("users.toml", None if part == "held out" else directory)
    users = load_table(path, Users)
    if not is_own(path):
        return users
    return users.model_copy(
        update={
            "places": _of_part(users.places, part, "words"),
            "jobs": tuple(job for job in users.jobs if is_in(part, "jobs", job.text)),
            "interests": _of_part(users.interests, part, "interests"),
        }
    )


def _units(files: Iterable[WorldFile]) -> dict[str, str]:
    files = list(files)
    slots = [slot.slot for file in files for slot in file.facts]
    return names_of_units(
        slots, (one.slots for file in files for one in file.connections if {*one.slots}.issubset(slots))
    )


def _in_part(file: WorldFile, part: Part, units: Mapping[str, str]) -> WorldFile:
    return file.model_copy(
        update={
            "facts": tuple(slot for slot in file.facts if is_in(part, "kinds", units[slot.slot])),
            "twins": tuple(twins for twins in file.twins if is_in(part, "twins", twins.slot)),
            "moments": tuple(moment for moment in file.moments if is_in(part, "moments", moment.slot)),
            "trifles": _of_part(file.trifles, part, "trifles"),
            "topics": _of_part(file.topics, part, "topics"),
            "smalltalk_topics": _of_part(file.smalltalk_topics, part, "topics"),
            "advice_topics": _of_part(file.advice_topics, part, "topics"),
        }
    )


def _of_part(texts: Iterable[str], part: Part, table: Table) -> tuple[str, ...]:
    return tuple(text for text in texts if is_in(part, table, text))


def _connected(file: WorldFile, there: set[str]) -> WorldFile:
    """Return a file with those of its connections whose kinds are there."""
    kept = tuple(one for one in file.connections if there.issuperset(one.slots))
    return file.model_copy(update={"connections": kept})
