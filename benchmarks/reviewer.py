"""How far a model that reviews agrees with careful readers, on the labelled conversations of `tests/real_model`.

    uv run python benchmarks/reviewer.py --base-url URL --model NAME [--answers FILE] [--all] [--at-once N] [--list]

The review's prompt of each conversation is sent to an OpenAI-compatible endpoint, through the program's own adapter; an
API key is taken from the environment variable `REVIEWER_API_KEY`. Answers are kept in FILE as they come, and what it
holds is not asked again, so it can be stopped and started, and counted once more without an endpoint.

Asked of are the 90 conversations that the first reader of `tests/real_model/README.md` has read, all of which the code
of then had accepted; with `--all` all 200. They are counted twice: all, and those that the code of today accepts.

What the reviewer calls bad (a no to any question) is held against what readers call so: where the first reader found a
fault, where any reader did, and where a fault makes it unfit for training (`flawed`). The first three questions are
held against the faults that they ask for, the last one against any. Below, how far readers agree among themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.settings import RolesSettings
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.review import Review, read_review
from apep_datagen.core.errors import ProviderError
from apep_datagen.core.messages import CompletionRequest, Message, ModelRole, ReviewQuestion, Step
from apep_datagen.providers.factory import create_provider
from common import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.real_conversations import Label, RealConversation, judge_all

# Readers' names for the faults that a question asks for; the last question asks for any.
FAULTS = {
    ReviewQuestion.MOOD: ("mood without evidence", "familiarity without evidence"),
    ReviewQuestion.FACTS: ("a lasting fact is not stored",),
    ReviewQuestion.PERSON: ("implausible user",),
}
FIRST, SECOND = "first reader", "second reader"
TRUTHS: dict[str, Callable[[Label], bool]] = {
    "a fault of the first reader's": lambda label: any(fault.by == FIRST for fault in label.faults),
    "a fault of any reader's": lambda label: bool(label.faults),
    "flawed": lambda label: label.verdict == "flawed",
}
_LAST_OF_FIRST_READER = 101
"""The first reader read what was accepted of the conversations up to this one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer in the file: to which conversation's prompt (by its digest), and what it was."""

    conversation: int
    prompt: str
    text: str
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two judges agree that something is bad; the reviewer's word comes first."""

    both: int
    reviewer_alone: int
    readers_alone: int
    neither: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Agreement:
        """Count pairs of what the reviewer and the readers call bad."""
        counted = list(pairs)
        return cls(*(counted.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))))

    @property
    def precision(self) -> float:
        """Which share of what the reviewer calls bad the readers call so; not a number where that is nothing."""
        return _share(self.both, self.both + self.reviewer_alone)

    @property
    def recall(self) -> float:
        """Which share of what the readers call bad the reviewer calls so; not a number where that is nothing."""
        return _share(self.both, self.both + self.readers_alone)

    @property
    def kappa(self) -> float:
        """Cohen's kappa: agreement beyond chance, 0 for none and 1 for always; not a number where chance is all."""
        size = self.both + self.reviewer_alone + self.readers_alone + self.neither
        observed = _share(self.both + self.neither, size)
        reviewer, readers = self.both + self.reviewer_alone, self.both + self.readers_alone
        by_chance = _share(reviewer * readers + (size - reviewer) * (size - readers), size * size)
        return _share(observed - by_chance, 1 - by_chance)


def main() -> None:
    """Ask, and print how far the answers agree with the labels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base-url", help="the endpoint, e.g. http://127.0.0.1:9911/v1; without it nobody is asked")
    parser.add_argument("--model", default="reviewer", help="the model's name there; by default: reviewer")
    parser.add_argument("--answers", type=Path, default=Path("reviewer-answers.jsonl"), help="where answers are kept")
    parser.add_argument("--prompts", type=Path, help="a prompt directory in place of the program's")
    parser.add_argument("--all", action="store_true", help="all 200 conversations")
    parser.add_argument("--at-once", type=int, default=12, help="requests at the same time; by default: 12")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds that an answer may take")
    parser.add_argument("--list", action="store_true", help="what was said of each conversation, and by the readers")
    arguments = parser.parse_args()
    prompts = load_prompts(arguments.prompts)
    chosen = [(real, problem is None) for real, problem in judge_all() if arguments.all or _has_been_read(real)]
    asked = {real.number: review_prompt(real, prompts) for real, _ in chosen}
    answers = read_answers(arguments.answers, asked)
    missing = {number: messages for number, messages in asked.items() if number not in answers}
    if arguments.base_url and missing:
        settings = ProviderSettings(
            kind="openai", model=arguments.model, base_url=arguments.base_url, timeout_seconds=arguments.timeout
        )
        failed = asyncio.run(ask_all(settings, missing, arguments.answers, arguments.at_once))
        if failed:
            print(f"{failed} of {len(missing)} were not answered; the same command asks for them again\n")
        answers = read_answers(arguments.answers, asked)
    reviews = {number: read_review(text) for number, text in answers.items()}
    print(
        f"{len(answers)} of {len(asked)} are answered, {sum(review is None for review in reviews.values())} of no use"
    )
    reviewed = [(real, passes, review) for real, passes in chosen if (review := reviews.get(real.number))]
    report("all of them", [(real, review) for real, _, review in reviewed])
    report("those that the code of today accepts", [(real, review) for real, passes, review in reviewed if passes])
    if arguments.list:
        for real, _, review in reviewed:
            said = "; ".join(f"{answer.question}: no, {answer.words}" for answer in review.objections) or "good"
            found = "; ".join(f"{fault.kind} {fault.quote!r}" for fault in real.label.faults) or "good"
            print(f"{real.number:4} reviewer: {said}\n     readers: {found}")


def review_prompt(real: RealConversation, prompts: PromptSet) -> tuple[Message, ...]:
    """Return what the reviewer is sent for a conversation."""
    conversation = real.conversation
    due = replace(conversation, brief=replace(conversation.brief, is_reviewed=True), prompts=prompts)
    return prompt(due)


def read_answers(path: Path, asked: Mapping[int, tuple[Message, ...]]) -> dict[int, str]:
    """Return the texts that are kept of the answers to these prompts; the latest of each."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [Kept(**json.loads(line)) for line in lines if line.endswith("}")]  # a kill can tear the last line
    return {one.conversation: one.text for one in kept if one.prompt == digest(asked.get(one.conversation, ()))}


