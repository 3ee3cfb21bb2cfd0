"""`apep-datagen grow`: a provider proposes, what passes is kept at each answer, and is never lost again."""

from __future__ import annotations

import itertools
import signal
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.people.world import Slot, WorldFile
from support.loopback_server import LoopbackServer, Received, Reply
from support.program import KEYS, QUICKLY, Program, section
from support.proposals import kind, moment, proposed

# Words that no list holds, so that no value is another's, nor an everyday word.
_SYLLABLES = [f"{first}{second}" for first in "bdgkmprstvz" for second in ("ul", "ax", "oov", "iem", "orn")]
_PREDICATES = ("sings", "rusts", "hums", "leaks", "shines", "creaks", "smokes", "ticks", "rattles", "smells")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def numbered(number: int) -> Slot:
    """Return a kind without a fault, another one for each number."""
    thing = f"{_SYLLABLES[number]}ograph"
    values = tuple(
        (f"{first}{_SYLLABLES[number]}{second}",) for first, second in itertools.product("BGKR", ("ix", "um", "ot"))
    )
    return kind(
        slot=f"{thing}_make",
        of=thing,
        tell=f"my {thing} is a {{value}}",
        ask=f"which make my {thing} is that {_PREDICATES[number % 10]}",
        cues=(thing,),
        values=values,
        notes=(
            f"The user's {thing} is a {{value}}.",
            f"A {{value}} stands in the shed, the {thing} of the user.",
            f"Of all makes it had to be a {{value}} when the user bought the {thing}.",
            f"{{value}}: so it says on the {thing} that the user inherited.",
        ),
        beside=(
            f"The user's aunt has a {thing} of her own, a {{value}}.",
            f"Before the {thing} they dreamed of a {{value}}.",
        ),
    )


def in_turn(*replies: Reply | str) -> Callable[[Received], Reply]:
    """Answer with one after the other, and then with the last for ever."""
    left = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
    return lambda _received: left.pop(0) if len(left) > 1 else left[0]


def grown(program: Program, directory: str = "mine") -> WorldFile:
    path = program.directory / directory / "world" / "grown.toml"
    return WorldFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def arguments(*options: str) -> tuple[str, ...]:
    return ("grow", "--prompts", "mine", "--providers", "mine", *options)


def test_what_passes_is_added_and_what_does_not_is_refused_with_the_reason(program: Program) -> None:
    bad = kind(slot="bad", notes=kind().notes[:2])
    blue = kind(values=(*kind().values, ("blue",)))
    answers = [
        proposed(blue, bad, numbered(0)) + "\n[[facts]]\nslot = ",
        proposed(moment()),
        proposed(topics=("tents, rain", "rain on tents", "What is it?")),
    ]
    with LoopbackServer(in_turn(*answers)) as server:
        program.configure(section("mine", server.url("mine"), price_per_million_tokens=None))
        ended = program.run(*arguments("--facts", "2", "--moments", "1", "--topics", "1"))
        asked = [received.prompt for received in server.received]
    assert ended.status == 0, ended.said
    assert [fact.slot for fact in grown(program).facts] == ["kiln_make", numbered(0).slot]
    assert grown(program).facts[0] == kind()
    assert (grown(program).moments, grown(program).topics) == ((moment(),), ("tents, rain",))
    assert 'left out of kiln_make: "blue" is an everyday word' in ended.stdout
    assert "refused: bad: " in ended.stdout
    assert 'refused: "rain on tents": there is "tents, rain", which is nearly the same' in ended.stdout
    assert "added: kiln_make: in which kiln I fire my pots" in ended.stdout
    assert "2 kinds of fact, 1 moment, 1 topic. 3 proposals refused. 3 requests" in ended.stdout
    # Each is asked for by itself, with examples of the tables and what there is.
    assert ["Propose 2 new kinds of fact" in asked[0], "Propose 1 new moments" in asked[1]] == [True, True]
    assert all("```toml\n" in prompt and "These are there already" in prompt for prompt in asked)
    assert "[[facts]]" in asked[0]
    assert "[[moments]]" in asked[1]


