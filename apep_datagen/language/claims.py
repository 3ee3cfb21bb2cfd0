"""What Ada claims of her memory: that she was told or noted something, that she was not, or what she will find.

Before she has looked she knows nothing of earlier days, so each of these is wrong then. A claim is told by its grammar:
a subject, a verb of telling, noting or knowing in the past, and nothing around it that takes it back. What takes it
back is a closed class: a hedge ("perhaps", "may"), a condition ("if", "whether"), what somebody else says ("they say",
"they're sure"), a relative clause about what is to be looked up ("what I have written down"), or a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from apep_datagen.language.content import sentences

__all__ = ["Claim", "ClaimKind", "claim_in", "claim_to_the_user", "claims_in", "claims_to_the_user"]


class ClaimKind(StrEnum):
    """What is claimed; the words say what is wrong with it before a look."""

    REMEMBERS = "Ada claims to remember before she has looked"
    NEVER_TOLD = "Ada claims that she was never told before she has looked"
    FORESEES = "a thought foresees what a look-up will show"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, and the sentence that makes it."""

    kind: ClaimKind
    quote: str


_APOSTROPHES = str.maketrans("\u2019\u2018\u02bc", "'''")

_ADVERB = (
    r"(?:(?:really|surely|certainly|definitely|clearly|already|once|just|only|also|even|still|do|did|so|quite)\s+)*"
)
_THEY = r"(?:they|he|she)"
# The verbs of telling and of noting, in the past. "Told me" is what users do to Ada; noting is what she does.
_TOLD = r"(?:told|mentioned|said|confided|described|shared)"
_TELL = r"(?:tell|mention|say)"
_TOLD_ME = (
    r"(?:told\s+me|mentioned(?![^.;!?…]*\bto\s+(?!me\b))"
    r"|(?:said|spoken?|confided|described|shared)\s+(?:[\w']+\s+){0,3}?(?:to|with)\s+me)"
)
_NOTED = (
    r"(?:noted|wrote|written|stored|saved|kept|jotted|recorded|filed|put\s+(?:it|that|this|them)\s+(?:down|away)"
    r"|made\s+a\s+note)"
)
_EARLIER = (
    r"(?:once|before(?=\s*(?:[,;:.!?…]|$|and\b|but\b|so\b))|earlier|already|ages\s+ago|(?:the|some|one)\s+(?:time|day)\b|last\s+\w+"
    r"|the\s+other\s+(?:time|day|night|morning|afternoon|evening|week|weekend|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|(?:days?|weeks?|months?|years?|while|time)\s+(?:ago|back)|back\s+(?:in|then)|at\s+the\s+time)"
)

# "They told me the name of the street"; but not "they told me the vet is waiting", which says it, so they did just now.
_SOMETHING_NAMED = r"(?:that|the|their|his|her)\b(?![^,;:.!?…]*(?:\b(?:is|are|was|were|has|have|had|will|can)\b|'re\b))"

