"""Every message of the table in `docs/troubleshooting.md` is one that the program says, where the table says it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
import resource
import signal
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.people.scenario import Ability
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.paths import REPOSITORY, SUPPORT
from support.program import PLAINLY, QUICKLY, Ended, Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, WAYS, ScriptedPeople

TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"
OPERATIONS = REPOSITORY / "docs" / "operations.md"
PRICE = "price_per_million_tokens = { input = 1.0, output = 2.0 }\n"

Behaviour = Callable[[Received], Reply]


def messages() -> list[str]:
    """Return the messages of the table, in their order."""
    return re.findall(r"^\| `([^`]+)` \|", TROUBLESHOOTING.read_text(encoding="utf-8"), re.MULTILINE)


def run(
    program: Program,
    *options: str,
    behaviour: Behaviour = well_behaved,
    config: str = "",
    target: int = 3,
    command: tuple[str, ...] = PLAINLY,
) -> Ended:
    with LoopbackServer(behaviour) as server:
        program.configure(section("mistral", server.url("mistral")) + config)
        return program.run("--providers", "mistral", "--target", str(target), *options, command=command)


def always(reply: Reply) -> Behaviour:
    return lambda _: reply


def from_the_fifth_on(reply: Reply) -> Behaviour:
    return lambda received: reply if received.number > 4 else well_behaved(received)


def once(reply: Reply, step: str = "ask") -> Behaviour:
    replies = [reply]
    return lambda received: replies.pop() if replies and received.step == step else well_behaved(received)


def without_keys(program: Program) -> Ended:
    program.environment.clear()
    return program.run()


def never_reached(program: Program) -> Ended:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        program.configure(section("mistral", f"http://127.0.0.1:{unused.getsockname()[1]}"))
        ended = program.run("--providers", "mistral", "--target", "3", command=QUICKLY)  # it has to rest four times
    # That is the provider's failure, not the conversations'.
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]
    return ended


def month_spent(program: Program) -> Ended:
    return run(program, config="tokens_per_month = 5\n")


def month_spent_beside_another(program: Program) -> Ended:
    with LoopbackServer() as server:
        limited = section("mistral", server.url("mistral"), tokens_per_month=5)
        program.configure(limited + section("other", server.url("other")))
        return program.run("--providers", "mistral,other", "--target", "3")


def refuses_one_conversation() -> Behaviour:
    refused: list[str] = []

    def behaviour(received: Received) -> Reply:
        if received.step == "answer":
            refused.append(received.prompt)
        is_refused = received.step == "answer" and received.prompt == refused[0]
        return Reply("flagged", status=422) if is_refused else well_behaved(received)

    return behaviour


def nothing_but_429(program: Program) -> Ended:
    faster = (str(SUPPORT / "other_speed.py"), "400")
    behaviour = from_the_fifth_on(Reply("slow down", status=429))
    return run(program, "--patience", "900", behaviour=behaviour, command=faster)


def twice_at_once(program: Program) -> Ended:
    with LoopbackServer(always(Reply(fault="hang"))) as server:
        program.configure(section("mistral", server.url("mistral")))
        first = program.watch("--providers", "mistral", "--target", "3")
        server.wait_until(lambda: server.received)
        ended = program.run("--providers", "mistral", "--target", "3")
        first.process.kill()
        first.process.wait()
    return ended


def output_broken(program: Program) -> Ended:
    assert run(program, target=1).status == 0
    program.output.write_text("[{", encoding="utf-8")
    return run(program, target=1)


def disk_full(program: Program, what: str) -> Ended:
    return run(program, target=30, command=(str(SUPPORT / "full_disk.py"), what))


def locked(program: Program) -> Ended:
    assert run(program, target=1).status == 0
    with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        return run(program)


def locked_for_a_while(program: Program) -> Ended:
    is_locked = False

    def waits_for_the_lock(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_locked or received.number < 3)

    with LoopbackServer(waits_for_the_lock) as server:
        program.configure(section("mistral", server.url("mistral"), requests_per_second=20))
        running = program.watch("--providers", "mistral", "--target", "3")
        server.wait_until(lambda: len(server.received) > 2)
        with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as neighbour:
            neighbour.execute("BEGIN IMMEDIATE")
            is_locked = True
            running.wait_for("holds a lock on it")
        return running.end()


def state_changed(program: Program) -> Ended:
    assert run(program, target=1).status == 0
    with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as connection:
        connection.execute("UPDATE run SET base_end = 'the end'")
    return run(program)


def report_lost(program: Program) -> Ended:
    assert run(program, target=1).status == 0
    return program.run("status", stdout=os.open("/dev/full", os.O_WRONLY))


def log_full(program: Program) -> Ended:
    with LoopbackServer() as server, (program.directory / "log").open("wb") as log:
        log.truncate(5_000_000)
        program.configure(section("mistral", server.url("mistral")))
        return program.run_on_a_full_disk(5_000_000, "--providers", "mistral", "--target", "3", "--log-file", "log")


def ledger_broken(program: Program) -> Ended:
    (program.directory / "data").mkdir()
    (program.directory / "data/ledger.db").write_text("I am no database. " * 100)
    return run(program, config="tokens_per_month = 1_000_000\n")


def stopped(program: Program) -> Ended:
    is_told = False
    with LoopbackServer(lambda received: replace(well_behaved(received), until=lambda: is_told)) as server:
        program.configure(section("mistral", server.url("mistral")))
        running = program.watch("--providers", "mistral", "--target", "30")
        server.wait_until(lambda: server.received)
        running.process.send_signal(signal.SIGINT)
        running.wait_for("Stopping")
        is_told = True
        return running.end()


def nothing_accepted(program: Program) -> Ended:
    mix = "\n".join(f"{ability.value} = {int(ability is Ability.SHARE)}" for ability in Ability)
    return run(program, config=f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}[scenarios.mix]\n{mix}\n', target=30)


def never_good_at_advice(program: Program) -> Ended:
    """Chatter is good, advice is refused."""
    refuses = dataclasses.replace(WAYS["refuses"], abilities=frozenset({Ability.ADVICE}))
    shares = {Ability.SMALLTALK: 1, Ability.ADVICE: 1}
    mix = "\n".join(f"{ability.value} = {shares.get(ability, 0)}" for ability in Ability)
    config = f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}[scenarios.mix]\n{mix}\n'
    return run(program, behaviour=ScriptedPeople(program.state, (refuses,), 1.0), config=config, target=20)


def nothing_rejected(program: Program) -> Ended:
    assert run(program).status == 0
    return program.run("show", "--rejected")


def accepted_shown_as_rejected(program: Program) -> Ended:
    assert run(program).status == 0
    return program.run("show", "--rejected", "1")


def rewriter_of_no_use(program: Program) -> Ended:
    def behaviour(received: Received) -> Reply:
        return Reply("") if received.step == "rewrite" else well_behaved(received)

    return run(program, behaviour=behaviour, target=40)


def doubled(program: Program) -> Ended:
    assert run(program).status == 0
    lines = program.output.read_text(encoding="utf-8").splitlines()
    program.output.write_text("\n".join([*lines[:2], *lines[1:]]), encoding="utf-8")
    return program.run("verify")


def broken_variable(program: Program) -> Ended:
    """Together's client cannot be made with such an address; Mistral's can."""
    program.environment["NO_PROXY"] = "127.0.0.1,[::1]"
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral")) + section("together", server.url("together")))
        return program.run("--providers", "mistral,together", "--target", "1")


def with_few_open_files(program: Program) -> Ended:
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (70, 70))
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral")))
        return program.run("--providers", "mistral", "--target", "3", preexec_fn=limit)


def checked_with_a_template(program: Program) -> Ended:
    assert run(program).status == 0
    return program.run(*EXPORT, "--rows", "conversation", "--check", "deepseek_r1_distill")


def written_by_another_program(program: Program) -> Path:
    path = program.directory / "theirs.json"
    messages = [
        {"role": "system", "content": "Call it so: <tool_call>look()</tool_call>"},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello!"},
    ]
    path.write_text(json.dumps([{"conversations": messages}, {"rows": 1}]), encoding="utf-8")
    return path


def an_evaluation(program: Program) -> Path:
    path = program.directory / "evaluation.json"
    path.write_text('[{"evaluation": {}, "transcript": []}]', encoding="utf-8")
    return path


def exported_for_native_calls(program: Program) -> Ended:
    path = written_by_another_program(program)
    return program.run("export", str(path), *EXPORT[1:], "--calls", "native")


def exported_beside_others(program: Program) -> Ended:
    assert run(program).status == 0
    (program.directory / "exported" / "trl").mkdir(parents=True)
    (program.directory / "exported" / "trl" / "notes.txt").touch()
    return program.run(*EXPORT)


def pushed_without_a_token(program: Program) -> Ended:
    assert run(program).status == 0
    program.environment.clear()
    return program.run("push", "me/ada", "--license", "mit")


EXPORT = ("export", "--format", "trl", "--to", "exported")

# By the beginning of the message: what brings it about, and the status that the program ends with.


def saved_in_an_editor(program: Program) -> Ended:
    def saves(received: Received) -> Reply:
        if received.number == 3:
            program.output.write_text("[]", encoding="utf-8")
        return well_behaved(received)

    return run(program, behaviour=saves)


SCENES: dict[str, tuple[int, Callable[[Program], Ended]]] = {
    "No API clients": (3, without_keys),
    "mistral: rate limited": (0, functools.partial(run, behaviour=once(Reply("slow down", status=429)))),
    "mistral: 5 failures": (
        0,
        lambda program: run(
            program,
            behaviour=lambda it: Reply(status=503) if 3 < it.number < 9 else well_behaved(it),
            config="max_in_flight = 1\n",  # so that no earlier answer comes between the failures
            target=4,
            command=QUICKLY,
        ),
    ),
    "mistral is out for the rest of this run: it refused": (
        5,
        functools.partial(run, behaviour=from_the_fifth_on(Reply("Unauthorized", status=401))),
    ),
    "mistral is out for the rest of this run: it forbids": (
        5,
        functools.partial(run, behaviour=always(Reply("Not in your country", status=403))),
    ),
    "mistral is out for the rest of this run: it knows no such address": (
        5,
        functools.partial(run, behaviour=always(Reply(raw='{"detail": "Not Found"}', status=404))),
    ),
    "mistral is out for the rest of this run: it does not know": (
        5,
        functools.partial(run, behaviour=always(Reply("no such model", status=404))),
    ),
    "mistral is out for the rest of this run: its credit": (
        5,
        functools.partial(run, behaviour=from_the_fifth_on(Reply("no credit left", status=402))),
    ),
    "mistral is out for the rest of this run: it has never answered": (5, never_reached),
    "mistral is out for the rest of this run: its tokens_per_month": (6, month_spent),
    "mistral: its tokens_per_month": (0, month_spent_beside_another),
    "mistral is out for the rest of this run: only": (5, nothing_accepted),
    "advice: only": (0, never_good_at_advice),
    "advice: … of the … wished for": (0, never_good_at_advice),
    "no conversation was rejected": (2, nothing_rejected),
    "conversation … was accepted": (2, accepted_shown_as_rejected),
    "mistral is out for the rest of this run: … in a row": (
        5,
        functools.partial(run, behaviour=always(Reply("no max_tokens", status=400))),
    ),
    "mistral: it has answered nothing but 429": (5, nothing_but_429),
    "No provider has answered": (5, nothing_but_429),
    "mistral: refused": (0, functools.partial(run, behaviour=once(Reply("flagged", status=422)))),
    "findings:": (7, doubled),
    "mistral: … of the last 36 thoughts": (0, rewriter_of_no_use),
    "together cannot be used: no HTTP client": (0, broken_variable),
    "mistral: its requests in flight": (0, with_few_open_files),
    "… would be the same file": (2, lambda program: program.run("--output", "a.json", "--log-file", "a.json")),
    "No provider is left": (5, functools.partial(run, behaviour=always(Reply(status=401)))),
    "The budget --max-requests": (6, lambda program: run(program, "--max-requests", "3")),
    "--max-usd: there is no price": (2, lambda program: run(program, "--max-usd", "1")),
    "conversation … is set aside": (0, lambda program: run(program, behaviour=refuses_one_conversation())),
    "another apep-datagen": (4, twice_at_once),
    "no valid JSON": (4, output_broken),
    "the output was changed by another hand": (4, saved_in_an_editor),
    "the state database cannot be written": (4, functools.partial(disk_full, what="state")),
    "the output cannot be written": (4, functools.partial(disk_full, what="output")),
    "cannot be written": (4, lambda program: run(program, "--output", "/proc/out.json")),
    "the state database cannot be used (database is locked)": (4, locked),
    "another program holds a lock": (0, locked_for_a_while),
    "the state database is damaged": (4, state_changed),
    "The standard output": (4, report_lost),
    "ledger.db": (4, ledger_broken),
    "the log cannot be written": (0, log_full),
    "Lost: … thoughts": (7, checked_with_a_template),
    "Left out: … row": (7, exported_for_native_calls),
    "holds files that no export": (2, exported_beside_others),
    "so nobody knows whose": (
        2,
        lambda program: program.run(
            "export", str(written_by_another_program(program)), *EXPORT[1:], "--split", "0.9/0.1"
        ),
    ),
    "push needs a token": (3, pushed_without_a_token),
    "Not taken:": (7, lambda program: program.run("import", str(written_by_another_program(program)))),
    "holds an evaluation": (4, lambda program: program.run("stats", str(an_evaluation(program)))),
    "Stopped; everything is saved": (130, stopped),
}


@pytest.mark.parametrize("message", messages())
def test_the_program_says_what_the_documentation_explains(message: str, tmp_path: Path) -> None:
    [scene] = [scene for beginning, scene in SCENES.items() if message.startswith(beginning)]
    status, play = scene
    ended = play(Program(tmp_path))
    pattern = ".*".join(re.escape(part) for part in message.split("…"))
    assert re.search(pattern, ended.said), ended.said
    assert ended.status == status, ended.said
    assert "Traceback" not in ended.said


def test_every_exit_status_is_documented() -> None:
    documented = re.findall(r"^\| (\d+) \| ", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {status for status, _ in SCENES.values()} | {143} == {int(status) for status in documented}
