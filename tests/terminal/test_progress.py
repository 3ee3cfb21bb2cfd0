"""The view of a run: what it says, and that nothing a model or a server sends can disturb a terminal."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.engine.counters import LastConversation, ProviderCounters, RunCounters
from apep_datagen.people.ability_yield import AbilityYield, Verdict
from apep_datagen.people.scenario import Ability
from apep_datagen.terminal.progress import PlainView, QuietView, TerminalView, _Drawing, _status_line, make_view
from apep_datagen.terminal.text import plain_text

ESCAPES = ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x1b[2J\x1b[H", "\r", "\b\b\b", "\x00", "\u202e", "\ud800"]


def counters() -> RunCounters:
    counters = RunCounters(
        target=200, done_before=10, done=60, memories=7, diary_pages=3, last_question="Will it rain?"
    )
    counters.providers["mistral"] = ProviderCounters(
        "mistral",
        1.0,
        conversations=40,
        requests=90,
        prompt_tokens=1_000,
        completion_tokens=234,
        in_flight=2,
        retries=5,
    )
    counters.providers["ollama"] = ProviderCounters("ollama", conversations=10, requests=30, state="out")
    return counters


@given(st.lists(st.one_of(st.text(st.characters()), st.sampled_from(ESCAPES))).map("".join))
@example("\x1b[31mred\x1b[0m")
def test_no_control_character_gets_through(text: str) -> None:
    plain = plain_text(text)
    assert not [character for character in plain if is_obeyed(character)]
    assert plain_text(plain) == plain
    plain.encode()


def is_obeyed(character: str) -> bool:
    """Tell whether a terminal moves, turns or hides something at a character; line breaks and joiners are none."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in "\n\u200c\u200d"


def test_what_a_person_reads_is_left_as_it_is() -> None:
    text = "Größe: 5 °C — “naïve” 日本 🙂 👩‍👧\nnext line \U0001fae9"
    assert plain_text(text) == text


def test_thoughts_that_are_saved_as_they_were_are_shown_as_one_number() -> None:
    assert "kept as they were" not in _status_line(counters(), 100.0)
    some = counters()
    some.kept_originals = 12
    assert "3 diary pages, 12 thoughts kept as they were; " in _status_line(some, 100.0)


def test_the_status_line_tells_how_far_the_run_is_and_what_each_provider_does() -> None:
    assert _status_line(counters(), 100.0) == (
        "60/200 conversations (30 %), 1,800 conversations/hour, 4 min 40 s left, 7 memories, 3 diary pages;"
        " an accepted conversation took 2.4 requests, 20 + 5 tokens"
        " | mistral: 40 conversations, 90 requests, 1,234 tokens, 2 in flight, 0.9 of 1 requests/s, 5 retries,"
        " 0 rejected, 0 set aside"
        "; ollama (out): 10 conversations, 30 requests, 0 tokens, 0 in flight, 0.3 requests/s, 0 retries,"
        " 0 rejected, 0 set aside"
    )


def test_what_was_spent_is_told_where_all_of_it_is_known() -> None:
    some = counters()
    some.providers["mistral"].usd = 0.037
    assert "3 diary pages, $0.037 spent; an accepted" in _status_line(some, 100.0)
    some.providers["ollama"].usd = None
    assert "$" not in _status_line(some, 100.0)


def what_became(ability: Ability, accepted: int, *reasons: str) -> AbilityYield:
    verdicts = [*map(Verdict, range(accepted)), *(Verdict(accepted + n, "voice", why) for n, why in enumerate(reasons))]
    return AbilityYield(ability, tuple(verdicts))


