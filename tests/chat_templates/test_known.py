"""Templates are found by name or path, and what is none is told."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from apep_datagen.chat_templates.known import known_names, load_template
from apep_datagen.core.errors import SettingsError

MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def test_the_templates_that_trl_ships_are_known_by_their_names_with_licence_and_source() -> None:
    assert {"qwen2_5", "qwen3", "qwen3_training", "llama3", "gemma3", "gemma4_v5", "chatml"} <= set(known_names())
    assert len(known_names()) == 73
    assert all(load_template(name).source for name in known_names())
    folder = resources.files("apep_datagen.chat_templates").joinpath("trl")
    assert "TRL 1.16.0" in folder.joinpath("SOURCES.md").read_text(encoding="utf-8")
    assert "Apache License" in folder.joinpath("LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("spelled", ["qwen2_5", "Qwen2.5", "qwen2-5"])
def test_a_name_is_known_as_people_spell_it(spelled: str) -> None:
    assert load_template(spelled) == load_template("qwen2_5")


def test_what_a_model_s_tokenizer_gives_its_template_is_there_for_a_known_one() -> None:
    assert load_template("llama3").render(MESSAGES).text.startswith("<|begin_of_text|><|start_header_id|>user")
    assert load_template("gemma3").render(MESSAGES).text.startswith("<bos><start_of_turn>user")


def test_chatml_is_chatml() -> None:
    text = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
    assert load_template("chatml").render(MESSAGES).text == text


def test_a_file_is_a_template_with_the_tokens_that_stand_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "chat_template.jinja"
    file.write_text("{{ bos_token }}{{ messages | length }}{{ pad_token }}", encoding="utf-8")
    assert load_template(str(file)).render(MESSAGES).text == "2"
    tokens = {"bos_token": {"content": "<s>", "lstrip": False}, "pad_token": "<p>", "model_max_length": 7}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**tokens, "chat_template": "other"}), encoding="utf-8")
    for path in (file, tmp_path):
        assert load_template(str(path)).render(MESSAGES).text == "<s>2<p>"
    more = tmp_path / "additional_chat_templates"
    more.mkdir()
    (more / "tool_use.jinja").write_text("tools", encoding="utf-8")
    assert load_template(str(tmp_path)).render(MESSAGES, [{}]).text == "tools"


@pytest.mark.parametrize(
    "template",
    [
        "{{ bos_token }}ok",
        [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "{{ bos_token }}ok"}],
    ],
)
def test_a_tokenizer_s_configuration_has_one_template_or_several(template: object, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps({"chat_template": template, "bos_token": "<s>"}), encoding="utf-8")
    for place in (path, tmp_path):
        found = load_template(str(place))
        assert found.render(MESSAGES).text == "<s>ok"
        assert found.render(MESSAGES, [{}]).text == ("tools" if isinstance(template, list) else "<s>ok")


def test_a_name_that_is_none_is_told_with_the_nearest_and_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^qwen33: there is no such file.*did you mean qwen3\?.*chatml, cohere"):
        load_template("qwen33")
    with pytest.raises(SettingsError, match=r"no\.jinja: the chat template cannot be read \(No such file"):
        load_template(str(tmp_path / "no.jinja"))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tokenizer_config.json", "{", "the tokenizer's configuration is no JSON"),
        ("tokenizer_config.json", "[]", "the tokenizer's configuration is no JSON object"),
        ("tokenizer_config.json", "{}", "there is no chat_template in it"),
        (
            "tokenizer_config.json",
            '{"chat_template": [{"name": "tool_use", "template": "a"}]}',
            "no chat_template in it",
        ),
        ("model.txt", "", "holds neither chat_template.jinja nor tokenizer_config.json"),
        ("chat_template.jinja", "{% if %}", "line 1: no chat template"),
    ],
)
def test_a_directory_without_a_template_is_told(name: str, content: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=problem):
        load_template(str(tmp_path))
