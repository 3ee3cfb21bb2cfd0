"""A small world, and a kind, a moment and topics that may come into it."""

from __future__ import annotations

from typing import Any

from apep_datagen.grow.grown_file import as_toml
from apep_datagen.people.vocabulary import Vocabulary
from apep_datagen.people.world import Moment, Slot, World, WorldFile

DENTIST = Slot(
    slot="dentist_name",
    of="dentist",
    tell="my dentist is called {value}",
    ask="what my dentist is called",
    cues=("dentist", "teeth"),
    values=(("Okafor",), ("Lindqvist",)),
)
TRAITS = ("dog", "garden")


def world() -> World:
    """Return a world with one kind, one moment and a few topics."""
    moment = Moment(slot="owl", tell="an owl sat on my sill", ask="my visitor in the night", forms=("owl",))
    held = WorldFile(
        facts=(DENTIST,),
        moments=(moment,),
        topics=("brothers, inheritance",),
        smalltalk_topics=("the moon",),
        advice_topics=("coffee stain, shirt",),
    )
    return World([held], Vocabulary())


def kind(**changes: Any) -> Slot:
    """Return a kind without a fault, or with these changes."""
    return Slot(
        **{
            "slot": "kiln_make",
            "of": "kiln",
            "tell": "my pottery kiln is a {value}",
            "ask": "in which kiln I fire my pots",
            "cues": ("kiln", "pottery"),
            "values": tuple((name,) for name in KILNS),
            "notes": (
                "The user's pottery kiln is a {value}.",
                "For firing pots at home the user has a kiln, a {value}.",
                "A {value} stands in the user's shed; it is the kiln they saved up for.",
                "{value}: that is the kiln in which the user has fired since spring.",
            ),
            "beside": (
                "The user's neighbour has a kiln as well, a {value}.",
                "The evening class in the village uses a {value} for its kiln.",
            ),
            **changes,
        }
    )


KILNS = ("Rohde", "Nabertherm", "Caldera", "Skutt", "Torchbearer", "Kittec", "Evenheat", "Amaco")

_FIRST_PAGE = (
    "They stood in the door of the shed and did not dare to open the kiln. In the end they opened it with their eyes"
    " shut, and the first thing that they felt was that the blue vase had come out whole."
)
_SECOND_PAGE = (
    "A kiln keeps its secrets for a night and a day. They counted the hours aloud to me as children do before a feast,"
    " and when the lid was up at last they laughed for a long time about a cup with two handles."
)
PAGES = (_FIRST_PAGE, _SECOND_PAGE)


def moment(**changes: Any) -> Moment:
    """Return a moment without a fault, or with these changes."""
    return Moment(
        **{
            "slot": "first_firing",
            "tell": "I opened my kiln for the first time, and everything in it was whole",
            "ask": "the first time that I fired pots of my own",
            "forms": ("kiln", "vase", "two handles"),
            "pages": PAGES,
            **changes,
        }
    )


def proposed(*tables: Slot | Moment, topics: tuple[str, ...] = ()) -> str:
    """Return what a model would answer to propose this."""
    kinds = [table for table in tables if isinstance(table, Slot)]
    moments = [table for table in tables if isinstance(table, Moment)]
    text = as_toml(kinds=kinds, moments=moments, topics={"topics": topics})
    return f"Here you are:\n\n```toml\n{text}```\n\nI hope that this helps!"
