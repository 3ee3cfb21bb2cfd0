"""The table of the written tester: checked as it is read, large enough, and in words of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.core.words import shingles
from apep_datagen.people.phrasings import PLACEHOLDER, Phrasings, load_phrasings

FILE = "evaluation/phrasings.toml"
PHRASINGS = load_phrasings()
SHIPPED = path_of_prompt(FILE, None).read_text(encoding="utf-8")
_RUN = 5


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence, with the list that it is from."""
    for section, lists in PHRASINGS.model_dump().items():
        if section != "persons":
            for name, texts in lists.items():
                yield from ((f"{section}.{name}", text) for text in texts)


def test_no_sentence_stands_in_what_models_are_told_when_a_dataset_is_made() -> None:
    directory = path_of_prompt("scenarios.toml", None).parent
    prompts = [path for path in directory.rglob("*") if path.is_file() and path.name != "phrasings.toml"]
    assert len(prompts) > 20
    told = {run for path in prompts for run in shingles(path.read_text(encoding="utf-8"), _RUN) if len(run) == _RUN}
    for name, sentence in sentences():
        for part in PLACEHOLDER.split(sentence)[::2]:
            assert told.isdisjoint(shingles(part, _RUN)), (name, sentence)


def test_each_list_is_large_and_holds_each_sentence_once() -> None:
    lists: dict[str, list[str]] = {}
    for name, sentence in sentences():
        lists.setdefault(name, []).append(sentence)
    for name, texts in lists.items():
        assert len(texts) == len({text.lower() for text in texts}), name
    # Where each list of what shows an ability has a dozen, each ability has twice as many, and no frame comes often.
    assert {name: len(texts) for name, texts in lists.items() if len(texts) < 10} == {}
    plain = ["telling.told", "telling.changed", "telling.moment", "asking.fact", "asking.connect", "asking.page"]
    for name in (*plain, "forgetting.fact", "wishing.question", "wishing.thing", "chatting.topic", "chatting.advice"):
        assert len(lists[name]) >= 25, name
    assert sum(len(texts) for name, texts in lists.items() if name.startswith("following")) >= 60


def test_each_sentence_is_whole() -> None:
    for name, sentence in sentences():
        assert sentence == sentence.strip(), name
        assert sentence[0].isupper() or sentence[0] == "{", sentence
        assert sentence[-1] in ".?!" or sentence.endswith("{question}"), sentence


MISTAKES = [
    ("told = [", "tells = [", "tells: there is no such key"),
    ("[choosing]", "[choosing.more]", "choosing"),
    ('"{tell}.",', '"That is so.",', "told: 'That is so.' must hold {tell}, once and nothing else"),
    ('"{tell}.",', '"{tell} and {second}.",', "told: '{tell} and {second}.' must hold {tell}"),
    ('"{tell}.",', '"{tell}, {tell}.",', "must hold {tell}, once"),
    ('"{tell}.",', '"{ tell }.",', "must hold {tell}"),
    (
        '"It\'s grey outside.",',
        '"It is {topic} outside.",',
        "asides: 'It is {topic} outside.' must hold nothing in braces",
    ),
    ('"Two things today. {tell}. And {second}.",', '"{tell}.",', "must hold {second} and {tell}"),
    ('"sister" = "my sister"', '"sister" = ""', "persons.sister"),
    ("[telling]", "[telling", "no valid TOML"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in SHIPPED
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_text(SHIPPED.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_phrasings(tmp_path)
    assert all(line.startswith(str(path)) for line in str(caught.value).splitlines())
    assert said in str(caught.value)


def test_a_directory_of_the_users_has_sentences_of_its_own_or_the_programs(tmp_path: Path) -> None:
    assert load_phrasings(tmp_path) == PHRASINGS
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(SHIPPED.replace('"Me again.", ', ""), encoding="utf-8")
    own = load_phrasings(tmp_path)
    assert isinstance(own, Phrasings)
    assert set(PHRASINGS.around.greetings) - set(own.around.greetings) == {"Me again."}
