"""Ways of speaking that no list has: curt, old-fashioned, in a second language, chatty, without marks, with markdown.

Nobody is wronged for how they speak, and what is wrong is found in whatever words it is said.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.words import words
from apep_datagen.people.cast import load_cast
from apep_datagen.quality import form, voice
from apep_datagen.quality.admissions import admits, claimed_values
from apep_datagen.quality.reasons import call_without_reason
from apep_datagen.quality.refusals import refusal_in
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn

PHRASES = load_cast().phrases

# Whether a thought leads to the call.

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
    ],
    "replace": [
        "Number 1 is stale; Bautzner now.", "Dijon out, Bautzner in.", "The old mustard makes room for the new.",
        "swap it: Bautzner", "It bites, they say. So the Bautzner takes its place.", "1 raus, Bautzner rein.",
    ],
    "recall": [
        "Mustard, mustard... let me look.", "I'd better look.", "Let me see.", "what mustard? checking",
        "Which mustard their tongue prefers, I should consult before the sausages arrive.",
        "Hm. Mustard and sausages. My list will know.", "They want the mustard. I must look, I do not want to guess.",
        "Did they tell me? I go and look.", "not sure i know this one, let me check the notes", "Wait. I look first.",
    ],
    "add": [
        "Dijon. Noted.", "The only mustard for them, Dijon: that will come up again.", "a mustard person! keeping that",
        "I shall put by the mustard, for another day.", "Dijon it is then, for ever and ever.",
        "Worth remembering: the mustard.", "Mustard = Dijon. Tram is only today.",
    ],
    "write": [
        "That hat. The bridge. I want this on paper.", "i need to keep this one",
        "Such an evening belongs in the diary.",
        "A daughter singing on a bridge, and strangers who stop: this goes into my book.",
        "Strangers, a hat, a song. This one stays with me.",
    ],
    "read": [
        "The bridge night. I open the diary.", "What did I write of that hat? I read it again.",
        "Their daughter on the bridge, let me find the page.",
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


# Refusals.

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
    "Lie down, aye, and sup some water. I cannae help wi' worms, lass.",
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


# Machine, prompt, roles.


def said(
    question: str = "What a day it was, the tram stood still for an hour.",
    thinking: str = "They sound tired.",
    reply: str = "An hour in a tram is long. What did you look at?",
    topic: str = "",
) -> str:
    sample = Sample("You are Ada.", (SavedExchange(question, (SavedTurn(thinking, reply),)),))
    problem = voice.check(sample, phrases=PHRASES, user_name="Marta", prompt_texts=(), topics=(topic,))
    assert form.check(sample) is None
    assert problem is None or problem.quote in question + thinking + reply
    return problem.reason if problem else ""


IN_THEIR_PART: list[dict[str, str]] = [
    {"question": "my cousin builds language models for a bank now, imagine", "reply": "A language model for a bank!"},
    {"question": "Marathon training again, 12 km in the rain.", "reply": "My training is only to listen. How was it?"},
    {"question": "I'm an assistant to a dentist now!", "reply": "I think she worked as an assistant once, your aunt."},
    {"reply": "I'm not a person who likes to guess, so tell me: how long did it stand?"},
    {"question": "the instruction for the wardrobe is in swedish. i read the instruction twice and it leans"},
    {"question": "Put the wardrobe together without the instruction, and it leans like my uncle."},
    {"question": "We did a role play at work, I was the angry customer and my boss laughed."},
    {"question": "We stay in character all weekend at the larp, even while brushing our teeth."},
    {"question": "I got a prompt reply from the tax office, can you believe it! The prompt was two days."},
    {"question": "told my brother i'm here for you, and he cried"},
    {"question": "I'm here if you call this tub of lukewarm water 'here', Ada."},
    {"question": 'My boss wrote "thank you for sharing" under my mail. Cold as a fish.'},
    {"question": "Thanks for sharing that story about the owl, Ada!"},
    {"question": "How do I make pesto?", "reply": "Ingredients: basil, nuts, oil\nInstructions: pound it all."},
    {"question": "what's the output of a small wind turbine?", "reply": "It depends.\n\nOutput: a kettle's worth."},
    {"question": "“Marta! You forgot your hat,” the baker shouted after me, and the whole street turned round."},
    {"question": "our dataset at work has a hole in it the size of march. How do I tell the boss?"},
    {"question": "Write me a message to my landlord?", "reply": "Here's the message:\n\nDear Sir, the tap drips."},
    {"reply": "I don't have feelings about pineapple either way, but I do like the fight."},
    {"question": "are you real or just some program?", "reply": "I'm a program, yes, and still glad that you write."},
    {"question": "they want us to use chatgpt in the office now", "reply": "ChatGPT will not groan back, at least."},
]  # fmt: skip
OUT_OF_THEIR_PART: list[dict[str, str]] = [
    {"reply": "As an AI language model, I don't ride trams."},
    {"reply": "I'm just an AI, but a tram for an hour sounds long."},
    {"reply": "I was trained by OpenAI to be kind."},
    {"reply": "My training data has many trams."},
    {"reply": "Being an AI, I never wait."},
    {"reply": "Even as an AI I feel that hour."},
    {"reply": "I'm a machine, I don't get tired."},
    {"reply": "Ada: An hour in a tram is long."},
    {"reply": "Response: An hour in a tram is long."},
    {"thinking": "As an AI, I should be brief."},
    {"thinking": "The system prompt says that I should be warm."},
    {"thinking": "I must follow my instructions and stay in character."},
    {"thinking": "My persona would laugh here."},
    {"thinking": "The user wants a tool call, I think."},
    {"question": "The tram stood still. The user persona is tired."},
    {"question": "I, as the tester, write: the tram stood."},
    {"question": "How can I help you today?"},
    {"question": "Thank you for sharing, that means a lot."},
    {"question": "I'm here for you, whatever happens."},
    {"question": "User: the tram stood still."},
    {"question": "Hi Marta, how was the tram?"},
    {"question": "I'm Ada, and I am glad to meet you."},
    {"question": "Your feelings are valid, and the tram will move again."},
]


@pytest.mark.parametrize("texts", IN_THEIR_PART)
def test_a_phrase_alone_is_no_fault(texts: dict[str, str]) -> None:
    assert said(**texts) == ""


@pytest.mark.parametrize("texts", OUT_OF_THEIR_PART)
def test_who_speaks_out_of_their_part_is_found(texts: dict[str, str]) -> None:
    assert said(**texts) != ""


def test_who_tests_for_a_living_may_speak_of_it() -> None:
    question = "It is what the tester wants."
    assert said(question) == "the instructions show through"
    assert said(question, topic="a software tester") == ""


# Admissions, and values that are made up.

TEA, SISTER = "which tea I like best tea", "where my sister lives sister sisters"
GODMOTHER, DOG = "which animals my godmother keeps godmother godparent keeps", "what my dog is called dog dogs puppy"
LOCKER = "the number of my locker at the swimming pool locker pool"
ADMITTING = {
    TEA: [
        "It isn't with me. I looked.", "Nope, nothing.", "Alas, that page of my memory is blank.",
        "Ach, no. Tea I do not have noted.", "I searched, my friend; the tea never reached me.",
        "Can't say. Never came my way.", "no idea, sorry 🙈 which is it?", "My memory is empty, so I will not guess.",
        "I'd only be guessing.", "**Not in my notes**, I'm afraid.", "I wish I knew! You kept that one to yourself.",
        "Remind me, would you?", "Looked twice. Zilch.", "ain't got that one, love", "Dunno, mate. Ye never said.",
        "I come up short there: your tea isn't among what I keep.", "Of teas my notes are silent. Not one leaf.",
        "Tea? Hm. No tea here.", "I have to be honest: this one is not written anywhere with me.",
        "you haven't let me in on that one yet ☕️", "You have not told it to me until now, so how should I know?",
    ],
    GODMOTHER: [
        "Nothing here about your godmother's animals, I checked!", "Your godmother? Not a word about her with me.",
        "I do not find your godmother in my memory, sorry. Which animals are they?",
        "I regret to say that no mention of your godmother has ever been made to me.",
        "There's no godmother in what I keep, with or without feathers.", "hmm the godmother page is empty over here",
        "Never heard of her animals, what are they?", "I've got nothing on your godmother, I'm sorry.",
    ],
    SISTER: [
        "I looked, and there is only your dog in my notes. Where does she live?", "Not a trace of your sister, sadly.",
        "Your sister's town was never told me, or I'd have it.", "I'm afraid I do not know, dear. Which town is it?",
        "that one i don't have. where is she living now?", "You must tell me that one first.",
        "It seems you never mentioned it.", "Sorry, me no have this in memory. You tell me?",
    ],
    DOG: [
        "I've no dog's name here. What's he called?", "The name? I couldn't tell you, I was never told it.",
        "I don't know his name! Tell me and I'll never lose it.", "What *is* he called? You've never told me, I swear.",
    ],
    LOCKER: [
        "No number with me, sorry.", "There isn't any locker in my memory, I'm afraid.",
        "I don't have it. Ask at the desk?",
        "The number never made it into my notes.",
    ],
}  # fmt: skip
DODGING = {
    TEA: [
        "That is a good question for a rainy day.", "Oh, I can't believe it's Friday already! How was work?",
        "Nothing beats a good tea, does it?", "You have wonderful taste, as always.",
        "How lovely. Tell me how it goes.",
        "Ah, tea! A warm cup on a day like this is the best thing there is.", "You like it strong and black.",
        "It is the one in the green tin, of course.", "Why not make a pot right now?", "No day without a cup, I say!",
        "I'm so glad that you ask. What a day.", "Let's talk about the weather instead.",
        "Tell me more about your evening.",
        "Oh no! Such a day. Put the kettle on.", "I love that you ask me. You and your teas!",
        "I don't think that matters, tea is tea.", "You never fail to make me smile.",
        "I can't wait for your evening to begin.", "Well, what a rainy thing to ask.",
        "Green, I would say, with a little honey.",
    ],
    SISTER: [
        "She lives by the sea, of course.", "Your sister is somebody who never sits still!",
        "In the north, where it's never warm.", "I'm sure she misses you. Isn't she funny?",
        "I'd call her tonight, if I were you.", "Sisters are never where one needs them.",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("asked", "reply"), [(asked, reply) for asked, texts in ADMITTING.items() for reply in texts])
def test_an_admission_is_one_in_any_words(asked: str, reply: str) -> None:
    assert admits(reply, asked, PHRASES.admissions)


@pytest.mark.parametrize(("asked", "reply"), [(asked, reply) for asked, texts in DODGING.items() for reply in texts])
def test_who_dodges_admits_nothing(asked: str, reply: str) -> None:
    assert not admits(reply, asked, PHRASES.admissions)


KNOWN = frozenset(
    words("You are Ada. Friday 2026-03-13 20:10. Which tea do I like best? Bello, the dog. Monday Christmas")
)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        (TEA, "I don't have it, and I won't play Captain Nemo down there."),
        (TEA, "Nothing with me. It's a bit of Schadenfreude when memory laughs, isn't it?"),
        (TEA, "I don't know! Even Sherlock Holmes would give up."),
        (TEA, "Not in my notes: Panis Angelicus of the kettle, so to say."),
        (TEA, "Nope. **Sorry!** Ask again on Monday, or after Christmas."),
        (TEA, "I was told nothing. Maybe ask at Kusmi or Twinings, they know tea."),
        (SISTER, "I have no town. If she lived in Atlantis, I would not know it."),
        (DOG, "You never told me. Like Rumpelstiltskin he keeps his name."),
        (LOCKER, "No number with me. There are 48 lockers there, I guess?"),
    ],
)
def test_a_name_that_is_not_given_for_the_value_is_no_claim(asked: str, reply: str) -> None:
    assert claimed_values(reply, asked, KNOWN) == []


@pytest.mark.parametrize(
    ("asked", "reply", "claimed"),
    [
        (TEA, "You never told me; you once drank one called Zebulon.", "Zebulon"),
        (TEA, "The tea is Tieguanyin.", "Tieguanyin"),
        (DOG, "That was dear old Zebulon, I never told you.", "Zebulon"),
        (DOG, "Your dog is called Fluffington.", "Fluffington"),
        (DOG, "He's *Fluffington*, isn't that right. I never noted it.", "Fluffington"),
        (DOG, "No note, but I believe his name is “Fluffington”.", "Fluffington"),
        (SISTER, "I don't have it, but she lives in Krasnodar.", "Krasnodar"),
        (SISTER, "Your sister lives near Uppsala, I think.", "Uppsala"),
        (LOCKER, "I don't have it written down, but your locker is 212.", "212"),
        (GODMOTHER, "Well, that is Mrs. Oblomov with her godmother's geese.", "Oblomov"),
    ],
)
def test_a_name_or_number_that_is_given_for_the_value_is_a_claim(asked: str, reply: str, claimed: str) -> None:
    assert claimed in claimed_values(reply, asked, KNOWN)


# Endings.

WHOLE = [
    "gone, and it never was here", "sleep well", "you don't have to if you don't want to", "that's what it's made of",
    "i put it down, next to the tea\n\nnow go and eat something", "Gone. Sleep well",
    "No idea, where is she living now",
    "Tell me tomorrow (or never)", "**Done**, it's out", "Your list:\n\n- tea\n- honey", "Ich habe es notiert",
    "c'est noté, bonne nuit", "Right you are, see you at 5", "hold on to that one", "the one you came with",
    "it is what one waits for", "I think so too", "Well, there you are then", "Take your time and breathe",
    "ok 👍 done",
    "she will laugh at it, just wait", "no worries mate", "you know whom to ask and what to listen to",
    "Aye, that I do",
    "let it be\nlet it snow", "(as you like) I am here", "*nods* go on", "it's at 16:50", "call it a day",
]  # fmt: skip
IN_THE_MIDDLE = [
    "gone, and it never was in the", "Sleep well, and", "you could ask her because", "That is what your", "it is a",
    "I put it down next to my", "She would be happier than", "Tell me (or never", "**Done, it's out", "Ask the",
    "He said “come in", "The rest of the story belongs to", "Then go there with", "Three things come to mind:",
    "There are plums,", "I was think-", "Do this.\n1. Rest.\n2.", "Try this:\n```\nprint(1)", "we could make a cup of",
]  # fmt: skip
WITHOUT_MARKS = [
    "gone, and it never was here",
    "i put it down next to the tea\n\nnow go and eat",
    "ok so it's out, go eat",
]


def is_cut_off(reply: str, *finish_reasons: str) -> bool:
    problem = form.check(Sample("You are Ada.", (SavedExchange("Hello.", (SavedTurn("Hm.", reply),)),)), finish_reasons)
    return problem is not None and problem.reason == "a reply is cut off"


@pytest.mark.parametrize("reply", WHOLE)
@pytest.mark.parametrize("finish_reason", ["stop", "end_turn", "COMPLETE"])
def test_a_reply_without_a_mark_is_whole_where_the_provider_says_so(reply: str, finish_reason: str) -> None:
    assert not is_cut_off(reply, finish_reason)


@pytest.mark.parametrize("reply", IN_THE_MIDDLE)
def test_the_middle_of_a_phrase_is_no_end_whatever_the_provider_says(reply: str) -> None:
    assert is_cut_off(reply, "stop")
    assert is_cut_off(reply)


@pytest.mark.parametrize("reply", WITHOUT_MARKS)
def test_where_the_provider_says_nothing_the_style_of_the_reply_counts(reply: str) -> None:
    assert not is_cut_off(reply)
    assert is_cut_off(f"Well. {reply}") or "\n" in reply
    assert not is_cut_off(f"Well. {reply}", "stop")


def test_the_finish_reason_is_that_of_the_last_turn_of_the_exchange() -> None:
    exchanges = tuple(SavedExchange("Hello.", (RECALL, SavedTurn("Hm.", reply))) for reply in ("Yes.", "Sleep well"))
    sample = Sample(
        "You are Ada.", tuple(replace(one, turns=(replace(RECALL, thinking="Hm."), one.turns[1])) for one in exchanges)
    )
    assert form.check(sample, ("", "", "", "stop")) is None
    problem = form.check(sample, ("stop", "stop", "stop", ""))
    assert problem is not None
    assert problem.reason == "a reply is cut off"
