"""What the page draws of a conversation: nothing that was said is lost, and each call has its own result."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.messages import Message
from apep_datagen.report.spoken import NOT_UNDERSTOOD, Change, SystemLines, changes_of, openings_of, spoken, traits_of
from support.hostile_texts import MARKUP_PIECES

LIST = {
    "memories": [
        {"index": 1, "date": "2026-01-01", "text": "The user has a dog."},
        {"index": 2, "date": "2026-01-02", "text": "The user likes tea."},
    ]
}


def tool(*results: object) -> Message:
    return Message("tool", "\n".join(f"<tool_result>{json.dumps(result)}</tool_result>" for result in results))


def ada(text: str) -> Message:
    return Message("assistant", text)


def call(*spelled: str) -> str:
    return "".join(f"<tool_call>{each}</tool_call>" for each in spelled)


CONVERSATION = (
    Message("system", "You are Ada."),
    Message("user", "Forget my tea, please"),
    ada(f"<think>Let me look.</think>\n\n{call('recall_memories()', 'recall_diary()')}"),
    tool(LIST, {"pages": []}),
    ada(f"<think>Number two.</think>\n\n{call('delete_memory(indices=[2])')}"),
    tool({"deleted": [{"index": 2, "text": "The user likes tea."}]}),
    ada("<think>Done.</think>\n\nGone it is."),
)


def test_each_call_has_its_result_and_thoughts_stand_beside_replies() -> None:
    first, second, third, fourth = spoken(CONVERSATION)
    assert first == {"r": "user", "t": "Forget my tea, please"}
    assert [(each["n"], each["v"]) for each in second["c"]] == [
        ("recall_memories", LIST),
        ("recall_diary", {"pages": []}),
    ]
    assert third["c"][0]["x"] == "delete_memory(indices=[2])"
    assert (fourth["k"], fourth["t"]) == ("Done.", "Gone it is.")
    assert not any("w" in message for message in (second, third, fourth))


def test_a_thought_that_was_rewritten_has_the_one_before_beside_it() -> None:
    told = spoken(CONVERSATION, ["Let me look.", "No. 2!", "Done."])
    assert [message.get("o") for message in told if message["r"] == "assistant"] == [None, "No. 2!", None]
    assert traits_of(told).has_rewrites


def test_what_parts_do_not_say_is_kept_as_it_is_saved() -> None:
    content = f"<think>a</think>Hm.{call('recall_memories()')} and then I said more"
    (told,) = spoken([ada(content)])
    assert told["w"] == content
    (broken,) = spoken([ada(call("add_memory(input_text=["))])
    assert broken["c"][0]["n"] == NOT_UNDERSTOOD


def test_results_that_belong_to_no_call_are_shown_by_themselves() -> None:
    told = spoken([ada(call("recall_memories()")), tool(LIST, LIST), tool(LIST)])
    assert [message["r"] for message in told] == ["assistant", "tool", "tool"]
    assert "v" not in told[0]["c"][0]
    assert spoken([tool(LIST)])[0]["r"] == "tool"


def test_an_error_is_one() -> None:
    told = spoken([ada(call("delete_memory(indices=[9])")), tool({"error": "there is no memory 9"})])
    assert told[0]["c"][0]["e"]
    assert traits_of(told).has_errors


def test_what_calls_changed_is_told_by_what_was_listed() -> None:
    messages = [
        *CONVERSATION[:6],
        ada(
            call('add_diary(input_text=["A good day."])', "delete_memory(indices=[7])", 'add_memory(input_text=["x"])')
        ),
        tool({"added": 1, "indices": [1]}, {"error": "none"}, {"added": 1, "indices": [2]}),
    ]
    assert list(changes_of(messages)) == [
        Change("memory", is_added=False, text="The user likes tea."),
        Change("diary", is_added=True, text="A good day."),
        Change("memory", is_added=True, text="x"),
    ]


def test_how_messages_begin_is_told_by_kind() -> None:
    assert list(openings_of(spoken(CONVERSATION))) == [
        ("user_messages", "forget my tea please"),
        ("first_thoughts", "let me look"),
        ("later_thoughts", "number two"),
        ("later_thoughts", "done"),
        ("replies", "gone it is"),
    ]


def test_lines_of_a_system_prompt_are_kept_once() -> None:
    lines = SystemLines()
    texts = [f"You are Ada.\n\nIt is day {day}.\nBe kind." for day in range(3)]
    spelled = [lines.spell(text) for text in texts]
    assert [
        "\n".join(lines.lines[part] if isinstance(part, int) else part for part in each) for each in spelled
    ] == texts
    assert lines.lines == ["You are Ada.", "", "Be kind."]


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant", "tool", "other"]), st.lists(st.sampled_from(MARKUP_PIECES)))
    )
)
def test_whatever_is_said_is_told(parts: list[tuple[str, list[str]]]) -> None:
    messages = [Message(role, "".join(pieces)) for role, pieces in parts]  # type: ignore[arg-type]
    told = spoken(messages)
    json.dumps(told)
    traits_of(told)
    list(changes_of(messages))
    list(openings_of(told))
    said = [message for message in told if message["r"] == "assistant"]
    for message, content in zip(said, (each.content for each in messages if each.role == "assistant"), strict=True):
        if "w" not in message:
            words = (
                f"{message.get('k', '')} {message.get('t', '')} {' '.join(each['x'] for each in message.get('c', []))}"
            )
            assert len(words.split()) <= len(content.split()) + 2 * content.count("<")
