"""Tables of an earlier version, in a directory of the user's: each alone and all together are read and drawn from."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.notebook import ShelfName
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_scenario, draw_user, generator, possible_abilities
from apep_datagen.people.past import draw_past
from apep_datagen.people.scenario import Ability, Fact, Form, KnownFact, Scenario, User
from apep_datagen.people.story import Story
from support.paths import TESTS

OWN = load_cast()
TABLES = ("users.toml", "facts.toml", "scenarios.toml", "phrases.toml")
DAY, SEEDS = "2026-05-01", range(25)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts of an earlier version."""
    directory = tmp_path_factory.mktemp("earlier")
    with tarfile.open(TESTS / "program" / "earlier_version" / "recorded.tar.xz") as archive:
        members = [member for member in archive if member.name.startswith("prompts/")]
        archive.extractall(directory, members, filter="data")
    return directory / "prompts"


def with_files(directory: Path, earlier: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_bytes((earlier / name).read_bytes())
    return directory


def drawn(cast: Cast, exchanges: int) -> Iterator[Scenario]:
    """Draw each ability that is possible at the beginning of some timelines, and where all of one user is known."""
    for seed in SEEDS:
        draw = generator(seed)
        user = draw_user(cast, draw)
        known = tuple(
            KnownFact(slot.fact(slot.values[0]), "2026-03-01")
            for slot in cast.slots.values()
            if slot.fits(user) and "{" not in slot.values[0][0]
        )
        pages = tuple(KnownFact(moment, "2026-03-02") for moment in cast.moment_facts[:5])
        used = tuple(item.fact.slot for item in (*known, *pages))
        for story in (draw_past(cast, draw, user, DAY).story, Story(user, "", (*known[::2], *pages), used[::2])):
            for ability in possible_abilities(cast, story, DAY, exchanges):
                yield draw_scenario(cast, draw, ability, story, at=f"{DAY}T12:00", exchanges=exchanges)


@pytest.mark.parametrize("names", [*((name,) for name in TABLES), TABLES], ids=" ".join)
@pytest.mark.parametrize("exchanges", [1, 3])
def test_tables_of_an_earlier_version_are_drawn_from(
    tmp_path: Path, earlier: Path, names: tuple[str, ...], exchanges: int
) -> None:
    scenarios = list(drawn(load_cast(with_files(tmp_path, earlier, *names)), exchanges))
    abilities = {scenario.ability for scenario in scenarios}
    lacking = {Ability.APPLY, Ability.ASK_BACK} if "facts.toml" in names else set()  # its facts have no occasions
    assert abilities == set(Ability) - lacking
    assert all(len(scenario.course) == exchanges and all(scenario.course) for scenario in scenarios)


def test_what_a_form_needs_to_be_said_is_said_though_the_table_of_then_knows_of_no_forms(
    tmp_path: Path, earlier: Path
) -> None:
    cast = load_cast(with_files(tmp_path, earlier, "scenarios.toml"))
    shown = set()
    for scenario in drawn(cast, 3):
        told = "\n".join(scenario.course)
        shown.add(scenario.form)
        if scenario.form in {Form.PERSON, Form.NOTE_AND_PAGE}:
            assert all(fact.ask in told for fact in scenario.facts)
        elif scenario.form in {Form.MOMENT_AND_FACT, Form.TWO_AT_ONCE, Form.SAID_ABOVE}:
            assert all(fact.tell in told for fact in scenario.facts)
        elif scenario.form is Form.PASSING:
            assert "true thing" not in told
        elif scenario.form is Form.MISTAKE:
            assert "is different now" not in told
        elif scenario.form is Form.CHANGED:
            assert "Something that you told Ada on another day is different now." in told  # as it was said then
    assert shown >= {Form.PERSON, Form.NOTE_AND_PAGE, Form.MOMENT_AND_FACT, Form.PASSING, Form.MISTAKE, Form.CHANGED}


def test_a_form_of_the_users_own_is_taken_before_the_programs(tmp_path: Path, earlier: Path) -> None:
    path = with_files(tmp_path, earlier, "scenarios.toml") / "scenarios.toml"
    own = '[abilities.share.forms.passing]\nshare = 0\n[abilities.share.forms.told]\ninstruction = "Say it."\n'
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{own}", encoding="utf-8")
    cast = load_cast(tmp_path)
    assert cast.share(Ability.SHARE, Form.PASSING) == 0
    assert cast.instruction(Ability.SHARE, Form.TOLD) == "Say it."
    assert cast.share(Ability.SHARE, Form.TWO_AT_ONCE) == OWN.share(Ability.SHARE, Form.TWO_AT_ONCE)


def test_a_way_of_writing_of_then_is_a_whole_one(tmp_path: Path, earlier: Path) -> None:
    cast = load_cast(with_files(tmp_path, earlier, "users.toml"))
    (ways,) = cast.users.writing
    assert len(ways) > len(SEEDS) / 2
    assert {draw_user(cast, generator(seed)).writing for seed in SEEDS} <= set(ways)


@pytest.mark.parametrize("is_earlier", [True, False])
def test_what_is_to_be_shown_comes_first_where_the_prompt_of_then_says_it_in_no_other_message(
    tmp_path: Path, earlier: Path, *, is_earlier: bool
) -> None:
    prompts = load_prompts(with_files(tmp_path, earlier, "tester_user.txt") if is_earlier else None)
    assert prompts.tells_each_message is not is_earlier
    source = BriefSource(7, (3, 3), 3, prompts, OWN, DEFAULT_MIX, "2025-01-01", "2026-12-31")
    briefs = [source.draw_brief(number, source.new_timeline(number)[0], {}) for number in range(1, 80)]
    assert all(brief.exchanges == 3 for brief in briefs)
    assert any(brief.scenario.place > 1 for brief in briefs) is not is_earlier
    assert any(brief.scenario.form is Form.SAID_ABOVE for brief in briefs) is not is_earlier


def test_a_story_of_then_goes_on_where_the_tables_know_nothing_of_it() -> None:
    user = User("Marta", 34, "Porto", "a nurse", "dry", "short sentences")
    values: list[tuple[str, ShelfName]] = [("Bello", "memory"), ("17 May", "memory"), ("teacher", "diary")]
    facts = [
        Fact(f"kind-{number}", value, (value,), ("kind",), f"it is {value}", "what it is", shelf)
        for number, (value, shelf) in enumerate(values)
    ]
    known = tuple(KnownFact(fact, "2026-03-01") for fact in facts)
    story = Story(user, f"{DAY}T10:00", known, ("kind-0", "kind-1", "kind-2", "a kind that was asked for"))
    abilities = set(possible_abilities(OWN, story, DAY, 3))
    assert abilities >= {Ability.SHARE, Ability.FORGET, Ability.RECALL, Ability.ABSTAIN, Ability.DIARY_RECALL}
    for ability in abilities:
        for seed in SEEDS:
            scenario = draw_scenario(OWN, generator(seed), ability, story, at=f"{DAY}T12:00", exchanges=3)
            assert len(scenario.course) == 3
            assert all(scenario.course)
