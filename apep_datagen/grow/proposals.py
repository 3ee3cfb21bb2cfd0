"""What a model's answer proposes: each table and each topic by itself, so that one which is torn costs no other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import parse_toml, validate
from apep_datagen.core.messages import clean_text
from apep_datagen.grow.topics import TOPIC_KEYS
from apep_datagen.people.world import FromFile, Moment, Slot

__all__ = ["Refused", "Topic", "read_proposals"]

Table = TypeVar("Table", bound=FromFile)

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*\[\[?[ \t]*[\w.]+[ \t]*\]\]?[ \t]*(?:#.*)?$|^\[\[?\w*\]?\Z", re.MULTILINE)
_TOPICS = re.compile(
    rf"^[ \t]*({'|'.join(TOPIC_KEYS)})[ \t]*=[ \t]*\[(.*?)(?:^[ \t]*\]|\][ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_NAME = re.compile(r"^[ \t]*slot[ \t]*=[ \t]*[\"'](\w{1,60})[\"']", re.MULTILINE)
_KINDS: dict[str, type[Slot | Moment]] = {"facts": Slot, "moments": Moment}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is proposed.

    Attributes:
        key: The list that it is for, one of `TOPIC_KEYS`.
        text: The topic.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A proposal that may not come into the world.

    Attributes:
        name: What it is called, as far as that is known.
        reason: Why, in a sentence.
    """

    name: str
    reason: str


def read_proposals(answer: str) -> Iterator[Slot | Moment | Topic | Refused]:
    """Yield what an answer proposes, in order; nothing where it proposes nothing.

    Args:
        answer: What a model wrote: TOML, also in fences and with words around them.
    """
    text = _THINKING.sub("", clean_text(answer))
    fenced = [match[1] for match in _FENCED.finditer(text)]
    text = "\n".join(fenced) if fenced else text
    headings = list(_HEADING.finditer(text))
    for key, body in _TOPICS.findall(text):
        yield from (Topic(key, topic) for topic in _strings(body))
    for number, heading in enumerate(headings, start=1):
        end = headings[number].start() if number < len(headings) else len(text)
        yield _read_table(text[heading.start() : end], number)


def _strings(body: str) -> Iterator[str]:
    for match in _STRING.finditer(body):
        try:
            yield str(tomllib.loads(f"text = {match[0]}")["text"])
        except tomllib.TOMLDecodeError:
            continue  # an escape that there is not; the topic beside it may be good


def _read_table(text: str, number: int) -> Slot | Moment | Refused:
    named = _NAME.search(text)
    name = named[1] if named else f"table {number}"
    try:
        # A list of topics behind the table belongs to no table.
        values = parse_toml(_TOPICS.sub("", text), name)
        tables = [(key, table) for key, found in values.items() if isinstance(found, list) for table in found]
        if len(values) != 1 or len(tables) != 1 or tables[0][0] not in _KINDS:
            return Refused(name, "it is neither [[facts]] nor [[moments]]")
        [(key, table)] = tables
        return validate(_KINDS[key], table, name)
    except SettingsError as error:
        return Refused(name, str(error).splitlines()[0].removeprefix(f"{name}: "))
