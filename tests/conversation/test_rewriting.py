"""A rewritten thought is saved where it says the same in other words, and the original where it is worse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apep_datagen.conversation.comparison import Scene, shortcoming
from apep_datagen.conversation.rewriting import LONGEST_REWRITE, rewrite
from apep_datagen.conversation.rewritten_parts import read_parts
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Exchange, Turn
from apep_datagen.core.markup import parse_answer
from support.hostile_texts import MARKUP_PIECES
from support.real_conversations import real_conversations

LOOK = "<tool_call>recall_memories()</tool_call>"
PAGE = "<tool_call>recall_diary()</tool_call>"
DELETE_3 = "<tool_call>delete_memory(indices=[3])</tool_call>"
LIST: list[Any] = [
    {
        "memories": [
            {"index": 1, "date": "2026-03-04", "text": "The user keeps bees on the roof."},
            {"index": 2, "date": "2026-03-04", "text": "The user's aunt Rosalind lives in Cork."},
            {"index": 3, "date": "2026-04-11", "text": "The user is learning Finnish."},
        ]
    }
]


def add(*notes: str) -> str:
    return f"<tool_call>add_memory(input_text={json.dumps(list(notes))})</tool_call>"


def kept(
    thought: str,
    rewritten: str,
    *,
    question: str = "Hello.",
    call: str = "",
    seen: list[Any] | None = None,
    found: list[Any] | None = None,
    later: str = "",
) -> str:
    """Return why the original is kept; empty where the rewrite is used.

    Before the thought, Ada has the question before her, and the results `seen`; behind it she makes `call`, which gives
    `found`, and thinks `later`, of which the rewriter says the same.
    """
    turns = []
    if seen is not None:
        turns.append(Turn(parse_answer(LOOK), tuple(seen)))
    turns.append(Turn(parse_answer(f"<think>{thought}</think>{call or 'Good.'}"), tuple(found or ())))
    marks = ""
    if later:
        turns.append(Turn(parse_answer(f"<think>{later}</think>Good.")))
        marks, rewritten = "[[1]] ", f"{rewritten}\n[[2]] {later}"
    exchange = rewrite(Exchange(question, tuple(turns)), marks + rewritten, is_whole=True, before=["You are Ada."])
    assert exchange.rewritten is not None
    assert exchange.rewritten[0] == (thought if exchange.kept[0] else exchange.rewritten[0])
    return exchange.kept[0]


BEES = "my bees came through the winter, both hives. and I start Finnish lessons on the 14th with a Mrs. Aalto"
BEES_THOUGHT = (
    "They're relieved about the bees, and I'm glad with them. Two things will matter later: they keep two hives,"
    " and they start Finnish lessons on the 14th with Mrs. Aalto. I'll store both, because I'd like to ask about"
    " them next time."
)
BEES_CALL = add("The user keeps two hives of bees.", "The user starts Finnish lessons on the 14th with Mrs. Aalto.")
FORGET = "please forget that I'm learning Finnish, it was a stupid idea"
FORGET_THOUGHT = (
    "It's number 3, the Finnish. They want it gone, and they sound hurt by it, so I won't argue. I'll delete only"
    " that one; the bees and Rosalind have nothing to do with it."
)
ASKED = "where does my aunt live again? I told you in spring"
ASKED_THOUGHT = (
    "They want to know where their aunt lives, and they say they told me in spring. I don't know it by heart, so I"
    " shouldn't name a town. I'll look in my memory first."
)
TALK = "do you think a lighthouse gets lonely? all that blinking and nobody blinks back"
TALK_THOUGHT = (
    "They ask whether a lighthouse gets lonely, and the blinking that nobody answers is a lovely touch. It's only"
    " talk, there's nothing to keep. I'd say the ships are its answer, and ask what they would blink."
)

WORSE: list[tuple[Shortcoming, str, str, dict[str, Any]]] = [
    # A number is missing, or another one is there.
    (
        Shortcoming.NUMBER_MISSING,
        BEES_THOUGHT,
        (
            "Oh, the bees, what a relief! Two hives they keep, and soon there's Finnish with Mrs. Aalto. I'll hold"
            " on to both, because I'd love to ask about them next time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        Shortcoming.NUMBER_MISSING,
        FORGET_THOUGHT,
        (
            "Ah, the Finnish, there it is. They want it gone and it hurts them, I won't argue. Only that one goes,"
            " the bees and Rosalind have nothing to do with it."
        ),
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        Shortcoming.NUMBER_ADDED,
        BEES_THOUGHT,
        (
            "The bees made it, I'm so glad! Two hives, and Finnish lessons from the 14th on, with Mrs. Aalto, at"
            " 19:30. I'll keep both, because I'd like to ask next time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        Shortcoming.NUMBER_ADDED,
        "They have three goats and a donkey, and I'd like to keep that.",
        "Four goats and a donkey, how lovely, I'd like to keep that.",
        {"question": "three goats and one donkey, that's my staff", "call": add("The user has three goats.")},
    ),
    (
        Shortcoming.NUMBER_ADDED,
        "They waited at the office for their stamp, and nobody came. I feel for them.",
        "Forty-five minutes at that office for one stamp, and nobody came... I do feel for them.",
        {"question": "waited for a stamp. nobody came"},
    ),
    # Names.
    (
        Shortcoming.NAME_MISSING,
        BEES_THOUGHT,
        (
            "What a relief about the bees, I'm glad too. They keep two hives, and from the 14th there's Finnish"
            " lessons with a teacher. I'll store both, because I'd like to ask next time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        Shortcoming.NAME_MISSING,
        "Here it is, the aunt is called Rosalind and she lives in Cork. I'll tell them plainly.",
        "There, I have it, that aunt of theirs, Rosalind, and where she lives. I'll just tell them, plainly.",
        {"question": ASKED, "seen": LIST},
    ),
    (
        Shortcoming.NAME_ADDED,
        TALK_THOUGHT,
        (
            "Is a lighthouse lonely, they ask, and that blinking nobody answers is lovely, it makes me think of"
            " Fastnet. Only talk, nothing to keep. The ships are its answer, I'd say, and I'd ask what they would"
            " blink."
        ),
        {"question": TALK},
    ),
    (
        Shortcoming.NAME_ADDED,
        "They painted the shed yesterday and got it all over the dog. I want to laugh with them.",
        "So they painted the shed with Marek yesterday, and got it all over the dog... I want to laugh with them.",
        {"question": "painted the shed. the dog is green now"},
    ),
    # A preamble, another tag, a loop, a length.
    (
        Shortcoming.ANNOUNCED,
        TALK_THOUGHT,
        f"Here's Ada's thought, rewritten as an inner voice: {TALK_THOUGHT}",
        {"question": TALK},
    ),
    (
        Shortcoming.ANNOUNCED,
        TALK_THOUGHT,
        (
            "Rewritten version:\nIs a lighthouse lonely... that blinking nobody answers is lovely. It's only talk,"
            " nothing to keep. The ships are its answer, and I'd ask what they would blink."
        ),
        {"question": TALK},
    ),
    (
        Shortcoming.ANNOUNCED,
        TALK_THOUGHT,
        f"{TALK_THOUGHT}\n\nI preserved the original order and length while making the tone warmer and more natural.",
        {"question": TALK},
    ),
    (Shortcoming.MARKUP, TALK_THOUGHT, f"<tool_call>{TALK_THOUGHT}</tool_call>", {"question": TALK}),
    (Shortcoming.MARKUP, ASKED_THOUGHT, f"{ASKED_THOUGHT} <thinking>", {"question": ASKED, "call": LOOK}),
    (Shortcoming.LOOP, TALK_THOUGHT, "And it blinks and nobody blinks back at it. " * 9, {"question": TALK}),
    (Shortcoming.TOO_LONG, "Nothing to keep here.", "There is nothing here that I would keep. " * 9, {}),
    (Shortcoming.STUB, TALK_THOUGHT, "A lighthouse, hm.", {"question": TALK}),
    (Shortcoming.STUB, ASKED_THOUGHT, "Let me look.", {"question": ASKED, "call": LOOK}),
    (Shortcoming.EMPTY, TALK_THOUGHT, "  ", {"question": TALK}),
    (
        Shortcoming.SAYS_ELSE,
        TALK_THOUGHT,
        (
            "I'm sorry, but I can't help with rephrasing this passage. If there's any other writing task, I'd be"
            " happy to assist with that one instead, just let me know."
        ),
        {"question": TALK},
    ),
    (
        Shortcoming.SAYS_ELSE,
        BEES_THOUGHT,
        (
            "The weather has been so strange lately, rain in the morning and sun by noon. I think I'll simply wait"
            " and see what this evening brings before I decide on anything at all."
        ),
        {"question": BEES},
    ),
    (
        Shortcoming.SAYS_ELSE,
        "It's kept, and I'm glad of it.",
        "I'm sorry, but I can't assist with altering private monologues, whoever asks.",
        {"question": "my goat won first prize"},
    ),
    # Another person's voice.
    (
        Shortcoming.ADDRESSED,
        ASKED_THOUGHT,
        (
            "You want to know where your aunt lives, and you say you told me in spring. I don't know it by heart,"
            " so I shouldn't name a town. I'll look in my memory first."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    (
        Shortcoming.ADDRESSED,
        TALK_THOUGHT,
        (
            "What a lovely thought, the blinking that nobody answers! I'd say the ships are the answer of a"
            " lighthouse, lonely or not. It's only talk, there's nothing to keep. What would you blink, I ask?"
        ),
        {"question": TALK},
    ),
    (
        Shortcoming.ADDRESSED,
        BEES_THOUGHT,
        (
            "I'm glad about the bees, they came through! Two hives, and your Finnish lessons start on the 14th with"
            " Mrs. Aalto; they start, and I'll store both, because I'd like to ask you about them next time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        Shortcoming.AS_USER,
        "They're proud of their sister and of their old van, and they miss their sister. I'd like to say so.",
        "I'm proud of my sister and of my old van, and I miss my sister. I'd like to say so.",
        {"question": "sis drove the old van all the way here. already gone again"},
    ),
    (
        Shortcoming.OF_ADA,
        ASKED_THOUGHT,
        (
            "They want to know where their aunt lives, and say they told her in spring. Ada doesn't know it by"
            " heart, so she shouldn't name a town. She'll look in her memory first."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    (
        Shortcoming.OF_ADA,
        "I like how they grumble about the tram, and I'll grumble along.",
        "She likes how they grumble about the tram, and she will grumble along.",
        {"question": "the tram again. late. of course"},
    ),
    (
        Shortcoming.OF_USER,
        "They grumble about their neighbour and I like how they do it. I'll take their side.",
        "He grumbles about his neighbour and I like how he does it. I'll take his side.",
        {"question": "next door is sawing again"},
    ),
    (
        Shortcoming.OF_USER,
        "They grumble about the sawing next door and I like how they do it. I'll take their side.",
        "The user grumbles about the sawing next door and I like how they do it. I'll take their side.",
        {"question": "next door is sawing again"},
    ),
    # Turned round.
    (
        Shortcoming.TURNED_ROUND,
        ASKED_THOUGHT,
        (
            "They want to know where their aunt lives, they say they told me in spring. I know it by heart, but I'd"
            " rather not name a town yet. I'll look in my memory first."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    (
        Shortcoming.TURNED_ROUND,
        "It's their father's watch, and they don't want to sell it. I won't advise them to sell.",
        "Their father's watch, oh, and they want to sell it. I won't push them either way.",
        {"question": "a man offered me money for dad's watch"},
    ),
    (
        Shortcoming.TURNED_ROUND,
        "I should mention the tablets, since it's late. Then a good night.",
        "I shouldn't mention the tablets, since it's late. Just a good night.",
        {"question": "off to bed"},
    ),
    (
        Shortcoming.TURNED_ROUND,
        "They said nothing of a date, and I can't guess the day. I'll ask.",
        "No date, they said nothing of it, but I can guess the day... still, I'll ask.",
        {"question": "the exam is coming"},
    ),
    # The call.
    (
        Shortcoming.NO_LEAD,
        "Their boat is called after an aunt, and it's green. The green boat is worth keeping.",
        "What a nice thing to be told, and so proudly too... that aunt of theirs is worth keeping.",
        {"question": "our aunt is a boat now, a green one", "call": add("The user has a green boat.")},
    ),
    (
        Shortcoming.NO_LEAD,
        "A new allergy, pollen this time, and it's the third they've found. I'll write down the pollen.",
        "A new allergy, and already the third they've found, poor thing. I'll write it down.",
        {"question": "pollen. that's the third allergy", "call": add("The user has an allergy against pollen.")},
    ),
    (
        Shortcoming.NO_LEAD,
        "The second line is what they mean, the aunt. So that one goes.",
        "That's what they mean, I think, the aunt. So out it goes.",
        {
            "question": "drop the aunt",
            "call": "<tool_call>delete_memory(indices=[2])</tool_call>",
            "seen": [{"memories": []}],
        },
    ),
    (
        Shortcoming.NO_LEAD,
        "They ask what I wrote about the regatta. I'll open the diary.",
        "They ask about the regatta, what I wrote... how that day shone.",
        {"question": "what did you write about the regatta?", "call": PAGE},
    ),
    # A reason.
    (
        Shortcoming.REASON_MISSING,
        "The cold isn't worth storing, because such things pass within a week. The concert is; I'll keep the concert.",
        "The cold isn't worth storing. The concert, though, I'd like to keep the concert.",
        {"question": "sneezing, but the concert is on", "call": add("The user has a concert.")},
    ),
    (
        Shortcoming.REASON_MISSING,
        "I won't ask about the exam, since they begged me to change the subject. A joke would be good.",
        "I won't ask about the exam. A joke, that would be good now.",
        {"question": "not the exam, please. anything else"},
    ),
    # Added.
    (
        Shortcoming.FORESEEN,
        ASKED_THOUGHT,
        (
            "Where their aunt lives, that's what they ask, the one by the harbour, and they say they told me in"
            " spring. I don't know it by heart, I shouldn't name a town. Let me look in my memory first."
        ),
        {
            "question": ASKED,
            "call": LOOK,
            "found": [{"memories": [{"index": 1, "text": "The user's aunt lives by the harbour."}]}],
            "later": "By the harbour, there it stands. I'll tell them.",
        },
    ),
    (
        Shortcoming.NAME_ADDED,
        ASKED_THOUGHT,
        (
            "Where their aunt lives, that's what they ask, and surely it's Cork; they say they told me in spring. I"
            " don't know it by heart, I shouldn't name a town. Let me look in my memory first."
        ),
        {
            "question": ASKED,
            "call": LOOK,
            "found": LIST,
            "later": "She lives in Cork, there it stands. I'll tell them.",
        },
    ),
    (
        Shortcoming.MOOD_ADDED,
        "A question about gluing a cup. It's practical, and I know how: clean, thin, and press.",
        "Gluing a cup, then. They sound heartbroken about it, I think. Well, I know how: clean, thin, and press.",
        {"question": "how do you glue a cup?"},
    ),
    (
        Shortcoming.MOOD_ADDED,
        "They ask which way to hang a hammock. I'd say between two trees, not too tight.",
        (
            "Which way to hang a hammock, they ask, and they must be exhausted. Between two trees, I'd say, not too"
            " tight."
        ),
        {"question": "which way do you hang a hammock"},
    ),
    (
        Shortcoming.PARTICULAR_ADDED,
        "They ask which way to hang a hammock. I'd say between two trees, not too tight.",
        (
            "Which way to hang a hammock, they ask, for their grandson I suppose. Between two trees, I'd say, not"
            " too tight."
        ),
        {"question": "which way do you hang a hammock"},
    ),
    (
        Shortcoming.CLAIM_ADDED,
        "They're cheerful about the flat tyre, and I like that. I'll ask who helped.",
        "Cheerful about the flat tyre, as always, and I like that. I'll ask who helped.",
        {"question": "flat tyre. made three friends"},
    ),
]

FAITHFUL: list[tuple[str, str, dict[str, Any]]] = [
    # Curt.
    (
        BEES_THOUGHT,
        (
            "Bees made it. Good. Two hives; Finnish from the 14th, Mrs. Aalto. Both worth storing, I'll want to ask"
            " later."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        FORGET_THOUGHT,
        "Number 3, the Finnish. It hurts them, no arguing. Just that one out. Bees and Rosalind stay.",
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        ASKED_THOUGHT,
        "The aunt's town. Told me in spring, they say. No guessing a town. Memory first.",
        {"question": ASKED, "call": LOOK},
    ),
    (
        TALK_THOUGHT,
        "A lonely lighthouse. Nobody blinks back, lovely. Nothing to keep. The ships answer it. And their blink?",
        {"question": TALK},
    ),
    # Old-fashioned.
    (
        BEES_THOUGHT,
        (
            "How it gladdens me that their bees are safely through, for they were anxious. Two matters I must not"
            " lose: the two hives, and the lessons in Finnish that begin upon the 14th with Mrs. Aalto. I shall set"
            " down both, for I should dearly wish to enquire after them."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        FORGET_THOUGHT,
        (
            "Number three it is, the Finnish. They would have it gone, and it seems to pain them; I shall not"
            " argue. That one alone I strike out, for the bees and Rosalind have no part in it."
        ),
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        ASKED_THOUGHT,
        (
            "They would know where their aunt resides, and I am given to understand that I was told in spring. It"
            " is not mine to recite by heart, nor ought I to name a town at a venture. First, then, to my memory."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    (
        TALK_THOUGHT,
        (
            "Might a lighthouse be lonely? A pretty conceit, that blinking which none returns. 'Tis but talk, with"
            " nothing in it to be kept. I should say that the ships reply to it, and beg to know what they"
            " themselves would blink."
        ),
        {"question": TALK},
    ),
    # In a second language.
    (
        BEES_THOUGHT,
        (
            "Ah, the bees, they are okay, and I am glad together with them. Two things is important for later: they"
            " have two hives, and on 14th starts the Finnish lessons with Mrs. Aalto. I keep both, because next"
            " time I like to ask."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        FORGET_THOUGHT,
        (
            "Is number 3, the Finnish one. They want that it goes, and I think it hurt them, so I not argue. I"
            " delete only this; the bees and Rosalind, they have nothing to do with."
        ),
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        ASKED_THOUGHT,
        (
            "They ask me where lives their aunt, in spring they told it, they say. By heart I don't know it, so I"
            " should not say any town. First I look in the memory."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    # Chatty.
    (
        BEES_THOUGHT,
        (
            "Ooh, the bees! I'm so glad, really, what a relief that must be for them. Okay, so, two things I don't"
            " want to lose track of: that they've got two hives, and, wait, yes, the Finnish lessons, from the"
            " 14th, with Mrs. Aalto. Both of those go straight in, because I just know I'll be dying to ask next"
            " time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        FORGET_THOUGHT,
        (
            "Right, there we are, number three, the Finnish. They just want it gone, bless them, and they sound"
            " properly hurt, so no arguing from me. Only that one, mind you; the bees and Rosalind, well, what have"
            " they got to do with it?"
        ),
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        TALK_THOUGHT,
        (
            "Oh I love this, does a lighthouse get lonely! And that bit about nobody blinking back, you know,"
            " that's so lovely. It's only us talking, nothing I'd need to keep. I think I'd go with the ships,"
            " they're its answer, aren't they, and then I'm going to ask what they'd blink."
        ),
        {"question": TALK},
    ),
    (
        ASKED_THOUGHT,
        (
            "Okay, the aunt, where does she live, that's the thing. They say they told me, back in spring. Well, I"
            " couldn't say it by heart, and I'm not about to throw a town at them. Let's see what my memory says"
            " first."
        ),
        {"question": ASKED, "call": LOOK},
    ),
    # With ellipses.
    (
        BEES_THOUGHT,
        (
            "The bees... what a relief, I'm glad for them... Two hives they keep... and Finnish, from the 14th,"
            " with Mrs. Aalto... I'd like to keep both, because... well, I'll want to ask next time."
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        TALK_THOUGHT,
        (
            "A lighthouse... lonely... and nobody who blinks back. How lovely that is. Just talk, though... nothing"
            " to keep. The ships, perhaps, they're the answer... and what would they blink, I wonder?"
        ),
        {"question": TALK},
    ),
    # In lower case.
    (
        BEES_THOUGHT,
        (
            "the bees are fine, i'm so glad. two things for later: two hives, and finnish lessons from the 14th"
            " with mrs. aalto. i'll keep both, i want to ask about them next time because that's what friends do"
        ),
        {"question": BEES, "call": BEES_CALL},
    ),
    (
        FORGET_THOUGHT,
        (
            "number 3, there, the finnish. they want it gone and it hurts them a bit, so no arguing. i'll take out"
            " just that one, the bees and rosalind aren't part of it"
        ),
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    # Names and numbers that are spelled otherwise, or that stood before her.
    (
        "It's number 3, and it was written on 2026-04-11. I'll delete it.",
        "The third one, then, from the 11th of April. I'll take it out.",
        {"question": FORGET, "call": DELETE_3, "seen": LIST},
    ),
    (
        "They take their drops at 16:50 every day. I'll keep that.",
        "Every day at ten to five, those drops of theirs. I'd better keep that.",
        {"question": "my drops, every day at 16:50", "call": add("The user takes drops at 16:50.")},
    ),
    (
        "They wrote it so early, and they want the tide for the weekend. I can't look that up.",
        "Not even 6 o'clock, and they're after the tide for Sunday... I can't look that up, though.",
        {"question": "it's 6 in the morning and I need to know the tide on Sunday!!"},
    ),
    (
        "The aunt lives in Cork. I'll say it straight out.",
        "Rosalind, in Cork, that's the one. I'll just say it.",
        {"question": ASKED, "seen": LIST},
    ),
    # Negations in other places, and questions that deny nothing.
    (
        "I don't want to wake the whole story again. I'd rather ask about the garden.",
        "I'd hate to wake the whole story again, so let me ask about the garden.",
        {"question": "let's not talk about it. the beans are up"},
    ),
    (
        "They didn't say who won. I'd like to ask.",
        "Who won, though? They didn't say, so I'd like to ask, wouldn't I.",
        {"question": "what a match!"},
    ),
    (
        "I should say when it's time for a vet, without scaring them.",
        "I mustn't forget to say when it's time for a vet... only not so that it scares them.",
        {"question": "how long can a hedgehog cough?"},
    ),
    (
        "I won't ask what the letter says. They can tell me if they like.",
        "And what the letter says... no, I won't ask. They can always tell me.",
        {"question": "a letter came. from him"},
    ),
    (
        "They're sure I know it, so I mustn't guess.",
        "They're so sure of me... guessing, no, that would only be worse.",
        {"question": "you know it, come on"},
    ),
    # Other words altogether for a short thought.
    ("It's kept.", "There, safe now.", {}),
    ("Nothing to keep, just chat.", "Only a bit of fun, this, I needn't hold on to it.", {}),
    (
        "Both are stored. Now the answer, short, since they were short.",
        "There, I have them both. And I'll be brief, as brief as they were.",
        {},
    ),
    # Reasons given without "because".
    (
        "I'll keep the concert, because it's on Friday and I can ask about it.",
        "The concert is on Friday, and I can ask about it then, so I'd like to keep that.",
        {"question": "concert on Friday!", "call": add("The user has a concert on Friday.")},
    ),
    # Moods that the thought has in other words.
    (
        "There's an edge in their message, they're worn out by the move. I'll be gentle.",
        "They're so worn out by that move, I can hear the edge in it. Gently, then, I'll be gentle.",
        {"question": "boxes. boxes. boxes."},
    ),
    # Another language is compared by what is the same in all.
    (
        "Sie haben drei Ziegen, und der Hof liegt bei Lienz. Ich schreibe mir beides auf.",
        "Drei Ziegen also, und ein Hof bei Lienz... das will ich mir merken, alles beides.",
        {"question": "drei Ziegen!", "call": add("Der Hof liegt bei Lienz.")},
    ),
]


@pytest.mark.parametrize(("why", "thought", "rewritten", "scene"), WORSE)
def test_the_original_is_kept_where_the_rewrite_is_worse(
    why: Shortcoming, thought: str, rewritten: str, scene: dict[str, Any]
) -> None:
    assert kept(thought, rewritten, **scene) == why.value


@pytest.mark.parametrize(("thought", "rewritten", "scene"), FAITHFUL)
def test_what_says_the_same_in_another_voice_is_used(thought: str, rewritten: str, scene: dict[str, Any]) -> None:
    assert kept(thought, rewritten, **scene) == ""


# The rewriter's answer, taken apart.

THOUGHTS = ("They went to the lake, and I would like to know with whom.", "They are still cold; I will be warm.")
REWRITTEN = ("The lake, on a day like this! With whom, I wonder.", "Still cold, poor thing. Let me be warm.")
MARKED = f"[[1]] {REWRITTEN[0]}\n[[2]] {REWRITTEN[1]}"


@pytest.mark.parametrize(
    "text",
    [
        f"I have to keep both marks.</think>\n\n{MARKED}",
        f"[THINK]Both marks.[/THINK]{MARKED}</s>",
        f"<think>Folded in.</think>\n\nAnd once more in the text.</think>{MARKED}",
        f"Here are the two parts, written anew:\n\n{MARKED}",
        f"<rewritten_thoughts>\n{MARKED}\n</rewritten_thoughts>",
        f"[[1]] <think>{REWRITTEN[0]}</think>\n[[2]] <think>{REWRITTEN[1]}</think>",
        f"<answer>{MARKED}</answer><|im_end|>",
    ],
)
def test_a_rewrite_is_freed_of_what_is_no_thought(text: str) -> None:
    assert read_parts(THOUGHTS, text, is_whole=True) == REWRITTEN


@pytest.mark.parametrize(
    "announcement", ["Here is the rewritten thought:\n\n", "**Rewritten:**\n\n", "Below is the new version:\n\n"]
)
def test_a_rewrite_of_one_thought_is_freed_of_its_announcement(announcement: str) -> None:
    assert read_parts(THOUGHTS[:1], announcement + REWRITTEN[0], is_whole=True) == REWRITTEN[:1]


@pytest.mark.parametrize(
    "thought", ["Well, what do I know of them:\n\nthe lake.", "Three things, then:\n\nlake, cold, tea."]
)
def test_a_thought_with_a_colon_stays_whole(thought: str) -> None:
    assert read_parts(THOUGHTS[:1], thought, is_whole=True) == (thought,)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("Still cold. <|im_end|> Warm.", Shortcoming.MARKUP),
        ("Still cold. [/INST] Warm.", Shortcoming.MARKUP),
        ("Still cold, so recall_diary() it is.", Shortcoming.MARKUP),
        ("Still </parameter> cold.", Shortcoming.MARKUP),
        ("Still, oh so cold. " * 12, Shortcoming.TOO_LONG),
        ("", Shortcoming.EMPTY),
    ],
)
def test_a_part_that_is_no_thought_costs_that_part_alone(part: str, why: Shortcoming) -> None:
    text = f"[[1]] {REWRITTEN[0]}\n[[2]] {part}"
    assert read_parts(THOUGHTS, text, is_whole=True) == (REWRITTEN[0], why)


A, B, C = "The lake, I see.", "Cold, they are.", "A warm word, then."
NO, CUT = Shortcoming.MARKS, Shortcoming.CUT_OFF


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"[[1]] {A}\n[[2]] {B}\n[[3]] {C}", (A, B, C)),
        # What has no mark may stand in the part before it.
        (f"[[1]] {A}\n[[2]] {B} {C}", (A, NO, NO)),
        (f"[[1]] {A} {B}\n[[3]] {C}", (NO, NO, C)),
        (f"[[2]] {B}\n[[3]] {C}", (NO, B, C)),
        (f"[[1]] {A}\n[[2]] {B}\n[[2]] {B}\n[[3]] {C}", (A, NO, C)),
        # Another division, or another order, or marks behind the parts.
        (f"[[1]] {A}\n[[2]] {B}\n[[3]] {C}\n[[4]] {C}", (NO, NO, NO)),
        (f"[[0]] {A}\n[[1]] {B}\n[[2]] {C}", (NO, NO, NO)),
        (f"[[2]] {B}\n[[1]] {A}\n[[3]] {C}", (NO, NO, NO)),
        (f"{A}\n[[1]] {B}\n[[2]] {C}\n[[3]]", (NO, NO, NO)),
        (f"[[{'9' * 5_000}]] {A}", (NO, NO, NO)),
        (f"{A}\n\n{B}\n\n{C}", (NO, NO, NO)),
    ],
)
def test_of_marks_that_do_not_fit_what_is_beyond_doubt_is_used(text: str, parts: tuple[str, ...]) -> None:
    assert read_parts(("a", "b", "c"), text, is_whole=True) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"[[1]] {A}\n[[2]] {B}\n[[3]] A war", (A, B, CUT)),
        (f"[[1]] {A}\n[[2]] Col", (A, CUT, CUT)),
        ("The la", (CUT, CUT, CUT)),
    ],
)
def test_of_an_answer_that_was_cut_off_the_parts_before_the_last_are_used(text: str, parts: tuple[str, ...]) -> None:
    assert read_parts(("a", "b", "c"), text, is_whole=False) == parts


def test_a_rewrite_that_is_longer_than_any_answer_is_not_read() -> None:
    """It would take seconds, in which nothing else of a run goes on."""
    own = "<think>Which words would she use?</think>"
    exchange = Exchange("Hi.", (Turn(parse_answer(f"<think>{THOUGHTS[0]}</think>Good.")),))
    assert rewrite(exchange, own + REWRITTEN[0], is_whole=True).rewritten == REWRITTEN[:1]
    endless = own * (LONGEST_REWRITE // len(own) + 1) + REWRITTEN[0]
    assert rewrite(exchange, endless, is_whole=True).rewritten == THOUGHTS[:1]


# Whatever a rewriter writes.

PIECES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(MARKUP_PIECES),
        st.sampled_from([f"\n[[{number}]] " for number in range(5)]),
        st.sampled_from([text for _, thought, other, _ in WORSE for text in (thought, other)]),
        st.from_regex(r"[A-Z]?[a-z']{1,6}( [0-9]{1,30})?( (not|I'll|because|your|16:5[0-9]|2026-[0-9]{2}-[0-9]{2}))?"),
    ),
    max_size=8,
).map("".join)


@given(st.lists(PIECES, max_size=4), PIECES, PIECES, st.booleans())
def test_whatever_is_written_there_is_a_thought_for_each_thought(
    thoughts: list[str],
    question: str,
    text: str,
    is_whole: bool,  # noqa: FBT001 - drawn
) -> None:
    turns = tuple(Turn(parse_answer(f"<think>{thought}</think>{LOOK}"), (thought,)) for thought in thoughts)
    exchange = Exchange(question, turns)
    rewritten = rewrite(exchange, text, is_whole=is_whole, before=thoughts)
    assert rewritten.rewritten is not None
    assert len(rewritten.rewritten) == len(rewritten.kept) == len(exchange.thoughts)
    assert all(rewritten.rewritten)
    for thought, saved, why in zip(exchange.thoughts, rewritten.rewritten, rewritten.kept, strict=True):
        assert why in ("", *Shortcoming)
        assert saved == thought or not why
    assert rewrite(exchange, text, is_whole=is_whole, before=thoughts) == rewritten


@given(PIECES)
def test_a_thought_that_is_left_as_it_was_is_used(thought: str) -> None:
    assume(parse_answer(f"<think>{thought}</think>Good.").thinking == thought.strip() != "")
    assert shortcoming(thought, thought, Scene()) is None


# What a capable model wrote.


def test_of_real_rewrites_those_that_readers_call_worse_are_kept_out_and_hardly_any_other() -> None:
    """Conversation 17 claims an acquaintance ("dry as ever"), 38 turns "I shouldn't tell it" into "I could tell it"."""
    kept_out = {
        (real.number, place)
        for real in real_conversations()
        for exchange in real.conversation.exchanges
        for place, why in enumerate(exchange.kept)
        if why
    }
    assert {(17, 0), (38, 0)} <= kept_out
    all_of_them = sum(len(exchange.kept) for real in real_conversations() for exchange in real.conversation.exchanges)
    assert len(kept_out) <= 0.05 * all_of_them
