"""The program, judging what an earlier version began as that did: it must not depend on rules that changed since.

    python judged_as_then.py FILE [options of the program]

FILE holds, as JSON, for the number of each of these conversations why that version rejected it (stage, reason, detail),
or null. All others are judged as the program judges.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from apep_datagen.cli.app import main
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import Accepted
from apep_datagen.quality.problem import Problem, Stage

VERDICTS = json.loads(Path(sys.argv.pop(1)).read_text("utf-8"))
judge_as_now = Judge.judge


def judge_as_then(judge: Judge, case: Case, accepted: Accepted) -> Problem | None:
    number = str(case.brief.conversation_id)
    if number not in VERDICTS:
        return judge_as_now(judge, case, accepted)
    verdict = VERDICTS[number]
    return Problem(Stage(verdict[0]), verdict[1], verdict[2]) if verdict else None


setattr(Judge, "judge", judge_as_then)  # noqa: B010 - a method of another's, which is what this program is for
main()
