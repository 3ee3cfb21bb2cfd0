"""What of the training benchmark needs no PyTorch: what is trained on, and how answers are served."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import ada_system_prompt
from apep_datagen.core.messages import Message
from support.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks" / "training"))
from batching import Answer, Batcher, Prompt, TooLongError, most_in_common
from rows import Stretch, common_prefix, learnt_texts, micro_batches, row_of, steps, stretches
from selection import read_datasets, select, write_dataset
from serve import completion, handler, prompt_of

_SYSTEM = Message("system", "You are Ada of old.\n\nIt is Friday, 2026-07-03, 14:32 (afternoon).")
_LOOKING = Message("assistant", "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>")
_TALKING = Message("assistant", "<think>I talk.</think>\n\nHello!")


def _conversation(answer: Message, said: str = "Hello?") -> tuple[Message, ...]:
    return _SYSTEM, Message("user", said), answer


# What is learnt.


def _chatml(messages: Sequence[dict[str, str]], *, is_to_answer: bool) -> str:
    text = "".join(f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages)
    return text + "<|im_start|>assistant\n" * is_to_answer


@given(
    st.lists(
        st.builds(
            lambda role, content: {"role": role, "content": content.replace("<|im_end|>", "")},
            st.sampled_from(["system", "user", "assistant"]),
            st.text(max_size=20),
        ),
        max_size=8,
    )
)
def test_what_is_learnt_is_adas_words_alone_each_with_its_end(messages: list[dict[str, str]]) -> None:
    parts = stretches(messages, _chatml, "<|im_end|>")
    row = row_of(parts, lambda text: [ord(character) for character in text])
    said = [message["content"] + "<|im_end|>" for message in messages if message["role"] == "assistant"]
    assert learnt_texts(row, lambda tokens: "".join(map(chr, tokens))) == said
    whole = _chatml(messages, is_to_answer=False)
    assert whole.startswith("".join(map(chr, row.tokens)))


def test_a_template_that_loses_thoughts_or_rewrites_what_was_said_is_refused() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "<think>Hm.</think>\n\nHello!"}]

    def forgetful(some: Sequence[dict[str, str]], *, is_to_answer: bool) -> str:
        return _chatml(some, is_to_answer=is_to_answer).replace("<think>Hm.</think>\n\n", "")

    def changing(some: Sequence[dict[str, str]], *, is_to_answer: bool) -> str:
        return f"{len(some)} messages\n{_chatml(some, is_to_answer=is_to_answer)}"

    with pytest.raises(ValueError, match="does not keep an answer as it is: 'Hello!'"):
        stretches(messages, forgetful, "<|im_end|>")
    with pytest.raises(ValueError, match="changes what stands before an answer"):
        stretches(messages, changing, "<|im_end|>")


def test_stretches_are_encoded_one_by_one_as_when_the_model_speaks() -> None:
    row = row_of((Stretch("ab", is_learnt=False), Stretch("abc", is_learnt=True)), lambda text: [len(text)])
    assert (row.tokens, row.is_learnt) == ((2, 3), (False, True))


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_all_begin_with_is_as_long_as_can_be_and_leaves_something(rows: list[list[int]]) -> None:
    prefix = common_prefix(rows)
    assert all(row[: len(prefix)] == prefix and len(row) > len(prefix) for row in rows)
    longer = [row[: len(prefix) + 1] for row in rows]
    assert any(row != longer[0] for row in longer) or min(map(len, rows)) == len(prefix) + 1


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 3), st.integers())
def test_each_epoch_takes_each_row_once_and_the_order_is_the_seeds(
    rows: int, per_step: int, epochs: int, seed: int
) -> None:
    planned = steps(rows, per_step, epochs, seed)
    taken = [number for step in planned for number in step]
    assert [sorted(taken[start : start + rows]) for start in range(0, len(taken), rows)] == [[*range(rows)]] * epochs
    assert max(map(len, planned)) <= per_step
    assert planned == steps(rows, per_step, epochs, seed)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 120))
def test_batches_hold_each_row_once_and_no_more_than_fits_but_for_one_that_is_too_long(
    lengths: list[int], tokens: int
) -> None:
    batches = micro_batches(range(len(lengths)), lengths, tokens)
    assert sorted(number for batch in batches for number in batch) == [*range(len(lengths))]
    for batch in batches:
        assert len(batch) == 1 or max(lengths[number] for number in batch) * len(batch) <= tokens


# What is trained on.


def test_what_evaluation_holds_out_is_left_out_and_counted() -> None:
    known, held_out = _conversation(_TALKING), _conversation(_TALKING, "My rhubarb!")
    selection = select(
        [known, held_out],
        load_prompts(),
        lambda conversation: ["value: rhubarb"] if "rhubarb" in conversation[1].content else [],
        max_tool_rounds=3,
    )
    assert [conversation[1:] for conversation in selection.conversations] == [known[1:]]
    assert (selection.held_out, selection.without_shortcut) == (1, 0)


def test_each_conversation_gets_the_prompt_of_now_at_its_own_time() -> None:
    now = ada_system_prompt(load_prompts(), "2026-07-03T14:32", 3)
    same = (Message("system", now), *_conversation(_TALKING)[1:])
    selection = select([_conversation(_TALKING), same], load_prompts(), lambda _: (), max_tool_rounds=3)
    assert [conversation[0].content for conversation in selection.conversations] == [now, now]
    assert selection.retold == 1


def test_the_shortcut_leaves_those_in_which_she_looks_at_once() -> None:
    late = (*_conversation(_TALKING), Message("user", "And?"), _LOOKING)
    selection = select(
        [_conversation(_LOOKING), _conversation(_TALKING), late, _conversation(Message("user", "?"))],
        load_prompts(),
        lambda _: (),
        max_tool_rounds=3,
        shortcut="looks-first",
    )
    assert [conversation[2] for conversation in selection.conversations] == [_LOOKING]
    assert selection.without_shortcut == 3


def test_datasets_are_joined_and_come_back_as_they_were_written(tmp_path: Path) -> None:
    one, two = _conversation(_LOOKING, "Wo? \u2028 \U0001f600"), _conversation(_TALKING)
    write_dataset(tmp_path / "one.json", [one])
    write_dataset(tmp_path / "two.json", [two, one])
    assert read_datasets([tmp_path / "one.json", tmp_path / "two.json"]) == [one, two, one]


@pytest.mark.parametrize("text", ["", "{}", '{"a": 1}', "[1]", '[{"messages": []}]', '[{"conversations": [{}]}]'])
def test_what_is_no_dataset_ends_it_with_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text(text, encoding="utf-8")
    for file in ("theirs.json", "missing.json"):
        command = [sys.executable, str(REPOSITORY / "benchmarks/training.py"), file, "--work", "work"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert "the training cannot begin: " in ended.stderr or "no conversation is left" in ended.stderr
        assert "Traceback" not in ended.stderr


# How answers are served.


class _Echo:
    """Answers with the prompt backwards, a token a step; a prompt of more than nine tokens is too long."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.at_a_time: list[int] = []
        self._left: dict[int, list[int]] = {}
        self._prompts: dict[int, Prompt] = {}

    def best_place(self, free: Sequence[int], prompt: Prompt) -> int:
        return free[prompt.seed % len(free)]

    def start(self, place: int, prompt: Prompt) -> None:
        if len(prompt.tokens) > 9:
            raise TooLongError("too long")
        self._left[place], self._prompts[place] = list(prompt.tokens), prompt

    def step(self, places: Sequence[int]) -> dict[int, Answer]:
        self.at_a_time.append(len(places))
        finished = {}
        for place in places:
            if self._left[place].pop() == 99:
                raise ArithmeticError("a bad token")
            if not self._left[place]:
                finished[place] = Answer(self._prompts[place].tokens[::-1], is_whole=True)
        return finished


