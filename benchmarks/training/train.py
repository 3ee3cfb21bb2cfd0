"""Train a LoRA on the rows of an export, with loss on Ada's words alone.

    train.py ROWS BASE OUT [--epochs N] [--seed N] [--rank N] [--learning-rate X] [--minutes N] [--rows-a-step N]
             [--tokens-a-batch N] [--device cuda]

ROWS is a file that `apep-datagen export --format trl --rows conversation` wrote, BASE a model's directory. OUT gets
`model/`, `training.json` (what it took, and the loss of each step) and `checkpoint.pt`: where training was stopped,
the same command goes on.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import math
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attention
import torch  # type: ignore[import-not-found]  # the environment of the benchmark has it
from adapters import Adapters
from models import END, load, renderer
from rows import Row, common_prefix, learnt_texts, micro_batches, row_of, steps, stretches
from transformers import DynamicCache

_WARM_UP = 0.06
_STEPS_A_LINE = 10
_SECONDS_BETWEEN_CHECKPOINTS = 60.0
_BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


def main() -> int:
    """Train; return the exit status."""
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    model, tokenizer = load(arguments.base, arguments.device)
    texts = arguments.rows.read_text(encoding="utf-8")
    rows = [_row(tokenizer, json.loads(line)["messages"]) for line in texts.split("\n") if line]
    left_out = [row for row in rows if len(row.tokens) > arguments.max_tokens]
    rows = [row for row in rows if len(row.tokens) <= arguments.max_tokens]
    options = ("epochs", "seed", "rank", "learning_rate", "max_tokens", "rows_a_step")
    made_with = {name: getattr(arguments, name) for name in options}
    identity = hashlib.sha256(f"{made_with}{texts}".encode()).hexdigest()
    training = _Training(model, tokenizer, rows, arguments, identity)
    print(
        f"{len(rows)} conversations ({len(left_out)} are longer than {arguments.max_tokens} tokens and left out),"
        f" {sum(len(row.tokens) for row in rows)} tokens, {sum(sum(row.is_learnt) for row in rows)} of them learnt;"
        f" {len(training.planned)} steps",
        flush=True,
    )
    training.run()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, metavar="ROWS")
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so many; the same command goes on")
    parser.add_argument("--max-tokens", type=int, default=2048, help="longer conversations are left out, never cut")
    parser.add_argument("--rows-a-step", type=int, default=4)
    parser.add_argument("--tokens-a-batch", type=int, default=2048, help="some 0.7 MB of memory each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU (default: what PyTorch takes)")
    return parser.parse_args()


def _row(tokenizer: Any, messages: list[dict[str, str]]) -> Row:
    """Return a conversation's tokens, after a look at what its labels decode to: Ada's words, and nothing else."""
    parts = stretches(messages, renderer(tokenizer), END)
    row = row_of(parts, lambda text: tokenizer(text, add_special_tokens=False).input_ids)
    learnt = learnt_texts(row, functools.partial(tokenizer.decode, clean_up_tokenization_spaces=False))
    assert learnt == [message["content"] + END for message in messages if message["role"] == "assistant"]
    return row


class _Training:
    """A training under way.

    Args:
        model: The base model.
        tokenizer: Its tokenizer, which is saved with it.
        rows: What is learnt.
        arguments: Of the command.
        identity: What the training is made with; a checkpoint of another one is refused.
    """

    def __init__(
        self, model: Any, tokenizer: Any, rows: Sequence[Row], arguments: argparse.Namespace, identity: str
    ) -> None:
        self._tokenizer = tokenizer
        self._rows = rows
        self._arguments = arguments
        self._identity = identity
        self.planned = steps(len(rows), arguments.rows_a_step, arguments.epochs, arguments.seed)
        self._prefix = common_prefix([row.tokens for row in rows])
        self._lengths = [len(row.tokens) - len(self._prefix) for row in rows]
        self._model = model
        attention.use(model)
        self._adapters = Adapters(model, arguments.rank)
        self._learnt = self._adapters.parameters
        self._optimizer = torch.optim.AdamW(self._learnt, lr=arguments.learning_rate, weight_decay=0.0)
        self._done: list[float] = []  # the loss of each step
        self._seconds = 0.0
        self._peak_bytes = 0

    def run(self) -> None:
        """Train, from where it was stopped, until all is done or the time is over."""
        self._read_checkpoint()
        began, before = time.monotonic(), self._seconds
        written = began
        limit = 60 * self._arguments.minutes
        for number in range(len(self._done), len(self.planned)):
            if time.monotonic() - began > limit:
                break
            self._step(number)
            now = time.monotonic()
            self._seconds = before + now - began
            if (number + 1) % _STEPS_A_LINE == 0:
                tokens = sum(self._lengths[row] for step in self.planned[: number + 1] for row in step)
                print(
                    f"step {number + 1} of {len(self.planned)}: loss {_mean(self._done[-_STEPS_A_LINE:]):.3f},"
                    f" {self._seconds:.0f} s, {tokens / self._seconds:.0f} tokens/s",
                    flush=True,
                )
            if now - written > _SECONDS_BETWEEN_CHECKPOINTS:
                self._write_checkpoint()
                written = now
        self._write_checkpoint()
        self._model.save_pretrained(self._arguments.out / "model")
        self._tokenizer.save_pretrained(self._arguments.out / "model")
        self._write_report()

    def _step(self, number: int) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._arguments.learning_rate * _share_of_rate(number, len(self.planned))
        numbers = self.planned[number]
        # Each token that is learnt in a step counts alike, in whichever batch it is.
        learnt = sum(sum(self._rows[row].is_learnt) for row in numbers)
        loss = 0.0
        prefix = self._prefix_states()
        for batch in micro_batches(numbers, self._lengths, self._arguments.tokens_a_batch):
            loss += self._backward([self._rows[row] for row in batch], learnt, prefix)
        self._adapters.take()
        torch.nn.utils.clip_grad_norm_(self._learnt, 1.0)
        self._optimizer.step()
        self._adapters.put()
        assert math.isfinite(loss)
        self._done.append(loss)

    def _prefix_states(self) -> list[tuple[Any, Any]]:
        """Return the keys and values, layer by layer, of what all rows begin with: the system prompt.

        It is computed once a step instead of once a row. Nothing in it is learnt, and no gradient goes through it: what
        is learnt is how to read it.
        """
        if not self._prefix:
            return []
        with torch.no_grad():
            tokens = torch.tensor([self._prefix], device=self._arguments.device)
            mask = attention.causal(len(self._prefix), 0, self._model.lm_head.weight)
            cache = DynamicCache()
            self._model.model(input_ids=tokens, attention_mask=mask, cache=cache, use_cache=True)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _backward(self, rows: Sequence[Row], learnt: int, prefix: Sequence[tuple[Any, Any]]) -> float:
        """Add a batch's gradients; return its part of the step's loss."""
        device, start = self._arguments.device, len(self._prefix)
        longest = max(len(row.tokens) for row in rows)
        # Padding stands behind a row, where causal attention never looks at it.
        tokens = torch.tensor(
            [[*row.tokens[start:], *[0] * (longest - len(row.tokens))] for row in rows], device=device
        )
        mask = torch.tensor(
            [[*row.is_learnt[start:], *[False] * (longest - len(row.tokens))] for row in rows], device=device
        )
        cache = DynamicCache()
        for number, states in enumerate(prefix):
            cache.update(*(state.expand(len(rows), -1, -1, -1) for state in states), number)
        hidden = self._model.model(
            input_ids=tokens,
            attention_mask=attention.causal(tokens.shape[1], start, self._model.lm_head.weight),
            cache=cache,
            use_cache=True,
        ).last_hidden_state
        # Only where something is learnt is it asked what comes: the vocabulary is the widest of all layers.
        logits = self._model.lm_head(hidden[:, :-1][mask[:, 1:]])
        loss = torch.nn.functional.cross_entropy(logits.float(), tokens[:, 1:][mask[:, 1:]], reduction="sum") / learnt
        loss.backward()
        return float(loss.detach())

    def _write_checkpoint(self) -> None:
        self._peak_bytes = max(self._peak_bytes, _peak_bytes(self._arguments.device))
        state = {
            "identity": self._identity,
            "parameters": self._learnt,
            "optimizer": self._optimizer.state_dict(),
            "losses": self._done,
            "seconds": self._seconds,
            "peak bytes": self._peak_bytes,
        }
        path = self._arguments.out / "checkpoint.pt"
        unfinished = path.with_suffix(".unfinished")
        self._arguments.out.mkdir(parents=True, exist_ok=True)
        torch.save(state, unfinished)
        unfinished.replace(path)

    def _read_checkpoint(self) -> None:
        path = self._arguments.out / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self._arguments.device)
        if state["identity"] != self._identity:
            sys.exit(f"{path} is of a training with other rows or options: delete it, or name another directory")
        with torch.no_grad():
            for parameter, value in zip(self._learnt, state["parameters"], strict=True):
                parameter.copy_(value)
        self._adapters.put()
        self._optimizer.load_state_dict(state["optimizer"])
        self._done, self._seconds, self._peak_bytes = state["losses"], state["seconds"], state["peak bytes"]
        print(f"goes on behind step {len(self._done)}", flush=True)

    def _write_report(self) -> None:
        done = self.planned[: len(self._done)]
        tokens = sum(self._lengths[row] for step in done for row in step)
        report = {
            "conversations": len(self._rows),
            "tokens": sum(len(row.tokens) for row in self._rows),
            "tokens that all begin with": len(self._prefix),
            "learnt tokens": sum(sum(row.is_learnt) for row in self._rows),
            "parameters": sum(parameter.numel() for parameter in self._learnt),
            "steps": len(done),
            "planned steps": len(self.planned),
            "seconds": round(self._seconds, 1),
            "tokens a second, but for those": round(tokens / self._seconds) if self._seconds else None,
            "peak bytes": self._peak_bytes,
            "losses": [round(loss, 4) for loss in self._done],
        }
        (self._arguments.out / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(
            f"{len(done)} of {len(self.planned)} steps, {self._seconds:.0f} s, at most {self._peak_bytes / 1e9:.1f} GB;"
            f" loss {_mean(self._done[:_STEPS_A_LINE]):.3f} at first, {_mean(self._done[-_STEPS_A_LINE:]):.3f} at last",
            flush=True,
        )


def _share_of_rate(step: int, planned: int) -> float:
    """Return the share of the learning rate that a step has: it rises at first, and falls along a cosine."""
    rising = max(1, round(_WARM_UP * planned))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, planned - rising)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _peak_bytes(device: str) -> int:
    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_MAXRSS


if __name__ == "__main__":
    sys.exit(main())
