"""Writes the tables of the documentation that are made from the code: options, configuration keys, exit statuses.

    uv run python docs/reference.py            rewrite the tables
    uv run python docs/reference.py --check    exit with 1 where a page is stale, and change nothing

A page says where a table goes:

    <!-- made by docs/reference.py: options -->
    <!-- end -->

What a table says stands in the code alone: the help of an option in `apep_datagen/cli/options.py`, the meaning of a
key in the docstring of its section in `apep_datagen/config/`, that of an exit status in the docstring of the
error in `apep_datagen/core/errors.py`.
"""

from __future__ import annotations

import argparse
import datetime
import enum
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import annotated_types
import typer
import typer.core
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from apep_datagen.cli.app import app
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.secrets import KEY_SOURCES, environment_variable
from apep_datagen.config.settings import RolesSettings, ScenariosSettings, Settings
from apep_datagen.config.settings_file import BUILT_IN_PROVIDERS
from apep_datagen.core.errors import ApepError
from apep_datagen.core.messages import ModelRole

__all__ = ["REGIONS", "commands", "configuration_keys", "exit_statuses", "pages", "rendered"]

PROGRAM: Final = "apep-datagen"
_REPOSITORY = Path(__file__).parent.parent
_BEGINNING = "<!-- made by docs/reference.py: {name} -->"
_END = "<!-- end -->"
_REGION = re.compile(r"<!-- made by docs/reference\.py: ([a-z ]+) -->\n.*?<!-- end -->", re.DOTALL)

