"""Marks that language models write around what they say: special tokens and tags of all model families.

A mark is recognised by its build: a name in brackets of a kind that people do not write, such as `<|…|>`, or a name in
plain brackets that says what it is for. What a name means is in the tables here, each with the families that write it.
Where no other source is named, the spelling is that of the family's parser in vLLM (`vllm/reasoning`,
`vllm/tool_parsers`, https://github.com/vllm-project/vllm) and of the chat template that comes with its weights.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from apep_datagen.core.tags import strip_tags

__all__ = ["Mark", "Meaning", "begins_turn_of_another", "marks_at_ends", "marks_in", "trim", "trim_marks"]


class Meaning(StrEnum):
    """What a mark says about the text beside it."""

    THINKING = "thinking"
    CALL = "call"
    FUNCTION = "function"
    """It names the function that is called: a part of a call, and a call by itself."""
    ARGUMENT = "argument"
    """A part of a call."""
    RESULT = "result"
    REPLY = "reply"
    CONTROL = "control"
    """A special token of a chat template."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in a text.

    Attributes:
        start: Where it begins.
        end: Behind its last character.
        meaning: What it says.
        opens: Whether something begins with it; else it ends.
        name: Its name in lower case, as `im_end` or `tool_call`.
        target: What it names besides: the function in `<function=add_memory>`; else empty.
        is_plain: Whether it stands in brackets that people write as well: `<answer>`.
    """

    start: int
    end: int
    meaning: Meaning
    opens: bool
    name: str
    target: str = ""
    is_plain: bool = False

    @property
    def is_reply_element(self) -> bool:
        """Whether it is an element that people could write as well, beside which the answer stands."""
        return self.meaning is Meaning.REPLY and self.is_plain


# Names without what says that something begins or ends: `begin_of_thought`, `/THINK`, `tool_call_end`, `inner_prefix`.
_MEANINGS = {
    # DeepSeek, Qwen, GLM, MiniMax, Kimi, Hunyuan and most others: think. Magistral: [THINK]. Seed-OSS: seed:think.
    # Kimi-VL: ◁think▷. Cohere Command: <|START_THINKING|>. Claude's prompts: thinking.
    "think": Meaning.THINKING,
    "thinking": Meaning.THINKING,
    # EXAONE Deep, and Gemini behind its OpenAI-compatible endpoint: thought. OpenThinker and Sky-T1:
    # <|begin_of_thought|>, https://github.com/NovaSky-AI/SkyThought.
    "thought": Meaning.THINKING,
    "thoughts": Meaning.THINKING,
    # Models that were fine-tuned with GRPO after the widely copied example of TRL: reasoning, then answer.
    "reasoning": Meaning.THINKING,
    # Hermes: scratch_pad, https://github.com/NousResearch/Hermes-Function-Calling.
    "scratch_pad": Meaning.THINKING,
    "scratchpad": Meaning.THINKING,
    "reflection": Meaning.THINKING,
    "inner_monologue": Meaning.THINKING,
    "inner": Meaning.THINKING,  # Apertus: <|inner_prefix|> … <|inner_suffix|>
    # Hermes, Qwen, GLM: tool_call. MiniMax-M2: minimax:tool_call. Seed-OSS: seed:tool_call. Phi-4-mini, Granite:
    # <|tool_call|>. DeepSeek and Kimi: <|tool_call_begin|>, with other signs. LFM2: <|tool_call_start|>.
    "tool_call": Meaning.CALL,
    "tool_calls": Meaning.CALL,  # Jamba, MiniMax-M1, DeepSeek, Mistral's [TOOL_CALLS]
    "toolcall": Meaning.CALL,  # Nemotron
    "toolcalls": Meaning.CALL,
    "tool_calls_section": Meaning.CALL,  # Kimi K2
    "tool_use": Meaning.CALL,
    "function_call": Meaning.CALL,  # Granite 20B, Llama fine-tunes
    "function_calls": Meaning.CALL,  # Claude, OLMo 3, DeepSeek V3.2
    "functioncall": Meaning.CALL,  # Glaive
    "function": Meaning.FUNCTION,  # Llama 3.1: <function=f>{…}. Qwen3-Coder, Seed-OSS: <function=f><parameter=x>…
    "invoke": Meaning.FUNCTION,  # Claude, MiniMax-M2, DeepSeek V3.2: <invoke name="f"><parameter name="x">…
    "parameter": Meaning.ARGUMENT,
    "parameters": Meaning.ARGUMENT,
    "arguments": Meaning.ARGUMENT,
    "arg_key": Meaning.ARGUMENT,  # GLM
    "arg_value": Meaning.ARGUMENT,
    "tool_result": Meaning.RESULT,
    "tool_results": Meaning.RESULT,
    "tool_response": Meaning.RESULT,  # Qwen, Hermes
    "tool_output": Meaning.RESULT,
    "tool_outputs": Meaning.RESULT,  # DeepSeek
    "function_result": Meaning.RESULT,
    "function_results": Meaning.RESULT,  # Claude
    "function_response": Meaning.RESULT,
    "answer": Meaning.REPLY,  # Hunyuan, GLM-4.1V, GRPO fine-tunes
    "final_answer": Meaning.REPLY,
    "response": Meaning.REPLY,  # Granite 3.3, Cohere Command: <|START_RESPONSE|>
    "final_response": Meaning.REPLY,
    "solution": Meaning.REPLY,  # OpenThinker and Sky-T1
    "reply": Meaning.REPLY,
    "message": Meaning.REPLY,
    "user_message": Meaning.REPLY,
    "output": Meaning.REPLY,
    "rewrite": Meaning.REPLY,
    "rewritten": Meaning.REPLY,
    "rewritten_thought": Meaning.REPLY,
    "rewritten_thoughts": Meaning.REPLY,
    # Special tokens in plain brackets. Gemma: start_of_turn. T5, Llama, Mistral and Gemma: the others.
    "turn": Meaning.CONTROL,
    "s": Meaning.CONTROL,
    "bos": Meaning.CONTROL,
    "eos": Meaning.CONTROL,
    "pad": Meaning.CONTROL,
    "unk": Meaning.CONTROL,
    "endoftext": Meaning.CONTROL,
    "utterance": Meaning.CONTROL,  # SmolVLM: <end_of_utterance>
}
# These mean a call only between special brackets; between plain ones people may write them.
_SPECIAL_MEANINGS = {
    "action": Meaning.CALL,  # Cohere Command: <|START_ACTION|>. InternLM: <|action_start|>
    "python": Meaning.CALL,  # Llama 4: <|python_start|>
    "python_tag": Meaning.CALL,  # Llama 3: <|python_tag|>
    "tools": Meaning.CALL,  # Apertus: <|tools_prefix|>
}
# Mistral's, https://github.com/mistralai/mistral-common (`SpecialTokens`), and Llama 2's [INST].
_IN_SQUARE_BRACKETS = {
    "THINK": Meaning.THINKING,
    "TOOL_CALLS": Meaning.CALL,
    "ARGS": Meaning.ARGUMENT,
    "CALL_ID": Meaning.ARGUMENT,
    "TOOL_CONTENT": Meaning.ARGUMENT,
    "TOOL_RESULTS": Meaning.RESULT,
    "INST": Meaning.CONTROL,
    "AVAILABLE_TOOLS": Meaning.CONTROL,
    "SYSTEM_PROMPT": Meaning.CONTROL,
    "MODEL_SETTINGS": Meaning.CONTROL,
}
_SIDES = re.compile(
    r"(?P<before>begin|start|end)_(?:of_)?(?P<rest>\w+)|(?P<name>\w+?)_(?P<behind>begin|start|end|prefix|suffix)"
)
_ENDING = frozenset({"end", "suffix"})
_SIDED = frozenset({"turn", "utterance"})
"""Names that say nothing in plain brackets, but with a side: `<end_of_turn>`."""
_PLACEHOLDERS = frozenset({"function", "invoke", "parameter", "parameters", "arguments"})
"""What people write where something is to be filled in: "call <function> with <arguments>"."""
_ADAS = frozenset({"think", "thinking", "tool_call", "tool_result"})

_UNUSED = re.compile(r"unused\d{1,5}")  # Gemma, MedGemma
_AROUND_A_TEXT = frozenset({Meaning.CONTROL, Meaning.REPLY})
# Behind a special token, or as its name: whose turn begins.
_ROLE = re.compile(r"\s*+(\w{1,20})[ \t]*+(?=[\n<]|\Z)")
_OWN_ROLES = frozenset({"assistant", "model"})
_OTHER_ROLES = frozenset(
    {
        "user", "system", "developer", "tool", "human", "ipython", "observation", "environment",
        "user_token", "system_token",  # Cohere Command
        "inst",  # Mistral, Llama 2
    }
)  # fmt: skip

# Each piece is bounded, so that a text of opening brackets costs no more than its length.
_CANDIDATE = re.compile(r"<</?SYS>>|<[^<>\n]{1,120}>|\[/?[A-Z_]{4,20}\]|◁/?\w{1,20}▷")
_BAR = "|｜"  # noqa: RUF001 - DeepSeek's bar is the wide one
_INSIDE = re.compile(
    rf"""
    (?P<before>[{_BAR}]?)
    (?P<closes>/?)
    (?:[{_BAR}]?DSML[{_BAR}])?                # DeepSeek V3.2
    (?:[A-Za-z]\w*:)?                         # seed:, minimax:, antml:
    (?P<name>[A-Za-z_][\w▁.-]*)
    (?P<rest>\s*=\s*[^\s{_BAR}][^{_BAR}]*|\s+[\w:.-]+\s*=[^{_BAR}]*|\s*/?)  # what people write has no "="
    (?P<behind>[{_BAR}]?)
    """,
    re.VERBOSE,
)
_TARGET = re.compile(r"(?:\A|\s)(?:name\s*)?=\s*[\"'“]?([\w.-]+)")


def marks_in(text: str) -> Iterator[Mark]:
    """Yield the marks in a text, in order. It takes time in proportion to the length of the text."""
    # In pairs, these two are what they are in HTML; alone, the ends of a text (Llama, Mistral).
    strikes_out = text.count("<s>") == text.count("</s>")
    for found in _CANDIDATE.finditer(text):
        read = _read(found[0])
        if read is None or (strikes_out and read[2] == "s"):
            continue
        mark = Mark(found.start(), found.end(), *read)
        if not _is_type(text, mark):
            yield mark


def _is_type(text: str, mark: Mark) -> bool:
    """Tell whether a mark is the type in brackets that programs have: `List<Thought>`."""
    return mark.is_plain and mark.opens and text[mark.start - 1 : mark.start].isalnum() and mark.name not in _ADAS


@lru_cache(maxsize=1024)
def _read(spelled: str) -> tuple[Meaning, bool, str, str, bool] | None:
    """Return meaning, side, name, target and whether the brackets are plain; None where it is no mark."""
    inside = spelled[1:-1]
    if spelled[0] == "[":
        name = inside.lstrip("/")
        meaning = _IN_SQUARE_BRACKETS.get(name)
        return (meaning, inside[0] != "/", name.lower(), "", False) if meaning else None
    if spelled.startswith("<<"):  # Llama 2: <<SYS>>
        return Meaning.CONTROL, "/" not in spelled, "sys", "", False
    found = _INSIDE.fullmatch(inside)
    if found is None:
        return None
    name = found["name"].lower().replace("▁", "_").replace("-", "_")
    is_special = bool(found["before"] or found["behind"]) or spelled[0] == "◁"
    # Gemma 4 closes `<|channel>` with `<channel|>`.
    closes = bool(found["closes"]) or (bool(found["behind"]) and not found["before"])
    base, side = _without_side(name)
    closes = closes or side in _ENDING or found["rest"].endswith("/")
    base = base if base in _MEANINGS or base in _SPECIAL_MEANINGS else name
    meaning = _meaning(base, is_special=is_special)
    target = _TARGET.search(found["rest"])
    is_placeholder = not is_special and not target and not closes and base in _PLACEHOLDERS
    if meaning is None or is_placeholder or (base in _SIDED and not is_special and not side):
        return None
    return meaning, not closes, name, target[1] if target else "", not is_special


def _without_side(name: str) -> tuple[str, str]:
    found = _SIDES.fullmatch(name)
    if found is None:
        return name, ""
    return found["rest"] or found["name"], found["before"] or found["behind"]


def _meaning(name: str, *, is_special: bool) -> Meaning | None:
    if meaning := _MEANINGS.get(name):
        return meaning
    if is_special:
        return _SPECIAL_MEANINGS.get(name, Meaning.CONTROL)
    return Meaning.CONTROL if _UNUSED.fullmatch(name) else None


def begins_turn_of_another(text: str, mark: Mark) -> bool:
    """Tell whether what stands behind a special token in `text` is not the answer of a model."""
    if mark.meaning is not Meaning.CONTROL or not mark.opens:
        return False
    role = _ROLE.match(text, mark.end)
    return mark.name in _OTHER_ROLES or (role is not None and role[1].lower() in _OTHER_ROLES)


def trim(text: str) -> str:
    """Return `text` without Ada's tags, and without what `trim_marks` takes away around it."""
    return trim_marks(strip_tags(text))


