"""Train with ms-swift on an export, by the configuration beside its rows, and look at the labels.

    check_swift.py DIR SOURCE [--template NAME …]

A template is one of ms-swift's. With the first one the model is trained as well.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import math
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import yaml
from lessons import Learnt, check, rows_in, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for

from apep_datagen.formats.swift import SWIFT

_TEXT_TEMPLATES = ["qwen3", "qwen2_5", "llama3", "gemma3_text", "mistral_nemo", "chatml"]
# Those of Gemma 3, Mistral and ChatML have no spelling for calls.
_NATIVE_TEMPLATES = ["qwen3", "qwen2_5", "llama3", "deepseek_v3_1"]


def main() -> int:
    """Check each template; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--template", dest="templates", action="append", metavar="NAME")
    arguments = parser.parse_args()
    directory, source = arguments.directory.resolve(), arguments.source.resolve()
    datasets.disable_progress_bars()
    logging.disable(logging.WARNING)
    is_native = any("tools" in row for row in rows_in(directory))
    templates = arguments.templates or (_NATIVE_TEMPLATES if is_native else _TEXT_TEMPLATES)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MODELSCOPE_CACHE"] = cache
        return max(
            _check(directory, source, template, is_trained=number == 0) for number, template in enumerate(templates)
        )


def _check(directory: Path, source: Path, template: str, *, is_trained: bool) -> int:
    tokenizer = tokenizer_for(texts_in(source), "")
    with tempfile.TemporaryDirectory() as place:
        save_model(Path(place, "model"), tokenizer)
        configuration = yaml.safe_load((directory / "swift.yaml").read_text(encoding="utf-8")) | {
            "model": f"{place}/model",
            "model_type": "qwen3",
            "template": template,
            "dataset": str(directory / "train.jsonl"),
            # In the order of the file, so that each can be held against its row.
            "dataset_shuffle": False,
            "output_dir": f"{place}/trained",
            "max_steps": 2,
            "gradient_accumulation_steps": 1,
            "torch_dtype": "float32",
            "use_cpu": True,
            "disable_tqdm": True,
        }
        try:
            with contextlib.redirect_stdout(io.StringIO()), open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
                rows = _rows(configuration, is_trained=is_trained)
        except Exception as error:  # noqa: BLE001 - whatever a trainer says of the rows is the finding
            print(f"swift, {template}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
        learnts = [Learnt.of_labels(tokenizer.decode, row["input_ids"], row["labels"]) for row in rows]
    return check(
        SWIFT,
        directory,
        source,
        learnts,
        scaffold=SPECIAL_TOKENS,
        ends=ENDS,
        name=f"swift {version('ms-swift')}, {template}",
    )


def _rows(configuration: dict[str, Any], *, is_trained: bool) -> list[dict[str, list[int]]]:
    """Return the rows that are trained on, and train."""
    from swift.pipelines import SwiftSft

    words = [word for name, value in configuration.items() for word in (f"--{name}", str(value))]
    pipeline = SwiftSft(words)
    rows, _ = pipeline._prepare_dataset()
    encoded = [rows[number] for number in range(len(rows))]
    if is_trained:
        pipeline.main()
        [loss] = [entry["train_loss"] for entry in pipeline.trainer.state.log_history if "train_loss" in entry]
        assert math.isfinite(loss)
    return encoded


if __name__ == "__main__":
    sys.exit(main())
