"""Attention that is fast on a CPU, for training as for serving.

Query heads that share keys and values are multiplied with them as one matrix. PyTorch's own attention copies keys and
values for each head first, and its way back on a CPU took three times as long (2 x 475 tokens behind 734, in 16 bits).
"""

from __future__ import annotations

from typing import Any

import torch  # type: ignore[import-not-found]  # the environment of the benchmark has it
from transformers import AttentionInterface

__all__ = ["causal", "use"]

_NAME = "grouped"


def use(model: Any) -> None:
    """Have a model attend so. It has to be given a mask with each call: one that is added, of four dimensions."""
    AttentionInterface.register(_NAME, _attend)
    model.set_attn_implementation(_NAME)


def causal(new: int, before: int, like: Any) -> Any:
    """Return the mask with which each of so many new tokens sees those before, and of the new ones itself and earlier.

    Args:
        new: How many tokens are read.
        before: How many were read before.
        like: A tensor of the model: its kind of numbers, its device.
    """
    mask = torch.zeros(new, before + new, dtype=like.dtype, device=like.device)
    return mask.masked_fill_(torch.ones_like(mask, dtype=torch.bool).triu(before + 1), float("-inf"))[None, None]


def _attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **options: Any) -> tuple[Any, None]:
    del module
    rows, heads, new, size = query.shape
    groups, seen = key.shape[1], key.shape[2]
    if new == 1:
        # PyTorch's own way copies nothing here: the heads that share keys and values stand in for several tokens.
        grouped = query.view(rows, groups, -1, size)
        said = torch.nn.functional.scaled_dot_product_attention(
            grouped, key, value, attn_mask=mask, scale=options["scaling"]
        )
        return said.view(rows, 1, heads, size), None
    scores = (query * options["scaling"]).reshape(rows, groups, -1, size) @ key.transpose(2, 3)
    shares = torch.softmax(scores.view(rows, groups, heads // groups, new, seen) + mask[:, :, None], dim=-1)
    attended = shares.view(rows, groups, -1, seen) @ value
    return attended.view(rows, heads, new, size).transpose(1, 2), None