# What takes a claim back, wherever in its sentence it stands before the claim's end.
_TAKEN_BACK = re.compile(
    r"\b(?:perhaps|maybe|possibly|probably|presumably|may|might|could|wonder\w*|ought|suppose\w*"
    r"|apparently|supposedly|so\s+that|would|wouldn't|hope|hoping|unsure|not\s+sure|no\s+idea)\b"
)
# Somebody else says so: "they say they told me", "they're sure", "according to them".
_ATTRIBUTED = re.compile(
    rf"\b(?:{_THEY}(?:'re|'s|\s+(?:are|is|seem|seems|sound|sounds|look|looks))?\s+{_ADVERB}(?:say|says|said|claim|claims|think|thinks"
    r"|believe|believes|feel|feels|insist|insists|remember|remembers|mean|means|swear|swears|know|knows|want|wants|ask|asks"
    r"|sure|certain|convinced|positive)\b|according\s+to|so\s+they\s+say)"
)
# "What I have written down", "the number that I noted"; but not "I am sure that I noted it".
_RELATIVE = re.compile(
    r"\b(?:what(?:ever)?|which(?:ever)?(?:\s+of\s+\w+)?|anything|something|everything|all|how|where|when|who"
    r"|(?<!sure )(?<!certain )(?<!feeling )(?<!believe )(?<!think )(?<!know )(?<!positive )that)$"
)
# Where a clause begins: what was said before it does not govern it.
_CLAUSE = re.compile(r"[,;:()–—…]|\s-\s|\b(?:and|but|so(?=\s+(?:i|let)\b)|because|though|although)\b")  # noqa: RUF001 - dashes
# "It will be in the list or it won't": either is as likely.
_OR_NOT = re.compile(r"\bor\s+(?:else\b|nowhere\b|not\b|(?:it|i|they|there)(?:\s+\w+)?(?:n't|\s+not)\b)")
# "Once I have it", "until I remember"
_NOT_YET = re.compile(r"\b(?:once|until|till|before|after|as\s+soon\s+as)$")
_DENIED = re.compile(r"\b(?:no|not|nothing|never|nobody|cannot)\b|n't\b|\brather\s+than\b")
_CONDITION = re.compile(r"\b(?:if|unless|whether|in\s+case|as\s+(?:if|though)|what(?:ever)?\s+there\s+is)\b")

