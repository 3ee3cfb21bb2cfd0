"""Numbers, amounts and times as a person reads them."""

from __future__ import annotations

__all__ = ["rounded", "spell_count", "spell_duration", "spell_number", "spell_usd"]

_SIGNIFICANT_DIGITS = 3


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


def rounded(number: float) -> int:
    """Round an estimate to three significant digits: it is no better than that."""
    whole = round(number)
    return round(whole, _SIGNIFICANT_DIGITS - len(str(abs(whole))))


def spell_duration(seconds: float) -> str:
    """Spell a time span for a person, e.g. `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - seconds in an hour
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