def test_what_is_held_out_for_evaluation_does_not_come_into_the_world_again(program: Program) -> None:
    held_out = load_cast(part="held out")
    known = next(slot for slot in held_out.slots.values() if slot.beside)
    again = known.model_copy(update={"slot": "quite_another_name"})
    topic = held_out.world.topics[0]
    answers = [proposed(again, numbered(0)), proposed(topics=(topic, "tents, rain"))]
    with LoopbackServer(in_turn(*answers)) as server:
        program.configure(section("mine", server.url("mine"), price_per_million_tokens=None))
        ended = program.run(*arguments("--facts", "1", "--topics", "1"))
        asked = [received.prompt for received in server.received]
    assert ended.status == 0, ended.said
    assert f"refused: quite_another_name: {known.slot}, which is there, is asked for in the same words" in ended.stdout
    assert f'refused: "{topic}": there is "{topic}"' in ended.stdout
    assert [fact.slot for fact in grown(program).facts] == [numbered(0).slot]
    assert not any(f'slot = "{slot}"' in prompt for prompt in asked for slot in held_out.slots)


def test_a_run_draws_from_what_has_grown_and_a_second_grow_goes_on(program: Program) -> None:
    answers = [proposed(numbered(0)), proposed(numbered(0), numbered(1))]
    with LoopbackServer(in_turn(*answers)) as server:
        program.configure(section("mine", server.url("mine")))
        assert program.run(*arguments("--facts", "1")).status == 0
        mine = program.directory / "mine" / "world" / "grown.toml"
        mine.write_text(mine.read_text(encoding="utf-8") + "# a word of mine\n", encoding="utf-8")
        ended = program.run(*arguments("--facts", "1"))
        assert ended.status == 0, ended.said
        assert f"the slot {numbered(0).slot} is there" in ended.stdout
        assert numbered(0).ask in server.received[1].prompt
        assert [fact.slot for fact in grown(program).facts] == [numbered(0).slot, numbered(1).slot]
        assert "# a word of mine" in mine.read_text(encoding="utf-8")
        planned = program.run("plan", "--prompts", "mine", "--providers", "mine", "--target", "5")
    assert planned.status == 0, planned.said


@pytest.mark.parametrize(
    "nonsense", ["", "I cannot do that.", proposed(kind(slot="bad", notes=())), "[[facts]]\n[[facts]]\n"]
)
def test_who_proposes_nothing_that_passes_is_left_with_a_sentence(program: Program, nonsense: str) -> None:
    with LoopbackServer(in_turn(proposed(numbered(0)), nonsense)) as server:
        program.configure(section("mine", server.url("mine")))
        ended = program.run(*arguments("--facts", "3"))
        assert len(server.received) == 6
    assert ended.status == 5, ended.said
    assert "nothing in its last 5 answers passes; another model may do better" in ended.stderr
    assert [fact.slot for fact in grown(program).facts] == [numbered(0).slot]


def test_another_provider_goes_on_where_one_refuses_the_key_which_is_not_told(program: Program) -> None:
    def refuses(received: Received) -> Reply:
        if received.provider == "mistral":
            return Reply(f"wrong key {received.authorization}", status=401)
        return Reply(proposed(numbered(0)))

    with LoopbackServer(refuses) as server:
        program.configure(section("mistral", server.url("mistral")) + section("mine", server.url("mine")))
        alone = program.run("grow", "--prompts", "mine", "--providers", "mistral", "--facts", "1")
        both = program.run("grow", "--prompts", "mine", "--providers", "mistral,mine", "--facts", "1")
    assert alone.status == 5
    assert "it refused the API key" in alone.stderr
    assert both.status == 0, both.said
    assert KEYS["MISTRAL_API_KEY"] not in alone.said + both.said
    assert len(grown(program).facts) == 1


def test_what_a_server_answers_badly_is_asked_for_again(program: Program) -> None:
    bad = [
        Reply("slow down", status=429, headers={"Retry-After": "0"}),
        Reply("over capacity", status=503),
        Reply(fault="drop"),
    ]
    with LoopbackServer(in_turn(*bad, Reply("torn", fault="tear"), proposed(numbered(0)))) as server:
        program.configure(section("mine", server.url("mine")))
        ended = program.run(*arguments("--facts", "1"), command=QUICKLY)
        assert len(server.received) == 5
    assert ended.status == 0, ended.said


def test_a_server_that_never_answers_well_ends_it_with_status_5(program: Program) -> None:
    with LoopbackServer(lambda _received: Reply("out of order", status=500)) as server:
        program.configure(section("mine", server.url("mine")))
        ended = program.run(*arguments("--facts", "1"), command=QUICKLY)
        assert len(server.received) == 5
    assert ended.status == 5
    assert "HTTP 500" in ended.stderr


