"""A server on 127.0.0.1 that speaks the providers' wire format, enforces limits strictly, and misbehaves on demand.

In a test it runs in a thread (`LoopbackServer`); as a program (`python loopback_server.py --help`) it serves
benchmarks from a process of its own. Every request is logged with its time, its body and what was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

# As a program, it does not find what it shares with tests by itself.
sys.path.insert(0, str(Path(__file__).parent.parent))

from support.waiting import PATIENCE_SECONDS, wait_until

TOLERANCE_SECONDS = 0.05

# With it, requests arrive, and answers come, in another order each time: so many seconds later on average. It finds
# tests that pass by chance, and faults of the program that show in a certain order alone.
_JITTER_SECONDS = float(os.environ.get("APEP_DATAGEN_JITTER", "0"))
_MOST_JITTER = 8


@dataclass(slots=True)
class Received:
    """One request, and what became of it. `status` is 0 while it is not answered, -1 if it was never to be.

    `drawn` names the fault that `Faulty` drew for it. `usable` says that it was answered in full, with what a
    conversation can go on with; `client_gone` that nobody was there any more to read the answer.
    """

    number: int
    at: float
    provider: str
    authorization: str
    body: dict[str, Any]
    status: int = 0
    answered_at: float = 0.0
    answer: str = ""
    path: str = ""
    drawn: str = ""
    usable: bool = False
    client_gone: bool = False

    @property
    def step(self) -> str:
        system = str(self.body["messages"][0].get("content"))
        if system.startswith("You play"):
            return "ask"
        if system.startswith("You rewrite"):
            return "rewrite"
        if system.startswith("You review"):
            return "review"
        last = self.body["messages"][-1]
        is_result = last.get("role") == "tool" or "<tool_result>" in str(last.get("content"))
        return "continue" if is_result else "answer"

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def content(self) -> str:
        """What was sent: the same text when the same is sent again."""
        return json.dumps(self.body, sort_keys=True)

    @property
    def asked(self) -> str:
        """What was asked, and with which seed, whichever provider it was and however it spells everything else."""
        return json.dumps([self.body["messages"], self.body.get("seed", self.body.get("random_seed"))])


@dataclass(slots=True)
class Reply:
    """What to answer: a completion's text, or a fault.

    `fault` is `drop` (hang up), `hang` (accept and never answer), `tear` (end in the middle of the body), `trickle` (a
    byte every so often, without end) or empty.
    `raw` replaces the whole body. `delay` is how many seconds the answer takes, beyond the server's latency. `until`
    holds the answer until it returns something true: so a test decides what happens before the answer comes, however
    slow the machine is.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str | bytes | None = None
    fault: str = ""
    finish_reason: str = "stop"
    message: dict[str, Any] = field(default_factory=dict)
    usage: tuple[int, int] | None = None
    delay: float = 0.0
    until: Callable[[], object] | None = None


_MARKED_THOUGHT = re.compile(r"^\[\[(\d+)\]\] (.*)$", re.MULTILINE)
_ONLY_THOUGHT = re.compile(r"^Ada thought:\n(.*)$", re.MULTILINE)


def well_behaved(received: Received) -> Reply:
    """Answer each step as a model does that keeps to the format; every third answer calls a tool."""
    number = received.number
    if received.step == "ask":
        return Reply(f"Message {number}: my sister Mia visits on Sunday.")
    if received.step == "answer" and received.body.get("seed", number) % 3 == 0:
        call = f'add_memory(input_text=["The user told {number}", "The user has a sister"])'
        return Reply(f"<think>I want to keep {number}.</think>\n\n<tool_call>{call}</tool_call>")
    if received.step == "rewrite":
        # With so many digits, the number of the request is none that a rewrite could have added.
        marked = _MARKED_THOUGHT.findall(received.prompt)
        if marked:
            parts = zip("abcdefghi", marked, strict=False)
            return Reply(
                "\n".join(f"[[{mark}]] Hm, thought {number:020}{letter}: {said}" for letter, (mark, said) in parts)
            )
        thought = _ONLY_THOUGHT.search(received.prompt)
        return Reply(f"Hm, thought {number:020}: {thought[1] if thought else '.'}")
    if received.step == "review":
        return Reply("mood: yes\nfacts: yes\nperson: yes\ntraining: yes")
    return Reply(f"<think>She tells me {number}.</think>\n\nHow nice, reply {number}!")


