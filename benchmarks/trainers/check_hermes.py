"""Have Axolotl read rows in the form of Hermes by the configuration in the README of the export; look at the labels.

check_hermes.py DIR SOURCE
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from axolotl_rows import check_with

from apep_datagen.formats.hermes import HERMES


def main(directory: Path, source: Path) -> int:
    """Check the rows; return the exit status."""
    lines = (directory / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    configuration = {**yaml.safe_load(lines), "sequence_len": 8192, "learning_rate": 0.0002, "micro_batch_size": 1}
    configuration.update(gradient_accumulation_steps=1, excess_length_strategy="raise")
    return check_with(HERMES, configuration, directory, source, None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
