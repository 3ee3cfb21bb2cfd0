"""The card of a dataset on the hub, made of facts: https://huggingface.co/docs/hub/datasets-cards."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apep_datagen.chat_templates.tally import CheckTally
from apep_datagen.core.messages import Message, ModelRole
from apep_datagen.formats.parquet import CHECKED_AT, CHECKS
from apep_datagen.hub import figures
from apep_datagen.hub.facts import DatasetFacts, RunFacts
from apep_datagen.hub.forms import Split
from apep_datagen.hub.markdown import cell, fenced, table
from apep_datagen.inspect.readable import message_texts
from apep_datagen.stats.held_out_report import describe_held_out
from apep_datagen.stats.run import RunStats

__all__ = ["CardFacts", "render_card", "size_category"]

_WIDTH = 100
_TAGS = (
    "synthetic",
    "conversational",
    "reasoning",
    "tool-use",
    "memory",
    "persona",
    "agent-traces",
    "format:agent-traces",
)
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card tells.

    Attributes:
        repository: The dataset, as `owner/name`.
        license: Its identifier: https://huggingface.co/docs/hub/repositories-licenses.
        dataset: What is known of the dataset.
        levels: How many conversations of the run were judged at each level.
        splits: Its parts.
        tag: The name of this state of it.
        checks: What chat templates leave of it; none where that was not measured.
    """

    repository: str
    license: str
    dataset: DatasetFacts
    levels: Mapping[str, int]
    splits: Sequence[Split]
    tag: str
    checks: Sequence[CheckTally] = ()


def render_card(facts: CardFacts) -> str:
    """Return the card: metadata in YAML, and a text in Markdown. The same facts give the same bytes."""
    body = "\n\n".join(_sections(facts))
    return f"---\n{_metadata(facts)}\n---\n\n{body}\n"


