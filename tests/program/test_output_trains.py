"""The output trains a model as it is: `datasets` loads it, and a chat template renders it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from support.loopback_server import LoopbackServer
from support.program import Program, section

# As instruction-tuned models have it (ChatML), with tool results in a turn of their own.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else -%}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif -%}
{%- endfor -%}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A run of conversations with one to three exchanges, some with tools."""
    program = Program(tmp_path_factory.mktemp("run"))
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "12", "--exchanges", "1-3", "--seed", "5")
    assert ended.status == 0, ended.said
    return program


# In a process of its own: the library reads its environment when it is imported, and keeps it.
LOAD = """
import json, sys, datasets
rows = datasets.load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
print(json.dumps([rows.column_names, list(rows)]))
"""


def test_datasets_loads_the_output_as_it_is(program: Program, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, program.output, tmp_path / "cache"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    columns, rows = json.loads(loaded.stdout)
    assert columns == ["conversations"]
    assert [row["conversations"] for row in rows] == program.conversations()
    for row in rows:
        for message in row["conversations"]:
            assert set(message) == {"role", "content"}
            assert all(isinstance(value, str) and value for value in message.values())


def test_roles_alternate_and_thinking_is_one_leading_block(program: Program) -> None:
    conversations = program.conversations()
    lengths = set()
    for conversation in conversations:
        roles = " ".join(message["role"] for message in conversation)
        assert re.fullmatch(r"system( user( assistant tool)* assistant)+", roles)
        lengths.add(roles.count("user"))
        for before, message in zip(conversation, [*conversation[1:], None], strict=True):
            content = before["content"]
            if before["role"] != "assistant":
                assert "<think>" not in content or before["role"] == "system"
                continue
            assert content.count("<think>") == content.count("</think>") <= 1
            assert "<think>" not in content or content.startswith("<think>")
            # A call waits for its result: the tool's turn follows, and nothing else does.
            calls = content.count("<tool_call>")
            assert bool(calls) == (message is not None and message["role"] == "tool")
            if message is not None and calls:
                assert message["content"].count("<tool_result>") == calls
                assert content.endswith("</tool_call>")
    assert lengths == {1, 2, 3}
    assert any(message["role"] == "tool" for conversation in conversations for message in conversation)


def test_a_chat_template_renders_the_output(program: Program) -> None:
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(CHAT_TEMPLATE)  # noqa: S701 - it makes no HTML
    for conversation in program.conversations():
        text = template.render(messages=conversation)
        assert text.count("<|im_start|>") == text.count("<|im_end|>") == len(conversation)
        assert all(message["content"] in text for message in conversation)
