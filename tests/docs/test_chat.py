"""Whoever has trained a model can talk with it: `docs/chat.py` sends what training had, and loses nothing."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chat
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import ada_system_prompt
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.markup import result_block
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.tools import tool_names
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts, ToolRole
from apep_datagen.formats.thoughts import with_thoughts
from apep_datagen.formats.wire import plain_wire
from notes_file import NotesFile
from support.loopback_server import LoopbackServer, Received, Reply
from support.paths import REPOSITORY
from support.program import Ended, killed, killed_if_it_does_not_end
from support.waiting import PATIENCE_SECONDS, wait_until

SAMPLE = json.loads((REPOSITORY / "docs" / "sample.json").read_text(encoding="utf-8"))
CONVERSATIONS = [tuple(Message(**message) for message in one["conversations"]) for one in SAMPLE]

RECALL = "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>"
REMEMBER = '<think>Keep it.</think>\n\n<tool_call>add_memory(input_text=["The user has a cat, Mia."])</tool_call>'
DONE = "<think>It is kept.</think>\n\nMia it is."


def in_order(*replies: Reply | str) -> Callable[[Received], Reply]:
    """Answer one request after the other so; what comes behind them fails the test that looks at it."""
    left = iter(replies)

    def answer(received: Received) -> Reply:  # noqa: ARG001 - the order alone counts
        reply = next(left, Reply("one request too many", status=500))
        return reply if isinstance(reply, Reply) else Reply(reply)

    return answer


@dataclass(frozen=True, slots=True)
class Talk:
    """The script in a directory of its own, at a loopback server."""

    directory: Path
    server: LoopbackServer

    @property
    def notes(self) -> Path:
        return self.directory / "ada-notes.json"

    def command(self, *options: str) -> list[str]:
        address = ("--base-url", f"http://127.0.0.1:{self.server.port}/v1")
        return [sys.executable, str(REPOSITORY / "docs" / "chat.py"), *address, *options]

    def start(
        self, *options: str, environment: Mapping[str, str] | None = None, **settings: Any
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*options),
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(self.directory), **(environment or {})},
            text=True,
            encoding="utf-8",
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
        )

    def say(self, *lines: str, options: Sequence[str] = (), **settings: Any) -> Ended:
        process = self.start(*options, **settings)
        with killed_if_it_does_not_end(process):
            stdout, stderr = process.communicate("".join(f"{line}\n" for line in lines), timeout=PATIENCE_SECONDS)
        return Ended(process.returncode, stdout, stderr)

    def kept(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = json.loads(self.notes.read_text(encoding="utf-8"))
        return found


@contextlib.contextmanager
def talk(directory: Path, *replies: Reply | str) -> Iterator[Talk]:
    with LoopbackServer(in_order(*replies)) as server:
        yield Talk(directory, server)


def sent(received: Received) -> list[Any]:
    messages: list[Any] = received.body["messages"]
    return messages


# What is sent is what training had.


@pytest.mark.parametrize("thoughts", ["keep", "last", "drop"])
@pytest.mark.parametrize("role", ["user", "tool"])
def test_text_is_sent_as_the_rows_of_an_export_have_it(thoughts: Thoughts, role: ToolRole) -> None:
    shape = Shape(tool_role=role, thoughts=thoughts)
    for messages in CONVERSATIONS:
        row = FORMATS["trl"].write(with_thoughts(Example(messages), thoughts), shape)
        assert plain_wire("text", role, thoughts).spell(messages).body() == row


def test_native_calls_are_sent_as_the_api_has_them_and_name_all_that_the_rows_have() -> None:
    written = 0
    for messages in CONVERSATIONS:
        try:
            row = FORMATS["trl"].write(Example(messages), Shape(calls="native"))
        except CannotHoldError:
            continue
        written += 1
        body = plain_wire("native").spell(messages).body()
        for message in body["messages"]:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        assert body == {"messages": row["messages"], "tools": json.loads(row["tools"])}
    assert written > len(CONVERSATIONS) // 2


def test_hermes_is_sent_in_the_roles_of_the_api() -> None:
    for messages in CONVERSATIONS:
        row = FORMATS["hermes"].write(Example(messages), FORMATS["hermes"].default)
        body = plain_wire("hermes").spell(messages).body()
        assert [message["content"] for message in body["messages"]] == [each["value"] for each in row["conversations"]]
        assert [message["role"] for message in body["messages"]] == [message.role for message in messages]


@pytest.mark.parametrize("calls", ["text", "native", "hermes"])
def test_the_system_prompt_is_that_of_training_with_the_day_and_the_way_of_calling(tmp_path: Path, calls: str) -> None:
    before = datetime.datetime.now().astimezone()
    with talk(tmp_path, DONE) as talking_with:
        ended = talking_with.say("Hello.", options=("--calls", calls, "--max-tool-rounds", "5"))
    after = datetime.datetime.now().astimezone()
    assert (ended.status, ended.stderr) == (0, "")
    prompts = load_prompts()
    possible = {
        ada_system_prompt(prompts, at.isoformat(timespec="minutes"), 5, calls)
        for at in (
            before + datetime.timedelta(minutes=minutes) for minutes in range((after - before).seconds // 60 + 2)
        )
    }
    [received] = talking_with.server.received
    assert sent(received)[0]["content"] in possible
    assert "in at most 5 rounds" in sent(received)[0]["content"]
    assert ("tools" in received.body) == (calls == "native")


# A conversation.


def test_a_call_is_executed_its_result_sent_back_and_what_was_noted_is_there_the_next_time(tmp_path: Path) -> None:
    with talk(tmp_path, REMEMBER, DONE, RECALL, "<think>There.</think>\n\nMia!") as talking_with:
        first = talking_with.say("I have a cat, Mia.", options=("--model", "mine"))
        second = talking_with.say("What is my cat called?")
    assert [(ended.status, ended.stderr) for ended in (first, second)] == [(0, "")] * 2
    today = datetime.datetime.now().astimezone().date()
    [note] = talking_with.kept()["memory"]
    assert note["text"] == "The user has a cat, Mia."
    assert datetime.date.fromisoformat(note["date"]) in {today, today - datetime.timedelta(days=1)}
    assert talking_with.kept()["diary"] == []
    requests = talking_with.server.received
    assert [message["role"] for message in sent(requests[1])] == ["system", "user", "assistant", "user"]
    assert sent(requests[1])[2:] == [
        {"role": "assistant", "content": REMEMBER},
        {"role": "user", "content": result_block({"added": 1, "indices": [1]})},
    ]
    assert [len(sent(request)) for request in requests] == [2, 4, 2, 4]  # the second time she knows her notes alone
    listed = {"memories": [{"index": 1, **note}]}
    assert sent(requests[3])[3]["content"] == result_block(listed)
    assert requests[0].body["model"] == "mine"
    assert "It is kept." in first.stdout
    assert 'add_memory(input_text=["The user has a cat, Mia."])' in first.stdout
    assert first.stdout.index("Mia it is.") > first.stdout.index("added")
    assert "<think>" not in first.stdout + second.stdout


def test_earlier_exchanges_are_sent_again_and_a_new_conversation_has_none(tmp_path: Path) -> None:
    with talk(tmp_path, "<think>One.</think>\n\nFirst.", "<think>Two.</think>\n\nSecond.", "Third.") as talking_with:
        assert talking_with.say("a", "", "b", "/new", "c").status == 0
    assert [[message["content"] for message in sent(request)[1:]] for request in talking_with.server.received] == [
        ["a"],
        ["a", "<think>One.</think>\n\nFirst.", "b"],
        ["c"],
    ]


def test_native_calls_come_and_go_as_fields(tmp_path: Path) -> None:
    call = {"id": "x7", "type": "function", "function": {"name": "recall_diary", "arguments": "{}"}}
    asked = Reply(message={"content": None, "reasoning_content": "I look.", "tool_calls": [call]})
    asked.finish_reason = "tool_calls"
    with talk(tmp_path, asked, "Nothing there yet.") as talking_with:
        ended = talking_with.say("What did you write?", options=("--calls", "native"))
    assert (ended.status, ended.stderr) == (0, "")
    first, second = talking_with.server.received
    assert [tool["function"]["name"] for tool in first.body["tools"]] == tool_names()
    answer, result = sent(second)[2:]
    assert answer["content"] == "<think>I look.</think>"
    assert answer["tool_calls"][0]["function"] == {"name": "recall_diary", "arguments": "{}"}
    assert (result["role"], result["tool_call_id"]) == ("tool", answer["tool_calls"][0]["id"])
    assert "Nothing there yet." in ended.stdout


def test_the_notes_are_listed_when_they_are_asked_for(tmp_path: Path) -> None:
    with talk(tmp_path, REMEMBER, DONE) as talking_with:
        ended = talking_with.say("I have a cat, Mia.", "/notes")
    assert "1. 20" in ended.stdout.partition("Mia it is.")[2]
    assert len(talking_with.server.received) == 2


# A model, or a server, that misbehaves.

LOOPING = "again and again and " * 400
MISBEHAVIOUR: dict[str, tuple[tuple[Reply | str, ...], str]] = {
    "never answers with words": ((RECALL, RECALL, RECALL, RECALL), "she went on using tools after 4 rounds"),
    "empty": (("",), "she answered with nothing"),
    "thinks and says nothing": (("<think>Hm.</think>",), "she answered with nothing"),
    "null": ((Reply(message={"content": None}),), "she answered with nothing"),
    "loops": ((f"<think>{LOOPING}</think>",), "she answered with nothing"),
    "loops in words": ((LOOPING,), "she says the same again and again"),
    "cut off": ((Reply("She said", finish_reason="length"),), "--max-tokens"),
    "filtered": ((Reply("She", finish_reason="content_filter"),), "content_filter"),
    "endless": (("word " * 30_000,), "her answer has no end"),
    "no JSON": ((Reply(raw="<html>hello</html>"),), "."),
    "no such model": ((Reply("no such model", status=404),), "no such model"),
    "out of order": ((Reply("out of order", status=500),), "out of order"),
    "hangs up": ((Reply(fault="drop"),), "."),
    "torn": ((Reply("Half", fault="tear"),), "."),
}


def test_whatever_goes_wrong_is_a_sentence_and_the_conversation_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    replies = [reply for misbehaved, _ in MISBEHAVIOUR.values() for reply in (REMEMBER, *misbehaved)]
    with talk(tmp_path, *replies, "Good.") as talking_with:
        talking_with.notes.write_text('{"diary": [{"date": "2026-01-31", "text": "A page."}]}', encoding="utf-8")
        ended = talking_with.say(*MISBEHAVIOUR, "Hello.", "/notes", options=("--max-tool-rounds", "4"))
    assert (ended.status, ended.stderr) == (0, "")
    *told, last = ended.stdout.split("Nothing of this exchange was kept.")
    assert {name: words in said for (name, (_, words)), said in zip(MISBEHAVIOUR.items(), told, strict=True)} == (
        dict.fromkeys(MISBEHAVIOUR, True)
    )
    assert "Good." in last
    assert '"memory": []' in last
    assert [message["content"] for message in sent(talking_with.server.received[-1])[1:]] == ["Hello."]
    assert talking_with.kept() == {
        "diary": [{"date": "2026-01-31", "text": "A page."}]
    }  # not even what was called before it


def test_calls_beyond_the_last_round_are_left_out_where_there_are_words_too(tmp_path: Path) -> None:
    with talk(tmp_path, "So be it.\n\n<tool_call>recall_diary()</tool_call>", "Yes.") as talking_with:
        ended = talking_with.say("one", "two", options=("--max-tool-rounds", "0"))
    assert "So be it." in ended.stdout
    assert not talking_with.notes.exists()
    assert sent(talking_with.server.received[1])[2]["content"] == "So be it."


@pytest.mark.parametrize(
    "nonsense",
    ["<tool_call>add_memory(</tool_call>", "<tool_call>rm('/')</tool_call>", "<tool_call>delete_memory(indices=[9])"],
)
def test_a_call_that_cannot_be_carried_out_gets_the_error_that_training_had(tmp_path: Path, nonsense: str) -> None:
    with talk(tmp_path, nonsense, "Sorry.") as talking_with:
        ended = talking_with.say("one")
    assert ended.status == 0
    assert sent(talking_with.server.received[1])[-1]["content"].startswith('<tool_result>{"error": ')
    assert not talking_with.notes.exists()


def test_a_call_that_is_no_field_ends_a_native_exchange_in_a_sentence(tmp_path: Path) -> None:
    with talk(tmp_path, "<tool_call>add_memory(</tool_call>", "Good.") as talking_with:
        ended = talking_with.say("one", "two", options=("--calls", "native"))
    assert "cannot go on with --calls native" in ended.stdout
    assert ended.status == 0


def test_an_answer_that_never_comes_and_one_that_trickles_are_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    with talk(tmp_path, Reply(fault="hang"), Reply(fault="trickle"), "Good.") as talking_with:
        ended = talking_with.say("one", "two", "three", options=("--timeout", "3"))
    assert ended.stdout.count("Nothing of this exchange was kept.") == 2
    assert "Good." in ended.stdout


def test_a_server_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with talk(tmp_path) as talking_with:
        pass
    ended = talking_with.say("Hello.")
    assert (ended.status, ended.stderr) == (0, "")
    assert "Nothing of this exchange was kept." in ended.stdout


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C.UTF-8"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "utf-8:strict"}], ids=str
)
def test_what_is_no_text_does_not_keep_the_rest_from_being_sent(tmp_path: Path, environment: dict[str, str]) -> None:
    lines = tmp_path / "lines"
    lines.write_bytes(b"caf\xff\ncaf\xc3\xa9\r\n\x00\x1b\n")
    with talk(tmp_path, *["Hm."] * 3) as talking_with, lines.open(encoding="latin-1") as stdin:
        process = talking_with.start(environment=environment, stdin=stdin)
        with killed_if_it_does_not_end(process):
            _, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, stderr) == (0, "")
    said = [sent(request)[-1]["content"] for request in talking_with.server.received]
    assert said[0].startswith("caf\ufffd")
    assert said[1] == "café"
    assert said[2].startswith("\ufffd")


def test_without_a_standard_input_there_is_nothing_to_say(tmp_path: Path) -> None:
    with talk(tmp_path) as talking_with:
        command = shlex.join(talking_with.command())
        ended = subprocess.run(
            ["/bin/sh", "-c", f"{command} <&-"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_a_terminal_would_obey_does_not_reach_it(tmp_path: Path) -> None:
    with talk(tmp_path, "<think>\x1b[2J</think>\n\nHi \x1b]0;title\x07 there") as talking_with:
        ended = talking_with.say("Hello.")
    assert "\x1b" not in ended.stdout
    assert "\x07" not in ended.stdout


def test_the_key_is_sent_and_never_shown(tmp_path: Path) -> None:
    key = "sk-very-secret"
    with talk(tmp_path, Reply(f"wrong key {key}", status=401)) as talking_with:
        ended = talking_with.say("Hello.", options=("--key-from", "MY_KEY"), environment={"MY_KEY": key})
    [received] = talking_with.server.received
    assert received.authorization == f"Bearer {key}"
    assert "wrong key …" in ended.stdout
    assert key not in ended.said


def test_without_a_key_none_is_sent_that_is_meant_for_others(tmp_path: Path) -> None:
    with talk(tmp_path, DONE) as talking_with:
        talking_with.say("Hello.", environment={"OPENAI_API_KEY": "sk-others", "HF_TOKEN": "hf_x"})
    assert talking_with.server.received[0].authorization == ""


# Ending it.


@pytest.mark.parametrize("interrupted", [False, True])
def test_at_a_terminal_control_d_and_control_c_end_it_and_nothing_is_lost(tmp_path: Path, *, interrupted: bool) -> None:
    with talk(tmp_path, REMEMBER, DONE, Reply(fault="hang")) as talking_with, terminal() as (leader, follower):
        said = bytearray()

        def shown() -> str:
            with contextlib.suppress(BlockingIOError, OSError):
                said.extend(os.read(leader, 65_536))
            return said.decode(errors="replace")

        process = talking_with.start(
            stdin=follower, stdout=follower, stderr=follower, start_new_session=True, preexec_fn=_take_terminal
        )
        with killed(process):
            wait_until(lambda: ">" in shown(), shown)
            os.write(leader, b"I have a cat, Mia.\n")
            wait_until(lambda: "Mia it is." in shown() and shown().rstrip().endswith(">"), shown)
            kept = talking_with.kept()
            if interrupted:
                os.write(leader, b"And a dog.\n")
                talking_with.server.wait_until(lambda: len(talking_with.server.received) == 3)
            os.write(leader, b"\x03" if interrupted else b"\x04")
            wait_until(lambda: shown() and process.poll() is not None, shown)
        said_in_all = shown()
    assert process.returncode == (130 if interrupted else 0)
    assert "Traceback" not in said_in_all
    assert "\x1b[2;3mIt is kept." in said_in_all.replace("\x1b[2;3m  ", "\x1b[2;3m")  # thoughts are dim
    assert talking_with.kept() == kept
    assert [note["text"] for note in kept["memory"]] == ["The user has a cat, Mia."]


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Yield the two ends of a terminal: what a person sees and types, and what a program has."""
    leader, follower = pty.openpty()
    os.set_blocking(leader, False)
    try:
        yield leader, follower
    finally:
        os.close(leader)
        os.close(follower)