def size_category(rows: int) -> str:
    """Return how the hub calls a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")


def _metadata(facts: CardFacts) -> str:
    from huggingface_hub import DatasetCardData

    configs: list[dict[str, Any]] = [
        {
            "config_name": "default",
            "data_files": [
                {"split": split.name, "path": f"parquet/{split.name}-*.parquet"} for split in facts.splits if split.rows
            ],
            "default": True,
        },
        {
            "config_name": "traces",
            "data_files": [
                {"split": split.name, "path": f"traces/{split.name}-*.parquet"}
                for split in facts.splits
                if split.sessions
            ],
        },
    ]
    data = DatasetCardData(
        pretty_name=facts.repository.rsplit("/", 1)[-1],
        license=facts.license,
        language=["en"],
        multilinguality=["monolingual"],
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        source_datasets=["original"],
        size_categories=[size_category(sum(split.rows for split in facts.splits))],
        task_categories=["text-generation"],
        tags=list(_TAGS),
        configs=[config for config in configs if config["data_files"]],
    )
    return data.to_yaml().strip()


def _sections(facts: CardFacts) -> Iterator[str]:
    dataset = facts.dataset
    yield f"# {cell(facts.repository.rsplit('/', 1)[-1])}"
    yield _introduction(facts)
    yield f"## Splits\n\n{_splits(facts)}"
    yield f"## Columns\n\n{table(['column', 'what it is'], _COLUMNS, left=2)}\n\n{_TAGS_IN_MESSAGES}"
    yield f"## A conversation\n\nThe head of the system prompt is shortened.\n\n{_sample(dataset.sample)}"
    yield f"## How it was made\n\n{_making(dataset, facts.levels)}"
    if dataset.stats.run is not None:
        yield f"## Abilities\n\n{_ABILITIES}\n\n{figures.abilities(dataset.stats.run)}"
    file = dataset.stats.file
    measured = (figures.lengths(file), figures.tools(file), figures.diversity(file))
    yield "## Lengths, tools and diversity\n\n" + "\n\n".join(measured)
    if dataset.stats.run is not None:
        yield f"## Shortcuts\n\n{figures.shortcuts(dataset.stats.run.shortcuts)}"
    yield f"## Evaluation\n\n{_held_out(dataset)}"
    yield f"## Chat templates\n\n{_templates(facts.checks)}"
    yield f"## Limits\n\n{_limits(dataset.stats.run, facts.levels)}"
    yield (
        f"## Licence\n\n`{facts.license}`, as its publisher chose. The terms of the models that wrote it may say more"
        " of what their output may be used for."
    )


def _held_out(dataset: DatasetFacts) -> str:
    run, file = dataset.stats.run, dataset.stats.file
    told = describe_held_out(file.held_out, run.held_out if run else None, file.conversations)
    return "\n".join([_HELD_OUT, *(f"- {cell(line)}." for text in told for line in text.splitlines())])


def _introduction(facts: CardFacts) -> str:
    file, run = facts.dataset.stats.file, facts.dataset.stats.run
    users = "simulated users" if _is_all_known(run) else "users"
    return (
        f"{file.conversations:,} conversations, with {file.exchanges:,} exchanges, between {users} and Ada: a"
        " companion persona with private thinking before each answer, a memory of the user and a diary of her own,"
        " which she reaches by tools. It is for training a model that looks before it claims to know, keeps what it is"
        f" told, and says so when something is not there.\n\n{_authors(run)}\n\n"
        f'```python\nfrom datasets import load_dataset\n\ndataset = load_dataset("{facts.repository}",'
        f' revision="{facts.tag}")\n```\n\n'
        "The configuration `traces` has the same conversations as sessions, each a user's whole history, for the trace"
        " viewer of this page; each is a file below `traces/` as well"
        " ([STS-Format](https://huggingface.co/docs/hub/session-traces-format))."
    )


def _authors(run: RunStats | None) -> str:
    if not _is_all_known(run):
        return "**As far as that is recorded, a program planned it, and language models wrote it.**"
    return (
        "**A program planned it, and language models wrote it. No person's conversation is in it, and no user exists.**"
    )


def _is_all_known(run: RunStats | None) -> bool:
    """Tell whether the program has made all of it."""
    return run is not None and not run.foreign


def _splits(facts: CardFacts) -> str:
    rows = [
        [f"`{split.name}`", f"{split.rows:,}", f"{split.sessions:,}", f"{split.size / 1e6:,.1f} MB"]
        for split in facts.splits
        if split.rows or split.sessions
    ]
    head = table(["split", "rows", "sessions", "size"], rows)
    return f"{head}\n\nNo user is in two splits." if len(rows) > 1 else head


_COLUMNS = (
    ("`messages`", "`role` and `content`, in the tags below"),
    ("`user`, `name`", "whose conversation it is: no other user has this `user`"),
    ("`ability`, `form`", "what it shows of Ada, and in which of its forms, easy or difficult"),
    ("`topic`, `day`", "what it is about, and when it takes place"),
    ("`provider`, `models`", "who made it: models with the roles they worked in"),
    ("`prompt_tokens`, `completion_tokens`", "what it took to make it, as the providers counted"),
    ("`seed`", "from which the seeds of its model calls follow"),
    ("`level`, `checked`", "how strictly it was judged, and which stages of judging it has passed"),
    ("`conversations`", "what each conversation of the row is: its number in the output, ability, form, topic and day"),
)
_TAGS_IN_MESSAGES = """\
What is not known is null. In `messages`, a thought stands in `<think>` at the beginning of an answer of Ada's, a call
in `<tool_call>` at its end, and what came back in `<tool_result>`, in a message of the role `tool`."""

_ABILITIES = """\
Each conversation was to show one ability, which the tester knew and Ada did not. Wished is the share that the run was
to have; of those made, the others were rejected by code, or failed."""

_HELD_OUT = """\
`apep-datagen evaluate` measures a model's memory on users of a part of the tables that no run draws from: people, kinds
of facts, values and topics that are in no dataset. Of this one:
"""

_MODELS_WROTE_IT = """\
- **Models wrote it.** It has their habits of speech and their mistakes, and knows people as they do. It is no sample of
  how people speak, and no evidence about them. Names and places are drawn from tables; a likeness to somebody is
  chance.
- **English alone.** The checks know no other language."""
_NOT_RECORDED = """\
- **Not recorded** is of {what} who wrote them, and whether somebody real speaks in them: look at them before you train
  on them."""
_JUDGED_BY_CODE = """\
- **Judged by code, not by people.** What was planned is recognised as a reader would, by words. What is paraphrased far
  enough can be missed: a wrong claim or a leak in quite other words."""
_NOT_JUDGED = """\
- **Not judged** is what {what} say: what models get wrong is in them as it came."""
_ALWAYS = """\
- **One persona, one way to call tools.** A model that is trained on it learns Ada, and the markup of these
  conversations.
- **No alignment data.** Nothing in it was made or checked for safety, for medical, legal or financial advice, or for
  crises.
