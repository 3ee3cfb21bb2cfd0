"""`apep-datagen evaluate`, as a user calls it: what is asked, what comes of it, and going on from any moment."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.evaluate.failures import Failure
from support.examinee import Asked, Examinee, answers_in_fields
from support.loopback_server import LoopbackServer, Received, Reply
from support.paths import SUPPORT
from support.program import Ended, Program, section

USERS, DAYS = 3, 3
OPTIONS = ("evaluate", "--ada", "model", "--users", str(USERS), "--days", str(DAYS))
FILE = Path("data/evaluations/model.json")
STATE = FILE.with_name("model.state.db")
WORSE = FILE.with_name("worse.json")
KILLED = (str(SUPPORT / "killed_program.py"),)

Element = dict[str, Any]


class Evaluated(Program):
    """The program in a directory of its own, where it evaluates."""

    def elements(self) -> list[Element]:
        elements: list[Element] = json.loads((self.directory / FILE).read_text(encoding="utf-8"))
        return elements

    def outcomes(self, path: Path = FILE) -> list[dict[str, Any]]:
        return [element["evaluation"]["outcome"] for element in json.loads((self.directory / path).read_bytes())]

    def query_state(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.directory / STATE)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def configure(program: Program, server: LoopbackServer, **values: object) -> None:
    """Have one call made at a time, so that two evaluations can be told apart by what was answered alone."""
    program.configure(section("model", server.url("model"), **{"max_in_flight": 1, **values}))


def places(elements: list[Element]) -> list[tuple[int, int, int]]:
    """Return user, try and day of each conversation."""
    return [tuple(element["evaluation"][key] for key in ("user", "number_of_try", "day")) for element in elements]


def without_seconds(elements: list[Element]) -> list[Element]:
    """Return what two evaluations have in common if they were answered alike."""
    return [{**element, "evaluation": {**element["evaluation"], "seconds": []}} for element in elements]


def table_of(ended: Ended) -> str:
    """Return what is printed of what was evaluated, but for how long it took."""
    found = re.search(r"^\S+ at model.*: [\d,]+ users.*?(?=^seconds an answer)", ended.stdout, re.MULTILINE | re.DOTALL)
    assert found, ended.said
    return found[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A directory in which a good Ada was evaluated, and how that ended."""
    program = Evaluated(tmp_path_factory.mktemp("evaluated"))
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        configure(program, server)
        ended = program.run(*OPTIONS)
    assert ended.status == 0, ended.said
    return program.directory, ended


@pytest.fixture
def program(made: tuple[Path, Ended], tmp_path: Path) -> Evaluated:
    """The program, in a copy of that directory, where nobody answers any more."""
    shutil.copytree(made[0], tmp_path / "run")
    return Evaluated(tmp_path / "run")


@pytest.fixture
def fresh(tmp_path: Path) -> Evaluated:
    """The program, in an empty directory."""
    return Evaluated(tmp_path)


# What comes of it.


def test_a_good_ada_is_right_each_time_and_each_user_was_met_on_each_day(made: tuple[Path, Ended]) -> None:
    program, ended = Evaluated(made[0]), made[1]
    elements = program.elements()
    assert {outcome["failure"] for outcome in program.outcomes()} == {None}, program.outcomes()
    assert sorted(places(elements)) == [(user, 1, day) for user in range(1, USERS + 1) for day in range(1, DAYS + 1)]
    assert re.search(r"^all +9  100 %", ended.stdout, re.MULTILINE)
    assert f"9 of 9 conversations are in {FILE}" in ended.stdout
    assert "Traceback" not in ended.said


def test_the_same_command_again_prints_the_same_and_asks_nobody(made: tuple[Path, Ended], program: Evaluated) -> None:
    before = (program.directory / FILE).read_bytes()
    again = program.run(*OPTIONS)
    assert again.status == 0, again.said
    assert table_of(again) == table_of(made[1])
    assert "evaluated in" not in again.stdout
    assert (program.directory / FILE).read_bytes() == before


