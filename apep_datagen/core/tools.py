"""Ada's tools: one registered function each, with a typed signature from which the text that she is told is made.

A call goes through two stages. `canonical_call` fits what a model wrote to the tool's signature (pure); `run_call`
executes it on a notebook and returns its result. A call that does not fit gets an error result that tells Ada what was
wrong, as a real tool would; nothing that a model can write raises.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.notebook import Notebook, ShelfName

__all__ = [
    "LISTING_TOOLS",
    "ToolError",
    "canonical_call",
    "describe_tools",
    "run_call",
    "tool_names",
    "tool_schemas",
    "tool_signatures",
]

_MOST_TEXTS = 20
_LONGEST_TEXT = 2_000


class ToolError(Exception):
    """A call cannot be carried out; the message is for Ada."""


LISTING_TOOLS = frozenset({"recall_memories", "recall_diary"})
"""The tools that list all that there is of one kind."""

ToolFunction = Callable[..., dict[str, Any]]
_TOOLS: dict[str, ToolFunction] = {}
_PARAMETERS: dict[str, dict[str, type]] = {}


def _tool(function: ToolFunction) -> ToolFunction:
    """Register a tool: its name, its docstring and its parameters after the notebook are what Ada is told."""
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters)[1:]
    name = function.__name__
    _TOOLS[name] = function
    # A parameter is a list; what counts is the type of its elements.
    _PARAMETERS[name] = {parameter: typing.get_args(hints[parameter])[0] for parameter in parameters}
    return function


@_tool
def add_memory(notebook: Notebook, input_text: list[str]) -> dict[str, Any]:
    """Store lasting facts about the user, one text for each."""
    return _add(notebook, "memory", input_text)


@_tool
def recall_memories(notebook: Notebook) -> dict[str, Any]:
    """List everything in your memory, numbered and dated, oldest first."""
    return _recall(notebook, "memory", "memories")


@_tool
def delete_memory(notebook: Notebook, indices: list[int]) -> dict[str, Any]:
    """Delete memories by the numbers that the list shows."""
    return _delete(notebook, "memory", indices, "memory")


@_tool
def add_diary(notebook: Notebook, input_text: list[str]) -> dict[str, Any]:
    """Write pages into your own diary, one text for each."""
    return _add(notebook, "diary", input_text)


@_tool
def recall_diary(notebook: Notebook) -> dict[str, Any]:
    """List all pages of your diary, numbered and dated, oldest first."""
    return _recall(notebook, "diary", "pages")


@_tool
def delete_diary(notebook: Notebook, indices: list[int]) -> dict[str, Any]:
    """Delete diary pages by the numbers that the list shows."""
    return _delete(notebook, "diary", indices, "diary page")


def _add(notebook: Notebook, shelf: ShelfName, texts: list[str]) -> dict[str, Any]:
    texts = [text.strip() for text in texts]
    if not all(texts):
        raise ToolError("input_text holds an empty text; nothing was added")
    if len(texts) > _MOST_TEXTS:
        raise ToolError(f"input_text holds {len(texts)} texts, at most {_MOST_TEXTS} are possible; nothing was added")
    if any(len(text) > _LONGEST_TEXT for text in texts):
        raise ToolError(f"a text is longer than {_LONGEST_TEXT} characters; nothing was added")
    return {"added": len(texts), "indices": notebook.add(shelf, texts)}


def _recall(notebook: Notebook, shelf: ShelfName, plural: str) -> dict[str, Any]:
    notes = [{"index": note.index, "date": note.date, "text": note.text} for note in notebook.on(shelf)]
    return {plural: notes} if notes else {plural: [], "message": f"There are no {plural} yet."}


def _delete(notebook: Notebook, shelf: ShelfName, indices: list[int], singular: str) -> dict[str, Any]:
    notes = {note.index: note for note in notebook.on(shelf)}
    wanted = sorted(set(indices))
    missing = [index for index in wanted if index not in notes]
    if missing:
        there = f"the indices go from 1 to {len(notes)}" if notes else "there is none at all"
        raise ToolError(f"there is no {singular} with index {missing[0]} ({there}); nothing was deleted")
    notebook.delete(shelf, wanted)
    return {"deleted": [{"index": index, "text": notes[index].text} for index in wanted]}


def tool_names() -> list[str]:
    """Return the names of all tools."""
    return list(_TOOLS)


def describe_tools() -> str:
    """Return how Ada's tools are called and what they do, one a line."""
    return "\n".join(f"{_signature(name)}: {inspect.getdoc(function)}" for name, function in _TOOLS.items())


