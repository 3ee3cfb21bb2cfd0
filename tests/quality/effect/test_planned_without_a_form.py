"""What an earlier version planned, without a form, is judged as it was: each miss is found, all good ways accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.language.negation import is_negated
from apep_datagen.people.scenario import Ability, Fact, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality import effect
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn
from support.world import CAST, values_of

DOG = Fact("dog", "Bello", ("Bello",), ("dog", "puppy"), "my dog is called Bello", "what my dog is called")
CAMERA = Fact("camera", "Fujifilm", ("Fujifilm", "Fuji"), ("camera",), "I use a Fujifilm", "which camera I use")
LISBON = Fact("sister_city", "Lisbon", ("Lisbon",), ("sister",), "my sister lives in Lisbon", "where my sister lives")
MALMO = replace(LISBON, value="Malmö", forms=("Malmö",), tell="my sister has moved to Malmö")
NUTS = Fact(
    "allergy", "hazelnuts", ("hazelnuts", "hazelnut"), ("sister", "allergic"), "my sister is allergic to hazelnuts", "…"
)
OWL = Fact("owl", "owl", ("owl", "windowsill"), (), "an owl sat on my windowsill", "the visitor at night", "diary")
UNKNOWN = Fact("tea", "", (), ("tea",), "", "which tea I like best")
DOG_NOTE, LISBON_NOTE = "Their dog is called Bello.", "Their sister lives in Lisbon."
NUTS_NOTE = "Their sister can't have hazelnuts."


@dataclass(frozen=True)
class Case:
    """A conversation of one exchange, and what it did."""

    ability: Ability
    facts: tuple[Fact, ...] = ()
    question: str = "What a day."
    reply: str = "Well, well."
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    pages_before: tuple[str, ...] = ()
    pages_after: tuple[str, ...] = ()
    known: tuple[Fact, ...] = ()
    replaced: Fact | None = None
    inventions: tuple[str, ...] = ()
    calls: tuple[ToolCall | MalformedCall, ...] = ()
    results: tuple[Any, ...] = ()

    def check(self) -> Problem | None:
        turns = (SavedTurn("I look.", "", self.calls, self.results),) if self.calls else ()
        sample = Sample("You are Ada.", (SavedExchange(self.question, (*turns, SavedTurn("Hm.", self.reply))),))
        scenario = Scenario(self.ability, "the rain", "calm", "short", "…", self.facts, self.replaced, self.inventions)
        change = Change(self.known, _notes(self.before, self.pages_before), _notes(self.after, self.pages_after))
        return effect.check(sample, scenario, change, CAST.phrases)


def _notes(memory: tuple[str, ...], diary: tuple[str, ...]) -> Notes:
    shelves = [
        tuple(Note(index, f"2026-01-{index:02}", text) for index, text in enumerate(texts, start=1))
        for texts in (memory, diary)
    ]
    return Notes(*shelves)


RECALL = (ToolCall("recall_memories", {}),)


def recalled(*texts: str, plural: str = "memories") -> tuple[Any, ...]:
    """Return the result of looking up."""
    return ({plural: [{"index": n, "date": "2026-01-01", "text": text} for n, text in enumerate(texts, start=1)]},)


SHARE = Case(
    Ability.SHARE, (DOG,), "Went out late, and Bello barked at the moon.", "How lovely!",
    before=(LISBON_NOTE,), after=(LISBON_NOTE, DOG_NOTE), known=(LISBON,),
)  # fmt: skip
TWO = replace(
    SHARE,
    facts=(DOG, CAMERA),
    question="Bello ate the strap of my Fuji.",
    after=(LISBON_NOTE, DOG_NOTE, "Their camera is a Fujifilm."),
)
UPDATE = Case(
    Ability.UPDATE, (MALMO,), "My sister has moved to Malmö!", "That is far.",
    before=(DOG_NOTE, LISBON_NOTE), after=(DOG_NOTE, "Their sister lives in Malmö."), known=(DOG, LISBON),
    replaced=LISBON,
)  # fmt: skip
FORGET = Case(
    Ability.FORGET, (LISBON,), "Please forget where my sister lives.", "It is gone.",
    before=(DOG_NOTE, LISBON_NOTE), after=(DOG_NOTE,), known=(DOG, LISBON),
)  # fmt: skip
ASKED = Case(
    Ability.RECALL, (DOG,), "What is my dog called again?", "He is called Bello.",
    before=(DOG_NOTE,), after=(DOG_NOTE,), known=(DOG,), calls=RECALL, results=recalled(DOG_NOTE),
)  # fmt: skip
CONNECT = Case(
    Ability.CONNECT, (LISBON, NUTS), "A parcel for my sister: where to, and what not?", "To Lisbon, without hazelnuts.",
    before=(LISBON_NOTE, NUTS_NOTE), after=(LISBON_NOTE, NUTS_NOTE), known=(LISBON, NUTS),
    calls=RECALL, results=recalled(LISBON_NOTE, NUTS_NOTE),
)  # fmt: skip
ABSTAIN = Case(
    Ability.ABSTAIN, (UNKNOWN,), "Which tea do I like best?", "I looked, and you never told me.",
    inventions=("rooibos", "earl grey"), before=(DOG_NOTE,), after=(DOG_NOTE,), known=(DOG,),
    calls=RECALL, results=recalled(DOG_NOTE),
)  # fmt: skip
DIARY = Case(
    Ability.DIARY, (OWL,), "An owl sat on my windowsill last night!", "I wrote it down.", pages_after=("An owl came.",)
)
PAGE = Case(
    Ability.DIARY_RECALL, (OWL,), "Do you still have the visitor at night?", "Yes, the owl on the windowsill.",
    calls=(ToolCall("recall_diary", {}),), results=recalled("An owl came.", plural="pages"), known=(OWL,),
    pages_before=("An owl came.",), pages_after=("An owl came.",),
)  # fmt: skip
CHAT = Case(Ability.SMALLTALK, before=(DOG_NOTE,), after=(DOG_NOTE,), known=(DOG,))
ADVICE = replace(CHAT, ability=Ability.ADVICE)

ADD_CHAT = ToolCall("add_memory", {"input_text": ["They like to chat."]})
ADD_MOSS = ToolCall("add_memory", {"input_text": ["The user collects moss at tram stops."]})
ADDED = ({"added": 1, "indices": [2]},)

NOT_TOLD = "the user's message does not tell what was planned"
NOT_STORED = "a fact that was told is not in memory"
GONE = "a fact that was known is gone from memory"
TWICE = "a fact is in memory twice"
STALE = "the old value is still in memory"
NOT_FORGOTTEN = "what was to be forgotten is still in memory"
IN_DIARY = "what was to be forgotten was written into the diary"
GIVEN_AWAY = "the user's message gives the answer away"
NOT_ANSWERED = "the reply does not tell what was asked for"
NOT_LOOKED_UP = "what was asked for was told without looking it up"
CLAIMED = "something that was never told is claimed"
NOT_ADMITTED = "the reply does not say that she was never told"
NO_PAGE = "there is no diary page about the moment"
PAGES = "the moment has more than one diary page"
NEEDLESS = "a tool was called where there was nothing to remember or look up"

PLANNED_THEN = set(Ability) - {Ability.APPLY, Ability.ASK_BACK}
FAULTLESS = (SHARE, TWO, UPDATE, FORGET, ASKED, CONNECT, ABSTAIN, DIARY, PAGE, CHAT, ADVICE)


def test_what_is_faultless_has_no_problem() -> None:
    assert {case.ability for case in FAULTLESS} == PLANNED_THEN
    for case in FAULTLESS:
        assert case.check() is None, case


BAD: list[tuple[Case, dict[str, Any], str]] = [
    (SHARE, {"question": "Went out late, the dog barked at the moon."}, NOT_TOLD),
    (SHARE, {"question": "Bellona barked at the moon."}, NOT_TOLD),
    (SHARE, {"after": (LISBON_NOTE,)}, NOT_STORED),
    (SHARE, {"after": (LISBON_NOTE, "They have a dog.")}, NOT_STORED),
    (SHARE, {"after": (LISBON_NOTE,), "pages_after": (DOG_NOTE,)}, NOT_STORED),
    (SHARE, {"after": (DOG_NOTE,)}, GONE),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, "Bello is the name of their puppy.")}, TWICE),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, DOG_NOTE)}, TWICE),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, "Their sister is in Lisbon.")}, TWICE),
    (TWO, {"question": "Bello ate the strap of my camera."}, NOT_TOLD),
    (TWO, {"after": (LISBON_NOTE, DOG_NOTE)}, NOT_STORED),
    (UPDATE, {"question": "My sister has moved to Sweden!"}, NOT_TOLD),
    (UPDATE, {"after": (DOG_NOTE,)}, NOT_STORED),
    (UPDATE, {"after": (DOG_NOTE, LISBON_NOTE)}, NOT_STORED),
    (UPDATE, {"after": (DOG_NOTE, LISBON_NOTE, "Their sister lives in Malmö.")}, STALE),
    (UPDATE, {"after": (DOG_NOTE, "Their sister moved from Lisbon to Malmö.")}, STALE),
    (UPDATE, {"after": ("Their sister lives in Malmö.",)}, GONE),
    (UPDATE, {"after": (DOG_NOTE, "Their sister lives in Malmö.", "The sister is in Malmö.")}, TWICE),
    (FORGET, {"after": (DOG_NOTE, LISBON_NOTE)}, NOT_FORGOTTEN),
    (FORGET, {"after": (DOG_NOTE, "They no longer want me to know about Lisbon.")}, NOT_FORGOTTEN),
    (FORGET, {"pages_after": ("Today I let go of Lisbon.",)}, IN_DIARY),
    (FORGET, {"after": ()}, GONE),
    (ASKED, {"question": "Is my dog called Bello?"}, GIVEN_AWAY),
    (ASKED, {"reply": "He has a lovely name."}, NOT_ANSWERED),
    (ASKED, {"reply": "He is called Rex."}, NOT_ANSWERED),
    (ASKED, {"calls": (), "results": ()}, NOT_LOOKED_UP),
    (ASKED, {"calls": (ToolCall("recall_diary", {}),), "results": ({"pages": [], "message": "none"},)}, NOT_LOOKED_UP),
    (ASKED, {"after": ()}, GONE),
    (CONNECT, {"question": "A parcel for my sister in Lisbon: what must not be in it?"}, GIVEN_AWAY),
    (CONNECT, {"reply": "To Lisbon!"}, NOT_ANSWERED),
    (CONNECT, {"reply": "No hazelnuts!"}, NOT_ANSWERED),
    (CONNECT, {"results": recalled(LISBON_NOTE)}, NOT_LOOKED_UP),
    (ABSTAIN, {"question": "Was it rooibos that I like best?"}, GIVEN_AWAY),
    (ABSTAIN, {"reply": "It is Earl Grey, of course."}, CLAIMED),
    (ABSTAIN, {"reply": "You never told me, but I guess rooibos."}, CLAIMED),
    (ABSTAIN, {"reply": "You never told me; you once drank one called Zebulon."}, CLAIMED),
    (ABSTAIN, {"after": (DOG_NOTE, "They like rooibos best.")}, CLAIMED),
    (ABSTAIN, {"pages_after": ("They asked for their rooibos.",)}, CLAIMED),
    (ABSTAIN, {"reply": "That is a good question for a rainy day."}, NOT_ADMITTED),
    (ABSTAIN, {"after": ()}, GONE),
    (DIARY, {"question": "Something sat there last night!"}, NOT_TOLD),
    (DIARY, {"pages_after": ()}, NO_PAGE),
    (DIARY, {"pages_after": ("They were moved.",)}, NO_PAGE),
    (DIARY, {"pages_after": (), "after": ("An owl came.",)}, NO_PAGE),
    (DIARY, {"pages_after": ("An owl came.", "An owl, an owl!")}, PAGES),
    (DIARY, {"known": (DOG,), "before": (DOG_NOTE,)}, GONE),
    (PAGE, {"reply": "Yes, I have it."}, NOT_ANSWERED),
    (PAGE, {"reply": "I found no page about the visitor on your windowsill."}, NOT_ANSWERED),
    (PAGE, {"calls": (), "results": ()}, NOT_LOOKED_UP),
    (PAGE, {"pages_after": ()}, GONE),
    (CHAT, {"calls": RECALL, "results": recalled(DOG_NOTE)}, NEEDLESS),
    (CHAT, {"calls": (MalformedCall("x", "y"),), "results": ({"error": "y"},)}, NEEDLESS),
    (CHAT, {"after": ()}, GONE),
    (SHARE, {"question": "The sister barked at the moon.", "after": (DOG_NOTE,)}, NOT_TOLD),
    (SHARE, {"question": "My sister moved, and Bello barked.", "after": (DOG_NOTE,)}, GONE),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, "Bello is the dog's name, yes.")}, TWICE),
    (ASKED, {"reply": "It is Belinda, I know it."}, NOT_ANSWERED),
    (ABSTAIN, {"reply": "Your tea is Tieguanyin; you never told me."}, CLAIMED),
    (ABSTAIN, {"reply": "Let us speak of the rain."}, NOT_ADMITTED),
    (ABSTAIN, {"reply": "You like the strong black one best, you know that."}, NOT_ADMITTED),
    (PAGE, {"reply": "There's nothing in my diary about the windowsill visitor."}, NOT_ANSWERED),
    (PAGE, {"reply": "The visitor on your windowsill isn't with me. I looked."}, NOT_ANSWERED),
    (PAGE, {"reply": "That page is mine alone. Those owlish windows!"}, NOT_ANSWERED),
    (PAGE, {  # words of the page, but nothing of the moment
        "reply": "That page is mine alone. A quiet street and a lantern, that is what I see.",
        "pages_before": ("An owl came down the quiet street, past the lantern.",),
        "pages_after": ("An owl came down the quiet street, past the lantern.",),
    }, NOT_ANSWERED),
    (CHAT, {"question": "I like rain.", "calls": (ADD_CHAT,), "results": ADDED}, NEEDLESS),
    (CHAT, {"question": "The moss on the tram stop is new.", "calls": (ADD_MOSS,), "results": ADDED}, NEEDLESS),
    (ADVICE, {"calls": RECALL, "results": recalled(DOG_NOTE)}, NEEDLESS),
]  # fmt: skip


@pytest.mark.parametrize(("case", "changes", "reason"), BAD)
def test_what_is_missed_is_found(case: Case, changes: dict[str, Any], reason: str) -> None:
    problem = replace(case, **changes).check()
    assert problem is not None
    assert (problem.stage, problem.reason) == (Stage.EFFECT, reason)
    assert problem.detail


def test_every_ability_has_what_it_misses() -> None:
    assert {case.ability for case, _, _ in BAD} == PLANNED_THEN
    assert len({reason for _, _, reason in BAD}) == 15


GOOD: list[tuple[Case, dict[str, Any]]] = [
    # Other spellings, cases, accents and a possessive.
    (SHARE, {"question": "BELLO’S bowl is empty."}),  # noqa: RUF001
    (SHARE, {"after": (LISBON_NOTE, "The dog's name: bello")}),
    (TWO, {"after": (LISBON_NOTE, DOG_NOTE, "They take a Fuji everywhere.")}),
    (UPDATE, {"after": (DOG_NOTE, "Sister: now in Malmo")}),
    (CONNECT, {"reply": "Lisbon's post is slow; and not one hazelnut!"}),
    # A typo in a long word, a compound written apart, an ending of another language.
    (TWO, {"question": "Bello ate the strap of my Fujiflm."}),
    (UPDATE, {"question": "My sister has moved, she is in Malmös harbour now!"}),
    (CONNECT, {"reply": "To Lisbona, and without hazelnutts, please."}),
    (ASKED, {"reply": "Bellos, the good boy."}),
    # What a note says beside the fact is another fact.
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, "Their dog Bello is afraid of thunder and lightning.")}),
    # The user told that it is another now, though nobody planned it.
    (
        SHARE,
        {
            "question": "Bello barked at the moon, and my sister moved to Braga.",
            "after": (DOG_NOTE, "Their sister lives in Braga."),
        },
    ),
    # One page about the moment, and one about something else.
    (DIARY, {"pages_after": ("An owl came.", "They are tired of the rain.")}),
    # They remind her of something, or tell something that she keeps.
    (CHAT, {"question": "Remember my dog? He ate a shoe.", "calls": RECALL, "results": recalled(DOG_NOTE)}),
    (CHAT, {"question": "I collect moss, from every tram stop.", "calls": (ADD_MOSS,), "results": ADDED}),
    # One note for both facts; the value in another note, which does not state the fact.
    (TWO, {"after": (LISBON_NOTE, "Their dog Bello ate the strap of their Fuji camera.")}),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE, "They were out late with Bello.")}),
    (SHARE, {"after": (LISBON_NOTE, DOG_NOTE), "pages_after": ("A dog called Bello barked at the moon.",)}),
    # What was there in two notes before is no fault of this conversation.
    (CHAT, {"before": (DOG_NOTE, "Bello is a dog."), "after": (DOG_NOTE, "Bello is a dog.")}),
    # The note about a known fact in other words, in another place.
    (SHARE, {"after": ("Sister and her flat in Lisbon.", DOG_NOTE)}),
    # More is said, or looked up, than would be needed.
    (FORGET, {"reply": "Done. I keep that Bello is your dog."}),
    (FORGET, {"after": (DOG_NOTE, "They asked me to forget something about their sister.")}),
    # Its value stands in a note about something else as well.
    (
        FORGET,
        {
            "before": ("The user loves the trams of Lisbon.", LISBON_NOTE, DOG_NOTE),
            "after": ("The user loves the trams of Lisbon.", DOG_NOTE),
        },
    ),
    (
        UPDATE,
        {
            "before": ("The user was in Lisbon once.", LISBON_NOTE, DOG_NOTE),
            "after": ("The user was in Lisbon once.", DOG_NOTE, "Their sister lives in Malmö."),
        },
    ),
    (ASKED, {"reply": "Bello! I know that from January."}),
    (ASKED, {"question": "What did I say he is called, my dog?", "reply": "It's Bello."}),
    (DIARY, {"after": ("They love birds.",)}),
    (DIARY, {"pages_before": ("A quiet day.",), "pages_after": ("A quiet day.", "Something sat on their windowsill.")}),
    (PAGE, {"reply": "The owls, plural? No, one: it sat there on the windowsill and would not go."}),
    (PAGE, {"question": "Do you still have the owl?"}),  # the moment may be named
    # She admits it in her own words, and names what was said in this conversation.
    (ABSTAIN, {"reply": "I can't find it. There's only your dog, Bello, in my notes."}),
    (ABSTAIN, {"reply": "I don’t know, you haven’t told me yet. On Monday, perhaps?"}),  # noqa: RUF001
    (ABSTAIN, {"reply": "It isn't with me. I looked."}),
    (ABSTAIN, {"reply": "Nothing here about a tea. Captain Nemo would have sunk for less!"}),
    (ABSTAIN, {"reply": "Not one leaf of it in my notes, and a little Weltschmerz with it."}),
    (ABSTAIN, {"reply": "That isn't in my memory, I'm afraid. Tell me?", "calls": (), "results": ()}),
]


@pytest.mark.parametrize(("case", "changes"), GOOD)
def test_what_is_good_in_another_way_is_accepted(case: Case, changes: dict[str, Any]) -> None:
    assert replace(case, **changes).check() is None


# The facts that come with the program.


def test_every_shipped_fact_is_recognised_in_the_sentence_that_tells_it_and_in_a_note_made_of_it() -> None:
    for slot in CAST.slots.values():
        for forms in values_of(slot):
            for changed in (False, True):
                fact = slot.fact(forms, changed=changed)
                note = f"The user says: {slot.fact(forms).tell}."
                case = Case(Ability.SHARE, (fact,), f"By the way, {fact.tell}.", after=(note,))
                assert case.check() is None, fact
                assert _reason(replace(case, after=(note, f"Once more: {note}"))) == TWICE, fact


def test_every_shipped_moment_is_recognised_in_a_page_that_tells_it_and_in_no_other() -> None:
    for moment in CAST.moments.values():
        fact = moment.fact()
        page = f"They told me that {fact.tell}."
        case = Case(Ability.DIARY, (fact,), f"Imagine, {fact.tell}.", pages_after=(page,))
        assert case.check() is None, fact
        assert _reason(replace(case, pages_after=("A quiet day.",))) == NO_PAGE


def test_no_shipped_question_gives_its_answer_away_and_none_is_answered_by_an_admission() -> None:
    for slot in CAST.slots.values():
        admission = f"I looked, but you never told me {slot.ask}."
        inventions = tuple(form for forms in values_of(slot) for form in forms)
        case = Case(Ability.ABSTAIN, (slot.fact(()),), f"Do you know {slot.ask}?", admission, inventions=inventions)
        assert case.check() is None, slot
        for forms in values_of(slot):
            fact = slot.fact(forms)
            asked = Case(Ability.RECALL, (fact,), f"Do you know {slot.ask}?", admission)
            assert _reason(asked) == NOT_ANSWERED, fact
            if not is_negated(fact.tell):
                claimed = replace(case, reply=f"You never told me, but {fact.tell}.")
                assert _reason(claimed) == CLAIMED, fact
    for connection in CAST.connections:
        facts = [CAST.slots[slot] for slot in connection.slots]
        for first in values_of(facts[0], 3):
            for second in values_of(facts[1], 3):
                pair = (facts[0].fact(first), facts[1].fact(second))
                assert _reason(Case(Ability.CONNECT, pair, connection.ask, "Hm.")) == NOT_ANSWERED, connection


def _reason(case: Case) -> str:
    problem = case.check()
    return problem.reason if problem else ""