def test_json_has_what_the_table_has_and_each_row_has_the_same_keys(program: Evaluated) -> None:
    ended = program.run(*OPTIONS, "--json")
    assert ended.status == 0, ended.said
    found = json.loads(ended.stdout)
    assert found.keys() == {
        "exam", "tables", "examinees", "missing", "total", "abilities", "sizes", "all_tries", "answers", "bounds",
    }  # fmt: skip
    assert found["exam"] == {
        "seed": 1, "users": USERS, "days": DAYS, "tries": 1, "max_tool_rounds": 3, "tester": "written",
    }  # fmt: skip
    assert found["examinees"] == [{"provider": "model", "model": "model-one", "as_trained": ""}]
    rows = [found["total"], *found["abilities"].values(), *found["sizes"].values()]
    rows += [form for ability in found["abilities"].values() for form in ability["forms"].values()]
    for row in rows:
        assert row.keys() - {"forms"} == {"conversations", "right", "share", "low", "high", "failures", "void"}
        assert row["failures"].keys() == set(Failure)
        assert 0 <= row["low"] <= row["share"] <= row["high"] <= 1
    assert found["total"]["conversations"] == found["total"]["right"] == USERS * DAYS
    for kind in ("abilities", "sizes"):
        assert sum(row["conversations"] for row in found[kind].values()) == USERS * DAYS
    assert found["bounds"].keys() == {"never", "always"}
    for bound in found["bounds"].values():
        assert bound["total"]["conversations"] == USERS * DAYS
        assert bound["total"]["right"] < USERS * DAYS
    assert found["answers"]["count"] == program.query_state("SELECT count(*) FROM steps WHERE model IS NOT NULL")[0][0]


def test_an_element_holds_nothing_that_a_trainer_looks_for(made: tuple[Path, Ended]) -> None:
    for element in Evaluated(made[0]).elements():
        assert element.keys() == {"evaluation", "transcript"}


# Going on.

POINTS = [("answer", 1), ("tools", 3), ("continue", 2), ("in-flight", 9), ("finish", 4), ("torn", 2), ("appended", 6)]


@pytest.mark.parametrize(("point", "number"), POINTS)
def test_a_killed_evaluation_comes_to_the_same_as_one_that_was_not(
    made: tuple[Path, Ended], fresh: Evaluated, point: str, number: int
) -> None:
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        configure(fresh, server)
        killed = fresh.run(point, str(number), *OPTIONS, command=KILLED)
        assert killed.status == -signal.SIGKILL, killed.said
        resumed = fresh.run(*OPTIONS)
        answered = Counter(received.content for received in server.received)
    assert resumed.status == 0, resumed.said
    assert without_seconds(fresh.elements()) == without_seconds(Evaluated(made[0]).elements())
    assert table_of(resumed) == table_of(made[1])
    # Nothing is asked again but what was in flight.
    assert sum(count - 1 for count in answered.values()) <= 1
    assert fresh.query_state("SELECT count(*) FROM conversations WHERE status != 'finished'") == [(0,)]


def test_killed_again_and_again_with_many_in_flight_each_question_is_asked_once(fresh: Evaluated) -> None:
    points = [("in-flight", 4), ("tools", 2), ("finish", 2), ("torn", 1), ("answer", 3), ("in-flight", 6)]
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        configure(fresh, server, max_in_flight=None)
        for point, number in points:
            assert fresh.run(point, str(number), *OPTIONS, command=KILLED).status in {-signal.SIGKILL, 0}
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert sorted(places(fresh.elements())) == [(user, 1, day) for user in (1, 2, 3) for day in (1, 2, 3)]
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}