def digest(messages: Sequence[Message]) -> str:
    """Return by what a prompt is known."""
    return hashlib.sha256(json.dumps([message.as_dict() for message in messages]).encode()).hexdigest()[:16]


async def ask_all(
    settings: ProviderSettings, prompts: Mapping[int, tuple[Message, ...]], path: Path, at_once: int
) -> int:
    """Ask for each conversation, and keep each answer as it comes; return how many failed."""
    sampling = RolesSettings().of(ModelRole.REVIEWER)
    provider = create_provider(settings, os.environ.get("REVIEWER_API_KEY"))
    places = asyncio.Semaphore(at_once)
    await provider.start()
    with contextlib.closing(open_to_append(path)) as file:

        async def ask(number: int, messages: tuple[Message, ...]) -> bool:
            request = CompletionRequest(
                Step.REVIEW, messages, settings.model, sampling.temperature, sampling.max_tokens, number
            )
            async with places:
                try:
                    completion = await provider.complete(request)
                except ProviderError as error:
                    print(f"conversation {number}: {error}", file=sys.stderr)
                    return False
            kept = Kept(number, digest(messages), completion.text, completion.finish_reason)
            file.write(json.dumps(asdict(kept), ensure_ascii=False) + "\n")
            file.flush()
            return True

        try:
            done = await asyncio.gather(*(ask(number, messages) for number, messages in prompts.items()))
        finally:
            await provider.close()
    return done.count(False)


def open_to_append(path: Path) -> TextIO:
    """Open a file of lines to write more; a last line that a kill has torn is ended."""
    is_whole = not path.exists() or path.read_text("utf-8").endswith("\n")
    file = path.open("a", encoding="utf-8")
    file.write("" if is_whole else "\n")
    return file


def report(title: str, reviewed: Sequence[tuple[RealConversation, Review]]) -> None:
    """Print how far reviews agree with labels: as a whole, and by question."""

    def agreement(reviewer: Callable[[Review], bool], readers: Callable[[Label], bool]) -> Agreement:
        return Agreement.of((reviewer(review), readers(real.label)) for real, review in reviewed)

    rows: list[tuple[object, ...]] = []

    def add(name: str, found: Agreement) -> None:
        numbers = (found.precision, found.recall, found.kappa)
        counts = (found.both, found.reviewer_alone, found.readers_alone, found.neither)
        rows.append((name, *counts, *(f"{number:.2f}" for number in numbers)))

    for truth, is_bad in TRUTHS.items():
        add(f"any no / {truth}", agreement(lambda review: bool(review.objections), is_bad))
    for question in ReviewQuestion:
        add(question.value, agreement(functools.partial(_says_no, question), functools.partial(_has_fault, question)))
    readers = Agreement.of((_found_by(real.label, SECOND), _found_by(real.label, FIRST)) for real, _ in reviewed)
    add("second readers / first reader", readers)
    print(f"\n{title}: {len(reviewed)} conversations; bad are")
    print_table(
        rows, ["", "for both", "reviewer alone", "readers alone", "neither", "precision", "recall", "Cohen's kappa"]
    )


def _says_no(question: ReviewQuestion, review: Review) -> bool:
    return any(answer.question is question for answer in review.objections)


def _has_fault(question: ReviewQuestion, label: Label) -> bool:
    kinds = FAULTS.get(question)
    return any(kinds is None or fault.kind in kinds for fault in label.faults)


def _found_by(label: Label, reader: str) -> bool:
    return any(fault.by == reader for fault in label.faults)


def _has_been_read(real: RealConversation) -> bool:
    return real.number <= _LAST_OF_FIRST_READER and not real.was_rejected


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


if __name__ == "__main__":
    main()
