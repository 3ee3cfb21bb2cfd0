"""The words of a conversation: whose they are, what is quoted in them, and which thought follows what."""

from __future__ import annotations

from apep_datagen.core.messages import Message
from apep_datagen.language.quotation import own_words
from apep_datagen.quality.wording import Wording, notes_in, wording_of
from support.samples import FAULTLESS, conversation

NOTE = "The user's grandmother left them a rowing boat with a patched green sail."
LOOKED_UP = f'<tool_result>{{"memories": [{{"index": 1, "date": "2026-03-02", "text": "{NOTE}"}}]}}</tool_result>'
LOOKING = "<think>I may know that.</think>\n\nWait a moment!\n\n<tool_call>recall_memories()</tool_call>"


def runs(wording: Wording) -> str:
    return " | ".join(" ".join(run) for run in wording.reply.runs)


def test_what_is_told_of_a_note_that_was_looked_up_is_left_out() -> None:
    said = "I have it: your grandmother left you a rowing boat with a patched green sail. Is it dry?"
    wording = wording_of(
        conversation("What did I get from her?", LOOKING, LOOKED_UP, f"<think>There.</think>\n\n{said}")
    )
    assert runs(wording) == "wait a moment i have it your | is it dry"
    assert wording.question == own_words("What did I get from her?")
    assert (wording.first_thoughts, wording.later_thoughts) == (("I may know that.",), ("There.",))
    assert wording.thoughts == ("I may know that.", "There.")


def test_what_is_told_of_a_note_that_was_just_written_is_left_out() -> None:
    call = f'<tool_call>add_memory(input_text=["{NOTE}"])</tool_call>'
    wording = wording_of(
        conversation(
            "She left me her boat.",
            f"<think>That stays.</think>\n\n{call}",
            '<tool_result>{"added": 1, "indices": [1]}</tool_result>',
            "<think>Kept.</think>\n\nSo I know now that grandmother left you a rowing boat with a patched green sail.",
        )
    )
    assert runs(wording) == "so i know now that"


def test_a_later_exchange_may_quote_what_an_earlier_one_looked_up() -> None:
    wording = wording_of(
        conversation(
            "What did I get from her?",
            LOOKING,
            LOOKED_UP,
            "<think>There.</think>\n\nA boat.",
            "What does it look like?",
            "<think>I still see it.</think>\n\nGrandmother left a rowing boat with a patched green sail, that one.",
            "Tell me more.",
            "<think>No more is there.</think>\n\nThat is all.",
        )
    )
    assert runs(wording) == "wait a moment a boat | that one that is all"
    assert wording.first_thoughts == ("I may know that.", "I still see it.", "No more is there.")
    assert wording.later_thoughts == ("There.",)


def test_notes_of_another_conversation_are_not_known_here() -> None:
    said = "Your grandmother left you a rowing boat with a patched green sail."
    wording = wording_of(conversation("Do you know?", f"<think>I do.</think>\n\n{said}"))
    assert wording.reply == own_words(said)


def test_what_the_user_says_is_all_their_own() -> None:
    wording = wording_of(conversation(NOTE, LOOKING, LOOKED_UP, "<think>There.</think>\n\nThere it is.", NOTE))
    assert wording.question == own_words(f"{NOTE}\n\n{NOTE}")


def test_every_text_of_a_result_and_of_a_call_is_a_note() -> None:
    assert NOTE in list(notes_in(Message("tool", LOOKED_UP)))
    assert list(notes_in(Message("tool", "no result at all"))) == []
    call = '<think>Hm.</think>\n\n<tool_call>add_diary(input_text=["One.", "Two."])</tool_call>'
    assert list(notes_in(Message("assistant", call))) == ["One.", "Two."]
    assert list(notes_in(Message("assistant", "<think>Hm.</think>\n\n<tool_call>add_diary(</tool_call>"))) == []
    assert list(notes_in(Message("user", NOTE))) == []


def test_what_is_said_in_good_conversations_is_nearly_all_their_own() -> None:
    quoted = {name: wording_of(messages).reply.quoted for name, messages in FAULTLESS.items()}
    assert sum(count > 0 for count in quoted.values()) <= len(quoted) / 4