def test_a_budget_ends_it_before_it_is_exceeded_and_what_was_added_is_kept(program: Program) -> None:
    with LoopbackServer(lambda received: Reply(proposed(numbered(received.number)))) as server:
        program.configure(section("mine", server.url("mine")))
        ended = program.run(*arguments("--facts", "9", "--max-requests", "2"))
        assert len(server.received) == 2
        unpriced = program.run(*arguments("--facts", "9", "--max-usd", "1"))
        too_dear = program.run(*arguments("--facts", "9", "--max-tokens", "500"))
        assert len(server.received) == 2
    assert ended.status == 6
    assert "--max-requests" in ended.stderr
    assert len(grown(program).facts) == 2
    assert (unpriced.status, "there is no price" in unpriced.stderr) == (2, True)
    assert too_dear.status == 6


def test_what_it_costs_is_told_and_booked_with_the_tokens_of_the_month(program: Program) -> None:
    with LoopbackServer(lambda received: Reply(proposed(numbered(received.number)), usage=(1000, 500))) as server:
        price = "price_per_million_tokens = { input = 10, output = 20 }\ntokens_per_month = 20000\n"
        program.configure(section("mine", server.url("mine")) + price)
        first = program.run(*arguments("--facts", "2"))
        second = program.run(*arguments("--facts", "1", "--quiet"))
        answered = len(server.received)
        spent = program.run(*arguments("--facts", "50"))
        assert len(server.received) > answered
    assert (first.status, second.status, spent.status) == (0, 0, 6), first.said + spent.said
    assert "2 requests, 3,000 tokens, $0.04" in first.stdout
    assert second.said == ""
    assert "tokens_per_month" in spent.stderr
    connection = sqlite3.connect(program.directory / "data" / "ledger.db")
    booked = [tokens for (tokens,) in connection.execute("SELECT tokens FROM usage")]
    connection.close()
    # Each invocation has a row of its own.
    assert len(booked) == 3
    assert {1500, 3000} <= set(booked)
    assert sum(booked) == 1500 * len(server.received)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_stops_it_what_passed_is_there_and_the_next_start_goes_on(
    program: Program, number: signal.Signals
) -> None:
    answers = [Reply(proposed(numbered(0), numbered(1))), Reply(fault="hang")]
    with LoopbackServer(in_turn(*answers)) as server:
        program.configure(section("mine", server.url("mine")))
        running = program.watch(*arguments("--facts", "3"))
        server.wait_until(lambda: len(server.received) == 2)
        running.process.send_signal(number)
        ended = running.end()
        assert len(grown(program).facts) == 2
        server.behaviour = in_turn(proposed(numbered(2)))
        again = program.run(*arguments("--facts", "1"))
    assert ended.status == (130 if number is signal.SIGINT else -number)
    if number is signal.SIGINT:
        assert "2 kinds of fact" in ended.said
        assert ended.said.endswith("Stopped.\n")
    assert again.status == 0, again.said
    assert len(grown(program).facts) == 3


def test_a_file_that_cannot_grow_is_refused_before_anything_is_asked(program: Program) -> None:
    world = program.directory / "mine" / "world"
    world.mkdir(parents=True)
    (world / "grown.toml").write_text("topics = [", encoding="utf-8")
    with LoopbackServer() as server:
        program.configure(section("mine", server.url("mine")))
        ended = program.run(*arguments())
        assert server.received == []
    assert ended.status == 2
    assert "grown.toml: no valid TOML" in ended.stderr
    assert (world / "grown.toml").read_text(encoding="utf-8") == "topics = ["


def test_the_prompt_can_be_ones_own_and_a_mistake_in_it_is_told_before_anything_is_asked(program: Program) -> None:
    (program.directory / "mine").mkdir()
    prompt = program.directory / "mine" / "grow.txt"
    prompt.write_text("{{ sort }}: give me {{ count }}, not {{ there[0] }}", encoding="utf-8")
    with LoopbackServer(lambda _received: Reply(proposed(numbered(0)))) as server:
        program.configure(section("mine", server.url("mine")))
        assert program.run(*arguments("--facts", "1")).status == 0
        assert server.received[0].prompt.startswith("facts: give me 1, not ")
        prompt.write_text("{{ colour }}", encoding="utf-8")
        ended = program.run(*arguments("--facts", "1"))
        assert len(server.received) == 1
    assert ended.status == 2
    assert "grow.txt: 'colour' is undefined; its variables are sort, " in ended.stderr


def test_without_a_provider_the_status_is_3(program: Program) -> None:
    program.environment = {}
    ended = program.run("grow", "--prompts", "mine", "--providers", "mistral")
    assert ended.status == 3
    assert "No API clients initialized" in ended.stderr