def _take_terminal() -> None:
    """Make the standard input the terminal that Ctrl-C is typed at."""
    import fcntl  # noqa: PLC0415 - in the child alone
    import termios  # noqa: PLC0415 - as above

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_killed_while_it_waits_it_has_the_notes_of_what_was_finished(tmp_path: Path) -> None:
    with talk(tmp_path, REMEMBER, DONE, REMEMBER, Reply(fault="hang")) as talking_with:
        process = talking_with.start()
        with killed(process):
            assert process.stdin is not None
            process.stdin.write("one\ntwo\n")
            process.stdin.flush()
            talking_with.server.wait_until(lambda: len(talking_with.server.received) == 4)
    assert len(talking_with.kept()["memory"]) == 1


# The file of her notes.

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
SHELVES = st.lists(st.tuples(TEXTS, TEXTS), max_size=5)


@given(memory=SHELVES, diary=SHELVES, numbers=st.just(count()))
def test_notes_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, memory: Any, diary: Any, numbers: count[int]
) -> None:
    file = NotesFile(tmp_path_factory.getbasetemp() / f"notes-{next(numbers)}.json")
    notes = Notes(
        *(tuple(Note(index, *each) for index, each in enumerate(shelf, start=1)) for shelf in (memory, diary))
    )
    file.write(notes)
    assert file.read() == notes
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_link_to_the_notes_stays_one(tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    link = tmp_path / "link.json"
    link.symlink_to(there)
    NotesFile(link).write(Notes((Note(1, "2026-01-31", "A fact."),)))
    assert link.is_symlink()
    assert NotesFile(there).read().memory[0].text == "A fact."


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"memory": 3}', '{"memory": [{"date": "x"}]}', '{"notes": []}', "[" * 100_000]
)
def test_a_file_that_holds_something_else_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    with talk(tmp_path) as talking_with:
        talking_with.notes.write_text(content, encoding="utf-8")
        ended = talking_with.say("Hello.")
    assert ended.status == 2
    assert "ada-notes.json" in ended.stderr
    assert "Traceback" not in ended.said
    assert talking_with.notes.read_text(encoding="utf-8") == content
    assert talking_with.server.received == []


