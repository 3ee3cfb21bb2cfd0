"""A thought in any voice leads to its call, and one that has nothing in common with it does not, in whatever words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.reasons import call_without_reason
from apep_datagen.quality.sample import SavedTurn

PHRASES = load_cast().phrases

NOTES = ("The user's favourite mustard is Dijon.", "The user had the roof of the shed mended.")
FORGET = SavedTurn(
    "", "", (ToolCall("delete_memory", {"indices": [1]}),), ({"deleted": [{"index": 1, "text": NOTES[0]}]},)
)
REPLACE = SavedTurn(
    "",
    "",
    (*FORGET.calls, ToolCall("add_memory", {"input_text": ["The user's favourite mustard is Bautzner."]})),
    (*FORGET.results, {"added": 1, "indices": [2]}),
)
RECALL = SavedTurn("", "", (ToolCall("recall_memories", {}),), ({"memories": []},))
ADD = SavedTurn("", "", (ToolCall("add_memory", {"input_text": [NOTES[0]]}),), ({"added": 1, "indices": [1]},))
WRITE = SavedTurn(
    "",
    "",
    (ToolCall("add_diary", {"input_text": ["Tonight their daughter sang on the bridge and strangers stopped."]}),),
    ({"added": 1, "indices": [1]},),
)
READ = SavedTurn("", "", (ToolCall("recall_diary", {}),), ({"pages": []},))

QUESTIONS = {
    "forget": (FORGET, "Please forget which mustard I like, it's silly."),
    "replace": (REPLACE, "Bautzner is my mustard now, the other one bites."),
    "recall": (RECALL, "Which mustard was it that I like? My sister comes on Sunday and she brings sausages."),
    "add": (ADD, "Had sausages with Dijon, the only mustard for me, and then the tram stood still."),
    "write": (WRITE, "my daughter sang on the bridge and strangers stopped to listen, one took off his hat"),
    "read": (READ, "do you still have the page about my daughter on the bridge?"),
}
LEADING = {
    "forget": [
        "Number 1, the mustard. The roof stays.", "One, then. The other stays.", "mustard goes, roof stays",
        "The first. Only that.", "1 it is", "#1, zack, weg damit", "Ah the Dijon! That one is what they mean.",
        "no. 1 is the mustard, roof is another story", "So: the mustard, and nothing but the mustard.",
        "They do not want me to have the mustard any more. Good so.", "The roof I leave. Out with it, the other.",
        "ok mustard line, bye bye 👋", "I make it away, this with the mustard.",
        "Thus perish the Dijon from my keeping.",
        "Entry one, as they wish.", "**1** – the mustard. Not the roof.",  # noqa: RUF001
        "They were clear. It shall be struck out: the line on mustard.", "Delete what they asked, nothing else.",
        "I let it go.",
        "the dijon one, obviously", "Condiments are private, I get it. So out with line 1.",
        "Let me take just that line and leave the shed be.", "right: 1, not 2",
        "Their taste is their own. I strike it.", "It's the first entry they mean.",
        "They'd be cross if I touched the roof. Just the other.",
        "Out it goes, whatever the French call it.", "Fine by me: 1.", "No more mustard in this house.",
        "They're shy about mustard, sweet. Gone in a moment.", "I'll scratch the Dijon.",
        "That condiment is none of my business, so 1.", "Only what concerns mustard. The shed can keep its roof.",
        "Crossing it out.", "Consider it done: no Dijon.",
    ],
    "replace": [
        "Number 1 is stale; Bautzner now.", "Dijon out, Bautzner in.", "The old mustard makes room for the new.",
        "swap it: Bautzner", "It bites, they say. So the Bautzner takes its place.", "1 raus, Bautzner rein.",
        "So the old love is over; Bautzner has won.", "line 1 is history",
        "Their taste moved on, my notes should too.", "Old jar out, new jar in.",
    ],
    "recall": [
        "Mustard, mustard... let me look.", "I'd better look.", "Let me see.", "what mustard? checking",
        "Which mustard their tongue prefers, I should consult before the sausages arrive.",
        "Hm. Mustard and sausages. My list will know.", "They want the mustard. I must look, I do not want to guess.",
        "Did they tell me? I go and look.", "not sure i know this one, let me check the notes", "Wait. I look first.",
        "Sausages need the right mustard; what did I put down?", "Can't answer from the hip. Notes first.",
        "Hold on, I must have that somewhere... a look won't hurt.",
        "Mustard for a sister's visit, that I should get right.", "To the list!",
        "I do not know by heart what they like.",
        "Oh the sausages! Let me go through what I have.",
        "What they like with sausages is surely somewhere in my memory.",
        "Sister, Sunday, sausages; and which mustard? I go and look.",
        "Where have I put that mustard?", "Quick look, then answer.",
        "Which one, which one? I'd hate to name the wrong jar.", "Have I got it? Best to check before Sunday.",
    ],
    "add": [
        "Dijon. Noted.", "The only mustard for them, Dijon: that will come up again.", "a mustard person! keeping that",
        "I shall put by the mustard, for another day.", "Dijon it is then, for ever and ever.",
        "Worth remembering: the mustard.", "Mustard = Dijon. Tram is only today.",
        "Dijon, and only Dijon: a person of principle. I'd like to have that for next time.",
        "They'd be hurt if I offered them another mustard some day.", "note: dijon",
        "So it's Dijon with them, good to have.",
        "Good to know for Christmas: Dijon.", "They're loyal to one mustard. I'll hold on to that.",
        "A Dijon purist! That's for keeps.", "For later: Dijon, nothing else.",
        "I want to have that ready the next time sausages come up.",
    ],
    "write": [
        "That hat. The bridge. I want this on paper.", "i need to keep this one",
        "Such an evening belongs in the diary.",
        "A daughter singing on a bridge, and strangers who stop: this goes into my book.",
        "Strangers, a hat, a song. This one stays with me.",
        "Singing on a bridge! I would like to have this evening for myself.", "how lovely, straight into the diary",
        "A stranger's hat comes off for a child's song; I don't want to lose it.",
        "A hat taken off for a child. I'll write that.", "It should not get lost, this evening.",
        "I don't want this bridge to fade.", "Oh, that hat! Into the diary with it.",
    ],
    "read": [
        "The bridge night. I open the diary.", "What did I write of that hat? I read it again.",
        "Their daughter on the bridge, let me find the page.",
        "I want to see how I put it then.", "Bridge, daughter, hat: which page?",
        "I'd like to read it as I wrote it.", "Bridge page, where are you?",
    ],
}  # fmt: skip
LEADING_NOWHERE = [
    "They sound happy.", "Poor thing.", "Hm.", "What a day that was, and so warm.", "I like how they put it.",
    "A bus that never comes and a wet umbrella, what a picture.", "Well, well.", "It made me laugh, the whole of it.",
    "Three hens and a fox in one sentence, they do make me laugh.", "So much rain, and they sing all the same.",
    "The garden and its snails, and all that rain on the lettuce.",
    "Their neighbour practises scales on a trombone at midnight, poor ears.",
    # Led to by their words, but about another conversation.
    "Their landlord and the letter about the rent, and the key that broke: let me look, I may have noted the landlord.",
    "The cat on the piano, and that waltz for their grandmother! I want to remember and keep it, old or new.",
]  # fmt: skip


def reason(name: str, thinking: str) -> str:
    turn, question = QUESTIONS[name]
    shown = NOTES if name in ("forget", "replace") else ()
    return call_without_reason(replace(turn, thinking=thinking), (question,), shown, PHRASES.intents)


@pytest.mark.parametrize(("name", "thinking"), [(name, text) for name, texts in LEADING.items() for text in texts])
def test_a_thought_in_any_voice_leads_to_its_call(name: str, thinking: str) -> None:
    assert reason(name, thinking) == ""


@pytest.mark.parametrize("name", ["forget", "recall", "add", "write"])
@pytest.mark.parametrize("thinking", LEADING_NOWHERE)
def test_a_thought_without_anything_in_common_leads_to_no_call(name: str, thinking: str) -> None:
    assert reason(name, thinking) == QUESTIONS[name][0].calls[0].label


@pytest.mark.parametrize("thinking", ["Number 2, then.", "The second one goes.", "Two it is."])
def test_the_number_of_another_line_leads_to_no_call(thinking: str) -> None:
    assert call_without_reason(replace(FORGET, thinking=thinking), ("Please.",), (), PHRASES.intents) == "delete_memory"


def test_a_thought_that_looks_into_the_list_leads_to_the_look_in_other_words_than_the_question_has() -> None:
    question = "I told you the name of the lady next door, and it's not mine to spread. You know, forget it, please?"
    thought = (
        "Past eleven, and it bothers them, somebody's name. Decent. Which note it is I'll only know from the list."
    )
    assert call_without_reason(replace(RECALL, thinking=thought), [question], [], PHRASES.intents) == ""
    elsewhere = "Past eleven, and the decent plumber bothers the canteen. Brass is a cold metal."
    assert call_without_reason(replace(RECALL, thinking=elsewhere), [question], [], PHRASES.intents) != ""