def tool_signatures() -> str:
    """Return how Ada's tools are called, one a line."""
    return "\n".join(map(_signature, _TOOLS))


_JSON_TYPES = {str: "string", int: "integer"}
_EXPLANATIONS = {"input_text": "The texts, one for each.", "indices": "Numbers of the list, from 1."}


def tool_schemas() -> list[dict[str, Any]]:
    """Return Ada's tools as APIs are told of them: one function each, its parameters as a JSON schema.

    The form is that of https://platform.openai.com/docs/guides/function-calling.
    """
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": inspect.getdoc(function),
                "parameters": {
                    "type": "object",
                    "properties": {
                        parameter: {
                            "type": "array",
                            "items": {"type": _JSON_TYPES[kind]},
                            "description": _EXPLANATIONS[parameter],
                        }
                        for parameter, kind in _PARAMETERS[name].items()
                    },
                    "required": list(_PARAMETERS[name]),
                },
            },
        }
        for name, function in _TOOLS.items()
    ]


def _signature(name: str) -> str:
    examples = {str: '["…", "…"]', int: "[1, 2]"}
    arguments = ", ".join(f"{parameter}={examples[kind]}" for parameter, kind in _PARAMETERS[name].items())
    return f"{name}({arguments})"


def canonical_call(call: ToolCall | MalformedCall) -> ToolCall | MalformedCall:
    """Return the call with every argument named and every list a list, or as it is if it does not fit its tool."""
    try:
        return _fit(call)
    except ToolError:
        return call


def run_call(call: ToolCall | MalformedCall, notebook: Notebook) -> dict[str, Any]:
    """Execute one call on `notebook` and return its result, or `{"error": …}` where it cannot be carried out."""
    try:
        fitted = _fit(call)
        return _TOOLS[fitted.name](notebook, **fitted.arguments)
    except ToolError as error:
        return {"error": str(error)}


def _fit(call: ToolCall | MalformedCall) -> ToolCall:
    if isinstance(call, MalformedCall):
        raise ToolError(call.problem)
    parameters = _PARAMETERS.get(call.name)
    if parameters is None:
        raise ToolError(f"there is no tool {call.name}; the tools are {', '.join(_TOOLS)}")
    values: dict[str, Any] = dict(zip(parameters, call.positional, strict=False))
    spare = call.positional[len(parameters) :]
    if spare and len(parameters) == 1 and not any(isinstance(value, list) for value in call.positional):
        values = {next(iter(parameters)): list(call.positional)}  # add_memory("a", "b") can only mean a list
    elif spare:
        raise ToolError(f"{call.name} takes {len(parameters)} argument(s), {len(call.positional)} were given")
    for name, value in call.arguments.items():
        if name not in parameters:
            known = f"its argument is {', '.join(parameters)}" if parameters else "it takes none"
            raise ToolError(f"{call.name} has no argument {name}; {known}")
        if name in values:
            raise ToolError(f"{call.name} was given {name} twice")
        values[name] = value
    for name in parameters:
        if name not in values:
            raise ToolError(f"{call.name} needs its argument {name}")
    return ToolCall(call.name, {name: _list_of(kind, name, values[name]) for name, kind in parameters.items()})


def _list_of(kind: type, name: str, value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ToolError(f"{name} is an empty list")
    return [_element(kind, name, item) for item in items]


def _element(kind: type, name: str, item: Any) -> Any:
    if isinstance(item, kind) and not isinstance(item, bool):
        return item
    if kind is int:
        if isinstance(item, float) and item.is_integer():
            return int(item)
        if isinstance(item, str) and item.strip().isascii() and item.strip().isdigit() and len(item) < 10:  # noqa: PLR2004 - no index has ten digits
            return int(item)
        raise ToolError(f"{name} must be a list of whole numbers, e.g. {name}=[1, 2]")
    raise ToolError(f'{name} must be a list of texts, e.g. {name}=["…"]')
