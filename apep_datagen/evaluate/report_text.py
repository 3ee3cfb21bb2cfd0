"""What an evaluation comes to, in words."""

from __future__ import annotations

from collections.abc import Iterator

from apep_datagen.core.spelling import spell_count
from apep_datagen.evaluate.comparison import Comparison
from apep_datagen.evaluate.element import Examinee
from apep_datagen.evaluate.interval import Interval, Share
from apep_datagen.evaluate.report import Answers, Report, Row
from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.terminal.tables import table

__all__ = ["describe_comparison", "describe_report"]

_Place = tuple[str, Ability | None, Form | None]
"""A line of the table: its name, and what it is about."""


def describe_report(report: Report) -> str:
    """Say what an evaluation comes to: shares, failures, sizes of memory, tries, answers."""
    parts = [_beginning(report), _shares(report), _failures(report), _sizes(report)]
    if report.all_tries_total is not None:
        parts.append(_tries(report, report.all_tries_total))
    if report.answers.count:
        parts.append(_answers(report.answers))
    if void := report.total.void:
        parts.append(
            f"{spell_count(void)} more say nothing about Ada, because the user's message is not what it was to be: they"
            " are counted nowhere."
        )
    return "\n\n".join(parts)


def _beginning(report: Report) -> str:
    exam = report.exam
    seen = report.total.count + report.total.void
    tries = f", {exam.tries} tries" if exam.tries > 1 else ""
    missing = f" of {spell_count(exam.conversations)}" if report.missing else ""
    return (
        f"{' and '.join(map(_name, report.examinees))}: {spell_count(exam.users)} users, {exam.days} days each{tries};"
        f" seed {exam.seed}, tester {exam.tester}; {spell_count(seen)}{missing} conversations."
    )


def _name(one: Examinee) -> str:
    at = f" at {one.provider}" if one.provider else ""
    form = f", as trained ({one.as_trained})" if one.as_trained else ""
    return f"{one.model}{at}{form}"


def _shares(report: Report) -> str:
    columns = ["", "conversations", "right", "95 %", *report.bounds]
    rows = []
    for name, ability, form in _places(report):
        row = _row(report, ability, form)
        assert row is not None  # noqa: S101 - a place is there for a row
        bounds = (_row(bound, ability, form) for bound in report.bounds.values())
        others = [_percent(bound.share.value) if bound and bound.count else "-" for bound in bounds]
        rows.append([name, spell_count(row.count), *_share_cells(row.count, row.share), *others])
    return table(columns, rows)


def _places(report: Report) -> Iterator[_Place]:
    """Yield the lines: all, each ability, and below it its forms, where it has several."""
    yield "all", None, None
    for ability in report.abilities:
        yield ability.value, ability, None
        if len(FORMS[ability]) > 1:
            yield from ((f"  {form.value}", ability, form) for one, form in report.forms if one is ability)


def _row(report: Report, ability: Ability | None, form: Form | None) -> Row | None:
    if ability is None:
        return report.total
    return report.abilities.get(ability) if form is None else report.forms.get((ability, form))


def _share_cells(count: int, share: Share) -> list[str]:
    return [_percent(share.value), _spell_interval(share.interval)] if count else ["-", "-"]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _spell_interval(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f}"


def _failures(report: Report) -> str:
    """Say in which way conversations failed, most often first."""
    rows = []
    for name, ability, form in _places(report):
        row = _row(report, ability, form)
        if row is not None and row.failures:
            most_first = sorted(row.failures.items(), key=lambda item: -item[1])
            rows.append([name, ", ".join(f"{kind} {spell_count(number)}" for kind, number in most_first)])
    return table(["", "failed"], rows, left=2) if rows else "None failed."


def _sizes(report: Report) -> str:
    rows = [
        [name, spell_count(row.count), *_share_cells(row.count, row.share), *_bounds_of_size(report, name)]
        for name, row in report.sizes.items()
    ]
    return table(["notes in memory", "conversations", "right", "95 %", *report.bounds], rows)


def _bounds_of_size(report: Report, name: str) -> list[str]:
    rows = (bound.sizes.get(name) for bound in report.bounds.values())
    return [_percent(row.share.value) if row and row.count else "-" for row in rows]


def _tries(report: Report, total: Share) -> str:
    tries = report.exam.tries
    rows = [["all", *_share_cells(1, total)]]
    rows += [[ability.value, *_share_cells(1, share)] for ability, share in report.all_tries.items()]
    return table([f"right in each of {tries} tries", "right", "95 %"], rows)


def _answers(answers: Answers) -> str:
    seconds, asked, said = answers.seconds, answers.prompt_tokens, answers.completion_tokens
    return table(
        ["", "median", "95 % are below"],
        [
            ["seconds an answer", f"{seconds.median:.2f}", f"{seconds.p95:.2f}"],
            ["tokens sent for it", spell_count(asked.median), spell_count(asked.p95)],
            ["tokens of it", spell_count(said.median), spell_count(said.p95)],
        ],
    )


def describe_comparison(comparison: Comparison) -> str:
    """Say how two evaluations differ, ability by ability."""
    rows = []
    for name, compared in comparison.rows.items():
        difference = compared.difference
        rows.append(
            [
                name,
                spell_count(compared.pairs),
                _percent(compared.ours),
                _percent(compared.theirs),
                f"{100 * difference.value:+.0f}",
                f"{100 * difference.interval.low:+.0f} to {100 * difference.interval.high:+.0f}",
                "more than chance" if difference.is_more_than_chance else "can be chance",
            ]
        )
    parts = list(comparison.notes)
    if rows:
        columns = ["", "questions", "this", "the other", "difference", "95 %", ""]
        parts.append(table(columns, rows))
        parts.append(
            "Compared question by question. Of twenty lines between equals, about one says more than chance by chance."
        )
    return "\n\n".join(parts)
