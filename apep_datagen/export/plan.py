"""What an export was asked for, resolved: which forms in which shapes, and what belongs into a row."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path

from apep_datagen.chat_templates.known import load_template
from apep_datagen.chat_templates.tokens import tokenizer_file
from apep_datagen.conversation.prompt_set import PromptSet, UnusablePromptError, load_prompts
from apep_datagen.conversation.prompting import retold_instructions, tool_instructions
from apep_datagen.export.selection import EVERYTHING, Selection
from apep_datagen.export.splits import WHOLE, Splits
from apep_datagen.formats.format import Instructions
from apep_datagen.formats.instructions import Retelling
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape

__all__ = ["Plan", "Target", "digest_of", "read_retellings"]

# Rounds that the configuration permits (`[generation] max_tool_rounds`), for prompts of which no database knows more.
_ROUNDS = range(21)
_ANYTHING = "\0"


@dataclass(frozen=True, slots=True)
class Target:
    """One form that is written.

    Attributes:
        name: The form's name.
        shape: How its rows are built.
    """

    name: str
    shape: Shape

    @property
    def is_sessions(self) -> bool:
        """Whether a row is all that a user and Ada have said, as it happened."""
        return FORMATS[self.name].container == "sessions"

    @property
    def instructions(self) -> Instructions:
        """Which way of calling tools the system prompt of its rows tells of."""
        return FORMATS[self.name].instructions(self.shape)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process needs to make rows of conversations.

    Attributes:
        targets: The forms that are written.
        retellings: For each way of calling tools, what is to stand in the system prompt instead of what.
        selection: What is exported.
        splits: The parts of the dataset.
        seed: That of the run, which decides who belongs to which part.
        series: How many conversations of a user a row joins, from the least to the most; None where it is one.
        sessions: Whether a row has all of a user's conversations, each with its system prompt.
        max_tokens: Rows of more are left out; None where none are.
        tokenizer: The file that counts tokens; None where nobody counts.
        templates: The chat templates that rows are checked with, as they were named.
    """

    targets: tuple[Target, ...]
    retellings: dict[Instructions, tuple[Retelling, ...]] = field(default_factory=dict)
    selection: Selection = EVERYTHING
    splits: Splits = WHOLE
    seed: int | None = None
    series: tuple[int, int] | None = None
    sessions: bool = False
    max_tokens: int | None = None
    tokenizer: Path | None = None
    templates: tuple[str, ...] = ()


def read_retellings(
    connection: sqlite3.Connection | None, directory: Path | None, ways: Iterable[Instructions]
) -> dict[Instructions, tuple[Retelling, ...]]:
    """Return what is to stand in system prompts instead of what they tell of the tools, for each way of calling them.

    A prompt set of the run, or of `directory`, that knows of other ways tells of them in its own words; in the place of
    one that does not come those of the program.

    Args:
        connection: The state database; None where there is none.
        directory: Where prompts are looked for first.
        ways: Of calling tools.

    Raises:
        SettingsError: The prompts cannot be used.
    """
    named = load_prompts(directory)
    others = set(ways) - {"text"}
    if not others:  # to ask the run takes the longer the more conversations it has
        return {}
    own = load_prompts()
    known = [(prompts, rounds) for prompts in (named, own) for rounds in _ROUNDS]
    if connection is not None:
        known = [*_prompts_of_run(connection), *known]
    return {way: tuple(dict.fromkeys((*_retellings(known, way), *_earlier(own, way)))) for way in others}


def _prompts_of_run(connection: sqlite3.Connection) -> Iterator[tuple[PromptSet, int]]:
    rounds: dict[int, list[int]] = {}
    for number, most in connection.execute(
        "SELECT DISTINCT prompt_set_id, plan ->> 'max_tool_rounds' FROM conversations"
        " WHERE id IN (SELECT conversation_id FROM samples) ORDER BY 1, 2"
    ):
        if isinstance(most, int):  # else an older version began it
            rounds.setdefault(number, []).append(most)
    for number, texts in connection.execute("SELECT id, texts FROM prompt_sets ORDER BY id"):
        for most in rounds.get(number, ()):
            yield PromptSet.from_json(texts), most


def _retellings(known: Sequence[tuple[PromptSet, int]], way: Instructions) -> Iterator[Retelling]:
    for prompts, rounds in known:
        try:
            instead = retold_instructions(prompts, rounds, way)
            section = prompts.render(
                "tool_instructions.txt",
                tools=_ANYTHING,
                signatures=_ANYTHING,
                schemas="",
                calls="text",
                max_tool_rounds=rounds,
            )
        except UnusablePromptError:
            continue  # one of an older version, which took other variables
        # How the tools are described has changed from version to version, so that is not looked at.
        pattern = ".*?".join(map(re.escape, section.split(_ANYTHING)))
        yield Retelling(pattern, instead)


def _earlier(own: PromptSet, way: Instructions) -> Iterator[Retelling]:
    """Yield what the program's own prompts of all earlier versions tell, by how they all begin and end."""
    for rounds in _ROUNDS:
        yield Retelling(
            r"You have a memory of the user and a diary of your own\. "
            rf".*?in at most {rounds} rounds.*?(?=\n\nIt is \w+, \d{{4}}-|\Z)",
            tool_instructions(own, rounds, way),
        )


def digest_of(plan: Plan, target: Target) -> str:
    """Return what is the same for two exports of a form that make the same rows of the same conversations."""
    # What other forms need, and so comes and goes with them, is none of this one's.
    retellings = {way: plan.retellings[way] for way in (target.instructions,) if way in plan.retellings}
    told = asdict(replace(plan, targets=(target,), retellings=retellings, tokenizer=None))
    told["templates"] = [repr(load_template(name)) for name in plan.templates]
    told["version"] = metadata.version("apep-datagen")
    if plan.tokenizer is not None:
        told["tokenizer"] = hashlib.sha256(tokenizer_file(plan.tokenizer).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
