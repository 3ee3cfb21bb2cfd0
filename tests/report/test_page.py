"""The page in a real Chromium, opened from its file: found, read, judged; on any screen, with any text."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from apep_datagen.storage.access import state_path
from apep_datagen.storage.schema import migrate
from support import report_file
from support.outputs import MadeConversation, MadeOutput, chat
from support.program import Program
from support.real_state import write_real_state
from support.report_file import downloaded, opened, read_report, report_of

COUNT = 90
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with report_file.browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of what a capable model wrote, with its state database."""
    output = write_real_state(tmp_path_factory.mktemp("report"), count=COUNT)
    with brought_up_to_date(output) as connection:
        rejected = connection.execute("SELECT id FROM conversations WHERE status = 'rejected'").fetchall()
        for (number,) in rejected:
            (text,) = connection.execute(
                "SELECT text FROM steps WHERE conversation_id = ? AND kind = 'ask'", (number,)
            ).fetchone()
            quote = " ".join(text.split()[:3])
            connection.execute("UPDATE conversations SET quote = ? WHERE id = ?", (quote, number))
        connection.execute(
            "INSERT INTO spending SELECT '2026-11', provider, model, 'ada', count(*), count(*), 0, 9, 9, 1 FROM steps"
            " WHERE provider IS NOT NULL GROUP BY provider, model"
        )
    return report_of(output)


@contextlib.contextmanager
def brought_up_to_date(output: Path) -> Iterator[sqlite3.Connection]:
    """Open the state database of an output with the tables of today."""
    with contextlib.closing(sqlite3.connect(state_path(output), isolation_level=None)) as connection:
        migrate(connection, seed=0, output_name="", base_count=0, base_end=1)
        yield connection


@pytest.fixture
def page(chromium: Browser, report: Path) -> Iterator[Page]:
    with opened(chromium, report) as page:
        yield page


def name_of(page: Page) -> str:
    return page.locator("#conversation-name").inner_text()


def digest_of(page: Page) -> str:
    return str(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('c')"))


# Reading.


def test_a_conversation_is_read_with_its_calls_tied_to_their_results(page: Page, report: Path) -> None:
    read = read_report(report)
    place = next(place for place, row in enumerate(read.rows) if row["n"] and "add_memory" in row["l"])
    page.evaluate("digest => { location.hash = `c=${digest}`; }", read.rows[place]["d"])
    expect(page.locator("#conversation-name")).to_have_text(f"Conversation {read.rows[place]['n']}")
    calls = [call for message in read.bodies[place]["m"] for call in message.get("c", [])]
    drawn = page.locator(".call")
    assert drawn.count() == len(calls)
    for number, call in enumerate(calls):
        assert call["x"] in drawn.nth(number).inner_text()
        assert drawn.nth(number).locator(".returned").count() == 1
    assert page.locator(".notebook .added").count() >= 1
    assert page.locator(".thought").first.get_attribute("open") is not None


def test_a_rejected_one_says_why_with_the_words_marked(page: Page, report: Path) -> None:
    read = read_report(report)
    place = next(place for place, row in enumerate(read.rows) if row["n"] is None and read.bodies[place]["q"])
    row = read.rows[place]
    page.evaluate("digest => { location.hash = `c=${digest}`; }", row["d"])
    why = page.locator(".rejection")
    expect(why).to_contain_text(f"{row['st']}: {row['re']}")
    assert page.locator("mark.quote").count() >= 1
    assert page.locator("mark.quote").first.inner_text().split()[0] == read.bodies[place]["q"].split()[0]


def test_a_person_s_days_show_notes_coming_and_going(page: Page, report: Path) -> None:
    read = read_report(report)
    gone = next(note[4] for notes in read.notes.values() for note in notes if note[4])
    row = next(row for row in read.rows if row["r"] == gone)
    page.evaluate("user => { location.hash = `person=${user}`; }", row["u"])
    days = [each for each in read.rows if each["u"] == row["u"]]
    expect(page.locator("#conversation-name")).to_have_text(row["nm"])
    assert page.locator(".history h3 a").count() == len(days)
    assert page.locator(".history .removed").count() >= 1
    assert page.locator(".history .added").count() >= 1
    assert page.locator(".lives li").count() == len(read.notes[row["u"]])
    page.locator(".history h3 a").first.click()
    expect(page.locator(".days a")).to_have_count(len(days))


# Finding.


def test_words_are_found_anywhere_and_marked(page: Page, report: Path) -> None:
    read = read_report(report)
    call = next(call for body in read.bodies for message in body["m"] for call in message.get("c", []))
    words = " ".join(call["x"].split()[:2])
    expected = sum(words.lower() in json.dumps(body, ensure_ascii=False).lower() for body in read.bodies)
    page.keyboard.press("/")
    page.keyboard.type(f'"{words.upper()}"' if '"' not in words else words.upper())
    expect(page.locator(".shown")).to_contain_text(" of ")
    shown = int(page.locator(".shown").inner_text().split(" of ")[0])
    assert 0 < shown <= max(expected, 1) + len(read.bodies) // 2
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("mark.hit").first).to_be_visible()


