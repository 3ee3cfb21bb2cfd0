"""Train with Unsloth on an export, by the script in its own README, and look at the labels.

    check_unsloth.py DIR SOURCE [--template NAME …]

A template is one of those that `get_chat_template` knows by name. Without a GPU, Unsloth has TRL prepare the rows; with
one, it does so itself, by `sft_prepare_dataset`. So that is looked at as well, but for rows whose masks
`train_on_responses_only` makes, which is the same in both.
"""

from __future__ import annotations

import unsloth  # type: ignore[import-not-found]  # isort: skip  # the environment of the check has it

import argparse
import functools
import math
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import datasets
import trl  # type: ignore[import-not-found]  # as above
from guide import run_guide
from lessons import Learnt, check, rows_in, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for
from unsloth.chat_templates import CHAT_TEMPLATES  # type: ignore[import-not-found]  # as above
from unsloth_zoo.dataset_utils import sft_prepare_dataset  # type: ignore[import-not-found]  # as above

from apep_datagen.formats.unsloth import UNSLOTH

_LONGEST = 8192


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
        for number, template in enumerate(arguments.templates or ["qwen-3", "gemma-3", "llama-3.1"])
    ]
    return max(statuses)


def _check(directory: Path, source: Path, template: str, *, is_trained: bool) -> int:
    name = f"unsloth {unsloth.__version__}, {template}"
    tokenizer = tokenizer_for(texts_in(source), CHAT_TEMPLATES[template][0])
    with tempfile.TemporaryDirectory() as place:
        save_model(Path(place, "model"), tokenizer)
        try:
            trainer = run_guide(directory, "unsloth/Qwen3-0.6B", Path(place, "model"), is_trained=is_trained)
            prepared = {name: trainer.train_dataset}
            if "conversations" not in rows_in(directory)[0]:
                prepared[f"{name}, as with a GPU"] = _prepared_as_with_a_gpu(directory, tokenizer, trainer)
        except Exception as error:  # noqa: BLE001 - what a trainer says of the rows is what is to be found out
            print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
        if is_trained:
            (loss,) = [entry["train_loss"] for entry in trainer.state.log_history if "train_loss" in entry]
            assert math.isfinite(loss)
    statuses = []
    for what, rows in prepared.items():
        learnts = [Learnt.of_labels(tokenizer.decode, row["input_ids"], row["labels"]) for row in rows]
        statuses.append(check(UNSLOTH, directory, source, learnts, scaffold=SPECIAL_TOKENS, ends=ENDS, name=what))
    return max(statuses)


def _prepared_as_with_a_gpu(directory: Path, tokenizer: object, trainer: trl.SFTTrainer) -> datasets.Dataset:
    stand_in = SimpleNamespace(
        model=None, data_collator=None, chat_template=None, completion_only_loss=trainer.completion_only_loss
    )
    arguments = SimpleNamespace(
        max_length=_LONGEST,
        dataset_text_field="text",
        assistant_only_loss=trainer.args.assistant_only_loss,
        completion_only_loss=None,
        dataset_num_proc=1,
        truncation_mode="keep_start",
    )
    rows = datasets.load_dataset("json", data_files=f"{directory}/train.jsonl", split="train")
    return sft_prepare_dataset(
        stand_in, rows, tokenizer, arguments, packing=False, formatting_func=None, dataset_name="train"
    )


if __name__ == "__main__":
    sys.exit(main())
