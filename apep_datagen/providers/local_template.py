"""What the embedded model's own chat template makes of what is sent as trained; its server tells.

llama.cpp renders with the template in the model's file. One that does not know calls, results or thoughts as fields
leaves them out without a word, and the model would be asked something else than it was trained on. Some templates add
words of their own as well, by whether thinking is wanted, which rows do not say: Qwen3's an empty thought where it is
not, Gemma 4's a mark where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from apep_datagen.core.messages import Spelled

__all__ = ["Rendering", "rendering_of", "what_is_asked_of"]

_CALL, _RESULT, _THOUGHT, _TOOL = "qcallq", "qresultq", "qthoughtq", "qtoolq"
_LEFT_OUT = {_TOOL: "tools", _CALL: "calls", _RESULT: "results", _THOUGHT: "thoughts that stand apart"}
_IDENTITY = "call00001"


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a chat template makes of what is sent in some form.

    Attributes:
        enable_thinking: What it is to be told of thinking, so that it adds nothing to what was said.
        problem: What it leaves out, or why it refuses it, behind "its chat template"; empty where it holds all.
    """

    enable_thinking: bool
    problem: str


def what_is_asked_of(spelled: Spelled) -> frozenset[str]:
    """Return the fields and roles, beyond text of the three roles that all know, that a template has to hold."""
    asked = {"tools"} if spelled.tools else set()
    for message in spelled.messages:
        asked |= {name for name in ("tool_calls", "reasoning_content") if name in message}
        asked |= {"tool"} if message["role"] == "tool" else set()
        asked |= {"parts"} if isinstance(message.get("content"), list) else set()
    return frozenset(asked)


async def rendering_of(address: str, key: str, seconds: float, asked: frozenset[str]) -> Rendering:
    """Return what the template of a server's model makes of a form.

    Args:
        address: The server's.
        key: What it wants to be shown.
        seconds: Until when it has to answer.
        asked: What `what_is_asked_of` returned.

    Raises:
        httpx2.HTTPError: The server does not answer.
    """
    body = _probe(asked)
    headers = {"authorization": f"Bearer {key}"}
    prompts: dict[bool, str] = {}
    async with httpx2.AsyncClient(trust_env=False, timeout=seconds, headers=headers) as client:
        for thinking in (True, False):
            template_arguments = {"chat_template_kwargs": {"enable_thinking": thinking}}
            response = await client.post(f"{address}/apply-template", json=body | template_arguments)
            answer: Any = response.json()
            if not response.is_success:
                return Rendering(thinking, f"refuses it: {_words(answer)}")
            prompts[thinking] = answer["prompt"]
    # What it adds by itself makes it longer.
    enable_thinking = len(prompts[True]) <= len(prompts[False])
    lost = [what for mark, what in _LEFT_OUT.items() if mark in str(body) and mark not in prompts[enable_thinking]]
    return Rendering(enable_thinking, f"leaves out {', '.join(lost)}, without a word" if lost else "")


def _probe(asked: frozenset[str]) -> dict[str, Any]:
    """Return the body of a request in which everything that is asked of a template has a mark in it."""
    messages: list[Mapping[str, Any]] = [
        {"role": "system", "content": "You are Ada."},
        {"role": "user", "content": "Hello."},
    ]
    if not asked:
        return {"messages": messages}
    answer: dict[str, Any] = {"role": "assistant", "content": "Hm."}
    result: dict[str, Any] = {"role": "user", "content": _RESULT}
    if "parts" in asked:
        answer["content"] = [{"type": "thinking", "thinking": _THOUGHT, "closed": True}]
    if "reasoning_content" in asked:
        answer["reasoning_content"] = _THOUGHT
    if asked & {"tools", "tool_calls"}:
        function = {"name": _TOOL, "arguments": f'{{"text": "{_CALL}"}}'}
        answer["tool_calls"] = [{"id": _IDENTITY, "type": "function", "function": function}]
        result |= {"role": "tool", "tool_call_id": _IDENTITY, "name": _TOOL}
    elif "tool" in asked:
        result["role"] = "tool"
    body: dict[str, Any] = {"messages": [*messages, answer, result]}
    if "tools" in asked:
        properties = {"text": {"type": "string", "description": "A text."}}
        parameters: dict[str, Any] = {"type": "object", "properties": properties, "required": ["text"]}
        schema: dict[str, Any] = {"name": _TOOL, "description": "A tool.", "parameters": parameters}
        body["tools"] = [{"type": "function", "function": schema}]
    return body


def _words(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    words = error.get("message") if isinstance(error, dict) else None
    return " ".join(str(words or "no reason is given").split())
