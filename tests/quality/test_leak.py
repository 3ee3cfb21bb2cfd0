"""What Ada cannot know and says all the same is found; what two talks share by chance is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.people.scenario import Ability, Fact, User
from apep_datagen.people.story import Change
from apep_datagen.quality import leak
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample, read_sample
from support.briefs import brief
from support.real_conversations import real_conversations
from support.samples import conversation, read

USER = User(
    "Oskar",
    51,
    "Turku",
    "a bookbinder",
    "dry",
    "short sentences",
    interests=("beekeeping", "accordion music"),
    people=("cousin Benedikta", "neighbour Mr. Okonkwo"),
    animals=("two donkeys",),
)


def case(question: str, *answers: str, past: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Case:
    """Return a conversation of Oskar's, who said `past` on other days, and of whom Ada has `notes`."""
    memory = tuple(Note(number, "2026-01-02", text) for number, text in enumerate(notes, start=1))
    return Case(
        brief(user=USER),
        conversation(question, *answers),
        Change((), Notes(memory), Notes(memory)),
        earlier=past,
    )


def check(case: Case) -> Problem | None:
    sample = read_sample(case.messages)
    assert isinstance(sample, Sample), sample
    return leak.check(sample, case)


def small_talk(reply: str, *past: str, question: str = "Is it me, or are Mondays longer than they used to be?") -> Case:
    return case(question, f"<think>A small thing, and I like it.</think>\n\n{reply}", past=past)


BOILER = "The boiler man came twice and swore at the valve, and I made him pancakes both times."
REGATTA = "I rowed in the village regatta with a leaking skiff, and we came last but one."
MARROW = "My marrow won second prize at the show; the winner's had been fed on stout, everybody knows."
QUILT = "The quilt for Benedikta is nearly done, only the border of little foxes is missing."
OWL = "An owl sits on the chimney every night at ten and stares at me through the skylight."

LEAKS = {
    "a question after it": small_talk("They are. How is the marrow, does it sulk about second prize?", MARROW),
    "still": small_talk("They are, and long enough to bail out that skiff. Is it still leaking?", REGATTA),
    "two rare words": small_talk("Much longer. I blame the boiler, and perhaps the pancakes.", BOILER),
    "a person's name": small_talk("They are, and Benedikta would say so too.", QUILT),
    "a name from the card alone": small_talk("They are. Has Mr. Okonkwo complained of them as well?"),
    "an animal from the card": small_talk("They are. What do the donkeys say to it?"),
    "words of a page": small_talk("Longer, with an owl staring through the skylight.", OWL),
    "the border": small_talk("Finish the quilt on one, with the little foxes, and it will be over soon.", QUILT),
    "in the same words": small_talk("They row in it with a leaking skiff, all Mondays do.", REGATTA),
    "in a thought": case(
        "Is it me, or are Mondays longer than they used to be?",
        "<think>That owl on the chimney again, I suppose, and no sleep.</think>\n\nThey are. Go to bed early.",
        past=(OWL,),
    ),
    "of a message before the note of it is looked up": case(
        "What was it that I said I was learning?",
        "<think>The theremin, was it still going badly?</think>\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-01-02", "text": "The user learns the theremin."}]}'
        "</tool_result>",
        "<think>The theremin.</think>\n\nThe theremin.",
        past=("The theremin goes badly, my teacher weeps.",),
        notes=("The user learns the theremin.",),
    ),
    "beside an answer from memory": case(
        "Which bus is it again that I take to work?",
        "<think>They want the bus.</think>\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-01-02", "text": "The user takes the 314."}]}'
        "</tool_result>",
        "<think>There it is.</think>\n\nThe 314. And did the boiler man get his third pancake?",
        past=(BOILER,),
        notes=("The user takes the 314.",),
    ),
    "still, behind a comma": small_talk("They are. I hope the skiff, patched or not, still floats.", REGATTA),
    "in a note": case(
        "My brother moved to Lund.",
        "<think>Lund, I will keep that.</think>\n\n"
        '<tool_call>add_memory(input_text=["The user\'s brother, who saw the owl on the chimney, lives in Lund."])'
        "</tool_call>",
        '<tool_result>{"added": 1, "indices": [1]}</tool_result>',
        "<think>Kept.</think>\n\nLund is a fine town for brothers.",
        past=(OWL,),
    ),
}

