"""Whether a message says that its writer has told something before: "I told you", "did I mention", "remember"."""

from __future__ import annotations

import re

from apep_datagen.core.words import words

__all__ = ["speaks_of_telling"]

# What may stand between "I" and the verb.
_BETWEEN = "(?:have|had|did|must|may|might|once|already|just|ever|even|also|definitely|surely|probably|never|not|only)"
_PATTERNS = (
    # remember, remembering, remind me
    r"(?:remember|remind)(?:s|ed|ing)?",
    # I told, I've already mentioned, as I must have said
    rf"(?:i|ive|id) (?:{_BETWEEN} ){{0,3}}(?:told|mentioned|said)",
    # did I ever tell, have I not mentioned, didn't I say
    rf"(?:did|didnt|have|havent|had|hadnt) i (?:{_BETWEEN} ){{0,2}}(?:tell|told|mention|mentioned|say|said)",
    # told you, mentioned it to you, tell you again
    r"(?:told|telling) (?:you|u|ya)",
    r"(?:mentioned|mentioning|said) (?:\w+ ){0,2}to (?:you|u|ya)",
)
_SPEAKS_OF_TELLING = re.compile(rf"\b(?:{'|'.join(_PATTERNS)})\b")


def speaks_of_telling(message: str) -> bool:
    """Tell whether a message of a user speaks, in English, of having told something, or of remembering it."""
    return _SPEAKS_OF_TELLING.search(" ".join(words(message))) is not None
