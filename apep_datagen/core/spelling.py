"""Numbers, amounts and times as a person reads them: with the digits that say something, and never with an exponent.

What is spelled never reads as another number: what is not nothing is no 0, and what is not all is no 100 %.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

__all__ = [
    "counted",
    "rounded",
    "spell_count",
    "spell_duration",
    "spell_percent",
    "spell_rate",
    "spell_usd",
    "spell_value",
]

_SIGNIFICANT_DIGITS = 3
# Room for every float, written out.
_EXACTLY = Context(prec=800)
# Below that, digits say nothing any more.
_LEAST = Decimal("0.000001")


def spell_count(number: float | None) -> str:
    """Spell a number of things, e.g. `12,345`; a dash where it is not known."""
    return "-" if number is None else f"{number:,.0f}"


def counted(number: int, what: str) -> str:
    """Spell a number of things with their name, e.g. `1 verdict` or `12,345 verdicts`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def spell_rate(number: float | None) -> str:
    """Spell a rate or an average, e.g. `0.17`, `2.7` or `1,800`; a dash where it is not known.

    Below 1 it has two significant digits, below 100 one decimal.
    """
    if number is None:
        return "-"
    exact = _exact(number)
    if 0 < exact < _LEAST:
        return f"<{_LEAST}"
    return _without_zeros(_rounded(exact, _decimals(exact, 2) if exact < 1 else int(exact < 100)))  # noqa: PLR2004 - as said above


def spell_usd(usd: float | None) -> str:
    """Spell an amount of dollars: to the cent, and what is below a dollar with two significant digits at least."""
    if usd is None:
        return "unknown"
    exact = _exact(usd)
    if 0 < exact < _LEAST:
        return f"<${_LEAST}"
    if not exact or exact >= 1:
        return f"${_rounded(exact, 2):,f}"
    amount = _without_zeros(_rounded(exact, _decimals(exact, 2)))
    whole, _, cents = amount.partition(".")
    return f"${whole}.{cents:0<2}"


def spell_percent(part: float, whole: float) -> str:
    """Spell what share a part is of the whole, e.g. `30 %`; a dash where there is no whole."""
    if not whole:
        return "-"
    exact = _EXACTLY.divide(100 * _exact(part), _exact(whole))
    percent = int(_rounded(exact, 0))
    if percent in {0, 100} and exact != percent:
        return f"{'<1' if percent == 0 else '>99' if exact < percent else '>100'} %"
    return f"{percent:,} %"


def spell_value(number: float) -> str:
    """Spell a number as it is written for an option: with four significant digits at most, and without separators."""
    exact = _exact(number)
    return _without_zeros(_rounded(exact, _decimals(exact, 4))).replace(",", "")


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


def _exact(number: float) -> Decimal:
    """Return a number as it is written, not as the binary fraction nearest to that."""
    return Decimal(repr(number))


def _decimals(number: Decimal, digits: int) -> int:
    """Return with how many decimals a number has so many significant digits; its whole part is never shortened."""
    return max(0, digits - 1 - number.adjusted()) if number else 0


def _rounded(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EXACTLY)


def _without_zeros(number: Decimal) -> str:
    spelled = f"{number:,f}"
    return spelled.rstrip("0").rstrip(".") if "." in spelled else spelled
