"""A conversation with a trained model: what is sent to its endpoint, what is read of its answers, whose tools run."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from apep_datagen.conversation.completions import LONGEST_ANSWER
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import ada_system_prompt
from apep_datagen.core.dialects import own_markup
from apep_datagen.core.errors import ApepError, FailureKind, UnusableAnswerError
from apep_datagen.core.markup import Answer, parse_answer, render_answer, result_block
from apep_datagen.core.messages import Completion, Ending, Message, ending_of
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.tools import canonical_call, run_call
from apep_datagen.formats.format import CannotHoldError
from apep_datagen.formats.wire import Wire
from apep_datagen.providers.failures import transport_error
from apep_datagen.providers.openai_compatible import endpoint_address
from apep_datagen.providers.response import LARGEST_BODY, Response, read_completion

__all__ = ["Chat", "Endpoint"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is.

    Attributes:
        base_url: The address, such as `http://localhost:8080/v1`.
        parameters: What each request holds besides: the model, the most tokens, sampling.
        timeout: Seconds until the whole answer has to be there.
        key: What it wants to be shown; empty where it wants nothing.
    """

    base_url: str
    parameters: Mapping[str, Any]
    timeout: float
    key: str = field(default="", repr=False)

    def answer(self, body: Mapping[str, Any]) -> Completion:
        """Send one request, once.

        Raises:
            ApepError: What went wrong, in a sentence that does not hold the key.
        """
        try:
            return read_completion(self._exchange({**self.parameters, **body}))
        except ApepError as error:
            raise type(error)(str(error).replace(self.key, "…") if self.key else str(error)) from error

    def _exchange(self, body: Mapping[str, Any]) -> Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        address = endpoint_address(self.base_url, "chat/completions")
        deadline = time.monotonic() + self.timeout
        received = bytearray()
        try:
            with httpx.stream("POST", address, json=body, headers=headers, timeout=self.timeout) as answer:
                for part in answer.iter_bytes():
                    received += part
                    if time.monotonic() > deadline:
                        raise TimeoutError
                    if len(received) > LARGEST_BODY:
                        break
                return Response(answer.status_code, answer.headers, bytes(received))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise transport_error(error, self.timeout) from error


class Chat:
    """A conversation with Ada, and her notebook.

    Args:
        endpoint: Where she is.
        wire: How what was said is sent to her.
        prompts: Whose system prompt she is told.
        max_tool_rounds: How often she may use tools before she answers.
        notebook: What she has written down.
        keep: Called with what she has written down where an exchange has changed it.

    Attributes:
        notebook: The same, with what finished exchanges have changed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        wire: Wire,
        prompts: PromptSet,
        *,
        max_tool_rounds: int,
        notebook: Notebook,
        keep: Callable[[Notes], None],
    ) -> None:
        self.notebook = notebook
        self._endpoint = endpoint
        self._wire = wire
        self._prompts = prompts
        self._rounds = max_tool_rounds
        self._keep = keep
        self._messages: tuple[Message, ...] = ()

    def begin(self, at: datetime.datetime) -> None:
        """Begin a conversation on this day; Ada knows of no earlier one but what she has noted.

        Raises:
            UnusablePromptError: The prompt cannot be rendered.
        """
        moment = at.isoformat(timespec="minutes")
        system = ada_system_prompt(self._prompts, moment, self._rounds, self._wire.calls)
        self._messages = (Message("system", system),)
        self.notebook.date = moment[:10]

    def exchange(self, text: str) -> Iterator[Message]:
        """Say something to Ada, and yield what she answers and what her tools return, as the output has them.

        Messages and notes are those of before until all of it is there and kept.

        Raises:
            ApepError: There is no answer, or none of use, or the notes cannot be kept.
        """
        messages, notebook = [*self._messages, Message("user", text)], self.notebook.copy()
        for rounds_left in reversed(range(self._rounds + 1)):
            answer = self._answer(tuple(messages), may_call=rounds_left > 0)
            messages.append(Message("assistant", render_answer(answer.thinking, answer.reply, answer.calls)))
            yield messages[-1]
            if not answer.calls:
                break
            results = [result_block(run_call(call, notebook)) for call in answer.calls]
            messages.append(Message("tool", "\n".join(results)))
            yield messages[-1]
        if notebook.notes() != self.notebook.notes():
            self._keep(notebook.notes())
        self._messages, self.notebook = tuple(messages), notebook

    def _answer(self, messages: tuple[Message, ...], *, may_call: bool) -> Answer:
        try:
            body = self._wire.spell(messages).body()
        except CannotHoldError as error:
            raise UnusableAnswerError(
                f"this conversation cannot go on with --calls {self._wire.calls}: {error}"
            ) from error
        completion = self._endpoint.answer(body)
        match ending_of(completion.finish_reason):
            case Ending.CUT_OFF:
                raise UnusableAnswerError("her answer was cut off; --max-tokens says where", FailureKind.CUT_OFF)
            case Ending.BROKEN_OFF:
                reason = f'finish reason "{completion.finish_reason}"'
                raise UnusableAnswerError(f"her answer was broken off ({reason})", FailureKind.BROKEN_OFF)
        if len(completion.text) > LONGEST_ANSWER:
            raise UnusableAnswerError("her answer has no end", FailureKind.ENDLESS_ANSWER)
        answer = parse_answer(own_markup(completion.text))
        if not answer.reply and not answer.calls:
            raise UnusableAnswerError("she answered with nothing")
        if any(map(repeated_words, (answer.thinking, answer.reply))):
            raise UnusableAnswerError("she says the same again and again", FailureKind.ENDLESS_ANSWER)
        if not may_call:  # as when conversations are made: what goes beyond is left out
            if not answer.reply:
                raise UnusableAnswerError(f"she went on using tools after {self._rounds} rounds")
            return replace(answer, calls=())
        return replace(answer, calls=tuple(map(canonical_call, answer.calls)))
