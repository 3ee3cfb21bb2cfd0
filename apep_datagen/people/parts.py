"""The tables in two parts: what generation draws from, and what is held out for evaluation (`held_out.py`).

Tables are divided where they are read, so nothing that draws has to know of it. Only the program's own are: of a file
in a directory of the user's, all is drawn, except where it is a copy in which nothing was changed. What is held out is
the same with any directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from apep_datagen.core.templates import is_own, path_of_prompt
from apep_datagen.people.held_out import Part, Table, is_in, names_of_units
from apep_datagen.people.users import Users
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import World, WorldFile, check_world, load_table, world_files

__all__ = ["load_both_worlds", "load_users", "load_world"]

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
    vocabulary = Vocabulary(directory, part)
    return _world(_checked(directory, vocabulary), part, vocabulary)


def load_both_worlds() -> Mapping[Part, World]:
    """Read the program's own tables once, and return what is in users' lives in either part.

    Raises:
        SettingsError: As above.
    """
    parts: tuple[Part, Part] = ("drawn", "held out")
    files = _checked(None, Vocabulary())
    return {part: _world(files, part, Vocabulary(None, part)) for part in parts}


def _checked(directory: Path | None, vocabulary: Vocabulary) -> list[tuple[Path, WorldFile]]:
    files = world_files(directory)
    check_world(files, vocabulary)
    return files


def _world(files: Iterable[tuple[Path, WorldFile]], part: Part, vocabulary: Vocabulary) -> World:
    files = list(files)
    own = {path for path, _ in files if is_own(path, "world")}
    units = _units(file for path, file in files if path in own)
    divided = [_in_part(file, part, units) if path in own else file for path, file in files]
    there = {slot.slot for file in divided for slot in file.facts}
    return World([_connected(file, there) for file in divided], vocabulary)


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


def _in_part(file: WorldFile, part: Part, units: dict[str, str]) -> WorldFile:
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
