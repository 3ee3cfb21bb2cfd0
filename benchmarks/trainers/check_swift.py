"""Train with ms-swift on an export, by the configuration beside its rows, and look at the labels.

    check_swift.py DIR SOURCE [--template NAME …]

A template is one of ms-swift's. With the first one the model is trained as well.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence

from configured import Run, Trainer, run_with_templates

from apep_datagen.formats.swift import SWIFT


def _learn(run: Run) -> tuple[Callable[[list[int]], str], list[tuple[Sequence[int], Sequence[int]]]]:
    os.environ["MODELSCOPE_CACHE"] = str(run.place / "cache")
    from swift.pipelines import SwiftSft  # type: ignore[import-not-found]  # noqa: PLC0415 - it makes its cache then

    configuration = {
        **run.configuration,
        "model": str(run.place / "model"),
        "model_type": "qwen3",
        "dataset": str(run.directory / "train.jsonl"),
        # In the order of the file, so that each can be held against its row.
        "dataset_shuffle": False,
        "torch_dtype": "float32",
    }
    pipeline = SwiftSft([word for name, value in configuration.items() for word in (f"--{name}", str(value))])
    rows, _ = pipeline._prepare_dataset()  # noqa: SLF001 - there is no other way to what it trains on
    learnt = [(row["input_ids"], row["labels"]) for row in map(rows.__getitem__, range(len(rows)))]
    if run.is_trained:
        losses = [entry["train_loss"] for entry in pipeline.main()["log_history"] if "train_loss" in entry]
        assert losses
        assert math.isfinite(losses[-1])
    return pipeline.tokenizer.decode, learnt


_TRAINER = Trainer(
    form=SWIFT,
    package="ms-swift",
    configuration="swift.yaml",
    text=("qwen3", "qwen2_5", "llama3", "gemma3_text", "mistral_nemo", "chatml"),
    # Those of Gemma 3, Mistral and ChatML have no spelling for calls.
    native=("qwen3", "qwen2_5", "llama3", "deepseek_v3_1"),
    learn=_learn,
)

if __name__ == "__main__":
    sys.exit(run_with_templates(_TRAINER, __doc__))
