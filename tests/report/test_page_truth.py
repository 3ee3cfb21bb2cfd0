"""What the page says of notes and numbers is so: where a person rejected something, and where it holds a sample."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.outputs import MadeConversation, MadeOutput, chat
from support.program import Program
from support.real_state import write_real_state
from support.report_file import ReadReport, browser, opened, read_report, report_of
from support.verdicts import write_verdicts

COUNT = 130
UNDONE = "What it changed was undone, because it was not accepted."


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real_state(tmp_path_factory.mktemp("report"), count=COUNT)


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    for path in (written, written.with_name("out.state.db")):
        shutil.copy(path, tmp_path)
    return tmp_path / "out.json"


def notes_of(read: ReadReport, row: dict[str, Any]) -> list[list[Any]]:
    return read.notes[row["u"]]


def added_by(read: ReadReport, row: dict[str, Any]) -> list[str]:
    return [note[2] for note in notes_of(read, row) if note[3] == row["r"]]


def test_what_a_person_rejects_keeps_what_it_did(chromium: Browser, output: Path) -> None:
    before = read_report(report_of(output))
    bad = next(row for row in before.rows if row["n"] and added_by(before, row))
    write_verdicts(output.with_name("v.json"), {bad["d"]: "bad"})
    assert Program(output.parent).run("review", "apply", "v.json", "out.json").status == 0
    read = read_report(report_of(output))
    row = next(row for row in read.rows if row["r"] == bad["r"])
    text = added_by(read, row)[0]
    assert (row["n"], row["st"]) == (None, "person")
    with opened(chromium, output.with_suffix(".report.html"), f"c={row['d']}") as page:
        expect(page.locator(".notebook .added").first).to_contain_text(text[:40])
        expect(page.locator(".notebook")).not_to_contain_text(UNDONE)
        page.keyboard.press("y")
        day = page.locator(".history > li", has=page.locator(f"a[href*='{row['d']}']"))
        expect(day.locator(".added").first).to_contain_text(text[:40])
        life = page.locator(".lives li", has_text=text[:40]).first.locator("svg")
        expect(life).to_have_attribute("aria-label", f"from {row['at'][:10]}")


def test_what_the_judge_rejects_is_undone(chromium: Browser, output: Path) -> None:
    read = read_report(report_of(output))
    rejected = [pair for pair in zip(read.rows, read.bodies, strict=True) if pair[0]["n"] is None]
    changing = [pair for pair in rejected if pair[1].get("g")]
    others = [pair for pair in rejected if not pair[1].get("g")]
    assert changing
    assert others
    with opened(chromium, output.with_suffix(".report.html")) as page:
        for row, body in changing[:4] + others[:4]:
            page.evaluate("digest => { location.hash = `c=${digest}`; }", row["d"])
            expect(page.locator("#conversation-name")).to_contain_text(f"{row['r']} of the run")
            assert (UNDONE in page.locator(".notebook").inner_text()) is bool(body.get("g"))


def test_a_sample_claims_nothing_of_days_that_it_lacks(chromium: Browser, output: Path) -> None:
    with contextlib.closing(sqlite3.connect(output.with_name("out.state.db"), isolation_level=None)) as connection:
        connection.execute(
            "UPDATE notes SET deleted_in = (SELECT max(id) FROM conversations WHERE timeline_id = notes.timeline_id"
            " AND status = 'finished' AND id > notes.added_in) WHERE deleted_in IS NULL AND id % 3 = 0"
        )
    read = read_report(report_of(output, sample=12))
    here = {row["r"]: row for row in read.rows}
    seen = {"added": 0, "removed": 0}
    with opened(chromium, output.with_suffix(".report.html")) as page:
        for user in sorted({row["u"] for row in read.rows}):
            days = sorted((row for row in read.rows if row["u"] == user), key=lambda row: row["r"])
            shown = [row for row in days if row["n"] or any(row["r"] in note[3:5] for note in read.notes[user])]
            if not shown or not read.notes[user]:
                continue
            page.evaluate("user => { location.hash = `person=${user}`; }", user)
            expect(page.locator("#conversation-name")).to_have_text(days[0]["nm"])
            expect(page.locator(".timeline")).to_contain_text("This page is of a sample")
            lives = page.locator(".lives .life")
            for place, (*_, added, deleted) in enumerate(read.notes[user]):
                told = str(lives.nth(place).get_attribute("aria-label"))
                assert ("from the beginning" in told) is (added == 0), told
                assert (" to " in told) is bool(deleted), told
                if added and added not in here:
                    seen["added"] += 1
                    later = [row for row in shown if row["r"] > added]
                    assert told.startswith("from a day ")
                    assert (
                        (f"before {later[0]['at'][:10]}" in told)
                        if later
                        else ("before" not in told.partition(" to ")[0])
                    )
                if deleted and deleted not in here:
                    seen["removed"] += 1
                    earlier = [row for row in shown if row["r"] < deleted]
                    assert (f"after {earlier[-1]['at'][:10]}" if earlier else "to a day before") in told
            missing = page.locator(".history > li", has_text="On days that are not in this page")
            gone = {note[3] for note in read.notes[user]} | {note[4] for note in read.notes[user]}
            assert (missing.count() > 0) is bool(gone - {0, None} - set(here))
            total = page.locator(".history .added").count()
            assert total == len(read.notes[user])  # each note came on one day, whether that is here or not
    assert min(seen.values()) > 0


def test_a_whole_report_tells_of_all_days(chromium: Browser, output: Path) -> None:
    with opened(chromium, report_of(output), "person=1") as page:
        expect(page.locator(".timeline")).not_to_contain_text("not in this page")
        expect(page.locator(".timeline")).not_to_contain_text("sample")


def test_figures_of_a_sample_say_what_they_are_of_and_lead_to_what_is_there(chromium: Browser, output: Path) -> None:
    with opened(chromium, report_of(output, sample=6), "tab=whole") as page:
        expect(page.locator(".overview .conversation-head")).to_contain_text("the others of this sample, as each says")
        boxes = page.locator(".figure-box")
        said = {str(box.locator("h3").inner_text()): str(box.locator(".basis").inner_text()) for box in boxes.all()}
        assert set(said.values()) == {"Of all.", "Of the sample."}
        assert said["Yield by ability"] == said["Mix against the wish"] == "Of all."
        assert said["Tools"] == said["Words of a conversation"] == "Of the sample."
        links = page.locator(".figure-box a")
        addresses = {str(links.nth(number).get_attribute("href")) for number in range(links.count())}
        assert any("ability=" in address for address in addresses)
        for address in sorted(addresses):
            page.evaluate(
                "address => new Promise((done) => { addEventListener('hashchange', done); location.hash = address; })",
                address,
            )
            expect(page.locator(".shown"), address).not_to_have_text(re.compile("^0 of "))
    with opened(chromium, report_of(output), "tab=whole") as page:
        expect(page.locator(".figure-box").first).to_be_visible()
        assert page.locator(".basis").count() == 0


def test_the_notes_before_a_conversation_are_those_of_accepted_ones(chromium: Browser, output: Path) -> None:
    with opened(chromium, report_of(output), "tab=whole") as page:
        box = page.locator(".figure-box", has=page.get_by_role("heading", name="Notes in memory before"))
        addresses = [str(link.get_attribute("href")) for link in box.locator("a").all()]
        assert addresses
        assert all("status=accepted" in address for address in addresses)


def test_what_has_nothing_in_common_with_any_other_is_counted(chromium: Browser, tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    words = ("walked to the shore", "cooked a large soup", "walked to the shore", "planted three old trees")
    output.append(MadeConversation(chat(number, 1, words=each), user=number) for number, each in enumerate(words))
    rows = read_report(report_of(output.path)).rows
    assert [row["m"] > 0 for row in rows] == [True, False, True, False]
    assert [row["mn"] for row in rows] == [2, None, 0, None]
    with opened(chromium, output.path.with_suffix(".report.html"), "tab=whole") as page:
        box = page.locator(".figure-box", has=page.get_by_role("heading", name="In common with the nearest"))
        expect(box.locator("svg a").first).to_have_attribute("aria-label", "0 to 4 %: 2 conversations")
        box.locator("svg a").first.click()
        expect(page.locator(".shown")).to_have_text("2 of 4")