- **No benchmark.** What was planned is not held apart: to measure with it, keep a split out of training."""

_MAKING = """\
For each user, the program `apep-datagen` drew who they are, a past that Ada's memory begins with, and for each day an
ability, facts and what the user is to say. Models then played the user and Ada{rewriting}. Her calls were executed on a
memory and a diary, which persist over a user's conversations."""
_REWRITING = ", and wrote her thoughts anew where they did not sound like her"
_LEVELS = {
    "strict": "code judged each when it ended, at every stage",
    "form": "code judged each when it ended, at the stage `form` alone",
    "off": "not judged: whatever came to its end was taken",
}


def _sample(messages: Sequence[Message]) -> str:
    lines: list[str] = []
    for text in message_texts(messages):
        for line in text.text.split("\n"):
            indent = " " * text.indent
            whole = textwrap.wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=indent)
            lines += whole or [""]
    return fenced("\n".join(lines).strip("\n"))


def _limits(run: RunStats | None, levels: Mapping[str, int]) -> str:
    parts = []
    if levels:
        parts.append(_MODELS_WROTE_IT)
    if not _is_all_known(run):
        what = f"{run.foreign:,} conversations" if run is not None and levels else "all conversations"
        parts.append(_NOT_RECORDED.format(what=what))
    if levels.get("strict"):
        parts.append(_JUDGED_BY_CODE)
    if unjudged := levels.get("form", 0) + levels.get("off", 0):
        parts.append(_NOT_JUDGED.format(what=f"{unjudged:,} conversations"))
    return "\n".join([*parts, _ALWAYS])


def _making(dataset: DatasetFacts, levels: Mapping[str, int]) -> str:
    run, made = dataset.stats.run, dataset.run
    if run is None or made is None or not levels:
        return "How it was made, which models wrote it, and how it was judged, is not recorded beside this dataset."
    is_rewritten = any(maker.role == ModelRole.REWRITER for maker in run.makers)
    making = _MAKING.format(rewriting=_REWRITING if is_rewritten else "")
    return "\n\n".join(
        [making, *_judging(levels), _from_run(run), figures.makers(run.makers), _origin(made, dataset.version)]
    )


def _judging(levels: Mapping[str, int]) -> Iterator[str]:
    there = [level for level in _LEVELS if levels.get(level)]
    told = "\n".join(f"- `{level}`, {levels[level]:,} conversations: {_LEVELS[level]}" for level in there)
    yield f"How strictly each was judged, the column `level` tells:\n\n{told}"
    stages = CHECKED_AT[there[0]]  # the strictest level comes first, and has all stages of the others
    if stages:
        yield "The stages:\n\n" + "\n".join(f"- `{stage}`: {CHECKS[stage]}" for stage in stages)


def _from_run(run: RunStats) -> str:
    ended = sum(item.count for item in run.verdicts)
    accepted = sum(item.count for item in run.verdicts if not item.stage)
    users, days = run.conversations_of_user, ""
    if run.first_day:
        days = f", on days from {run.first_day} to {run.last_day}"
    text = (
        f"Of {ended:,} conversations that were made, {accepted:,} were accepted ({_percent(accepted, ended)}). They are"
        f" those of {run.users:,} users with {users.mean:.1f} conversations each, at most {users.largest:,}{days},"
        f" about {run.topics:,} different topics, in {run.moods:,} moods and {run.styles:,} ways of building a message."
    )
    if run.foreign:
        text += (
            f" Nothing is known of {run.foreign:,} conversations of the output, which were there before the run, were"
            " imported, or were changed by another hand."
        )
    return text


def _origin(run: RunFacts, version: str) -> str:
    rows = [
        ["made", f"{run.first_made} to {run.last_made}" if run.first_made else "-"],
        ["published with", f"apep-datagen {cell(version)}"],
        ["run", f"`{run.identity}`, seed {run.seed}"],
        ["prompts", ", ".join(f"`{use.digest[:16]}` ({use.conversations:,})" for use in run.prompts) or "-"],
    ]
    return table(["", "of this dataset"], rows, left=2)


def _templates(checks: Sequence[CheckTally]) -> str:
    if checks:
        return (
            f"{figures.templates(checks)}\n\nThese are the rows as they stand here; `apep-datagen export` writes others"
            " as well, of which one kind loses nothing with most templates."
        )
    return (
        "Not measured for this dataset. Many chat templates drop thoughts of all exchanges but the last, or refuse the"
        " role `tool`: look at a rendered row before you train."
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
