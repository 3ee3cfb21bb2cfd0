"""Check with trainers' own code what they learn of an export.

    python benchmarks/trainers/run.py NAME … [--source OUTPUT] [--environments DIR] [-- OPTION …]

NAME is that of a format with a `check_NAME.py` here. Everything behind `--` is an option of `apep-datagen export`, e.g.
`-- --rows exchange`. The program has to be installed where this runs; each trainer gets an environment of its own below
DIR, with what `requirements/NAME.txt` pins. PyTorch has to be its CPU build; where pip would install another, it stops.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from environments import environment

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


def main() -> int:
    """Run the checks that are named; return the exit status."""
    known = sorted(path.stem.removeprefix("check_") for path in _HERE.glob("check_*.py"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--source", type=Path, default=_ROOT / "docs/sample.json", metavar="OUTPUT")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir(), "trainers"), metavar="DIR")
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    arguments = parser.parse_args(own)
    options = sys.argv[len(own) + 2 :]
    statuses = []
    for name in arguments.names:
        python = environment(arguments.environments / name, _HERE / f"requirements/{name}.txt")
        with tempfile.TemporaryDirectory() as place:
            export = [sys.executable, "-m", "apep_datagen", "export", str(arguments.source), "--format", name]
            subprocess.run([*export, "--to", place, *options], check=True, stdout=subprocess.DEVNULL)
            check = [str(python), str(_HERE / f"check_{name}.py"), f"{place}/{name}", str(arguments.source)]
            variables = {**os.environ, "PYTHONPATH": str(_ROOT), "HF_HUB_OFFLINE": "1", "HF_HOME": f"{place}/cache"}
            statuses.append(subprocess.run(check, check=False, env=variables).returncode)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
