"""Kill the program at random again and again, beside a server that answers badly, and prove that nothing is done twice.

    uv run --all-groups python benchmarks/torture.py --kills 500 --conversations 2000

Ends with an AssertionError if an answer was lost or paid for twice that was not in flight at a kill, if a tool call
took effect twice or not at all, or if a conversation is missing or there twice; `--directory` keeps the files to look
at. `tests/support/tortured_program.py` has the details.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from common import print_table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.tortured_program import as_rows, prove, torture


def main() -> None:
    """Torture the program once, print what happened, and prove what is to hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--fault-share", type=float, default=0.2, help="of the requests, from 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--providers", default="mistral,one,two", help="an unknown name is an OpenAI-compatible endpoint"
    )
    parser.add_argument(
        "--directory", type=Path, help="an empty one, for the files, which stay (default: one that goes)"
    )
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        tortured = torture(
            options.directory or Path(stack.enter_context(tempfile.TemporaryDirectory())),
            seed=options.seed,
            kills=options.kills,
            conversations=options.conversations,
            fault_share=options.fault_share,
            providers=options.providers.split(","),
            report=lambda line: print(line, file=sys.stderr, end="\r"),
        )
        rows = as_rows(tortured)
        print_table(rows, (f"seed {options.seed}", ""))
        prove(tortured)
        print("Each conversation is there once, each tool took effect once, and nothing else was paid for twice.")


if __name__ == "__main__":
    main()