def test_the_abilities_of_which_the_least_is_accepted_are_named_with_their_main_reason() -> None:
    shown = counters()
    usual = drawn(shown, width=200)
    shown.abilities = (
        what_became(Ability.SHARE, 3, "too soon to say"),
        what_became(Ability.UPDATE, 7, *["it is late"] * 3),
        what_became(Ability.FORGET, 1, *["it is there"] * 2, *["it is not"] * 7),
        what_became(Ability.RECALL, 9, "never mind"),
        what_became(Ability.CONNECT, 4, *["it is odd"] * 4),
        what_became(Ability.ABSTAIN, 5, *["it is made up"] * 5),
        what_became(Ability.DIARY, 0),
    )
    assert "Accepted least" not in usual
    shown.held_back = frozenset({Ability.FORGET})
    line = (
        "Accepted least: forget 10 % of 10 (it is not), held back, connect 50 % of 8 (it is odd),"
        " abstain 50 % of 10 (it is made up)"
    )
    assert line in drawn(shown, width=200).splitlines()
    assert f" 20 + 5 tokens; {line} | mistral: " in _status_line(shown, 100.0)


def test_whatever_a_reason_holds_it_is_one_line_without_control_characters() -> None:
    shown = counters()
    shown.abilities = (what_became(Ability.SHARE, 0, *["\x1b[2J[bold]so\n" * 30] * 9),)
    text = drawn(shown, width=80)
    assert text.count("\n") == drawn(counters(), width=80).count("\n") + 2
    assert "Accepted of the last: share 0 of 9\n" in text
    assert "\x1b" not in text
    assert "[2J[bold]so" in text


def test_before_the_first_conversation_no_time_is_promised() -> None:
    line = _status_line(RunCounters(target=5, done_before=0, done=0), 90.0)
    assert "1 min 30 s so far" in line
    assert "left" not in line


def test_beyond_the_target_nothing_is_left() -> None:
    assert "0 s left" in _status_line(RunCounters(target=5, done_before=0, done=7), 10.0)


def test_the_plain_view_prints_lines_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView()
    with view.showing(counters()):
        view.notify("mistral: \x1b[31mbusy\r")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("60/200 conversations")
    assert second == "mistral: [31mbusy"


def test_the_quiet_view_tells_only_what_went_wrong_and_not_on_the_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = QuietView()
    with view.showing(counters()):
        view.notify("mistral: busy\x07\n5000 of 5000\r\nconversations\u2028are there")
    captured = capsys.readouterr()
    # Whatever a server says, a notice is one line.
    assert (captured.out, captured.err) == ("", "mistral: busy 5000 of 5000 conversations are there\n")


def test_names_in_the_table_and_notices_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = counters()
    shown.providers["odd"] = ProviderCounters("[/red] :boom: \x1b[2J")
    assert "[/red] :boom: [2J" in drawn(shown, width=200)
    terminal = io.StringIO()
    monkeypatch.setattr("sys.stdout", terminal)
    TerminalView().notify("[/red] :boom: \x1b[2J\nfaked")
    assert terminal.getvalue() == "[/red] :boom: [2J faked\n"


def test_the_view_fits_where_the_output_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(make_view(quiet=True), QuietView)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert isinstance(make_view(quiet=False), PlainView)
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_view(quiet=False), TerminalView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_view(quiet=False), PlainView)


def drawn(counters: RunCounters, *, width: int, height: int = 60) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(_Drawing(counters))
    return capture.get()


def test_the_table_shows_every_provider_and_the_last_question() -> None:
    text = drawn(counters(), width=120)
    for words in ("60/200 conversations (30 %)", "mistral", "1,234", "ollama (out)", "7 memories, 3 diary pages"):
        assert words in text
    assert "Last question: Will it rain?" in text


@given(st.lists(st.one_of(st.text(st.characters()), st.sampled_from([*ESCAPES, "[bold]", "[/]", "\n"]))).map("".join))
def test_whatever_was_asked_the_table_keeps_its_lines(question: str) -> None:
    shown = counters()
    usual = drawn(shown, width=100)
    shown.last_question = question
    text = drawn(shown, width=100)
    assert text.count("\n") == usual.count("\n")
    assert not [character for character in text if is_obeyed(character)]


# What became of conversations.

LAST = LastConversation("Mia", Ability.RECALL, "Who feeds the cat?", ("read_memory", "add_memory", "read_memory"))


