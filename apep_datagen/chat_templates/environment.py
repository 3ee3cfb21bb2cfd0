"""The Jinja environment in which transformers renders chat templates, with an end to what a template may cost.

It is that of transformers 5.24 (`utils/chat_template_utils.py`): the same sandbox, filters, functions and tags.

A template is a program of somebody else. The sandbox keeps it from everything but the messages; but it could also run
for ever, or fill the memory. So every few turns of a loop, or calls, it is looked at how long the row takes; and what
grows is measured where it grows: where texts or lists are joined or repeated, and where output is gathered. Beyond what
no real template comes near, it is an `EndlessTemplateError`. What is left to a template is a single step that is too
large for the memory: that ends by itself, with a `MemoryError`.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes, runtime
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

__all__ = ["EndlessTemplateError", "compiled", "rendered"]

_MOST_SECONDS = 20.0
"""Of the processor, for one row; others take some milliseconds. What a machine does beside this plays no part."""
_TURNS_BETWEEN_LOOKS = 64
_MOST_CHARACTERS = 50_000_000
_MOST_BITS = 10_000


class EndlessTemplateError(Exception):
    """A template ran for longer, or made more, than any that comes to an end."""


@dataclass(slots=True)
class _Rendering:
    """A rendering under way.

    Attributes:
        began: How many seconds of the processor this thread had had by then.
        turns: How many turns of loops, and calls, there were.
        length: How many characters it has written.
        spans: Where what stands between generation tags begins and ends in the text.
    """

    began: float = field(default_factory=time.thread_time)
    turns: int = 0
    length: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)

    def count_turn(self) -> None:
        """Count a turn of a loop, or a call; raise `EndlessTemplateError` where that takes for ever."""
        self.turns += 1
        if self.turns % _TURNS_BETWEEN_LOOKS == 0 and time.thread_time() - self.began > _MOST_SECONDS:
            raise EndlessTemplateError(f"a row takes more than {_MOST_SECONDS:g} s of the processor")


_RENDERING: ContextVar[_Rendering | None] = ContextVar("rendering", default=None)


def _check_size(size: int) -> None:
    if size > _MOST_CHARACTERS:
        raise EndlessTemplateError(f"it makes a text or a list of more than {_MOST_CHARACTERS:,} parts")


def _size(value: object) -> int:
    return len(value) if isinstance(value, (str, list, tuple)) else 0


def _size_of_product(left: object, right: object) -> int:
    """Return how long a text or a list is that is repeated."""
    if isinstance(right, int):
        return _size(left) * right
    return _size(right) * left if isinstance(left, int) else 0


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


class _Generation(Extension):
    """`{% generation %}`: notes where in the text that stands which a model is to say."""

    tags = frozenset({"generation"})  # type: ignore[assignment]  # Jinja says a set; it only looks into it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_inside"), [], [], body).set_lineno(line)

    def _inside(self, caller: Callable[[], str]) -> str:
        text = caller()
        rendering = _RENDERING.get()
        if rendering is not None:
            rendering.spans.append((rendering.length, rendering.length + len(text)))
        return text


class _Generator(CodeGenerator):
    """Has every turn of a loop counted, and measures what `~` joins."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - the name that Jinja looks for
        turn = nodes.Call(nodes.EnvironmentAttribute("turn"), [], [], None, None).set_lineno(node.lineno)
        node.body.insert(0, nodes.ExprStmt(turn).set_lineno(node.lineno))
        if node.test is not None:  # looks at every item before the loop has one
            node.test = nodes.And(turn, node.test).set_lineno(node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - as above
        self.write("environment.join((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    # What is intercepted is not worked out beforehand, while a template is compiled.
    intercepted_binops = frozenset({"+", "*", "**"})

    def call(*args: Any, **keywords: Any) -> Any:  # a template may name an argument `self`
        if (rendering := _RENDERING.get()) is not None:
            rendering.count_turn()
        return ImmutableSandboxedEnvironment.call(*args, **keywords)

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+":
            result = super().call_binop(context, operator, left, right)
            _check_size(_size(result))
            return result
        if operator == "*":
            _check_size(_size_of_product(left, right))
        if (operator == "**" and _bits(left) * abs(right) > _MOST_BITS) or _bits(left) + _bits(right) > _MOST_BITS:
            raise EndlessTemplateError("it reckons with a number of thousands of digits")
        return super().call_binop(context, operator, left, right)

    def turn(self) -> bool:
        """Return True; stands at the beginning of every turn of a loop, as a call, which is counted."""
        return True

    def join(self, parts: Iterable[Any]) -> str:
        """Return what `~` makes of its sides."""
        return self.concat(map(str, parts))

    def concat(self, parts: Iterable[str]) -> str:
        """Return the parts as one text: what is gathered in a macro, a `{% set %}` or a block."""
        texts = list(parts)
        _check_size(sum(map(len, texts)))
        return "".join(texts)


class _Dictionary:
    """`dict`, without the attributes of the class."""

    def __call__(self, *args: Any, **keywords: Any) -> dict[Any, Any]:
        return dict(*args, **keywords)

    def fromkeys(self, *args: Any, **keywords: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args, **keywords)


class _Namespace(Namespace):
    """`namespace`, without names that begin with an underscore."""

    def __init__(*args: Any, **keywords: Any) -> None:  # `namespace(self=…)` is to work, as in Jinja
        self, *others = args
        attributes = dict(*others, **keywords)
        for name in attributes:
            _check_name(name)
        Namespace.__init__(self, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError(f"a namespace has no attribute {name!r}")


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - templates may give them by their places
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002 - as above
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _strftime_now(form: str) -> str:
    return datetime.datetime.now().strftime(form)  # noqa: DTZ005 - as transformers: the time of this place


def _environment() -> jinja2.Environment:
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    del environment.globals["lipsum"]  # paragraphs without number in a single call
    environment.filters["tojson"] = _to_json
    environment.globals.update(
        raise_exception=_raise_exception, strftime_now=_strftime_now, dict=_Dictionary(), namespace=_Namespace
    )
    return environment


@lru_cache(maxsize=64)
def compiled(source: str) -> jinja2.Template:
    """Return a template that is ready to be rendered.

    Raises:
        jinja2.TemplateSyntaxError: It is no template.
    """
    return _environment().from_string(source)


def rendered(template: jinja2.Template, variables: Mapping[str, Any]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text that a template makes, and where in it the parts between generation tags begin and end.

    Raises:
        EndlessTemplateError: It ran for longer, or made more, than any that comes to an end.
        Exception: Whatever the template raised.
    """
    with _rendering() as rendering:
        parts = []
        for part in template.generate(variables):
            rendering.length += len(part)
            _check_size(rendering.length)
            parts.append(part)
        return "".join(parts), tuple(rendering.spans)


@contextmanager
def _rendering() -> Iterator[_Rendering]:
    rendering = _Rendering()
    token = _RENDERING.set(rendering)
    try:
        yield rendering
    finally:
        _RENDERING.reset(token)