INNOCENT = {
    "nothing is shared": small_talk("They are. I think somebody pours water into them.", BOILER, REGATTA),
    "everyday words": small_talk("They are. You go to work, come home, have a cup of tea and it is only four.", BOILER),
    "one rare word in passing": small_talk("Monday is the marrow of the week, no doubt about it.", MARROW),
    "a figure of speech": small_talk("Longer, like an owl at noon.", OWL),
    "a general definite": small_talk("Longer. Stay in the garden until the chimney smokes.", OWL),
    "it stands in the question": small_talk(
        "A border of foxes is a fine thing to end on. Is the quilt still on the table?",
        QUILT,
        question="I sat over my quilt all day, only the border of foxes is missing.",
    ),
    "it stands in the result": case(
        "What did I say about the theremin?",
        "<think>I look first.</think>\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-01-02", "text": "The user learns the theremin from a'
        ' retired sailor."}]}</tool_result>',
        "<think>There.</think>\n\nThat you learn it from a retired sailor. Is the sailor still patient?",
        past=("The sailor who teaches me the theremin is a patient man, retired since March.",),
        notes=("The user learns the theremin from a retired sailor.",),
    ),
    "a number with a point stands in the result, in other words": case(
        "Which size of needle does my machine take?",
        "<think>I look first.</think>\n\n<tool_call>recall_memories()</tool_call>",
        '<tool_result>{"memories": [{"index": 1, "date": "2026-01-02", "text": "1.5 mm in each machine of the user\'s,'
        ' says the leaflet."}]}</tool_result>',
        "<think>There.</think>\n\nYour sewing machine takes a needle of 1.5 mm.",
        past=("The sewing machine takes a needle of 1.5 mm.",),
        notes=("1.5 mm in each machine of the user's, says the leaflet.",),
    ),
    "what is told now was planned": case(
        "I have begun to keep bees, would you believe it.",
        "<think>Bees, that will last.</think>\n\n"
        '<tool_call>add_memory(input_text=["The user keeps bees."])</tool_call>',
        '<tool_result>{"added": 1, "indices": [1]}</tool_result>',
        "<think>Kept.</think>\n\nBees! Do they know you yet?",
    ),
    # The program wrote it before the timeline began: no model has seen it, and none can have it from there.
    "a note that nobody has looked up": case(
        "What goes well with a long night?",
        "<think>The theremin, by an owl on the chimney, is it still that hour?</think>\n\nAn owl on the chimney.",
        notes=("The user learns the theremin.", OWL),
    ),
    # "Again" is the kitchen's, and "another" the recipe's.
    "something else goes on": small_talk(
        "Longer. Cook on them: by the time the marrow is done, the evening is your own again.", MARROW
    ),
    "another one of something else": small_talk("Longer. Put the marrow away, and that was another Monday.", MARROW),
    "the user's own town is not named": small_talk("They are, wherever one lives.", "I like it here in Turku."),
    "advice on the same matter": small_talk(
        "Cool water first, then a plain lotion, and no sun for a week.",
        BOILER,
        question="What helps against sunburn?",
    ),
    "an earlier exchange of the same talk": case(
        "My skiff leaks.",
        "<think>Poor skiff.</think>\n\nTar it.",
        "Tar it with what?",
        "<think>With tar.</think>\n\nWith tar, and keep the skiff dry for a day. Is it still leaking badly?",
        past=(REGATTA,),
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_what_she_cannot_know_is_found_with_her_words(name: str) -> None:
    problem = check(LEAKS[name])
    assert problem is not None
    assert problem.reason == leak.REASON
    assert any(problem.quote in message.content for message in LEAKS[name].messages)


@pytest.mark.parametrize("name", INNOCENT)
def test_what_two_talks_share_by_chance_is_no_leak(name: str) -> None:
    assert check(INNOCENT[name]) is None


@pytest.mark.parametrize(
    ("question", "thought", "reply", "past"),
    [
        (
            "Ich habe heute an der Gartenmauer gearbeitet und mein Rücken tut weh. Was hilft?",
            "Der Rücken also, nach einem Tag an der Mauer. Das soll besser werden.",
            "Ein warmes Bad, und danach gar nichts mehr. Oft ist es nur ein Muskel, den man nicht gefragt hat.",
            "Wie sagt man jemandem, dass man nicht mehr kommen will? Es ist nur ein Chor, aber sie wären enttäuscht.",
        ),
        (
            "Hoje passei o dia no muro do jardim e doem-me as costas. O que ajuda?",
            "As costas, depois de um dia inteiro no muro. Quero dizer uma coisa que ajude mesmo.",
            "Um banho quente, e depois mais nada. Muitas vezes é só um músculo que não foi ouvido por ninguém.",
            "Como se diz a uma pessoa que já não se quer ir mais? É só um coro, mas não foi por mal.",
        ),
    ],
    ids=["German", "Portuguese"],
)
def test_small_words_of_another_language_are_no_rare_ones(question: str, thought: str, reply: str, past: str) -> None:
    assert check(case(question, f"<think>{thought}</think>\n\n{reply}", past=(past,))) is None


def test_a_page_that_tells_of_a_moment_by_one_of_its_words_tells_of_it_by_all() -> None:
    """Whoever has read of a cellist may speak of the cello; whoever has not read the page may not."""
    asked, look = "Who listened with her hands?", "<think>I look.</think>\n\n<tool_call>recall_diary()</tool_call>"
    told = "<think>There she is.</think>\n\nThe girl, when the cellist got out his whole cello again for her."
    moment = Fact("cello", "cello", ("cello", "cellist"), (), "a girl laid her hands on the cello", asked, "diary")
    for page, is_known in (("The cellist played once more, for a girl.", True), ("A girl listened.", False)):
        result = f'<tool_result>{{"pages": [{{"index": 1, "date": "2026-01-02", "text": "{page}"}}]}}</tool_result>'
        plain = case(asked, look, result, told)
        scenario = replace(plain.brief.scenario, ability=Ability.DIARY_RECALL, facts=(moment,))
        assert (check(replace(plain, brief=replace(plain.brief, scenario=scenario))) is None) == is_known


def test_without_a_past_nothing_can_be_leaked() -> None:
    nobody = User("N", 30, "", "", "", "")
    for leaking in LEAKS.values():
        bare = replace(leaking, brief=replace(leaking.brief, user=nobody), earlier=())
        assert check(bare) is None


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=3))
def test_whatever_is_said_it_can_be_checked(reply: str, past: list[str]) -> None:
    sample = read(conversation("What a day.", "<think>Well.</think>\n\nWell, well."))
    turn = replace(sample.exchanges[0].turns[0], reply=reply)
    leak.strongest_trace(replace(sample, exchanges=(replace(sample.exchanges[0], turns=(turn,)),)), past)


def test_the_pasts_of_other_users_are_hardly_ever_found_in_real_conversations() -> None:
    """Who is asked about another one's past cannot leak it: so this is how often chance alone is found."""
    told = [real for real in real_conversations() if real.case.earlier]
    draw = random.Random(2026)  # noqa: S311 - no secret depends on it
    tried = found = 0
    for real in told:
        sample = read_sample(real.case.messages)
        assert isinstance(sample, Sample)
        others = [other for other in told if other.case.brief.timeline_id != real.case.brief.timeline_id]
        for other in draw.sample(others, 6):
            borrowed = leak.unseen(other.case)
            trace = leak.strongest_trace(sample, borrowed)
            tried += 1
            found += trace is not None and trace.weight >= leak.LEAST_WEIGHT
    assert tried > 800
    assert found / tried < 0.005


def test_half_of_the_leaks_that_readers_found_are_found_and_no_good_conversation_is_wronged() -> None:
    found = {real.number for real in real_conversations() if check(real.case)}
    leaking = {real.number for real in real_conversations() if real.label.has("leak")}
    good = {real.number for real in real_conversations() if real.label.verdict == "good"}
    assert len(found & leaking) >= 11
    assert not found & good