def _prompt(tokens: Sequence[int], seed: int = 0) -> Prompt:
    return Prompt(tuple(tokens), most=9, temperature=0, seed=seed)


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 98), min_size=1, max_size=11), st.integers(0, 5)), max_size=12),
    st.integers(1, 4),
)
def test_who_asks_at_the_same_time_gets_the_own_answer(asked: list[tuple[list[int], int]], places: int) -> None:
    generator = _Echo(places)
    batcher = Batcher(generator)

    def ask(tokens: list[int], seed: int) -> tuple[int, ...] | None:
        try:
            return batcher.answer(_prompt(tokens, seed)).tokens
        except TooLongError:
            return None

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda each: ask(*each), asked))
    batcher.close()
    assert answers == [tuple(tokens[::-1]) if len(tokens) <= 9 else None for tokens, _ in asked]
    assert all(many <= places for many in generator.at_a_time)


def test_requests_that_wait_are_answered_together() -> None:
    generator = _Echo(4)
    is_open = threading.Event()
    start = generator.start

    def waiting_start(place: int, prompt: Prompt) -> None:
        is_open.wait()
        start(place, prompt)

    generator.start = waiting_start  # type: ignore[method-assign]
    batcher = Batcher(generator)
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(batcher.answer, _prompt([1, 2, 3])) for _ in range(8)]
        while batcher.asked < 8:
            pass
        is_open.set()
        assert [answer.result().tokens for answer in answers] == [(3, 2, 1)] * 8
    batcher.close()
    assert generator.at_a_time == [4] * 6


