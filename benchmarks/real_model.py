"""Judge the 200 labelled conversations of `tests/real_model`, and say whom each reason finds and whom it wrongs.

    uv run python benchmarks/real_model.py [--list]

A conversation counts as wronged if readers call it good and it is rejected.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.real_conversations import judge_all

# What readers call so is looked for.
LOOKED_FOR = {
    "leak": ("leak",),
    "claim before the look": (
        "claims to remember before looking",
        "claims to know her memory without looking",
        "foresees the result",
    ),
    "wrong time": ("wrong time",),
}


def main() -> None:
    """Judge, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="name each conversation that is rejected, and why")
    arguments = parser.parse_args()
    judged = judge_all()
    by_reason: dict[str, Counter[str]] = defaultdict(Counter)
    for real, problem in judged:
        if problem:
            by_reason[f"{problem.stage}: {problem.reason}"][real.label.verdict] += 1
            if arguments.list:
                print(f"{real.number:4} {real.label.verdict:8} {problem.reason}: {problem.detail!r} {problem.quote!r}")
    for reason, counts in sorted(by_reason.items()):
        print(f"{reason}: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    for verdict in ("good", "doubtful", "flawed"):
        problems = [problem for real, problem in judged if real.label.verdict == verdict]
        print(f"{verdict}: {sum(problem is None for problem in problems)} of {len(problems)} accepted")
    for name, kinds in LOOKED_FOR.items():
        found = [problem is not None for real, problem in judged if real.label.has(*kinds)]
        missed = [real.number for real, problem in judged if real.label.has(*kinds) and problem is None]
        slight = [
            problem is not None
            for real, problem in judged
            if not real.label.has(*kinds) and any(fault.kind in kinds for fault in real.label.faults)
        ]
        print(
            f"{name}: {sum(found)} of {len(found)} found, and {sum(slight)} of {len(slight)} that readers did not call"
            f" severe; not found: {missed}"
        )


if __name__ == "__main__":
    main()
