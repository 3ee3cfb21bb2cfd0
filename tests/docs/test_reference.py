"""The documentation says all that there is, as it is, and leads the reader there from one short page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

import reference
from apep_datagen.config.secrets import SECRETS_TEMPLATE
from apep_datagen.config.settings_file import BUILT_IN_PROVIDERS, load_settings
from apep_datagen.grow.kinds import faults_of_kind
from apep_datagen.people.cast import load_cast
from apep_datagen.people.held_out import Part
from apep_datagen.people.scenario import Ability
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import WorldFile, load_table
from apep_datagen.quality.problem import Stage
from support.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
README_BYTES = 8_192
PAGES = [page.relative_to(REPOSITORY).as_posix() for page in reference.pages()]

# `[text](target)`, where the text may hold code with brackets.
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@cache
def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub spells them."""
    headings = _HEADING.findall(_CODE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield the relative links of a page that lead to no file, or to no heading of it."""
    for target in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = page.parent / path
        is_there = file.exists() if path else True
        if not is_there or (anchor and anchor not in anchors(file.read_text(encoding="utf-8") if path else text)):
            yield target


PROMPTS = sorted(path.name + "/" * path.is_dir() for path in (REPOSITORY / "systemprompts").iterdir())


# Tables that are made from the code.


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_as_the_code_has_them(page: str) -> None:
    assert text_of(page) == reference.rendered(text_of(page)), "run: uv run python docs/reference.py"


def test_every_table_stands_on_one_page() -> None:
    everything = "".join(text_of(page) for page in PAGES)
    assert {name: everything.count(f"<!-- made by docs/reference.py: {name} -->") for name in reference.REGIONS} == (
        dict.fromkeys(reference.REGIONS, 1)
    )


def test_a_table_that_is_not_as_the_code_has_it_is_found_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "operations.md"
    page.parent.mkdir()
    good = text_of("docs/operations.md")
    page.write_text(good.replace("| 130 | Stopped by Ctrl-C", "| 131 | Stopped by magic"), encoding="utf-8")
    stale = page.read_text(encoding="utf-8")
    assert stale != good
    monkeypatch.setattr(reference, "_REPOSITORY", tmp_path)
    monkeypatch.setattr(reference, "pages", lambda: [page])

    def status(*options: str) -> object:
        monkeypatch.setattr(sys, "argv", ["reference.py", *options])
        with pytest.raises(SystemExit) as ended:
            reference.main()
        return ended.value.code

    assert status("--check") == 1
    assert "docs/operations.md is stale" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == stale
    assert status() == 0
    assert page.read_text(encoding="utf-8") == good
    assert status("--check") == 0
    with pytest.raises(SystemExit, match="there is no table 'weather'"):
        reference.rendered("<!-- made by docs/reference.py: weather -->\n<!-- end -->")


def test_the_script_runs_as_the_documentation_says() -> None:
    ended = subprocess.run(
        [sys.executable, "docs/reference.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


# Nothing is left out.


@pytest.mark.parametrize("command", reference.commands())
def test_every_command_and_each_of_its_options_is_documented(command: str) -> None:
    page = text_of("docs/configuration.md")
    assert f"`{command}`" in page
    [section] = re.findall(rf"^### `{command}`$\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    if f"It takes the options of `{reference.PROGRAM}`." in section:
        section = page
    spelled = [name for parameter in reference.commands()[command].params for name in parameter.opts]
    options = [name for name in spelled if name.startswith("-")]
    assert options or command.endswith("show")
    assert [option for option in options if not re.search(rf"`{option}[ `]", section)] == []


def test_every_configuration_key_is_documented_in_its_section() -> None:
    page = text_of("docs/configuration.md")
    sections = reference.configuration_keys()
    assert {"generation", "budget", "quality", "scenarios", "roles.ROLE", "providers.NAME"} <= set(sections)
    for name, model in sections.items():
        [section] = re.findall(rf"^### `\[{re.escape(name)}\]`$\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        inherited = {key for base in model.__mro__[1:] for key in getattr(base, "model_fields", {})}
        for key, field in model.model_fields.items():
            if key in inherited:
                continue  # it stands with those of all roles
            has_section = f"### `[{name}.{key}]`" in page
            rows = re.findall(rf"^\| `{key}` \| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
            assert len(rows) == (0 if has_section else 1), (name, key, field)


@pytest.mark.parametrize("file", PROMPTS)
def test_every_prompt_and_every_table_of_the_cast_is_documented(file: str) -> None:
    assert f"`{file}`" in text_of("docs/customising.md")


def test_every_ability_every_stage_and_every_provider_is_documented() -> None:
    quality = text_of("docs/quality.md")
    assert [ability.value for ability in Ability if f"`{ability.value}`" not in quality] == []
    assert [stage.value for stage in Stage if f"**{stage.value}**" not in quality] == []
    providers = text_of("docs/providers-and-limits.md")
    assert [name for name in BUILT_IN_PROVIDERS if f"| `{name}` |" not in providers] == []


def test_the_secrets_are_shown_as_the_template_has_them() -> None:
    [shown] = re.findall(r"^```json\n(\{\n.*?)^```$", text_of("docs/providers-and-limits.md"), re.MULTILINE | re.DOTALL)
    assert json.loads(shown) == json.loads(SECRETS_TEMPLATE)


@pytest.mark.parametrize("page", PAGES)
def test_every_configuration_that_is_shown_can_be_used(page: str, tmp_path: Path) -> None:
    for number, shown in enumerate(re.findall(r"^```toml\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)):
        file = tmp_path / f"{number}.toml"
        file.write_text(shown, encoding="utf-8")
        if "[[facts]]" in shown:
            [kind] = load_table(file, WorldFile).facts
            assert list(faults_of_kind(kind, Vocabulary())) == []
            continue
        settings = load_settings(file, generation={}, budget={}, quality={}, models={}, rates={})
        assert tomllib.loads(shown).keys() <= settings.model_dump().keys()


# Reading it.


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    assert list(broken_links(REPOSITORY / page, text_of(page))) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    good = "# Here\n[a](README.md) [`b`](docs/quality.md#abilities) [c](#here) [d](https://example.org/gone)"
    assert list(broken_links(REPOSITORY / "page.md", good)) == []
    bad = "[a](gone.md) [b](docs/quality.md#gone) [c](#gone)"
    assert list(broken_links(REPOSITORY / "page.md", f"{good} {bad}")) == ["gone.md", "docs/quality.md#gone", "#gone"]


def test_every_page_is_reached_from_the_readme() -> None:
    readme = text_of("README.md")
    assert [page for page in PAGES if page != "README.md" and f"]({page}" not in readme] == []


def test_the_readme_is_one_page() -> None:
    assert len(text_of("README.md").encode()) <= README_BYTES


def test_the_figures_of_what_is_held_out_are_those_of_the_tables() -> None:
    parts: tuple[Part, Part] = ("held out", "drawn")
    casts = [load_cast(part=part) for part in parts]
    entries = Counter(Vocabulary().entries().values())
    worlds, users = [cast.world for cast in casts], [cast.users for cast in casts]
    counts = [
        *([len(world.slots) for world in worlds], [len(world.connections) for world in worlds]),
        *([len(world.twins) for world in worlds], [len(world.moments) for world in worlds]),
        [len(world.trifles) for world in worlds],
        [len((*world.topics, *world.smalltalk_topics, *world.advice_topics)) for world in worlds],
        *([entries[part] for part in parts], [len(each.places) for each in users]),
    ]
    section = (DOCS / "customising.md").read_text(encoding="utf-8").partition("## What is held out")[2]
    rows = [line.split(" | ") for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    told = [row[1:3] for row in rows[2:]]
    assert told[: len(counts)] == [[f"{number:,}" for number in pair] for pair in counts]
    assert told[len(counts)] == [f"{len(each.jobs)}, {len(each.interests)}" for each in users]
