"""The wheel, installed with pip where nothing else is: it runs the main job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer
from support.paths import REPOSITORY
from support.program import OUTPUT, section


def call(*command: str | Path, cwd: Path) -> str:
    """Run a command to its end, without this environment's packages; return what it printed."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONPYCACHEPREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["TOGETHER_API_KEY"] = "key-of-together"
    ended = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv")
    assert uv, "uv builds the wheel; install it"
    call(uv, "build", "--wheel", "--out-dir", directory, REPOSITORY, cwd=directory)
    [path] = directory.glob("apep_datagen-*.whl")
    return path


def test_the_wheel_carries_the_prompts_and_nothing_that_is_not_the_programs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for prompt in (REPOSITORY / "systemprompts").rglob("*.*"):
            assert archive.read(f"apep_datagen/{prompt.relative_to(REPOSITORY).as_posix()}") == prompt.read_bytes()
    for module in (REPOSITORY / "apep_datagen").rglob("*.py"):
        assert module.relative_to(REPOSITORY).as_posix() in names
    packages = {name.partition("/")[0] for name in names}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"apep_datagen"}


def test_installed_with_pip_it_makes_conversations_in_an_empty_directory(wheel: Path, tmp_path: Path) -> None:
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    call(sys.executable, "-m", "venv", environment, cwd=tmp_path)
    # What the program does not import need not be compiled.
    options = ("--only-binary", ":all:", "--no-compile", "--quiet")
    call(environment / "bin" / "pip", "install", *options, wheel, cwd=tmp_path)
    command = environment / "bin" / "apep-datagen"
    assert call(command, "--version", cwd=work).startswith("apep-datagen 0.")
    with LoopbackServer() as server:
        (work / "apep-datagen.toml").write_text(section("together", server.url("together")), encoding="utf-8")
        said = call(command, "--target", "2", "--quality", "form", cwd=work)
        assert len(server.received) >= 4  # two conversations, of a question and an answer at least
    assert "2 of 2 conversations are in" in said
    elements = json.loads((work / OUTPUT).read_text(encoding="utf-8"))
    assert len(elements) == 2
    assert elements[0]["conversations"][0]["content"].startswith("You are Ada")
