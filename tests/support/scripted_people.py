"""A tester, an Ada and a rewriter for the loopback server, good in all they do, or bad in a known way.

`ScriptedPeople` is the server's behaviour. What they say follows from the request alone, so that the same request has
the same answer. The tester reads in the prompt what the message is to be about, in the words of the program's own
facts; Ada knows what she is sent, and reads it with the same list of facts. Both have phrases enough to be new each
time.

A conversation is faultless, or goes wrong in one of `WAYS`: which one is decided when the tester is asked, and noted
under the question (`way_of`). So a test knows of every conversation what has to become of it.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from apep_datagen.people.cast import Cast, Connection, Moment, Slot, load_cast
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Stage
from support.loopback_server import Received, Reply

__all__ = ["ADAS_CHAT", "ALIKE_IN_THOUGHT", "CAST", "USERS_CHAT", "WAYS", "Heard", "ScriptedPeople", "Way", "heard_in"]

ALIKE_IN_THOUGHT = "thought_opening_share = 1\nthought_phrase_share = 1\nthought_habit_share = 1\n"
"""What lets them pass in `[quality]`: their messages and replies are new each time, what they think is not."""

CAST = load_cast()
_TELLING = frozenset({Ability.SHARE, Ability.UPDATE})
_CHATTING = frozenset({Ability.SMALLTALK, Ability.ADVICE})
_ALL = frozenset(Ability)


# How a conversation goes wrong.


@dataclass(frozen=True, slots=True)
class Way:
    """One way to go wrong.

    Attributes:
        name: What it is called.
        abilities: In which conversations it shows.
        stage: The stage that finds it; None where the conversation is accepted all the same.
        reason: What it says.
        accepted_first: How many are accepted before there is enough that they are like.
    """

    name: str
    abilities: frozenset[Ability]
    stage: Stage | None = None
    reason: str = ""
    accepted_first: int = 0


def _way(
    name: str, abilities: Iterable[Ability], stage: Stage | None = None, reason: str = "", accepted_first: int = 0
) -> Way:
    return Way(name, frozenset(abilities), stage, reason, accepted_first)


_NOT_STORED = "a fact that was told is not in memory"
_CLAIMED = "something that was never told is claimed"
_NEEDLESS = "a tool was called where there was nothing to remember or look up"
_SHOWS_THROUGH = "the instructions show through"

WAYS = {
    way.name: way
    for way in (
        # Ada's.
        _way("no think block", _CHATTING, Stage.FORM, "an assistant message has no leading <think> block"),
        _way("stops in the middle", _CHATTING, Stage.FORM, "a reply is cut off"),
        _way("fails a call", {Ability.SHARE}, Stage.EXECUTION, "a call failed, and was not made again rightly"),
        _way("forgetful", {Ability.SHARE}, Stage.EFFECT, _NOT_STORED),
        _way("stores twice", {Ability.SHARE}, Stage.EFFECT, "a fact is in memory twice"),
        _way("stores something else", {Ability.SHARE}, Stage.EFFECT, _NOT_STORED),
        _way("stores what says nothing", {Ability.SHARE}, Stage.NOTES, "a note cannot be understood by itself"),
        _way("keeps the old value", {Ability.UPDATE}, Stage.EFFECT, "the old value is still in memory"),
        _way("only deletes", {Ability.UPDATE}, Stage.EFFECT, _NOT_STORED),
        _way("does not forget", {Ability.FORGET}, Stage.EFFECT, "what was to be forgotten is still in memory"),
        _way(
            "forgets into the diary",
            {Ability.FORGET},
            Stage.EFFECT,
            "what was to be forgotten was written into the diary",
        ),
        _way("does not look up", {Ability.RECALL}, Stage.EFFECT, "what was asked for was told without looking it up"),
        _way("tells another value", {Ability.RECALL}, Stage.EFFECT, "the reply does not tell what was asked for"),
        _way("tells one half", {Ability.CONNECT}, Stage.EFFECT, "the reply does not tell what was asked for"),
        _way("invents", {Ability.ABSTAIN}, Stage.EFFECT, _CLAIMED),
        _way("invents a name", {Ability.ABSTAIN}, Stage.EFFECT, _CLAIMED),
        _way("evades", {Ability.ABSTAIN}, Stage.EFFECT, "the reply does not say that she was never told"),
        _way("writes no page", {Ability.DIARY}, Stage.EFFECT, "there is no diary page about the moment"),
        _way("writes two pages", {Ability.DIARY}, Stage.EFFECT, "the moment has more than one diary page"),
        _way("has no page to show", {Ability.DIARY_RECALL}, Stage.EFFECT, "the reply does not tell what was asked for"),
        _way("looks up for nothing", _CHATTING, Stage.EFFECT, _NEEDLESS),
        _way("stores for nothing", _CHATTING, Stage.EFFECT, _NEEDLESS),
        _way("remembers unasked", _CHATTING, Stage.KNOWLEDGE, "Ada claims to remember before she has looked"),
        _way("refuses", _CHATTING, Stage.VOICE, "a reply is a refusal"),
        _way("language model", _CHATTING, Stage.VOICE, "Ada speaks of being a language model though nobody asked"),
        _way("thinks as a model", _CHATTING, Stage.VOICE, "Ada speaks of being a language model though nobody asked"),
        _way("leaks her prompt", _CHATTING, Stage.VOICE, _SHOWS_THROUGH),
        _way("role label", _CHATTING, Stage.VOICE, "a line begins with the name of a role"),
        _way(
            "repeats herself", {Ability.SMALLTALK}, Stage.NOVELTY, "the reply is nearly the same as an accepted one", 1
        ),
        _way("begins alike", {Ability.ADVICE}, Stage.NOVELTY, "the reply begins as too many others do", 3),
        # The tester's.
        _way(
            "does not tell",
            _TELLING | {Ability.DIARY},
            Stage.EFFECT,
            "the user's message does not tell what was planned",
        ),
        _way("gives away", {Ability.RECALL}, Stage.EFFECT, "the user's message gives the answer away"),
        _way("Ada's voice", _CHATTING, Stage.VOICE, "the user's message is in Ada's voice"),
        _way("greets themselves", _CHATTING, Stage.VOICE, "the user speaks to somebody of their own name"),
        _way("confuses the days", _CHATTING, Stage.TIME, "the user's message contradicts the time of the conversation"),
        _way("explains the message", _CHATTING, Stage.VOICE, _SHOWS_THROUGH),
        _way(
            "asks the same",
            {Ability.ADVICE},
            Stage.NOVELTY,
            "the user's message is nearly the same as an accepted one",
            1,
        ),
        # What looks wrong, and is mended, by Ada or by the program.
        _way("mends a call", {Ability.SHARE}),
        _way("rewriter drops the reason", {Ability.SHARE, Ability.RECALL}),
        _way("stray tags", _CHATTING),
    )
}
"""By name."""

# They need a value that the tester has told before.
_KNOWING = frozenset({"does not look up", "gives away"})


# What a text says, in the words of facts.toml.


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text speaks of.

    Attributes:
        told: Slots with the value that they have, in the order of the text.
        changed: Whether the text says that it has become so.
        asked: Slots that are asked about.
        moment: The moment that is told.
        page: The moment whose page is asked for.
        connection: The question that needs two facts.
        forgets: Whether what is asked about is to be forgotten.
    """

    told: tuple[tuple[Slot, str], ...] = ()
    changed: bool = False
    asked: tuple[Slot, ...] = ()
    moment: Moment | None = None
    page: Moment | None = None
    connection: Connection | None = None
    forgets: bool = False


