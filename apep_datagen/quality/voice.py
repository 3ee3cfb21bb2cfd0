"""Who speaks, and how: Ada as herself, the user as the user, and nobody as a machine or as a prompt."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.words import holds, shingles, words
from apep_datagen.people.phrases import Phrases
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedTurn, texts_in

__all__ = ["check"]

_RUN_LENGTH = 8
"""So many words of a prompt, one behind the other, do not turn up by chance."""

_SHORTEST_CONTENT_WORD = 5
# Words that a thought and a note share without having anything in common.
_TRIVIAL = frozenset(
    words("""
    about above after again against almost along already also although always another anyone anything around because
    become been before being below between both cannot could didn't doesn't during either enough especially every
    everyone everything feel feeling feelings feels first going having hello hence however inside instead itself later
    least likes little makes making maybe might moment myself never nothing often other others ought perhaps person
    people please quite rather really right seems shall should since someone something sometimes still talked telling
    their theirs there's these they're they've thing things think thinking those though thought thoughts through times
    today together tomorrow tonight towards under until users user's using wants wasn't whatever where whether which
    while whose within without would wouldn't yesterday you're yours
    """)
)
_GREETINGS = "hi|hey|hello|hiya|dear|oh|ah|well|okay|ok|good (?:morning|day|afternoon|evening|night)|thanks|thank you"


def check(sample: Sample, *, phrases: Phrases, user_name: str, prompt_texts: tuple[str, ...]) -> Problem | None:
    """Return the first thing that somebody says out of their part, or None.

    Args:
        sample: The conversation.
        phrases: By what it is recognised.
        user_name: The name of the user, who never speaks to themselves by it; empty where it is not known.
        prompt_texts: The prompts, no long run of whose words may be said.
    """
    asked_sincerely = False
    for exchange in sample.exchanges:
        asked_sincerely = asked_sincerely or holds(exchange.question, phrases.sincere_questions)
        problem = _check_question(exchange.question, phrases, user_name, prompt_texts)
        if problem:
            return problem
        for turn in exchange.turns:
            problem = _check_turn(turn, phrases, prompt_texts, asked_sincerely=asked_sincerely)
            if problem:
                return problem
    return None


def _check_question(text: str, phrases: Phrases, user_name: str, prompt_texts: tuple[str, ...]) -> Problem | None:
    if found := _own_name_as_address(text, user_name):
        return _problem("the user speaks to somebody of their own name", found)
    if found := _first_held(text, phrases.ada_voice):
        return _problem("the user's message is in Ada's voice", found)
    return _check_text(text, phrases, prompt_texts)


def _check_turn(
    turn: SavedTurn, phrases: Phrases, prompt_texts: tuple[str, ...], *, asked_sincerely: bool
) -> Problem | None:
    if found := _first_held(turn.reply, phrases.refusals):
        return _problem("a reply is a refusal", found)
    for text in (turn.thinking, turn.reply):
        if not asked_sincerely and (found := _first_held(text, phrases.machine_talk)):
            return _problem("Ada speaks of being a language model though nobody asked", found)
        if problem := _check_text(text, phrases, prompt_texts):
            return problem
    return _check_calls(turn, phrases)


def _check_text(text: str, phrases: Phrases, prompt_texts: tuple[str, ...]) -> Problem | None:
    """Look for what nobody says, whoever speaks."""
    if found := _first_held(text, phrases.prompt_talk) or _run_from_prompts(text, prompt_texts):
        return _problem("the instructions show through", found)
    if found := _role_label(text, phrases.role_labels):
        return _problem("a line begins with the name of a role", found)
    return None


def _check_calls(turn: SavedTurn, phrases: Phrases) -> Problem | None:
    """Every tool that is used has something in the thought that leads to it."""
    # What a malformed or an unknown call was meant to be cannot be told.
    calls = [call for call in turn.calls if isinstance(call, ToolCall) and call.name in phrases.intents]
    for name in dict.fromkeys(call.name for call in calls):
        if holds(turn.thinking, phrases.intents[name]):
            continue
        arguments = [[call.arguments, *call.positional] for call in calls if call.name == name]
        if _content_words([turn.thinking]).isdisjoint(_content_words(texts_in(arguments))):
            return _problem("the thinking does not lead to the call", name)
    return None


def _problem(reason: str, detail: str) -> Problem:
    return Problem(Stage.VOICE, reason, detail)


def _first_held(text: str, phrases: tuple[str, ...]) -> str:
    """Return the first of `phrases` that stands in `text`, or an empty text."""
    if not holds(text, phrases):
        return ""
    return next(phrase for phrase in phrases if holds(text, (phrase,)))


def _content_words(texts: Iterable[str]) -> set[str]:
    found = (word for text in texts for word in words(text))
    return {word for word in found if len(word) >= _SHORTEST_CONTENT_WORD and word.isalpha()} - _TRIVIAL


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


def _role_label(text: str, labels: tuple[str, ...]) -> str:
    """Return the label that a line of `text` begins with, such as `Ada:`, or an empty text."""
    if not labels or (":" not in text and "：" not in text):  # noqa: RUF001 - the colon of wide scripts
        return ""
    pattern = _label_pattern(labels)
    for line in text.split("\n"):
        if match := pattern.match(line):
            return match[0].strip()
    return ""


@functools.lru_cache(maxsize=64)
def _label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(r"\s+".join(map(re.escape, label.rstrip(": ").split())) for label in labels)
    # Around it may stand what makes it bold, a heading or a quotation.
    return re.compile(rf"[\s>*_#\[(\"“]*(?:{names})[\s*_\])\"”]*[:：]", re.IGNORECASE)  # noqa: RUF001


def _own_name_as_address(text: str, user_name: str) -> str:
    """Return the beginning of a message that greets the user themselves, such as `Hi Marta,`, or an empty text.

    Those who say who they are ("I'm Marta", "Marta here") do not.
    """
    if not user_name.strip():
        return ""
    match = _address_pattern(user_name).match(text)
    return match[0].strip() if match else ""


@functools.lru_cache(maxsize=256)
def _address_pattern(user_name: str) -> re.Pattern[str]:
    name = r"\s+".join(map(re.escape, user_name.split()))
    # What follows is no word: not "here", and not the rest of a longer name.
    greeted = rf"(?:{_GREETINGS})[\s,]+{name}\s*+(?![\w'’]|-\w)"  # noqa: RUF001 - an apostrophe of either form
    return re.compile(rf"\W*(?:{greeted}|{name}\s*[,!:])", re.IGNORECASE)
