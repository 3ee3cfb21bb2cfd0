"""How the written tester speaks: the table `systemprompts/evaluation/phrasings.toml`, which says what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from apep_datagen.core.templates import path_of_prompt
from apep_datagen.people.world import FromFile, Text, Texts, load_table

__all__ = ["PLACEHOLDER", "Phrasings", "load_phrasings"]

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
"""What stands in a sentence for what the conversation is about."""

_FILE: Final = "evaluation/phrasings.toml"


class _Section(FromFile):
    """A table of lists of sentences, each of which holds what its list asks for, and nothing else, in braces."""

    placeholders: ClassVar[Mapping[str, frozenset[str]]] = {}

    @model_validator(mode="after")
    def _sentences_hold_what_they_are_about(self) -> Self:
        for name in type(self).model_fields:
            wanted = self.placeholders.get(name, frozenset())
            for sentence in getattr(self, name):
                found = PLACEHOLDER.findall(sentence)
                if frozenset(found) != wanted or len(found) != len(wanted) or "{" in PLACEHOLDER.sub("", sentence):
                    needed = " and ".join(f"{{{each}}}" for each in sorted(wanted)) or "nothing in braces"
                    raise ValueError(f"{name}: {sentence!r} must hold {needed}, once and nothing else")
        return self


def _each(*names: str, **others: str) -> Mapping[str, frozenset[str]]:
    """Return what each list holds: its own name, or what is said of it, divided by spaces."""
    return {name: frozenset((name,)) for name in names} | {
        name: frozenset(held.split()) for name, held in others.items()
    }


class _Telling(_Section):
    placeholders = _each(
        told="tell",
        maybe_told="tell",
        two_at_once="tell second",
        changed="tell",
        mistake="tell",
        moment="tell",
        moment_and_fact="tell second",
    )

    told: Texts
    maybe_told: Texts
    two_at_once: Texts
    changed: Texts
    mistake: Texts
    moment: Texts
    moment_and_fact: Texts


class _Asking(_Section):
    placeholders = _each(
        "page",
        fact="ask",
        said_above="ask",
        note_and_page="ask page",
        connect="question",
        retold="page",
    )

    fact: Texts
    said_above: Texts
    note_and_page: Texts
    connect: Texts
    page: Texts
    retold: Texts


class _Forgetting(_Section):
    placeholders = _each("person", fact="ask")

    fact: Texts
    person: Texts


class _Wishing(_Section):
    placeholders = _each(question="wish", thing="wish", deed="wish", event="wish")

    question: Texts
    thing: Texts
    deed: Texts
    event: Texts


class _Choosing(_Section):
    placeholders = _each("which")

    which: Texts


class _Chatting(_Section):
    placeholders = _each("mood", "topic", advice="topic")

    passing: Texts
    comment: Texts
    hello: Texts
    mood: Texts
    topic: Texts
    musing: Texts
    advice: Texts
    terms: Texts


class _Around(_Section):
    greetings: Texts
    bridges: Texts
    asides: Texts
    scenes: Texts
    after_telling: Texts
    after_moment: Texts
    after_asking: Texts
    after_page: Texts
    after_wishing: Texts
    after_forgetting: Texts


class _Following(_Section):
    told: Texts
    moved: Texts
    asked: Texts
    helped: Texts
    chat: Texts
    after_all: Texts
    going_on: Texts
    goodbye: Texts


class Phrasings(FromFile):
    """`phrasings.toml`: sentences by what they do, and what persons are called (`persons`, by one of their cues)."""

    telling: _Telling
    asking: _Asking
    forgetting: _Forgetting
    wishing: _Wishing
    choosing: _Choosing
    chatting: _Chatting
    around: _Around
    following: _Following
    persons: Mapping[Annotated[str, Field(min_length=1)], Text] = Field(default={})


def load_phrasings(directory: Path | None = None) -> Phrasings:
    """Read the sentences of the written tester.

    Args:
        directory: A directory of the user's, whose file is used if it has one; None for the program's own.

    Raises:
        SettingsError: The file cannot be read, or something in it is wrong.
    """
    return load_table(path_of_prompt(_FILE, directory), Phrasings)
