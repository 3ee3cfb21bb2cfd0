"""The program, killed with SIGKILL at random again and again, by a server that answers badly; and what is to hold then.

The test and the benchmark share it. `torture` runs the program, `prove` compares what the server logged with the files.
The server stays up over all kills. Each life of the program has API keys of its own, so the log tells for each request
which life sent it, even if the server read it only after the kill.

An answer is *in flight* at a kill if the life that asked for it died before it was recorded: it was not given yet, or
had been given just before. That the program may pay for these twice, and for nothing else, is what `prove` proves.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.config.secrets import environment_variable
from support.loopback_server import Faulty, LoopbackServer, Received, Reply
from support.program import Ended, Program, Watched, section
from support.waiting import wait_until

MAX_IN_FLIGHT = 4
# Long enough that a busy machine is not taken for a server that never answers.
_TIMEOUT_SECONDS = 5.0
_LATENCY_SECONDS = 0.01
_REQUESTS_PER_SECOND = 50.0
# A life is killed after this many requests, at most, for each conversation that it could make if all made as many. It
# takes five or six to make one, so the target is not reached before the last kill.
_MOST_REQUESTS = 8
_LONGEST_PAUSE_SECONDS = 0.04
# How many more it gets answered, however late the kill comes on a busy machine.
_REQUESTS_BEHIND = 12


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL, and what had been reached when it came.

    Attributes:
        life: Which start of the program it ended, from 1.
        moment: `start`, `opening` or `running`: what was waited for.
        at: When, on the server's clock.
        recorded: Numbers of the requests of this life whose answers the database held.
        conversations: How many conversations the output held; None if its end was torn off.
    """

    life: int
    moment: str
    at: float
    recorded: frozenset[int]
    conversations: int | None


@dataclass(frozen=True, slots=True)
class Tortured:
    """What is left when the program has come to its end.

    Attributes:
        program: Its directory, with all files.
        target: How many conversations were asked for.
        providers: The providers that it used.
        received: The server's log.
        kills: All kills, in order.
        ended: How the last life ended.
        seconds: How long everything took.
    """

    program: Program
    target: int
    providers: Sequence[str]
    received: list[Received]
    kills: list[Kill]
    ended: Ended
    seconds: float
    of_life: dict[int, list[Received]] = field(default_factory=lambda: defaultdict(list))

    @property
    def in_flight(self) -> set[int]:
        """Numbers of the requests that were paid for, and whose answers were in flight at a kill."""
        return {number for kill in self.kills for number in self.in_flight_at(kill)}

    def in_flight_at(self, kill: Kill) -> set[int]:
        """Numbers of the requests whose answers were in flight at this kill."""
        return {request.number for request in self.of_life[kill.life] if request.usable} - kill.recorded

    def unanswered_at(self, kill: Kill) -> set[int]:
        """Those of them that the server had not answered."""
        return {number for number in self.in_flight_at(kill) if self.received[number - 1].answered_at > kill.at}

    @property
    def effects_undone(self) -> int:
        """How many conversations had used a tool when they were set aside."""
        [(count,)] = self.program.query(
            "SELECT count(DISTINCT id) FROM conversations JOIN steps ON id = conversation_id"
            " WHERE status = 'set aside' AND kind = 'tools'"
        )
        return int(count)

    @property
    def doubled(self) -> dict[str, list[Received]]:
        """Requests that were answered more than once, by what was asked."""
        asked: dict[str, list[Received]] = defaultdict(list)
        for request in self.received:
            if request.usable:
                asked[request.asked].append(request)
        return {key: requests for key, requests in asked.items() if len(requests) > 1}

    @property
    def answered_twice(self) -> int:
        """How many answers were paid for beyond the first one to the same request."""
        return sum(len(requests) - 1 for requests in self.doubled.values())


