"""What there is in a life: kinds of facts, moments, small notes and topics, from the tables in `world/`.

All TOML files of `systemprompts/world/` are one world; those of a directory of the user's come beside them, or in the
place of those that have the same name. A `facts.toml` in that directory is in the place of all the program's kinds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_toml, validate
from apep_datagen.core.templates import files_of_prompts
from apep_datagen.people.scenario import Fact, User
from apep_datagen.people.vocabulary import Forms, Vocabulary

__all__ = [
    "SELF",
    "Connection",
    "FromFile",
    "Moment",
    "OneOrMore",
    "Slot",
    "Text",
    "Texts",
    "TwinKind",
    "World",
    "WorldFile",
    "are_alike",
    "as_table",
    "check_world",
    "load_table",
    "world_files",
]


class FromFile(BaseModel):
    """A table of a file; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def as_table(value: Any) -> Any:
    """Return a text in the place of a table as one: its `text`."""
    return {"text": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) else value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
OneOrMore = Annotated[Texts, BeforeValidator(_as_list)]

_VALUE = "{value}"
_WHICH = "{which}"
SELF = "self"
"""`of` where a fact is the user's own."""


class Slot(FromFile):
    """One of `[[facts]]`: a kind of fact about a person's life, with its possible values.

    Attributes:
        slot: Its name.
        of: Whom or what it is about; what has the same is forgotten together.
        tell: How the user says it.
        ask: What is asked about.
        cues: Words of which a note about it practically always holds one.
        values: Its values; a list holds the spellings of one.
        notes: How Ada notes it; without any, no past holds it.
        beside: Notes about what is easily mistaken for it, with another value.
        change: How the user says that it has become another; only what changes in life has it.
        was: How a note says what was so before.
        pace: After how many days it may change, and after how many it does on the whole.
        needs: Traits that the user has to have.
        not_for: Traits that the user must not have.
        forgettable: Whether people forget it, so that they ask for what they told.
        occasions: What the user may want for which it matters.
        avoid: Whether it is then to be kept away from, not used.
        expires: Whether it is over on the day that it names.
    """

    slot: Text
    of: Text = SELF
    tell: Text
    ask: Text
    cues: Texts
    values: Annotated[tuple[OneOrMore, ...], Field(min_length=1)]
    notes: tuple[Text, ...] = ()
    beside: tuple[Text, ...] = ()
    change: Text | None = None
    was: tuple[Text, ...] = ()
    pace: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = (1, 400)
    needs: tuple[Text, ...] = ()
    not_for: tuple[Text, ...] = ()
    forgettable: bool = False
    occasions: tuple[Text, ...] = ()
    avoid: bool = False
    expires: bool = False

    @model_validator(mode="after")
    def _sentences_hold_the_value(self) -> Self:
        sentences = [("tell", self.tell), *([("change", self.change)] if self.change else [])]
        sentences += [(key, text) for key in ("notes", "beside", "was") for text in getattr(self, key)]
        for key, sentence in sentences:
            if _VALUE not in sentence:
                raise ValueError(f"{self.slot}: {key} must contain {_VALUE}")
        if len(self.values) == 1 and not any("{" in form for form in self.values[0]):
            raise ValueError(f"{self.slot}: there must be two values at least")
        return self

    def fact(self, forms: Forms, *, changed: bool = False) -> Fact:
        """Return the fact that this slot has the value that is spelled in `forms`; none: the slot alone."""
        value = forms[0] if forms else ""
        sentence = self.change if changed and self.change else self.tell
        tell = sentence.replace(_VALUE, value) if forms else ""
        return Fact(self.slot, value, forms, self.cues, tell, self.ask)

    def fits(self, user: User) -> bool:
        """Tell whether it goes with a user's life."""
        return _goes_with(user, self.needs, self.not_for)


def _goes_with(user: User, needs: Iterable[str], not_for: Iterable[str]) -> bool:
    traits = set(user.traits)
    return traits.issuperset(needs) and traits.isdisjoint(not_for)


class Connection(FromFile):
    """One of `[[connections]]`: a question that needs two facts."""

    slots: tuple[str, str]
    ask: Text


class TwinKind(FromFile):
    """One of `[[twins]]`: two of a kind, so that who asks for one has to say which; `which` tells them apart."""

    slot: Text
    which: Annotated[tuple[OneOrMore, ...], Field(min_length=1)]
    values: Annotated[tuple[OneOrMore, ...], Field(min_length=1)]
    notes: Texts
    ask: Text
    cues: Texts
    needs: tuple[Text, ...] = ()
    not_for: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _notes_hold_both(self) -> Self:
        for note in self.notes:
            if _VALUE not in note or _WHICH not in note:
                raise ValueError(f"{self.slot}: notes must contain {_VALUE} and {_WHICH}")
        return self

    def fact(self, which: str, forms: Forms) -> Fact:
        """Return that the one which is called `which` has the value that is spelled in `forms`."""
        return Fact(self.slot, forms[0], forms, self.cues, "", self.ask, which=which)

    def fits(self, user: User) -> bool:
        """Tell whether it goes with a user's life."""
        return _goes_with(user, self.needs, self.not_for)


# Kinds that have so many cues in common are about the same: a sister's birthday, and those of two sisters.
_CUES_IN_COMMON = 2


