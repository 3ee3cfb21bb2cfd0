"""`show`: one conversation, readable, in colours in a terminal, and never with a control character of a model's."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.cli.values import parse_dataset_and_number
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.inspect.lookup import find_element
from apep_datagen.inspect.show import show_conversation
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.paths import REPOSITORY
from support.program import Program, section
from support.waiting import PATIENCE_SECONDS

COLUMNS, LINES = 100, 60
HOSTILE = "\x1b[2J\x07\x1b]0;owned\x07Shall I [bold]sing[/bold] :smile:?\r\x9b31m"

CALLING = [
    ("system", "You are Ada.\n\nIt is Monday, and this is a long prompt of which one line is enough for most."),
    ("user", "My dog is called Bello.\n\n\tAnd yours?"),
    (
        "assistant",
        '<think>I keep that.</think>\n\nOne moment!\n\n<tool_call>add_memory(input_text=["A dog"])</tool_call>',
    ),
    ("tool", '<tool_result>{"added": 1, "indices": [1]}</tool_result>'),
    ("assistant", "<think>Now I answer.</think>\n\n<tool_call>add_memory(</tool_call>"),
    ("tool", '<tool_result>{"error": "the call cannot be read"}</tool_result>'),
    ("assistant", "<think>Never mind.</think>\n\nHow sweet he is."),
]


def line(*messages: tuple[str, str]) -> str:
    return json.dumps({"conversations": [{"role": role, "content": content} for role, content in messages]})


def write(path: Path, *lines: str) -> Path:
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    others = [line(("system", "You are Ada."), ("user", f"Message {number}")) for number in (2, 3, 4)]
    return write(tmp_path / "a.json", line(*CALLING), *others)


def shown(capsys: pytest.CaptureFixture[str], path: Path, number: int, *, with_system: bool = False) -> str:
    show_conversation(path, number, with_system=with_system)
    return capsys.readouterr().out


# What is shown.


def test_a_conversation_is_shown_message_by_message(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        shown(capsys, path, 1)
        == f"""\
Conversation 1 of {path}
(there is no state database {path.with_name("a.state.db")}, which knows user, day and ability)

System prompt, 91 characters: You are Ada. It is Monday, and this is a long prompt of whic…

User
  My dog is called Bello.

      And yours?

Ada thinks
  I keep that.
Ada
  One moment!
  → add_memory(input_text=["A dog"])

Results
  ← {{"added": 1, "indices": [1]}}

Ada thinks
  Now I answer.
