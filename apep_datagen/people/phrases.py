"""The phrases by which text is recognised, as `phrases.toml` lists them; another language brings its own file.

A phrase is found where its words stand one behind the other, whatever their case, accents and apostrophes.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

from apep_datagen.core.files import parse_toml, validate
from apep_datagen.core.tools import tool_names
from apep_datagen.core.words import words

__all__ = ["Phrases", "load_phrases"]


def _with_words(phrase: str) -> str:
    if not words(phrase):
        raise ValueError("a phrase has at least one word")
    return phrase


_PhraseList = tuple[Annotated[str, AfterValidator(_with_words)], ...]


class Phrases(BaseModel):
    """What `phrases.toml` holds. An empty list recognises nothing, and no list rejects by itself.

    Attributes:
        refusals: Ada declines something.
        machine_talk: Somebody speaks of Ada as a language model.
        sincere_questions: The user wants to know what Ada is, and may be told.
        role_labels: Names that stand before a line in a script, without the colon.
        ada_voice: Only Ada would say it.
        prompt_talk: Words of the instructions, which nobody in the conversation knows.
        admissions: Ada says that she does not know, in words that deny nothing.
        intents: For each tool, what a thought may say that leads to its call; a tool that is not there is not judged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    refusals: _PhraseList
    machine_talk: _PhraseList
    sincere_questions: _PhraseList
    role_labels: _PhraseList
    ada_voice: _PhraseList
    prompt_talk: _PhraseList
    admissions: _PhraseList
    intents: dict[str, _PhraseList]

    @field_validator("intents")
    @classmethod
    def _of_tools(cls, intents: dict[str, _PhraseList]) -> dict[str, _PhraseList]:
        for name in intents:
            if name not in tool_names():
                raise ValueError(f"there is no tool {name}; the tools are {', '.join(tool_names())}")
        return intents


def load_phrases(text: str, source: str) -> Phrases:
    """Read the text of a `phrases.toml`.

    Args:
        text: What the file holds.
        source: The file's path, for messages.

    Raises:
        SettingsError: It is no TOML, a key is unknown or missing, or a list holds something else than phrases.
    """
    return validate(Phrases, parse_toml(text, source), source)