def test_a_user_whose_first_answer_a_kill_took_away_is_not_forgotten(fresh: Evaluated) -> None:
    """Of users who begin at the same time, those whose answers come first are recorded first."""
    examinee, is_slow = Examinee(USERS, DAYS), True

    def behaviour(received: Received) -> Reply:
        return Reply(fault="hang") if is_slow and examinee.asked(received).user != USERS else examinee(received)

    with LoopbackServer(behaviour) as server:
        configure(fresh, server, max_in_flight=None)
        killed = fresh.run("answer", "1", *OPTIONS, command=KILLED)
        assert killed.status == -signal.SIGKILL, killed.said
        assert fresh.query_state("SELECT id FROM timelines") == [(USERS,)]
        is_slow = False
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert sorted(places(fresh.elements())) == [(user, 1, day) for user in (1, 2, 3) for day in (1, 2, 3)]


def test_tries_ask_the_same_anew(fresh: Evaluated) -> None:
    def errs_in_the_second_try(asked: Asked) -> str:
        return "looks up for nothing" if asked.number_of_try == 2 else ""

    examinee = Examinee(2, 3, tries=2, way=errs_in_the_second_try)
    with LoopbackServer(examinee) as server:
        configure(fresh, server, max_in_flight=None)
        ended = fresh.run("evaluate", "--ada", "model", "--users", "2", "--days", "3", "--tries", "2", "--json")
    assert ended.status == 0, ended.said
    elements = fresh.elements()
    assert sorted(places(elements)) == [(u, t, d) for u in (1, 2) for t in (1, 2) for d in (1, 2, 3)]
    asked: dict[tuple[int, int], set[str]] = {}
    for (user, _, day), element in zip(places(elements), elements, strict=True):
        asked.setdefault((user, day), set()).add(element["evaluation"]["question"])
    assert {len(questions) for questions in asked.values()} == {1}
    found = json.loads(ended.stdout)
    assert found["all_tries"]["share"] <= found["total"]["share"] < 1
    right = Counter(
        element["evaluation"]["number_of_try"]
        for element in elements
        if not element["evaluation"]["outcome"]["failure"]
    )
    assert right[1] == 6 > right[2]


# Stopped, or out.


def test_a_budget_ends_it_and_a_larger_one_goes_on(fresh: Evaluated) -> None:
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        configure(fresh, server)
        spent = fresh.run(*OPTIONS, "--max-requests", "8")
        assert spent.status == 6, spent.said
        assert "The budget --max-requests is reached" in spent.stderr
        assert len(server.received) == 8
        ended = fresh.run(*OPTIONS, "--max-requests", "100")
    assert ended.status == 0, ended.said
    assert len(fresh.elements()) == USERS * DAYS
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}


def test_a_signal_stops_it_and_the_same_command_goes_on(fresh: Evaluated) -> None:
    examinee, is_told = Examinee(USERS, DAYS), False

    def behaviour(received: Received) -> Reply:
        return Reply(examinee.answer(received), until=lambda: received.number < 4 or is_told)

    with LoopbackServer(behaviour) as server:
        configure(fresh, server)
        running = fresh.watch(*OPTIONS)
        server.wait_until(lambda: len(server.received) >= 4)
        running.process.send_signal(signal.SIGINT)
        running.wait_for("Stopping")
        is_told = True
        stopped = running.end()
        assert stopped.status == 130, stopped.said
        assert "The same command goes on" in stopped.said
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}
    assert len(fresh.elements()) == USERS * DAYS


def test_a_provider_that_dies_ends_it_with_what_to_do_and_the_same_command_goes_on(fresh: Evaluated) -> None:
    examinee, is_dead = Examinee(USERS, DAYS), True

    def behaviour(received: Received) -> Reply:
        return Reply("no", status=401) if is_dead and received.number > 6 else examinee(received)

    with LoopbackServer(behaviour) as server:
        configure(fresh, server)
        dead = fresh.run(*OPTIONS)
        assert dead.status == 5, dead.said
        assert "No provider is left" in dead.stderr
        assert "the same command then goes on" in dead.stderr
        assert "--providers" not in dead.said
        is_dead = False
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}
    assert len(fresh.elements()) == USERS * DAYS