def judged() -> RunCounters:
    """Return what a run with three providers counts in which every ability has been tried."""
    shown = counters()
    shown.providers["together"] = ProviderCounters("together", 2.7, requests=1_000_000, state="resting")
    shown.abilities = tuple(
        what_became(ability, 12, *["it is late"] * number) for number, ability in enumerate(Ability)
    )
    shown.last = LAST
    return shown


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (LAST, "Last conversation: recall, Mia: accepted"),
        (
            replace(LAST, stage="voice", reason="a reply is a refusal"),
            "Last conversation: recall, Mia: rejected, voice: a reply is a refusal",
        ),
        (replace(LAST, stage="set aside"), "Last conversation: recall, Mia: set aside"),
    ],
)
def test_the_last_conversation_is_told_in_two_lines(last: LastConversation, said: str) -> None:
    shown = counters()
    shown.last = last
    lines = drawn(shown, width=100).splitlines()
    assert lines[-3:-1] == [said, "  read_memory 2 times, add_memory after: Who feeds the cat?"]
    shown.last = replace(last, tools=(), said="")
    assert drawn(shown, width=100).splitlines()[-2] == "  no tool"


def test_what_is_not_judged_is_not_said_to_be_accepted() -> None:
    shown = judged()
    shown.is_judged = False
    text = drawn(shown, width=100)
    assert "Last conversation: recall, Mia: ended" in text
    assert "Accepted of the last" not in text


def test_all_abilities_fit_an_ordinary_terminal_the_worst_first() -> None:
    lines = drawn(judged(), width=80, height=24).splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    text = " ".join(lines)
    assert "Accepted of the last: advice 12 of 23, smalltalk 12 of 22, ask_back 12 of 21," in text
    assert "share 12 of 12" in text
    assert "recall, Mia: accepted" in text
    assert "Last question: Will it rain?" in text


@pytest.mark.parametrize("width", range(30, 130, 10))
def test_on_a_narrow_terminal_columns_are_left_out_and_no_number_is_cut(width: int) -> None:
    shown = judged()
    for provider in shown.providers.values():
        provider.prompt_tokens = 987_654_321
        provider.completion_tokens = 0
    text = drawn(shown, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("987,654,321") in {0, 3}
    assert "987,654…" not in text
    assert ("987,654,321" in text) is (width >= 50)
    assert ("retries" in text) is (width >= 110)
    for line in text.splitlines():
        if line.startswith("mistral"):
            assert line.split()[1] == "40"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_where_there_is_less_room_the_newest_parts_go_first(width: int) -> None:
    usual = counters()
    usual.providers, usual.abilities = judged().providers, judged().abilities
    usual.is_judged = False  # so that nothing of them is shown but what is low
    least = drawn(usual, width=width).count("\n")
    for height in range(1, 50):
        text = drawn(judged(), width=width, height=height)
        assert text.count("\n") == min(max(height - 1, least), drawn(judged(), width=width).count("\n"))
        assert ("Accepted of the last: " in text) is (height - 1 > least)
        assert ("Last conversation: " in text) is (height - 1 > least + 1)
        assert ("read_memory" in text) is (height - 1 > least + 2)
        assert "Last question: " in text


@given(
    st.lists(st.one_of(st.text(st.characters()), st.sampled_from([*ESCAPES, "[bold]", "[/]", "\n", "日本"]))).map(
        "".join
    )
)
@example("x" * 100_000)
def test_whatever_a_conversation_holds_the_view_keeps_its_lines(text: str) -> None:
    from rich.cells import cell_len

    shown = judged()
    usual = drawn(shown, width=80, height=24)
    shown.last = LastConversation(text, Ability.SHARE, text, (text, text, text + "."), text, text)
    now = drawn(shown, width=80, height=24)
    assert now.count("\n") == usual.count("\n")
    assert not [character for character in now if is_obeyed(character)]
    assert max(cell_len(line) for line in now.splitlines()) <= 80