def trim_marks(text: str) -> str:
    """Return `text` without white space, special tokens and elements for replies around it."""
    start, end = 0, len(text)
    marks = deque(mark for mark in marks_in(text) if mark.meaning in _AROUND_A_TEXT)
    while True:
        while marks and not text[start : marks[0].start].strip():
            first = marks[0]
            if first.is_reply_element or begins_turn_of_another(text, first):
                break
            start = marks.popleft().end
            if first.opens and (role := _ROLE.match(text, start)) and role[1].lower() in _OWN_ROLES:
                start = role.end()
        while marks and not marks[-1].is_reply_element:
            behind = text[marks[-1].end : end].strip()
            if behind and not (marks[-1].opens and behind.lower() in _OWN_ROLES):
                break
            end = marks.pop().start
        if len(marks) < 2 or not _encloses(marks[0], marks[-1], text, start, end):  # noqa: PLR2004 - a pair
            break
        start, end = marks.popleft().end, marks.pop().start
    text = text[start:end].strip()
    if text.startswith("<s>") and text.endswith("</s>") and text.count("<s>") == 1:  # the two ends of the text
        return trim_marks(text.removeprefix("<s>").removesuffix("</s>"))
    return text


def _encloses(first: Mark, last: Mark, text: str, start: int, end: int) -> bool:
    around = text[start : first.start] + text[last.end : end]
    return first.is_reply_element and first.name == last.name and first.opens > last.opens and not around.strip()


def marks_at_ends(text: str, marks: Sequence[Mark]) -> list[Mark]:
    """Return the first and the last mark, where a text begins or ends with it."""
    return [
        mark for mark in (*marks[:1], *marks[-1:]) if not text[: mark.start].strip() or not text[mark.end :].strip()
    ]
