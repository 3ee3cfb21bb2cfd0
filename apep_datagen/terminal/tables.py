"""What the reports of the subcommands have in common: tables, numbers and a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["about", "missing_prices_hint", "spell_count", "spell_number", "spell_usd", "table"]

_SIGNIFICANT_DIGITS = 3


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return rows below the names of their columns, aligned.

    Args:
        columns: The names.
        rows: As many cells each.
        left: How many columns, from the first, hold words, which begin below each other; numbers end so.
    """
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def spell_count(number: float | None) -> str:
    """Spell a number of things, e.g. `12,345`; a dash where it is not known."""
    return "-" if number is None else f"{number:,.0f}"


def spell_number(number: float | None) -> str:
    """Spell a rate with four significant digits, e.g. `0.5`; a dash where it is not known."""
    return "-" if number is None else f"{number:.4g}"


def spell_usd(usd: float | None) -> str:
    """Spell an amount of dollars; what is below a dollar with four decimals."""
    if usd is None:
        return "unknown"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def about(number: float) -> int:
    """Round an estimate to three significant digits: it is no better than that."""
    whole = round(number)
    return round(whole, _SIGNIFICANT_DIGITS - len(str(abs(whole))))


def missing_prices_hint(models: Iterable[tuple[str, str]]) -> str:
    """Say which prices are not known, and where they go; `models` are provider and model."""
    lines = ["These prices are not known; they go into the configuration file, in $ for a million tokens, e.g."]
    for provider, model in models:
        lines += [f"  [providers.{provider}.prices]", f'  "{model}" = {{ input = 0.5, output = 1.5 }}']
    return "\n".join(lines)
