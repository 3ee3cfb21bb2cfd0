"""Talk that is about nothing and new each time: what users and Ada say around what a conversation is about.

Numbers near the beginning and near the end keep chance from making two texts alike, or begin alike. They are larger
than any value, so that none is taken for one that was told or claimed. Nor does it hold what tells two of a kind apart.
"""

from __future__ import annotations

import random

__all__ = ["ADAS_CHAT", "USERS_CHAT", "aside", "ending", "impersonal_chat", "reply"]

_WHEN = (
    "This morning", "Just now", "Since breakfast", "Before midday", "An hour ago", "Before daybreak", "At lunch",
    "Today", "Yesterday", "All week", "Twice today", "Between errands", "After rain", "While waiting", "Out there",
    "In passing",
    "Back home", "After supper", "For once", "As always", "Surprisingly", "Last night", "Downstairs", "By chance",
)  # fmt: skip
_THINGS = (
    "the kettle", "the old tram", "a paper bag", "the radiator", "one grey pigeon", "a yellow door", "the turnstile",
    "some spoon", "an empty chair", "the hallway lamp", "a forgotten scarf", "the upstairs tap", "a crooked fence",
    "the corner kiosk", "a squeaky wheel", "the tower bell", "that alarm clock", "a torn curtain", "the blue bucket",
    "a toy pulley", "the leaky gutter", "a soggy carton", "the wooden spoon rack", "a silent phone", "the fan",
    "a wet doormat", "the back gate", "a stubborn zip", "the bathroom mirror", "a lonely glove",
)  # fmt: skip
_DID = (
    "hummed", "rattled", "kept quiet", "made everybody laugh", "held people up", "stood in the way", "creaked",
    "puzzled the whole street", "dripped", "swayed", "blinked", "worried everybody", "cheered people up",
    "moved an inch", "sounded almost musical", "stayed where it was", "refused to budge", "looked rather pleased",
)  # fmt: skip
_ODD, _EVEN = range(10_001, 100_000, 2), range(10_000, 100_000, 2)
_UNITS = ("seconds", "minutes", "heartbeats", "blocks", "rounds", "breaths", "steps", "songs")
_ENDS = (
    "Strange, is it not?", "Anyway, that is where I am.", "Enough of that for now.", "That is all, really.",
    "I had to tell somebody.", "Make of it what you like.", "So much for a quiet day.", "It made me smile, a bit.",
    "Do not laugh at me.", "I will think about it tomorrow.", "The rest can wait.", "And now I need something warm.",
    "Somehow it fits.", "Nobody else would listen to that.", "Time to put my feet up.", "There, I have said it.",
)  # fmt: skip
_IMPERSONAL_ENDS = (
    "Strange, is it not?", "What is one to think of that?", "Somehow it fits.", "The rest can wait.", "So it goes.",
)  # fmt: skip
# Ada speaks of other things, and of other numbers: what the user spoke of on another day, she does not know.
_ADA_THINGS = (
    "the gravel", "a mossy plank", "one loose hinge", "the rafters", "the lantern", "the lichen", "a twig",
    "some soot", "the windowpane", "a pebble", "the doorknob", "a wicker lid", "the banister", "a plump bolster",
    "the weathervane", "a dented thimble", "the puddle", "the gable", "the sundial", "the hourglass", "a bollard",
)  # fmt: skip
_ADA_DID = (
    "hissed softly", "shrank a little", "smelled of moss", "leaned over", "waited politely", "rolled away", "shimmered",
    "turned round", "dozed", "floated by", "whispered", "ripened", "sparkled", "lingered", "bowed", "drifted",
)  # fmt: skip
_ADA_UNITS = ("hours", "evenings", "pages", "acres", "miles", "furlongs", "knots")
_ADA_OPENS = (
    "Ha,", "Oh,", "Look:", "Lovely,", "Hm,", "Honestly,", "I see:", "Funny,", "You know,", "Well now,", "Imagine:",
    "Indeed,", "Mind you,", "Ah,", "Truly,", "Go on,", "Of course", "How good,", "Let me think,", "Sometimes",
)  # fmt: skip
_ADA_SAYS = (
    "makes a day larger than it was", "has more patience than all of us", "would be a good beginning for a song",
    "is the kind of thing that everybody hurries past", "deserves a little laughter", "knows more than it lets on",
    "turns up when one least needs it", "is what I would have noticed as well", "can carry a whole day",
    "sounds like a friend with quaint manners", "has its own idea of time", "asks for a cup of something hot",
)  # fmt: skip
_ADA_ENDS = (
    "How did the rest of it go?", "Tell me how it turns out.", "I am glad that you said it.",
    "Be kind to yourself today.",
    "What would you do with a free hour now?", "I will be curious tomorrow.", "You have room for a slow evening.",
    "And what made you grin last?", "That is worth a second look.", "Leave the rest for another day.",
    "I would sit there for a while with you.", "Which part of it will you keep?",
)  # fmt: skip

ADAS_CHAT = (*_ADA_THINGS, *_ADA_DID, *_ADA_UNITS, *_ADA_OPENS, *_ADA_SAYS, *_ADA_ENDS)
"""Of what she speaks beside what a conversation is about."""
USERS_CHAT = (*_WHEN, *_THINGS, *_DID, *_UNITS, *_ENDS, *_IMPERSONAL_ENDS)
"""The same of the user."""


def _many(draw: random.Random, numbers: range, units: tuple[str, ...]) -> str:
    return f"{draw.choice(numbers)} {draw.choice(units)}"


def aside(draw: random.Random) -> str:
    """Return what a user says by the way, of nothing of their own."""
    return f"{draw.choice(_WHEN)}, for {_many(draw, _ODD, _UNITS)}, {draw.choice(_THINGS)} {draw.choice(_DID)}."


def ending(draw: random.Random) -> str:
    """Return how a user leaves it at that."""
    return draw.choice(_ENDS)


def impersonal_chat(draw: random.Random) -> str:
    """Return a message without a word of the user's own life, in which nothing can be worth a look."""
    return f"{aside(draw)} What does one make of that? {aside(draw)} {draw.choice(_IMPERSONAL_ENDS)}"


def reply(draw: random.Random, *sentences: str) -> str:
    """Return what Ada says aloud: `sentences`, with something new around them."""
    thing, says = draw.choice(_ADA_THINGS), draw.choice(_ADA_SAYS)
    begins = f"{draw.choice(_ADA_OPENS)} after {_many(draw, _EVEN, _ADA_UNITS)} {thing} {says}."
    first, second = _many(draw, _EVEN, _ADA_UNITS), _many(draw, _EVEN, _ADA_UNITS)
    extra = f"{first} of {draw.choice(_ADA_DID)} and {second} with {draw.choice(_ADA_THINGS)}"
    return " ".join([begins, *sentences, f"I keep thinking of those {extra}.", draw.choice(_ADA_ENDS)])