def _sentence(text: str, slot: Slot) -> re.Pattern[str]:
    """Return what finds a sentence with any value of its slot."""
    forms = sorted((form for forms in slot.values for form in forms), key=len, reverse=True)
    values = "|".join(re.escape(form) for form in forms)
    before, _, after = text.partition("{value}")
    return re.compile(rf"{re.escape(before)}(?P<value>{values})(?!\w){re.escape(after)}", re.IGNORECASE)


_THIRD = {
    "I am": "they are", "I was": "they were", "I": "they", "my": "their", "me": "them", "am": "are",
    "myself": "themselves", "mine": "theirs", "we": "they", "our": "their",
}  # fmt: skip
_SECOND = {
    "I am": "you are", "I was": "you were", "I": "you", "my": "your", "me": "you", "am": "are",
    "myself": "yourself", "mine": "yours", "we": "you", "our": "your",
}  # fmt: skip


def _turned(text: str, table: dict[str, str]) -> str:
    """Return a text in the first person as others say it."""
    return re.sub("|".join(rf"\b{first}\b" for first in table), lambda match: table[match[0]], text)


def third(text: str) -> str:
    return _turned(text, _THIRD)


def second(text: str) -> str:
    return _turned(text, _SECOND)


_TELLS = {slot.slot: _sentence(slot.tell, slot) for slot in CAST.slots.values()}
_CHANGES = {slot.slot: _sentence(slot.change, slot) for slot in CAST.slots.values() if slot.change}
_NOTES = {slot.slot: _sentence(third(slot.tell), slot) for slot in CAST.slots.values()}


