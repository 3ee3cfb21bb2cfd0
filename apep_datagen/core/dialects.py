"""What models of all families write, in Ada's own markup.

Models are trained on markup of their own, and fall back into it: a thought in `[THINK]…[/THINK]`, a call in
`[TOOL_CALLS]`, or as bare JSON. `own_markup` is the one place where a model's raw text is read; behind it there are
only `<think>`, `<tool_call>` and `<tool_result>`, in one spelling. It changes what is unambiguous. What is not stays as
it is, and `foreign_markup` finds it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from itertools import pairwise

from apep_datagen.core.bare_calls import bare_calls, spelled_call
from apep_datagen.core.marks import Mark, Meaning, begins_turn_of_another, marks_at_ends, marks_in

__all__ = ["foreign_markup", "own_markup"]


def own_markup(text: str) -> str:
    """Return a model's raw text with its markup spelled as Ada's. Takes time in proportion to the length of the text.

    - Thinking in any spelling becomes `<think>…</think>`. A closing mark without an opening one ends thinking that
      began with the text, or behind the last thought: chat templates open the block themselves. The same thought
      once more is left out.
    - Calls in any spelling become `<tool_call>…</tool_call>`; what stands in there is left to `core.calls`. Calls of
      Ada's tools on lines of their own without a mark, as they come from a model whose marks the server takes away,
      get one.
    - Results that the model invents become `<tool_result>…</tool_result>`.
    - Where a model has gone on and written somebody else's next turn, that is cut off.
    """
    text = _GRANITE.sub(lambda found: f"<think>{found['thinking']}</think>", text, count=1)
    marks = list(marks_in(text))
    reader = _Reader(text, _content_end(text, marks))
    for mark in marks:
        reader.read(mark)
    return "".join(map(str, _without_wrapping(_with_bare_calls(_each_thought_once(reader.finish())))))


def foreign_markup(text: str) -> str:
    """Return the first piece of markup in a text that no person writes, or an empty text.

    It is what `own_markup` leaves: a special token, a part of a call, a call of one of Ada's tools. What people write
    about code and HTML is none.
    """
    for spelled in dict.fromkeys((text, html.unescape(text))):
        marks = list(marks_in(spelled))
        at_ends = marks_at_ends(spelled, marks)
        for mark in marks:
            if not mark.is_reply_element or mark in at_ends:
                return spelled[mark.start : mark.end]
        if found := spelled_call(spelled):
            return found
    return ""


# From mark to mark.

# IBM Granite 3.2 has phrases for marks (vllm/reasoning/granite_reasoning_parser.py).
_GRANITE = re.compile(
    r"\A\s*Here(?:'s| is) my thought process:(?P<thinking>.*?)Here(?:'s| is) my response:", re.DOTALL | re.IGNORECASE
)
# What stands before a message of gpt-oss, in any order of recipient and channel:
# https://cookbook.openai.com/articles/openai-harmony
_HARMONY = re.compile(
    r"(?:<\|start\|>[^<>]{0,80})?(?:<\|channel\|>[^<>]{0,80})?(?:<\|constrain\|>[^<>]{0,20})?<\|message\|>"
)
_RECIPIENT = re.compile(r"to=(?:functions\.)?([\w.-]+)")
_GEMMA_THOUGHT = re.compile(r"<\|channel>(?:thought)?\s*")
_ENDS_A_TURN = frozenset(
    {
        "call", "end", "return",  # gpt-oss
        "im_end", "endoftext",  # Qwen, Hermes, Phi
        "eot_id", "eom_id", "end_of_text", "eot",  # Llama
        "end_of_turn", "turn", "eos",  # Gemma
        "s",  # Mistral, Llama 2
        "end_of_sentence",  # DeepSeek
        "end_of_turn_token",  # Cohere Command
    }
)  # fmt: skip
_TAGS = {
    Meaning.THINKING: "think",
    Meaning.CALL: "tool_call",
    Meaning.FUNCTION: "tool_call",
    Meaning.RESULT: "tool_result",
}


@dataclass(slots=True)
class _Piece:
    """A part of a text in the tag that it belongs into; what is said aloud has none."""

    tag: str
    text: str
    is_closed: bool = True

    def __str__(self) -> str:
        if not self.tag:
            return self.text
        return f"<{self.tag}>{self.text}" + (f"</{self.tag}>" if self.is_closed else "")


@dataclass(slots=True)
class _Reader:
    """Cuts a text into pieces, from mark to mark.

    Attributes:
        text: The text.
        content_end: Behind the last of it that is no mark.
        pieces: What was read.
        seen: The tags of these.
        position: Behind what was read.
        tag: The tag of the piece that begins there.
        opened_by: The meaning of the mark that opened it; CONTROL where it ends with the message that it stands in.
        head: What the mark said besides, which belongs to the piece.
        is_over: Whether all the rest was written for somebody else.
    """

    text: str
    content_end: int
    pieces: list[_Piece] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    position: int = 0
    tag: str = ""
    opened_by: Meaning = Meaning.REPLY
    head: str = ""
    is_over: bool = False

    def read(self, mark: Mark) -> None:
        """Go on to a mark, which lies behind the one before."""
        if self.is_over or mark.start < self.position:
            return
        match self.tag:
            case "think":
                self._read_in_thinking(mark)
            case "tool_call":
                self._read_in_call(mark)
            case "tool_result":
                if mark.meaning is Meaning.RESULT and not mark.opens:
                    self._close(mark)
            case _:
                self._read_aloud(mark)

    def finish(self) -> list[_Piece]:
        """Return all pieces."""
        if not self.is_over:
            self._end(len(self.text), is_closed=False)
        return self.pieces

    def _read_aloud(self, mark: Mark) -> None:
        match mark.meaning:
            case Meaning.CONTROL:
                self._read_control(mark)
            case Meaning.THINKING if not mark.opens:
                self._close_unopened_thinking(mark)
            case Meaning.FUNCTION if mark.opens and mark.target:
                self._open("tool_call", mark, mark.start)
            case Meaning.THINKING | Meaning.CALL | Meaning.RESULT if mark.opens:
                self._open(_TAGS[mark.meaning], mark, mark.end, f"{mark.target} " if mark.target else "")
            case Meaning.CALL | Meaning.FUNCTION if "tool_call" in self.seen:
                self._close(mark)  # of what was around calls

    def _read_control(self, mark: Mark) -> None:
        """Read a special token: the head of a message, a channel, or the beginning of somebody else's turn."""
        if begins_turn_of_another(self.text, mark):
            if self._has_content(mark.start):
                self._end(mark.start)
                self.is_over = True
        elif head := _HARMONY.match(self.text, mark.start):
            recipient = _RECIPIENT.search(head[0])
            if recipient:
                self._open("tool_call", mark, head.end(), f"{recipient[1]} ")
            elif "analysis" in head[0]:
                self._open("think", mark, head.end())
            else:
                self._end(mark.start)
                self.position = head.end()
        elif head := _GEMMA_THOUGHT.match(self.text, mark.start):
            self._open("think", mark, head.end())

    def _read_in_thinking(self, mark: Mark) -> None:
        if mark.meaning is Meaning.THINKING and not mark.opens:
            self._close(mark)
        elif self.opened_by is Meaning.CONTROL and mark.meaning is Meaning.CONTROL:
            self._end(mark.start)
            if not _HARMONY.match(self.text, mark.start):
                self.position = mark.end
            else:
                self._read_control(mark)

    def _read_in_call(self, mark: Mark) -> None:
        if mark.meaning is Meaning.CALL and mark.opens:
            if self.text[self.position : mark.start].strip() or self.head:
                self._end(mark.start, is_closed=False)
            self._open("tool_call", mark, mark.end, f"{mark.target} " if mark.target else "")
        elif mark.meaning is Meaning.CALL:
            self._close(mark)
        elif mark.meaning is Meaning.FUNCTION and not mark.opens and self.opened_by is Meaning.FUNCTION:
            self._end(mark.end)
        elif mark.meaning is Meaning.CONTROL and mark.name in _ENDS_A_TURN:
            self._close(mark)
        elif mark.meaning is Meaning.CONTROL and _HARMONY.match(self.text, mark.start):
            self._end(mark.start)
            self._read_control(mark)

    def _close_unopened_thinking(self, mark: Mark) -> None:
        """Read what ends at a closing mark that nothing opened as thinking, unless it can only be one too many."""
        if "think" not in self.seen:
            self.pieces = [_Piece("think", self.text[: mark.start])]
            self.seen = {"think"}
        elif self.pieces[-1].tag == "think" and mark.end < self.content_end:
            self.pieces.append(_Piece("think", self.text[self.position : mark.start]))
        else:
            self._end(mark.start)
        self.position = mark.end

    def _open(self, tag: str, mark: Mark, start: int, head: str = "") -> None:
        if not self.tag:
            self._end(mark.start)
        self.tag, self.opened_by, self.head, self.position = tag, mark.meaning, head, start

    def _close(self, mark: Mark) -> None:
        self._end(mark.start)
        self.position = mark.end

    def _end(self, end: int, *, is_closed: bool = True) -> None:
        """End the piece that began at `position`; what follows is said aloud."""
        text = self.head + self.text[self.position : end]
        if text or self.tag:
            self.pieces.append(_Piece(self.tag, text, is_closed))
            self.seen.add(self.tag)
        self.position, self.tag, self.head, self.opened_by = end, "", "", Meaning.REPLY

    def _has_content(self, end: int) -> bool:
        """Tell whether there is a call, or something said aloud, before `end`."""
        if "tool_call" in self.seen or self.text[self.position : end].strip():
            return True
        return any(not piece.tag and piece.text.strip() for piece in self.pieces)


