"""Rows for TRL with the chat templates that TRL ships, rendered by transformers: what is learnt of them, and what not.

`SFTTrainer` renders a prompt alone and with its completion, and learns what comes behind what both have in common. With
`assistant_only_loss`, it learns what stands between generation tags.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import resources
from itertools import takewhile
from typing import Any

import pytest
from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from apep_datagen.formats.shape import Shape
from apep_datagen.formats.trl import TRL
from support.paths import REPOSITORY
from support.sample_rows import sample_rows

sys.path.insert(0, str(REPOSITORY / "benchmarks" / "trainers"))
from lessons import Learnt, faults

_OWN = resources.files("apep_datagen.chat_templates")
_TEMPLATES = {
    path.name.removesuffix(".jinja"): path.read_text(encoding="utf-8")
    for path in _OWN.joinpath("trl").iterdir()
    if path.name.endswith(".jinja")
}
_CHATML = _OWN.joinpath("chatml.jinja").read_text(encoding="utf-8")
_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
_MARK = re.compile(r"<[^<>\s'\"]{1,40}>|\[/?[A-Z_]+\]")
# Those of DeepSeek leave out of every message what stands before `</think>`, Gemma's first one refuses system prompts,
# and the others take lists of texts and pictures alone.
_CANNOT_HOLD_A_ROW = {
    *("deepseekv3", "deepseekv3_training", "deepseek_r1_distill", "gemma", "gemma_training"),
    *("idefics3", "idefics3_training", "llava_next", "llava_next_training", "smolvlm", "smolvlm_training"),
}
# These leave out thoughts before the last message of the user's, also where they are to be trained with.
_FORGET_THOUGHTS = {
    *("glm4moe_training", "nemotron_3_nano_training", "nemotron_3_super_training", "nemotron_3_ultra_training"),
    "nemotron_3_5_lightning_training",
}
# What these have a model say around Ada's words: to whom, and in which channel.
_SCAFFOLD = ("analysis", "final", "assistant", "to=user")


def _render(
    template: str, messages: list[Any], row: dict[str, Any], **options: Any
) -> tuple[str, list[tuple[int, int]]]:
    tools = json.loads(row["tools"]) if "tools" in row else None
    texts, spans = render_jinja_template([messages], tools=tools, chat_template=template, **_TOKENS, **options)
    return texts[0], spans[0] if spans else []


def _learnt(template: str, row: dict[str, Any]) -> Learnt:
    """Return what `SFTTrainer` learns of a row: with `assistant_only_loss`, where it is a whole conversation."""
    if "messages" in row:
        whole, spans = _render(template, row["messages"], row, return_assistant_tokens_mask=True)
        return Learnt(whole, [whole[start:end] for start, end in spans])
    prompt, _ = _render(template, row["prompt"], row, add_generation_prompt=True)
    whole, _ = _render(template, [*row["prompt"], *row["completion"]], row)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(prompt, whole, strict=False)))
    return Learnt(whole, [whole[common:]])


def _faults(name: str, shape: Shape) -> str:
    """Return what is wrong with what is learnt of the sample; of every fourth row, which is enough to find it."""
    template = _CHATML if name == "chatml" else _TEMPLATES[name]
    found = []
    for example, row in sample_rows(TRL, shape)[::4]:
        try:
            learnt = _learnt(template, row)
        except TemplateError as error:
            found.append(f"refused: {error}")
            continue
        scaffold = [*_MARK.findall(learnt.text), *_TOKENS.values(), *_SCAFFOLD]
        found += faults(example, learnt, scaffold=scaffold)
    return "\n".join(found)


@pytest.mark.parametrize("name", sorted(_TEMPLATES))
def test_of_a_row_for_each_answer_ada_s_words_alone_are_learnt_with_every_template_that_can_hold_them(
    name: str,
) -> None:
    assert bool(_faults(name, TRL.default)) == (name in _CANNOT_HOLD_A_ROW)


@pytest.mark.parametrize("name", sorted(name for name in _TEMPLATES if name.endswith("_training")))
def test_of_a_whole_conversation_ada_s_words_alone_are_learnt_with_trls_own_versions(name: str) -> None:
    loses = name in _CANNOT_HOLD_A_ROW | _FORGET_THOUGHTS
    assert bool(_faults(name, Shape(rows="conversation", tool_role="user"))) == loses


@pytest.mark.parametrize("name", ["qwen2_5", "qwen3", "qwen3_5_think", "glm4moe", "nemotron_3_nano"])
def test_native_calls_are_learnt_with_templates_that_know_them(name: str) -> None:
    assert _faults(name, Shape(rows="answer", calls="native")) == ""


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("qwen3", Shape(rows="exchange", tool_role="user"), "a thought is not learnt"),
        ("qwen3", Shape(rows="exchange"), "words of the role tool are learnt"),
        ("glm4moe_training", Shape(rows="conversation"), "a thought is not learnt"),
        ("deepseek_r1_distill", Shape(rows="answer", tool_role="user"), "a thought is not learnt"),
        ("gemma3", Shape(rows="answer"), "refused"),
        ("cohere", Shape(rows="answer"), "refused"),
        ("gptoss", Shape(rows="answer"), "refused"),
        ("gemma4_v5", Shape(rows="answer"), "a result cannot be read"),
        ("phi3", Shape(rows="answer"), "a result cannot be read"),
        ("llama3", Shape(rows="answer", calls="native"), "a call is not learnt"),
        ("chatml", Shape(rows="answer", calls="native"), "a call is not learnt"),
        ("llama3_1", Shape(rows="answer", calls="native"), "refused"),
        ("gemma4_v5", Shape(rows="answer", calls="native"), "a call stands before what it comes after"),
        ("gptoss", Shape(rows="exchange", calls="native"), "a thought is not learnt"),
        ("gptoss", Shape(rows="answer", calls="native"), "a call is not learnt"),
    ],
)
def test_what_the_guide_says_of_a_template_is_so(name: str, shape: Shape, told: str) -> None:
    assert told in _faults(name, shape)
