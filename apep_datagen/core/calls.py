"""Tool calls as models write them, and as they are spelled: `add_memory(input_text=["a", "b"])`.

What a model may write is wide, and nothing that it writes raises: what cannot be understood as a call becomes a
`MalformedCall`, which is answered with an error result. Text is parsed with `ast` and `json`, never evaluated.
"""

from __future__ import annotations

import ast
import json
import keyword
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apep_datagen.core.elements import ElementCall, is_in_elements, read_elements
from apep_datagen.core.literals import mend_strings
from apep_datagen.core.messages import storable_text
from apep_datagen.core.tags import escape_tags, strip_tags

__all__ = ["MalformedCall", "ToolCall", "parse_calls", "render_call", "texts_in"]

# A call is a few lines; the bound keeps the parsers' cost and recursion small whatever a model writes.
_LONGEST_CALL = 20_000
_LARGEST_INTEGER_BITS = 256
# Far below what the recursion in `json` and in the functions here can take, from wherever they are called.
_DEEPEST_NESTING = 20
# The warning filters belong to the whole process; a caller may read answers in several threads.
_WARNING_FILTERS = threading.Lock()

_CODE_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# A call as `render_call` spells nearly all. What stands in its list is the same in Python and in JSON: strings without
# raw control characters, of whose escapes both understand the same, and whole numbers of a few digits.
_STRING = r'"(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\(?:["\\bfnrt]|u(?!d[89a-f])[0-9a-f]{4}))*+"'
_ITEM = rf"(?:{_STRING}|0|[1-9][0-9]{{0,8}})"
_USUAL_CALL = re.compile(rf"([A-Za-z_]\w*)\((?:([A-Za-z_]\w*)=(\[{_ITEM}(?:, {_ITEM})*+\]))?\)", re.ASCII)
# A name, and its arguments as JSON: Mistral, DeepSeek, Kimi, gpt-oss, Gemma, and prompts after ReAct. Between them may
# stand marks of these families.
_NAME_AND_JSON = re.compile(
    r"""
    (?:function\s*+<[^<>]{1,40}>\s*+)?(?:Action:\s*+|call:)?
    (?P<name>[A-Za-z_][\w.-]{0,80}+)(?::\d{1,4})?\s*+
    (?:(?:<[^<>]{1,60}>|\[[A-Z_]{4,20}\](?:\w{1,40}(?=\[))?)(?:json(?=<|\s))?\s*+){0,4}
    (?:Action\ Input:\s*+)?
    (?:```(?:json)?\s*+)?
    (?P<arguments>\{.*\})
    (?:\s*```)?
    """,
    re.VERBOSE | re.DOTALL,
)
# What stands before a tool's name where a model takes it for one of a library.
_NAMESPACE = re.compile(r"\A(?:default_api|functions|tools)\.")
_GEMMA_QUOTE = '<|"|>'
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that was understood.

    Attributes:
        name: The tool's name, known or not.
        arguments: Named arguments, as plain JSON values.
        positional: Arguments without a name, in order.
    """

    name: str
    arguments: dict[str, Any]
    positional: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return self.name


@dataclass(frozen=True, slots=True)
class MalformedCall:
    """A call that was not understood.

    Attributes:
        text: What stood in the tag.
        problem: What is wrong with it, for Ada.
    """

    text: str
    problem: str

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return self.text


def parse_calls(body: str) -> list[ToolCall | MalformedCall]:
    """Read what stands between `<tool_call>` and `</tool_call>`: at least one call. Never raises.

    Understood are Python call syntax (also several calls, one a line, or in a list), a bare tool name, JSON or a Python
    dictionary with `name` and `arguments` (also a list of them), in the shapes that model families give them, a name
    with its arguments as JSON behind it, and elements; a code fence around any of these is ignored.
    """
    text = body.strip()
    if len(text) > _LONGEST_CALL:
        beginning = strip_tags(text[:200])
        return [MalformedCall(beginning + "…", f"the call is longer than {_LONGEST_CALL} characters")]
    fenced = _CODE_FENCE.match(text)
    try:
        return list(_read_calls(fenced[1].strip() if fenced else text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        # SyntaxError and ValueError are what a wrong spelling gives; the others are how `ast` and `json` refuse
        # nesting that is too deep.
        without_tags = strip_tags(text)
        if without_tags != text:
            return parse_calls(without_tags)  # as it will be read again, where it is written without them
        return [MalformedCall(text, _problem(error))]


def _read_calls(text: str) -> list[ToolCall]:
    if usual := _usual_call(text):
        return usual
    if is_in_elements(text):
        return [_element_call(call) for call in read_elements(text, _literal)]
    if text.startswith(("{", "[")):
        return _json_calls(text)
    if found := _NAME_AND_JSON.fullmatch(text):
        return [_json_call({"name": found["name"], "arguments": _json_value(found["arguments"])})]
    return _python_calls(text)


def _problem(error: Exception) -> str:
    if isinstance(error, _NotACallError):
        return str(error)
    return 'the call cannot be read; write it as name(argument="value") or name(argument=["one", "two"])'


_NEEDS_NAME = 'a call in JSON form needs "name" and "arguments"'


class _NotACallError(ValueError):
    """The text is readable, but it is no call; the message says why, for Ada."""


def _usual_call(text: str) -> list[ToolCall] | None:
    """Read a call that is spelled as usual, as `_python_calls` does in several times the time; None if it is not."""
    found = _USUAL_CALL.fullmatch(text)
    if found is None or not _is_name(found[1]) or not _is_name(found[2] or found[1]):
        return None
    return [ToolCall(found[1], {found[2]: _plain(json.loads(found[3]))} if found[2] else {})]


def _json_calls(text: str) -> list[ToolCall]:
    """Read an object or a list; what stands in a list may also be in Python."""
    value = _json_value(text)
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    items = value if isinstance(value, list) else [value]
    if not items:
        raise _NotACallError("the list of calls is empty")
    return [item if isinstance(item, ToolCall) else _json_call(item) for item in items]


def _json_value(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return _literal(text.replace(_GEMMA_QUOTE, '"'))


def _json_call(item: Any) -> ToolCall:
    """Read a call as OpenAI, Hermes, Llama, Cohere and Apertus spell it in JSON."""
    if isinstance(item, dict) and isinstance(item.get("function"), dict):
        item = item["function"]
    if not isinstance(item, dict):
        raise _NotACallError(_NEEDS_NAME)
    name = next((item[key] for key in ("name", "tool_name", "function") if isinstance(item.get(key), str)), None)
    arguments: Any = next((item[key] for key in ("arguments", "parameters", "args", "input") if key in item), {})
    if name is None and len(item) == 1:
        ((name, arguments),) = item.items()  # {"add_memory": {…}}
        if not isinstance(arguments, dict):
            name = None
    if name is None:
        raise _NotACallError(_NEEDS_NAME)
    name = _NAMESPACE.sub("", name)
    if isinstance(arguments, str) and arguments.lstrip().startswith("{"):
        arguments = json.loads(arguments, strict=False)
    if arguments is None:
        arguments = {}
    if isinstance(arguments, dict):
        return _checked(ToolCall(name, arguments))
    return _checked(ToolCall(name, {}, tuple(arguments) if isinstance(arguments, list) else (arguments,)))


def _element_call(call: ElementCall) -> ToolCall:
    name = _NAMESPACE.sub("", call.name)
    if not call.content:
        return _checked(ToolCall(name, call.arguments))
    return _json_call(
        {"name": name, "arguments": _json_value(call.content) if call.content[0] == "{" else call.content}
    )


def _python_calls(text: str) -> list[ToolCall]:
    return [_python_call(statement) for statement in _parse(text)]


def _parse(text: str) -> list[ast.expr]:
    """Parse `text` as Python expressions, one a line; quotation marks and line breaks inside strings are mended."""
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # "\d" in a model's string is no concern of ours
        warnings.simplefilter("ignore", DeprecationWarning)  # what Python 3.11 calls the same
        try:
            module = ast.parse(text)
        except SyntaxError:
            module = ast.parse(mend_strings(text))
    if not module.body:
        raise _NotACallError("there is no call in the tag")
    expressions = []
    for statement in module.body:
        if not isinstance(statement, ast.Expr):
            raise _NotACallError("only tool calls may stand in the tag")
        expressions.append(statement.value)
    return expressions


def _python_call(expression: ast.expr) -> ToolCall:
    if isinstance(expression, ast.Name):
        return _checked(ToolCall(expression.id, {}))
    if not isinstance(expression, ast.Call):
        raise _NotACallError(_ONLY_CALLS)
    name = _function_name(expression.func)
    if name == "print" and not expression.keywords and [type(value) for value in expression.args] == [ast.Call]:
        return _python_call(expression.args[0])  # Gemini writes print(default_api.add_memory(…))
    arguments: dict[str, Any] = {}
    for argument in expression.keywords:
        if argument.arg is None:
            raise _NotACallError("** is not understood in a call; name each argument")
        if argument.arg in arguments:
            raise _NotACallError(f"{argument.arg} was given twice")
        arguments[argument.arg] = ast.literal_eval(argument.value)
    positional = tuple(ast.literal_eval(value) for value in expression.args)
    return _checked(ToolCall(name, arguments, positional))


_ONLY_CALLS = 'only tool calls may stand in the tag, spelled name(argument="value")'


def _function_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return _NAMESPACE.sub("", f"{function.value.id}.{function.attr}")
    if not isinstance(function, ast.Name):
        raise _NotACallError(_ONLY_CALLS)
    return function.id


def _literal(text: str) -> Any:
    """Read a value in Python, or in JSON with mistakes; a call in a list is read as such."""
    (expression,) = _parse(text)
    if isinstance(expression, ast.List) and any(isinstance(item, ast.Call) for item in expression.elts):
        return [_python_call(item) for item in expression.elts]
    return _value(expression)


def _value(expression: ast.expr) -> Any:
    if isinstance(expression, ast.Dict):
        keys = [key.id if isinstance(key, ast.Name) else _value(key) for key in expression.keys if key is not None]
        return dict(zip(keys, map(_value, expression.values), strict=True))
    if isinstance(expression, ast.List):
        return [_value(item) for item in expression.elts]
    if isinstance(expression, ast.Name) and expression.id in _CONSTANTS:
        return _CONSTANTS[expression.id]
    return ast.literal_eval(expression)


def _checked(call: ToolCall) -> ToolCall:
    """Return `call` if it can be spelled again, with tuples made lists."""
    if not _is_name(call.name):
        raise _NotACallError(f"{call.name!r} is not the name of a tool")
    for name in call.arguments:
        if not _is_name(name):
            raise _NotACallError(f"{name!r} is not the name of an argument")
    plain = {name: _plain(value) for name, value in call.arguments.items()}
    return ToolCall(call.name, plain, tuple(_plain(value) for value in call.positional))


def _is_name(name: Any) -> bool:
    """Tell whether `name` can stand in Python call syntax."""
    return (
        isinstance(name, str)
        and _IDENTIFIER.fullmatch(name) is not None
        and not keyword.iskeyword(name)
        and name != "__debug__"
    )


def _plain(value: Any, depth: int = 0) -> Any:
    """Return `value` as JSON values only."""
    if depth > _DEEPEST_NESTING:
        raise _NotACallError(f"a value is nested more than {_DEEPEST_NESTING} levels deep")
    if isinstance(value, str):
        return storable_text(value)
    if value is None or (isinstance(value, int) and value.bit_length() <= _LARGEST_INTEGER_BITS):
        return value
    if isinstance(value, float) and value - value == 0:  # neither infinite nor NaN
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {storable_text(key): _plain(item, depth + 1) for key, item in value.items()}
    raise _NotACallError(f"a value of type {type(value).__name__} is not understood in a call")


def render_call(call: ToolCall) -> str:
    """Spell a call in the one canonical way, e.g. `add_memory(input_text=["a", "b"])`."""
    parts = [_spell(value) for value in call.positional]
    parts += [f"{name}={_spell(value)}" for name, value in call.arguments.items()]
    return f"{call.name}({', '.join(parts)})"


def _spell(value: Any) -> str:
    if isinstance(value, str):
        return escape_tags(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return f"[{', '.join(_spell(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_spell(key)}: {_spell(item)}' for key, item in value.items())}}}"
    return repr(value)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a value of JSON, such as a result or a call's arguments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
