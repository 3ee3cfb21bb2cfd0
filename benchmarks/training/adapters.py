"""LoRA in the space of the weights: the model stays one of plain layers, and is merged at every time.

A layer's weight is W + s·B·A, put into the layer before each step; the gradient of that weight gives those of A and B.
What is trained is what is saved and served, with its rounding to 16 bits. For a small model on a CPU this is much
faster than a second way through each layer, which is spent on casting and adding what is as wide as the layer.

Hu and others, "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
"""

from __future__ import annotations

import math
from typing import Any

import torch  # type: ignore[import-not-found]  # the environment of the benchmark has it

__all__ = ["Adapters"]

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_SCALE = 2.0  # alpha is twice the rank


class Adapters:
    """The LoRA of each linear layer of a model.

    Args:
        model: Its linear layers get one each; all else is frozen.
        rank: Of the LoRA.
    """

    def __init__(self, model: Any, rank: int) -> None:
        model.requires_grad_(requires_grad=False)
        self._layers = [layer for name, layer in model.named_modules() if name.rpartition(".")[2] in _LINEAR]
        self._bases = [layer.weight.detach().clone() for layer in self._layers]
        self._pairs: list[tuple[Any, Any]] = []
        for layer, base in zip(self._layers, self._bases, strict=True):
            layer.weight.requires_grad_(requires_grad=True)
            down = torch.empty(rank, base.shape[1], device=base.device)
            torch.nn.init.kaiming_uniform_(down, a=math.sqrt(5))
            self._pairs.append((down, torch.zeros(base.shape[0], rank, device=base.device)))

    @property
    def parameters(self) -> list[Any]:
        """What is trained, in 32 bits."""
        return [matrix for pair in self._pairs for matrix in pair]

    def put(self) -> None:
        """Put what was learnt into the layers."""
        with torch.no_grad():
            for layer, base, (down, up) in zip(self._layers, self._bases, self._pairs, strict=True):
                layer.weight.copy_(torch.addmm(base.float(), up, down, alpha=_SCALE))

    def take(self) -> None:
        """Take the gradients of the layers' weights to those of what is trained, and clear them."""
        for layer, (down, up) in zip(self._layers, self._pairs, strict=True):
            gradient = layer.weight.grad.float() * _SCALE
            down.grad, up.grad = up.T @ gradient, gradient @ down.T
            layer.weight.grad = None
