"""Everybody keeps to their part, whatever they speak of: a phrase alone is no fault."""

from __future__ import annotations

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.quality import form, voice
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn

PHRASES = load_cast().phrases


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
    {"reply": "An hour is long. I'm the odd one out, being an AI, so I never caught a yawn. Did you look out?"},
    {"reply": "Cook something real. Light a lamp. I'm an AI, so I fill no chair, but I keep you company tonight."},
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
    {"reply": "As an AI, I cannot know trams. They are long, though. Was it an hour? I hope it was warm."},
    {"reply": "It is long. An hour is an hour. I'm a language model, so I do not wait. How was it?"},
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
