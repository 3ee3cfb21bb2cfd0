"""The commands that take in what people say of conversations.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import typer

# Typer looks for the parameters' annotations among the names of this module.
from apep_datagen.cli.options import AsJson, Dataset, DryRun, Labels, ReviewerName, Verdicts, WithDependents
from apep_datagen.cli.telling import report, telling_errors

__all__ = ["review"]

review = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    short_help="Take in what people say of conversations: good, bad or unsure.",
    help="Take in what people say of conversations. Bad ones leave the output and stay in the state database; the next"
    " run makes others in their place. The page that `apep-datagen report` writes makes a file of verdicts.",
)


@review.command(
    "apply",
    short_help="Apply a file of verdicts: bad ones leave the output.",
    epilog="Exit status: 0, also where the verdicts wait for another process; 2 an option is wrong, or the file is no"
    " file of verdicts, or another output's; 4 the output or its state cannot be used; 130 stopped by Ctrl-C, and"
    " nothing is changed.",
)
def apply(
    verdicts: Verdicts,
    file: Dataset = None,
    with_dependents: WithDependents = False,
    dry_run: DryRun = False,
    by: ReviewerName = None,
    as_json: AsJson = False,
) -> None:
    """Apply a file of verdicts: bad ones leave the output, and stay in the state database with who said so and why.

    Later conversations that used what a bad one has stored are named. Applying a file twice is applying it once; of two
    verdicts about a conversation the one that was applied last counts. Where a run works on the output, the verdicts
    wait beside it, and it takes note of them.
    """
    from apep_datagen.cli.files import files_of_review
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.core.paths import check_files
    from apep_datagen.review.applying import apply as apply_verdicts
    from apep_datagen.review.applying import rehearse
    from apep_datagen.review.outcome import Applied, Waiting
    from apep_datagen.review.report import applied_as_json, describe_applied, describe_waiting, waiting_as_json
    from apep_datagen.review.verdicts_file import read_verdicts_file

    with telling_errors():
        path = checked_dataset(file)
        check_files(files_of_review(path, verdicts=verdicts))
        said, name = read_verdicts_file(verdicts), _name(by)
        found: Applied | Waiting
        if dry_run:
            found = rehearse(path, verdicts, said, name=name, with_dependents=with_dependents)
        else:
            found = apply_verdicts(path, verdicts, said, name=name, with_dependents=with_dependents, notify=_notify)
        if isinstance(found, Waiting):
            report(waiting_as_json(found) if as_json else describe_waiting(found))
        else:
            report(applied_as_json(found) if as_json else describe_applied(found))


@review.command(
    "undo",
    short_help="Undo what was applied last.",
    epilog="Exit status: 0, also where there is nothing to undo; 2 an option is wrong; 4 the output or its state cannot"
    " be used, or a process works on it; 130 stopped by Ctrl-C, and nothing is changed.",
)
def undo(file: Dataset = None, as_json: AsJson = False) -> None:
    """Undo what was applied last, whole: what it took out of the output is back, at the end of it.

    Once more, and what was applied before that is undone as well.
    """
    from apep_datagen.cli.files import files_of_review
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.core.paths import check_files
    from apep_datagen.review.applying import undo as undo_last
    from apep_datagen.review.report import describe_undone, undone_as_json

    with telling_errors():
        path = checked_dataset(file)
        check_files(files_of_review(path))
        found = undo_last(path, _notify)
        report(undone_as_json(found) if as_json else describe_undone(found))


@review.command(
    "status",
    short_help="Tell how many were looked at, what was said, and what follows for the whole dataset.",
    epilog="Exit status: 0; 2 an option is wrong; 4 there is no run for this output, or it or its state cannot be"
    " read.",
)
def status(file: Dataset = None, as_json: AsJson = False) -> None:
    """Tell how many conversations were looked at, how many of them are bad, and by reason, provider and ability.

    With the interval in which the share of bad ones of the whole dataset is, if those that were looked at are a sample
    of it; and why the judge rejects others, beside why people do. Nothing is changed.
    """
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.review.status import read_review_status
    from apep_datagen.review.status_report import describe_review_status, review_status_as_json

    with telling_errors():
        found = read_review_status(checked_dataset(file))
        report(review_status_as_json(found) if as_json else describe_review_status(found))


@review.command(
    "export",
    short_help="Write what was said as labels.",
    epilog="Exit status: 0; 2 an option is wrong, or the file cannot be written; 4 there is no run for this output, or"
    " it or its state cannot be read.",
)
def export(labels: Labels, file: Dataset = None) -> None:
    """Write what was said as labels, in the form of the tests of judging: JSON Lines, one for each tag of a verdict.

    Each has the position in the output (null for what is not in it), the tag as its kind, a quote where the note is
    one, the verdict, the note, and the digest.
    """
    from apep_datagen.cli.files import files_of_review
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.core.paths import check_files
    from apep_datagen.review.labels import read_labels, spell_label, write_labels
    from apep_datagen.terminal.text import say

    with telling_errors():
        path = checked_dataset(file)
        goes_to_output = str(labels) == "-"
        check_files(files_of_review(path, labels=None if goes_to_output else labels))
        found = read_labels(path)
        if goes_to_output:
            report("".join(map(spell_label, found)).rstrip("\n"))
        else:
            write_labels(labels, found)
            say(f"{labels}: {len(found):,} labels")


@review.command(
    "next",
    short_help="Read one conversation after the other in the terminal, and say what each is.",
    epilog="Exit status: 0; 2 an option is wrong, or there is no terminal; 4 the output or its state cannot be used;"
    " 130 stopped by Ctrl-C: what was said is kept, and applied by the next run or review command.",
)
def next_one(file: Dataset = None, by: ReviewerName = None) -> None:
    """Read one conversation after the other in the terminal, and press a key for each: good, bad, unsure, skip, quit.

    They come in an order that says nothing of what they are, so that the first ones are a sample. Each verdict is kept
    at once, and applied when you quit.
    """
    from apep_datagen.cli.files import files_of_review
    from apep_datagen.cli.reviewer_terminal import ReviewerTerminal
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.core.paths import check_files
    from apep_datagen.review.asking import ask

    with telling_errors():
        path = checked_dataset(file)
        check_files(files_of_review(path))
        ask(path, ReviewerTerminal(), name=_name(by), notify=_notify)


def _name(by: str | None) -> str:
    """Return who says so."""
    import getpass

    from apep_datagen.core.words import one_line

    try:
        name = one_line(by.strip()) if by is not None and by.strip() else one_line(getpass.getuser())
        return name.encode("utf-8", "replace").decode()
    except (OSError, KeyError, ImportError):  # of a user without a name
        return "somebody"


def _notify(message: str) -> None:
    typer.echo(message, err=True)