def are_alike(slot: Slot, twins: Iterable[Fact]) -> bool:
    """Tell whether a kind of fact is about the same as two of a kind, so that who asks for it could mean these."""
    return any(len({*slot.cues} & {*fact.cues}) >= _CUES_IN_COMMON for fact in twins)


class Moment(FromFile):
    """One of `[[moments]]`: something worth a page of the diary; `pages` are Ada's pages about it."""

    slot: Text
    tell: Text
    ask: Text
    forms: Texts
    pages: tuple[Text, ...] = ()

    def fact(self) -> Fact:
        """Return the moment as a fact that is kept in the diary."""
        return Fact(self.slot, self.forms[0], self.forms, (), self.tell, self.ask, "diary")


class WorldFile(FromFile):
    """What a file of `world/` can hold; `persons` are those of whom a user may want all to be forgotten (`of`)."""

    persons: tuple[Text, ...] = ()
    facts: tuple[Slot, ...] = ()
    connections: tuple[Connection, ...] = ()
    twins: tuple[TwinKind, ...] = ()
    moments: tuple[Moment, ...] = ()
    trifles: tuple[Text, ...] = ()
    topics: tuple[Text, ...] = ()
    smalltalk_topics: tuple[Text, ...] = ()
    advice_topics: tuple[Text, ...] = ()


class World:
    """Everything of some files.

    Args:
        files: What they hold.
        vocabulary: What their values are drawn from.
    """

    def __init__(self, files: Iterable[WorldFile], vocabulary: Vocabulary) -> None:
        files = list(files)
        self.vocabulary = vocabulary
        self.slots = {slot.slot: slot for file in files for slot in file.facts}
        self.twins = {twin.slot: twin for file in files for twin in file.twins}
        self.moments = {moment.slot: moment for file in files for moment in file.moments}
        self.connections = tuple(one for file in files for one in file.connections)
        self.persons = frozenset(name for file in files for name in file.persons)
        self.trifles = tuple(text for file in files for text in file.trifles)
        self.topics = tuple(text for file in files for text in file.topics)
        self.smalltalk_topics = tuple(text for file in files for text in file.smalltalk_topics)
        self.advice_topics = tuple(text for file in files for text in file.advice_topics)


def check_world(files: Iterable[tuple[Path, WorldFile]], vocabulary: Vocabulary) -> None:
    """Find out whether files fit together.

    Args:
        files: All files of a world, with what they hold.
        vocabulary: What their values are drawn from.

    Raises:
        SettingsError: They do not.
    """
    files = list(files)
    _check_names(files)
    slots = {slot.slot for _, file in files for slot in file.facts}
    for path, file in files:
        _check_connections(path, file, slots)
        _check_words(path, file, vocabulary)
    if not slots:
        raise SettingsError(f"{files[-1][0] if files else 'world'}: there are no [[facts]]")
    for key in ("topics", "smalltalk_topics", "advice_topics"):
        if not any(getattr(file, key) for _, file in files):
            raise SettingsError(f"{files[-1][0]}: no file of world/ has {key}")


def _check_names(files: list[tuple[Path, WorldFile]]) -> None:
    seen: Counter[str] = Counter()
    for path, file in files:
        names = [*(slot.slot for slot in file.facts), *(twin.slot for twin in file.twins)]
        for name in (*names, *(moment.slot for moment in file.moments)):
            seen[name] += 1
            if seen[name] > 1:
                raise SettingsError(f"{path}: slot {name} is there twice")


def _check_connections(path: Path, file: WorldFile, slots: set[str]) -> None:
    for connection in file.connections:
        if unknown := sorted(set(connection.slots) - slots):
            raise SettingsError(f"{path}: a connection names the slot {unknown[0]}, which no [[facts]] has")
        if connection.slots[0] == connection.slots[1]:
            raise SettingsError(f"{path}: a connection names the slot {connection.slots[0]} twice")


def _check_words(path: Path, file: WorldFile, vocabulary: Vocabulary) -> None:
    texts = [(slot.slot, form) for slot in file.facts for forms in slot.values for form in forms]
    texts += [(twin.slot, form) for twin in file.twins for forms in (*twin.values, *twin.which) for form in forms]
    texts += [("trifles", text) for text in file.trifles]
    for name, text in texts:
        if "{" in text and not vocabulary.knows(text):
            raise SettingsError(
                f"{path}: {name}: {text!r} has something in braces that there is not; there are"
                f" {', '.join(vocabulary.names)}"
            )


Read = TypeVar("Read", bound=FromFile)


def load_table(path: Path, kind: type[Read]) -> Read:
    """Read a TOML file as a model of this kind.

    Raises:
        SettingsError: It cannot be read, or something in it is wrong.
    """
    return validate(kind, read_toml(path), str(path))


def world_files(directory: Path | None = None) -> list[tuple[Path, WorldFile]]:
    """Read all tables of the world, and return the files with what each holds.

    Args:
        directory: A directory of the user's, as above; None for the program's own files alone.

    Raises:
        SettingsError: A file cannot be read, or something in it is wrong.
    """
    files = [(path, load_table(path, WorldFile)) for path in files_of_prompts("world", ".toml", directory)]
    if directory is not None and os.path.lexists(directory / "facts.toml"):
        old = directory / "facts.toml"
        kinds = {"facts": (), "connections": (), "twins": (), "moments": ()}
        files = [
            (path, file if path.is_relative_to(directory) else file.model_copy(update=kinds)) for path, file in files
        ]
        files.append((old, load_table(old, WorldFile)))
    return files
