"""Train with TRL on an export, by the script in its own README, and look at the labels.

    check_trl.py DIR SOURCE [--template NAME …]

A template is one that TRL ships, by the name of its file, or a path. With the first one the model is trained as well.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import tempfile
from pathlib import Path

import datasets
import trl  # type: ignore[import-not-found]  # the environment of the check has it
from guide import run_guide
from lessons import Learnt, check, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for

from apep_datagen.formats.trl import TRL

# Around Ada's words, what templates have a model say: the channels of gpt-oss.
_SCAFFOLD = (*SPECIAL_TOKENS, "analysis", "final", "assistant")


def main() -> int:
    """Check each template; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--template", dest="templates", action="append", metavar="NAME")
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    trl.SFTConfig = functools.partial(trl.SFTConfig, use_cpu=True, bf16=False, disable_tqdm=True, max_steps=2)
    directory, source = arguments.directory.resolve(), arguments.source.resolve()
    statuses = [
        _check(directory, source, template, is_trained=number == 0)
        for number, template in enumerate(arguments.templates or ["qwen3"])
    ]
    return max(statuses)


def _check(directory: Path, source: Path, template: str, *, is_trained: bool) -> int:
    name = f"trl {trl.__version__}, {template}"
    path = Path(template) if Path(template).exists() else Path(trl.__file__).parent / f"chat_templates/{template}.jinja"
    tokenizer = tokenizer_for(texts_in(source), path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as place:
        save_model(Path(place, "model"), tokenizer)
        try:
            trainer = run_guide(directory, "Qwen/Qwen3-0.6B", Path(place, "model"), is_trained=is_trained)
        except Exception as error:  # noqa: BLE001 - what a trainer says of the rows is what is to be found out
            print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
        learnts = [Learnt.of_labels(tokenizer.decode, row["input_ids"], row["labels"]) for row in trainer.train_dataset]
        if is_trained:
            (loss,) = [entry["train_loss"] for entry in trainer.state.log_history if "train_loss" in entry]
            assert math.isfinite(loss)
    return check(TRL, directory, source, learnts, scaffold=_SCAFFOLD, ends=ENDS, name=name)


if __name__ == "__main__":
    sys.exit(main())
