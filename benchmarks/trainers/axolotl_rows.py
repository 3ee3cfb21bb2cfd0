"""What Axolotl makes of rows: its own `axolotl preprocess`, up to the labels."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import yaml
from lessons import Learnt, check, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for

from apep_datagen.core.calls import MalformedCall, parse_calls, render_call
from apep_datagen.formats.format import Format

__all__ = ["check_with"]

os.environ.update(HF_HUB_OFFLINE="1", AXOLOTL_DO_NOT_TRACK="1", DO_NOT_TRACK="1", AXOLOTL_IS_PREPROCESS="1")
# A call as JSON, as Hermes and the templates of Qwen spell it.
_CALL_AS_JSON = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)


def check_with(
    form: Format, configuration: Mapping[str, Any], directory: Path, source: Path, chat_template: str | None
) -> int:
    """Have Axolotl read an export by a configuration, and check what it would train on; return the exit status.

    Args:
        form: The form of the rows.
        configuration: That of the export, as it stands there.
        directory: Where the rows are.
        source: The output that was exported.
        chat_template: One of Axolotl's own, by name, instead of that of the configuration.
    """
    # Axolotl reads the environment, which is set above, when it is imported; that of the check has it.
    from axolotl.utils.chat_templates import get_chat_template  # type: ignore[import-not-found]  # noqa: PLC0415

    name = chat_template or configuration["chat_template"]
    template = get_chat_template(name)
    with tempfile.TemporaryDirectory() as place:
        tokenizer = tokenizer_for(texts_in(source), template)
        save_model(Path(place, "model"), tokenizer)
        settings = {
            **configuration,
            "base_model": f"{place}/model",
            "chat_template": name,
            "eot_tokens": configuration["eot_tokens"] if chat_template is None else [tokenizer.eos_token],
            "datasets": [{**each, "path": str(directory / each["path"])} for each in configuration["datasets"]],
            "dataset_prepared_path": f"{place}/prepared",
            "output_dir": f"{place}/trained",
            # What the machine has no part in, and the order of the rows.
            "bf16": False,
            "shuffle_merged_datasets": False,
            "dataset_num_proc": 1,
        }
        settings.pop("test_datasets", None)
        try:
            learnts = list(_learnts(settings, Path(place, "axolotl.yaml"), tokenizer))
        except Exception as error:  # noqa: BLE001 - whatever a trainer says of the rows is the finding
            print(f"axolotl, {name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
    title = f"axolotl {version('axolotl')}, {form.name}, {name}"
    return check(form, directory, source, learnts, scaffold=SPECIAL_TOKENS, ends=ENDS, name=title)


def _learnts(settings: Mapping[str, Any], file: Path, tokenizer: Any) -> Iterator[Learnt]:
    # As above.
    from axolotl.cli.config import load_cfg  # type: ignore[import-not-found]  # noqa: PLC0415
    from axolotl.common.datasets import load_datasets  # type: ignore[import-not-found]  # noqa: PLC0415

    file.write_text(yaml.safe_dump(dict(settings)), encoding="utf-8")
    logging.disable(logging.CRITICAL)
    datasets.disable_progress_bars()
    rows = load_datasets(cfg=load_cfg(str(file))).train_dataset
    for row in rows:
        learnt = Learnt.of_labels(tokenizer.decode, row["input_ids"], row["labels"])
        yield Learnt(_as_ada_calls(learnt.text), [_as_ada_calls(stretch) for stretch in learnt.stretches])


def _as_ada_calls(text: str) -> str:
    """Return a text with calls in the output's spelling, by which they can be compared word for word."""
    return _CALL_AS_JSON.sub(_respelled, text)


def _respelled(found: re.Match[str]) -> str:
    (call,) = parse_calls(found[1])
    return found[0] if isinstance(call, MalformedCall) else f"<tool_call>{render_call(call)}</tool_call>"
