"""`apep-datagen plan`: what a run will need, told before anything is spent, and what it then really needs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from apep_datagen.budget.ledger import Ledger, this_month
from apep_datagen.config.provider_settings import PriceSettings, ProviderSettings
from apep_datagen.config.settings import GenerationSettings, RolesSettings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.messages import ModelRole
from apep_datagen.inspect.assumptions import (
    ASSUMED_LATER_TOOL_ROUNDS,
    ASSUMED_REWRITTEN,
    ASSUMED_TOOL_ROUNDS,
    assumed_needs,
)
from apep_datagen.inspect.estimate import share_out
from apep_datagen.inspect.need import Need
from apep_datagen.people.cast import load_cast
from apep_datagen.people.exchanges import mean_exchanges
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import OUTPUT, Program, section

PRICE = '[providers.{}.prices]\n"model-one" = {{ input = 2.0, output = 10.0 }}\n'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def plan(program: Program, *options: str) -> str:
    ended = program.run("plan", *options)
    assert ended.status == 0, ended.said
    return ended.stdout


def row(said: str, name: str) -> list[float]:
    """Return the numbers of the table's row that begins with `name`; NaN for an unknown one."""
    (line,) = (line for line in said.splitlines() if re.match(rf"{re.escape(name)}  ", line))
    cells = re.split(r"  +", line)[1:]
    return [float(re.sub(r"[$,]", "", cell)) if re.match(r"\$?[\d.,]+$", cell) else float("nan") for cell in cells]


def files(program: Program) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in program.directory.rglob("*") if path.is_file()}