def _content_end(text: str, marks: list[Mark]) -> int:
    end = len(text)
    for mark in reversed(marks):
        if text[mark.end : end].strip():
            break
        end = mark.start
    return end


# From piece to piece.

_SHORTEST_DOUBLED = 5  # words
_FENCE_BEFORE = re.compile(r"(?:(?:\A|\n)[ \t]*```[\w-]*\s*|(?<!`)`)\Z")
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_FENCE_BEHIND = re.compile(r"\n?[ \t]*```\s*\Z")
_BEFORE_TAG = 40


def _each_thought_once(pieces: list[_Piece]) -> list[_Piece]:
    """Leave out what was thought before: a provider can return it in a field of its own and in the text as well."""
    known: set[str] = set()
    kept = []
    for piece in pieces:
        if piece.tag == "think":
            piece.text = _once(piece.text)
            words = " ".join(piece.text.split())
            if words and words in known:
                continue
            known.add(words)
        kept.append(piece)
    return kept


def _once(text: str) -> str:
    """Return a text that says all it says twice as it says it once."""
    words = text.split()
    half, odd = divmod(len(words), 2)
    if odd or half < _SHORTEST_DOUBLED or words[:half] != words[half:]:
        return text
    place = 0
    for word in words[:half]:
        place = text.index(word, place) + len(word)
    return text[:place]