Ada
  → add_memory( (not understood)

Results
  ← {{"error": "the call cannot be read"}}

Ada thinks
  Never mind.
Ada
  How sweet he is.
"""
    )


def test_the_system_prompt_is_shown_as_a_whole_when_asked_for(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, path, 1, with_system=True)
    assert "System prompt\n  You are Ada.\n\n  It is Monday, and this is a long prompt of which one line is" in text
    assert "enough for most.\n" in text


def test_a_long_result_is_spread_over_lines_and_a_very_long_one_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def result(count: int) -> str:
        memories = [{"index": index, "text": "The user has a dog."} for index in range(1, count + 1)]
        return f"<tool_result>{json.dumps({'memories': memories})}</tool_result>"

    path = write(tmp_path / "a.json", line(("user", "Hi"), ("tool", f"{result(3)}\n{result(30)}"), ("tool", "<bare>")))
    text = shown(capsys, path, -1)
    assert '  ← {\n      "memories": [\n        {\n          "index": 1,\n' in text
    assert '          "index": 3,\n          "text": "The user has a dog."\n        }\n      ]\n    }\n  ← {' in text
    # 2 + 30 * 4 + 2 lines, of which 24 are shown.
    assert "    … 100 more lines\n" in text
    assert text.endswith("  <bare>\n")


def test_control_characters_do_not_get_through_and_markup_is_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = [("user", HOSTILE), ("assistant", f"<think>{HOSTILE}</think>\n\n{HOSTILE}"), ("\x1b[1m", HOSTILE)]
    messages.append(("tool", f"<tool_result>{json.dumps(HOSTILE, ensure_ascii=True)}</tool_result>\x1b"))
    text = shown(capsys, write(tmp_path / "a.json", line(*messages)), 1)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert text.count("[bold]sing[/bold] :smile:") == 5


def test_what_is_no_conversation_is_an_error_that_says_so(path: Path) -> None:
    write(path, line(("user", "Hi")), '{"conversations": 7}', "null")
    for number in (2, 3):
        with pytest.raises(StorageError, match=f"element {number} is no conversation; apep-datagen verify says"):
            show_conversation(path, number)


# Which one.


@pytest.mark.parametrize(
    ("file", "number", "expected"),
    [
        (None, None, ("default.json", -1)),
        ("a.json", None, ("a.json", -1)),
        ("a.json", "3", ("a.json", 3)),
        ("a.json", "-2", ("a.json", -2)),
        ("3", None, ("default.json", 3)),
        ("-3", None, ("default.json", -3)),
        ("7", None, ("7", -1)),  # there is such a file
        ("7", "2", ("7", 2)),
        ("8", "2", ("8", 2)),  # there is none, as will be said when it is read
    ],
)
def test_file_and_number_are_told_apart(
    file: str | None,
    number: str | None,
    expected: tuple[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("7").touch()
    assert parse_dataset_and_number(file, number, Path("default.json")) == (Path(expected[0]), expected[1])


@pytest.mark.parametrize(("file", "number"), [("a.json", "0"), ("0", None), ("a.json", "x"), ("a.json", "1.5")])
def test_what_is_no_number_is_refused(file: str, number: str | None) -> None:
    with pytest.raises(SettingsError, match=r"is no number of a conversation: they go from 1, or from -1 at the end"):
        parse_dataset_and_number(file, number, Path("default.json"))


def test_an_option_that_there_is_not_is_not_taken_for_a_file() -> None:
    with pytest.raises(SettingsError, match="there is no option --sytem"):
        parse_dataset_and_number("--sytem", None, Path("default.json"))


@given(st.integers(0, 12), st.integers(-14, 14).filter(bool))
def test_numbers_count_from_1_and_from_the_end(
    tmp_path_factory: pytest.TempPathFactory, count: int, number: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "counted.json"
    write(path, *map(str, range(1, count + 1)))
    numbers = range(1, count + 1)
    if -count <= number <= count:
        expected = numbers[number - 1 if number > 0 else number]
        assert find_element(path, number) == (expected, str(expected).encode())
    else:
        there = f"from 1 to {count}, or from -1 at the end to -{count}$" if count else "it holds none yet$"
        with pytest.raises(SettingsError, match=rf"there is no conversation {number}; .*{there}"):
            find_element(path, number)


# What the state database knows of it.


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = Program(tmp_path_factory.mktemp("run"))
    with LoopbackServer() as server:
        models = '[providers.one.models]\ntester = "model-two"\n[generation]\ntimeline_length = 3\n'
        program.configure(section("one", server.url("one"), max_in_flight=2) + models)
        for target in ("3", "8"):  # the second invocation carries the timelines of the first on
            ended = program.run("--providers", "one", "--target", target, "--seed", "3")
            assert ended.status == 0, ended.said
    return program


def head(text: str) -> dict[str, str]:
    """Return what is said above the first empty line, by its label."""
    return dict(re.split(r"  +", row, maxsplit=1) for row in text.partition("\n\n")[0].split("\n")[1:])


def test_the_head_tells_what_was_planned_and_who_made_it(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    rows = program.query(
        "SELECT position, plan, timeline_id FROM samples JOIN conversations ON id = conversation_id ORDER BY position"
    )
    timelines: list[int] = []
    assert len({timeline for _, _, timeline in rows}) < 8  # one of them has two conversations at least
    for position, text, timeline in rows:
        plan = json.loads(text)
        timelines.append(timeline)
        length = sum(other == timeline for _, _, other in rows)
        found = head(shown(capsys, program.output, position))
        user, scenario = plan["user"], plan["scenario"]
        assert found["User"] == f"{user['name']}, {user['age']}, {user['place']}"
        assert found["When"] == plan["at"].replace("T", " ")
        assert (found["Ability"], found["Topic"]) == (scenario["ability"], scenario["topic"])
        facts = [f"{fact['slot']} = {fact['value']}" for fact in scenario["facts"] if fact["value"]]
        facts += [f"{fact['slot']} (never told)" for fact in scenario["facts"] if not fact["value"]]
        assert found.get("Facts", "") == "; ".join(facts)
        assert found["Made by"] == "one / model-two (tester), one / model-one (ada, rewriter)"
        assert found["Timeline"] == f"{timeline}, conversation {timelines.count(timeline)} of {length}"
        assert program.conversations()[position - 1][1]["content"] in shown(capsys, program.output, position - 9)


def test_a_conversation_is_recognised_though_another_hand_has_moved_it(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = program.output.read_text(encoding="utf-8").split("\n")[1:-2]
    lines = [text.rstrip(",") for text in lines]
    path = tmp_path / program.output.name
    path.with_name(program.state.name).write_bytes(program.state.read_bytes())
    write(path, line(("user", "A foreign one")), *reversed(lines))
    assert "does not know this conversation" in shown(capsys, path, 1)
    assert head(shown(capsys, path, 9)) == head(shown(capsys, program.output, 1))
    assert head(shown(capsys, path, 3)) == head(shown(capsys, program.output, 7))


def test_with_a_state_database_the_file_is_not_read_from_its_beginning(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same is found, and it makes no difference whether the file has been changed by another hand."""
    path, state = tmp_path / program.output.name, tmp_path / program.state.name
    path.write_bytes(program.output.read_bytes())
    plain = {number: find_element(path, number) for number in range(-8, 9) if number}
    state.write_bytes(program.state.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr("apep_datagen.inspect.lookup.read_elements", None)
        assert {number: find_element(path, number) for number in plain} == plain
    for number in (-9, 9):
        with pytest.raises(SettingsError, match="go from 1 to 8"):
            find_element(path, number)
    lines = program.output.read_text(encoding="utf-8").split("\n")[1:-2]
    elements = [text.rstrip(",") for text in lines]
    for changed in (elements[1:], elements[:-1], [*elements, "7"], [elements[1], elements[0], *elements[2:]]):
        write(path, *changed)
        for index, element in enumerate(changed):
            assert find_element(path, index + 1) == (index + 1, element.encode())
            assert find_element(path, index - len(changed)) == (index + 1, element.encode())


def test_with_conversations_that_were_there_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    write(program.output, line(("user", "A foreign one")), line(("user", "Another")))
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        ended = program.run("--providers", "one", "--target", "4")
    assert ended.status == 0, ended.said
    assert "does not know this conversation" in shown(capsys, program.output, 2)
    assert "does not know this conversation" in shown(capsys, program.output, -4)
    monkeypatch.setattr("apep_datagen.inspect.lookup.read_elements", None)  # what the run made is found without it
    for number in (3, -1):
        assert f"Conversation {number % 5} of" in shown(capsys, program.output, number)
        assert "Timeline" in head(shown(capsys, program.output, number))


def test_a_state_database_that_cannot_be_read_does_not_hide_the_conversation(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = path.with_name("a.state.db")
    state.write_bytes(b"nothing of the kind" * 100)
    text = shown(capsys, path, 2)
    assert (
        f"({state}: the state database cannot be read (file is not a database); it is damaged, or another program's: "
        in text
    )
    assert "Message 2" in text


# In a terminal.


def code(path: Path, number: int) -> str:
    arguments = ["apep-datagen", "show", str(path), str(number)]
    return f"import sys; from apep_datagen.cli.app import main; sys.argv = {arguments!r}; main()"


def test_long_lines_are_wrapped_between_words_and_indented(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", line(("user", f"{'word ' * 60}\n\n{'x' * 250}")))
    lines = [text for text, _ in cells(in_terminal(path, 1)) if text.startswith("  ")]
    assert [len(text) for text in lines[:3]] == [96, 96, 96]
    assert lines[-3:] == [f"  {'x' * 98}", f"  {'x' * 98}", f"  {'x' * 54}"]


def in_terminal(path: Path, number: int, **environment: str) -> str:
    """Return all that is written to a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (LINES, COLUMNS))
    inherited = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    root = str(REPOSITORY)
    process = subprocess.Popen(
        [sys.executable, "-c", code(Path(path.name), number)],
        cwd=path.parent,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "PYTHONPATH": root, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    output = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    assert process.wait(PATIENCE_SECONDS) == 0, output
    return output.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a terminal says that the other side has closed it
        return b""


def cells(output: str) -> Iterator[tuple[str, list[pyte.screens.Char]]]:
    """Yield each line of the screen, as text and as cells."""
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed(output)
    for number, text in enumerate(screen.display):
        yield text.rstrip(), [screen.buffer[number][column] for column in range(len(text.rstrip()))]


def test_in_a_terminal_thinking_calls_and_results_look_different(path: Path) -> None:
    looks: dict[str, tuple[bool, bool, str]] = {}
    output = in_terminal(path, 1)
    for text, row in cells(output):
        if text:
            looks[text.strip()] = (row[-1].bold, row[-1].italics, row[-1].fg)
    assert looks["Conversation 1 of a.json"] == (True, False, "default")
    assert looks["User"] == (True, False, "cyan")
    assert looks["My dog is called Bello."] == (False, False, "default")
    assert looks["I keep that."] == (False, True, "default")
    assert "\x1b[2;3m  I keep that.\x1b[0m" in output  # dim, of which pyte knows nothing
    assert looks['→ add_memory(input_text=["A dog"])'] == (False, False, "brown")  # how pyte calls yellow
    assert looks['← {"added": 1, "indices": [1]}'] == (False, False, "green")
    assert looks['← {"error": "the call cannot be read"}'] == (False, False, "red")
    assert looks["Ada"] == (True, False, "magenta")
    assert looks["How sweet he is."] == (False, False, "default")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(path: Path, environment: dict[str, str]) -> None:
    output = in_terminal(path, 1, **environment)
    assert "\x1b" not in output
    assert "How sweet he is." in output


def test_where_there_is_no_terminal_there_are_no_colours(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "FORCE_COLOR": "1"}
    output = subprocess.check_output([sys.executable, "-c", code(path, 1)], text=True, env=environment)
    assert "\x1b" not in output
    assert "How sweet he is." in output


def test_a_pager_that_is_gone_is_no_error(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", code(path, 1)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_a_model_wrote_does_not_change_the_terminal(tmp_path: Path) -> None:
    """The texts of a run, from the models through the file to the terminal."""

    def hostile(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.text = reply.text.replace("reply", HOSTILE).replace("Message", HOSTILE).replace("tells", HOSTILE)
        return reply

    program = Program(tmp_path)
    with LoopbackServer(hostile) as server:
        program.configure(section("one", server.url("one")))
        ended = program.run("--providers", "one", "--target", "1")
    assert ended.status == 0, ended.said
    assert "\\u001b[2J" in program.output.read_text(encoding="utf-8")  # so it is the view that takes it out
    output = in_terminal(program.output, 1)
    for sequence in ("\x1b[2J", "\x07", "\x1b]0;", "\x9b"):
        assert sequence not in output
    assert output.count("[bold]sing[/bold] :smile:") >= 3  # and in her memory, if she keeps it
