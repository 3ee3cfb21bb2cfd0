"""What is in `grown.toml` stays; what is added is there; and whatever happens the file is one of the two."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.grow.grown_file import GrownFile
from apep_datagen.grow.topics import TOPIC_KEYS
from apep_datagen.people.world import Slot, WorldFile
from support.proposals import kind, moment

MINE = """\
# These are mine.

# Topics of the sea.
topics = [ # salt
  "tides", "foghorns",
]

[[facts]]
slot = "boat"  # hers, not mine
tell = "my boat is called {value}"
ask = "what my boat is called"
cues = ["boat"]
values = [["Gannet", "the Gannet"], "Kittiwake"]
notes = ['''
The user's boat:
topics = [ {value}''']
"""


@pytest.fixture
def file(tmp_path: Path) -> GrownFile:
    (tmp_path / "world").mkdir()
    return GrownFile(tmp_path)


def held(file: GrownFile) -> WorldFile:
    return WorldFile.model_validate(tomllib.loads(file.path.read_text(encoding="utf-8")))


def test_a_file_that_is_not_there_is_made_and_grows(file: GrownFile) -> None:
    file.add([kind()], [], {"topics": ["rain"], "advice_topics": ["stains"]})
    file.add([kind(slot="second")], [moment()], {"topics": ["tents", 'a "good" \\ day\x7f']})
    found = held(file)
    assert found.facts == (kind(), kind(slot="second"))
    assert found.moments == (moment(),)
    assert (set(found.topics), found.advice_topics) == ({"rain", "tents", 'a "good" \\ day\x7f'}, ("stains",))
    assert file.path.read_text(encoding="utf-8").startswith("# What `apep-datagen grow` has added")
    assert [path.name for path in file.path.parent.iterdir()] == ["grown.toml"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_there_is_kept_with_its_comments(file: GrownFile, ending: str) -> None:
    mine = MINE.replace("\n", ending)
    file.path.write_bytes(mine.encode())
    before = held(file)
    file.add([kind()], [moment()], {"topics": ["rain"], "smalltalk_topics": ["the moon"]})
    text = file.path.read_bytes().decode()
    # Each line of it, in its order.
    left = iter(text.split("\n"))
    assert [line for line in mine.split("\n")[:-1] if line not in left] == []
    assert text.startswith(f"# These are mine.{ending}{ending}")
    found = held(file)
    assert found.facts == (*before.facts, kind())
    assert (set(found.topics), found.smalltalk_topics) == ({"tides", "foghorns", "rain"}, ("the moon",))


@pytest.mark.parametrize(
    "text",
    [
        'facts = [{slot = "boat", tell = "{value}", ask = "b", cues = ["b"], values = ["Gannet", "Tern"]}]\n',
        '"\\u0074opics" = ["tides"]\n',
        "moments = []\n",
    ],
    ids=["an inline list of tables", "a key in an odd spelling", "an empty list"],
)
def test_a_file_in_which_nothing_more_has_a_place_is_refused_and_left_as_it_is(file: GrownFile, text: str) -> None:
    file.path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"grown\.toml: nothing can be added to it as it is written"):
        file.check()
    with pytest.raises(SettingsError):
        file.add([kind()], [moment()], {"topics": ["rain"]})
    assert file.path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["topics = [", 'colour = "red"', '[[facts]]\nslot = "boat"'])
def test_a_file_that_is_no_table_of_the_world_is_refused_with_what_is_wrong(file: GrownFile, text: str) -> None:
    file.path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"grown\.toml: "):
        file.check()
    assert file.path.read_text(encoding="utf-8") == text


def test_where_the_disk_fails_the_old_file_stays_and_nothing_lies_beside_it(
    file: GrownFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.add([kind()], [], {})
    before = file.path.read_bytes()

    def fails(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(StorageError, match=r"cannot be written \(No space left on device\)"):
        file.add([kind(slot="second")], [], {})
    assert file.path.read_bytes() == before
    assert [path.name for path in file.path.parent.iterdir()] == ["grown.toml"]


def test_where_it_is_a_link_what_it_leads_to_grows(file: GrownFile, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.toml"
    elsewhere.write_text(MINE, encoding="utf-8")
    file.path.symlink_to(elsewhere)
    file.add([kind()], [], {})
    assert file.path.is_symlink()
    assert "kiln_make" in elsewhere.read_text(encoding="utf-8")


def test_two_processes_do_not_grow_it_at_once(file: GrownFile, tmp_path: Path) -> None:
    other = GrownFile(tmp_path)
    working = pytest.raises(StorageError, match="another apep-datagen grow is working on it")
    with file.locked(), working, other.locked():
        pass
    with GrownFile(tmp_path).locked():
        pass


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def kinds(draw: st.DrawFn) -> Slot:
    slot, ask, value, note = (draw(texts) for _ in range(4))
    values, notes = ((value, "other"), ("second",)), (f"{note}{{value}}",)
    return Slot(slot=slot, tell="{value}", ask=ask, cues=("c",), values=values, notes=notes)


by_lists = st.dictionaries(st.sampled_from(TOPIC_KEYS), st.lists(texts, max_size=3))
A_MOMENT = "\n\n[[moments]]\nslot='m'\ntell='t'\nask='a'\nforms=['f']"


@given(
    st.lists(st.tuples(st.lists(kinds(), max_size=2), by_lists), max_size=4),
    st.sampled_from(["", MINE, "# only a comment", "topics=['a']", A_MOMENT]),
)
def test_whatever_is_added_to_whatever_all_of_it_is_there(
    tmp_path_factory: pytest.TempPathFactory, additions: list[tuple[list[Slot], dict[str, list[str]]]], text: str
) -> None:
    file = GrownFile(tmp_path_factory.mktemp("prompts"))
    file.path.parent.mkdir()
    file.path.write_text(text, encoding="utf-8")
    before = held(file)
    wanted = list(before.facts)
    topics = {key: set(getattr(before, key)) for key in TOPIC_KEYS}
    for added, by_key in additions:
        file.add(added, [], by_key)
        wanted += added
        for key, more in by_key.items():
            topics[key] |= set(more)
    found = held(file)
    assert list(found.facts) == wanted
    assert found.moments == before.moments
    assert {key: set(getattr(found, key)) for key in TOPIC_KEYS} == topics