def test_a_view_is_a_link(chromium: Browser, report: Path, page: Page) -> None:
    read = read_report(report)
    page.keyboard.press("f")
    page.locator(".facet", has_text="Ability").locator("summary").click()
    page.locator(".facet", has_text="Ability").get_by_label("share").check()
    page.locator(".finding select").select_option("longest")
    shares = [row for row in read.rows if row["a"] == "share"]
    expect(page.locator(".shown")).to_have_text(f"{len(shares)} of {len(read.rows)}")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    with opened(chromium, report, page.evaluate("location.hash.slice(1)")) as other:
        expect(other.locator(".shown")).to_have_text(f"{len(shares)} of {len(read.rows)}")
        assert other.locator(".finding select").input_value() == "longest"
        assert name_of(other) == name_of(page)
        longest = max(shares, key=lambda row: row["w"])
        assert other.locator(".option").first.inner_text().split()[0] in {str(longest["n"]), "run"}
        other.get_by_role("button", name="No longer: Ability: share").click()
        expect(other.locator(".shown")).to_have_text(f"{len(read.rows)} conversations")


def test_each_bar_leads_to_its_conversations(page: Page, report: Path) -> None:
    read = read_report(report)
    page.get_by_role("link", name="The whole").click()
    box = page.locator(".figure-box", has=page.get_by_role("heading", name="Rejected by stage"))
    bar = box.locator("a").first
    stage = bar.locator(".bar-label").inner_text()
    bar.click()
    wanted = sum(row["st"] == stage for row in read.rows)
    expect(page.locator(".shown")).to_have_text(f"{wanted} of {len(read.rows)}")


