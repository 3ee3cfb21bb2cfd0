"""Which conversations and rows are exported: by ability, form, provider and number of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apep_datagen.core.errors import SettingsError
from apep_datagen.formats.origin import Origin
from apep_datagen.people.scenario import Ability, Form

__all__ = ["EVERYTHING", "PROVIDER", "Selection", "parse_selection"]

_RANGE = re.compile(r"(\d{1,12})?\s*-\s*(\d{1,12})?")
_TOKENS = "tokens"
PROVIDER = "provider"
"""By which key providers are chosen: which ones there are, the dataset alone tells."""
_VALUES: Mapping[str, Callable[[Origin], Sequence[str]]] = {
    "ability": lambda origin: origin.abilities,
    "form": lambda origin: origin.forms,
    PROVIDER: lambda origin: (origin.provider,),
}
_KNOWN: Mapping[str, frozenset[str]] = {
    "ability": frozenset(ability.value for ability in Ability),
    "form": frozenset(form.value for form in Form),
}


@dataclass(frozen=True, slots=True)
class _Tokens:
    """A range of numbers of tokens; None where it has no end."""

    least: int | None
    most: int | None

    def __contains__(self, tokens: int) -> bool:
        return (self.least is None or tokens >= self.least) and (self.most is None or tokens <= self.most)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported; of what nobody knows the ability, form or provider, it is none of those that are named.

    Attributes:
        included: By key, the values of which a conversation has to have one.
        excluded: By key, the values of which it may have none.
        tokens: Ranges in one of which the number of tokens of a row has to be, where there are any.
        not_tokens: Ranges in none of which it may be.
    """

    included: Mapping[str, frozenset[str]] = field(default_factory=dict)
    excluded: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tokens: tuple[_Tokens, ...] = ()
    not_tokens: tuple[_Tokens, ...] = ()

    @property
    def counts_tokens(self) -> bool:
        """Whether rows are chosen by their tokens."""
        return bool(self.tokens or self.not_tokens)

    @property
    def asks_for_origin(self) -> bool:
        """Whether conversations are chosen by what the state database alone knows of them."""
        return bool(self.included or self.excluded)

    def named(self, key: str) -> frozenset[str]:
        """Return the values of a key that are named, to include or to exclude."""
        return self.included.get(key, frozenset()) | self.excluded.get(key, frozenset())

    def takes(self, origin: Origin) -> bool:
        """Tell whether a conversation is exported."""
        return all(not values.isdisjoint(_VALUES[key](origin)) for key, values in self.included.items()) and all(
            values.isdisjoint(_VALUES[key](origin)) for key, values in self.excluded.items()
        )

    def takes_tokens(self, tokens: int) -> bool:
        """Tell whether a row of so many tokens is exported."""
        return (not self.tokens or any(tokens in each for each in self.tokens)) and not any(
            tokens in each for each in self.not_tokens
        )


EVERYTHING = Selection()
"""All conversations and rows."""


def parse_selection(include: Iterable[str], exclude: Iterable[str]) -> Selection:
    """Read `--include` and `--exclude`: each `KEY=VALUE,VALUE`, or `tokens=MIN-MAX`.

    Raises:
        SettingsError: A key or a value is none.
    """
    included, tokens = _parse("--include", include)
    excluded, not_tokens = _parse("--exclude", exclude)
    return Selection(included, excluded, tokens, not_tokens)


def _parse(option: str, texts: Iterable[str]) -> tuple[dict[str, frozenset[str]], tuple[_Tokens, ...]]:
    values: dict[str, frozenset[str]] = {}
    ranges: list[_Tokens] = []
    for text in texts:
        key, separator, rest = text.partition("=")
        key = key.strip()
        named = [value.strip() for value in rest.split(",") if value.strip()]
        if not separator or not named or (key not in _VALUES and key != _TOKENS):
            keys = ", ".join((*_VALUES, _TOKENS))
            raise SettingsError(f"{option} {text}: write KEY=VALUE,VALUE; KEY is one of {keys}")
        if key == _TOKENS:
            ranges += [_range(option, text, value) for value in named]
            continue
        for value in named:
            if key in _KNOWN and value not in _KNOWN[key]:
                known = ", ".join(sorted(_KNOWN[key]))
                raise SettingsError(f"{option} {text}: there is no {key} {value}; there are {known}")
        values[key] = values.get(key, frozenset()) | frozenset(named)
    return values, tuple(ranges)


def _range(option: str, text: str, value: str) -> _Tokens:
    match = _RANGE.fullmatch(value)
    if not match or (match[1] is None and match[2] is None):
        raise SettingsError(f"{option} {text}: write {_TOKENS}=MIN-MAX, e.g. {_TOKENS}=100-2048, or {_TOKENS}=2049-")
    least, most = (int(end) if end else None for end in match.groups())
    if least is not None and most is not None and least > most:
        raise SettingsError(f"{option} {text}: no number is at least {least} and at most {most}")
    return _Tokens(least, most)
