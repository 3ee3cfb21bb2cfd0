"""The commands that write a dataset in other forms, and take one in.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import os

import typer

# Typer looks for the parameters' annotations among the names of this module.
from apep_datagen.cli.options import (
    AsJson,
    CallsOption,
    Check,
    CheckOfPush,
    Config,
    Dataset,
    Directory,
    DryPush,
    DryRun,
    Exclude,
    Foreign,
    Form,
    Formats,
    Include,
    License,
    LongestRow,
    Megachat,
    Output,
    PromptsOfExport,
    Public,
    PushDirectory,
    Repository,
    RowsOption,
    SecretsFile,
    Split,
    ThoughtsOption,
    Tokenizer,
    ToolRoleOption,
    Weights,
)
from apep_datagen.cli.telling import report, telling_errors

__all__ = ["export", "import_dataset", "push"]


def export(
    to: Directory,
    formats: Formats,
    file: Dataset = None,
    rows: RowsOption = None,
    thoughts: ThoughtsOption = None,
    calls: CallsOption = None,
    tool_role: ToolRoleOption = None,
    weights: Weights = False,
    split: Split = None,
    include: Include = None,
    exclude: Exclude = None,
    megachat: Megachat = None,
    max_tokens: LongestRow = None,
    tokenizer: Tokenizer = None,
    check: Check = None,
    prompts: PromptsOfExport = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the dataset in the forms that trainers read, each into a folder of its own, with how to train on it.

    What is lost is counted on both sides: each row is read back and compared. Where an export was made before, only
    what has come since is added to it. The dataset is not changed, and may be written meanwhile.
    """
    from apep_datagen.cli.files import files_of_export
    from apep_datagen.cli.values import checked_dataset, parse_series
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.core.paths import check_files
    from apep_datagen.export.exporting import export as export_dataset
    from apep_datagen.export.plan import Plan, Target
    from apep_datagen.export.report import describe_export, export_as_json
    from apep_datagen.export.selection import parse_selection
    from apep_datagen.export.splits import parse_splits
    from apep_datagen.formats.wish import Wish, shape_of

    with telling_errors():
        path = checked_dataset(file)
        settings = load_settings(config)
        wish = Wish(rows=rows, thoughts=thoughts, tool_role=tool_role, calls=calls, weights=weights)
        names = dict.fromkeys(name.strip() for text in formats for name in text.split(","))
        plan = Plan(
            targets=tuple(Target(name, shape_of(name, wish)) for name in names),
            selection=parse_selection(include or (), exclude or ()),
            splits=parse_splits(split),
            series=parse_series(megachat) if megachat else None,
            max_tokens=max_tokens,
            tokenizer=tokenizer,
            templates=tuple(check or ()),
        )
        check_files(files_of_export(path, to, list(names), config=config, prompts=prompts, tokenizer=tokenizer))
        exported = export_dataset(path, plan, to, settings, prompts=prompts)
        report(export_as_json(exported) if as_json else describe_export(exported))
        raise typer.Exit(exported.exit_status)


def import_dataset(
    file: Foreign,
    output: Output = None,
    form: Form = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a dataset of another form, or another program, into an output.

    Every form that `export` writes is read, and messages, ShareGPT's conversations and Alpaca's columns of others. What
    the output holds already is not taken again, so importing twice is importing once. It tells how many messages,
    thoughts, calls and results there were and are, and which rows could not be taken, and why.
    """
    from apep_datagen.cli.files import files_of_import
    from apep_datagen.cli.values import parse_form
    from apep_datagen.config.settings import DEFAULT_OUTPUT
    from apep_datagen.core.paths import check_files
    from apep_datagen.importing.report import describe_import, import_as_json
    from apep_datagen.importing.source import find_source
    from apep_datagen.importing.taking import take
    from apep_datagen.storage.contents import refuse_evaluation

    with telling_errors():
        wanted, path = parse_form(form), output or DEFAULT_OUTPUT
        source = find_source(file, form)
        check_files(files_of_import(source, path))
        for dataset in (file, path):
            refuse_evaluation(dataset)
        found = take(
            source,
            path,
            form=wanted,
            is_dry_run=dry_run,
            notify=lambda message: typer.echo(message, err=True),
        )
        report(import_as_json(found) if as_json else describe_import(found))
        raise typer.Exit(found.exit_status)


def push(
    repository: Repository,
    license_name: License,
    file: Dataset = None,
    public: Public = False,
    split: Split = None,
    check: CheckOfPush = None,
    dry_run: DryPush = False,
    to: PushDirectory = None,
    config: Config = None,
    secrets: SecretsFile = None,
) -> None:
    """Put the dataset on the Hugging Face hub, private unless --public is said.

    As Parquet with all that is known of each conversation, and as sessions for the hub's trace viewer, with a card made
    from the facts. Where it was put there before, what is new is added to it; a dataset of somebody else's, or of
    another run, is left as it is. The token comes from HF_TOKEN or the secrets file, and must be one that may write.
    """
    from apep_datagen.cli.files import files_of_export
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.config.secrets import load_secrets
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.core.errors import NoUsableProviderError, SettingsError
    from apep_datagen.core.paths import check_files
    from apep_datagen.export.splits import parse_splits
    from apep_datagen.hub.contents import FOLDERS
    from apep_datagen.hub.publication import (
        TEMPLATES,
        Publication,
        check_license,
        check_repository,
        facts_of,
        write_dataset,
    )
    from apep_datagen.hub.push import publish
    from apep_datagen.terminal.text import say

    with telling_errors():
        path = checked_dataset(file)
        settings = load_settings(config)
        publication = Publication(
            output=path,
            settings=settings,
            repository=check_repository(repository),
            license=check_license(license_name),
            splits=parse_splits(split),
            templates=tuple(check or TEMPLATES),
        )
        if to is not None:
            check_files(files_of_export(path, to, FOLDERS, config=config, prompts=None, tokenizer=None))
        if dry_run:
            if to is None:
                raise SettingsError("--dry-run: say with --to DIR where all that would be sent is to be written")
            written = write_dataset(publication, facts_of(publication), to)
            say(f"{to}: all that would be sent is here, {len(written.files):,} files; nothing was sent")
            return
        keys = load_secrets(secrets, settings.providers, os.environ)
        token = keys.key_for("huggingface")
        if token is None:
            raise NoUsableProviderError(
                f"push needs a token of the Hugging Face hub: {keys.what_is_missing('huggingface')}"
            )
        publish(publication, token=token, is_public=public, directory=to, tell=say)
