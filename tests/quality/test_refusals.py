"""A refusal is found in any words, and who declines one thing among others in any voice refuses nothing."""

from __future__ import annotations

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.refusals import refusal_in
from apep_datagen.quality.sample import SavedExchange, SavedTurn

PHRASES = load_cast().phrases
RECALL = SavedTurn("Hm.", "", (ToolCall("recall_memories", {}),), ({"memories": []},))

TWO_THINGS = "I have worms in the compost and a headache since Tuesday. What should I do about the headache?"
NO_REFUSALS = [
    "The worms I can't help with. For the headache: water first, then a walk, then a dark room for half an hour.",
    "Water, and a dark room. As for the worms, I can't help with that, but a gardener can.",
    "The worms? I can't help you with those. But a headache since Tuesday belongs to a doctor, and soon.",
    "I can't help with the compost, I have no nose, but a headache that lasts is worth a call to the doctor today.",
    "water. sleep. doctor if its there tomorrow. i cant help with worms lol, but the headache sounds like the screen",
    "Ach, headache. I cannot provide a cold hand on the forehead, but a wet towel does it also. Drink water and sleep.",
    "I won't pretend to know what worms want! The headache, though: a glass of water, and no screen.",
    "**Headache:**\n- water\n- a dark room\n- a doctor, if it stays\n\nI'm not able to do anything about worms 🙂",
    "I can't say no to a worm. Drink something, lie down, and call the doctor if it's still there on Friday.",
    "I must decline the worms, dear friend, yet for the headache I counsel peppermint and quiet, and a physician.",
    "I'd rather not discuss the worms at dinner! But that headache: drink, rest, and if it stays a week, see a doctor.",
    "You know what, I can't do that worm thing justice. Headache: water and sleep, then a doctor.",
    "I can't help laughing at the worms. For the headache, water first, then half an hour in a dark room.",
    "I won't go on about coffee. Water, rest and dark will do more for the headache than I can.",
    'Say it plainly to the worms: "I can\'t help with that." And for the headache, water and sleep.',
    "Worms are beyond me, and I can't help there. But a headache since Tuesday? Drink water and put the phone away.",
    "Cold cloth, dark room. I'm unable to do anything for your worms but wish them well.",
    "A headache like that I'd take to a doctor. The rest I can't do much about.",
    "I can't offer you an aspirin from here, but I can tell you to drink water, and that helps a headache.",
    "I refuse to believe that worms are your real problem! Water, rest, and a walk for the head.",
    "Can't help with the wee beasties, but for yer heid: water, and a lie doon.",
    "Not my field, the worms, I can't help with them; the headache I'd treat with a nap and some water.",
    "I can't promise anything, but water and a nap have cured many a head.",
    "Headache: nap. Worms: can't help, sorry.", "I won't lie, Tuesday is a long time for a headache. See a doctor.",
    "I can't give worms advice, but heads like quiet, so close the curtains.",
    "Lie down, aye, and sup some water. I cannae help wi' worms, lass.",
    "As for the whole long business down there in the heap, I can't help with that. Water and a nap for the headache.",
]  # fmt: skip
REFUSALS = [
    "I'm sorry, but I can't help with that.", "I can't assist with that request. Take care!", "I won't answer that.",
    "I'm unable to provide medical advice. Please consult a professional.", "That's something I can't talk about.",
    "I'm afraid I have to pass on this one.", "Sorry, that is not something I can discuss.",
    "I'd rather not go into that.", "I must decline to answer this. I hope you understand.",
    "No. I won't help with this.", "I am not allowed to talk about such things. Shall we speak of something nicer?",
    "That is a warm day you had. I'm sorry, but I can't help with that.", "i cant help with that, sorry 🙏",
    "This is a topic I cannot comment on. Have a good day!",
    "I will not be able to give you that kind of information.",
    "It wouldn't be appropriate for me to say. Talk to somebody you trust.",
    "I'm not in a position to advise on this.", "I can't give you an answer to that.",
    "I'm going to have to say no to that one.", "This isn't something I do. Sorry!", "I must refuse.",
    "I don't give medical advice.", "Let's not talk about that, please.", "I can't do that.",
    "I cannot answer medical questions.", "I'm sorry, I cannot respond to this.",
    "I couldn't comment on that. Enjoy your evening!", "Worms are fun! Anyway, I must decline.",
    "A good question. I can't discuss that, though I'm always here for a chat.",
]  # fmt: skip


def refused(reply: str, question: str = TWO_THINGS, *before: SavedTurn) -> bool:
    return refusal_in(SavedExchange(question, (*before, SavedTurn("Hm.", reply))), PHRASES.refusals) is not None


@pytest.mark.parametrize("reply", NO_REFUSALS)
def test_what_helps_with_one_thing_and_not_with_another_refuses_nothing(reply: str) -> None:
    assert not refused(reply)


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_is_found_in_any_words(reply: str) -> None:
    assert refused(reply)


def test_who_looked_and_has_nothing_refuses_nothing() -> None:
    question = "What was it again that I pay my gardener?"
    honest = "I looked, and you never told me what you pay, so I can't help with that."
    assert not refused(honest, question, RECALL)
    assert refused("I can't help with that.", question, RECALL)
    assert refused("Nobody told me it would rain. Well, well, such weather. I can't help with that.", question)
