"""Train with LLaMA-Factory on an export, by the configuration beside its rows, and look at the labels.

    check_llamafactory.py DIR SOURCE [--template NAME …]

A template is one of LLaMA-Factory's. With the first one the model is trained as well.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from configured import Run, Trainer, run_with_templates

from apep_datagen.formats.llamafactory import LLAMAFACTORY


def _learn(run: Run) -> tuple[Callable[[list[int]], str], list[tuple[Sequence[int], Sequence[int]]]]:
    _do_without_torchaudio()
    # ruff: disable[PLC0415] - they look for torchaudio as soon as they are imported
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # type: ignore[import-not-found]
    from llamafactory.hparams import get_train_args  # type: ignore[import-not-found]
    from llamafactory.model import load_tokenizer  # type: ignore[import-not-found]
    from llamafactory.train.tuner import run_exp  # type: ignore[import-not-found]

    # ruff: enable[PLC0415]
    configuration = {
        **run.configuration,
        "model_name_or_path": str(run.place / "model"),
        "dataset_dir": str(run.directory),
        "bf16": False,
        "log_level": "error",
    }
    model, data, training, _, _ = get_train_args(dict(configuration))
    loaded = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(loaded["tokenizer"], data)
    rows = get_dataset(template, model, data, training, stage="sft", **loaded)["train_dataset"]
    learnt = [(row["input_ids"], row["labels"]) for row in rows]
    if run.is_trained:
        run_exp(configuration)
        told = json.loads(Path(configuration["output_dir"], "train_results.json").read_text(encoding="utf-8"))
        assert math.isfinite(told["train_loss"])
    return loaded["tokenizer"].decode, learnt


def _do_without_torchaudio() -> None:
    """Let an empty module stand for torchaudio: it reads sounds, and there is none for this build of PyTorch."""
    empty = ModuleType("torchaudio")
    empty.__spec__ = ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = empty


_TRAINER = Trainer(
    form=LLAMAFACTORY,
    package="llamafactory",
    configuration="llamafactory.yaml",
    text=("qwen3_nothink", "qwen3", "llama3", "gemma", "mistral", "chatml"),
    # Those of Gemma and Mistral refuse a thought before a call.
    native=("qwen3_nothink", "qwen3", "qwen", "llama3"),
    learn=_learn,
)

if __name__ == "__main__":
    sys.exit(run_with_templates(_TRAINER, __doc__))
