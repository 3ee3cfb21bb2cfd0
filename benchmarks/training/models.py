"""SmolLM2 out of its GGUF file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]  # the environment of the benchmark has it
from rows import Message, Render
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

__all__ = ["END", "load", "renderer", "save_base"]

END = "<|im_end|>"
"""What ends a message, in the chat template of the model."""


def save_base(weights: Path, directory: Path) -> None:
    """Write the model of a GGUF file as `from_pretrained` reads it, in 32 bits; where it was written, nothing is done.

    Its weights are copied into a fresh model, because one that was read from a GGUF file takes itself for quantised.
    """
    if (directory / "config.json").exists():
        return
    read = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=torch.float32)
    read.config.__dict__.pop("quantization_config", None)
    fresh = LlamaForCausalLM(read.config)
    fresh.load_state_dict(read.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    # Written beside and then renamed: whoever finds the directory finds all of it.
    unfinished = directory.with_name(f"{directory.name}.{os.getpid()}")
    fresh.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(directory)


def load(directory: Path, device: str) -> tuple[Any, Any]:
    """Return a model in 16 bits, and its tokenizer."""
    model = LlamaForCausalLM.from_pretrained(directory, dtype=torch.bfloat16).to(device)
    return model, AutoTokenizer.from_pretrained(directory)


def renderer(tokenizer: Any) -> Render:
    """Return the model's own chat template."""

    def render(messages: Sequence[Message], *, is_to_answer: bool) -> str:
        text: str = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=is_to_answer)
        return text

    return render