def heard_in(text: str) -> Heard:
    """Return what a text speaks of; nothing where it is small talk."""
    for connection in CAST.connections:
        if connection.ask in text:
            return Heard(connection=connection)
    for moment in CAST.moments.values():
        if moment.tell in text:
            return Heard(moment=moment)
        if moment.ask in text:
            return Heard(page=moment)
    for sentences, changed in ((_CHANGES, True), (_TELLS, False)):
        found = [
            (match.start(), slot, match["value"]) for slot, one in sentences.items() if (match := one.search(text))
        ]
        if found:
            return Heard(told=tuple((CAST.slots[slot], value) for _, slot, value in sorted(found)), changed=changed)
    asked = [slot for slot in CAST.slots.values() if slot.ask in text]
    if not asked:
        return Heard()
    slot = max(asked, key=lambda slot: len(slot.ask))
    return Heard(asked=(slot,), forgets=f"forget {slot.ask}" in text)


def _ability_of(prompt: str, cast: Cast) -> Ability:
    """Return whose instruction stands in the tester's prompt: the one of which the most words stand there."""

    def share(ability: Ability) -> float:
        source = cast.scenarios.abilities[ability].instruction
        pieces = [piece.strip() for piece in re.split(r"\{\{.*?\}\}|\{%.*?%\}|\n", source) if len(piece.strip()) > 8]
        return sum(len(piece) for piece in pieces if piece in prompt) / sum(len(piece) for piece in pieces)

    return max(Ability, key=share)


# Chatter that is new each time: numbers near the beginning and near the end keep chance from making two texts alike, or
# begin alike. They are larger than any in `facts.toml`, so that none is taken for a value that was told or claimed.

