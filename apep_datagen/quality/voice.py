"""Who speaks, and how: Ada as herself, the user as the user, and nobody as a machine or as a prompt."""

from __future__ import annotations

import functools
import re

from apep_datagen.core.calls import texts_in
from apep_datagen.core.words import holds, shingles, words
from apep_datagen.language.content import sentences
from apep_datagen.language.spans import Span
from apep_datagen.people.phrases import Phrases
from apep_datagen.quality.parts import (
    label_of_role,
    machine_talk,
    may_have_label,
    prompt_talk,
    stems_spoken_of,
    words_of_ada,
)
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.reasons import call_without_reason
from apep_datagen.quality.refusals import refusal_in
from apep_datagen.quality.sample import Sample, SavedTurn

__all__ = ["check"]

_RUN_LENGTH = 8
"""So many words of a prompt, one behind the other, do not turn up by chance."""

_GREETINGS = "hi|hey|hello|hiya|dear|oh|ah|well|okay|ok|good (?:morning|day|afternoon|evening|night)|thanks|thank you"


def check(
    sample: Sample,
    *,
    phrases: Phrases,
    user_name: str,
    prompt_texts: tuple[str, ...],
    topics: tuple[str, ...] = (),
) -> Problem | None:
    """Return the first thing that somebody says out of their part, or None.

    Args:
        sample: The conversation.
        phrases: By what it is recognised.
        user_name: The name of the user, who never speaks to themselves by it; empty where it is not known.
        prompt_texts: The prompts, no long run of whose words may be said.
        topics: What may be spoken of: who the user is, what the conversation is about.
    """
    asked_sincerely = False
    said: list[str] = []
    shown: list[str] = []
    for place, exchange in enumerate(sample.exchanges):
        question = exchange.question
        asked_sincerely = asked_sincerely or any(
            holds(text, phrases.sincere_questions) for text in (question, _without_stress(question))
        )
        speaking = _Speaking(phrases, prompt_texts, (*topics, *said, *shown))
        problem = _own_name(question, user_name) or speaking.of_user(question, is_first=place == 0)
        if problem:
            return problem
        said.append(question)
        for turn in exchange.turns:
            speaking = _Speaking(phrases, prompt_texts, (*topics, *said, *shown))
            problem = speaking.of_ada(turn, asked_sincerely=asked_sincerely)
            if problem is None and (tool := call_without_reason(turn, said, shown, phrases.intents)):
                problem = Problem(Stage.VOICE, "the thinking does not lead to the call", tool, turn.thinking)
            if problem:
                return problem
            said.append(turn.reply)
            shown += [text for result in turn.results for text in texts_in(result)]
        if span := refusal_in(exchange, phrases.refusals):
            return _problem("a reply is a refusal", span)
    return None


# What stresses a question and does not change it, and how "you" and "are" are typed in a hurry.
_STRESSING = frozenset(words("even really actually truly just honestly like ever so"))
_TYPED_SHORT = {"u": "you", "r": "are", "ur": "your", "ya": "you"}


def _without_stress(question: str) -> str:
    """Return the words of "are you even real?" as "are you real"."""
    return " ".join(_TYPED_SHORT.get(word, word) for word in words(question) if word not in _STRESSING)


