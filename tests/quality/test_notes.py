"""What Ada stores can be understood by itself, is there once, and is one fact a note; all good notes are accepted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.people.scenario import Ability, Fact, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality import notes
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample
from support.hostile_texts import MARKUP_PIECES
from support.real_conversations import real_conversations

DOG = Fact("dog", "Bello", ("Bello",), ("dog", "dogs", "puppy"), "my dog is called Bello", "what my dog is called")
COLOUR = Fact("car", "green", ("green",), ("car", "drive"), "my car is green", "the colour of my car")
SEVILLE = Fact("sister_city", "Seville", ("Seville",), ("sister", "sisters"), "my sister lives in Seville", "where")
BASEL = Fact("brother_city", "Basel", ("Basel",), ("brother",), "my brother lives in Basel", "where")
TABLETS = Fact("tablets", "16:50", ("16:50", "ten to five"), ("tablets", "pills"), "I take my tablets at 16:50", "when")
KILN = Fact("saving", "kiln", ("kiln", "kilns"), ("saving", "money", "save"), "I am saving up for a kiln", "what for")
CHOIR = Fact("choir", "Finlandia", ("Finlandia",), ("choir", "rehearsing"), "my choir is rehearsing Finlandia", "which")


def check(
    *added: str,
    before: tuple[str, ...] = (),
    gone: tuple[str, ...] = (),
    told: str = "hm",
    ability: Ability = Ability.SHARE,
    facts: tuple[Fact, ...] = (),
    known: tuple[Fact, ...] = (),
    replaced: Fact | None = None,
    pages: tuple[str, ...] = (),
) -> Problem | None:
    """Judge the notes of a conversation that added some and deleted some; `pages` are new in the diary."""
    sample = Sample("You are Ada.", (SavedExchange(told, (SavedTurn("Hm.", "Well."),)),))
    scenario = Scenario(ability, "rain", "calm", "short", "…", facts, replaced)
    left = [("2026-01-01", text) for text in before if text not in gone]
    after = [*left, *(("2026-01-02", text) for text in added)]
    change = Change(
        known,
        Notes(_numbered([("2026-01-01", text) for text in before])),
        Notes(_numbered(after), _numbered([("2026-01-02", text) for text in pages])),
    )
    return notes.check(sample, scenario, change)


def _numbered(dated: list[tuple[str, str]]) -> tuple[Note, ...]:
    return tuple(Note(index, date, text) for index, (date, text) in enumerate(dated, start=1))


# ------------------------------------------------------------------------------------------- understood by itself

NOT_UNDERSTOOD = [
    ("It changed to green.", "It"),
    ("it's sold now", "it"),
    ("It is called Bello.", "It"),
    ("It has moved to 17 May.", "It"),
    ("It will be in Dubrovnik, in the old town.", "It"),
    ("**It** broke.", "It"),
    ("The same as before.", "The same as before."),
    ("Still the same", "Still the same"),
    ("Not any more.", "Not any more."),
    ("Likes it too.", "it"),
    ("The user likes it too.", "it"),
    ("User loves that now.", "that"),
    ("The user doesn't want this anymore.", "this"),
    ("The user is allergic to it.", "it"),
    ("They are afraid of that.", "that"),
    ("The user has moved there.", "there"),
    ("Moved there", "there"),
    ("The user's brother works there now.", "there"),
    ("The user's neighbour upstairs plays it every night.", "it"),
    ("The user met him again.", "him"),
    ("The user never eats those.", "those"),
    ("The user prefers the other one.", "the other one"),
    ("The user drinks the same.", "the same"),
    ("The other one is allergic.", "The other one"),
    ("The former is a nurse.", "The former"),
    ("Both are vegetarians.", "Both"),
    ("This is broken now.", "This"),
    ("That was a lie.", "That"),
    ("Those are for Sundays.", "Those"),
    ("Another one has died.", "Another one"),
]


@pytest.mark.parametrize(("note", "quote"), NOT_UNDERSTOOD)
def test_a_note_that_points_to_what_does_not_stand_in_it_is_found(note: str, quote: str) -> None:
    problem = check(note)

    assert problem is not None
    assert (problem.stage, problem.reason) == (Stage.NOTES, "a note cannot be understood by itself")
    assert problem.quote == quote


UNDERSTOOD = [
    "The user has a dog; it is old.",
    "The user's dog is called Bello. It is old and likes it in the sun.",
    "The user's mother was born in Bergen and still lives there.",
    "The user has moved to Oslo and likes it there.",
    "The user has a Minolta camera that they take everywhere.",
    "The user has a sister and a brother; the other one in the house is a lodger.",
    "A friend of the user drinks too much; the user looks after him.",
    "Their dog is called Bello.",
    "They like tea. They drink it black.",
    "They work as a nurse.",
    "Likes rooibos best.",
    "allergic to nickel",
    "Dog: Bello",
    "- Vegetarian now.",
    "**Cat:** Pangur, old, deaf",
    "Sober since 2025-06-02.",
    "Tomorrow the user has an interview.",
    "The user was ill this morning, and last Tuesday too.",
    "This summer the user goes to Slovenia.",
    "This user is a nurse.",
    "It matters to the user that nobody smokes.",
    "It is best to call before noon.",
    "It was Halina who taught them to swim.",
    "It gets dark early in Tampere.",
    "It takes two hours to get to Basel.",
    "It Happened One Night is the film they could watch every year.",
    "That Mitchell and Webb Look makes the user laugh.",
    "She Loves You is the song that the user's mother sang.",
    "He, Tomasz, is a colleague.",
    "The user likes it when people sing.",
    "The user finds it hard to fall asleep.",
    "The user takes it easy on Sundays.",
    "The user made it.",
    "The user always gets there.",
    "The user hates being told that.",
    "The user's brother calls them Gizmo, and the people in the new choir call them that as well.",
    "The user goes to the gym on Friday mornings, and one more time before the weekend.",
    "The user's car is green now, it was red before.",
    "The other sister of the user lives in Porto.",
    "The first money the user earned was in a sawmill.",
    "The one thing the user never eats is gorgonzola.",
    "The latter half of the year is hard for the user.",
    "In these weeks (March 2026) the user is helping to move an old relative into a care home.",
    "On 2025-06-02 the user had been sober for one year.",
    "The user, a man of 81, has a shop which sells nothing but marionettes, and loves it.",
    "The user do not eat the pork, is religion.",
    "Der Hund der Nutzerin heißt Bello.",
    "Le frère de l'utilisateur habite Bâle. Il y travaille.",
    "Lo mismo de antes.",
    "ユーザーの犬はベロといいます。",
    "713",
]


@pytest.mark.parametrize("note", UNDERSTOOD)
def test_a_note_in_which_everything_stands_is_accepted(note: str) -> None:
    assert check(note) is None


def test_she_and_he_are_whoever_is_spoken_of_and_the_user_where_nobody_else_is() -> None:
    assert check("She lives in Seville.", told="my sister moved, she is in Seville now") is not None
    assert check("She lives in Seville.", told="i moved, it's seville now") is None


def test_a_value_by_itself_says_nothing_but_with_what_has_it_does() -> None:
    assert check("Green now.", facts=(COLOUR,)) is not None
    assert check("Bello", facts=(DOG,)) is not None
    assert check("It's the 16:50 now", facts=(TABLETS,)) is not None
    assert check("Car: green.", facts=(COLOUR,)) is None
    assert check("Drives a green Lada.", facts=(COLOUR,)) is None
    assert check("The user takes something at 16:50.", facts=(TABLETS,)) is None


@pytest.mark.parametrize(
    ("note", "quote"),
    [
        ("You like tea", "You"),
        ("Your dog is called Bello.", "Your"),
        ("you're a nurse", "you're"),
        ("Bello, which is how you call the dog.", "you"),
        ("I told you that Bello is the dog.", "you"),
        ("**You** have a sister in Seville.", "You"),
    ],
)
def test_a_note_that_speaks_to_somebody_is_found(note: str, quote: str) -> None:
    problem = check(note)

    assert problem is not None
    assert problem.reason == "a note about the user speaks to somebody"
    assert problem.quote == quote


@pytest.mark.parametrize(
    "note",
    [
        "The user says that you can't trust cats.",
        "You Are My Sunshine is the favourite song.",
        "As You Like It is the favourite play.",
        "Favourite song: all you need is love",
        'On the slip stood "you will get through this".',
        "Their motto is that you only live once.",
    ],
)
def test_you_in_a_title_or_a_saying_is_no_address(note: str) -> None:
    assert check(note) is None


TOLD = "I have a dog, my dog is called Bello, and we are spending the summer in Slovenia. I promised to be good."


@pytest.mark.parametrize(
    ("note", "quote"),
    [
        ("I have a dog.", "I"),
        ("My dog is called Bello.", "My"),
        ("my dog: Bello", "my"),
        ("We are spending the summer in Slovenia", "We"),
    ],
)
def test_a_note_in_which_ada_speaks_as_the_user_is_found(note: str, quote: str) -> None:
    problem = check(note, told=TOLD)

    assert problem is not None
    assert problem.reason == "a note about the user speaks as the user"
    assert problem.quote == quote


@pytest.mark.parametrize(
    "note",
    [
        "I said that I would ask about Slovenia.",
        "I want to ask the user how my riddle went down.",
        "My Fair Lady is the favourite film.",
        "I Puritani is the opera.",
        "My nickname from them is Gizmo.",
    ],
)
def test_what_ada_says_of_herself_is_accepted(note: str) -> None:
    assert check(note, told=TOLD) is None


def test_a_page_of_the_diary_is_her_own_voice() -> None:
    pages = ("It moved me.", "I have a dog now, in a way. You will laugh.", "The same as before.")

    assert check(pages=pages, told=TOLD) is None


def test_a_quote_is_spelled_as_in_the_call() -> None:
    note = 'It is called "Bello"\\.'
    problem = check(note, 'The same \u003cthink> as "before"', before=())

    assert problem is not None
    assert problem.quote in json.dumps(note, ensure_ascii=False)


# --------------------------------------------------------------------------------------------------- there already

TWICE = [
    ("The user's dog is called Bello.", "The user has a dog named Bello."),
    ("The user's brother lives in Basel.", "The user has a brother in Basel."),
    ("The user's brother lives in Basel.", "Their brother is living in Basel."),
    ("The user works as a nurse", "The user is a nurse who works."),
    ("The user sings in a choir.", "In a choir the user sings!"),
    ("The user is allergic to nickel.", "User: allergic to nickel"),
    ("The user does not eat fish.", "the user doesn't eat fish"),
    ("The user was born in 1961.", "The user was born in 1961."),
    ("The café is called Zenith.", "Cafe name: Zenith"),
]


@pytest.mark.parametrize(("first", "second"), TWICE)
def test_a_note_that_says_what_another_one_says_is_found(first: str, second: str) -> None:
    for old, new in ((first, second), (second, first)):
        problem = check(new, before=(old,))
        assert problem is not None
        assert problem.reason == "a note says what another one says already"
        assert problem.quote == new
    if first != second:
        assert check(first, second) is not None
    # It may be written anew in the place of the other, and what was there twice before is nobody's fault now.
    assert check(second, before=(first,), gone=(first,)) is None
    assert check(before=(first, second)) is None


def test_words_for_a_planned_fact_say_the_same() -> None:
    notes_of = {
        DOG: ("The user's puppy is named Bello.", "The user has a dog called Bello."),
        KILN: ("The user is saving up for a kiln.", "The user saves money for a kiln."),
        TABLETS: ("The user takes the pills at ten to five.", "The user takes the tablets at 16:50."),
    }
    for fact, (first, second) in notes_of.items():
        assert check(second, before=(first,)) is None or fact is DOG
        assert check(second, before=(first,), facts=(fact,)) is not None
        assert check(second, before=(first,), known=(fact,)) is not None


NOT_TWICE = [
    ("The user has a dog called Bello.", "The user's dog Bello has a bad back."),
    ("The user's sister lives in Seville.", "The user's sister is allergic to lychees."),
    ("The user has a dog.", "The user's dog is called Bello."),
    ("The user drinks coffee.", "The user never drinks coffee."),
    ("The user takes the tablets before breakfast.", "The user takes the tablets after breakfast."),
    ("The user likes tea with milk.", "The user likes tea without milk."),
    ("His sister is a nurse.", "Her sister is a nurse."),
    ("The user has two cats.", "The user has three cats."),
    ("The user takes the 713.", "The user takes the 624."),
    ("The user was born in 1961.", "The user was born in 1916."),
    ("The user's brother lives in Basel.", "The user's cousin lives in Basel."),
    ("The user moved to Porto.", "The user moved to Braga."),
    ("The user is a nurse.", "The user is a nurse at the hospital of Porto."),
    ("The user's cat is called Pangur.", "The user is painting a picture of Pangur, their cat."),
]


@pytest.mark.parametrize(("first", "second"), NOT_TWICE)
def test_two_notes_that_say_different_things_are_two(first: str, second: str) -> None:
    assert check(second, before=(first,), facts=(DOG,)) is None
    assert check(first, before=(second,), facts=(DOG,)) is None


# ----------------------------------------------------------------------------------------------- two facts in one


@pytest.mark.parametrize(
    "note",
    [
        "The user's sister lives in Seville and their brother in Basel.",
        "Sister: Seville, brother: Basel",
        "The user has a sister (Seville) and a brother, who lives in Basel.",
    ],
)
def test_a_note_that_holds_two_of_the_planned_facts_is_found(note: str) -> None:
    problem = check(note, facts=(SEVILLE, BASEL))

    assert problem is not None
    assert problem.reason == "a note holds two facts"
    assert check("The user's sister lives in Seville.", "Their brother is in Basel.", facts=(SEVILLE, BASEL)) is None
    assert check(note, facts=(SEVILLE,)) is None


SHARED = [
    ("The user's sister lives in Seville and their brother lives in Basel.", SEVILLE),
    ("The user's sister lives in Seville; the user takes the 713 into town.", SEVILLE),
    ("The user takes their tablets at 16:50. Their nurse is called Halina.", TABLETS),
    ("The user's choir is rehearsing Finlandia, the user's cat is called Pangur.", CHOIR),
]


@pytest.mark.parametrize(("note", "fact"), SHARED)
def test_what_is_lost_with_a_fact_that_had_to_go_is_found(note: str, fact: Fact) -> None:
    problem = check(before=(note,), gone=(note,), ability=Ability.FORGET, facts=(fact,))
    assert problem is not None
    assert problem.reason == "a fact is lost with another one that shared its note"
    assert problem.quote == note
    assert check("Something.", before=(note,), gone=(note,), ability=Ability.UPDATE, facts=(DOG,), replaced=fact)


def test_a_fact_that_is_told_in_other_words_is_not_lost() -> None:
    note = "The user's sister lives in Seville. As a GP the user has Dr Copt, who takes time."
    doctor = Fact("doctor", "Dr Copt", ("Dr Copt",), ("doctor", "gp"), "my doctor is Dr Copt", "who my doctor is")
    changed = {"before": (note,), "gone": (note,), "ability": Ability.FORGET, "facts": (SEVILLE,)}
    kept = "Dr Copt is the doctor to whom the user goes."
    assert check(kept, known=(doctor,), **changed) is None  # type: ignore[arg-type]
    lost = check("The user has a doctor.", known=(doctor,), **changed)  # type: ignore[arg-type]
    assert lost is not None
    assert lost.reason == "a fact is lost with another one that shared its note"
    # What else was in the note is looked for all the same.
    beside = f"{note} Their nurse is called Halina."
    assert check(kept, known=(doctor,), **{**changed, "before": (beside,), "gone": (beside,)})  # type: ignore[arg-type]


def test_what_goes_with_another_that_had_to_go_is_not_lost() -> None:
    note = "The user's sister lives in Seville. The user's friend is called Lukas."
    friend = Fact("friend", "Lukas", ("Lukas",), ("friend",), "my friend is called Lukas", "what my friend is called")
    assert check(before=(note,), gone=(note,), ability=Ability.FORGET, facts=(SEVILLE,)) is not None
    assert check(before=(note,), gone=(note,), ability=Ability.FORGET, facts=(SEVILLE, friend)) is None


@pytest.mark.parametrize(
    ("note", "added", "told"),
    [
        # It was stored anew, or was to go too, or there is nothing else in it.
        (
            "The user's sister lives in Seville and their brother lives in Basel.",
            ("Their brother lives in Basel.",),
            "",
        ),
        (
            "The user's sister lives in Seville and their brother lives in Basel.",
            (),
            "forget where they live, Basel too",
        ),
        ("The user's sister lives in Seville.", (), ""),
        ("The user's sister lives in Seville, which they told me on Friday, and that is all.", (), ""),
        ("The user's sister lives in Seville, near the Alcazar.", (), ""),
        ("The user's sister, who is allergic to lychees, lives in Seville.", (), ""),
        ("Since 2024 the user's sister lives in Seville, and she likes it.", (), ""),
        ("The user's sister lives in Seville with the user's mother.", (), ""),
    ],
)
def test_what_describes_a_fact_goes_with_it(note: str, added: tuple[str, ...], told: str) -> None:
    assert check(*added, before=(note,), gone=(note,), told=told, ability=Ability.FORGET, facts=(SEVILLE,)) is None


def test_of_several_facts_that_have_to_go_none_is_lost_with_another() -> None:
    both = "The user's sister lives in Seville; their brother lives in Basel."
    forgets = Ability.FORGET

    assert check(before=(both,), gone=(both,), ability=forgets, facts=(SEVILLE, BASEL)) is None
    assert check(before=(both,), gone=(both,), ability=forgets, facts=(SEVILLE,)) is not None


def test_among_sixty_notes_the_one_that_says_the_same_is_found() -> None:
    many = tuple(f"The user saw the film number {number} with a cousin." for number in range(100, 160))
    old = "A dog called Bello sleeps at the user's feet."

    assert check("The user saw the film number 131 with a cousin.", before=many) is not None
    assert check("The user saw the film number 160 with a cousin.", before=many) is None
    assert check("The user's puppy Bello sleeps at their feet.", before=(*many, old), known=(DOG,)) is not None


def test_a_note_about_the_choir_may_go_with_its_piece_and_a_time_is_no_second_fact() -> None:
    choir = "The user sings in a choir, which is rehearsing Finlandia; they always come in early at the same place."
    tablets = "The user has to take their tablets at 16:50."

    assert check(before=(choir,), gone=(choir,), ability=Ability.FORGET, facts=(CHOIR,)) is None
    assert check(before=(tablets,), gone=(tablets,), ability=Ability.FORGET, facts=(TABLETS,)) is None


# --------------------------------------------------------------------------------------------- the real conversations


def test_no_real_conversation_is_wronged() -> None:
    """Readers found no note among them that is one of these faults and more than a small one."""
    found = []
    for real in real_conversations():
        sample = read_sample(real.case.messages)
        assert isinstance(sample, Sample)
        if notes.check(sample, real.case.brief.scenario, real.case.change):
            found.append(real.number)

    assert found == []


def test_real_notes_with_a_pronoun_in_the_place_of_their_subject_are_found() -> None:
    """As a model writes that forgets who will read it: "It is called Pangur"."""
    changed = found = 0
    for real in real_conversations():
        for note in real.case.change.after.memory:
            subject, verb, rest = note.text.partition(" is ")
            if subject.startswith(("The user's", "The bus", "The baby", "The tea", "The book")) and not {
                "user",
                "to",
            } & {*rest.split()}:
                changed += 1
                found += check(f"It{verb}{rest}") is not None

    assert changed >= 40
    assert found == changed


def test_real_notes_in_other_words_are_found() -> None:
    changed = found = 0
    for real in real_conversations():
        for note in real.case.change.after.memory:
            for name, other in ((" is called ", ", named "), (" lives in ", ", in "), ("The user's", "They have a")):
                if name in note.text:
                    changed += 1
                    found += check(note.text.replace(name, other), before=(note.text,)) is not None

    assert changed >= 40
    assert found == changed


# ------------------------------------------------------------------------------------------------- whatever is written

# fmt: off
_WORDS = st.sampled_from([
    "It", "The user", "likes", "it", "too", ".", "he", "is", "Bello", "green", "You", "my", "I have a", ";", "and",
    "the same",
    ",", "16:50", "**", '"', "'", "\u201c",
])
# fmt: on
_TEXT = st.one_of(
    st.lists(_WORDS, max_size=10).map(" ".join),
    st.lists(st.sampled_from(MARKUP_PIECES), max_size=6).map("".join),
    st.text(max_size=40),
)


@given(added=st.lists(_TEXT, max_size=3), before=st.lists(_TEXT, max_size=3), told=_TEXT, forgets=st.booleans())
def test_nothing_that_is_stored_raises(added: list[str], before: list[str], told: str, *, forgets: bool) -> None:
    ability = Ability.FORGET if forgets else Ability.SHARE
    facts = (DOG, COLOUR)
    problem = check(*added, before=tuple(before), gone=tuple(before[:1]), told=told, ability=ability, facts=facts)

    texts = [json.dumps(text, ensure_ascii=False).replace("<", "\\u003c") for text in [*added, *before]]
    assert problem is None or any(problem.quote.replace("<", "\\u003c") in text for text in texts)


@pytest.mark.parametrize(
    ("note", "told", "quote"),
    [
        ("The user flies home on 2026-05-03.", "hm", ""),
        ("The user flies home on 2025-05-03.", "hm", "2025-05-03"),
        ("The user flies home on 2027-05-03.", "hm", "2027-05-03"),
        ("The user flew home on 2025-05-03.", "I mean 2025, of course.", ""),
        ("The user has not slept since 2025-01-31.", "hm", ""),
    ],
)
def test_a_day_that_was_told_is_noted_with_the_year_in_which_it_comes(note: str, told: str, quote: str) -> None:
    flight = Fact("flight", "3 May", ("3 May",), ("home",), "I fly home on 3 May", "when I fly home")
    # Notes are of 2026-01-02.
    problem = check(note, told=told, facts=(flight,))
    assert (problem.quote if problem else "") == quote