def test_refusals_for_the_rate_and_faults_cost_no_conversation(fresh: Evaluated) -> None:
    examinee = Examinee(USERS, DAYS)
    faults = {2: Reply("slow down", status=429), 5: Reply("busy", status=503), 9: Reply(fault="drop")}

    def behaviour(received: Received) -> Reply:
        return faults.get(received.number) or examinee(received)

    with LoopbackServer(behaviour) as server:
        configure(fresh, server)
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert len(fresh.elements()) == USERS * DAYS
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}


# Models that are of no use.

SAME = "I like tea and I like it very much indeed. "
OF_NO_USE: dict[str, Callable[[Received], Reply]] = {
    "empty": lambda _: Reply(""),
    "endless": lambda _: Reply(f"<think>Well.</think>\n\n{SAME * 400}"),
    "far too long": lambda received: Reply("".join(f"word{n} " for n in range(received.number, 20_000))),
    "cut off": lambda _: Reply("<think>They tell me that", finish_reason="length"),
    "broken off": lambda _: Reply("They tell", finish_reason="content_filter"),
    "garbage": lambda received: Reply("\u0000\ufffd</tool_call><tool_call>{{{" + chr(0x4E00 + received.number)),
    "null": lambda _: Reply(message={"content": None}),
    "calls for ever": lambda _: Reply("<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
    "calls what is not there": lambda _: Reply("<think>I look.</think>\n\n<tool_call>search(q=1)</tool_call>"),
    "thinks alone": lambda _: Reply("<think>I think, and think of nothing else.</think>"),
}


@pytest.mark.parametrize("behaviour", OF_NO_USE.values(), ids=OF_NO_USE)
def test_whatever_a_model_answers_is_its_own_and_no_conversation_is_set_aside(
    fresh: Evaluated, behaviour: Callable[[Received], Reply]
) -> None:
    """With more conversations than it takes to find out that a provider is of no use."""
    with LoopbackServer(behaviour) as server:
        configure(fresh, server, max_in_flight=None)
        ended = fresh.run("evaluate", "--ada", "model", "--users", "13", "--days", "2")
    assert ended.status == 0, ended.said
    assert len(fresh.elements()) == 26
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {"form"}
    assert not any(outcome["is_void"] for outcome in fresh.outcomes())
    assert fresh.query_state("SELECT count(*) FROM conversations WHERE status != 'finished'") == [(0,)]


def test_what_is_refused_for_good_is_told_and_asked_for_again(fresh: Evaluated) -> None:
    examinee, is_refused = Examinee(USERS, DAYS), True

    def behaviour(received: Received) -> Reply:
        asked = examinee.asked(received)
        refuses = is_refused and asked.user == 2 and asked.day == 1
        return Reply("not this one", status=400) if refuses else examinee(received)

    with LoopbackServer(behaviour) as server:
        configure(fresh, server)
        ended = fresh.run(*OPTIONS)
        assert ended.status == 5, ended.said
        assert "is set aside, answer failed" in ended.said
        assert f"2 of 9 conversations are not in {FILE}: requests failed for good" in ended.stderr
        assert f"7 of 9 conversations are in {FILE}" in ended.stdout
        assert "7 of 9 conversations" in ended.stdout
        again = fresh.run(*OPTIONS, "--json")
        assert again.status == 5, again.said
        assert json.loads(again.stdout)["missing"] == 2
        assert [place for place in places(fresh.elements()) if place[0] == 2] == [(2, 1, 1)]
        is_refused = False
        whole = fresh.run(*OPTIONS, "--json")
    assert whole.status == 0, whole.said
    assert json.loads(whole.stdout)["missing"] == 0
    days = [(user, 1, day) for user in range(1, USERS + 1) for day in range(1, DAYS + 1)]
    assert sorted(places(fresh.elements())) == days
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}


def test_where_everything_is_refused_nothing_is_evaluated_and_later_all_of_it(fresh: Evaluated) -> None:
    examinee, is_refused = Examinee(2, DAYS), True
    with LoopbackServer(lambda received: Reply("no", status=422) if is_refused else examinee(received)) as server:
        configure(fresh, server)
        options = (*OPTIONS, "--users", "2")
        ended = fresh.run(*options)
        assert ended.status == 5, ended.said
        assert f"6 of 6 conversations are not in {FILE}" in ended.stderr
        is_refused = False
        whole = fresh.run(*options)
    assert whole.status == 0, whole.said
    assert len(fresh.elements()) == 6