def test_a_failure_of_the_model_is_told_to_each_who_waits_and_the_next_is_answered() -> None:
    batcher = Batcher(_Echo(2))
    with pytest.raises(ArithmeticError):
        batcher.answer(_prompt([1, 99]))
    assert batcher.answer(_prompt([1, 2])).tokens == (2, 1)
    batcher.close()


def test_what_was_read_before_is_found_and_one_token_is_always_left_to_read() -> None:
    assert most_in_common((1, 2, 3, 4), [(1, 2, 9), (1, 2, 3, 9), ()]) == (1, 3)
    assert most_in_common((1, 2, 3), [(1, 2, 3, 4)]) == (0, 2)
    assert most_in_common((1,), [(1,), (2,)]) == (0, 0)


@contextmanager
def _served() -> Iterator[HTTPConnection]:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        tokens = [len(message["content"]) for message in body["messages"]]
        prompt = prompt_of(body, tokens)
        if len(tokens) > 2:
            raise TooLongError("the prompt has 3 tokens, and the context 2")
        return completion(f"{prompt.temperature} {prompt.seed}", len(tokens), prompt.most, is_whole=False)

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(answer, "after"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.server_port)
    try:
        yield connection
    finally:
        connection.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _asked(connection: HTTPConnection, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
    connection.request("GET" if data is None else "POST", path, body=data)
    response = connection.getresponse()
    return response.status, json.load(response)


def test_the_endpoint_speaks_openais_chat_completions() -> None:
    message = {"role": "user", "content": "Hi"}
    with _served() as connection:
        status, told = _asked(
            connection,
            "/v1/chat/completions",
            {"messages": [message], "max_tokens": 7, "temperature": 0.5, "seed": 3},
        )
        assert status == 200
        assert told["choices"][0]["message"] == {"role": "assistant", "content": "0.5 3"}
        assert told["choices"][0]["finish_reason"] == "length"
        assert told["usage"] == {"prompt_tokens": 1, "completion_tokens": 7, "total_tokens": 8}
        assert _asked(connection, "/v1/models")[1]["data"][0]["id"] == "after"
        assert _asked(connection, "/v1/nothing")[0] == 404
        assert _asked(connection, "/v1/nothing", {})[0] == 404


@pytest.mark.parametrize("body", [b"{", {}, [], {"messages": [{}]}, {"messages": 3}])
def test_a_request_that_cannot_be_read_is_refused(body: object) -> None:
    with _served() as connection:
        status, told = _asked(connection, "/v1/chat/completions", body)
        assert (status, told["error"]["code"]) == (400, None)


def test_a_prompt_that_leaves_no_room_is_refused_as_such() -> None:
    with _served() as connection:
        status, told = _asked(connection, "/v1/chat/completions", {"messages": [{"content": ""}] * 3})
        assert (status, told["error"]["code"]) == (400, "context_length_exceeded")


def test_a_gpu_is_asked_for_with_an_interpreter_that_can_use_it() -> None:
    """What the script installs is PyTorch's CPU build."""
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "training.py"), "--device", "cuda"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "--device cuda needs --python" in ended.stderr