# Statuses that belong to no error.
_STATUSES_WITHOUT_ERROR = {
    0: "The output holds as many conversations as it shall.",
    7: "`apep-datagen verify` found something; `export` or `import` lost something, or a chat template would or refuses"
    " every row; `export` wrote no row.",
    130: "Stopped by Ctrl-C; everything is saved.",
    143: "Stopped by SIGTERM, or SIGHUP (a terminal that was closed); everything is saved.",
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    columns = list(header)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# Options.


def commands() -> dict[str, typer.core.TyperCommand]:
    """Return all commands by what is typed, the one that makes conversations first."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)  # noqa: S101 - the program has subcommands
    # A group is a command that has options of its own.
    found = {PROGRAM: typing.cast("typer.core.TyperCommand", group)}
    for name, command in group.commands.items():
        inner = command.commands if isinstance(command, typer.core.TyperGroup) else {}
        found |= {
            f"{PROGRAM} {name} {below}": typing.cast("typer.core.TyperCommand", each) for below, each in inner.items()
        }
        if not inner:
            found[f"{PROGRAM} {name}"] = typing.cast("typer.core.TyperCommand", command)
    return found


def _options() -> str:
    every = commands()
    of_a_run = [_spelled(parameter) for parameter in every[PROGRAM].params]
    parts = []
    for name, command in every.items():
        parameters = command.params
        parts.append(f"### `{name}`")
        parts.append(command.short_help or "Make conversations until the output holds as many as it shall.")
        if name != PROGRAM and [_spelled(parameter) for parameter in parameters] == of_a_run:
            parts.append(f"It takes the options of `{PROGRAM}`.")
        else:
            rows = [_option_row(parameter) for parameter in parameters]
            rows.append(("`--help`, `-h`", "Print what there is.", ""))
            parts.append(table(("option", "meaning", "default"), rows))
        if command.epilog:
            parts.append(command.epilog)
    return "\n\n".join(parts)


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    names = [*parameter.opts]
    if parameter.metavar:
        names[0] += f" {parameter.metavar}"
    return ", ".join(f"`{name}`" for name in names)


def _option_row(parameter: Any) -> tuple[str, str, str]:
    words, _, default = parameter.help.partition(" [default: ")
    return _spelled(parameter), words, default.removesuffix("]")


# Configuration keys.


def configuration_keys() -> dict[str, type[BaseModel]]:
    """Return the models of all sections, by the section's name in the file."""
    return dict(_sections("", Settings))


def _sections(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the sections of a model; a model of sections alone, like `[roles]`, is described by those."""
    for name, field in model.model_fields.items():
        kind, is_table = _model_of(field)
        if kind is None or _is_inline(kind):
            continue
        section = f"{prefix}{name}.NAME" if is_table else f"{prefix}{name}"
        inner = [_model_of(each)[0] for each in kind.model_fields.values()]
        if len(inner) > 1 and inner[0] is not None and all(each and issubclass(each, inner[0]) for each in inner):
            yield f"{section}.ROLE", inner[0]
            for role, each in zip(kind.model_fields, inner, strict=True):
                if each is not None and each is not inner[0]:
                    yield f"{section}.{role}", each
            continue
        yield section, kind
        yield from _sections(f"{section}.", kind)


def _model_of(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that a key holds, and whether it holds a table of them."""
    for part in _without_none(field.annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part, False
        if typing.get_origin(part) is dict:
            value = typing.get_args(part)[1]
            if isinstance(value, type) and issubclass(value, BaseModel):
                return value, True
    return None, False


def _is_inline(model: type[BaseModel]) -> bool:
    """Tell whether a model is written as `{ … }` behind its key: one in which every key is needed."""
    return all(field.is_required() for field in model.model_fields.values()) and len(model.model_fields) > 1


def _configuration() -> str:
    parts = []
    for section, model in configuration_keys().items():
        is_role = section == _ROLES
        rows = []
        for name, field in model.model_fields.items():
            kind, is_table = _model_of(field)
            if any(name in base.model_fields for base in model.__mro__[1:] if issubclass(base, BaseModel)):
                continue  # it stands where all of that kind are described
            if kind is None or _is_inline(kind):  # else it has a section of its own
                default = _default_by_role(name) if is_role else _default(model, name, field)
                rows.append((f"`{name}`", _type(field, is_table=is_table), default, _meaning(model, name)))
        summary, _ = _docstring(model)
        parts.append(f"### `[{section}]`")
        parts.append(_upper(summary.partition(": ")[2]) + (f" {_roles()}" if is_role else ""))
        parts.append(table(("key", "value", "default", "meaning"), rows))
    return "\n\n".join(parts)


_ROLES = "roles.ROLE"


def _roles() -> str:
    _, meanings = _docstring(RolesSettings)
    *others, last = (f"`{role}` ({_lower(meanings[role])})" for role in RolesSettings.model_fields)
    return f"`ROLE` is {', '.join(others)} or {last}."


def _default_by_role(name: str) -> str:
    roles = Settings().roles
    values = {role: _value(getattr(roles.of(role), name)) for role in ModelRole}
    if len(set(values.values())) == 1:
        return values[ModelRole.ADA]
    return ", ".join(f"{value} ({role.value})" for role, value in values.items())


def _docstring(model: type[BaseModel]) -> tuple[str, Mapping[str, str]]:
    """Return the first line of a model's docstring, and what its list of attributes says, by name."""
    text = inspect.getdoc(model) or ""
    summary, _, attributes = text.partition("\nAttributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE)
    return " ".join(summary.split()), {name: " ".join(meaning.split()) for name, meaning in entries}


def _meaning(model: type[BaseModel], name: str) -> str:
    _, meanings = _docstring(model)
    if name not in meanings:
        raise SystemExit(f"{model.__module__}.{model.__name__}: the docstring's Attributes say nothing about {name}")
    # An option that sets the key as well is named at the end.
    words = re.sub(r"(?<!`)(--[a-z-]+)(?!`)", r"`\1`", meanings[name])
    kind, _ = _model_of(model.model_fields[name])
    if kind is None or not _is_inline(kind):
        return words
    summary, _ = _docstring(kind)
    keys = ", ".join(f"`{key}` {_lower(_meaning(kind, key))}" for key in kind.model_fields)
    return f"{words} {summary.rstrip('.')}: {keys}."


def _default(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    if model is ScenariosSettings and name == "mix":
        return ", ".join(f"`{ability.value}` {share:g}" for ability, share in ScenariosSettings().shares.items())
    if model is ProviderSettings and name in {"kind", "model", "max_in_flight", *_LIMITS}:
        return "[by provider](providers-and-limits.md#the-built-in-providers)"
    if field.is_required():
        return "must be there"
    return _value(field.default)


_LIMITS = ("requests_per_second", "tokens_per_minute")


def _value(value: object) -> str:
    if value is None or value in ({}, ()):
        return "not set"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(part) for part in value)}]`"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _type(field: FieldInfo, *, is_table: bool) -> str:
    """Say in words what a key may hold."""
    kind, _ = _model_of(field)
    if kind is not None:
        keys = ", ".join(f"{name} = …" for name in kind.model_fields)
        return f"for each model `{{ {keys} }}`" if is_table else f"`{{ {keys} }}`"
    return " or ".join(_words(part, field.metadata) for part in _without_none(field.annotation))


def _words(part: Any, metadata: list[Any]) -> str:
    origin, arguments = typing.get_origin(part), typing.get_args(part)
    if origin is typing.Annotated:
        return _words(arguments[0], [constraint for each in arguments[1:] for constraint in _constraints(each)])
    if origin is typing.Literal:
        *others, last = (f"`{value}`" for value in arguments)
        return f"{', '.join(others)} or {last}"
    if origin is tuple and arguments[-1] is ...:
        return f"`[…]` of {_words(arguments[0], [])}"
    if origin is tuple:
        return f"`[…, …]`, each a {_words(arguments[0], [])}"
    if origin is dict:
        names, values = arguments
        what = "ability" if isinstance(names, type) and issubclass(names, enum.Enum) else "name"
        return f"for each {what} a {'value' if values is Any else _words(values, [])}"
    spelled = {int: "whole number", float: "number", str: "text", datetime.date: "day, `YYYY-MM-DD`"}[part]
    return f"{spelled}{_bounds(metadata)}"


def _constraints(metadata: Any) -> list[Any]:
    return metadata.metadata if isinstance(metadata, FieldInfo) else [metadata]


def _bounds(metadata: list[Any]) -> str:
    least = next((each.ge for each in metadata if isinstance(each, annotated_types.Ge)), None)
    most = next((each.le for each in metadata if isinstance(each, annotated_types.Le)), None)
    above = next((each.gt for each in metadata if isinstance(each, annotated_types.Gt)), None)
    words = f" from {least:,} to {most:,}" if least is not None and most is not None else ""
    if not words:
        words += f" above {above:,}" if above is not None else ""
        words += f" of at least {least:,}" if least is not None else ""
        words += f", at most {most:,}" if most is not None else ""
    # Other bounds say nothing to a user: what a database can hold, or that an empty text is none.
    is_address = any(str(getattr(each, "pattern", "")).startswith("^http") for each in metadata)
    return words + (" that begins with `http://` or `https://`" if is_address else "")


def _without_none(annotation: Any) -> list[Any]:
    is_union = typing.get_origin(annotation) in {typing.Union, types.UnionType}
    parts = typing.get_args(annotation) if is_union else (annotation,)
    return [part for part in parts if part is not type(None)]


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


# The built-in providers, and exit statuses.


def _providers() -> str:
    rows = []
    for name, defaults in BUILT_IN_PROVIDERS.items():
        rate = defaults.get("requests_per_second")
        tokens = defaults.get("tokens_per_minute")
        in_flight = defaults.get("max_in_flight")
        limits = [
            f"{rate:g} request{'' if rate == 1 else 's'}/s" if rate else "",
            f"{tokens:,} tokens/min" if tokens else "",
            f"{in_flight} requests at a time" if in_flight else "",
        ]
        source = KEY_SOURCES.get(name)
        key = f"`{name}_api_key` or `{environment_variable(name)}`, from <{source}>" if source else "none is needed"
        model = f"`{defaults['model']}`"
        shown = ", ".join(limit for limit in limits if limit)
        rows.append((f"`{name}`", model, shown, key))
    return table(("provider", "model", "limits assumed", "key"), rows)


def exit_statuses() -> dict[int, str]:
    """Return what each exit status means."""
    statuses = dict(_STATUSES_WITHOUT_ERROR)
    for error in ApepError.__subclasses__():
        if "exit_status" in vars(error):
            statuses[error.exit_status] = (inspect.getdoc(error) or "").partition("\n")[0]
    return dict(sorted(statuses.items()))


def _exit_statuses() -> str:
    rows = ((str(status), meaning) for status, meaning in exit_statuses().items())
    return table(("exit status", "meaning"), rows)


# Pages.

REGIONS: Final[Mapping[str, Callable[[], str]]] = {
    "options": _options,
    "configuration": _configuration,
    "providers": _providers,
    "exit statuses": _exit_statuses,
}


def pages() -> list[Path]:
    """Return the pages for users and contributors."""
    return [_REPOSITORY / "README.md", _REPOSITORY / "CONTRIBUTING.md", *sorted((_REPOSITORY / "docs").glob("*.md"))]


def rendered(text: str) -> str:
    """Return a page with its tables as the code has them now.

    Raises:
        SystemExit: It asks for a table that there is not.
    """

    def region(match: re.Match[str]) -> str:
        name = match[1]
        if name not in REGIONS:
            raise SystemExit(f"there is no table {name!r}; there are {', '.join(REGIONS)}")
        return f"{_BEGINNING.format(name=name)}\n\n{REGIONS[name]()}\n\n{_END}"

    return _REGION.sub(region, text)


def main() -> None:
    """Rewrite the tables, or check them."""
    parser = argparse.ArgumentParser(description="Write the tables of the documentation that are made from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a page is stale")
    is_check = parser.parse_args().check
    stale = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := rendered(text)) != text:
            stale.append(page)
            if not is_check:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        name = page.relative_to(_REPOSITORY)
        print(f"{name} is stale; run: uv run python docs/reference.py" if is_check else f"{name} is rewritten")
    sys.exit(1 if is_check and stale else 0)


if __name__ == "__main__":
    main()
