"""The grammars of the embedded provider: to which form each step's answer is confined.

A model of 135 million parameters does not keep to Ada's format by itself. A grammar says what form a text has, not that
it makes sense.

With SmolLM2 the grammar also decides *whether* Ada uses a tool, and which one. Left free it called none in 8 answers to
a message full of facts, so the choice is drawn from the request's seed, without regard to what was said: `_CALL_SHARE`
of the first answers are a call, with the tools weighted by `_CALL_WEIGHTS`; after results it always replies. How its
texts begin is drawn as well (`_OPENINGS`). The rest of the words, what is stored included, is the model's own. Any
other model chooses for itself.
"""

from __future__ import annotations

import random
import re

from apep_datagen.core.messages import CompletionRequest, ReviewQuestion, Step

__all__ = ["grammar_for"]

# Strings are of characters that need no escape in Python, and nothing can look like a tag. Every length is bounded,
# so that an answer ends by itself, well before its limit of tokens.
_FREE_RULES = r"""
char ::= [^\x00-\x1F\x7F<>]
string-char ::= [^\x00-\x1F\x7F<>"\\]
line ::= char{1,400}
reply ::= line ("\n\n" line)?
string ::= "\"" string-char{1,200} "\""
strings ::= string (", " string){0,2}
indices ::= "[" number (", " number){0,5} "]"
number ::= [1-9] [0-9]{0,2}
call-body ::= add | recall | delete
add ::= ("add_memory" | "add_diary") "(input_text=[" strings "])"
recall ::= ("recall_memories" | "recall_diary") "()"
delete ::= ("delete_memory" | "delete_diary") "(indices=" indices ")"
call ::= "<tool_call>" call-body "</tool_call>"
calls ::= call ("\n" call)?
"""
# English sentences. How a text begins is given (see `_OPENINGS`), and the model goes on from there.
_SMALL_MODEL_RULES = r"""
word ::= [a-zA-Z0-9'-]{1,16}
words ::= word (","? " " word){2,36}
sentence ::= [A-Z] [a-z']{0,12} ","? " " words [.!?]
thought ::= opening words "." (" " sentence){0,1}
reply ::= sentence (" " sentence){0,2}
memory ::= "The user " note
diary ::= ("Today " | "We talked about " | "I was moved by ") note
note ::= [a-z]{1,15} (","? " " word){2,24}
"""
_SMALL_MODEL_CALLS = {
    "add_memory": r'"add_memory(input_text=[\"" memory "\"])"',
    "add_diary": r'"add_diary(input_text=[\"" diary "\"])"',
    "recall_memories": '"recall_memories()"',
    "recall_diary": '"recall_diary()"',
}
_CALL_SHARE = 0.3
_CALL_WEIGHTS = {"add_memory": 5, "add_diary": 2, "recall_memories": 2, "recall_diary": 1}

# How a text begins decides, for a small model, who speaks and to whom. One is drawn from the request's seed.
_OPENINGS: dict[str, tuple[str, ...]] = {
    Step.ASK: (
        "I have ",
        "My ",
        "Today I ",
        "Yesterday I ",
        "Lately I ",
        "I keep thinking about ",
        "I am ",
        "Do you think ",
    ),
    Step.ANSWER: (
        "They sound like ",
        "They seem to ",
        "They must feel ",
        "I can hear that they ",
        "I wonder how they ",
        "I want them to know that ",
        "I am glad that they told me ",
    ),
    Step.CONTINUE: ("They may need to hear that ", "I hope that they ", "Now I can ask them "),
    Step.REWRITE: ("Oh, they ", "Hm, they ", "I feel that they ", "I think they ", "Yes, they ", "Somehow they "),
    "add_memory": ("I want to remember that they ", "I should not forget that they ", "I will keep in mind that they "),
    "add_diary": ("It moves me that they ", "I want to write down how they ", "This touches me, because they "),
    "recall_memories": ("Maybe they told me before that ", "I want to look up whether they "),
    "recall_diary": ("I may have written about how they ", "I want to read again what I wrote when they "),
}
_MARK = re.compile(r"^\[\[(\d+)\]\] ", re.MULTILINE)


def grammar_for(request: CompletionRequest, *, chooses_itself: bool) -> str:
    """Return the GBNF grammar of the answer to `request`.

    Args:
        request: What is asked; its step, its last message's marks and its seed decide.
        chooses_itself: Whether the model decides how it begins and if it calls a tool; otherwise the seed does.
    """
    if request.step is Step.REVIEW:
        return _review_grammar()
    marks = _count_marks(request.messages[-1].content) if request.step is Step.REWRITE else 0
    if chooses_itself:
        return _free_grammar(request.step, marks)
    return _small_model_grammar(request.step, marks, random.Random(request.seed))  # noqa: S311


def _review_grammar() -> str:
    lines = ' "\\n" '.join(f'"{question}: " ("yes" | "no, " why)' for question in ReviewQuestion)
    return f"root ::= {lines}\nwhy ::= [^\\x00-\\x1F\\x7F<>]{{1,120}}\n"


def _free_grammar(step: Step, marks: int) -> str:
    if step is Step.ASK:
        root = "line"
    elif step is Step.REWRITE:
        root = ' "\\n" '.join(f'"{mark}" line' for mark in _marks(marks))
    else:
        root = r'"<think>" line "</think>\n\n" (reply | calls)'
    return f"root ::= {root}\n{_FREE_RULES.strip()}\n"


def _small_model_grammar(step: Step, marks: int, draw: random.Random) -> str:
    # Only a first answer calls: whether another round is permitted after results is not known here.
    call = None
    if step is Step.ANSWER and draw.random() < _CALL_SHARE:
        call = draw.choices(list(_CALL_WEIGHTS), weights=list(_CALL_WEIGHTS.values()))[0]
    opening = draw.choice(_OPENINGS[call or step])
    if step is Step.ASK:
        root = 'opening words [.!?] (" " sentence){0,1}'
    elif step is Step.REWRITE:
        openings = draw.sample(_OPENINGS[step], k=len(_OPENINGS[step]))
        root = ' "\\n" '.join(
            f'"{mark}{openings[index % len(openings)]}" words [.!?] (" " sentence){{0,1}}'
            for index, mark in enumerate(_marks(marks))
        )
    elif call is not None:
        root = rf'"<think>" thought "</think>\n\n<tool_call>" {_SMALL_MODEL_CALLS[call]} "</tool_call>"'
    else:
        root = r'"<think>" thought "</think>\n\n" reply'
    return f'root ::= {root}\nopening ::= "{opening}"\n{_SMALL_MODEL_RULES.strip()}\n'


def _marks(count: int) -> list[str]:
    """Return what stands before each part of a rewrite; one part has no mark."""
    return [f"[[{number}]] " for number in range(1, count + 1)] or [""]


def _count_marks(text: str) -> int:
    """Count the marked thoughts: `[[1]]`, `[[2]]` … at the beginning of lines, in order."""
    count = 0
    for mark in _MARK.finditer(text):
        if int(mark[1]) == count + 1:
            count += 1
    return count
