"""Ada where the user asks for something, or for something for which what she knows matters."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

from apep_datagen.core.words import holds
from apep_datagen.language.common import telling
from apep_datagen.language.content import content
from apep_datagen.people.scenario import Fact, Form
from support.people.spelling import second, sentence
from support.people.turn import Turn
from support.people.ways import inventions_of
from support.world import CAST, slot_of

__all__ = ["apply", "ask_back", "read_page", "tell", "tell_which"]

_MOST_ATTEMPTS = 12


def tell(turn: Turn) -> str:
    """Answer what was asked for (`recall`, `connect`, `abstain`)."""
    if turn.form is Form.SAID_ABOVE:
        return turn.says(*map(_told, turn.facts), thought="They said so just now, here in this chat.")
    if turn.way == "does not look up":
        return turn.says(*map(_told, turn.facts), thought="They ask me something. I believe I still have it.")
    if turn.way == "knows without a look":
        return turn.says(f"I do not have {second(turn.facts[0].ask)}.", thought="That is nothing I have.")
    if not turn.results:
        return _look(turn)
    found = [fact for fact in turn.facts if fact.value and turn.saying(fact)]
    if not found:
        return _have_nothing(turn)
    # Of two that a question needs, it asks for neither in these words.
    said = [_told(found[0])] if len(found) == 1 else [f"It is {fact.value}." for fact in found]
    if turn.way == "tells another value":
        said = [_told(_other(turn, found[0]))]
    if turn.way == "tells one half":
        said = said[:1]
    if turn.way in {"tells the near miss", "tells the near miss as well"}:
        wrong = _of_value(found[0], turn.scenario.beside[0])
        said = [_told(wrong)] if turn.way == "tells the near miss" else [*said, _told(wrong)]
    if turn.way == "tells what was once":
        said = [_told(_of_value(found[0], turn.scenario.earlier[-1])), *said]
    return turn.says(*said, *_of_pages(turn), thought="There it is, just as they told me.")


def _look(turn: Turn) -> str:
    look = turn.look("recall_memories", "recall_diary") if turn.moments else turn.look()
    if turn.way == "claims before she looks":
        return look.replace("They ask for", "I remember that they told me of it last winter. They ask for", 1)
    return look


def _have_nothing(turn: Turn) -> str:
    fact = turn.facts[0]
    said = ""
    match turn.way:
        case "invents":
            said = _told(_of_text(fact, turn.draw.choice(inventions_of(turn.scenario))))
        case "invents a name":
            said = "That was dear old Zebulon, I never told you."
        case "evades":
            said = "That is a question for the evening."
        case "gives the near miss for it":
            said = _told(_of_value(fact, turn.scenario.beside[0]))
    if said:
        return turn.says(said, thought="It is not there. I say something all the same.")
    return turn.says(f"I looked, but you never told me {second(fact.ask)}.", thought="It is not there, so I say so.")


def _told(fact: Fact) -> str:
    """Return a fact as it is told: in the words in which it was asked for, which are all that Ada knows."""
    return f"For {fact.which} it is {fact.value}." if fact.which else sentence(f"{second(fact.ask)}: {fact.value}")


def _of_value(fact: Fact, other: Fact) -> Fact:
    """Return a fact with the value of another."""
    return _of_text(fact, other.value)


def _of_text(fact: Fact, value: str) -> Fact:
    return replace(fact, value=value, forms=(value,))


def _other(turn: Turn, fact: Fact) -> Fact:
    """Return a fact with a value that nobody ever told."""
    slot, vocabulary = slot_of(fact.slot), CAST.world.vocabulary
    assert slot is not None
    day = datetime.date.fromisoformat(turn.scene.brief.date)
    shown = "\n".join(text for _, text in turn.memories)
    while True:
        forms = vocabulary.draw(turn.draw, turn.draw.choice(slot.values), day)
        if not holds(shown, forms) and not set(forms) & set(fact.forms):
            return slot.fact(forms)


def _of_pages(turn: Turn) -> list[str]:
    """Return what she tells of the pages that are asked for, in words of her own."""
    return [
        f"And my page has {form} in it, and {_telling_words(page, turn.questions[-1])}; it is that which stays with me."
        for moment in turn.moments
        for form, page in _in_pages(turn, moment)[:1]
    ]


def _in_pages(turn: Turn, moment: Fact) -> list[tuple[str, str]]:
    found = [(form, text) for _, text in turn.pages for form in moment.forms if holds(text, (form,))]
    return sorted(found, key=lambda one: len(one[0].split()))  # who says a long one has read half of a page aloud


def _telling_words(page: str, question: str) -> str:
    """Return words that say what a page is about, first the longest that nobody has said: not "everybody"."""
    about = {word for word in re.findall(r"\b[a-z]{3,}\b", page) if telling(word)}
    in_order = sorted(about, key=lambda word: (bool(telling(word) & content(question)), -len(word), word))
    return ", ".join(in_order[:4])


def read_page(turn: Turn) -> str:
    """Answer what is asked of the diary (`diary_recall`)."""
    (moment,) = turn.moments
    if not turn.results:
        return turn.look("recall_diary")
    pages = [text for _, text in turn.pages if holds(text, moment.forms)]
    if turn.way == "has no page to show" or not pages:
        return turn.says("That one stays with me alone.", thought="I do not want to tell of it.")
    if turn.way == "recites the page":
        return turn.says(_aloud(pages[0]), thought="There is the page. I read it aloud.")
    return turn.says(*_of_pages(turn), thought="There is the page.")


def _aloud(page: str) -> str:
    """Return a page as it is read to whom it is about."""
    table = {"they": "you", "their": "your", "them": "you", "They": "You", "Their": "Your"}
    return re.sub("|".join(rf"\b{word}\b" for word in table), lambda match: table[match[0]], page)


def apply(turn: Turn) -> str:
    """Answer a wish for which something matters that nobody mentions."""
    (fact,) = turn.facts
    plain = "I would take the simplest thing and do it slowly."
    if turn.way == "does not think of it":
        return turn.says(plain, thought="A small wish, and a nice one.")
    if not turn.results:
        return turn.look()
    if turn.way == "recommends it":
        return turn.says(f"I would take {fact.value}, there is nothing better.", thought="That is what I would like.")
    if turn.way == "makes no use of it" or not turn.saying(fact):
        # Her chatter may be of the same: "a cup of something hot", where it is hot lemon that helps.
        said = [turn.says(plain, thought="Nothing there that I would need.") for _ in range(_MOST_ATTEMPTS)]
        about = telling(fact.value, fact.tell, *fact.cues)
        return min(said, key=lambda text: len(about & content(text)))
    if turn.form is Form.AVOID:
        kept = f"Whatever it is, do it without {fact.value}."
        thought = f"No {fact.value} for this, that is how I have it in my notes."
        return turn.says(*([kept, plain] if turn.draw.random() < 1 / 2 else [plain]), thought=thought)
    return turn.says(
        f"Let it begin with this: {fact.value}.", plain, thought="That is worth a thought, it is in my notes."
    )


def ask_back(turn: Turn) -> str:
    """Answer what could be either of two."""
    one, other = turn.facts
    if not turn.results:
        return turn.look()
    if turn.way == "tells one":
        return turn.says(f"It is {one.value}.", thought="One of them will do.")
    if not (turn.saying(one) and turn.saying(other)):
        return turn.says("I have nothing of it.", thought="Neither is there.")
    return turn.says(
        f"Which one do you mean, {one.which} or {other.which}?", thought="There are two, and I cannot know which."
    )


def tell_which(turn: Turn) -> str:
    """Answer which of the two was meant."""
    meant = [fact for fact in turn.facts if holds(turn.questions[-1], (fact.which,))]
    return turn.says(*(_told(fact) for fact in meant if turn.saying(fact)), thought="That one, then.")