def test_where_notes_cannot_be_written_the_exchange_is_not_kept_either(tmp_path: Path) -> None:
    with talk(tmp_path, REMEMBER, DONE, "Good.") as talking_with:
        (tmp_path / "ada-notes.json.new").mkdir()
        ended = talking_with.say("one", "two")
    assert ended.status == 0
    assert "the notes could not be written" in ended.stdout
    assert [message["content"] for message in sent(talking_with.server.received[-1])[1:]] == ["two"]
    assert not talking_with.notes.exists()


def test_two_chats_do_not_share_notes(tmp_path: Path) -> None:
    file = NotesFile(tmp_path / "ada-notes.json")
    with file.held(), pytest.raises(StorageError, match="another chat uses these notes"), file.held():
        pass
    with file.held():
        pass


def test_notes_that_cannot_be_read_are_no_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "notes.json").mkdir()
    with pytest.raises(SettingsError, match=r"notes\.json"):
        NotesFile(tmp_path / "notes.json").read()


# Options.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--base-url", "localhost:8080"), "http://localhost:8080/v1"),
        (("--base-url", "http://[::1"), "http://localhost:8080/v1"),
        (("--extra-body", "[1]"), "--extra-body"),
        (("--extra-body", "{"), "--extra-body"),
        (("--key-from", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE"),
        (("--max-tokens", "0"), "--max-tokens"),
        (("--timeout", "nan"), "--timeout"),
        (("--prompts", "nowhere"), "nowhere"),
        (("--max-tool-rounds", "21"), "--max-tool-rounds"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    with talk(tmp_path) as talking_with:
        ended = talking_with.say(options=options)
    assert ended.status == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


PAGE = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")


def test_every_option_that_the_page_names_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^uv run python docs/chat\.py (.+)$", PAGE, re.MULTILINE)
    inline = re.findall(r"`chat\.py (--[^`]+)`", PAGE)
    rows = re.findall(r"^\| .+ \| .+ \| `(--[a-z-]+)", PAGE, re.MULTILINE)
    assert (len(commands), len(inline), len(rows)) == (2, 1, 5)
    parser = chat._parser()
    for command in (*commands, *(f"--base-url http://localhost {options}" for options in inline)):
        assert parser.parse_args(shlex.split(command)).model == "ada"
    assert [option for option in rows if option not in parser.format_help()] == []
    assert capsys.readouterr().err == ""


def test_what_the_page_has_to_be_run_prints_the_system_prompt() -> None:
    [command] = re.findall(r"^uv run python -c '\n(.*?)'$", PAGE, re.MULTILINE | re.DOTALL)
    ended = subprocess.run([sys.executable, "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ada_system_prompt(load_prompts(), "2026-11-27T17:34", 3)


def test_further_fields_and_sampling_are_in_each_request(tmp_path: Path) -> None:
    with talk(tmp_path, DONE) as talking_with:
        more = '{"skip_special_tokens": false}'
        talking_with.say("Hello.", options=("--extra-body", more, "--temperature", "0.6", "--max-tokens", "77"))
    body = dict(talking_with.server.received[0].body)
    del body["messages"]
    assert body == {"model": "ada", "max_tokens": 77, "temperature": 0.6, "skip_special_tokens": False}