def hangs_after(answers: int) -> Callable[[Received], Reply]:
    """Answer so many requests well, and no other one ever."""
    return lambda received: Reply(fault="hang") if received.number > answers else well_behaved(received)


def hangs_at_ada_after(
    answers: int, otherwise: Callable[[Received], Reply] | None = None
) -> Callable[[Received], Reply]:
    """Answer so many requests, and from then on none to Ada: so what hangs is of conversations that are begun."""

    def behaviour(received: Received) -> Reply:
        reply = (otherwise or well_behaved)(received)
        return Reply(fault="hang") if received.number > answers and received.step == "answer" else reply

    return behaviour


class InTurn:
    """Behaves badly once for each of `replies`, in order, to requests of one kind; sent again, all go well.

    A request is known by its body, so that it is the same one when it is sent again.
    """

    def __init__(self, *replies: Reply, step: str = "ask") -> None:
        self.failed: list[Received] = []
        self._replies = list(replies)
        self._step = step
        self._seen: set[str] = set()

    def __call__(self, received: Received) -> Reply:
        if not self._replies or received.step != self._step or received.content in self._seen:
            return well_behaved(received)
        self._seen.add(received.content)
        self.failed.append(received)
        return self._replies.pop(0)


# Every kind of fault that `Faulty` draws, with its weight. Two are rare: never being answered costs the client its
# whole timeout, and being refused for good (422) costs it the conversation.
FAULTS: dict[str, tuple[float, Reply]] = {
    "500": (1, Reply("out of order", status=500)),
    "502, HTML": (1, Reply(raw="<html>Bad Gateway</html>", status=502)),
    "503": (1, Reply("over capacity", status=503)),
    "503, Retry-After": (1, Reply("over capacity", status=503, headers={"Retry-After": "0"})),
    "429": (1, Reply("slow down", status=429)),
    "429, Retry-After": (1, Reply("slow down", status=429, headers={"Retry-After": "0"})),
    "429, retry-after-ms": (1, Reply("slow down", status=429, headers={"retry-after-ms": "50"})),
    "hung up": (1, Reply(fault="drop")),
    "torn": (1, Reply("Half", fault="tear")),
    "never answered": (0.75, Reply(fault="hang")),
    "no JSON": (1, Reply(raw="Hello, I am no JSON.")),
    "no choices": (1, Reply(raw='{"id": "1", "choices": []}')),
    "empty": (1, Reply("")),
    "cut off": (1, Reply("She told me that", finish_reason="length")),
    "slow": (1, Reply(delay=0.3)),
    "422": (0.5, Reply("not this", status=422)),
    "200, 429 inside": (1, Reply(raw='{"error": {"code": 429, "message": "slow down", "metadata": {}}}')),
    "200, a list of errors": (1, Reply(raw='[{"error": {"code": 503, "message": "overloaded"}}]')),
    "choices of another kind": (1, Reply(raw='{"id": "1", "choices": {}}')),
    "null": (1, Reply(message={"content": None})),
    "filtered": (1, Reply("She told me that", finish_reason="content_filter")),
    "403, a page": (1, Reply(raw="<html><title>Blocked</title></html>", status=403)),
    "404, a page": (1, Reply(raw="<html><title>Not found</title></html>", status=404)),
    "redirected": (1, Reply(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"})),
    "absurd usage": (1, Reply(usage=(10**20, 10**20))),
    "trickle": (0.75, Reply(fault="trickle")),
}


class Faulty:
    """Behaves badly to a share of the requests, in every way there is, and well to the others.

    What a request meets is drawn from `seed`, from the request's own seed, and from how often the request has come.
    So it does not depend on the order in which requests arrive, which is never the same twice.
    """

    def __init__(self, seed: int, share: float = 0.2) -> None:
        self._seed = seed
        self._share = share
        self._times: Counter[int] = Counter()

    def __call__(self, received: Received) -> Reply:
        of_request = received.body.get("seed", received.body.get("random_seed", received.number))
        self._times[of_request] += 1
        draw = random.Random(f"{self._seed}/{of_request}/{self._times[of_request]}")  # noqa: S311 - a test's draw
        good = well_behaved(received)
        if draw.random() >= self._share:
            return good
        [received.drawn] = draw.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])
        _, reply = FAULTS[received.drawn]
        if received.drawn == "slow":
            return replace(good, delay=reply.delay)
        if received.drawn == "absurd usage":
            return replace(good, usage=reply.usage)
        if received.step == "rewrite" and received.drawn in {"empty", "cut off", "null", "filtered"}:
            # Such a rewrite is accepted, and not used. It says which one it is, so that it is found again.
            return replace(reply, text=f"<think>{received.drawn} {received.number}</think>", message={})
        return reply