def torture(
    directory: Path,
    *,
    seed: int,
    kills: int,
    conversations: int,
    fault_share: float = 0.2,
    providers: Sequence[str] = ("mistral", "one", "two"),
    report: Callable[[str], None] = lambda _: None,
) -> Tortured:
    """Start the program with the same command again and again, kill it `kills` times, then let it run to its end."""
    began = time.monotonic()
    draw = random.Random(seed)  # noqa: S311 - a test's draw
    program = Program(directory)
    behaviour = _Until(Faulty(seed, fault_share))
    with LoopbackServer(behaviour, latency=_LATENCY_SECONDS) as server:
        limits = {
            "requests_per_second": _REQUESTS_PER_SECOND,
            "max_in_flight": MAX_IN_FLIGHT,
            "timeout_seconds": _TIMEOUT_SECONDS,
        }
        program.configure("".join(section(name, server.url(name), **limits) for name in providers))
        options = (
            *("--providers", ",".join(providers), "--target", str(conversations)),
            *("--exchanges", "1-2", "--seed", str(seed)),
        )
        key_variables = [environment_variable(name) for name in providers]
        most = max(1, _MOST_REQUESTS * conversations // max(1, kills))
        tormentor = _Tormentor(program, server, behaviour, draw, options, key_variables, most)
        done: list[Kill] = []
        for life in range(1, kills + 1):
            done.append(tormentor.start_and_kill(life))
            report(f"kill {life} of {kills}: {done[-1].moment}, {done[-1].conversations} conversations")
        ended = tormentor.start(kills + 1).end()
        received = list(server.received)
    tortured = Tortured(program, conversations, providers, received, done, ended, seconds=time.monotonic() - began)
    for request in received:
        tortured.of_life[life_of(request)].append(request)
    return tortured


def life_of(request: Received) -> int:
    """Return which start of the program sent this request."""
    return int(request.authorization.rpartition("-")[2])


class _Until:
    """Behaves, but answers no more than so many requests of a life, so that the life waits for its kill.

    Attributes:
        most: How many, by the number of the life; all, where nothing is said.
    """

    def __init__(self, behaviour: Callable[[Received], Reply]) -> None:
        self.most: dict[int, int] = {}
        self._behaviour = behaviour
        self._came: Counter[int] = Counter()

    def __call__(self, received: Received) -> Reply:
        life = life_of(received)
        self._came[life] += 1
        is_beyond = life in self.most and self._came[life] > self.most[life]
        return Reply(fault="hang") if is_beyond else self._behaviour(received)


@dataclass(slots=True)
class _Tormentor:
    """Starts the program and kills it at drawn moments; looks at what is left each time."""

    program: Program
    server: LoopbackServer
    behaviour: _Until
    draw: random.Random
    options: Sequence[str]
    key_variables: Sequence[str]
    most_requests: int
    startup_seconds: float = 1.0
    texts: set[str] = field(default_factory=set)
    output: str = ""

    def start(self, life: int) -> Watched:
        self.program.environment = dict.fromkeys(self.key_variables, f"key-of-life-{life}")
        return self.program.watch(*self.options)

    def start_and_kill(self, life: int) -> Kill:
        moment = self.draw.choices(["start", "opening", "running"], [1, 1, 4])[0]
        number = self.draw.randint(1, self.most_requests)
        pause = self.draw.uniform(0, _LONGEST_PAUSE_SECONDS)
        share = self.draw.uniform(0, 1.2)
        opened = self._opened()
        already = len(self.server.received)
        self.behaviour.most[life] = _REQUESTS_BEHIND + (number if moment == "running" else 0)
        began = time.monotonic()
        running = self.start(life)

        def requests() -> list[Received]:
            return [request for request in self.server.received[already:] if life_of(request) == life]

        try:
            if moment == "running":
                self._wait(running, requests)
                self.startup_seconds = time.monotonic() - began
                self._wait(running, lambda: len(requests()) >= number)
            elif moment == "opening":
                self._wait(running, lambda: self._opened() != opened or requests())
            else:
                pause = share * self.startup_seconds
            time.sleep(pause)
        finally:
            at = time.monotonic()
            running.process.kill()
            status = running.process.wait()
        assert status == -signal.SIGKILL, f"life {life} ended before it was killed:\n{running.said}"
        texts = self._recorded()
        recorded = frozenset(request.number for request in requests() if request.usable and request.answer in texts)
        return Kill(life, moment, at, recorded, self._saved())

    def _wait(self, running: Watched, condition: Callable[[], object]) -> None:
        def holds() -> bool:
            assert running.process.poll() is None, f"it ended before it was killed:\n{running.said}"
            return bool(condition())

        wait_until(holds, lambda: f"it sends nothing any more:\n{running.said}", look_every=0.001)

    def _opened(self) -> int:
        """Return a number that changes when the program takes its lock, right before it opens its files."""
        try:
            return self.program.state.with_suffix(".lock").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _recorded(self) -> set[str]:
        """Return all recorded answers, and check that a kill took none of those that were there before.

        A copy is read: whoever opens the database mends it, and that is for the program to do.
        """
        state = self.program.state
        with tempfile.TemporaryDirectory() as place, contextlib.closing(sqlite3.connect(f"{place}/{state.name}")) as db:
            for path in (state, state.with_name(state.name + "-wal")):
                if path.exists():
                    shutil.copy(path, place)
            has_tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'steps'").fetchone() == (1,)
            texts = {text for (text,) in db.execute("SELECT text FROM steps")} if has_tables else set()
        assert texts >= self.texts, f"recorded before the last kills, and lost: {self.texts - texts}"
        self.texts = texts
        return texts

    def _saved(self) -> int | None:
        """Return how many conversations the output holds, and check that it only grew; None if its end is torn off."""
        path = self.program.output
        output = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        before = self.output.rstrip().removesuffix("]").rstrip()
        assert output.startswith(before), "the output lost what it held, or changed it"
        try:
            conversations = json.loads(output or "[]")
        except json.JSONDecodeError:
            return None  # the kernel stops a write of more than a page for a SIGKILL
        self.output = output
        return len(conversations)


# The proofs.


def prove(tortured: Tortured) -> None:
    """Compare the server's log with the files; an AssertionError says what does not hold."""
    assert tortured.ended.status == 0, tortured.ended.said
    assert {request.provider for request in tortured.received} == set(tortured.providers)
    prove_that_the_target_is_reached(tortured)
    prove_that_each_answer_was_paid_for_once(tortured)
    prove_that_tools_took_effect_once(tortured)
    prove_that_the_output_holds_what_was_answered(tortured)


def prove_that_the_target_is_reached(tortured: Tortured) -> None:
    """The output holds each conversation of the target exactly once, as the database does; none is half-done."""
    program = tortured.program
    lines = [json.dumps(messages) for messages in program.conversations()]
    assert len(lines) == len(set(lines)) == tortured.target
    samples = program.query("SELECT line FROM samples ORDER BY position")
    assert lines == [json.dumps(json.loads(line)["conversations"]) for (line,) in samples]
    ended = dict(program.query("SELECT status, count(*) FROM conversations GROUP BY status"))
    assert ended.pop("finished") == tortured.target
    assert set(ended) <= {"set aside"}, ended
    assert program.query("PRAGMA integrity_check") == [("ok",)]


def prove_that_each_answer_was_paid_for_once(tortured: Tortured) -> None:
    """Each usable answer is recorded once, but for those in flight at a kill; no recorded one was asked for again."""
    usable = {request.number: request for request in tortured.received if request.usable}
    steps = Counter(text for (text,) in tortured.program.query("SELECT text FROM steps WHERE kind != 'tools'"))
    assert set(steps.values()) == {1}, "an answer was recorded twice"
    assert set(steps) <= {request.answer for request in usable.values()}, "what is recorded is not what was answered"
    in_flight = tortured.in_flight
    lost = {number for number, request in usable.items() if request.answer not in steps}
    assert lost == in_flight, f"lost without a kill: {lost - in_flight}; recorded after it: {in_flight - lost}"

    # An answer that was used had been recorded: it is not counted as in flight because it was recorded too late.
    for request in tortured.received:
        used = {number for number in _numbers_in(request) if number in in_flight}
        assert not used, f"request {request.number} follows from the answers to {used}, which were not recorded"
    at_once = len(tortured.kills) * len(tortured.providers) * MAX_IN_FLIGHT
    assert len(in_flight) <= at_once, f"{len(in_flight)} answers were not recorded, more than can be in flight"

    last = {request.asked: request for request in sorted(tortured.received, key=life_of)}
    for request in usable.values():
        if request.number not in in_flight:
            assert last[request.asked] is request, f"request {request.number} was recorded, and asked for again"
    for requests in tortured.doubled.values():
        lives = [life_of(request) for request in requests]
        assert len(lives) == len(set(lives)), f"answered twice without a kill: {[r.number for r in requests]}"
        first_ones = {request.number for request in sorted(requests, key=life_of)[:-1]}
        assert first_ones <= in_flight, f"answered twice, and not in flight at a kill: {first_ones - in_flight}"
    assert tortured.answered_twice <= len(in_flight)


def prove_that_tools_took_effect_once(tortured: Tortured) -> None:
    """The notes are those that the saved results speak of, no more; conversations that were set aside left none."""
    program = tortured.program
    results: dict[int, list[int]] = defaultdict(list)  # of each timeline: the indices that Ada was told, in order
    told: list[str] = []
    for timeline, line in program.query(
        "SELECT timeline_id, line FROM samples JOIN conversations ON id = conversation_id ORDER BY position"
    ):
        for message in json.loads(line)["conversations"]:
            told += re.findall(r'"(The user told \d+)"', message["content"]) if message["role"] == "assistant" else []
            if message["role"] == "tool":
                for result in message["content"].split("\n"):
                    results[timeline] += json.loads(result[len("<tool_result>") : -len("</tool_result>")])["indices"]
    notes = program.query("SELECT timeline_id, text FROM notes WHERE deleted_in IS NULL AND added_in > 0 ORDER BY id")
    past = dict(
        program.query("SELECT timeline_id, count(*) FROM notes WHERE added_in = 0 AND shelf = 'memory' GROUP BY 1")
    )
    # Each call adds two notes. In the order in which the notes are there, Ada was told 1, 2, 3, … behind those that the
    # timeline began with: with an effect that happened twice, or not at all, a number would be left out, or be there
    # twice.
    wrong = [
        indices
        for timeline, indices in results.items()
        if indices != list(range(past.get(timeline, 0) + 1, past.get(timeline, 0) + len(indices) + 1))
    ]
    assert not wrong, f"Ada was told these numbers of her notes: {wrong}"
    there = Counter(timeline for timeline, _ in notes)
    wrong_timelines = {timeline for timeline, indices in results.items() if there.pop(timeline, 0) != len(indices)}
    assert not wrong_timelines | set(there), f"timelines {wrong_timelines | set(there)} hold too few or too many notes"
    assert sorted(text for _, text in notes if text != "The user has a sister") == sorted(told), (
        "the notes are not those of the saved calls"
    )
    assert len(notes) == 2 * len(told) > 0
    assert program.query(
        "SELECT count(*) FROM notes WHERE added_in IN (SELECT id FROM conversations WHERE status = 'set aside')"
        " OR deleted_in IN (SELECT id FROM conversations WHERE status = 'set aside')"
    ) == [(0,)]
    [(rounds,)] = program.query(
        "SELECT count(*) FROM steps JOIN conversations ON id = conversation_id"
        " WHERE kind = 'tools' AND status = 'finished'"
    )
    assert rounds == len(told)


# What `well_behaved` says, as it is saved; a number is that of the request which was so answered.
_USER = r"(?P<ask>Message (\d+)): my sister Mia visits on Sunday\."
_THOUGHT = (
    r"<think>(?:(?P<rewrite>Hm, thought (\d+)[a-i]?: (?:She tells me|I want to keep) \d+)"
    r"|(?P<own>She tells me (\d+)|I want to keep (\d+)))\.</think>"
)
_REPLY = r"(?P<reply>How nice, reply (\d+))!"
_CALL = r'<tool_call>add_memory\(input_text=\["(?P<call>The user told (\d+))", "The user has a sister"\]\)</tool_call>'
_SAVED = {"user": re.compile(_USER), "assistant": re.compile(rf"{_THOUGHT}\n\n(?:{_REPLY}|{_CALL})")}
_STEPS = {
    "ask": {"ask"},
    "rewrite": {"rewrite"},
    "own": {"answer", "continue"},
    "reply": {"answer", "continue"},
    "call": {"answer"},
}


def prove_that_the_output_holds_what_was_answered(tortured: Tortured) -> None:
    """Every word that is saved comes from an answer of the server's to this conversation, and is there only once."""
    recorded = dict(tortured.program.query("SELECT text, conversation_id FROM steps WHERE kind != 'tools'"))
    said: Counter[str] = Counter()
    for conversation, line in tortured.program.query("SELECT conversation_id, line FROM samples"):
        question = ""
        for message in json.loads(line)["conversations"]:
            if message["role"] not in _SAVED:
                continue
            question = message["content"] if message["role"] == "user" else question
            match = _SAVED[message["role"]].fullmatch(message["content"])
            assert match, f"no answer of the server's: {message}"
            for kind, words in match.groupdict().items():
                if words is None:
                    continue
                said[words] += 1
                request = tortured.received[int(re.findall(r"\d+", words)[0]) - 1]
                assert request.usable, f"{words!r} is in the output, and request {request.number} was not answered"
                assert request.step in _STEPS[kind], f"{words!r} is no answer to {request.step}"
                assert recorded[request.answer] == conversation, f"{words!r} belongs to another conversation"
                if kind != "ask":
                    assert any(question in asked["content"] for asked in request.body["messages"])
    assert set(said.values()) == {1}, f"saved more than once: {said.most_common(3)}"


_ANSWER_NUMBER = re.compile(r"(?:Message|thought|tells me|keep|told|reply) (\d+)")


def _numbers_in(request: Received) -> Iterable[int]:
    """Return the numbers of the requests from whose answers this one follows."""
    contents = "\n".join(message["content"] for message in request.body["messages"])
    return {int(number) for number in _ANSWER_NUMBER.findall(contents)}


def as_rows(tortured: Tortured) -> list[tuple[str, object]]:
    """Return what happened, as rows of a table."""
    received, kills = tortured.received, tortured.kills
    unanswered = sum(len(tortured.unanswered_at(kill)) for kill in kills)
    waits = [
        kill.at - tortured.received[number - 1].answered_at for kill in kills for number in tortured.in_flight_at(kill)
    ]
    [(set_aside,)] = tortured.program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'")
    without = sum(not tortured.of_life[kill.life] for kill in kills)
    drawn = Counter(request.drawn for request in received if request.drawn)
    return [
        ("kills", len(kills)),
        ("  before the first request", without),
        ("  in the middle of a write", sum(kill.conversations is None for kill in kills)),
        ("  with answers in flight", sum(bool(tortured.in_flight_at(kill)) for kill in kills)),
        ("conversations", tortured.target),
        ("  others, set aside", set_aside),
        ("    after they had used a tool", tortured.effects_undone),
        ("requests", len(received)),
        *((f"  to {name}", sum(request.provider == name for request in received)) for name in tortured.providers),
        ("  answered with a completion", sum(request.usable for request in received)),
        ("  with a fault, and survived", f"{sum(drawn.values())} ({100 * sum(drawn.values()) / len(received):.1f} %)"),
        *((f"    {kind}", count) for kind, count in sorted(drawn.items())),
        ("answers in flight at kills", len(tortured.in_flight)),
        ("  not answered yet", unanswered),
        ("  answered, not recorded yet", len(tortured.in_flight) - unanswered),
        ("  longest between answer and kill", f"{1000 * max([0.0, *waits]):.0f} ms"),
        ("answers paid for twice", tortured.answered_twice),
        ("wall time", f"{tortured.seconds:.1f} s"),
    ]