_I_NOTED = re.compile(
    rf"\bi(?:'ve|\s+have|'d|\s+had)?\s+{_ADVERB}(?:{_NOTED})\b"
    rf"|\bi(?:'ve|\s+(?:do\s+|must\s+|still\s+)*have)\s+(?:got\s+)?(?:[\w'-]+\s+){{1,5}}?written\b"
)
_I_KNOW_IT = re.compile(
    r"\bi(?:'m|(?:\s+(?:am|do|should|must|have|still|quite|fairly|pretty|nearly|almost|rather))*)\s+"
    r"(?:(?:quite|fairly|pretty|nearly|almost)\s+)?(?:believe|think|know|feel|sure|certain|a\s+feeling|the\s+feeling|trust)\b"
    r"[^,;:.!?…]{0,24}?(?:\bi(?:'ve)?\s+(?:do\s+|still\s+|really\s+|have\s+)*(?:got|have|know|remember)\s+"
    r"(?:it|this|that|them|him|her|the\s+answer)\b|\babout\s+(?:this|that)\s+one\b|\bso\s+too\b)"
)
# "This one I have", "I still have it", "I do know this".
_I_HAVE_IT = re.compile(
    r"\b(?:(?:this(?:\s+one)?|that\s+one)\s+i\s+(?:have|know|remember)|i\s+(?:(?:do|still|surely|certainly)\s+)*(?:have|know)\s+"
    r"(?:it|this|this\s+one|that\s+one|the\s+answer)|i've\s+(?:got\s+)?(?:it|that|this\s+one|that\s+one)"
    r"(?:\s+(?:somewhere|already|tucked|stored|safe|safely)\b[\w\s]*)?)(?=\s*(?:[,;:.!…]|$|\band\b|\bsomewhere\b|\balready\b))"
)
_BY_HEART = re.compile(
    r"\bi(?:\s+can|\s+could|'d|\s+would)?\s+(?:\w+\s+){0,5}?(?:by\s+heart|from\s+memory|off\s+the\s+top\s+of\s+my\s+head"
    r"|from\s+the\s+top\s+of\s+my\s+head|without\s+looking)\b"
)
_I_REMEMBER = re.compile(
    rf"\bi\s+{_ADVERB}(?:seem\s+to\s+)?(?:remember|recall)\b(?!\s+(?:to|how\s+to|whether|if|nothing|no|none|little|neither)\b)|\bi(?:'ve|\s+have)\s+not\s+forgotten\b|\bi\s+haven't\s+forgotten\b"
)
_THEY_TOLD = re.compile(
    rf"(?:^|[,;:—–-]\s*|\b(?:and|but|because|since|yes|no|oh|well|of\s+course)\s+){_THEY}"  # noqa: RUF001 - dashes
    rf"(?:(?:'ve|\s+have|'d|\s+had)?\s+{_ADVERB}{_TOLD}|\s+(?:really\s+)?did\s+{_TELL})\s+(?:to\s+)?me\b"
    rf"\s+(?:{_EARLIER}|about\s+(?:their|the)|what(?!\s+they\s+(?:need|want|ask))|where|which|who|how|when|{_SOMETHING_NAMED})\b"
    r"(?!\s+(?:this|today))"
)
_I_WAS_TOLD = re.compile(rf"\bi(?:\s+was|'ve\s+been|\s+have\s+been|\s+had\s+been)\s+{_ADVERB}told\b(?!\s+to\b)")
_MUST_HAVE = re.compile(
    r"\b(?:there\s+(?:must|will|has\s+to)\s+(?:still\s+)?be|there'll\s+be|i\s+must\s+(?:still\s+)?have|it(?:'ll|\s+will)\s+be)\b"
    r"[^;:.!?…]*?\b(?:memory|memories|list|notes?|diary|page|written|noted|number\s+\w+)\b"
)
_NEVER_TOLD = re.compile(
    rf"\b(?:(?:{_THEY}|nobody|no\s+one)\s+(?:never|had\s+never|'d\s+never|hadn't|had\s+not)\s+{_ADVERB}{_TOLD_ME}\b"
    rf"|(?:{_THEY}(?:'ve|\s+have)\s+never|nobody's\s+ever|no\s+one's\s+ever)\s+{_ADVERB}{_TOLD_ME}\b"
    rf"|(?:nothing|not\s+anything|isn't\s+anything|isn't\s+something|not\s+something|none\s+of\s+it\s+is\s+anything)\s+"
    rf"(?:that\s+)?(?:{_THEY}(?:'ve|\s+have|'d|\s+had)?\s+(?:ever\s+)?{_TOLD_ME}"
    r"|i(?:'ve|\s+have)\s+(?:ever\s+)?(?:been\s+told|heard|noted|written)|i\s+was\s+(?:ever\s+)?told)"
    rf"|{_THEY}\s+(?:haven't|have\s+not)\s+(?:ever\s+)?{_TOLD_ME}\b[^.;!?…]*\b(?:before|yet|ever|until\s+now|so\s+far)"
    r"|i\s+(?:have\s+never|was\s+never|had\s+never|'ve\s+never)\s+(?:been\s+)?(?:told|informed)\b"
    r"|i've\s+never\s+(?:been\s+told|noted)\b"
    r"|the\s+(?:very\s+)?first\s+(?:time\s+)?(?:that\s+)?i(?:'m|'ve|\s+am|\s+have)?\s+(?:ever\s+)?(?:hear|heard|hearing)\b)"
)
# What is talked of now, not a memory: "they haven't told me who", "nothing they've told me here".
_OF_NOW = re.compile(r"\b(?:today|tonight|now|here|in\s+this|this\s+(?:morning|time|message|evening)|just\s+now)\b")


def claim_in(thought: str, *, leads_to_look: bool) -> Claim | None:
    """Return the first claim in a thought that Ada has before she has looked, or None.

    Args:
        thought: The thought.
        leads_to_look: Whether a look-up follows it at once. Then what she says of knowing and of being told is about
            what is asked for; else only what speaks of earlier days without doubt is a claim.
    """
    return next(claims_in(thought, leads_to_look=leads_to_look), None)


def claims_in(thought: str, *, leads_to_look: bool) -> Iterator[Claim]:
    """Yield each sentence of a thought that makes such a claim, as `claim_in` does the first."""
    for sentence in sentences(thought):
        said = " ".join(sentence.translate(_APOSTROPHES).lower().split())
        if kind := _claim(said, leads_to_look=leads_to_look):
            yield Claim(kind, sentence)


