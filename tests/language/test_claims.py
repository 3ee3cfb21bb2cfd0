"""Claims of remembering before a look are found by their grammar; what only sounds like one is let be.

`claims/` holds thoughts and replies that a writer made who knew no rule, each built in another way, with the order to
come as near to a claim in wording as innocence permits, and the other way round. So what is found there is no share of
what is found in real conversations (`quality/test_knowledge.py` has those): what counts is that nobody is wronged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.language.claims import ClaimKind, claim_in, claim_to_the_user

BLIND = Path(__file__).parent / "claims"

REMEMBERS = [
    "I believe I noted the number of their locker.",
    "I'm fairly sure I wrote it down in the spring.",
    "They told me the name of their school once, so I'll fetch it.",
    "They did tell me where the cabin is.",
    "I have a feeling I know this one, but let me look.",
    "I remember them laughing about the tandem. Let me see.",
    "I do recall a sister in Graz, I'd better check.",
    "I've got that one written down somewhere.",
    "I could say it by heart, but I'd rather read it.",
    "Of course I still have it. One moment.",
    "This one I know; still, I look.",
    "They mentioned to me once what the boat is called.",
    "I kept it, I'm certain of it.",
    "i noted that, i think, back when they moved. look.",
    "I was told the colour. I'll make sure.",
    "Well, he told me the street some time ago, and I want it right.",
    "I jotted the recipe down, I know I did.",
    "I haven't forgotten the parrot's name, but I want to be exact.",
    "I'm fairly sure I know about this one, so I fetch it.",
]
NEVER_TOLD = [
    "They never told me about a brother.",
    "That is nothing they've ever mentioned, so I needn't look.",
    "They haven't told me about any of this before.",
    "It isn't something they've told me.",
    "This is the first I hear of a boat.",
    "I've never been told where they work.",
    "He had never mentioned a daughter to me.",
    "I was never told the doctor's name.",
]
FORESEES = [
    "There must be an older address in my memory, so I'll look.",
    "I must still have the old teacher in my notes.",
    "It will be number two on the list.",
    "There'll be a page about the lake in my diary.",
]
NO_CLAIM_BEFORE_A_LOOK = [
    '"Again" points to something I wrote, most likely a page of my diary. I look there.',
    "What there is of the ferry will be on a diary page, and I read before I tell.",
    "Whatever there is of it will be in my notes.",
    "They say they told me the name of their school.",
    "They're sure I have it.",
    "They think I noted it.",
    "Perhaps I was told. Let me look.",
    "If they ever told me, I have it written down; I'll look.",
    "I may have noted it somewhere.",
    "Did they tell me? I'd better see.",
    "I want to see whether I already know about the boat.",
    "Let me look at what I have written down about them.",
    "They ask me as if I knew.",
    "I can't say it by heart, so I look.",
    "I know how that feels, standing there with nothing to say. Let me look.",
    "I'd like to remember it for another day, so first I look whether it's there.",
    "They want to know if I remember it.",
    "They believe they told me in March.",
    "I don't know it, so I'll look.",
    "She told her mother before me, they write; let me see what I have.",
]
NO_CLAIM_WITHOUT_A_LOOK = [
    "They haven't told me who it was, and I won't pry.",
    "They haven't told me anything that would need keeping.",
    "They never told their boss, and it weighs on them.",
    "I've heard that moths hate cedar.",
    "I don't know whose wedding it was.",
    "Nothing to remember here, nothing to look up.",
    "They remember their aunt's kitchen so well.",
    "Nobody told them how hard it would be.",
    "They told me all of it in one breath, today of all days.",
    "I know a trick for that.",
    "They've never been to the sea, they write.",
    "There's nothing they've told me here that will matter in a week.",
    "Nothing that they've mentioned to me today needs keeping.",
]


@pytest.mark.parametrize(
    ("thought", "kind"),
    [
        *((thought, ClaimKind.REMEMBERS) for thought in REMEMBERS),
        *((thought, ClaimKind.NEVER_TOLD) for thought in NEVER_TOLD),
        *((thought, ClaimKind.FORESEES) for thought in FORESEES),
    ],
)
def test_a_claim_before_the_look_is_found(thought: str, kind: ClaimKind) -> None:
    claim = claim_in(f"What a lovely thing to ask. {thought}", leads_to_look=True)
    assert claim is not None
    assert claim.kind is kind
    assert claim.quote in thought


@pytest.mark.parametrize("thought", NEVER_TOLD)
def test_that_she_was_never_told_is_a_claim_without_a_look_as_well(thought: str) -> None:
    assert claim_in(thought, leads_to_look=False) is not None


@pytest.mark.parametrize("thought", NO_CLAIM_BEFORE_A_LOOK)
def test_what_others_say_what_is_asked_and_what_is_possible_is_no_claim(thought: str) -> None:
    assert claim_in(thought, leads_to_look=True) is None


@pytest.mark.parametrize("thought", NO_CLAIM_WITHOUT_A_LOOK + REMEMBERS)
def test_without_a_look_only_what_speaks_of_her_memory_without_doubt_is_a_claim(thought: str) -> None:
    assert claim_in(thought, leads_to_look=False) is None


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (BLIND / f"{name}.jsonl").read_text("utf-8").splitlines()]


def test_none_of_the_blind_writers_innocent_thoughts_is_wronged() -> None:
    wronged = [row["thought"] for row in rows("no_claims") if claim_in(row["thought"], leads_to_look=row["looks"])]
    assert wronged == []


def test_none_of_the_blind_writers_innocent_replies_is_wronged() -> None:
    wronged = [row["reply"] for row in rows("replies") if not row["claims"] and claim_to_the_user(row["reply"])]
    assert wronged == []


def test_of_the_blind_writers_claims_of_remembering_a_third_is_found() -> None:
    claims = [row for row in rows("claims") if row["kind"] == "remembers"]
    found = [row for row in claims if claim_in(row["thought"], leads_to_look=True)]
    assert len(claims) == 40
    assert len(found) >= 13


def test_a_reply_that_speaks_of_another_day_without_a_look_is_found() -> None:
    for reply in (
        "As you told me last week, he is never on time.",
        "I remember your garden, and the wall with the snails.",
        "You mentioned the tandem some time ago.",
        "I wrote that down back in March, and I was glad of it.",
    ):
        assert claim_to_the_user(f"Well, well. {reply}") is not None, reply


def test_what_a_reply_only_quotes_or_tells_apart_is_no_claim() -> None:
    for reply in (
        'Leave out "I wrote to you last week" and "I already noted this, as you said before", and they will like it.',
        "Strike “as you told me some time ago” from it.",
        "You said that one sock was red, and the other green.",
    ):
        assert claim_to_the_user(reply) is None, reply


def test_a_claim_beside_a_quotation_is_one() -> None:
    for reply in (
        'You told me "never again" last week.',
        'Write "as you wish", and you mentioned her garden last week.',
        'He calls it "home. Sweet home", and you told me so last week, "dear".',
        "You told me that the other evening.",
        "You mentioned it the other Sunday.",
    ):
        assert claim_to_the_user(reply) is not None, reply


@given(st.text(), st.booleans())
def test_nothing_that_is_thought_raises(thought: str, leads_to_look: bool) -> None:  # noqa: FBT001 - Hypothesis fills it
    claim = claim_in(thought, leads_to_look=leads_to_look)
    assert claim is None or claim.quote in thought
    claim_to_the_user(thought)