def _without_wrapping(pieces: list[_Piece]) -> list[_Piece]:
    """Take away code fences and backticks around tags."""
    was_fenced = False
    for piece, following in pairwise(pieces):
        if piece.tag or following.tag not in ("think", "tool_call"):
            continue
        # Only the end is looked at: there is one piece before each tag, and each is looked at once.
        end = piece.text[-_BEFORE_TAG:]
        found = _FENCE_BEFORE.search(end)
        is_fence = found is not None and "```" in found[0]
        if found and not (is_fence and len(_FENCE.findall(piece.text)) % 2 == 0):  # which closes what was opened before
            piece.text = piece.text[: len(piece.text) - len(end) + found.start()]
            was_fenced = was_fenced or (is_fence and following.tag == "think")
    if was_fenced and not pieces[-1].tag:
        pieces[-1].text = _FENCE_BEHIND.sub("", pieces[-1].text)
    return pieces


def _with_bare_calls(pieces: list[_Piece]) -> list[_Piece]:
    """Put calls that stand in no tag into one, where no other call has one."""
    if any(piece.tag == "tool_call" for piece in pieces):
        return pieces
    split: list[_Piece] = []
    for piece in pieces:
        split += [piece] if piece.tag else _split(piece.text)
    return split


def _split(text: str) -> list[_Piece]:
    pieces, position = [], 0
    for start, end in bare_calls(text):
        pieces += [_Piece("", text[position:start]), _Piece("tool_call", text[start:end])]
        position = end
    return [*pieces, _Piece("", text[position:])]