def test_a_user_who_asks_something_else_says_nothing_about_ada(fresh: Evaluated) -> None:
    """Whoever asks for nothing is asked again, three times in all; what Ada says to it is not her failure."""

    def behaviour(received: Received) -> Reply:
        if received.step == "ask":
            return Reply("My sister Mia visits on Sunday, and the sun shines on the square.")
        return Reply("<think>I cannot say.</think>\n\nI'm sorry, but I can't help with that.")

    with LoopbackServer(behaviour) as server:
        fresh.configure("".join(section(name, server.url(name), max_in_flight=1) for name in ("model", "player")))
        ended = fresh.run("evaluate", "--ada", "model", "--users", "2", "--tester", "player")
    assert ended.status == 0, ended.said
    about_nothing = {"chat", "general", "passing"}
    of_something = [
        element["evaluation"] for element in fresh.elements() if element["evaluation"]["form"] not in about_nothing
    ]
    assert all(element["outcome"]["is_void"] for element in of_something), of_something
    assert {element["outcome"]["reason"] for element in of_something} == {
        "the user's message does not tell what was planned",
        "the user's message does not ask what was planned",
    }


# An evaluation is no dataset.

COMMANDS = [
    ("--output", str(FILE), "--providers", "model"),
    ("plan", "--output", str(FILE), "--providers", "model"),
    ("export", str(FILE), "--format", "trl", "--to", "exported"),
    ("push", "me/model", str(FILE), "--license", "mit", "--dry-run", "--to", "pushed"),
    ("stats", str(FILE)),
    ("verify", str(FILE)),
    ("rejudge", str(FILE)),
    ("show", str(FILE), "1"),
    ("show", str(FILE), "--rejected"),
    ("import", str(FILE), "--output", "taken.json"),
    ("import", str(FILE), "--output", "taken.json", "--format", "trl"),
    ("import", "mine.json", "--output", str(FILE)),
]


@pytest.mark.parametrize("has_state", [True, False], ids=["with its state", "alone"])
def test_no_command_takes_an_evaluation_for_a_dataset(program: Evaluated, *, has_state: bool) -> None:
    (program.directory / "mine.json").write_text(
        '[{"conversations": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}]'
    )
    if not has_state:
        for path in (program.directory / FILE).parent.glob("model.state*"):
            path.unlink()
    before = contents_of(program)
    for command in COMMANDS:
        ended = program.run(*command)
        assert ended.status == 4, (command, ended.said)
        assert ended.stdout == ""
        assert ended.stderr == (
            f"{FILE}: holds an evaluation, which is nothing to train on; name a dataset, or another --output\n"
        )
        assert contents_of(program) == before, command


def test_an_evaluation_in_which_nothing_is_answered_yet_is_no_dataset_either(fresh: Evaluated) -> None:
    with LoopbackServer(lambda _: Reply("no", status=422)) as server:
        configure(fresh, server)
        assert fresh.run("evaluate", "--ada", "model", "--users", "1", "--days", "1").status == 5
    assert fresh.elements() == []
    for command in COMMANDS:
        if "mine.json" not in command:
            ended = fresh.run(*command)
            assert ended.status == 4, (command, ended.said)
            assert f"{FILE}: holds an evaluation" in ended.stderr


def contents_of(program: Program) -> dict[str, bytes]:
    return {
        str(path.relative_to(program.directory)): path.read_bytes()
        for path in program.directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_rows_of_an_evaluation_among_others_are_not_imported(program: Evaluated) -> None:
    rows = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}]
    rows += [{**element, "messages": element["transcript"]} for element in program.elements()]
    path = program.directory / "mixed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ended = program.run("import", str(path), "--output", "taken.json")
    assert "1 conversations were added" in ended.stdout
    assert "a model was evaluated in it" in ended.stdout


