"""Train with LLaMA-Factory on an export, by the configuration beside its rows, and look at the labels.

    check_llamafactory.py DIR SOURCE [--template NAME …]

A template is one of LLaMA-Factory's. With the first one the model is trained as well.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.machinery
import io
import json
import logging
import math
import os
import sys
import tempfile
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import yaml
from lessons import Learnt, check, rows_in, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for

from apep_datagen.formats.llamafactory import LLAMAFACTORY

_TEXT_TEMPLATES = ["qwen3_nothink", "qwen3", "llama3", "gemma", "mistral", "chatml"]
# Those of Gemma and Mistral refuse a thought before a call.
_NATIVE_TEMPLATES = ["qwen3_nothink", "qwen3", "qwen", "llama3"]


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
    _do_without_torchaudio()
    is_native = any("tools" in row for row in rows_in(directory))
    templates = arguments.templates or (_NATIVE_TEMPLATES if is_native else _TEXT_TEMPLATES)
    return max(
        _check(directory, source, template, is_trained=number == 0) for number, template in enumerate(templates)
    )


def _do_without_torchaudio() -> None:
    """Let an empty module stand for torchaudio: it reads sounds, and there is none for a CPU build of PyTorch."""
    empty = types.ModuleType("torchaudio")
    empty.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = empty


def _check(directory: Path, source: Path, template: str, *, is_trained: bool) -> int:
    tokenizer = tokenizer_for(texts_in(source), "")
    with tempfile.TemporaryDirectory() as place:
        save_model(Path(place, "model"), tokenizer)
        configuration = yaml.safe_load((directory / "llamafactory.yaml").read_text(encoding="utf-8")) | {
            "model_name_or_path": f"{place}/model",
            "template": template,
            "dataset_dir": str(directory),
            "output_dir": f"{place}/trained",
            "max_steps": 2,
            "gradient_accumulation_steps": 1,
            "bf16": False,
            "use_cpu": True,
            "log_level": "error",
            "disable_tqdm": True,
        }
        try:
            with contextlib.redirect_stdout(io.StringIO()), open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
                decode, rows = _rows(configuration)
                if is_trained:
                    _train(configuration)
        except Exception as error:  # noqa: BLE001 - whatever a trainer says of the rows is the finding
            print(f"llamafactory, {template}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
        learnts = [Learnt.of_labels(decode, row["input_ids"], row["labels"]) for row in rows]
    return check(
        LLAMAFACTORY,
        directory,
        source,
        learnts,
        scaffold=SPECIAL_TOKENS,
        ends=ENDS,
        name=f"llamafactory {version('llamafactory')}, {template}",
    )


def _rows(configuration: dict[str, Any]) -> tuple[Any, list[dict[str, list[int]]]]:
    """Return what decodes tokens, and the rows that are trained on."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, _, _ = get_train_args(configuration)
    loaded = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(loaded["tokenizer"], data)
    rows = get_dataset(template, model, data, training, stage="sft", **loaded)["train_dataset"]
    return loaded["tokenizer"].decode, list(rows)


def _train(configuration: dict[str, Any]) -> None:
    from llamafactory.train.tuner import run_exp

    run_exp(configuration)
    told = json.loads(Path(configuration["output_dir"], "train_results.json").read_text(encoding="utf-8"))
    assert math.isfinite(told["train_loss"])


if __name__ == "__main__":
    sys.exit(main())
