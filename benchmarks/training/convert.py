"""Write the model of a GGUF file as `from_pretrained` reads it: convert.py WEIGHTS DIR. What was written stays."""

from __future__ import annotations

import sys
from pathlib import Path

from models import save_base

if __name__ == "__main__":
    save_base(Path(sys.argv[1]), Path(sys.argv[2]))