def test_status_tells_of_an_evaluation(program: Evaluated) -> None:
    ended = program.run("status", "--output", str(FILE))
    assert ended.status == 0, ended.said
    assert f"9 of 9 conversations are in {FILE}" in ended.stdout


def test_of_a_tester_that_nobody_asks_no_price_is_needed(fresh: Evaluated) -> None:
    values = (
        'models = { tester = "model-two" }\n[providers.model.prices]\n"model-one" = { input = 2.0, output = 9.0 }\n'
    )
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        fresh.configure(section("model", server.url("model"), max_in_flight=1) + values)
        assert fresh.run(*OPTIONS, "--max-usd", "1", "--max-requests", "2").status == 6
        ended = fresh.run(*OPTIONS, "--max-usd", "1")
    assert ended.status == 0, ended.said
    assert len(fresh.elements()) == USERS * DAYS


def test_a_model_that_is_evaluated_can_play_the_users_as_well(fresh: Evaluated) -> None:
    with LoopbackServer() as server:
        configure(fresh, server)
        ended = fresh.run("evaluate", "--ada", "model", "--tester", "model", "--users", "1", "--days", "2")
        assert ended.status == 0, ended.said
        assert {"ask", "answer"} <= {received.step for received in server.received}
    assert {element["evaluation"]["exam"]["tester"] for element in fresh.elements()} == {"model"}


# What it cannot go on with.

OTHERS = {
    "--users": ("--users", "4", "--users 3, not 4"),
    "--days": ("--days", "4", "--days 3, not 4"),
    "--tries": ("--tries", "2", "--tries 1, not 2"),
    "--seed": ("--seed", "2", "--seed 1, not 2"),
    "--as-trained": ("--as-trained", "trl", "--as-trained (not given), not trl"),
    "--model": ("--model", "model=model-two", "its model model-one, not model-two"),
}


def test_an_evaluation_goes_on_with_what_it_was_begun_with_alone(program: Evaluated) -> None:
    before = contents_of(program)
    for option, value, told in OTHERS.values():
        ended = program.run(*OPTIONS, option, value)
        assert ended.status == 4, ended.said
        assert ended.stderr == f"{FILE}: was begun with {told}; give the same, or name another --output\n"
        assert contents_of(program) == before


def test_a_dataset_and_a_strangers_file_are_refused_untouched(program: Evaluated) -> None:
    strangers = {
        "dataset.json": '[{"conversations": [{"role": "user", "content": "Hi"}]}]',
        "other.json": '[{"text": "Hi"}]',
        "torn.json": '[{"evaluation": {',
        "object.json": "{}",
    }
    for name, text in strangers.items():
        (program.directory / name).write_text(text)
    before = contents_of(program)
    for name in strangers:
        ended = program.run(*OPTIONS, "--output", name)
        assert ended.status == 4, ended.said
        assert ended.stderr.startswith(f"{name}: ")
        assert "--output" in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
        assert {name: text for name, text in contents_of(program).items() if ".state." not in name} == {
            name: text for name, text in before.items() if ".state." not in name
        }


def test_without_its_state_database_an_evaluation_is_not_gone_on_with(program: Evaluated) -> None:
    (program.directory / STATE).unlink()
    ended = program.run(*OPTIONS)
    assert ended.status == 4, ended.said
    assert ended.stderr == f"{FILE}: its state database {STATE} is missing; name another --output\n"
    assert not (program.directory / STATE).exists()


def test_a_damaged_state_database_is_told(program: Evaluated) -> None:
    (program.directory / STATE).write_bytes(b"I am no database. " * 1000)
    ended = program.run(*OPTIONS)
    assert ended.status == 4, ended.said
    assert str(STATE) in ended.stderr
    assert "not a database" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# Beside another one.


