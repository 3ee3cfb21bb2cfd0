"""What an evaluation comes to, for a script."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apep_datagen.evaluate.comparison import Comparison
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.interval import Share
from apep_datagen.evaluate.report import Answers, Report, Row

__all__ = ["comparison_as_json", "report_as_json"]


def report_as_json(report: Report) -> dict[str, Any]:
    """Return what an evaluation comes to, for a script.

    Returns:
        `exam` (`seed`, `users`, `days`, `tries`, `max_tool_rounds`, `tester`), `tables` (a digest), `examinees` (a list
        of `provider`, `model`, `as_trained`), `missing` (how many conversations of the exam are not there). `total`: a
        row, which is `conversations`, `right`, `share`, `low` and `high` (the 95 % interval), `failures` (for each kind
        how many) and `void` (conversations that say nothing about Ada, and are not among the others). `abilities`: for
        each ability its row, with `forms`, for each form its row. `sizes`: a row by how many notes were in memory.
        `all_tries`: null, or the share of questions that were right in each try, as `share`, `low` and `high`, with
        `abilities`, the same for each. `answers`: `count`, and `seconds`, `prompt_tokens` and `completion_tokens` of
        one, each with `median` and `p95`; null where none was measured. `bounds`: the same for each scripted Ada,
        without `bounds`.
    """
    return {**_report(report), "bounds": {name: _report(bound) for name, bound in report.bounds.items()}}


def _report(report: Report) -> dict[str, Any]:
    return {
        "exam": report.exam.as_dict(),
        "tables": report.tables,
        "examinees": [asdict(one) for one in report.examinees],
        "missing": report.missing,
        "total": _row(report.total),
        "abilities": {
            ability.value: {
                **_row(row),
                "forms": {form.value: _row(one) for (whose, form), one in report.forms.items() if whose is ability},
            }
            for ability, row in report.abilities.items()
        },
        "sizes": {name: _row(row) for name, row in report.sizes.items()},
        "all_tries": _tries(report, report.all_tries_total) if report.all_tries_total else None,
        "answers": _answers(report.answers) if report.answers.count else None,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "conversations": row.count,
        "right": row.right,
        **_share(row.share),
        "failures": {kind.value: row.failures.get(kind, 0) for kind in Failure},
        "void": row.void,
    }


def _share(share: Share) -> dict[str, float]:
    return {"share": share.value, "low": share.interval.low, "high": share.interval.high}


def _tries(report: Report, total: Share) -> dict[str, Any]:
    by_ability = {ability.value: _share(share) for ability, share in report.all_tries.items()}
    return {**_share(total), "abilities": by_ability}


def _answers(answers: Answers) -> dict[str, Any]:
    return asdict(answers)


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Return how two evaluations differ, for a script.

    Returns:
        `rows`: for `all` and each ability `questions` (that both were asked), `this` and `other` (the shares that are
        right), `difference`, `low` and `high` (its 95 % interval) and `more_than_chance`; `notes`: in what the exams
        differ, and what was not compared, a sentence each.
    """
    return {
        "rows": {
            name: {
                "questions": row.pairs,
                "this": row.ours,
                "other": row.theirs,
                "difference": row.difference.value,
                "low": row.difference.interval.low,
                "high": row.difference.interval.high,
                "more_than_chance": row.difference.is_more_than_chance,
            }
            for name, row in comparison.rows.items()
        },
        "notes": list(comparison.notes),
    }
