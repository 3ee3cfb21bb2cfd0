"""Writes answers with a model: several at a time, and without reading again what was read before.

Each place keeps the keys and values of what it has read. Before a prompt is read, what it has in common with any place
is copied: the system prompt of all conversations, and all that was said before in its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attention
import torch  # type: ignore[import-not-found]  # the environment of the benchmark has it
from batching import Answer, Prompt, TooLongError, most_in_common
from transformers.cache_utils import Cache

__all__ = ["ModelGenerator"]


class ModelGenerator:
    """A model that writes in several places at a time.

    Args:
        model: A `LlamaForCausalLM`.
        end: The token that ends an answer.
        places: How many answers are written at a time.
        context: How many tokens a prompt and its answer have together, at most.
    """

    def __init__(self, model: Any, end: int, *, places: int, context: int) -> None:
        attention.use(model)
        self.places = places
        self._model = model
        self._end = end
        self._context = context
        self._cache = _PlacesCache(model, places, context)
        self._read: list[list[int]] = [[] for _ in range(places)]  # the tokens whose keys and values each place has
        self._next = [0] * places  # the token that each is to read next
        self._written: list[list[int]] = [[] for _ in range(places)]
        self._prompts: list[Prompt | None] = [None] * places
        self._draws: list[Any] = [None] * places
        self._used = [0] * places
        self._clock = 0

    def best_place(self, free: Sequence[int], prompt: Prompt) -> int:
        """Return the free place that has read most of a prompt; among equals, which was used longest ago."""
        common = {place: most_in_common(prompt.tokens, [self._read[place]])[1] for place in free}
        most = max(common.values())
        _, elsewhere = most_in_common(prompt.tokens, self._read)
        if most < elsewhere or most == min(common.values()):
            return min(free, key=lambda place: self._used[place])
        return min((place for place in free if common[place] == most), key=lambda place: self._used[place])

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def start(self, place: int, prompt: Prompt) -> None:
        """Read a prompt in a free place.

        Raises:
            TooLongError: It leaves no room for an answer.
        """
        if len(prompt.tokens) >= self._context:
            raise TooLongError(f"the prompt has {len(prompt.tokens)} tokens, and the context {self._context}")
        source, common = most_in_common(prompt.tokens, self._read)
        self._cache.copy(source, place, common)
        self._read[place] = list(prompt.tokens[:common])
        self._prompts[place] = prompt
        self._written[place] = []
        device = self._model.device
        self._draws[place] = torch.Generator(device).manual_seed(prompt.seed % 2**63) if prompt.temperature else None
        self._clock += 1
        self._used[place] = self._clock
        rest = prompt.tokens[common:]
        mask = attention.causal(len(rest), common, self._model.lm_head.weight)
        self._cache.at(slice(place, place + 1), [common] * 1, len(prompt.tokens))
        hidden = self._forward([list(rest)], [list(range(common, len(prompt.tokens)))], mask)
        self._read[place] = list(prompt.tokens)
        self._next[place] = self._choose(place, self._model.lm_head(hidden[0, -1]))

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def step(self, places: Sequence[int]) -> dict[int, Answer]:
        """Take what each place has chosen, and where that ended no answer, choose what comes next."""
        finished = {place: answer for place in places if (answer := self._take(place)) is not None}
        going_on = [place for place in places if place not in finished]
        if not going_on:
            return finished
        # All places up to the last are computed: a part of them would have to be copied together first. What is
        # computed for a place that has nothing to do stands behind what it has read, and counts for nothing.
        many = going_on[-1] + 1
        positions = [min(len(self._read[place]), self._context - 1) for place in range(many)]
        length = max(positions[place] for place in going_on) + 1
        device = self._model.device
        is_behind = torch.arange(length, device=device)[None] > torch.tensor(positions, device=device)[:, None]
        mask = torch.zeros(many, length, dtype=self._model.dtype, device=device).masked_fill_(is_behind, float("-inf"))
        self._cache.at(slice(0, many), positions, length)
        hidden = self._forward(
            [[self._next[place]] for place in range(many)], [[position] for position in positions], mask[:, None, None]
        )
        logits = self._model.lm_head(hidden[:, 0])
        for place in going_on:
            self._read[place].append(self._next[place])
            self._next[place] = self._choose(place, logits[place])
        return finished

    def _take(self, place: int) -> Answer | None:
        prompt, written, token = self._prompts[place], self._written[place], self._next[place]
        assert prompt is not None
        if token == self._end:
            return Answer(tuple(written), is_whole=True)
        written.append(token)
        if len(written) >= prompt.most or len(prompt.tokens) + len(written) >= self._context:
            return Answer(tuple(written), is_whole=False)
        return None

    def _forward(self, tokens: list[list[int]], positions: list[list[int]], mask: Any) -> Any:
        device = self._model.device
        return self._model.model(
            input_ids=torch.tensor(tokens, device=device),
            position_ids=torch.tensor(positions, device=device),
            attention_mask=mask,
            cache=self._cache,
            use_cache=True,
        ).last_hidden_state

    def _choose(self, place: int, logits: Any) -> int:
        prompt = self._prompts[place]
        assert prompt is not None
        if not prompt.temperature:
            return int(logits.argmax())
        shares = torch.softmax(logits.float() / prompt.temperature, dim=-1)
        return int(torch.multinomial(shares, 1, generator=self._draws[place]))


class _PlacesCache(Cache):  # type: ignore[misc]  # transformers is not looked at by mypy
    """Keys and values of all places, in room that is taken once: nothing is copied when a token comes."""

    def __init__(self, model: Any, places: int, context: int) -> None:
        super().__init__(layers=[])
        config = model.config
        shape = (config.num_hidden_layers, 2, places, config.num_key_value_heads, context, config.head_dim)
        self._states = torch.zeros(shape, dtype=model.dtype, device=model.device)
        self._places = slice(0, 0)
        self._starts: list[int] = []
        self._rows = self._at = torch.empty(0)
        self._length = 0

    def at(self, places: slice, starts: list[int], length: int) -> None:
        """Say where the next keys and values go: in which places, behind how many, and how many are then looked at."""
        self._places, self._starts, self._length = places, starts, length
        # A token for each place is written for all at once: on a GPU, a copy for each would take most of the time.
        self._rows = torch.arange(len(starts), device=self._states.device)
        self._at = torch.tensor(starts, device=self._states.device)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy what one place has read to another."""
        if source != target:
            self._states[:, :, target, :, :length] = self._states[:, :, source, :, :length]

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Put a layer's keys and values where `at` said, and return all that are looked at."""
        seen = []
        for states, new in zip(self._states[layer], (keys, values), strict=True):
            here = states[self._places]
            if new.shape[2] == 1:
                here[self._rows, :, self._at] = new[:, :, 0]
            else:
                for number, start in enumerate(self._starts):
                    here[number, :, start : start + new.shape[2]] = new[number]
            seen.append(here[:, :, : self._length])
        return seen[0], seen[1]

    def get_seq_length(self, *_: Any) -> int:
        """Return how many tokens there are; positions are given with each call, so nobody needs it."""
        return self._length