def test_against_tells_what_differs_and_whether_it_is_more_than_chance(program: Evaluated) -> None:
    with LoopbackServer(Examinee(USERS, DAYS, way=lambda _: "does not look up")) as server:
        program.configure(section("worse", server.url("worse"), max_in_flight=1))
        options = ("evaluate", "--ada", "worse", "--users", str(USERS), "--days", str(DAYS))
        ended = program.run(*options, "--against", str(FILE), "--json")
        told = program.run(*options, "--against", str(FILE))
    assert ended.status == told.status == 0, ended.said
    rows = json.loads(ended.stdout)["against"]["rows"]
    assert rows["all"]["questions"] == USERS * DAYS
    assert rows["all"]["other"] == 1
    assert rows["all"]["difference"] == pytest.approx(rows["all"]["this"] - 1)
    assert rows["all"]["difference"] < 0
    assert rows["all"]["low"] <= rows["all"]["difference"] <= rows["all"]["high"]
    assert "difference" in told.stdout
    assert {"did not look", None} == {outcome["failure"] for outcome in program.outcomes(WORSE)}


def test_against_another_exam_tells_in_what_they_differ_and_compares_what_both_were_asked(program: Evaluated) -> None:
    with LoopbackServer(Examinee(USERS + 1, 2)) as server:
        program.configure(section("worse", server.url("worse"), max_in_flight=1))
        ended = program.run(
            "evaluate", "--ada", "worse", "--users", str(USERS + 1), "--days", "2", "--against", str(FILE)
        )
    assert ended.status == 0, ended.said
    assert (
        "The two exams differ in the number of users (4 here, 3 there), the days of a user (2 here, 3 there)."
        in ended.stdout
    )
    assert "Not compared because the other evaluation has no counterpart: 5 conversations." in ended.stdout


def test_against_what_is_no_evaluation_is_told_before_anything_is_asked(program: Evaluated) -> None:
    others = {
        "nothing.json": "there is no such file",
        "dataset.json": "this is a dataset",
        "other.json": "is no evaluated conversation",
        "torn.json": "the file ends",
        "empty.json": "holds no conversation yet",
        "mixed.json": "element 2 is of another exam than the first",
    }
    (program.directory / "dataset.json").write_text('[{"conversations": [{"role": "user", "content": "Hi"}]}]')
    (program.directory / "other.json").write_text('[{"evaluation": {"user": 1}, "transcript": []}]')
    (program.directory / "torn.json").write_text('[{"evaluation": {')
    (program.directory / "empty.json").write_text("[]")
    elements = json.loads((program.directory / FILE).read_bytes())
    elements[1]["evaluation"]["exam"]["seed"] = 7
    (program.directory / "mixed.json").write_text(json.dumps(elements))
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        program.configure(section("worse", server.url("worse")))
        for name, told in others.items():
            ended = program.run("evaluate", "--ada", "worse", "--users", "1", "--days", "1", "--against", name)
            assert ended.status == 4, ended.said
            assert ended.stderr.startswith(f"{name}: "), ended.stderr
            assert told in ended.stderr
            assert len(ended.stderr.splitlines()) == 1
        assert server.received == []


# A model that plays the users.


def test_a_model_can_play_the_users_and_what_it_gets_wrong_says_nothing_about_ada(fresh: Evaluated) -> None:
    """Who never says what the first user is to say is asked again, three times in all."""
    tester = Examinee(USERS, DAYS, written=False, way=lambda asked: "does not tell" if asked.user == 1 else "")
    with LoopbackServer(tester) as server:
        fresh.configure("".join(section(name, server.url(name), max_in_flight=1) for name in ("model", "player")))
        ended = fresh.run(*OPTIONS, "--tester", "player", "--json")
        steps = {name: {received.step for received in server.of(name)} for name in ("model", "player")}
    assert ended.status == 0, ended.said
    assert steps == {"model": {"answer", "continue"}, "player": {"ask"}}
    elements = fresh.elements()
    assert sorted(places(elements)) == [(user, 1, day) for user in (1, 2, 3) for day in (1, 2, 3)]
    void = {place for place, outcome in zip(places(elements), fresh.outcomes(), strict=True) if outcome["is_void"]}
    assert void
    assert {user for user, _, _ in void} == {1}
    rejected = fresh.query_state(
        "SELECT timeline_id, count(*) FROM conversations WHERE status = 'rejected' GROUP BY timeline_id"
    )
    assert rejected == [(1, 2 * len(void))]
    found = json.loads(ended.stdout)
    assert found["total"]["void"] == len(void)
    assert found["total"]["conversations"] == USERS * DAYS - len(void)
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}


