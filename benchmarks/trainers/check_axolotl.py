"""Have Axolotl read an export by the configuration beside it, and look at the labels.

    check_axolotl.py DIR SOURCE [--chat-template NAME …]

A chat template is one of Axolotl's own; by default it is that of the configuration.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml
from axolotl_rows import check_with

from apep_datagen.formats.axolotl import AXOLOTL


def main() -> int:
    """Check each chat template; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--chat-template", dest="templates", action="append", metavar="NAME")
    arguments = parser.parse_args()
    directory = arguments.directory.resolve()
    configuration = yaml.safe_load((directory / "axolotl.yaml").read_text(encoding="utf-8"))
    return max(
        check_with(AXOLOTL, configuration, directory, arguments.source.resolve(), template)
        for template in arguments.templates or [None]
    )


if __name__ == "__main__":
    sys.exit(main())
