"""The options, each declared once: several commands take the same.

They are the annotations of the commands' parameters. `--help` reads them, so nothing slow is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "Ada",
    "Against",
    "AsJson",
    "AsTrained",
    "CallsOption",
    "Check",
    "CheckOfPush",
    "Config",
    "Dataset",
    "DatasetOrNumber",
    "Days",
    "Directory",
    "Drop",
    "DryPush",
    "DryRun",
    "EvaluatedUsers",
    "EvaluationFile",
    "EvaluationSeed",
    "Every",
    "Exchanges",
    "Exclude",
    "Facts",
    "Foreign",
    "Form",
    "Formats",
    "GraceSeconds",
    "Grown",
    "Include",
    "Labels",
    "License",
    "LogFile",
    "LogText",
    "LongestRow",
    "MaxRequests",
    "MaxTokens",
    "MaxUsd",
    "Megachat",
    "Model",
    "Moments",
    "MostRequests",
    "MostTokens",
    "MostUsd",
    "Number",
    "Output",
    "Page",
    "Patience",
    "Prompts",
    "PromptsOfEvaluation",
    "PromptsOfExport",
    "Providers",
    "Public",
    "PushDirectory",
    "Quality",
    "Quiet",
    "ReportEvery",
    "Repository",
    "ResetTools",
    "ReviewerName",
    "Rewriter",
    "Role",
    "RowsOption",
    "Rps",
    "SampleSize",
    "SecretsFile",
    "Seed",
    "Split",
    "Target",
    "TesterOption",
    "ThoughtsOption",
    "Tokenizer",
    "ToolRoleOption",
    "Topics",
    "Tries",
    "Verdicts",
    "Version",
    "Watch",
    "Weights",
    "WithDependents",
    "WithSystem",
]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - only this option waits for it

        typer.echo(f"apep-datagen {metadata.version('apep-datagen')}")
        raise typer.Exit


Target = Annotated[
    int | None,
    typer.Option(metavar="N", help="How many conversations the output shall hold in the end. [default: 5000]"),
]
Providers = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        help="Providers to use: mistral, together, huggingface, local (a small model that needs no key), or the"
        " name of an endpoint in the configuration file. [default: enabled_providers of the secrets file]",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The dataset. An existing one is continued, never overwritten."
        " [default: data/trainingData/generatedTrainingData.json]",
    ),
]
ResetTools = Annotated[bool, typer.Option("--reset-tools", help="Empty Ada's memory and diary first.")]
Exchanges = Annotated[
    str | None,
    typer.Option(
        metavar="MIN-MAX",
        help="How many exchanges a conversation has; 1 is the cheapest. [default: 1-4]",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Draw users, days and scenarios from this number, to get the same ones again. [default: random]",
    ),
]
MaxRequests = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Send no more requests than this, over all invocations for this output. [default: no limit]"
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Use no more tokens (prompts and completions together) than this, over all invocations for this output."
        " [default: no limit]",
    ),
]
MaxUsd = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="Spend no more dollars than this, over all invocations for this output; needs prices in the configuration."
        " [default: no limit]",
    ),
]
GraceSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="How long requests under way may still come in after a signal to stop. [default: 30]"
    ),
]
ReportEvery = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Write the report, a page to open in a browser, anew each time that so many conversations more are there,"
        " and at the end. [default: `apep-datagen report` alone writes it]",
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="End the run when no provider has answered for so long: all are out of order, or refuse for their rates."
        " More than a slow answer takes. [default: go on without end]",
    ),
]
Quality = Annotated[
    str | None,
    typer.Option(
        metavar="LEVEL",
        help="What is accepted: off (everything), form (what has the right form), strict (what also did what it was to"
        " do, in a good voice, and is new). [default: form for local, else strict]",
    ),
]
Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Configuration. [default: apep-datagen.toml, if it is there]")
]
Prompts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Your own prompts; a file that DIR lacks is taken from the program's."),
]
Grown = Annotated[
    Path,
    typer.Option(
        "--prompts",
        metavar="DIR",
        help="Your directory of prompts; what passes is added to DIR/world/grown.toml, which is made where it is"
        " missing. [default: must be there]",
    ),
]
_IN_ALL = " [default: 20, and 5 moments and 60 topics, where no number is given; else 0]"
Facts = Annotated[int | None, typer.Option(metavar="N", min=0, help=f"How many kinds of fact to add.{_IN_ALL}")]
Moments = Annotated[int | None, typer.Option(metavar="N", min=0, help="How many moments to add. [default: as above]")]
Topics = Annotated[int | None, typer.Option(metavar="N", min=0, help="How many topics to add. [default: as above]")]
MostRequests = Annotated[
    int | None,
    typer.Option(
        "--max-requests",
        metavar="N",
        help="Send no more requests than this. [default: what the configuration permits a run, else 100]",
    ),
]
MostTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        metavar="N",
        help="Use no more tokens (prompts and completions together) than this. [default: what the configuration permits"
        " a run, else no limit]",
    ),
]
MostUsd = Annotated[
    float | None,
    typer.Option(
        "--max-usd",
        metavar="X",
        help="Spend no more dollars than this; needs a price in the configuration. [default: what the configuration"
        " permits a run, else no limit]",
    ),
]
SecretsFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where the API keys are. [default: data/secrets.json]")
]
Model = Annotated[
    list[str] | None,
    typer.Option(metavar="PROVIDER=MODEL", help="Another model, e.g. mistral=mistral-small-latest. Repeatable."),
]
Rps = Annotated[
    list[str] | None,
    typer.Option(metavar="PROVIDER=N", help="Requests per second that you are entitled to. Repeatable."),
]
Role = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE=A,B",
        help="Who serves a role (tester, ada, rewriter or reviewer), e.g. ada=mine. Repeatable. [default: every"
        " provider serves every role]",
    ),
]
Rewriter = Annotated[
    Literal["always", "needed", "off"] | None,
    typer.Option(
        "--rewriter",
        metavar="WHEN",
        help="When Ada's thoughts are rewritten: always, needed (where one is not a person's own as it is), or off, for"
        " models whose reasoning is good. [default: needed]",
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append one JSON object a line to it for every request, pause and change of a provider's state.",
    ),
]
LogText = Annotated[bool, typer.Option("--log-text", help="Log prompts and answers too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Look again and again until the run has ended: drawn in place in a terminal; elsewhere a line for each"
        " change, or an object with --json.",
    ),
]
Every = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", min=0.05, help="How often --watch looks. [default: 2]"),
]
Dataset = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="The dataset. [default: data/trainingData/generatedTrainingData.json]"),
]
DatasetOrNumber = Annotated[
    str | None,
    typer.Argument(metavar="[FILE]", help="The dataset. [default: data/trainingData/generatedTrainingData.json]"),
]
Foreign = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="What is to be taken: JSON Lines, a JSON array, a Parquet file, or a directory that `export` wrote."
        " [default: must be there]",
    ),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Read all rows as this form, as `export` names it. [default: found out, row by row]",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, and tell what would be changed.")]
Drop = Annotated[
    bool,
    typer.Option(
        "--drop",
        help="Take what was accepted and fails now out of the output, or mend it, such as by Ada's own thoughts in"
        " place of rewritten ones.",
    ),
]
Number = Annotated[
    str | None,
    typer.Argument(metavar="[N]", help="Which conversation, from 1; -1 is the last one. [default: the last one]"),
]
Rejected = Annotated[
    bool,
    typer.Option(
        "--rejected",
        help="Print a conversation that was not accepted, with the words that were its undoing marked, instead: N is"
        " its number in the run, as status and messages name it. [default: the latest one]",
    ),
]
WithSystem = Annotated[bool, typer.Option("--system", help="Print the whole system prompt.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what goes wrong.")]
Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]


def _directory(text: str) -> Path:
    """Return a directory that is to be written; what is empty would be the one in which the program was started."""
    if not text.strip():
        raise typer.BadParameter("it is empty; name a directory")
    return Path(text)


Formats = Annotated[
    list[str],
    typer.Option(
        "--format",
        metavar="NAME",
        help="What is written: trl, llamafactory, axolotl, unsloth, swift, together, openai, mistral, hermes, parquet"
        " or traces. Repeatable. [default: must be there]",
    ),
]
Directory = Annotated[
    Path,
    typer.Option(
        "--to",
        metavar="DIR",
        parser=_directory,
        help="Where it is written: each format in a folder that has its name. [default: must be there]",
    ),
]
RowsOption = Annotated[
    Literal["conversation", "exchange", "answer"] | None,
    typer.Option(
        "--rows",
        metavar="WHAT",
        help="What is a row: conversation; exchange; or answer (a message of Ada's): the last two with all before them,"
        " on which nothing is trained. [default: what loses nothing in that format]",
    ),
]
ThoughtsOption = Annotated[
    Literal["keep", "last", "drop"] | None,
    typer.Option(
        "--thoughts",
        metavar="WHICH",
        help="Which thoughts a row has: keep (all), last (of its last exchange), or drop (none). [default: keep]",
    ),
]
CallsOption = Annotated[
    Literal["text", "native"] | None,
    typer.Option(
        "--calls",
        metavar="HOW",
        help="How calls are spelled: text, or native (as fields, with a system prompt that tells of no spelling)."
        " [default: what loses nothing in that format]",
    ),
]
ToolRoleOption = Annotated[
    Literal["tool", "user"] | None,
    typer.Option(
        "--tool-role",
        metavar="ROLE",
        help="The role in which results stand where calls are text: tool, or user for chat templates that refuse tool."
        " [default: what loses nothing in that format]",
    ),
]
Weights = Annotated[
    bool,
    typer.Option("--weights", help="Mark each message with whether it is trained on, so that Ada's alone are."),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="A/B",
        help="Divide by users, so that nobody is on both sides: train/validation, or train/validation/test, e.g."
        " 0.95/0.05. [default: all is train]",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=A,B",
        help="Export these alone: by ability, form or provider, or rows of tokens=MIN-MAX. Repeatable. [default: all]",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=A,B", help="Leave these out, by the same keys. Repeatable. [default: none]"),
]
Megachat = Annotated[
    str | None,
    typer.Option(
        metavar="MIN-MAX",
        help="Join so many conversations of one user, in order and with their days, into a row. [default: none]",
    ),
]
LongestRow = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        metavar="N",
        min=1,
        help="Leave out rows of more tokens, counted by --tokenizer; nothing is ever cut. [default: no limit]",
    ),
]
Tokenizer = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Your model's tokenizer.json, or a directory that holds it. [default: none]"),
]
Check = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEMPLATE",
        help="Render every row with a chat template, and count what is left: a .jinja file, a directory of a model, or"
        " one that TRL ships, e.g. qwen3. Repeatable. [default: none]",
    ),
]
PromptsOfExport = Annotated[
    Path | None,
    typer.Option(
        "--prompts",
        metavar="DIR",
        help="Your own prompts: their tool_instructions.txt tells of the tools where calls are native. [default: those"
        " of the run]",
    ),
]

Page = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="PAGE.html",
        help="Where the page is written; an older report there is replaced. [default: beside the dataset, with"
        " .report.html for its ending]",
    ),
]
SampleSize = Annotated[
    int | None,
    typer.Option(
        "--sample",
        metavar="N",
        min=1,
        help="Put in N conversations alone, of each ability its share, and at most N that were not accepted; the same"
        " ones each time. [default: all]",
    ),
]

Repository = Annotated[
    str, typer.Argument(metavar="OWNER/NAME", help="The dataset on the Hugging Face hub; it is made if it is missing.")
]
License = Annotated[
    str,
    typer.Option(
        "--license",
        metavar="ID",
        help="The licence under which you publish it, e.g. cc-by-4.0 or apache-2.0. [default: must be there]",
    ),
]
CheckOfPush = Annotated[
    list[str] | None,
    typer.Option(
        "--check",
        metavar="TEMPLATE",
        help="With which chat templates every row is rendered, for the card, as for export. Repeatable. [default:"
        " qwen3, qwen3_training, qwen2_5, llama3_1, gemma3, gemma4, chatml]",
    ),
]
Public = Annotated[
    bool, typer.Option("--public", help="Make it public; without this, only you and your organisation see it.")
]
DryPush = Annotated[
    bool, typer.Option("--dry-run", help="Send nothing: write all that would be sent into the directory of --to.")
]
PushDirectory = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="DIR",
        parser=_directory,
        help="Write what is sent here, and keep it. [default: a place of its own, which is removed afterwards]",
    ),
]

Ada = Annotated[
    str,
    typer.Option("--ada", metavar="NAME", help="The provider whose model is evaluated."),
]
TesterOption = Annotated[
    str,
    typer.Option(
        "--tester",
        metavar="NAME",
        help="Who plays the users: a provider's model; or written, from tables, which costs nothing and is the same for"
        " everyone.",
    ),
]
EvaluatedUsers = Annotated[int, typer.Option("--users", metavar="N", min=1, help="How many users there are.")]
Days = Annotated[
    int,
    typer.Option(
        "--days", metavar="N", min=1, help="How often each of them talks with Ada: days apart, or twice on one."
    ),
]
Tries = Annotated[
    int,
    typer.Option(
        "--tries", metavar="K", min=1, help="How often each of them begins anew, to see what is right each time."
    ),
]
EvaluationSeed = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, max=2**63 - 1, help="What is asked follows from this number."),
]
AsTrained = Annotated[
    str | None,
    typer.Option(
        "--as-trained",
        metavar="FORMAT",
        help="Ask the model in the form that an export taught it: the name of a format, or the folder of an export."
        " [default: as a run asks]",
    ),
]
EvaluationFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Where the evaluated conversations are kept, and what came of each. [default: data/evaluations/ADA.json]",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="OTHER.json",
        help="Another evaluation: tell by ability what is different, and whether it is more than chance.",
    ),
]
PromptsOfEvaluation = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="DIR", help="Take Ada's prompts from here; the users stay the same."),
]
Verdicts = Annotated[
    Path,
    typer.Argument(
        metavar="VERDICTS.json", help="The file of verdicts, as the page of `apep-datagen report` saves it."
    ),
]
WithDependents = Annotated[
    bool,
    typer.Option(
        "--with-dependents",
        help="Let later conversations of the same user that used what a bad one has stored leave with it.",
    ),
]
ReviewerName = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who says so. [default: the name of the system's user]"),
]
Labels = Annotated[
    Path,
    typer.Option("--labels", metavar="FILE", help="Where the labels go, as JSON Lines; - is the standard output."),
]
