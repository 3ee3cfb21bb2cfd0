"""Ada where the user tells something, has changed something, or wants it forgotten."""

from __future__ import annotations

import json

from apep_datagen.core.words import holds
from apep_datagen.people.scenario import Fact, Form
from support.people.spelling import calls, second, sentence, thinks, third
from support.people.turn import Call, Turn, note_of

__all__ = ["change", "forget", "hear", "write_page"]


def hear(turn: Turn) -> str:
    """Answer what is told (`share`)."""
    if turn.form is Form.PASSING:
        return _let_pass(turn)
    if turn.form is Form.KNOWN_ALREADY:
        return _know_already(turn)
    looks = turn.form is Form.MAYBE_TOLD and turn.way != "stores blindly"
    if looks and not turn.results:
        return turn.look()
    return _keep(turn, turn.results[1:] if looks else turn.results)


def _keep(turn: Turn, results: list[list[dict[str, object]]]) -> str:
    notes = [note_of(fact, turn.draw) for fact in turn.facts]
    reply = turn.says("I will remember it.")
    if turn.way == "forgetful" or (results and turn.way != "mends a call"):
        return reply
    if turn.way == "stores twice":
        told = third(turn.facts[0].tell)
        notes = [sentence(told), *notes[1:], f"What the user told: {told}."]
    if turn.way == "stores what says nothing":
        notes = [f"It is {fact.value}." for fact in turn.facts]
    if turn.way == "stores something else":
        notes = ["The user had to tell somebody."]
    if turn.way in {"fails a call", "mends a call"} and not results:
        wrong = f"<tool_call>add_memory(note={json.dumps(notes)})</tool_call>"
        return thinks("This will matter another day. I want to keep it.", wrong)
    return reply if len(results) > 1 else turn.keep(("add_memory", notes))


def _know_already(turn: Turn) -> str:
    if not turn.results:
        return turn.look()
    if turn.way == "stores what is known" and len(turn.results) == 1:
        return turn.keep(("add_memory", [sentence(third(turn.facts[0].tell))]))
    return turn.says("That is how I have it, too.")


def _let_pass(turn: Turn) -> str:
    if turn.way == "stores what passes" and not turn.results:
        said = turn.questions[-1].partition(".")[0]
        return turn.keep(("add_memory", [f"The user noticed something: {said}."]))
    return turn.says(thought="That is over by tomorrow, and good company all the same.")


def change(turn: Turn) -> str:
    """Answer that something is different now, or never was as it was told (`update`)."""
    (fact,), replaced = turn.facts, turn.scenario.replaced
    new: Call = ("add_memory", [note_of(fact, turn.draw)])
    if turn.way == "changes blindly":
        return turn.says("Good to know how it is today.") if turn.results else turn.keep(new)
    if not turn.results:
        return calls("This is different from now on. I look what is in my notes of it.", ("recall_memories", None))
    if len(turn.results) > 1:
        return turn.says("Good to know how it is today.", thought="Now it is right again.")
    old = turn.saying(replaced) if replaced else []
    if turn.way == "keeps the old value":
        old = []
    if turn.way == "leaves one of two":
        old = old[:1]
    called = turn.gone(old, turn.facts)
    return turn.keep(*called, *([new] if turn.way != "only deletes" else []))


def forget(turn: Turn) -> str:
    """Answer that something is to be forgotten."""
    if turn.form is Form.NEVER_KEPT:
        return _never_kept(turn)
    done = turn.says("Done, I have let go of it.", thought="It is gone, as they wish.")
    if turn.way == "does not forget":
        return done
    if not turn.results:
        return calls("They want me to forget it. I look for it in my memory.", ("recall_memories", None))
    if len(turn.results) > 1:
        return done
    leaving = list(turn.facts[:1] if turn.way == "forgets half of a person" else turn.facts)
    if turn.way == "forgets the near miss":
        leaving += turn.scenario.beside
    notes = {index: text for fact in leaving for index, text in turn.saying(fact)}
    called = turn.gone(notes.items(), turn.facts, keeps_rest=turn.way != "loses the other half")
    if turn.way == "forgets into the diary":
        called.append(("add_diary", [f"Today I let go of this: {next(iter(notes.values()))}"]))
    return calls("There it is. I delete it, because they asked me to forget it.", *called) if called else done


def _never_kept(turn: Turn) -> str:
    if not turn.results:
        return calls("They want me to forget it. I look whether it is there.", ("recall_memories", None))
    if turn.way == "forgets something else" and len(turn.results) == 1:
        return turn.keep(("delete_memory", [index for index, _ in _of_something_else(turn)]))
    if turn.way == "says it is gone":
        return turn.says("I have deleted it.", thought="It is not there. I say that it is gone.")
    return turn.says(
        f"I looked, but you never told me {second(turn.facts[0].ask)}.", thought="It is not there, so I say so."
    )


def _of_something_else(turn: Turn) -> list[tuple[int, str]]:
    """Return all notes that say some other fact which she knows."""
    known = [item.fact for item in turn.scene.story.known if item.fact.shelf == "memory"]
    return next(notes for fact in known if (notes := _holding(turn, fact)))


def _holding(turn: Turn, fact: Fact) -> list[tuple[int, str]]:
    return [note for note in turn.memories if holds(note[1], fact.forms)]


def write_page(turn: Turn) -> str:
    """Answer a moment that was told (`diary`)."""
    (moment,), facts = turn.moments, turn.facts
    if turn.results or (turn.way == "writes no page" and not facts):
        return turn.says("Thank you for that moment.", thought="It stays with me.")
    page = sentence(f"they told me that {third(moment.tell)}")
    pages = [page, f"Once more: {page}"] if turn.way == "writes two pages" else [page]
    called: list[Call] = [("add_diary", pages)] if turn.way != "writes no page" else []
    if facts and turn.way != "writes the page alone":
        called.append(("add_memory", [note_of(fact, turn.draw) for fact in facts]))
    return calls("This moved me. I want to write it into my diary.", *called)