def used_since(server: LoopbackServer, before: int) -> tuple[int, int, int]:
    """Return the requests, prompt tokens and completion tokens that the server counted, from request `before` on."""
    received = server.received[before:]
    prompt = sum(sum(len(message["content"]) for message in item.body["messages"]) // 4 for item in received)
    return len(received), prompt, sum(len(item.answer) // 4 for item in received)


def talkative(received: Received) -> Reply:
    """Answer as long as models do that do not reason at length, and use a tool four times of five."""
    reply = well_behaved(received)
    if received.step == "answer":
        call = '<tool_call>add_memory(input_text=["The user has a sister"])</tool_call>'
        text = call if received.body["seed"] % 5 else "How nice!"
        reply = Reply(f"<think>She tells me {received.number}.</think>\n\n{text}")
    reply.text = reply.text.replace("my sister Mia visits on Sunday.", _numbered("my sister, visit {:02}.", 9))
    reply.text = reply.text.replace("</think>", f"{_numbered('I think of her at {:02}.', 18)}</think>")
    if received.step == "rewrite":
        reply.text += _numbered("I think of her at {:02}.", 18)
    elif received.step != "ask" and "tool_call" not in reply.text:
        reply.text += _numbered("Sounds nice, {:02}.", 25)
    return reply


def _numbered(sentence: str, count: int) -> str:
    """Return a sentence so often, each time with another number: an answer in a loop would be asked for again."""
    return "".join(f" {sentence.format(number)}" for number in range(count))


def test_without_a_history_it_is_estimated_from_the_prompts(program: Program) -> None:
    with LoopbackServer(talkative) as server:
        program.configure(section("one", server.url("one")))
        before = files(program)
        said = plan(program, "--providers", "one", "--target", "60", "--exchanges", "1-3")
        assert server.received == []
        assert files(program) == before
        ended = program.run("--providers", "one", "--target", "60", "--exchanges", "1-3", "--seed", "1")
        assert ended.status == 0, ended.said
        used = used_since(server, 0)
    conversations, *estimated = row(said, "one")
    assert conversations == 60
    # How long 60 conversations are, and how often tools are used in them, is drawn.
    assert estimated[:3] == pytest.approx(used, rel=0.3)
    assert "Estimated from the prompts" in said
    assert "50 (tester), 220 (ada), 100 (rewriter) tokens" in said
    assert max(map(len, said.splitlines())) <= 100


def test_with_a_history_it_is_what_was_measured(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")) + PRICE.format("one"))
        assert program.run("--providers", "one", "--target", "40", "--seed", "1").status == 0
        before, sent = files(program), len(server.received)
        said = plan(program, "--providers", "one", "--target", "100")
        assert files(program) == before
        assert len(server.received) == sent
        assert program.run("--providers", "one", "--target", "100").status == 0
        requests, prompt, completion = used_since(server, sent)
    assert "Estimated from the 40 conversations" in said
    conversations, *estimated, usd = row(said, "one")
    assert conversations == 60
    # With tools in a third of the answers, or not, 40 conversations tell of 60 others so exactly.
    assert estimated == pytest.approx([requests, prompt, completion], rel=0.3)
    assert usd == pytest.approx((2 * prompt + 10 * completion) / 1e6, rel=0.3)


def test_a_history_of_other_lengths_counts_in_proportion(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        assert program.run("--providers", "one", "--target", "30", "--seed", "1").status == 0
        said = plan(program, "--providers", "one", "--target", "60", "--exchanges", "3")
        sent = len(server.received)
        assert program.run("--providers", "one", "--target", "60", "--exchanges", "3").status == 0
        requests, _, _ = used_since(server, sent)
    assert "counted 3 times, as --exchanges is another now" in said
    assert row(said, "one")[1] == pytest.approx(requests, rel=0.15)


def test_budgets_are_told_with_what_was_spent_and_for_how_many_they_suffice(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one"), tokens_per_month=1_000_000) + PRICE.format("one"))
        assert program.run("--providers", "one", "--target", "30", "--seed", "1").status == 0
        sent, tokens = len(server.received), sum(used_since(server, 0)[1:])
        Ledger(program.directory / "data" / "ledger.db", Path("elsewhere.json")).book({(this_month(), "one"): 5_000})
        before = files(program)
        options = ("--providers", "one", "--target", "90")
        limit = sent * 3 // 2
        budgets = ("--max-requests", f"{limit}", "--max-tokens", "10000000", "--max-usd", "5")
        said = plan(program, *options, *budgets)
        assert files(program) == before
        ended = program.run(*options, "--max-requests", f"{limit}")
        assert ended.status == 6, ended.said
    *amounts, needed, _ = row(said, "--max-requests")
    assert amounts == [limit, sent]
    assert needed == pytest.approx(2 * sent, rel=0.01)
    enough = re.search(r"--max-requests .* for about (\d+) more", said)
    assert enough is not None
    assert int(enough[1]) == pytest.approx(len(program.conversations()) - 30, abs=3)
    assert re.search(r"--max-tokens .* yes$", said, re.MULTILINE)
    assert re.search(r"--max-usd +\$5\.00 +\$0\.\d+ +\$0\.\d+ +yes$", said, re.MULTILINE)
    assert row(said, "tokens_per_month of one")[:2] == [1_000_000, tokens + 5_000]


def test_a_price_that_is_missing_is_unknown_and_told_where_to_put(program: Program) -> None:
    program.configure(section("one", "http://127.0.0.1:1") + section("two", "http://127.0.0.1:1") + PRICE.format("two"))
    said = plan(program, "--providers", "one,two", "--max-usd", "1")
    assert re.search(r"^one .* unknown$", said, re.MULTILINE)
    assert re.search(r"^two .* \$[\d.]+$", said, re.MULTILINE)
    assert re.search(r"^all .* unknown$", said, re.MULTILINE)
    assert re.search(r"^--max-usd .* unknown +unknown$", said, re.MULTILINE)
    assert '[providers.one.prices]\n  "model-one"' in said
    assert "[providers.two.prices]" not in said


def test_an_output_that_has_its_target_needs_nothing(program: Program) -> None:
    program.output.parent.mkdir(parents=True)
    element = {"conversations": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]}
    program.output.write_text(json.dumps([element] * 4))
    program.configure(section("one", "http://127.0.0.1:1"))
    before = files(program)
    assert plan(program, "--providers", "one", "--target", "4").startswith(
        f"Nothing to do: 4 of 4 conversations are in {OUTPUT}"
    )
    assert row(plan(program, "--providers", "one", "--target", "10"), "one")[0] == 6
    assert files(program) == before


# Without keys, and mistakes.


def test_no_key_is_needed(program: Program) -> None:
    program.environment = {}
    ended = program.run("plan", "--providers", "mistral", "--target", "100")
    assert ended.status == 0, ended.said
    assert row(ended.stdout, "mistral")[0] == 100
    assert "No key yet: mistral" in ended.stderr
    assert list(program.directory.iterdir()) == []


def test_where_no_provider_is_named_it_says_so_and_writes_no_template(program: Program) -> None:
    program.environment = {}
    ended = program.run("plan")
    assert ended.status == 3
    assert "--providers mistral" in ended.stderr
    assert list(program.directory.iterdir()) == []


@pytest.mark.parametrize("options", [("--target", "0"), ("--providers", "nobody"), ("--nonsense",)])
def test_a_mistake_in_an_option_is_told(program: Program, options: tuple[str, ...]) -> None:
    ended = program.run("plan", *options)
    assert ended.status == 2
    assert options[0] in ended.stderr
    assert "Traceback" not in ended.said


def test_options_in_front_of_the_command_are_refused(program: Program) -> None:
    ended = program.run("--target", "3", "plan")
    assert ended.status == 2
    assert "options go behind the command" in ended.stderr


# The arithmetic.


def settings(**values: object) -> ProviderSettings:
    return ProviderSettings.model_validate({"kind": "openai", "model": "m", "base_url": "http://localhost", **values})


NEEDS = {
    ModelRole.TESTER: Need(1, 100, 50),
    ModelRole.ADA: Need(2, 800, 300),
    ModelRole.REWRITER: Need(1, 100, 50),
}


def test_conversations_go_to_providers_in_proportion_to_what_each_can_take() -> None:
    # A conversation is 4 requests of 350 tokens.
    providers = {
        "by requests": settings(requests_per_second=2.0, tokens_per_minute=1_000_000),
        "by tokens": settings(requests_per_second=50.0, tokens_per_minute=21_000),
        "in flight": settings(max_in_flight=4),
        "measured": settings(max_in_flight=4),
    }
    shares = share_out(900, NEEDS, providers, {"measured": 1.0})
    rates = {share.provider: (share.requests_per_second, share.bound) for share in shares}
    assert rates == {
        "by requests": (2.0, "requests"),
        "by tokens": (1.0, "tokens"),
        "in flight": (0.8, "in flight"),
        "measured": (4.0, "in flight"),
    }
    assert [share.conversations for share in shares] == pytest.approx([900 * rate / 7.8 for rate in (2, 1, 0.8, 4)])
    assert sum(share.need.requests for share in shares) == pytest.approx(3600)
    assert sum(share.need.prompt_tokens for share in shares) == pytest.approx(900_000)


def test_each_role_is_paid_at_the_price_of_its_model() -> None:
    cheap, dear = PriceSettings(input=1, output=1), PriceSettings(input=10, output=100)
    provider = settings(models={"ada": "dear"}, prices={"m": cheap, "dear": dear})
    (share,) = share_out(1_000, NEEDS, {"one": provider}, {})
    assert share.usd == pytest.approx((300 + 800 * 10 + 300 * 100) / 1_000)
    (share,) = share_out(1_000, NEEDS, {"one": settings(models={"ada": "dear"}, prices={"dear": dear})}, {})
    assert share.usd is None
    assert share.unpriced == ("m",)


@pytest.mark.parametrize("exchanges", [(1, 1), (1, 4), (3, 3), (2, 5)])
def test_requests_follow_from_how_many_exchanges_are_drawn(exchanges: tuple[int, int]) -> None:
    prompts = load_prompts()
    needs = assumed_needs(GenerationSettings(exchanges=exchanges), RolesSettings(), prompts, load_cast())
    mean = mean_exchanges(*exchanges)
    rounds = ASSUMED_TOOL_ROUNDS + (mean - 1) * ASSUMED_LATER_TOOL_ROUNDS
    assert needs[ModelRole.TESTER].requests == pytest.approx(mean)
    assert needs[ModelRole.REWRITER].requests == pytest.approx(mean * ASSUMED_REWRITTEN)
    assert needs[ModelRole.ADA].requests == pytest.approx(mean + rounds)
    without_tools = GenerationSettings(exchanges=exchanges, max_tool_rounds=0)
    needs = assumed_needs(without_tools, RolesSettings(), prompts, load_cast())
    assert needs[ModelRole.ADA].requests == pytest.approx(mean)


def test_an_answer_is_not_assumed_to_be_longer_than_it_may_be() -> None:
    roles = RolesSettings.model_validate({"ada": {"temperature": 0.5, "max_tokens": 20}})
    needs = assumed_needs(GenerationSettings(exchanges=(1, 1), max_tool_rounds=0), roles, load_prompts(), load_cast())
    assert needs[ModelRole.ADA].completion_tokens == 20


@pytest.mark.parametrize(("when", "rewritten"), [("always", 1.0), ("needed", ASSUMED_REWRITTEN), ("never", 0.0)])
def test_as_many_rewrites_are_estimated_as_are_asked_for(when: str, rewritten: float) -> None:
    roles = RolesSettings.model_validate({"rewriter": {"when": when}})
    needs = assumed_needs(GenerationSettings(exchanges=(2, 2)), roles, load_prompts(), load_cast())
    assert needs[ModelRole.REWRITER].requests == pytest.approx(2 * rewritten)


@pytest.mark.parametrize("exchanges", [(1, 1), (1, 4)])
def test_a_reviewer_is_estimated_once_a_conversation_where_one_is_asked(exchanges: tuple[int, int]) -> None:
    def needs(when: str) -> dict[ModelRole, Need]:
        roles = RolesSettings.model_validate({"reviewer": {"when": when}})
        return assumed_needs(GenerationSettings(exchanges=exchanges), roles, load_prompts(), load_cast())

    off, on = needs("off"), needs("accepted")
    assert off[ModelRole.REVIEWER] == Need()
    assert on[ModelRole.REVIEWER].requests == pytest.approx(1)
    assert on[ModelRole.REVIEWER].prompt_tokens > 500
    assert {**on, ModelRole.REVIEWER: Need()} == off
