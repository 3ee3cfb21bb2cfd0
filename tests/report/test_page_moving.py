"""Going about on the page in a real Chromium: by keys, by address, and through what limits the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.outputs import MadeConversation, MadeOutput, chat
from support.real_state import write_real_state
from support.report_file import browser, opened, read_report, report_of


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_of(write_real_state(tmp_path_factory.mktemp("report"), count=60))


@pytest.fixture
def page(chromium: Browser, report: Path) -> Iterator[Page]:
    with opened(chromium, report) as page:
        yield page


def shows(page: Page, name: str) -> None:
    expect(page.locator("#conversation-name")).to_have_text(name)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def address(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def go_to(page: Page, report: Path, number: int) -> None:
    digest = next(row["d"] for row in read_report(report).rows if row["n"] == number)
    page.evaluate("digest => { location.hash = `c=${digest}`; }", digest)
    shows(page, f"Conversation {number}")


def test_a_conversation_that_occurs_twice_is_gone_through_like_any_other(chromium: Browser, tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number) for number in (1, 2, 1, 3, 1))
    with opened(chromium, report_of(output.path)) as page:
        seen = []
        for _ in range(5):
            seen.append(page.locator("#conversation-name").inner_text())
            press(page, "j")
        assert seen == [f"Conversation {number}" for number in (1, 2, 3, 4, 5)]
        third = address(page)
        press(page, "k", "k")
        shows(page, "Conversation 3")
        page.locator(".option").last.click()
        shows(page, "Conversation 5")
        press(page, "2")  # what is said is said of the text
        expect(page.locator(".progress")).to_have_text("3 of 5 looked at")
    with opened(chromium, report_of(output.path), third[1:]) as page:
        shows(page, "Conversation 5")


@pytest.mark.parametrize("keys", ["oo", "yy", "o|", "y|", "yoy", "yok j"])
def test_the_place_is_kept_over_the_whole_and_a_user_s_days(page: Page, report: Path, keys: str) -> None:
    go_to(page, report, 20)
    if keys == "yoy":  # a key that means nothing there changes nothing
        press(page, "y", "o", "y")
        shows(page, "The whole")
        press(page, "o")
    elif keys == "yok j":
        press(page, "y", "o", "k")
        shows(page, "Conversation 19")
        press(page, "j")
    else:
        press(page, *("Escape" if key == "|" else key for key in keys))
    shows(page, "Conversation 20")


@pytest.mark.parametrize("view", ["o", "y"])
def test_j_and_k_go_on_from_the_last_one_that_was_read(page: Page, report: Path, view: str) -> None:
    go_to(page, report, 20)
    press(page, view, "j")
    shows(page, "Conversation 21")
    press(page, view, "k")
    shows(page, "Conversation 20")


def test_the_end_of_the_list_is_told_and_adds_nothing_to_the_way_back(page: Page) -> None:
    page.locator("#list").press("End")
    length = page.evaluate("history.length")
    press(page, "j", "j", "j")
    page.locator(".option").last.click()
    assert page.evaluate("history.length") == length
    expect(page.locator(".told")).to_have_text("That was the last one of the list.")


def test_a_slip_is_taken_back_where_what_is_judged_leaves_the_list(page: Page) -> None:
    page.evaluate("location.hash = 'verdict=not+looked+at'")
    press(page, "1", "1", "2")
    shows(page, "Conversation 4")
    press(page, "k")
    shows(page, "Conversation 3")
    expect(page.locator(".give.bad")).to_have_attribute("aria-pressed", "true")
    press(page, "1")  # another verdict: it goes on where it was
    shows(page, "Conversation 4")
    press(page, "k", "k")
    shows(page, "Conversation 2")
    press(page, "1")  # taken back: it is in the list again
    expect(page.locator(".option").first).to_contain_text("2")
    expect(page.locator(".progress")).to_contain_text("2 of ")
    press(page, "j")
    shows(page, "Conversation 4")
    # Another list has its own.
    page.evaluate("location.hash = 'verdict=not+looked+at&exchanges=1-99'")
    page.locator("#list").press("Home")
    shows(page, "Conversation 2")
    press(page, "k")
    shows(page, "Conversation 2")


def test_the_last_one_that_is_judged_is_the_end_and_can_be_taken_back(chromium: Browser, tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number) for number in (1, 2))
    with opened(chromium, report_of(output.path), "verdict=not+looked+at") as page:
        press(page, "2", "2")
        expect(page.locator(".told")).to_have_text("That was the last one of the list.")
        shows(page, "Conversation 2")
        press(page, "k")
        shows(page, "Conversation 1")
        press(page, "2")
        expect(page.locator(".progress")).to_have_text("1 of 2 looked at")


@pytest.mark.parametrize(
    ("fragment", "chip"),
    [("words=100-", "words: 100 or more"), ("exchanges=-3", "exchanges: 3 or less"), ("ended=1-1795100000", "Made in")],
)
def test_the_chip_of_a_range_removes_it(chromium: Browser, report: Path, fragment: str, chip: str) -> None:
    with opened(chromium, report, fragment) as page:
        whole = len(read_report(report).rows)
        page.locator(".chips button", has_text=chip).click()
        expect(page.locator(".finding .chips")).to_be_hidden()
        expect(page.locator(".shown")).to_have_text(f"{whole} conversations")
        assert address(page) == ""


def test_what_is_typed_into_a_range_is_what_the_address_says(page: Page) -> None:
    press(page, "f")
    least, most = page.get_by_label("Words, at least"), page.get_by_label("Words, at most")
    for typed, kept in (("200.5", "201"), ("1e2", "100")):
        least.fill(typed)
        least.blur()
        expect(least).to_have_value(kept)
        assert address(page) == f"#words={kept}-"
        shown = page.locator(".shown").inner_text()
        page.reload()
        page.wait_for_selector("html[data-searchable]", state="attached")
        assert page.locator(".shown").inner_text() == shown
        page.locator(".filters > summary").click()
        expect(least).to_have_value(kept)
    most.fill("300.9")
    most.blur()
    expect(page.locator(".finding .chips")).to_contain_text("words: 100 to 300")
    for field in (least, most):
        field.fill("")
        field.blur()
    expect(page.locator(".finding .chips")).to_be_hidden()


def test_a_hit_that_is_in_the_plan_alone_is_in_sight(page: Page, report: Path) -> None:
    read = read_report(report)
    said = " ".join(" ".join(str(message) for message in body["m"]).lower() for body in read.bodies)
    row, text = next(
        (row, " ".join(text.split()[:6]))
        for row, body in zip(read.rows, read.bodies, strict=True)
        for label, text in body["b"]
        if label == "Plan" and " ".join(text.split()[:6]).lower() not in said
    )
    press(page, "p")  # folded from now on
    page.evaluate("([c, q]) => { location.hash = new URLSearchParams({ c, q }); }", [row["d"], f'"{text}"'])
    expect(page.locator(".planned mark.hit").first).to_be_visible()
    expect(page.locator(".planned mark.hit").first).to_be_in_viewport()


def test_the_judge_s_words_are_marked_where_they_are_searched(page: Page, report: Path) -> None:
    read = read_report(report)
    row, body = next((row, body) for row, body in zip(read.rows, read.bodies, strict=True) if body["dt"])
    page.evaluate("([c, q]) => { location.hash = new URLSearchParams({ c, q }); }", [row["d"], body["dt"].split()[0]])
    expect(page.locator(".rejection mark.hit").first).to_be_visible()


def test_keys_of_the_list_lead_to_it_from_the_whole(page: Page, report: Path) -> None:
    go_to(page, report, 20)
    for key, place in (("/", "#search"), ("f", ".filters > summary"), ("l", "#list")):
        press(page, "o")
        expect(page.locator("#search")).to_be_hidden()
        press(page, key)
        expect(page.locator(place)).to_be_focused()
        shows(page, "Conversation 20")
        press(page, "Escape")
        page.locator("#content").focus()


@pytest.mark.parametrize("person", ["abc", "999", "-1"])
def test_a_user_who_is_not_there_is_said_not_to_be_there(chromium: Browser, report: Path, person: str) -> None:
    with opened(chromium, report, f"person={person}") as page:
        expect(page.locator("#content")).to_have_text("That user is not in this report.")


def test_a_page_that_is_not_there_is_no_page(chromium: Browser, report: Path) -> None:
    with opened(chromium, report, "tab=foo") as page:
        shows(page, "Conversation 1")