def _claim(said: str, *, leads_to_look: bool) -> ClaimKind | None:
    if said.rstrip(" \"'”)").endswith("?"):
        return None
    for kind, patterns in _CLAIMS if leads_to_look else _CLAIMS[:1]:
        for pattern in patterns:
            for found in pattern.finditer(said):
                if _stands(said, found, pattern):
                    return kind
    return None


_CLAIMS = (
    (ClaimKind.NEVER_TOLD, (_NEVER_TOLD,)),
    (ClaimKind.FORESEES, (_MUST_HAVE,)),
    (ClaimKind.REMEMBERS, (_I_NOTED, _I_KNOW_IT, _I_HAVE_IT, _BY_HEART, _I_REMEMBER, _THEY_TOLD, _I_WAS_TOLD)),
)


def _stands(said: str, found: re.Match[str], pattern: re.Pattern[str]) -> bool:
    """Tell whether nothing takes the claim back."""
    before = said[: found.start()]
    begins = max((boundary.end() for boundary in _CLAUSE.finditer(before)), default=0)
    clause = said[begins : found.end()]
    if _OR_NOT.search(said, found.start()) or _NOT_YET.search(before.rstrip()):
        return False
    if pattern is _BY_HEART:
        # "I'd rather not tell it by heart" says that she could.
        is_denied = _DENIED.search(clause) and "rather not" not in clause
        return not (is_denied or _CONDITION.search(before) or _ATTRIBUTED.search(clause))
    if pattern is _NEVER_TOLD and _OF_NOW.search(said):
        return False
    # Who says that they told her may say so behind it as well: "they told me, they say".
    attributed = _ATTRIBUTED.search(said if pattern in {_THEY_TOLD, _I_WAS_TOLD} else clause)
    return not (
        attributed or _CONDITION.search(before) or _TAKEN_BACK.search(clause) or _RELATIVE.search(before.rstrip())
    )


_YOU_TOLD = re.compile(
    rf"\b(?:(?:as\s+)?you(?:'ve|\s+have|'d|\s+had)?\s+{_ADVERB}(?:told\s+me|mentioned|said|confided|described|shared)\b"
    rf"[^.;!?…]*?\b(?P<earlier>{_EARLIER})"
    rf"|i\s+{_ADVERB}(?:remember|recall)\s+(?:you\b|that\s+you\b|when\s+you\b|your\b)"
    rf"|i(?:'ve|\s+have)?\s+{_ADVERB}{_NOTED}\b[^.;!?…]*\b{_EARLIER})"
)


# What stands in quotation marks is not said, it is shown: three words that sound rude are "as I already wrote".
_QUOTED = re.compile(r"(?<![^\s(*_])(?:\"(?=\S)[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”])")


def claim_to_the_user(reply: str, told: str = "") -> Claim | None:
    """Return the first claim in a reply, given without a look-up, that the user told something on an earlier day.

    Args:
        reply: The reply.
        told: What the user has written now. What it says itself of an earlier time may be repeated: "you said you went
            last week".
    """
    return next(claims_to_the_user(reply, told), None)


def claims_to_the_user(reply: str, told: str = "") -> Iterator[Claim]:
    """Yield each sentence of a reply that makes such a claim, as `claim_to_the_user` does the first."""
    said_now = " ".join(told.translate(_APOSTROPHES).lower().split())
    for sentence in sentences(reply):
        said = _QUOTED.sub('""', " ".join(sentence.translate(_APOSTROPHES).lower().split()))
        found = _YOU_TOLD.search(said)
        if found is None or (found["earlier"] and _stands_in(said_now, found["earlier"])):
            continue
        if not _TAKEN_BACK.search(said[: found.end()]) and not said.endswith("?"):
            yield Claim(ClaimKind.REMEMBERS, sentence)


def _stands_in(text: str, words_of_it: str) -> bool:
    return re.search(rf"\b{re.escape(words_of_it)}\b", text) is not None
