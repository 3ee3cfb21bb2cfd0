"""What is said of the packages is true: in `docs/architecture.md`, and in the docstring of each."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from support.paths import REPOSITORY

PACKAGE = REPOSITORY / "apep_datagen"
NAMES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


def imported_by(name: str) -> set[str]:
    """Return the packages that a package imports, inside functions too."""
    found = set()
    for path in (PACKAGE / name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("apep_datagen."):
                found.add((node.module or "").split(".")[1])
    return found - {name}


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_of_a_package_names_what_it_imports_and_nothing_that_it_does_not(name: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8"))) or ""
    told = re.search(r"\b(?:It|it|and) imports?\s(.*)", text, re.DOTALL)
    named = set(re.findall(r"`(\w+)`", told[1])) & set(NAMES) if told else set()
    if name == "cli":
        assert "every other package" in text
    else:
        assert named == imported_by(name)


def test_every_package_stands_in_the_picture_and_in_the_contract_in_the_same_order() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [name.strip() for layer in settings["contracts"][0]["layers"] for name in layer.split("|")]
    picture = ARCHITECTURE.split("```")[1]
    drawn = [name for name in re.findall(r"\b[a-z_]+\b", picture) if name in NAMES]
    assert list(dict.fromkeys(drawn)) == layers[1:]
    assert sorted(layers[1:]) == NAMES


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md", "docs/benchmarks.md"])
def test_every_file_and_folder_that_is_named_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    named = [
        *re.findall(r"`([a-z_]+(?:/[\w.]*)+)`", text),
        *re.findall(r"\b(?:tests|benchmarks|docs)/[\w/]+\.\w+", text),
    ]
    assert len(named) > 4
    for path in named:
        stands_for_others = path.startswith("data/") or "NAME" in path
        assert stands_for_others or (PACKAGE / path).exists() or (REPOSITORY / path).exists(), path