@dataclass(slots=True)
class StrictLimit:
    """Refuses each request that comes more than the tolerance before its turn (GCRA)."""

    requests_per_second: float
    _next_turn: float = 0.0

    def permits(self, now: float) -> bool:
        if now < self._next_turn - TOLERANCE_SECONDS:
            return False
        self._next_turn = max(self._next_turn, now) + 1 / self.requests_per_second
        return True


async def _jitter() -> None:
    if _JITTER_SECONDS:
        seconds = random.expovariate(1 / _JITTER_SECONDS)
        await asyncio.sleep(min(seconds, _MOST_JITTER * _JITTER_SECONDS))


class LoopbackServer:
    """The server, in a thread of its own, as a context manager.

    Providers are told apart by the first part of the path: `url("mistral")` is a base URL.
    """

    def __init__(
        self,
        behaviour: Callable[[Received], Reply] = well_behaved,
        *,
        limits: dict[str, float] | None = None,
        latency: float = 0.0,
        keep_bodies: bool = True,
    ) -> None:
        self.behaviour = behaviour
        self.latency = latency
        self.received: list[Received] = []
        self.models = ["model-one", "model-two"]
        self.port = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._keep_bodies = keep_bodies
        self._limits = {name: StrictLimit(rate) for name, rate in (limits or {}).items()}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def url(self, provider: str) -> str:
        return f"http://127.0.0.1:{self.port}/{provider}"

    def of(self, provider: str) -> list[Received]:
        return [received for received in self.received if received.provider == provider]

    @property
    def hanging(self) -> int:
        """How many requests are never to be answered; what is in flight may be about to be."""
        return sum(received.status == -1 for received in self.received)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds."""
        wait_until(condition, lambda: f"received: {self.received[-5:]}")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.serve())
        self._loop.close()

    async def serve(self, port: int = 0) -> None:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/{provider}/{rest:.*}", self._post)
        application.router.add_get("/{provider}/{rest:.*}", self._get)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        provider = request.match_info["provider"]
        if request.match_info["rest"] == "statistics":
            return web.json_response(self._statistics())
        if not request.path.endswith("/models"):
            return web.Response(status=404)
        models = [{"id": name, "object": "model", "created": 1, "type": "chat"} for name in self.models]
        if provider == "together":
            return web.json_response(models)
        return web.json_response({"object": "list", "data": models})

    def _statistics(self) -> dict[str, Any]:
        return {
            "requests": [[received.provider, received.at, received.status, received.step] for received in self.received]
        }

    async def _post(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        provider = request.match_info["provider"]
        limit = self._limits.get(provider)
        permitted = limit is None or limit.permits(at)
        try:
            body = json.loads(await request.read())
        except ConnectionResetError:
            return web.Response()  # the client was killed while it sent this
        await _jitter()
        authorization = request.headers.get("Authorization", "")
        received = Received(len(self.received) + 1, at, provider, authorization, body, path=request.path)
        self.received.append(received)
        if not request.path.endswith("/chat/completions"):
            received.status = 404
            return web.Response(status=404, text=f"no such path: {request.path}")
        if not permitted:
            received.status = 429
            return web.json_response({"message": "Rate limit exceeded"}, status=429)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self.behaviour(received)
            step = received.step
            await _jitter()
            if self.latency + reply.delay:
                await asyncio.sleep(self.latency + reply.delay)
            while reply.until and not reply.until():  # noqa: ASYNC110 - it is a test's thread that changes it
                await asyncio.sleep(0.005)
            return await self._answer(request, received, reply)
        finally:
            self.in_flight -= 1
            if not self._keep_bodies:
                received.body = {"messages": [{"content": _STEP_SIGNS[step]}, {"content": ""}]}

    async def _answer(self, request: web.Request, received: Received, reply: Reply) -> web.StreamResponse:
        if reply.fault == "drop":
            received.status = -1
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if reply.fault == "hang":
            received.status = -1
            await self._stop.wait()
            return web.Response()
        if reply.fault == "trickle":
            received.status = -1
            return await self._trickle(request, reply)
        received.status = reply.status
        raw = reply.raw if reply.raw is not None else json.dumps(_completion(received, reply))
        content = raw.encode() if isinstance(raw, str) else raw
        if reply.fault == "tear":
            response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100000"})
            with contextlib.suppress(ConnectionError):  # the client may have been killed
                await response.prepare(request)
                await response.write(content)
            if request.transport is not None:
                request.transport.close()
            return response
        received.client_gone = request.transport is None or request.transport.is_closing()
        received.usable = reply.status == 200 and reply.raw is None and _is_usable(received, reply)
        received.answered_at = time.monotonic()
        received.answer = reply.text
        headers = {"Content-Type": "application/json", **reply.headers}
        return web.Response(status=reply.status, body=content, headers=headers)

    async def _trickle(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        """Send white space, which may stand before JSON, as long as somebody reads it."""
        response = web.StreamResponse(
            status=reply.status, headers={"Content-Type": "application/json", **reply.headers}
        )
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            while not self._stop.is_set():
                await response.write(b" ")
                await asyncio.sleep(0.05)
        return response


def _is_usable(received: Received, reply: Reply) -> bool:
    """Whether a conversation goes on with this answer: with any rewrite, else if it is neither empty nor cut off."""
    return received.step == "rewrite" or bool(reply.text and reply.finish_reason in {"stop", "tool_calls"})


_STEP_SIGNS = {"ask": "You play", "rewrite": "You rewrite", "review": "You review", "answer": "", "continue": ""}


def _completion(received: Received, reply: Reply) -> dict[str, Any]:
    if reply.status >= 400:
        return {"message": reply.text or "refused", "type": "error"}
    prompt_tokens, completion_tokens = reply.usage or (
        sum(len(message.get("content") or "") for message in received.body["messages"]) // 4,
        len(reply.text) // 4,
    )
    return {
        "id": f"completion-{received.number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": received.body.get("model"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text, **reply.message},
                "finish_reason": reply.finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--limit", action="append", default=[], help="PROVIDER=REQUESTS_PER_SECOND")
    options = parser.parse_args()
    limits = {name: float(rate) for name, _, rate in (limit.partition("=") for limit in options.limit)}
    server = LoopbackServer(limits=limits, latency=options.latency, keep_bodies=False)
    asyncio.run(server.serve(options.port))


if __name__ == "__main__":
    main()
