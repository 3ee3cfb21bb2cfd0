"""Texts that are made of markup alone, as no parser likes them."""

# ruff: noqa: RUF001 - quotation marks and brackets of all kinds

from __future__ import annotations

__all__ = ["MARKUP_PIECES"]

MARKUP_PIECES = (
    # Ada's markup, and what joins to it where something is taken out.
    "<think>", "</think>", "<thinking>", "<think/>", "<tool_call>", "</tool_call>", "<tool_result>", "</tool_result>",
    "<thi<think>nk>", "<thi", "nk>",
    # That of others.
    "[THINK]", "[/THINK]", "[TOOL_CALLS]", "[ARGS]", "[INST]", "<reasoning>", "</reasoning>", "<|im_end|>",
    "<|im_start|>user\n", "<|im_start|>assistant\n", "<|channel|>analysis", "<|message|>", "<|start|>assistant",
    "to=functions.f", "<|end|>", "<|channel>thought\n", "<channel|>", "<function=recall_diary>", "</function>",
    "<parameter=x>", "</parameter>", '<invoke name="f">', "</invoke>", "<arg_key>", "recall_diary <arg_key>",
    "<arg_value>", "<add_memory>", "<s>", "</s>", "<answer>", "</answer>", "&lt;think&gt;",
    "Here is my thought process:", "Here is my response:",
    # Calls, and what is in them.
    "\nadd_memory(input_text=['a'])\n", "\nrecall_memories()\n", "recall_diary", "f(x=", '\n{"name": "', "{'a':",
    "Action: recall_diary\n", "functions.f:0 ", "\n[", "{", "}", "[", "]", "(", ")", '"', "'", "“", "”", "（",
    "\\", ",", "=", ":", "```", "\n```\n", "`", "a.", "1+", "-", "lambda:",
    # What people write.
    "a", "a's ", "Here is the message:\n\n", "[[1]] ", "\n[[2]] ", "(www.a", " ", "\n", "\t", "\u2028", "<", ">", "|",
    "<3 ", "word " * 15,
)  # fmt: skip
