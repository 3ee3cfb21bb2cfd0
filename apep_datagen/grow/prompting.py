"""What a provider is told when it is asked for more: `grow.txt`, with examples of the tables and what there is."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from apep_datagen.conversation.prompt_set import PromptSet, load_prompt
from apep_datagen.core.messages import Message
from apep_datagen.grow.grown_file import GROWN, as_toml
from apep_datagen.grow.topics import TOPIC_KEYS
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import Moment, Slot, WorldFile

__all__ = ["GROW_PROMPT", "Prompter", "Sort", "load_grow_prompt"]

Item = TypeVar("Item")

GROW_PROMPT = "grow.txt"
Sort = Literal["facts", "moments", "topics"]
"""What is asked for: `facts`, `moments` or `topics`."""

_EXAMPLES: Mapping[Sort, int] = {"facts": 3, "moments": 2, "topics": 6}
_MOST_THERE = 80
_TRIAL = {"area": "home", "count": 3, "examples": "…", "there": ["one"], "words": "{cities}", "traits": "dog"}
_OWN_AREA = Path(GROWN).stem


def load_grow_prompt(directory: Path | None) -> PromptSet:
    """Read `grow.txt`, from `directory` if it is there.

    Raises:
        SettingsError: It cannot be read, or is no valid template.
    """
    return load_prompt(GROW_PROMPT, directory, tuple({"sort": sort, **_TRIAL} for sort in _EXAMPLES))


class Prompter:
    """Writes what is sent, each time of another region of the world.

    Args:
        prompt: What `load_grow_prompt` returned.
        files: The files of the world, with what they hold; each is a region.
        vocabulary: What can stand in values in braces.
        traits: What users can be.
        draw: Where chance comes from.
    """

    def __init__(
        self,
        prompt: PromptSet,
        files: Iterable[tuple[Path, WorldFile]],
        vocabulary: Vocabulary,
        traits: Iterable[str],
        draw: random.Random,
    ) -> None:
        self._prompt = prompt
        spelled = [f"{{{name}}}" for name in vocabulary.names]
        self._words = ", ".join(text if vocabulary.knows(text) else f"{text[:-1]} 100-900}}" for text in spelled)
        self._traits = ", ".join(sorted(traits))
        self._draw = draw
        self._kinds: dict[str, list[Slot]] = {}
        self._moments: list[Moment] = []
        self._topics: dict[str, list[str]] = {key: [] for key in TOPIC_KEYS}
        for path, file in files:
            if file.facts:
                self._kinds.setdefault(path.stem, []).extend(file.facts)
            self._moments += file.moments
            for key in TOPIC_KEYS:
                self._topics[key] += getattr(file, key)
        self._areas = [area for area in self._kinds if area != _OWN_AREA] or [_OWN_AREA]
        draw.shuffle(self._areas)

    def add(self, kinds: Sequence[Slot], moments: Sequence[Moment], topics: Mapping[str, Sequence[str]]) -> None:
        """Take note of what has come into the world."""
        self._kinds.setdefault(_OWN_AREA, []).extend(kinds)
        self._moments += moments
        for key, texts in topics.items():
            self._topics[key] += texts

    def messages(self, sort: Sort, count: int) -> tuple[Message, ...]:
        """Return what is sent to be told of so many more of a sort.

        Raises:
            UnusablePromptError: The template fails with this.
        """
        area = self._areas[0]
        self._areas.append(self._areas.pop(0))
        if sort == "facts":
            kinds = self._kinds.get(area, [])
            examples = as_toml(kinds=self._some(kinds, _EXAMPLES[sort]))
            # What has grown belongs to no region; the latest of it is what a model would most likely repeat.
            there = self._some([slot.ask for slot in kinds], _MOST_THERE)
            there += [slot.ask for slot in self._kinds.get(_OWN_AREA, [])][-_MOST_THERE:] if area != _OWN_AREA else []
        elif sort == "moments":
            examples = as_toml(moments=self._some(self._moments, _EXAMPLES[sort]))
            there = self._some([moment.ask for moment in self._moments], _MOST_THERE)
        else:
            examples = as_toml(topics={key: self._some(texts, _EXAMPLES[sort]) for key, texts in self._topics.items()})
            there = self._some([text for texts in self._topics.values() for text in texts], _MOST_THERE)
        text = self._prompt.render(
            GROW_PROMPT,
            sort=sort,
            area=area,
            count=count,
            examples=examples.strip(),
            there=there,
            words=self._words,
            traits=self._traits,
        )
        return (Message("user", text),)

    def _some(self, items: Sequence[Item], most: int) -> list[Item]:
        return self._draw.sample(list(items), min(most, len(items)))