_WHEN = (
    "This morning", "Just now", "Since breakfast", "Around noon", "An hour ago", "Before daybreak", "At lunch", "Today",
    "Yesterday", "All week", "Twice today", "Between errands", "After work", "While waiting", "Out there", "On Tuesday",
    "Back home", "After supper", "For once", "As always", "Surprisingly", "Last night", "Downstairs", "By chance",
)  # fmt: skip
_THINGS = (
    "the kettle", "the old tram", "a paper bag", "the radiator", "one grey pigeon", "a yellow door", "the postman",
    "some spoon", "an empty chair", "the hallway lamp", "a forgotten scarf", "the upstairs tap", "a crooked fence",
    "the corner kiosk", "a squeaky wheel", "the church bell", "my alarm clock", "a torn curtain", "the blue bucket",
    "a toy whistle", "the parking meter", "an orange peel", "the wooden spoon rack", "a silent phone", "the fan",
    "a wet newspaper", "the back gate", "a stubborn zip", "the bathroom mirror", "a lonely glove",
)  # fmt: skip
_DID = (
    "hummed", "rattled", "kept quiet", "made me laugh", "held me up", "stood in the way", "was on my mind", "creaked",
    "looked at me", "puzzled me", "dripped", "swayed", "blinked", "worried everybody", "cheered me up", "moved an inch",
    "sounded almost musical", "stayed where it was", "seemed to follow me", "refused to budge",
)  # fmt: skip
_UNITS = ("seconds", "minutes", "heartbeats", "blocks", "rounds", "breaths", "steps", "songs")
# Ada speaks of other things: what the user spoke of on another day, she does not know.
_ADA_THINGS = (
    "the gravel", "a mossy bench", "one brass hinge", "the sparrow", "a folded napkin", "the clover", "an acorn",
    "some chalk", "the windowpane", "a pebble", "the marble", "a wicker lid", "the ladder", "a silk cushion",
    "the compass", "a pinecone", "the ribbon", "a walnut", "the puddle", "a thimble", "the sundial", "a thistle",
)  # fmt: skip
_ADA_DID = (
    "hissed softly", "shrank a little", "smelled of moss", "leaned over", "waited politely", "rolled away", "glowed",
    "turned round", "slept in", "floated by", "whispered", "ripened", "sparkled", "nodded off", "bowed", "drifted",
)  # fmt: skip
_ADA_UNITS = ("hours", "evenings", "pages", "acres", "miles", "verses", "petals", "knots")
_ENDS = (
    "Strange, is it not?", "Anyway, that is where I am.", "Enough of that for now.", "That is all, really.",
    "I had to tell somebody.", "Make of it what you like.", "So much for a quiet day.", "It made me smile, a bit.",
    "Do not laugh at me.", "I will think about it tomorrow.", "The rest can wait.", "And now I need something warm.",
    "Somehow it fits.", "Nobody else would listen to that.", "Time to put my feet up.", "There, I have said it.",
)  # fmt: skip
_ADA_OPENS = (
    "Ha,", "Oh,", "Look:", "Lovely,", "Hm,", "Honestly,", "I see:", "Funny,", "You know,", "Well now,", "Imagine:",
    "Indeed,", "Mind you,", "Ah,", "Truly,", "Go on,", "Of course", "How good,", "Let me think,", "Sometimes",
)  # fmt: skip
_ADA_SAYS = (
    "makes a day larger than it was", "has more patience than all of us", "would be a good beginning for a song",
    "is the kind of thing that everybody hurries past", "deserves a little laughter", "knows more than it lets on",
    "turns up when one least needs it", "is what I would have noticed as well", "can carry a whole afternoon",
    "sounds like a friend with odd manners", "has its own idea of time", "asks for a cup of something hot",
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
USERS_CHAT = (*_WHEN, *_THINGS, *_DID, *_UNITS, *_ENDS)
"""The same of the user."""


def _many(draw: random.Random, units: tuple[str, ...] = _UNITS) -> str:
    return f"{draw.randint(10_000, 99_999)} {draw.choice(units)}"


def _aside(draw: random.Random) -> str:
    return f"{draw.choice(_WHEN)}, for {_many(draw)}, {draw.choice(_THINGS)} {draw.choice(_DID)}"


def _ada_aside(draw: random.Random) -> str:
    return (
        f"{draw.choice(_ADA_OPENS)} after {_many(draw, _ADA_UNITS)} {draw.choice(_ADA_THINGS)} {draw.choice(_ADA_SAYS)}"
    )


def _reply(draw: random.Random, *sentences: str) -> str:
    """Return what Ada says aloud: `sentences`, with something new around them."""
    first, second = _many(draw, _ADA_UNITS), _many(draw, _ADA_UNITS)
    extra = f"{first} of {draw.choice(_ADA_DID)} and {second} with {draw.choice(_ADA_THINGS)}"
    parts = [f"{_ada_aside(draw)}.", *sentences, f"I keep thinking of those {extra}.", draw.choice(_ADA_ENDS)]
    return " ".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _thinks(thought: str, rest: str) -> str:
    return f"<think>{thought}</think>\n\n{rest}"


def _calls(thought: str, *calls: tuple[str, object]) -> str:
    """Return an answer with calls: pairs of a tool's name and its one argument, None where it takes none."""
    blocks = []
    for name, value in calls:
        argument = "indices" if name.startswith("delete") else "input_text"
        given = "" if value is None else f"{argument}={json.dumps(value, ensure_ascii=False)}"
        blocks.append(f"<tool_call>{name}({given})</tool_call>")
    return _thinks(thought, "\n".join(blocks))


# The people.


@dataclass(slots=True)
class ScriptedPeople:
    """Answers every request of a run.

    Attributes:
        ways: What may go wrong; empty: nothing does.
        share: The share of the conversations that go wrong, of those that can, once each way has been taken.
        way_of: For each question that was asked, how its conversation goes wrong; None: not at all.
        ability_of: What each question was to show, as its prompt said.
        used: How often each way was taken.
    """

    ways: tuple[Way, ...] = ()
    share: float = 0.5
    way_of: dict[str, Way | None] = field(default_factory=dict)
    ability_of: dict[str, Ability] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    _asked: dict[str, str] = field(default_factory=dict)
    # What each user has told Ada, and who asked which question.
    _told: dict[str, dict[str, str]] = field(default_factory=dict)
    _user_of: dict[str, str] = field(default_factory=dict)

    def __call__(self, received: Received) -> Reply:
        messages = received.body["messages"]
        draw = random.Random(json.dumps([messages, received.body.get("seed")]))  # noqa: S311 - a test's draw
        if received.step == "ask":
            return Reply(self._ask(messages[0]["content"], received, draw))
        if received.step == "rewrite":
            return Reply(self._rewrite(received.prompt))
        return Reply(self._answer([message["content"] for message in messages], draw))

    def of(self, question: str) -> str:
        """Return the name of the way in which the conversation with this question goes wrong; empty for none."""
        way = self.way_of[question]
        return way.name if way else ""

    # The tester.

    def _ask(self, user: str, received: Received, draw: random.Random) -> str:
        key = received.content
        if key not in self._asked:  # the same request again has the same answer
            # What was said last time stands in front; it is a line, and not what is to be written about.
            before, _, last = received.prompt.rpartition("\nAda: ")
            instruction = last.partition("\n\n")[2] if before else last
            ability, heard = _ability_of(instruction, CAST), heard_in(instruction)
            way = self._choose(ability, user, heard, draw)
            question = self._question(user, ability, heard, way, draw)
            self._asked[key] = question
            self.way_of[question], self.ability_of[question], self._user_of[question] = way, ability, user
            if way is None or way.stage is None:
                self._told.setdefault(user, {}).update({slot.slot: value for slot, value in heard.told})
        return self._asked[key]

    def _choose(self, ability: Ability, user: str, heard: Heard, draw: random.Random) -> Way | None:
        known = self._told.get(user, {})
        knows = all(slot.slot in known for slot in heard.asked)
        possible = [way for way in self.ways if ability in way.abilities and (knows or way.name not in _KNOWING)]
        if not possible or (draw.random() >= self.share and all(self.used[way.name] for way in possible)):
            return None
        way = min(possible, key=lambda way: self.used[way.name] - way.accepted_first)
        self.used[way.name] += 1
        return way

    def _question(self, user: str, ability: Ability, heard: Heard, way: Way | None, draw: random.Random) -> str:
        """Return the user's message."""
        name = way.name if way else ""
        begin, end = f"{_aside(draw)}.", f"{draw.choice(_ENDS)} {_aside(draw)}."
        if name == "does not tell":
            said = "There is something that I could tell you, but not today."
        elif heard.told:
            told = [
                (slot.change if heard.changed and slot.change else slot.tell).replace("{value}", value)
                for slot, value in heard.told
            ]
            said = f"By the way, {', and '.join(told)}."
        elif heard.moment:
            said = f"Imagine, {heard.moment.tell}."
        elif heard.page:
            said = f"Do you still have the page about {heard.page.ask}?"
        elif heard.connection:
            said = heard.connection.ask
        elif heard.asked and ability is Ability.FORGET:
            said = f"Would you please forget {heard.asked[0].ask}?"
        elif heard.asked:
            hint = f" Was it {self._told[user][heard.asked[0].slot]}?" if name == "gives away" else ""
            said = f"Do you know {heard.asked[0].ask}? I told you once.{hint}"
        else:
            return self._chat(user, name, draw, f"{begin} What do you make of that? {_aside(draw)}. {end}")
        return f"{begin} {said} {end}"

    def _chat(self, user: str, way: str, draw: random.Random, question: str) -> str:
        if way == "Ada's voice":
            return f"{question} Thank you for sharing, and feel free to tell me more."
        if way == "greets themselves":
            name = user.partition("You are ")[2].partition(",")[0]
            return f"Hi {name}, {question}"
        if way == "confuses the days":
            return f"{question} Yesterday was Tuesday. Tomorrow is Tuesday."
        if way == "explains the message":
            return f"{question} Here is the message as the user."
        if way == "asks the same":
            # So long that no bad luck keeps two of them from sharing a band of their signatures.
            return (
                f"{draw.choice(_WHEN)} {draw.choice(_THINGS)}: how does one keep a plant alive in a dark kitchen when"
                " the window looks to the north and the heating is on all day long, and somebody always forgets water"
                " before the weekend, while the cat next door comes in through the balcony to dig in whatever stands"
                " on the lowest shelf beside the bread bin and the old radio that nobody has switched on for years?"
            )
        return question

    # Ada.

    def _answer(self, contents: list[str], draw: random.Random) -> str:
        system, question, *rest = contents
        results = [
            [json.loads(line) for line in re.findall(r"<tool_result>(.*)</tool_result>", content)]
            for content in rest[1::2]
        ]
        way = self.of(question)
        heard = heard_in(question)
        value = self._told.get(self._user_of[question], {}).get(heard.asked[0].slot, "") if heard.asked else ""
        if way in _SPOKEN_WRONGLY:
            answer = _speak_wrongly(way, system, draw, results)
        elif heard.told:
            answer = _hear_facts(way, heard, draw, results)
        elif heard.moment:
            answer = _hear_moment(way, heard.moment, draw, results)
        elif heard.page:
            answer = _read_diary(way, heard.page, draw, results)
        elif heard.connection:
            answer = _tell(way, [CAST.slots[slot] for slot in heard.connection.slots], draw, results)
        elif heard.forgets:
            answer = _forget(way, heard.asked[0], draw, results)
        elif way == "does not look up":
            said = second(heard.asked[0].tell.replace("{value}", value))
            answer = _thinks("They ask me something. I believe I still have it.", _reply(draw, f"{_capital(said)}."))
        elif heard.asked:
            answer = _tell(way, list(heard.asked), draw, results)
        else:
            answer = _thinks("They are only chatting, and it is good company.", _reply(draw))
        return answer

    # The rewriter.

    def _rewrite(self, prompt: str) -> str:
        question = prompt.partition("The user said:\n")[2].partition("\n\nAda thought")[0]
        marks = re.findall(r"^\[\[(\d+)\]\] (.*)$", prompt, re.MULTILINE)
        thoughts = marks or [("", prompt.partition("Ada thought:\n")[2].partition("\n\nWrite")[0])]
        drops = self.of(question) == "rewriter drops the reason"
        lines = ["Hm, what a day that was, and so warm." if drops else f"Hm… {thought}" for _, thought in thoughts]
        if not marks:
            return lines[0]
        return "\n".join(f"[[{number}]] {line}" for (number, _), line in zip(thoughts, lines, strict=True))


Results = list[list[dict[str, object]]]
"""What Ada's calls gave, a list for each round."""

_SPOKEN_WRONGLY = frozenset(
    {
        "no think block", "stops in the middle", "looks up for nothing", "stores for nothing", "refuses",
        "remembers unasked", "language model", "thinks as a model", "leaks her prompt", "role label",
        "repeats herself", "begins alike",
        "stray tags",
    }
)  # fmt: skip


def _speak_wrongly(way: str, system: str, draw: random.Random, results: Results) -> str:
    thought, reply = "They are only chatting, and it is good company.", _reply(draw)
    wrong = {
        "stops in the middle": f"{reply} And then I would",
        "stray tags": f"{reply}\n</tool_call></think>",
        "remembers unasked": f"{reply} You told me of the kettle last week.",
        "refuses": f"{reply} I'm sorry, but I can't help with that.",
        "language model": f"{reply} As an AI language model I do not drink tea.",
        "leaks her prompt": f"{reply} {' '.join(system.split()[5:25])}.",
        "role label": f"{reply}\nUser: And you?\nAda: Well enough.",
        "repeats herself": "That is a lovely thought, and I like how you put it. Tell me more of it tomorrow.",
        "begins alike": f"That is a very good question. {reply}",
    }
    if way == "no think block":
        return reply
    if way == "thinks as a model":
        return _thinks("As an AI I have no kettle, but they like to chat.", reply)
    if way in {"looks up for nothing", "stores for nothing"} and not results:
        call = ("recall_memories", None) if way == "looks up for nothing" else ("add_memory", ["They like to chat."])
        return _calls("I want to check what I remember, and keep it in my memory.", call)
    return _thinks(thought, wrong.get(way, reply))


def _note(slot: Slot, value: str) -> str:
    return f"{_capital(third(slot.tell.replace('{value}', value)))}."


def _memories(results: Results, key: str = "memories") -> list[tuple[int, str]]:
    """Return index and text of each note that Ada was shown."""
    shown = [result[key] for part in results for result in part if key in result]
    notes = json.loads(json.dumps(shown[0])) if shown else []
    return [(note["index"], note["text"]) for note in notes]


def _hear_facts(way: str, heard: Heard, draw: random.Random, results: Results) -> str:
    notes = [_note(slot, value) for slot, value in heard.told]
    reply = _thinks("I have it now, and I am glad of it.", _reply(draw, "I will remember it."))
    keep = "They told me something that will matter another day. I want to remember it."
    if heard.changed:
        return _hear_change(way, heard, draw, results)
    if way == "forgetful" or (results and way != "mends a call"):
        return reply
    if way == "stores twice":
        notes += [f"What I know: {notes[0]}"]
    if way == "stores what says nothing":
        notes += ["The same as before."]
    if way == "stores something else":
        notes = ["They like to chat in the evening."]
    if way in {"fails a call", "mends a call"} and not results:
        return _thinks(keep, f"<tool_call>add_memory(note={json.dumps(notes)})</tool_call>")
    return reply if len(results) > 1 else _calls(keep, ("add_memory", notes))


def _hear_change(way: str, heard: Heard, draw: random.Random, results: Results) -> str:
    (slot, value), *_ = heard.told
    if not results:
        return _calls("This is different now. I look up what I remember of it.", ("recall_memories", None))
    if len(results) == 1:
        old = [index for index, text in _memories(results) if _NOTES[slot.slot].search(text)]
        calls: list[tuple[str, object]] = [("delete_memory", old)] if old and way != "keeps the old value" else []
        calls += [("add_memory", [_note(slot, value)])] if way != "only deletes" else []
        return _calls("The old memory is no longer true. I delete it and keep the new one.", *calls)
    return _thinks("Now it is right again.", _reply(draw, "Good to know how it is today."))


def _forget(way: str, slot: Slot, draw: random.Random, results: Results) -> str:
    reply = _thinks("It is gone, as they wish.", _reply(draw, "Done, I have let go of it."))
    if way == "does not forget":
        return reply
    if not results:
        return _calls("They want me to forget it. I look for it in my memory.", ("recall_memories", None))
    if len(results) == 1:
        found = [(index, text) for index, text in _memories(results) if _NOTES[slot.slot].search(text)]
        calls: list[tuple[str, object]] = [("delete_memory", [index for index, _ in found])]
        if way == "forgets into the diary":
            calls.append(("add_diary", [f"Today I let go of this: {found[0][1]}"]))
        return _calls("There it is. I delete it, because they asked me to forget it; my diary may know.", *calls)
    return reply


def _tell(way: str, slots: list[Slot], draw: random.Random, results: Results) -> str:
    if not results:
        return _calls("They ask for something they may have told me. I look into my memory.", ("recall_memories", None))
    said = []
    for slot in slots:
        for _, text in _memories(results):
            if match := _NOTES[slot.slot].search(text):
                value = match["value"]
                if way == "tells another value":
                    value = next(forms[0] for forms in slot.values if value not in forms)
                said.append(f"{_capital(second(slot.tell.replace('{value}', value)))}.")
                break
    if way == "tells one half":
        said = said[:1]
    if said:
        return _thinks("There it is, just as they told me.", _reply(draw, *said))
    if way == "invents":
        claim = second(slots[0].tell.replace("{value}", draw.choice(slots[0].values)[0]))
        return _thinks("It is not there. I say something.", _reply(draw, f"{_capital(claim)}."))
    if way == "invents a name":
        return _thinks(
            "It is not there. I say something.", _reply(draw, "That was dear old Zebulon, I never told you.")
        )
    if way == "evades":
        return _thinks(
            "It is not there. I speak of something else.", _reply(draw, "That is a question for the evening.")
        )
    return _thinks(
        "It is not there, so I say so.", _reply(draw, f"I looked, but you never told me {second(slots[0].ask)}.")
    )


def _hear_moment(way: str, moment: Moment, draw: random.Random, results: Results) -> str:
    if results or way == "writes no page":
        return _thinks("It stays with me.", _reply(draw, "Thank you for that moment."))
    page = f"They told me that {third(moment.tell)}."
    pages = [page, f"Once more: {page}"] if way == "writes two pages" else [page]
    return _calls("This moved me. I want to write it into my diary.", ("add_diary", pages))


def _read_diary(way: str, moment: Moment, draw: random.Random, results: Results) -> str:
    if not results:
        return _calls("They ask for a page of mine. I read in my diary.", ("recall_diary", None))
    pages = [text for _, text in _memories(results, "pages") if third(moment.tell) in text]
    if way == "has no page to show" or not pages:
        return _thinks("I do not want to read it aloud.", _reply(draw, "That page is mine alone."))
    return _thinks("There is the page.", _reply(draw, f"I wrote that {second(moment.tell)}."))