# As it was trained.


@pytest.mark.parametrize("form", ["trl", "hermes", "openai", "axolotl", "an export"])
def test_a_model_is_asked_as_it_was_trained(fresh: Evaluated, form: str) -> None:
    examinee = Examinee(USERS, DAYS)
    is_native = form == "an export"

    def behaviour(received: Received) -> Reply:
        reply = examinee(received)
        return answers_in_fields(reply) if is_native else reply

    with LoopbackServer(behaviour) as server:
        configure(fresh, server)
        value = exported_natively(fresh) if form == "an export" else form
        ended = fresh.run(*OPTIONS, "--as-trained", value)
        bodies = [received.body for received in server.received]
    assert ended.status == 0, ended.said
    assert {outcome["failure"] for outcome in fresh.outcomes()} == {None}, fresh.outcomes()
    assert f"as trained ({value})" in ended.stdout
    assert all(("tools" in body) == is_native for body in bodies)


def exported_natively(program: Program) -> str:
    """Export a dataset with native calls, and return where."""
    (program.directory / "mine.json").write_text(
        '[{"conversations": [{"role": "system", "content": "You are Ada."}, {"role": "user", "content": "Hi"},'
        ' {"role": "assistant", "content": "<think>They greet me.</think>\\n\\nHello"}]}]'
    )
    ended = program.run("export", "mine.json", "--format", "trl", "--calls", "native", "--to", "exported")
    assert (program.directory / "exported" / "trl" / "report.json").exists(), ended.said
    return "exported/trl"


# Where it cannot write.


def test_a_seed_that_no_database_holds_is_refused(fresh: Evaluated) -> None:
    ended = fresh.run(*OPTIONS, "--seed", str(2**63))
    assert ended.status == 2, ended.said
    assert "--seed" in ended.said
    assert not (fresh.directory / FILE).parent.exists()


def test_a_provider_that_is_none_is_told_by_the_option_that_names_it(fresh: Evaluated) -> None:
    fresh.configure(section("model", "http://127.0.0.1:9/model"))
    for option in (("--ada", "nobody"), ("--ada", "model", "--tester", "nobody")):
        ended = fresh.run("evaluate", *option)
        assert ended.status == 2, ended.said
        assert ended.stderr.startswith(f"{option[-2]}: this is no provider; there are "), ended.stderr
        assert len(ended.stderr.splitlines()) == 1


def test_a_directory_that_cannot_be_written_to_is_told(fresh: Evaluated) -> None:
    (fresh.directory / "data").mkdir()
    (fresh.directory / "data" / "evaluations").write_text("I am a file.")
    fresh.configure(section("model", "http://127.0.0.1:9/model"))
    ended = fresh.run(*OPTIONS)
    assert ended.status in {2, 4}, ended.said
    assert len(ended.stderr.splitlines()) == 1
    assert "data/evaluations" in ended.stderr


@pytest.mark.parametrize("what", ["state", "output"])
def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(
    made: tuple[Path, Ended], fresh: Evaluated, what: str
) -> None:
    with LoopbackServer(Examinee(USERS, DAYS)) as server:
        configure(fresh, server)
        full = fresh.run(what, *OPTIONS, command=(str(SUPPORT / "full_disk.py"),))
        assert full.status == 4, full.said
        assert "make room" in full.stderr
        assert "Traceback" not in full.said
        ended = fresh.run(*OPTIONS)
    assert ended.status == 0, ended.said
    assert without_seconds(fresh.elements()) == without_seconds(Evaluated(made[0]).elements())
