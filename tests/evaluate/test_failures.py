"""Each reason that the stages of the judge can give is known for what it stands."""

from __future__ import annotations

import ast
import importlib

import pytest

from apep_datagen.evaluate.failures import BLAMELESS, FAILURES, Failure
from apep_datagen.language.claims import ClaimKind
from support.paths import REPOSITORY

QUALITY = REPOSITORY / "apep_datagen" / "quality"
FILES = [
    *(QUALITY / f"{name}.py" for name in ("sample", "form", "execution", "notes", "knowledge")),
    *sorted((QUALITY / "effect").glob("*.py")),
]
# What makes a problem, and which of its arguments is the reason.
MAKERS = {"Problem": 1, "problem_of": 0, "_problem": 0, "_refuse": 0, "_cut_off": 0, "_too_long": 0}


def reasons() -> set[str]:
    """Return the reasons as they stand in the stages' code."""
    found: set[str] = set()
    for path in FILES:
        module = importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in MAKERS:
                continue
            reason = node.args[MAKERS[node.func.id]]
            if isinstance(reason, ast.Constant):
                found.add(str(reason.value))
            elif isinstance(reason, ast.Name) and hasattr(module, reason.id):
                found.add(getattr(module, reason.id))
            elif isinstance(reason, ast.Attribute) and ast.unparse(reason) == "leak.REASON":
                found.add(module.leak.REASON)
            else:  # a parameter of one of the makers, or the kind of a claim
                assert ast.unparse(reason) in {"reason", "claim.kind.value"}, ast.unparse(reason)
    return found | {kind.value for kind in ClaimKind}


def test_each_reason_stands_for_a_failure_or_says_nothing_about_ada() -> None:
    assert len(reasons()) > 50
    assert reasons() - FAILURES.keys() - BLAMELESS == set()


def test_no_reason_is_named_that_there_is_not_and_none_twice() -> None:
    assert {*FAILURES, *BLAMELESS} - reasons() == set()
    assert FAILURES.keys() & BLAMELESS == set()


@pytest.mark.parametrize("kind", Failure)
def test_each_way_to_fail_has_a_reason(kind: Failure) -> None:
    assert kind in FAILURES.values()
