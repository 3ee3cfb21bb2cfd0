"""Calls that are spelled with elements, as in XML: what they name, and their arguments.

    <function=add_memory><parameter=input_text>["a"]</parameter></function>               Qwen3-Coder, Seed-OSS
    <function=add_memory>{"input_text": ["a"]}</function>                                 Llama 3.1
    <invoke name="add_memory"><parameter name="input_text">["a"]</parameter></invoke>     Claude, MiniMax, DeepSeek V3.2
    add_memory <arg_key>input_text</arg_key> <arg_value>["a"]</arg_value>                 GLM 4.5
    <add_memory><input_text>a</input_text></add_memory>                                   models that know XML alone

Text in an argument may hold what looks like an element: an argument ends at the closing tag of its own name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ElementCall", "is_in_elements", "read_elements"]

_TAG = re.compile(
    r"<(?P<closes>/?)(?:[|｜]DSML[|｜])?(?:[A-Za-z]\w{0,20}:)?(?P<name>[A-Za-z_][\w-]{0,80})"  # noqa: RUF001 - DeepSeek's bar
    r"(?:\s*=\s*[\"'“]?(?P<equals>[\w.-]{1,80})[\"'”]?|(?P<attributes>\s[^<>]{0,200}))?\s*>"
)
_NAME_ATTRIBUTE = re.compile(r"\bname\s*=\s*[\"'“]?([\w.-]{1,80})")
_FUNCTIONS = frozenset({"function", "invoke"})
_ARGUMENTS = frozenset({"parameter", "param", "argument", "arg"})
_LEADING_NAME = re.compile(r"\s*+([A-Za-z_][\w.-]{0,80}+)\s*+(?=<)")
_ONE_LINE_BREAK = re.compile(r"\A[ \t]*\n|\n[ \t]*\Z")


@dataclass(slots=True)
class ElementCall:
    """A call as it stands in elements: its name, and its arguments, or what stands in their place."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    content: str = ""


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    name: str
    closes: bool
    target: str
    is_text: bool


def is_in_elements(text: str) -> bool:
    """Tell whether a call begins with an element, perhaps behind its name."""
    named = _LEADING_NAME.match(text)
    return _TAG.match(text, named.end() if named else 0) is not None


def read_elements(text: str, read_value: Callable[[str], Any]) -> list[ElementCall]:
    """Read calls that are spelled with elements.

    Args:
        text: One or more calls and nothing else.
        read_value: Reads an argument that is no text.

    Raises:
        ValueError: There is something else, or an element is not closed.
    """
    tags = list(_tags_in(text))
    calls: list[ElementCall] = []
    position = 0
    if named := _LEADING_NAME.match(text):
        calls.append(ElementCall(named[1]))
        position = named.end()
    index = 0
    while index < len(tags):
        tag = tags[index]
        if tag.closes or text[position : tag.start].strip():
            raise ValueError("something else than elements")
        closing = _closing(tags, index)
        content = text[tag.end : tags[closing].start]
        if named and tag.name == "arg_key":
            value = tags[closing + 1] if closing + 1 < len(tags) else tag
            if value.name != "arg_value" or value.closes:
                raise ValueError("a key without a value")
            closing = _closing(tags, closing + 1)
            calls[-1].arguments[content.strip()] = _value(text[value.end : tags[closing].start], read_value)
        elif tag.name in _ARGUMENTS and tag.target and named:
            calls[-1].arguments[tag.target] = _value(content, read_value, is_text=tag.is_text)
        else:
            calls.append(_call(text, tag, tags[index + 1 : closing], tags[closing], read_value))
        position = tags[closing].end
        index = closing + 1
    if not calls or text[position:].strip():
        raise ValueError("something else than elements")
    return calls


def _call(text: str, opening: _Tag, inside: list[_Tag], closing: _Tag, read_value: Callable[[str], Any]) -> ElementCall:
    """Return the call in one element."""
    is_named = opening.name in _FUNCTIONS
    call = ElementCall(opening.target if is_named else opening.name)
    if not call.name or (opening.target and not is_named):
        raise ValueError("an element without the name of a function")
    position, index = opening.end, 0
    while index < len(inside):
        tag = inside[index]
        if tag.closes or text[position : tag.start].strip():
            raise ValueError("something else than arguments")
        end = _closing(inside, index)
        name = tag.target if tag.name in _ARGUMENTS else tag.name
        value = _value(text[tag.end : inside[end].start], read_value, is_text=tag.is_text)
        if name in call.arguments:
            known = call.arguments[name]
            value = [*(known if isinstance(known, list) else [known]), value]
        call.arguments[name] = value
        position, index = inside[end].end, end + 1
    call.content = text[position : closing.start].strip()
    if call.content and call.arguments:
        raise ValueError("something else than arguments")
    return call


def _tags_in(text: str) -> Iterator[_Tag]:
    for found in _TAG.finditer(text):
        attributes = found["attributes"] or ""
        target = _NAME_ATTRIBUTE.search(attributes)
        yield _Tag(
            found.start(),
            found.end(),
            found["name"],
            bool(found["closes"]),
            found["equals"] or (target[1] if target else ""),
            'string="true"' in attributes,  # DeepSeek V3.2
        )


def _closing(tags: list[_Tag], index: int) -> int:
    """Return the place of the tag that closes the one at `index`."""
    for place in range(index + 1, len(tags)):
        if tags[place].closes and tags[place].name == tags[index].name:
            return place
    raise ValueError("an element is not closed")


def _value(content: str, read_value: Callable[[str], Any], *, is_text: bool = False) -> Any:
    """Return an argument: as it says, where it says it in JSON or Python, else its text."""
    content = _ONE_LINE_BREAK.sub("", content)
    if is_text:
        return content
    try:
        return json.loads(content, strict=False)
    except (ValueError, RecursionError):
        pass
    if content.lstrip().startswith(("[", "{", "(", '"', "'", "“")):
        try:
            return read_value(content.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    return content.strip()
