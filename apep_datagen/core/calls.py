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

from apep_datagen.core.messages import storable_text
from apep_datagen.core.tags import escape_tags, strip_tags

__all__ = ["MalformedCall", "ToolCall", "leading_call", "parse_calls", "render_call"]

# A call is a few lines; the bound keeps the parsers' cost and recursion small whatever a model writes.
_LONGEST_CALL = 20_000
_LARGEST_INTEGER_BITS = 256
# Far below what the recursion in `json` and in the functions here can take, from wherever they are called.
_DEEPEST_NESTING = 20
# The warning filters belong to the whole process; a caller may read answers in several threads.
_WARNING_FILTERS = threading.Lock()

_CODE_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_AFTER_STRING = re.compile(r"\s*(?:[,:)\]}]|\Z)")
# A call as `render_call` spells nearly all. What stands in its list is the same in Python and in JSON: strings without
# raw control characters, of whose escapes both understand the same, and whole numbers of a few digits.
_STRING = r'"(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\(?:["\\bfnrt]|u(?!d[89a-f])[0-9a-f]{4}))*+"'
_ITEM = rf"(?:{_STRING}|0|[1-9][0-9]{{0,8}})"
_USUAL_CALL = re.compile(rf"([A-Za-z_]\w*)\((?:([A-Za-z_]\w*)=(\[{_ITEM}(?:, {_ITEM})*+\]))?\)", re.ASCII)
_CALL_START = re.compile(r"\s*[A-Za-z_]\w*\s*\(", re.ASCII)


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

    Understood are Python call syntax (also several calls, one a line), a bare tool name, and JSON or a Python
    dictionary with `name` and `arguments` (also a list of them); a code fence around any of these is ignored.
    """
    text = body.strip()
    if fenced := _CODE_FENCE.match(text):
        text = fenced[1].strip()
    if len(text) > _LONGEST_CALL:
        return [MalformedCall(text[:200] + "…", f"the call is longer than {_LONGEST_CALL} characters")]
    try:
        calls = _usual_call(text) or _json_calls(text)
        if calls is None:
            calls = _python_calls(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        # SyntaxError and ValueError are what a wrong spelling gives; the others are how `ast` and `json` refuse
        # nesting that is too deep.
        return [MalformedCall(strip_tags(text), _problem(error))]
    return list(calls)


def _problem(error: Exception) -> str:
    if isinstance(error, _NotACallError):
        return str(error)
    return 'the call cannot be read; write it as name(argument="value") or name(argument=["one", "two"])'


class _NotACallError(ValueError):
    """The text is readable, but it is no call; the message says why, for Ada."""


def _usual_call(text: str) -> list[ToolCall] | None:
    """Read a call that is spelled as usual, as `_python_calls` does in several times the time; None if it is not."""
    found = _USUAL_CALL.fullmatch(text)
    if found is None or not _is_name(found[1]) or not _is_name(found[2] or found[1]):
        return None
    return [ToolCall(found[1], {found[2]: _plain(json.loads(found[3]))} if found[2] else {})]


def _json_calls(text: str) -> list[ToolCall] | None:
    """Read calls in JSON form; None if the text does not begin as one."""
    if not text.startswith(("{", "[")):
        return None
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        value = _literal(text)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise _NotACallError("the list of calls is empty")
    return [_json_call(item) for item in items]


def _json_call(item: Any) -> ToolCall:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise _NotACallError('a call in JSON form needs "name" and "arguments"')
    arguments = item.get("arguments", item.get("parameters", {}))
    if isinstance(arguments, str) and arguments.lstrip().startswith("{"):
        arguments = json.loads(arguments, strict=False)
    if arguments is None:
        arguments = {}
    if isinstance(arguments, dict):
        return _checked(ToolCall(item["name"], arguments))
    return _checked(ToolCall(item["name"], {}, tuple(arguments) if isinstance(arguments, list) else (arguments,)))


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
            module = ast.parse(_mend_strings(text))
    if not module.body:
        raise _NotACallError("there is no call in the tag")
    expressions = []
    for statement in module.body:
        if not isinstance(statement, ast.Expr):
            raise _NotACallError("only tool calls may stand in the tag")
        expressions.append(statement.value)
    return expressions


def _mend_strings(text: str) -> str:
    """Escape what a model forgot to escape inside strings: line breaks, and quotation marks that cannot end them."""
    mended: list[str] = []
    quote = ""
    escaped = False
    for index, character in enumerate(text):
        if not quote:
            quote = character if character in "\"'" else ""
            mended.append(character)
        elif escaped:
            escaped = False
            mended.append(character)
        elif character == "\n":
            mended.append("\\n")
        elif character == quote and not _closes_string(text, index):
            mended.append("\\" + character)
        else:
            escaped = character == "\\"
            quote = "" if character == quote else quote
            mended.append(character)
    return "".join(mended)


def _python_call(expression: ast.expr) -> ToolCall:
    if isinstance(expression, ast.Name):
        return _checked(ToolCall(expression.id, {}))
    if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Name):
        raise _NotACallError('only tool calls may stand in the tag, spelled name(argument="value")')
    arguments: dict[str, Any] = {}
    for argument in expression.keywords:
        if argument.arg is None:
            raise _NotACallError("** is not understood in a call; name each argument")
        if argument.arg in arguments:
            raise _NotACallError(f"{argument.arg} was given twice")
        arguments[argument.arg] = ast.literal_eval(argument.value)
    positional = tuple(ast.literal_eval(value) for value in expression.args)
    return _checked(ToolCall(expression.func.id, arguments, positional))


def _literal(text: str) -> Any:
    (expression,) = _parse(text)
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


def leading_call(body: str) -> str:
    """Return the call that `body` begins with, where no closing tag says how far it goes."""
    start = len(body) - len(body.lstrip())
    if body[start : start + 1] == "{":
        try:
            _, end = json.JSONDecoder().raw_decode(body, start)
        except (ValueError, RecursionError):
            return body
        return body[start:end]
    if not _CALL_START.match(body):
        first_line = body.strip().partition("\n")[0].strip()
        return first_line if _IDENTIFIER.fullmatch(first_line) else body
    depth = 0
    for index, character, in_string in _scan(body):
        if in_string:
            continue
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return body[: index + 1]
    return body


def _scan(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield each character with its index and whether it belongs to a string literal."""
    quote = ""
    escaped = False
    for index, character in enumerate(text):
        if quote:
            yield index, character, True
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote and _closes_string(text, index):
                quote = ""
        else:
            if character in "\"'":
                quote = character
            yield index, character, bool(quote)


def _closes_string(text: str, index: int) -> bool:
    """Tell whether the quotation mark at `index` can end a string: only `,`, `:` or a bracket may follow, or the end.

    Models write `['User's cat']`: the first apostrophe after `User` is followed by a letter and cannot be the end.
    """
    return _AFTER_STRING.match(text, index + 1) is not None
