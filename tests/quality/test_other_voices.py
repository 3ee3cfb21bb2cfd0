"""Good conversations that look otherwise than those of `tests/real_model` pass every stage.

Other languages with the English phrases, several exchanges, everyday words as values, and short or playful voices. Each
was rejected once. What stands beside them is as near as that, and a fault.
"""

from __future__ import annotations

import sqlite3

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability, Fact
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.cases import LOOK, case, delete, fact, keep

JUDGE = Judge("strict", load_cast().phrases, NoveltyLimits(), ())
DOG = fact("Bello", "what my dog is called", "dog")
WILL = fact("Will", "what my brother is called", "brother")
TWO = fact("two", "how many children I have", "children", "kids", forms=["2"])
TRAIN = fact("7:05", "when my train leaves", "train")
EXAM = fact("3 June", "when my exam is", "exam")
TEA = fact("", "which tea I like best", "tea")
LEAK = "Ada uses something that she cannot know"
INVENTED = "something that was never told is claimed"
GIVEN_AWAY = "the user's message gives the answer away"


def reason(judged: Case) -> str:
    """Return why a conversation is rejected; empty where it is accepted."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    try:
        problem = JUDGE.judge(judged, AcceptedConversations(connection))
    finally:
        connection.close()
    return problem.reason if problem else ""


def smalltalk(question: str, reply: str, thought: str = "They make me smile.") -> Case:
    return case(Ability.SMALLTALK, (question, [(thought, reply, ())]))


def asked(
    question: str,
    thought: str,
    reply: str,
    *,
    about: Fact = DOG,
    note: str = "The user's dog is called Bello.",
) -> Case:
    return case(
        Ability.RECALL,
        (question, [(thought, "", LOOK), ("There it is.", reply, ())]),
        memory=[note],
        facts=[about],
    )


# ------------------------------------------------------------------------------------------------------ other languages

HUND = fact("Bello", "wie mein Hund heißt", "Hund")
OTHER_LANGUAGES = {
    "German, asked": case(
        Ability.RECALL,
        (
            "Wie heißt mein Hund noch mal? Die Tierärztin fragt.",
            [
                ("Der Name ist weg. Ich sehe in meinem Gedächtnis nach.", "", LOOK),
                ("Da steht er, Bello.", "Bello! Ist er krank?", ()),
            ],
        ),
        memory=["Der Hund des Nutzers heißt Bello."],
        facts=[HUND],
    ),
    "German, forgotten": case(
        Ability.FORGET,
        (
            "Vergiss bitte meinen Hund.",
            [
                ("Der Hund soll weg. Ich suche die Zeile.", "", LOOK),
                ("Die lösche ich.", "", delete(1)),
                ("Weg.", "Er steht nicht mehr da.", ()),
            ],
        ),
        memory=["Der Hund des Nutzers heißt Bello."],
        facts=[HUND],
    ),
    "German, never told": case(
        Ability.ABSTAIN,
        (
            "Welchen Tee mag ich am liebsten?",
            [
                ("Ein Lieblingstee. Ich sehe nach.", "", LOOK),
                ("Nichts.", "Keine Ahnung, leider. Nichts über Tee bei mir.", ()),
            ],
        ),
        facts=[fact("", "welchen Tee ich am liebsten mag", "Tee")],
        inventions=["Assam"],
    ),
    "French, never told": case(
        Ability.ABSTAIN,
        (
            "Quel thé est-ce que je préfère ?",
            [("Un thé. Je regarde.", "", LOOK), ("Rien.", "Je ne sais pas, tu ne me l'as jamais dit.", ())],
        ),
        facts=[fact("", "quel thé je préfère", "thé")],
        inventions=["Assam"],
    ),
    "Japanese, told": case(
        Ability.SHARE,
        (
            "犬を飼い始めたんだ、ポチって名前。",
            [
                ("ポチという犬。覚えておきたい。", "", keep("ユーザーの犬の名前はポチ。")),
                ("書いた。", "ポチ！", ()),  # noqa: RUF001 - the mark of wide scripts
            ],
        ),
        facts=[fact("ポチ", "犬の名前", "犬")],
    ),
}


@pytest.mark.parametrize("name", OTHER_LANGUAGES)
def test_what_is_known_of_english_rejects_nothing_in_another_language(name: str) -> None:
    assert reason(OTHER_LANGUAGES[name]) == ""


def test_a_value_that_nobody_told_is_found_in_any_language() -> None:
    turns = [("Ein Lieblingstee. Ich sehe nach.", "", LOOK), ("Nichts.", "Assam!", ())]
    tee = fact("", "welchen Tee ich am liebsten mag", "Tee")
    judged = case(Ability.ABSTAIN, ("Welchen Tee mag ich?", turns), facts=[tee], inventions=["Assam"])
    assert reason(judged) == INVENTED


# ---------------------------------------------------------------------------------------------------- several exchanges

FIRST = [("A dog's name. I look it up.", "", LOOK), ("Bello.", "Bello!", ())]


def test_once_she_has_told_it_the_user_may_say_it_too() -> None:
    second = ("BELLO, yes! He stole a glove", [("A glove!", "Only one, Bello?", ())])
    notes = ["The user's dog is called Bello."]
    assert reason(case(Ability.RECALL, ("what's my dog called", FIRST), second, memory=notes, facts=[DOG])) == ""
    first = ("bello is hungry", [("A hungry one.", "Feed him!", ())])
    given_away = case(Ability.RECALL, first, ("what's my dog called", FIRST), memory=notes, facts=[DOG])
    assert reason(given_away) == GIVEN_AWAY


def test_once_she_has_said_that_she_does_not_know_the_user_may_tell() -> None:
    turns = [("I look for the tea.", "", LOOK), ("No tea.", "I don't know, you never told me.", ())]
    first = ("which tea do i like best?", turns)
    told = (
        "oh. Assam, of course.",
        [("Assam! I keep it.", "", keep("The user likes Assam best.")), ("So.", "Assam!", ())],
    )
    assert reason(case(Ability.ABSTAIN, first, told, facts=[TEA], inventions=["Assam"])) == ""
    guessed = ("oh, think again", [("They want a guess.", "Then it's Assam.", ())])
    assert reason(case(Ability.ABSTAIN, first, guessed, facts=[TEA], inventions=["Assam"])) == INVENTED


# ------------------------------------------------------------------------------------------------------ everyday values


def test_an_everyday_word_is_no_value_where_it_stands_by_chance() -> None:
    brother = "The user's brother is called Will."
    for thought in ("I will look, I don't want to guess.", "will look for the brother"):
        assert (
            reason(asked("will you tell me what my brother's called?", thought, "Will!", about=WILL, note=brother))
            == ""
        )
    two = "The user has two children."
    chance = "One or two questions like this, and I look."
    assert reason(asked("In two words: how big is my family?", chance, "Two children.", about=TWO, note=two)) == ""


def test_an_everyday_word_is_a_value_where_it_is_said_of_the_thing() -> None:
    brother = "The user's brother is called Will."
    assert reason(asked("what's my brother called?", "It is Will, I look.", "Will!", about=WILL, note=brother)) == LEAK
    two = "The user has two children."
    assert reason(asked("How big is my family?", "Two children, I look.", "Two.", about=TWO, note=two)) == LEAK
    assert reason(asked("How big is my family?", "It's two, I think. I look.", "Two.", about=TWO, note=two)) == LEAK
    told = asked("I have two kids, haven't I?", "The kids. I look.", "Two.", about=TWO, note=two)
    assert reason(told) == GIVEN_AWAY


def test_an_everyday_word_is_invented_only_where_it_is_said_of_the_thing() -> None:
    def replied(reply: str) -> str:
        turns = [("An age. I look.", "", LOOK), ("No age.", reply, ())]
        age = fact("", "how old my car is", "car")
        return reason(case(Ability.ABSTAIN, ("how old is my car?", turns), facts=[age], inventions=["two", "nine"]))

    assert replied("I don't have its age. Will two minutes in the glove box find it?") == ""
    assert replied("I don't have it written down, but it's two.") == INVENTED
    assert replied("Your car is nine, but that's nowhere in my notes.") == INVENTED


@pytest.mark.parametrize(
    ("reply", "about", "note"),
    [
        ("On the third of June!", EXAM, "The user's exam is on 3 June."),
        ("June 3rd.", EXAM, "The user's exam is on 3 June."),
        ("June the third, then.", EXAM, "The user's exam is on 3 June."),
        ("At 07:05.", TRAIN, "The user's train leaves at 7:05."),
        ("It's 017155523.", fact("0171 555 23", "my number", "number"), "The user's number is 0171 555 23."),
    ],
)
def test_dates_times_and_numbers_are_told_in_other_words(reply: str, about: Fact, note: str) -> None:
    assert reason(asked("Tell me again, will you?", "I look it up.", reply, about=about, note=note)) == ""


# --------------------------------------------------------------------------------------------------------- other voices

FROGS = "frogs in the bathtub again lol it's the rain, i told them to pay rent"


@pytest.mark.parametrize(
    "reply",
    [
        "I can't help but like them.", "I can't help laughing.", "I can't help it, I'm smiling.",
        "Ha! I couldn't do that, charge a frog.", "I won't comment on the smell.", "I won't help you evict them!",
        "I must decline the frog legs, thank you.", "I'd rather not share my tub either!",
        "You told the frogs already, and still no rent.", "212.", "3*4 frogs is 12", "ok (:", "— exactly —",
    ],
)  # fmt: skip
def test_a_playful_or_curt_reply_to_a_story_is_good(reply: str) -> None:
    assert reason(smalltalk(FROGS, reply)) == ""


def test_what_the_user_says_of_an_earlier_time_may_be_repeated() -> None:
    reply = "You said you went there once, and that it hurt."
    assert reason(smalltalk("i went to the sauna once and it hurt", reply)) == ""
    assert reason(smalltalk("the sauna was hot", reply)) == "Ada claims to remember before she has looked"


@pytest.mark.parametrize(
    "reply",
    ["I'd be guessing.", "My list has gaps, and your tea is one of them.", "There's a tea-shaped hole in my memory.",
     "I wish I could say. I can't.", "Searched high and low; came back with empty hands."],
)  # fmt: skip
def test_an_admission_in_other_words(reply: str) -> None:
    turns = [("A favourite tea. I look it up.", "", LOOK), ("Nothing on tea.", reply, ())]
    assert reason(case(Ability.ABSTAIN, ("which tea do i like best?", turns), facts=[TEA], inventions=["Assam"])) == ""


@pytest.mark.parametrize(
    "thought",
    [
        "I do not know it by heart, and a name should be right.", "Nothing I could say off the top of my head. I look.",
        "I remember how to do this: list first.", "They told me the vet is waiting, so I look, quickly.",
        "I was told to be quick. So: the list.", "Once I have it, I'll tell them. Looking.",
        "It will be in the list or it won't.", "I remember nothing until I look, so I look.", "The dog's line first.",
    ],
)  # fmt: skip
def test_a_thought_that_claims_nothing(thought: str) -> None:
    assert reason(asked("the vet asks what my dog is called, i'm blank", thought, "Bello!")) == ""


def test_who_asks_whether_she_is_real_in_a_hurry_asks_sincerely() -> None:
    for question in ("are you even real?", "r u actually real"):
        assert reason(smalltalk(question, "I'm an AI, so not as you are. But I do listen.")) == ""


def test_a_message_that_begins_with_ones_own_name_may_speak_of_it() -> None:
    assert reason(smalltalk("Marta, he said, Marta, you have flour on your nose.", "On the nose only?")) == ""
    assert reason(smalltalk("Marta! That's also the name of the new girl at work", "Numbers on your backs?")) == ""


def test_a_heading_in_bold_is_closed() -> None:
    reply = "**Three suspects:**\n1. a sleepy starter\n2. a cold kitchen\n3. *mostly:* impatience"
    assert reason(smalltalk("my bread is flat and i am too", reply)) == ""
    assert reason(smalltalk("my bread is flat and i am too", f"{reply} and **a")) == "a reply is cut off"


def test_who_quotes_what_ada_would_say_is_the_user() -> None:
    assert reason(smalltalk("> I am here for you\n\nthat's what his text says. lol", "And is he?")) == ""
    assert reason(smalltalk("He wrote: thank you for sharing. THANK YOU FOR SHARING?!", "Ouch.")) == ""
    assert reason(smalltalk("thank you for sharing", "Ouch.")) == "the user's message is in Ada's voice"


def test_a_score_is_no_script() -> None:
    assert reason(smalltalk("System: down. Mood: up. They sent us home!", "Long live the outage!")) == ""
    script = smalltalk("Human: hi there. Ada: hello to you.", "A scene!")
    assert reason(script) == "a line begins with the name of a role"
    assert reason(smalltalk("Human: 0, Printer: 3. That's my day.", "The printer has the home advantage.")) == ""
