"""Runs a trainer that is told what to do by a file: that beside the rows of an export, with each of some templates."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import yaml
from lessons import Learnt, check, rows_in, texts_in
from tiny import ENDS, SPECIAL_TOKENS, save_model, tokenizer_for

from apep_datagen.formats.format import Format

__all__ = ["Run", "Trainer", "run_with_templates"]

Ids = Sequence[int]


@dataclass(frozen=True, slots=True)
class Run:
    """What a trainer is asked to do.

    Attributes:
        directory: The export.
        place: Where it may write; a model lies in `model` there.
        template: The one of its templates that it is to take.
        configuration: What the file says, with another model, and for a few steps on the CPU.
        is_trained: Whether it is to train as well.
    """

    directory: Path
    place: Path
    template: str
    configuration: Mapping[str, Any]
    is_trained: bool


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer.

    Attributes:
        form: The form of its rows.
        package: By which it is installed.
        configuration: The file's name.
        text: The templates to check where calls are text.
        native: And where they are fields.
        learn: Returns what decodes tokens, and of each row, in their order, the tokens and the labels.
    """

    form: Format
    package: str
    configuration: str
    text: Sequence[str]
    native: Sequence[str]
    learn: Callable[[Run], tuple[Callable[[list[int]], str], list[tuple[Ids, Ids]]]]


def run_with_templates(trainer: Trainer, description: str | None) -> int:
    """Check an export, as the command line says, with each template; return the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--template", dest="templates", action="append", metavar="NAME")
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    logging.disable(logging.WARNING)
    directory, source = arguments.directory.resolve(), arguments.source.resolve()
    is_native = any("tools" in row for row in rows_in(directory))
    templates = arguments.templates or (trainer.native if is_native else trainer.text)
    return max(
        _check(trainer, directory, source, template, is_trained=number == 0)
        for number, template in enumerate(templates)
    )


def _check(trainer: Trainer, directory: Path, source: Path, template: str, *, is_trained: bool) -> int:
    name = f"{trainer.form.name} {version(trainer.package)}, {template}"
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        configuration = yaml.safe_load((directory / trainer.configuration).read_text(encoding="utf-8")) | {
            "template": template,
            "output_dir": str(place / "trained"),
            "max_steps": 2,
            "gradient_accumulation_steps": 1,
            "use_cpu": True,
            "disable_tqdm": True,
        }
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                save_model(place / "model", tokenizer_for(texts_in(source), ""))
                decode, rows = trainer.learn(Run(directory, place, template, configuration, is_trained))
        except Exception as error:  # noqa: BLE001 - whatever a trainer says of the rows is the finding
            print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return 1
    learnts = [Learnt.of_labels(decode, ids, labels) for ids, labels in rows]
    return check(trainer.form, directory, source, learnts, scaffold=SPECIAL_TOKENS, ends=ENDS, name=name)
