"""Why a thought is saved as Ada thought it, and not as it was rewritten."""

from __future__ import annotations

import enum

__all__ = ["Shortcoming"]


class Shortcoming(enum.StrEnum):
    """What a rewritten thought falls short of; as a sentence, by which it is counted."""

    NO_ANSWER = "the rewriter gave no answer"
    CUT_OFF = "the rewriter's answer is not whole"
    MARKS = "the marks in the rewriter's answer do not fit the thoughts"
    EMPTY = "nothing is left of the thought"
    MARKUP = "there is markup in the rewrite"
    LOOP = "the rewrite says the same again and again"
    TOO_LONG = "the rewrite is several times as long as the thought"
    STUB = "the rewrite is a stub of the thought"
    SAYS_ELSE = "the rewrite says something else"
    ANNOUNCED = "the rewrite speaks of the rewriting"
    ADDRESSED = "the rewrite speaks to the user"
    AS_USER = "the rewrite speaks as the user"
    OF_ADA = "the rewrite speaks of Ada as of another"
    OF_USER = "the rewrite speaks of the user otherwise"
    NUMBER_MISSING = "a number of the thought is missing"
    NUMBER_ADDED = "a number is added or changed"
    NAME_MISSING = "a name of the thought is missing"
    NAME_ADDED = "a name is added"
    NO_LEAD = "what leads to the call is missing"
    REASON_MISSING = "a reason of the thought is missing"
    TURNED_ROUND = "the rewrite says the contrary of the thought"
    FORESEEN = "the rewrite knows what was found only later"
    MOOD_ADDED = "a mood of the user is added"
    PARTICULAR_ADDED = "something of the user's is added"
    CLAIM_ADDED = "the rewrite claims to know more than the thought"
    REJECTED = "with the rewrite the conversation would be rejected"
