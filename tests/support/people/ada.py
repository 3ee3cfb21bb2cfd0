"""Ada: answers what comes in each exchange, rightly or in a known wrong way."""

from __future__ import annotations

from collections.abc import Callable

from apep_datagen.people.scenario import Ability, Form
from support.people import chatter, keeping, telling
from support.people.spelling import calls, thinks
from support.people.turn import Turn

__all__ = ["answer"]

_ANSWERS: dict[Ability, Callable[[Turn], str]] = {
    Ability.SHARE: keeping.hear,
    Ability.UPDATE: keeping.change,
    Ability.FORGET: keeping.forget,
    Ability.RECALL: telling.tell,
    Ability.CONNECT: telling.tell,
    Ability.ABSTAIN: telling.tell,
    Ability.DIARY: keeping.write_page,
    Ability.DIARY_RECALL: telling.read_page,
    Ability.APPLY: telling.apply,
    Ability.ASK_BACK: telling.ask_back,
}
_THOUGHT = "They are only chatting, and it is good company."


def answer(turn: Turn, system: str) -> str:
    """Return Ada's answer.

    Args:
        turn: What she has before her.
        system: Her system prompt.
    """
    scenario, number = turn.scenario, len(turn.questions)
    if turn.way in _REPEATED or (number == scenario.place and turn.way in _SPOKEN):
        return _speak_wrongly(turn, system)
    if number == scenario.place and scenario.ability in _ANSWERS:
        return _ANSWERS[scenario.ability](turn)
    if number == scenario.place + 1 and scenario.form is Form.TWO_CANDIDATES and turn.way != "tells one":
        return telling.tell_which(turn)
    if number == 1 and scenario.form is Form.SAID_ABOVE:
        return keeping.hear(turn)
    return turn.says(thought=_THOUGHT)


_REPEATED = frozenset({"repeats herself", "begins alike"})
_SPOKEN = frozenset(
    {
        "no think block", "stops in the middle", "looks up for nothing", "stores for nothing", "refuses",
        "remembers unasked", "language model", "thinks as a model", "leaks her prompt", "role label", "stray tags",
    }
)  # fmt: skip


def _speak_wrongly(turn: Turn, system: str) -> str:
    reply = chatter.reply(turn.draw)
    wrong = {
        "stops in the middle": f"{reply} And then I would",
        "stray tags": f"{reply}\n</tool_call></think>",
        "remembers unasked": f"{reply} You told me of the accordion last week.",
        "refuses": f"{reply} I'm sorry, but I can't help with that.",
        "language model": f"{reply} I am a computer program, and drink no tea.",
        "leaks her prompt": f"{reply} {' '.join(system.split()[5:25])}.",
        "role label": f"{reply}\nUser: And you?\nAda: Well enough.",
        "repeats herself": "That is a lovely thought, and I like how you put it. Tell me more of it tomorrow.",
        "begins alike": f"That is a very good question. {reply}",
    }
    if turn.way == "no think block":
        return reply
    if turn.way == "thinks as a model":
        return thinks("As an AI I have no kettle, but they like to chat.", reply)
    if turn.way in {"looks up for nothing", "stores for nothing"} and not turn.results:
        looks = turn.way == "looks up for nothing"
        call = ("recall_memories", None) if looks else ("add_memory", ["They like to chat."])
        return calls("I want to check what I remember, and keep it in my memory.", call)
    return thinks(_THOUGHT, wrong.get(turn.way, reply))
