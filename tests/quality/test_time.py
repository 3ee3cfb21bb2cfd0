"""What contradicts the day and the hour of a conversation is found, and nothing else is."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import ToolCall
from apep_datagen.people.scenario import Ability, Scenario
from apep_datagen.quality import time
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample
from support.briefs import brief
from support.hostile_texts import MARKUP_PIECES
from support.real_conversations import RealConversation, real_conversations

FRIDAY_MORNING, FRIDAY_NOON, FRIDAY_EVENING = "2026-03-13T09:00", "2026-03-13T12:00", "2026-03-13T21:00"
WEDNESDAY_AFTERNOON, MONDAY_NIGHT, JULY = "2026-11-11T15:40", "2025-12-01T22:50", "2026-07-14T10:20"


def check(
    at: str,
    question: str = "hm",
    reply: str = "Well.",
    thought: str = "Hm.",
    *,
    before: Iterable[Any] = (),
    plan: str = "",
) -> Problem | None:
    """Judge a conversation of one exchange; `before` are results that Ada has seen."""
    looked = tuple(SavedTurn("I look.", "", (ToolCall("recall_memories", {}),), (result,)) for result in before)
    sample = Sample("You are Ada.", (SavedExchange(question, (*looked, SavedTurn(thought, reply))),))
    return time.check(sample, brief(at=at, scenario=Scenario(Ability.SHARE, "rain", "calm", "short", plan)))


def memories(*dates: str, text: str = "The user has a dog.") -> dict[str, Any]:
    return {"memories": [{"index": index, "date": date, "text": text} for index, date in enumerate(dates, start=1)]}


SAID_BY_ADA = [
    # The day of the week.
    (FRIDAY_MORNING, "It's Tuesday, so you have the week before you.", "It's Tuesday"),
    (FRIDAY_MORNING, "Well, today is Monday, and you made it out of bed.", "today is Monday"),
    (FRIDAY_EVENING, "Today's **Wednesday**. Be kind to yourself!", "Today's **Wednesday"),
    (WEDNESDAY_AFTERNOON, "Happy Friday! Go and get that ice cream.", "Happy Friday"),
    (WEDNESDAY_AFTERNOON, "Tomorrow is Saturday, so let them sleep in.", "Tomorrow is Saturday"),
    (MONDAY_NIGHT, "Yesterday was Friday, no wonder that you are worn out.", "Yesterday was Friday"),
    (FRIDAY_NOON, "It is only Wednesday, you poor thing.", "It is only Wednesday"),
    (FRIDAY_NOON, "'Tis a fine Sunday for you to begin, if I may say so.", "'Tis a fine Sunday"),
    (WEDNESDAY_AFTERNOON, "It's finally the weekend, so put your feet up.", "It's finally the weekend"),
    (WEDNESDAY_AFTERNOON, "Nobody should ask you such things so early on a Monday.", "so early on a Monday"),
    # The date, the month, the year.
    (FRIDAY_MORNING, "Today is the first of May, isn't it nice?", "Today is the first of May"),
    (FRIDAY_MORNING, "Today, 4 December, is as good a day as any for you.", None),
    (FRIDAY_MORNING, "It's already June here, so air the room at night.", "It's already June"),
    (FRIDAY_NOON, "You have earned a nap on this grey November day.", "this grey November day"),
    (JULY, "It's 2024, you are allowed to say no.", "It's 2024"),
    (JULY, "It's the last day of the year, so let us forgive everybody.", "It's the last day of the year"),
    (JULY, "It's spring now, so you could sow it outside.", "It's spring now"),
    # The hour and the part of the day.
    (FRIDAY_EVENING, "Good morning! How did you sleep?", "Good morning"),
    (FRIDAY_MORNING, "Good evening to you, stranger.", "Good evening"),
    (FRIDAY_MORNING, "Good afternoon, dear.", "Good afternoon"),
    (FRIDAY_NOON, "Who else is hungry this late at night?", "this late at night"),
    (FRIDAY_NOON, "Lovely, you still write at this lonely hour of the night.", "at this lonely hour of the night"),
    (FRIDAY_EVENING, "Ooh, this early in the morning, I'd say tea.", "this early in the morning"),
    (FRIDAY_EVENING, "And how are you this morning?", "how are you this morning"),
    (FRIDAY_MORNING, "And how are you feeling tonight?", "how are you feeling tonight"),
    (FRIDAY_MORNING, "you sound a bit worn out tonight. want to talk", "you sound a bit worn out tonight"),
    (FRIDAY_EVENING, "You seem very cheerful this morning, I like it.", "You seem very cheerful this morning"),
    (FRIDAY_EVENING, "How's your morning going?", "How's your morning going?"),
    (FRIDAY_MORNING, "It's past nine in the evening already, so let it be.", "It's past nine in the evening"),
    (FRIDAY_NOON, "It's nearly midnight, you should sleep.", "It's nearly midnight"),
    (FRIDAY_EVENING, "It's just after two, you have all afternoon.", "It's just after two"),
    (FRIDAY_EVENING, "It is now half past ten in the morning, so rest.", "It is now half past ten in the morning"),
    (FRIDAY_MORNING, "It's 16:20, so you had better run.", "It's 16:20"),
    (FRIDAY_MORNING, "Tonight was lovely, thank you for telling me.", "Tonight was"),
]  # fmt: skip


@pytest.mark.parametrize(("at", "reply", "quote"), [case for case in SAID_BY_ADA if case[2]])
def test_what_ada_says_of_the_present_is_held_against_the_calendar_and_the_clock(
    at: str, reply: str, quote: str
) -> None:
    problem = check(at, reply=reply)

    assert problem is not None
    assert (problem.stage, problem.reason) == (Stage.TIME, "Ada contradicts the time of the conversation")
    assert problem.quote == quote
    assert problem.quote in reply


THOUGHTS = [
    (FRIDAY_NOON, "It's late... they should be in bed.", "It's late"),
    (FRIDAY_NOON, "So tired, and so late too. I won't keep them.", "so late"),
    (FRIDAY_MORNING, "A riddle, so late in the evening. I like them for it.", "so late in the evening"),
    (FRIDAY_EVENING, "Seven in the morning, and already full of plans!", "Seven in the morning"),
    (FRIDAY_MORNING, "Eleven at night and they think of cheese.", "Eleven at night"),
    (FRIDAY_MORNING, "It's night, and they are alone with it.", "It's night"),
    (FRIDAY_EVENING, "They feel quite lost this morning, I think.", "They feel quite lost this morning"),
    (FRIDAY_MORNING, "It's Sunday. Nobody writes letters on such a day.", "It's Sunday"),
    (JULY, "It's a December evening, and they are cold.", "It's a December evening"),
    (WEDNESDAY_AFTERNOON, "It's ten past nine, they must be hungry.", "It's ten past nine"),
]


@pytest.mark.parametrize(("at", "thought", "quote"), THOUGHTS)
def test_so_is_what_she_thinks(at: str, thought: str, quote: str) -> None:
    problem = check(at, thought=thought)

    assert problem is not None
    assert problem.quote == quote


SAID_BY_USERS = [
    (FRIDAY_MORNING, "It's Tuesday and I have done nothing yet.", "It's Tuesday"),
    (FRIDAY_MORNING, "today is monday, lol, worst day", "today is monday"),
    (FRIDAY_EVENING, "Good morning Ada! Coffee is on.", "Good morning"),
    (FRIDAY_MORNING, "Good evening, my dear Ada. I take up my pen.", "Good evening"),
    (FRIDAY_MORNING, "Oh, what a thing. Tonight was lovely, all eleven of us at one table.", "Tonight was"),
    (FRIDAY_MORNING, "Guess what! Tonight we sang for three hours and nobody left.", "Tonight we sang"),
    (FRIDAY_MORNING, "this evening i walked home along the canal, a heron looked at me", "this evening i walked"),
    (FRIDAY_NOON, "Sorry to bother you at this late hour of the night...", "at this late hour of the night"),
    (FRIDAY_NOON, "Is it bad to eat cheese this late at night?", "this late at night"),
    (WEDNESDAY_AFTERNOON, "Tomorrow is Monday again, I do not like this.", "Tomorrow is Monday"),
    (WEDNESDAY_AFTERNOON, "Yesterday was Saturday so we had no shop open.", "Yesterday was Saturday"),
    (FRIDAY_NOON, "It's August, the whole town is asleep.", "It's August"),
    (FRIDAY_NOON, "today is the 3rd of June and I still have no news", "today is the 3rd of June"),
]


@pytest.mark.parametrize(("at", "question", "quote"), SAID_BY_USERS)
def test_a_user_does_not_take_the_day_or_its_part_for_another(at: str, question: str, quote: str) -> None:
    problem = check(at, question)

    assert problem is not None
    assert problem.reason == "the user's message contradicts the time of the conversation"
    assert problem.quote == quote


GOOD = [
    # What is right.
    (FRIDAY_MORNING, "It's Friday, at last."),
    (FRIDAY_MORNING, "Good morning! This morning smells of rain."),
    (FRIDAY_EVENING, "This morning I burnt the toast, and tonight we laughed about it."),
    (FRIDAY_MORNING, "Tonight I will bake. This evening we are having guests."),
    (FRIDAY_MORNING, "Tonight I wanted to bake, is that mad?"),
    (FRIDAY_MORNING, "Tonight was supposed to be my evening off."),
    (FRIDAY_MORNING, "I bought tickets for tonight, and a cake for this evening."),
    (FRIDAY_EVENING, "Tomorrow is Saturday. Yesterday was Thursday. Today is the 13th of March."),
    (MONDAY_NIGHT, "It's late, it's nearly eleven, and it's December."),
    (WEDNESDAY_AFTERNOON, "It's past three and it's a Wednesday."),
    # Supposed, usual, or of another day.
    (FRIDAY_MORNING, "If it's Tuesday it must be soup."),
    (FRIDAY_MORNING, "On Mondays I swim; every Sunday I sleep until noon."),
    (FRIDAY_MORNING, "I never know whether it's Tuesday or Wednesday."),
    (FRIDAY_MORNING, "It feels like it's Sunday!"),
    (FRIDAY_MORNING, "When it's late I cannot think."),
    (FRIDAY_MORNING, "By spring the teeth will have left. Some Tuesday in March they go."),
    (FRIDAY_MORNING, "It was still dark when I got up, and last night it was late."),
    (FRIDAY_MORNING, "I woke at three in the morning and it was midnight in Lima."),
    (FRIDAY_MORNING, "On Tuesday we were all in the garden until it was night."),
    (FRIDAY_MORNING, "It's Tuesday that I fear, not today."),
    (FRIDAY_MORNING, "It's Monday's soup again."),
    (FRIDAY_MORNING, "In Tokyo it's already evening."),
    (FRIDAY_MORNING, "She calls me where it's already Saturday."),
    (FRIDAY_MORNING, "They say it's five o'clock somewhere."),
    (FRIDAY_MORNING, "The interview comes nearer. It's Tuesday, and I have no shirt."),
    (FRIDAY_MORNING, "And the wedding? It's in June, it's the 4th."),
    (FRIDAY_MORNING, "my exam is on Monday. it's at nine in the evening"),
    # Quoted, sung, written.
    (FRIDAY_EVENING, '"Good morning", says the lady on the bus every day.'),
    (FRIDAY_EVENING, "Good morning, says the lady on the bus, to every single one."),
    (FRIDAY_EVENING, "He shouted “it's Tuesday!” through the door."),
    (FRIDAY_EVENING, "The song is called 'Good Morning Heartache'."),
    (FRIDAY_MORNING, "I watched Saturday Night Fever and read The Man Who Was Thursday."),
    (FRIDAY_MORNING, "Some say Friday, I say why."),
    # Sayings, seasons, people.
    (FRIDAY_NOON, "Better late than never! It's late, I know, my apology, three years late."),
    (FRIDAY_NOON, "It's early days."),
    (FRIDAY_EVENING, "The early bird has the worm, and in the long run we are all late."),
    (FRIDAY_NOON, "April is my niece. It's April who sings."),
    (FRIDAY_NOON, "It's March hares all over again."),
    (FRIDAY_NOON, "It's winter here, I wear two hats."),
    (JULY, "It's winter here, and my neighbour says it's summer there."),
    (JULY, "It's been a year since this spring, we spring back."),
    (FRIDAY_NOON, "It's late in the year for tomatoes."),
    (FRIDAY_NOON, "Nobody talks at this hour of the night bus line."),
    (FRIDAY_NOON, "Tonight was made for dancing. This evening was yours, remember?"),
    (JULY, "This is 2046, a film, and it's the last day of the year that I like best."),
    (JULY, "This December evening you spoke of must have been cold."),
    # An hour beside the part of the day that the user knows.
    ("2026-04-26T09:26", "just past eight and a bit of mist still on the river"),
    ("2026-04-26T14:32", "Took me half the afternoon to find where it stops"),
    ("2026-04-26T11:50", "It's seven in the morning in my head."),
    ("2026-04-26T16:30", "Good afternoon, Ada."),
    ("2026-04-26T15:10", "Good evening Ada, it is dark already."),
    # Other lives, other languages.
    (FRIDAY_EVENING, "Good morning! I am on the night shift, I just woke up."),
    (FRIDAY_EVENING, "Guten Morgen! Heute ist Dienstag."),
    (FRIDAY_EVENING, "Bonjour ! C'est mardi, non ? Il est tard."),
    (FRIDAY_EVENING, "hoy es martes y es de noche"),
    (FRIDAY_EVENING, "今日は火曜日です。おはよう。"),
    (FRIDAY_EVENING, "Told you a while ago. Or yesterday? Or last month, who knows."),
]  # fmt: skip


@pytest.mark.parametrize(("at", "text"), GOOD)
def test_what_is_right_supposed_usual_quoted_or_of_another_day_is_no_contradiction(at: str, text: str) -> None:
    assert check(at, text) is None
    assert check(at, "hm", text.replace("Good morning", "Hello").replace("Good evening", "Hello")) is None


ANSWERS = [
    # (at, the user's message, the reply)
    (FRIDAY_MORNING, "When is my interview?", "It's Tuesday."),
    (FRIDAY_MORNING, "what day was the interview again", "You said Tuesday. It's on Tuesday."),
    (FRIDAY_MORNING, "it is evening here, finally", "How are you tonight?"),
    (FRIDAY_MORNING, "i am in the night train", "You sound tired tonight."),
    (FRIDAY_EVENING, "my sour mornings are back", "How are you this morning, in your head?"),
    (FRIDAY_MORNING, "write me the first line of a ghost story", "It's midnight, and the clock coughs."),
    (FRIDAY_MORNING, "colour of mondays?", "It's Monday, grey, with a button missing."),
    (FRIDAY_EVENING, "what makes a good story", 'Begin in the middle: "It\'s nine in the morning, and you are late."'),
    (FRIDAY_MORNING, "how do i end a party", "Say good night, and mean it. Good evening is for arriving."),
    (FRIDAY_MORNING, "what makes a good opening", 'You open with: "It\'s Tuesday, and you are late."'),
    (FRIDAY_MORNING, "what makes a good opening", "You open with “good evening” and 'today is Monday'."),
    (FRIDAY_MORNING, "is it too late to apologise", "It's late, but late is better than never."),
    (FRIDAY_NOON, "old and learning the piano", "It's late, and so what?"),
    (FRIDAY_NOON, "what do ducks do all day", "Enough for a Monday, one would think, and too much for a Sunday."),
    (FRIDAY_MORNING, "ugh", "Have a good evening later, and sleep well tonight."),
    (FRIDAY_MORNING, "plans!", "You look forward to tonight, and I with you."),
    (FRIDAY_MORNING, "plans!", "You feel ready for this evening, don't you?"),
    (FRIDAY_EVENING, "day four!", "How was your morning? How did this afternoon go?"),
    (FRIDAY_MORNING, "i have to take my tablets at 16:50, remind me when", "It's 16:50. That's almost eight hours."),
]  # fmt: skip


@pytest.mark.parametrize(("at", "question", "reply"), ANSWERS)
def test_ada_may_go_on_speaking_of_the_time_that_was_spoken_of_and_paint_scenes(
    at: str, question: str, reply: str
) -> None:
    assert check(at, question, reply) is None


# ------------------------------------------------------------------------------------------------- when it was told

TOLD_WRONGLY = [
    ("You told me last month, in passing.", "last month"),
    ("Bello! You told me three weeks ago.", "three weeks ago"),
    ("You told me so yesterday, between two trains.", "yesterday"),
    ("You mentioned it on the 15th.", "on the 15th"),
    ("It's Bello; you told me about him in January, I believe.", "in January"),
    ("You told me last Tuesday.", "last Tuesday"),
    ("I wrote it down a month ago.", "a month ago"),
    ("I noted it on Wednesday.", "on Wednesday"),
    ("I still have it, from the 2nd of March.", "the 2nd of March"),
    ("Here it is, from yesterday.", "yesterday"),
    ("Last week you told me, and I was glad.", "Last week"),
    ("you told me two days ago", "two days ago"),
]


@pytest.mark.parametrize(("reply", "quote"), TOLD_WRONGLY)
def test_when_something_was_told_is_held_against_the_dates_of_what_was_looked_up(reply: str, quote: str) -> None:
    # Friday the 13th of March; the note is of Monday the 9th, and one of today.
    shown = memories("2026-03-09", "2026-03-13")
    problem = check(FRIDAY_NOON, "what is my dog called?", reply, before=[shown])

    assert problem is not None
    assert problem.reason == "Ada says that something was told or written on another day"
    assert problem.quote == quote


TOLD_RIGHTLY = [
    "You told me on Monday.",
    "You told me last Monday, with flour on your hands.",
    "I wrote it down four days ago.",
    "You told me a few days ago.",
    "I have it, from the 9th of March.",
    "It's here, from March.",
    "You told me about it on the 9th.",
    "You told me some time ago.",
    "You told me that you moved last year.",
    "You told me your sister married in June.",
    "You told me today.",
    "You said last month was hard.",
    "You never told me yesterday's news.",
    "I don't think you told me yesterday.",
    "Perhaps you told me last month, and I did not keep it.",
    '"You told me yesterday", you will say.',
    "The page is from me.",
    "From Monday on I would run again.",
]


@pytest.mark.parametrize("reply", TOLD_RIGHTLY)
def test_a_day_that_a_note_has_or_on_which_something_else_took_place_is_right(reply: str) -> None:
    assert check(FRIDAY_NOON, "what is my dog called?", reply, before=[memories("2026-03-09")]) is None


def test_a_date_that_was_told_is_no_day_on_which_it_was_told() -> None:
    shown = memories("2026-03-09", text="The user's first-aid exam is on 17 May.")

    assert check(FRIDAY_NOON, "when is it?", "You told me on the 17th of May.", before=[shown]) is None


def test_what_is_told_in_the_conversation_is_told_today() -> None:
    reply = "You told me on Friday, a minute ago."

    assert check(FRIDAY_NOON, "what is my dog called?", reply, before=[memories("2026-03-02")]) is None
    assert check(WEDNESDAY_AFTERNOON, "what is my dog called?", reply, before=[memories("2025-11-03")]) is not None


def test_the_dates_of_notes_are_no_hours_that_were_spoken_of() -> None:
    assert check(FRIDAY_NOON, thought="It's ten past nine, they must be tired.", before=[memories("2026-03-09")])


def test_nobody_knows_when_it_was_told_before_it_was_looked_up() -> None:
    assert check(FRIDAY_NOON, "what is my dog called?", "You told me last month.") is None


def test_what_the_user_says_of_it_may_be_repeated() -> None:
    reply = "You told me last month, as you say."

    assert check(FRIDAY_NOON, "I told you last month", reply, before=[memories("2026-03-09")]) is None


@pytest.mark.parametrize(
    ("at", "reply", "is_right"),
    [
        ("2025-11-22T16:00", "Your tablets are at 16:50, so you have two hours.", False),
        ("2025-11-22T14:45", "Your tablets are at 16:50, so you have two hours.", True),
        ("2025-11-22T16:00", "At ten to five, which leaves three hours.", False),
        ("2025-11-22T14:00", "At ten to five, which leaves three hours.", True),
        ("2025-11-22T23:00", "They are at 7:10, so you still have eight hours.", True),
        ("2025-11-22T13:10", "Your tablets are at 16:50, and right now it's ten past one.", True),
        ("2025-11-22T16:00", "At 19:00 you have two hours, then you go home.", True),
        ("2025-11-22T16:00", "It's at 16:50. Walk for two hours first?", True),
        ("2025-11-22T09:00", "At 16:50, you have twenty minutes of tea and two hours of peace.", True),
    ],
)
def test_the_time_to_an_hour_is_counted_from_now(at: str, reply: str, is_right: bool) -> None:  # noqa: FBT001 - expected
    problem = check(at, "when do I take my tablets?", reply)

    assert (problem is None) is is_right
    assert problem is None or problem.quote in reply


def test_what_the_user_was_asked_to_tell_is_not_held_against_them() -> None:
    plan = 'Tell this: "I sang my own song to forty people tonight"'
    question = "Tonight I sang my own song to forty people!"

    assert check(FRIDAY_MORNING, question, plan=plan) is None
    assert check(FRIDAY_MORNING, question) is not None


def test_a_page_of_the_diary_is_held_against_the_clock_too() -> None:
    page = ToolCall("add_diary", {"input_text": ["Tonight the user told me of the owl."]})
    turns = (SavedTurn("I write.", "", (page,), ({"added": 1, "indices": [1]},)), SavedTurn("Hm.", "Well."))
    sample = Sample("You are Ada.", (SavedExchange("an owl!", turns),))

    assert time.check(sample, brief(at=FRIDAY_EVENING)) is None
    assert time.check(sample, brief(at=FRIDAY_MORNING)) is not None


# --------------------------------------------------------------------------------------------- the real conversations


def test_no_real_conversation_that_readers_call_good_or_doubtful_is_wronged() -> None:
    assert [real.number for real in real_conversations() if time.check(_sample(real), real.case.brief)] == []


def _sample(real: RealConversation) -> Sample:
    sample = read_sample(real.case.messages)
    assert isinstance(sample, Sample)
    return sample


def _moved(given: Brief, **by: float) -> Brief:
    at = datetime.datetime.fromisoformat(given.at) + datetime.timedelta(**by)
    return replace(given, at=at.isoformat(timespec="minutes"))


def _with_older_notes(sample: Sample, days: int) -> Sample:
    """Return a conversation in which everything that is looked up was written so many days earlier."""

    def older(item: dict[str, Any]) -> dict[str, Any]:
        if "date" in item:
            date = datetime.date.fromisoformat(item["date"]) - datetime.timedelta(days=days)
            item["date"] = date.isoformat()
        return item

    def turn(given: SavedTurn) -> SavedTurn:
        return replace(given, results=tuple(json.loads(json.dumps(given.results), object_hook=older)))

    exchanges = tuple(replace(exchange, turns=tuple(map(turn, exchange.turns))) for exchange in sample.exchanges)
    return replace(sample, exchanges=exchanges)


@pytest.mark.parametrize(
    ("by", "floor"),
    [({"hours": 12}, 14), ({"days": 182}, 7), ({"days": 3}, 3), ({"days": 1}, 2)],
    ids=["half a day", "half a year", "three days", "a day"],
)
def test_real_conversations_at_another_time_are_found_where_they_speak_of_it(by: dict[str, float], floor: int) -> None:
    found = [real.number for real in real_conversations() if time.check(_sample(real), _moved(real.case.brief, **by))]

    assert len(found) >= floor, found


def test_real_conversations_with_older_notes_are_found_where_they_speak_of_their_age() -> None:
    found = [
        real.number
        for real in real_conversations()
        if time.check(_with_older_notes(_sample(real), 16), real.case.brief)
    ]

    assert len(found) >= 9, found


# ------------------------------------------------------------------------------------------------- whatever is written

# fmt: off
_PIECES = st.sampled_from([
    "it's", "it is", "today", "tomorrow is", "Tuesday", "friday", "March", "may", "the 1st", "31st of", "99th", "99:99",
    "25:61", "24:00", "half past", "quarter to one", "twelve", "0", "00 o'clock", "good morning", "good evening",
    "tonight", "was", "late", "at night", "you told me", "on", "last month", "a few days ago", "999 days ago",
    "so you have", "two hours left", ".", ",", "!", "?", '"', "\u201c", "\n", "\u0130", "\u00df", "2026", "31",
])
# fmt: on
_TEXT = st.one_of(
    st.lists(_PIECES, max_size=14).map(" ".join),
    st.text(max_size=60),
    st.lists(st.sampled_from(MARKUP_PIECES), max_size=8).map("".join),
)


@given(question=_TEXT, reply=_TEXT, thought=_TEXT, date=st.text(max_size=12), hour=st.integers(0, 23))
def test_nothing_that_is_said_raises_and_what_is_quoted_stands_there(
    question: str, reply: str, thought: str, date: str, hour: int
) -> None:
    problem = check(f"2026-03-13T{hour:02}:07", question, reply, thought, before=[memories(date, "2026-03-01"), [1]])

    assert problem is None or any(problem.quote in text for text in (question, reply, thought))