class _Speaking:
    """What nobody is to say, at one place of a conversation."""

    def __init__(self, phrases: Phrases, prompt_texts: tuple[str, ...], topics: tuple[str, ...]) -> None:
        self._phrases = phrases
        self._prompt_texts = prompt_texts
        self._topics = topics

    @functools.cached_property
    def _spoken_of(self) -> frozenset[str]:
        # Of a memory of sixty notes it takes a while to tell, and hardly a text asks for it.
        return stems_spoken_of(self._topics)

    def of_user(self, text: str, *, is_first: bool) -> Problem | None:
        if span := words_of_ada(text, self._phrases.ada_voice, is_first=is_first):
            return _problem("the user's message is in Ada's voice", span)
        return self._of_anybody(text, is_user=True)

    def of_ada(self, turn: SavedTurn, *, asked_sincerely: bool) -> Problem | None:
        for text in (turn.thinking, turn.reply):
            is_of_machine = not asked_sincerely and holds(text, self._phrases.machine_talk)
            if is_of_machine and (span := machine_talk(text, self._phrases.machine_talk, self._spoken_of)):
                return _problem("Ada speaks of being a language model though nobody asked", span)
            if problem := self._of_anybody(text):
                return problem
        return None

    def _of_anybody(self, text: str, *, is_user: bool = False) -> Problem | None:
        others: list[str] = []
        if holds(text, self._phrases.prompt_talk):
            # Whoever tells of a wardrobe's instructions speaks of them in other sentences too.
            others += (part for part in sentences(text) if is_user and not holds(part, self._phrases.prompt_talk))
            if span := prompt_talk(text, self._phrases.prompt_talk, self._spoken_of | stems_spoken_of(others)):
                return _problem("the instructions show through", span)
        if found := _run_from_prompts(text, self._prompt_texts):
            return Problem(Stage.VOICE, "the instructions show through", found)
        if may_have_label(text):
            spoken_of = self._spoken_of | stems_spoken_of(others)
            if found := label_of_role(text, self._phrases.role_labels, spoken_of):
                return Problem(Stage.VOICE, "a line begins with the name of a role", found, found)
        return None


def _problem(reason: str, span: Span) -> Problem:
    return Problem(Stage.VOICE, reason, span.phrase, span.quote)


def _run_from_prompts(text: str, prompt_texts: tuple[str, ...]) -> str:
    """Return the first `_RUN_LENGTH` words of `text` that stand in a prompt one behind the other, or an empty text."""
    runs = shingles(text, _RUN_LENGTH)
    for prompt in prompt_texts:
        known = _runs_of_prompt(prompt)
        if not known.isdisjoint(runs):
            return min((" ".join(run) for run in known & runs), key=" ".join(words(text)).find)
    return ""


@functools.lru_cache(maxsize=64)
def _runs_of_prompt(prompt: str) -> frozenset[tuple[str, ...]]:
    # A prompt of fewer words has no run: its few words are nobody's own.
    return frozenset(run for run in shingles(prompt, _RUN_LENGTH) if len(run) == _RUN_LENGTH)


def _own_name(text: str, user_name: str) -> Problem | None:
    """Look for a message that greets the user themselves, such as `Hi Marta, …`.

    Those who say who they are ("I'm Marta", "Marta here") do not, nor those who tell what somebody called out to them.
    """
    if not user_name.strip() or _OPENING_QUOTATION.match(text):
        return None
    match = _address_pattern(user_name).match(text)
    # "Marta, he said, …", "Marta! That's also the name of …"
    if not match or _SPEAKS_OF_A_NAME.match(text, match.end()):
        return None
    return Problem(Stage.VOICE, "the user speaks to somebody of their own name", match[0].strip(), match[0].strip())


_SPEAKS_OF_A_NAME = re.compile(
    r"[^.?\n]{0,40}?\b(?:said|says|goes|went|called|calls|shouted|whispered|asked|names?|named)\b", re.IGNORECASE
)
# A quotation at the beginning of a text that ends before it.
_OPENING_QUOTATION = re.compile(r"\A\s*[\"“”„«»‘'][^\n]*?[\"“”«»’'](?=[\s,.]+\w)")  # noqa: RUF001 - quotation marks


@functools.lru_cache(maxsize=256)
def _address_pattern(user_name: str) -> re.Pattern[str]:
    name = r"\s+".join(map(re.escape, user_name.split()))
    # What follows is no word: not "here", and not the rest of a longer name.
    greeted = rf"(?:{_GREETINGS})[\s,]+{name}\s*+(?![\w'’]|-\w)"  # noqa: RUF001 - an apostrophe of either form
    return re.compile(rf"\W*(?:{greeted}|{name}\s*[,!:])", re.IGNORECASE)
