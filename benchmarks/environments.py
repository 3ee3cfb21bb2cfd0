"""Environments of their own for what a benchmark runs: made by pip once, pinned, and never with a build for a GPU."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["cuda_builds", "environment"]

_NO_DEPENDENCIES = "# --no-deps "
# What only a build of PyTorch for a GPU asks for.
_CUDA = ("nvidia-", "cuda-", "triton")
_REMEDY = (
    "they are gigabytes and of no use here; let pip find the CPU build: set PIP_EXTRA_INDEX_URL to"
    " https://download.pytorch.org/whl/cpu, or PIP_FIND_LINKS to a folder that holds it"
)


def environment(directory: Path, requirements: Path) -> Path:
    """Return the interpreter of an environment with what a file asks for; where the file changes, it is made anew."""
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    made = directory / "requirements.sha256"
    if made.exists() and made.read_text(encoding="utf-8") == digest:
        return python
    venv.create(directory, clear=True, with_pip=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    wanted = ["--requirement", str(requirements)]
    # PyTorch goes first and alone: once its CPU build is there, nothing that asks for it looks for another.
    lines = requirements.read_text(encoding="utf-8").splitlines()
    torch = [line for line in lines if line.startswith("torch==")]
    for packages in filter(None, (torch, wanted)):
        # Of PyTorch what it says of itself is enough; what it asks for is not to be fetched to find that out.
        options = ["--no-deps"] if packages is torch else []
        told = subprocess.run(
            [*pip, "--dry-run", "--report", "-", *options, *packages], check=True, capture_output=True, text=True
        )
        if found := cuda_builds(told.stdout):
            sys.exit(f"pip would install {', '.join(found)}: {_REMEDY}")
        subprocess.run([*pip, *packages], check=True)
    for line in lines:
        if line.startswith(_NO_DEPENDENCIES):
            subprocess.run([*pip, "--no-deps", line.removeprefix(_NO_DEPENDENCIES)], check=True)
    made.write_text(digest, encoding="utf-8")
    return python


def cuda_builds(report: str) -> list[str]:
    """Return what is for a GPU alone, by pip's report: in what it would install, and in what PyTorch asks for."""
    told = [each["metadata"] for each in json.loads(report)["install"]]
    asked = [wish for metadata in told if metadata["name"] == "torch" for wish in metadata.get("requires_dist", ())]
    names = [text.partition(";")[0].strip() for text in (*(metadata["name"] for metadata in told), *asked)]
    return sorted({name for name in names if name.lower().startswith(_CUDA)})
