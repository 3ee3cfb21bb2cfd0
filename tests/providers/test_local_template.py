"""Whether a template holds what is sent as trained, and what of thinking it has to be told: of llama.cpp itself."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.chat_templates.known import load_template
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from apep_datagen.providers import local
from apep_datagen.providers.local_template import Rendering, rendering_of, what_is_asked_of
from support.chat_rows import CALLING
from support.waiting import PATIENCE_SECONDS

FORMS = {
    "text": Wire("trl", Shape(tool_role="user")),
    "role tool": Wire("trl", Shape(tool_role="tool")),
    "native": Wire("trl", Shape(calls="native")),
    "thoughts apart": Wire("together", Shape(calls="native")),
}


@pytest.fixture
def renderings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Rendering]:
    """Return what a chat template makes of each form: that of the test's name, in the place of the model's own."""
    import xllamacpp

    template, make = load_template(request.param).source, xllamacpp.Server

    def with_template(parameters: Any) -> Any:
        parameters.chat_template = template
        return make(parameters)

    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(xllamacpp, "Server", with_template)
    key = secrets.token_urlsafe(8)
    server = local._start_server(Path(local._find_weights("smollm2")), key)

    async def ask() -> dict[str, Rendering]:
        return {
            name: await rendering_of(
                server.listening_address, key, PATIENCE_SECONDS, what_is_asked_of(wire.spell(CALLING[:-1]))
            )
            for name, wire in FORMS.items()
        }

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("renderings", "enable_thinking", "problems"),
    [
        ("qwen3", True, {}),
        ("gemma4", False, {"role tool": "leaves out results, without a word"}),
        (
            "phi3",
            True,
            {
                "role tool": "leaves out results, without a word",
                "native": "leaves out tools, calls, results, without a word",
                "thoughts apart": "leaves out tools, calls, results, thoughts that stand apart, without a word",
            },
        ),
    ],
    indirect=["renderings"],
)
def test_a_template_holds_a_form_or_is_told_of_and_adds_nothing(
    renderings: dict[str, Rendering], problems: dict[str, str], *, enable_thinking: bool
) -> None:
    found = {name: rendering.problem for name, rendering in renderings.items() if rendering.problem}
    assert found == problems
    assert {rendering.enable_thinking for rendering in renderings.values()} == {enable_thinking}


@pytest.mark.parametrize("renderings", ["gemma3"], indirect=True)
def test_a_template_that_refuses_a_role_says_so_in_its_own_words(renderings: dict[str, Rendering]) -> None:
    assert renderings["text"].problem == ""
    assert renderings["role tool"].problem.startswith("refuses it: ")
    assert "must alternate" in renderings["role tool"].problem
