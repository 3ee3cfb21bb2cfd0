"""Where a chat template comes from: one that is known by name, or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from apep_datagen.chat_templates.template import ChatTemplate
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text
from apep_datagen.core.suggestions import ask_for_nearest

__all__ = ["known_names", "load_template"]

_TEMPLATE_FILE = "chat_template.jinja"
_CONFIGURATION_FILE = "tokenizer_config.json"
_TOOL_TEMPLATE = Path("additional_chat_templates") / "tool_use.jinja"
# As the tokenizers of these models have them, by the beginning of a known name. A `.jinja` file does not say them.
_SPECIAL_TOKENS: Mapping[str, tuple[str, str]] = {
    "cohere": ("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"),
    "deepseek": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),  # noqa: RUF001 - its bars are wide
    "diffusion_gemma": ("<bos>", "<eos>"),
    "gemma": ("<bos>", "<eos>"),
    "lfm2": ("<|startoftext|>", "<|im_end|>"),
    "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "phi3": ("<s>", "<|endoftext|>"),
}


def known_names() -> tuple[str, ...]:
    """Return the names of the templates that come with the program, sorted."""
    return tuple(sorted(_files()))


@cache
def _files() -> Mapping[str, Traversable]:
    own = resources.files("apep_datagen.chat_templates")
    found = [*own.iterdir(), *own.joinpath("trl").iterdir()]
    return {file.name.removesuffix(".jinja"): file for file in found if file.name.endswith(".jinja")}


def load_template(name_or_path: str) -> ChatTemplate:
    """Return a chat template.

    Args:
        name_or_path: The name of one that comes with the program, as `known_names` has it; or the path of a `.jinja`
            file, of a `tokenizer_config.json` with a template in it, or of a directory that holds one of these, such as
            that of a model. What stands beside a template there, such as `bos_token`, is given to it.

    Raises:
        SettingsError: There is no such template, or it is none.
    """
    name = name_or_path.lower().replace("-", "_").replace(".", "_")
    if name in _files():
        tokens = next((known for start, known in _SPECIAL_TOKENS.items() if name.startswith(start)), ("", ""))
        return ChatTemplate(
            name,
            _files()[name].read_text(encoding="utf-8"),
            None,
            dict(zip(("bos_token", "eos_token"), tokens, strict=True)),
        )
    path = Path(name_or_path)
    if path.is_dir():
        return _of_directory(path)
    if path.suffix == ".json":
        return _of_configuration(path)
    if path.suffix == ".jinja" or path.exists():
        return _of_file(path)
    near = ask_for_nearest(name, _files())
    raise SettingsError(
        f"{name_or_path}: there is no such file, and no chat template of that name{near}; known are "
        f"{', '.join(known_names())}"
    )


def _of_file(path: Path) -> ChatTemplate:
    """Return the template in a file; what the tokenizer beside it says is its."""
    beside = path.parent / _CONFIGURATION_FILE
    tool_template = path.parent / _TOOL_TEMPLATE
    return ChatTemplate(
        str(path),
        read_text(path, "the chat template"),
        read_text(tool_template, "the chat template")
        if path.name == _TEMPLATE_FILE and tool_template.exists()
        else None,
        _special_tokens(_configuration(beside) if beside.exists() else {}),
    )


def _of_directory(path: Path) -> ChatTemplate:
    if (path / _TEMPLATE_FILE).exists():
        return _of_file(path / _TEMPLATE_FILE)
    if (path / _CONFIGURATION_FILE).exists():
        return _of_configuration(path / _CONFIGURATION_FILE)
    files = sorted(path.glob("*.jinja"))
    if len(files) == 1:
        return _of_file(files[0])
    raise SettingsError(f"{path}: holds neither {_TEMPLATE_FILE} nor {_CONFIGURATION_FILE}; name the template's file")


def _of_configuration(path: Path) -> ChatTemplate:
    """Return the template that a tokenizer's configuration has: a text, or several with names."""
    configuration = _configuration(path)
    found = configuration.get("chat_template")
    named = found if isinstance(found, list) else [{"name": "default", "template": found}]
    templates = {each.get("name"): each.get("template") for each in named if isinstance(each, dict)}
    default, with_tools = templates.get("default"), templates.get("tool_use")
    if not isinstance(default, str) or not isinstance(with_tools, str | None):
        raise SettingsError(
            f"{path}: there is no chat_template in it; newer tokenizers have it in a file of its own, {_TEMPLATE_FILE}"
        )
    return ChatTemplate(str(path), default, with_tools, _special_tokens(configuration))


def _configuration(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(read_text(path, "the tokenizer's configuration"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: the tokenizer's configuration is no JSON") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: the tokenizer's configuration is no JSON object")
    return found


def _special_tokens(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the tokens that a configuration names, as texts or as objects with their `content`."""
    tokens = {"bos_token": "", "eos_token": ""}
    for name, value in configuration.items():
        text = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(text, str):
            tokens[name] = text
    return tokens
