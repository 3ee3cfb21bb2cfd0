"""Verdicts and notes on the page in a real Chromium: the later one counts, none is lost, none is another dataset's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.outputs import MadeConversation, MadeOutput, chat
from support.report_file import browser, downloaded, opened, read_report, report_of
from support.verdicts import write_verdicts

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
NOT_KEPT = "This browser keeps nothing for this page"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


def made(directory: Path, numbers: list[int]) -> Path:
    output = MadeOutput(directory / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number) for number in numbers)
    return output.path


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return report_of(made(tmp_path, [1, 2, 3, 4, 5, 6]))


@pytest.fixture
def page(chromium: Browser, report: Path) -> Iterator[Page]:
    with opened(chromium, report) as page:
        yield page


def go_to(page: Page, number: int) -> None:
    """Open the conversation that says a number, wherever it is in the file."""
    page.locator(".option", has_text=f"I said {number} 1").click()
    expect(page.locator(".turn.user")).to_contain_text(f"I said {number} 1")


def say(page: Page, number: int, key: str) -> None:
    go_to(page, number)
    page.keyboard.press(key)


def said(page: Page, number: int) -> str:
    """Return what the list says that a conversation is."""
    badges = page.locator(".option", has_text=f"I said {number} 1").locator(".badge.verdict")
    return badges.inner_text() if badges.count() else ""


def test_the_later_verdict_counts_in_whichever_report_it_was_given(chromium: Browser, tmp_path: Path) -> None:
    """A report has another name for what is kept once its first conversation has left the dataset, or is back."""
    output = made(tmp_path, [1, 2, 3, 4, 5, 6])
    elements = json.loads(output.read_text(encoding="utf-8"))
    page_path = report_of(output)
    output.with_name("out.state.db").unlink()

    def with_those_from(first: int, page: Page, hour: int) -> None:
        output.write_text(json.dumps(elements[first - 1 :]), encoding="utf-8")
        report_of(output)
        page.reload()
        page.wait_for_selector("html[data-searchable]", state="attached")
        page.clock.set_fixed_time(f"2026-11-26T{hour}:00:00Z")

    with opened(chromium, page_path) as page:
        with_those_from(1, page, 10)
        say(page, 1, "2")
        say(page, 5, "1")
        say(page, 6, "1")
        with_those_from(2, page, 11)
        assert [said(page, number) for number in (5, 6)] == ["good", "good"]
        say(page, 5, "2")
        say(page, 6, "1")  # taken back
        with_those_from(3, page, 12)
        assert [said(page, number) for number in (5, 6)] == ["bad", ""]
        say(page, 5, "u")
        with_those_from(1, page, 13)
        assert [said(page, number) for number in (1, 5, 6)] == ["bad", "unsure", ""]
        say(page, 5, "1")
        with_those_from(2, page, 14)
        assert [said(page, number) for number in (5, 6)] == ["good", ""]
        expect(page.locator(".progress")).to_have_text("1 of 5 looked at")


def test_what_was_taken_back_is_in_no_file_and_in_no_count(page: Page, tmp_path: Path) -> None:
    say(page, 2, "2")
    say(page, 3, "1")
    say(page, 3, "1")
    expect(page.locator(".progress")).to_have_text("1 of 6 looked at")
    file = downloaded(page, tmp_path / "verdicts.json")
    assert [item["number"] for item in file["verdicts"]] == [2]
    expect(page.locator(".told")).to_have_text("1 verdict downloaded")


@pytest.mark.parametrize(("day", "taken"), [("2020-01-01", 0), ("2099-01-01", 1)])
def test_of_a_file_the_later_ones_are_taken(page: Page, report: Path, tmp_path: Path, day: str, taken: int) -> None:
    say(page, 4, "1")
    digest = read_report(report).rows[3]["d"]
    file = json.loads(write_verdicts(tmp_path / "v.json", {digest: "bad"}).read_text(encoding="utf-8"))
    file["verdicts"][0]["at"] = f"{day}T00:00:00Z"
    (tmp_path / "v.json").write_text(json.dumps(file), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(tmp_path / "v.json")
    expect(page.locator(".told")).to_have_text(f"Taken: {taken} of 1 verdict")
    assert said(page, 4) == ("bad" if taken else "good")


def test_a_file_of_another_dataset_is_refused_and_one_of_both_taken_in_part(
    page: Page, report: Path, tmp_path: Path
) -> None:
    def load(verdicts: dict[str, str]) -> None:
        page.locator("input[type=file]").set_input_files(write_verdicts(tmp_path / "v.json", verdicts))

    load({"0" * 32: "bad", "1" * 32: "good"})
    expect(page.locator(".told")).to_have_text(
        "Not taken: it says nothing of any conversation in this report; it was made for out.json"
    )
    load({"0" * 32: "bad", read_report(report).rows[4]["d"]: "good"})
    expect(page.locator(".told")).to_have_text("Taken: 1 of 2 verdicts, 1 about conversations that are not here")
    expect(page.locator(".progress")).to_have_text("1 of 6 looked at")
    file = downloaded(page, tmp_path / "downloaded.json")
    assert [item["number"] for item in file["verdicts"]] == [5]


def test_a_note_is_kept_as_it_is_written(page: Page) -> None:
    go_to(page, 2)
    go_to(page, 3)
    page.keyboard.press("n")
    page.keyboard.type("half a sen")
    page.reload()
    page.wait_for_selector("html[data-searchable]", state="attached")
    expect(page.locator("input.note")).to_have_value("half a sen")
    page.keyboard.press("n")
    page.keyboard.press("End")
    page.keyboard.type("tence")
    page.keyboard.press("g")  # goes into the note, as all that is typed there
    page.go_back()
    expect(page.locator(".turn.user")).to_contain_text("I said 2 1")
    expect(page.locator("input.note")).to_have_value("")
    page.go_forward()
    expect(page.locator("input.note")).to_have_value("half a sentenceg")


def test_a_tag_that_is_half_written_is_no_other_conversation_s(page: Page) -> None:
    go_to(page, 2)
    go_to(page, 3)
    page.keyboard.press("g")
    page.keyboard.type("inven")
    page.go_back()
    expect(page.locator(".turn.user")).to_contain_text("I said 2 1")
    page.keyboard.press("Escape")
    expect(page.locator(".judging .chips li")).to_have_count(0)


def test_where_nothing_is_kept_that_is_said_on_each_view_of_a_phone(chromium: Browser, report: Path) -> None:
    refusal = "{ get() { throw new DOMException('denied', 'SecurityError'); } }"
    with opened(chromium, report, **PHONE) as page:
        page.add_init_script(f"Object.defineProperty(window, 'localStorage', {refusal});")
        page.reload()
        expect(page.get_by_text(NOT_KEPT)).to_be_visible()
        page.locator(".option").last.tap()
        expect(page.locator("#conversation-name")).to_have_text("Conversation 6")
        expect(page.get_by_text(NOT_KEPT)).to_be_visible()
        page.locator(".give.good").tap()
        expect(page.get_by_text("That was the last one of the list.")).to_be_visible()
        expect(page.get_by_text(NOT_KEPT)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_where_the_browser_is_full_that_is_said_as_soon_as_a_note_is_not_kept(page: Page) -> None:
    full = "throw new DOMException('full', 'QuotaExceededError')"
    page.evaluate(f"() => {{ Storage.prototype.setItem = () => {{ {full}; }}; }}")
    expect(page.get_by_text(NOT_KEPT)).to_have_count(0)
    page.keyboard.press("n")
    page.keyboard.type("x")
    expect(page.get_by_text(NOT_KEPT)).to_be_visible()