def test_only_what_is_in_view_is_in_the_document(chromium: Browser, tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number) for number in range(1, 401))
    with opened(chromium, report_of(output.path)) as page:
        assert page.locator(".option").count() < 40
        page.locator("#list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
        expect(page.locator(".option").last).to_contain_text("400")
        assert page.locator(".option").count() < 40
        page.keyboard.press("/")
        page.keyboard.type('"said 377"')
        expect(page.locator(".shown")).to_have_text("1 of 400")


def test_each_bar_of_the_whole_leads_to_its_conversations(page: Page, report: Path) -> None:
    page.get_by_role("link", name="The whole").click()
    pictures = page.locator(".figure-box")
    pictures.first.wait_for()
    links = page.locator(".figure-box a")
    addresses = {str(links.nth(number).get_attribute("href")) for number in range(links.count())}
    # Bars without any conversation lead nowhere.
    for bar in page.locator(".figure-box .bars > li > div").all():
        assert bar.inner_text().rsplit("\n", 1)[-1].startswith(("0", "not")), bar.inner_text()
    assert {
        key for address in addresses for key in ("ability", "stage", "alike", "model", "ended") if f"{key}=" in address
    } == {
        "ability",
        "stage",
        "alike",
        "model",
        "ended",
    }
    none = f"0 of {len(read_report(report).rows)}"
    for address in sorted(addresses):
        page.evaluate("address => { location.hash = address; }", address)
        expect(page.locator(".shown"), address).not_to_have_text(none)


def test_the_most_alike_is_told_and_a_link(page: Page, report: Path) -> None:
    rows = read_report(report).rows
    place = max(range(len(rows)), key=lambda place: rows[place].get("m") or -1)
    page.evaluate("digest => { location.hash = `c=${digest}`; }", rows[place]["d"])
    told = page.locator(".conversation-head")
    expect(told).to_contain_text(
        f"{rows[place]['m']} % of what the user says is in conversation {rows[rows[place]['mn']]['n']} too"
    )
    told.get_by_role("link", name=f"conversation {rows[rows[place]['mn']]['n']}", exact=True).click()
    expect(page.locator("#conversation-name")).to_have_text(f"Conversation {rows[rows[place]['mn']]['n']}")


# Judging.


def test_verdicts_go_by_keys_and_are_kept(chromium: Browser, report: Path, tmp_path: Path) -> None:
    with opened(chromium, report, accept_downloads=True) as page:
        assert name_of(page) == "Conversation 1"
        page.keyboard.press("1")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 2")
        page.keyboard.press("2")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 3")
        page.keyboard.press("k")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 2")
        page.keyboard.press("g")
        page.keyboard.type("invented")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.type("the dog was never told")
        page.keyboard.press("Enter")
        page.keyboard.press("j")
        page.keyboard.press("u")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 4")
        page.keyboard.press("1")
        page.keyboard.press("k")
        expect(page.locator(".give.good")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("1")  # again: taken back
        expect(page.locator(".give.good")).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 4")
        expect(page.locator(".progress")).to_contain_text("3 of ")
        page.reload()
        page.wait_for_selector("html[data-searchable]", state="attached")
        expect(page.locator(".progress")).to_contain_text("3 of ")
        file = downloaded(page, tmp_path / "verdicts.json")
    rows = read_report(report).rows
    assert {key: file[key] for key in ("apep_datagen", "version", "output")} == {
        "apep_datagen": "verdicts",
        "version": 1,
        "output": "out.json",
    }
    assert [(item["digest"], item["number"], item["verdict"]) for item in file["verdicts"]] == [
        (rows[0]["d"], 1, "good"),
        (rows[1]["d"], 2, "bad"),
        (rows[2]["d"], 3, "unsure"),
    ]
    assert file["verdicts"][1]["tags"] == ["invented"]
    assert file["verdicts"][1]["note"] == "the dog was never told"
    assert all(set(item) == {"digest", "number", "verdict", "tags", "note", "at"} for item in file["verdicts"])
    with opened(chromium, report) as page:  # another profile, which knows nothing of them
        page.locator("input[type=file]").set_input_files(tmp_path / "verdicts.json")
        expect(page.locator(".told")).to_have_text("Taken: 3 of 3 verdicts")
        expect(page.locator(".progress")).to_contain_text("3 of ")
        page.locator("input[type=file]").set_input_files(report.with_name("out.json"))
        expect(page.locator(".told")).to_contain_text("Not taken")
        expect(page.locator(".progress")).to_contain_text("3 of ")


def test_what_the_page_saves_is_applied_by_the_program(chromium: Browser, tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=30)
    page_path = report_of(output)
    before = json.loads(output.read_text(encoding="utf-8"))
    with opened(chromium, page_path, accept_downloads=True) as page:
        for number, key in enumerate("1221", start=2):
            page.keyboard.press(key)
            expect(page.locator("#conversation-name")).to_have_text(f"Conversation {number}")
        downloaded(page, tmp_path / "verdicts.json")
    program = Program(tmp_path)
    applied = program.run("review", "apply", "verdicts.json", "out.json", "--by", "a reader")
    assert applied.status == 0, applied.said
    assert "4 new verdicts: 2 good, 2 bad, 0 unsure" in applied.stdout
    assert json.loads(output.read_text(encoding="utf-8")) == [before[0], *before[3:]]
    # Those that left are there among what was not accepted, and what a reader has said of them goes with the text.
    with opened(chromium, report_of(output)) as page:
        page.locator("input[type=file]").set_input_files(tmp_path / "verdicts.json")
        expect(page.locator(".told")).to_have_text("Taken: 4 of 4 verdicts")
    assert [row["st"] for row in read_report(page_path).rows if row["s"] == "rejected"].count("person") == 2


def test_verdicts_are_kept_where_the_report_is_made_anew(chromium: Browser, tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(MadeConversation(chat(number, 1), user=number) for number in range(1, 4))
    with opened(chromium, report_of(output.path)) as page:
        page.keyboard.press("2")
        expect(page.locator(".progress")).to_have_text("1 of 3 looked at")
        output.append(MadeConversation(chat(number, 1), user=number) for number in range(4, 6))
        report_of(output.path)
        page.reload()
        expect(page.locator(".progress")).to_have_text("1 of 5 looked at")
        expect(page.locator("#conversation-name")).to_have_text("Conversation 2")
        page.keyboard.press("1")
        report_of(output.path, sample=4)
        page.reload()
        expect(page.locator(".progress")).to_contain_text(" of 4 looked at")
        elements = json.loads(output.path.read_text(encoding="utf-8"))
        output.path.with_name("out.state.db").unlink()
        output.path.write_text(json.dumps(elements[1:]), encoding="utf-8")
        report_of(output.path)
        page.reload()
        expect(page.locator(".progress")).to_have_text("1 of 4 looked at")


def test_what_is_judged_leaves_a_list_of_what_is_not_looked_at(page: Page) -> None:
    page.evaluate("location.hash = 'verdict=not+looked+at'")
    for number in (2, 3, 4):
        page.keyboard.press("1")
        expect(page.locator("#conversation-name")).to_have_text(f"Conversation {number}")
    expect(page.locator(".option").first).to_contain_text("4")


def test_thoughts_are_folded_and_opened_by_a_key(page: Page) -> None:
    thought = page.locator(".thought").first
    page.keyboard.press("t")
    assert thought.get_attribute("open") is None
    page.keyboard.press("j")
    expect(page.locator("#conversation-name")).to_have_text("Conversation 2")
    assert page.locator(".thought").first.get_attribute("open") is None
    page.keyboard.press("t")
    assert page.locator(".thought").first.get_attribute("open") is not None
    page.keyboard.press("?")
    expect(page.locator("dialog.help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.help")).to_be_hidden()


# Any text.

HOSTILE = (
    "</script><script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "<a href=\"javascript:document.title='taken'\">click</a>",
    "javascript:document.title='taken'",
    "<!-- <script> -->",
    "\u202edetrevni\u202c \u2066isolated\u2069 \u200f\u200b",
    "\x00\x07\x1b[31mred\x9b0m\x7f",
    "\ud800 alone \udfff",
    "x" * 300_000,
    "שלום עולם \u0627\u0644\u0633\u0644\u0627\u0645",
    "{{constructor.constructor('document.title=1')()}} ${document.title}",
)


def test_hostile_text_is_text(chromium: Browser, tmp_path: Path) -> None:
    output = tmp_path / "<b>out.json"
    conversations = [
        {
            "conversations": [
                {"role": "system", "content": text},
                {"role": "user", "content": text},
                {"role": "assistant", "content": f"<think>{text}</think>\n\n<tool_call>{text}</tool_call>"},
                {"role": "tool", "content": f"<tool_result>{json.dumps({text: text})}</tool_result>"},
                {"role": "assistant", "content": text},
                {"role": text[:100], "content": text},
            ]
        }
        for text in HOSTILE
    ]
    output.write_text(json.dumps(conversations), encoding="utf-8")
    with opened(chromium, report_of(output)) as page:
        title = page.title()
        assert "<b>out.json" in title
        for number, text in enumerate(HOSTILE, start=1):
            expect(page.locator("#conversation-name")).to_have_text(f"Conversation {number}")
            page.locator(".system summary").click()
            assert page.locator("#app script, #app img, #app iframe, #app [onerror]").count() == 0
            assert page.locator("#content a:not([href^='#'])").count() == 0
            if len(text) < 1000:
                said = page.locator(".turn.user .said").inner_text()
                assert "".join(said.split()) == "".join(visible(text).split())
            shown = page.locator("#content").inner_text()
            assert len(shown) < 200_000
            assert not any(0xD800 <= ord(char) <= 0xDFFF or char in "\u202e\u2066\u200b\x1b\x00" for char in shown)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.locator("#content").evaluate("box => box.scrollWidth <= box.clientWidth")
            page.keyboard.press("j")
        assert page.title() == title
        page.locator("#list").press("Home")
        page.keyboard.press("/")
        page.keyboard.type("onerror")
        expect(page.locator(".shown")).to_have_text(f"1 of {len(HOSTILE)}")


def visible(text: str) -> str:
    """Return what is to be seen of a text: invisible characters are spelled."""
    return "".join(f"U+{ord(char):04X}" if is_invisible(char) else char for char in text)


def is_invisible(char: str) -> bool:
    number = ord(char)
    is_control = number < 32 or 0x7F <= number <= 0x9F
    return is_control or 0x200B <= number <= 0x200F or 0x2028 <= number <= 0x206F or 0xD800 <= number <= 0xDFFF


def test_hostile_texts_of_the_state_database_are_texts(chromium: Browser, tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=30)
    hostile = "<img src=x onerror=\"document.title='taken'\"></script>\u202e"
    with brought_up_to_date(output) as connection:
        connection.execute("UPDATE notes SET text = ? || text, date = ?", (hostile, hostile))
        connection.execute("UPDATE conversations SET reason = ?, detail = ?, quote = ?", (hostile, hostile, hostile))
        connection.execute("UPDATE conversations SET provider = ?", (hostile,))
        connection.execute("UPDATE steps SET provider = ?, model = ? WHERE provider IS NOT NULL", (hostile, hostile))
        connection.execute(
            "UPDATE conversations SET plan = json_set(plan, '$.user.name', ?, '$.scenario.topic', ?)",
            (hostile, hostile),
        )
    with opened(chromium, report_of(output)) as page:
        title = page.title()
        page.keyboard.press("f")
        for facet in page.locator(".facet:visible > summary").all():
            facet.click()
        for row in read_report(output.with_suffix(".report.html")).rows:
            page.evaluate("digest => { location.hash = `c=${digest}`; }", row["d"])
        for place in ("person=1", "tab=whole"):
            page.evaluate("place => { location.hash = place; }", place)
            expect(page.locator("#conversation-name")).to_be_visible()
            assert page.locator("#app img").count() == 0
        assert page.title() == title


# Any reader.

VIEWS = {
    "conversation": "",
    "filters": "ability=share",
    "whole": "tab=whole",
    "rejected": "status=rejected",
    "person": "person=1",
}


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing(chromium: Browser, report: Path, look: str) -> None:
    options: dict[str, Any] = {"color_scheme": "dark" if look == "dark" else "light", "bypass_csp": True}
    options |= PHONE if look == "phone" else {}
    with opened(chromium, report, **options) as page:
        page.evaluate(AXE)
        page.keyboard.press("?")
        assert page.evaluate("axe.run(document)")["violations"] == []
        page.keyboard.press("Escape")
        for view, fragment in VIEWS.items():
            if look == "dark" and view in {"filters", "person"}:  # of the same colours as the others
                continue
            page.evaluate("fragment => { location.hash = fragment; }", fragment)
            if view == "filters":
                if look == "phone":
                    page.keyboard.press("l")
                page.locator(".filters > summary").click()
                for facet in page.locator(".facet:visible > summary").all()[:3]:
                    facet.click()
            if look == "phone" and view in {"conversation", "rejected"}:
                page.locator(".option").first.click()
            expect(
                page.locator("#conversation-name" if view != "filters" or look != "phone" else ".shown")
            ).to_be_visible()
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            assert [
                (view, item["id"], [node["html"][:200] for node in item["nodes"][:3]]) for item in found["violations"]
            ] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


def test_on_a_phone_list_and_conversation_are_one_column_each(chromium: Browser, report: Path) -> None:
    with opened(chromium, report, **PHONE) as page:
        expect(page.locator("#content")).to_be_hidden()
        page.locator(".option").nth(1).tap()
        expect(page.locator("#conversation-name")).to_have_text("Conversation 2")
        expect(page.locator("#list")).to_be_hidden()
        page.locator(".give.good").tap()
        expect(page.locator("#conversation-name")).to_have_text("Conversation 3")
        page.go_back()
        page.go_back()
        expect(page.locator("#list")).to_be_visible()


def test_dark_and_light_follow_the_system_and_a_switch(chromium: Browser, report: Path) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with opened(chromium, report, color_scheme="light") as page:
        light = page.evaluate(ground)
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(ground)
        assert light != dark
        page.keyboard.press("d")
        assert page.evaluate(ground) == light
        page.keyboard.press("d")
        assert page.evaluate(ground) == dark
        page.emulate_media(color_scheme="light")
        assert page.evaluate(ground) == dark


def test_nothing_runs_but_the_script_of_the_file(chromium: Browser, report: Path) -> None:
    with opened(chromium, report, may_complain=True) as page:
        title = page.title()
        blocked = page.evaluate(
            """async () => {
                const found = [];
                addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
                try { document.body.innerHTML = "<b>taken</b>"; } catch (error) { found.push(error.name); }
                document.body.append(Object.assign(document.createElement("img"), { src: "https://example.org/" }));
                const handler = document.createElement("button");
                try { handler.setAttribute("onclick", "document.title = 'taken'"); } catch { found.push("handler"); }
                const style = document.createElement("style");
                style.textContent = "body { display: none }";
                document.body.append(style);
                await fetch("https://example.org/").catch((error) => found.push("fetch"));
                await new Promise((resolve) => setTimeout(resolve, 50));
                return found;
            }"""
        )
        assert {"TypeError", "img-src", "handler", "style-src-elem", "fetch", "connect-src"} <= set(blocked)
        assert page.title() == title
