"""All files that an invocation reads or writes, with what each is: so no two of them are taken for one another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from apep_datagen.config.invocation import ledger_path
from apep_datagen.config.secrets import DEFAULT_SECRETS
from apep_datagen.config.settings import DEFAULT_OUTPUT, Settings
from apep_datagen.config.settings_file import DEFAULT_CONFIG
from apep_datagen.conversation.prompt_set import PROMPT_FILES
from apep_datagen.core.paths import NamedFile
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.grow.grown_file import GROWN
from apep_datagen.importing.source import Source
from apep_datagen.report.places import part_path, report_path
from apep_datagen.storage.access import lock_path, state_path
from apep_datagen.storage.replacement import replacement_path

__all__ = [
    "files_of_export",
    "files_of_growth",
    "files_of_import",
    "files_of_report",
    "files_of_review",
    "files_of_run",
    "files_of_running_report",
]

# What SQLite makes beside a database: https://www.sqlite.org/tempfiles.html
_BESIDE_DATABASE = ("", "-wal", "-shm", "-journal")


def files_of_run(
    settings: Settings,
    *,
    output: Path | None,
    config: Path | None,
    secrets: Path | None,
    prompts: Path | None,
    log_file: Path | None,
) -> list[NamedFile]:
    """Return every file that a run with these options reads or writes.

    Args:
        settings: The configuration; a local model is a file.
        output: `--output`.
        config: `--config`.
        secrets: `--secrets`.
        prompts: `--prompts`.
        log_file: `--log-file`.
    """
    output, secrets = output or DEFAULT_OUTPUT, secrets or DEFAULT_SECRETS
    files = [
        NamedFile(config or DEFAULT_CONFIG, "the configuration (--config)"),
        NamedFile(secrets, "the file of secrets (--secrets)", is_written=True),  # its template is, where it is missing
        *_database(ledger_path(secrets), "the ledger beside the secrets"),
        *_output(output),
    ]
    if prompts is not None:
        files.append(NamedFile(prompts, "the directory of prompts (--prompts)", is_directory=True))
    files += [NamedFile(path_of_prompt(name, prompts), f"the prompt {name}") for name in PROMPT_FILES]
    files += _local_models(settings)
    if log_file is not None:
        files.append(NamedFile(log_file, "the log (--log-file)", is_written=True))
    return files


def files_of_growth(settings: Settings, *, config: Path | None, secrets: Path | None, prompts: Path) -> list[NamedFile]:
    """Return every file that `grow` with these options reads or writes; arguments as above."""
    secrets, grown = secrets or DEFAULT_SECRETS, prompts / GROWN
    files = [
        NamedFile(config or DEFAULT_CONFIG, "the configuration (--config)"),
        NamedFile(secrets, "the file of secrets (--secrets)", is_written=True),
        *_database(ledger_path(secrets), "the ledger beside the secrets"),
        NamedFile(prompts, "the directory of prompts (--prompts)", is_directory=True),
        NamedFile(grown, "the file that grows", is_written=True),
    ]
    return files + _local_models(settings)


def files_of_import(source: Source, output: Path) -> list[NamedFile]:
    """Return every file that an import of a dataset into an output reads or writes."""
    files = [NamedFile(file.path, "the dataset") for file in source.files]
    return [*files, NamedFile(source.report, "the report beside the dataset"), *_output(output)]


def files_of_review(output: Path, *, verdicts: Path | None = None, labels: Path | None = None) -> list[NamedFile]:
    """Return every file that a command about what people say reads or writes."""
    files = _output(output)
    if verdicts is not None:
        files.append(NamedFile(verdicts, "the file of verdicts"))
    if labels is not None:
        files.append(NamedFile(labels, "the file of labels (--labels)", is_written=True))
    return files


def _output(path: Path) -> list[NamedFile]:
    return [
        NamedFile(path, "the output (--output)", is_written=True),
        *_database(state_path(path), "the state database beside the output"),
        NamedFile(lock_path(state_path(path)), "the lock beside the output", is_written=True),
        NamedFile(replacement_path(path), "the output as it is written anew", is_written=True),
    ]


def files_of_export(
    output: Path,
    directory: Path,
    names: Iterable[str],
    *,
    config: Path | None,
    prompts: Path | None,
    tokenizer: Path | None,
) -> list[NamedFile]:
    """Return every file that `export` with these options reads, and the folders that it writes.

    Args:
        output: The dataset.
        directory: `--to`.
        names: The formats.
        config: `--config`.
        prompts: `--prompts`.
        tokenizer: `--tokenizer`, a file or a directory.
    """
    files = [
        NamedFile(config or DEFAULT_CONFIG, "the configuration (--config)"),
        NamedFile(output, "the dataset"),
        *(NamedFile(path.path, path.what) for path in _database(state_path(output), "the state database beside it")),
        NamedFile(directory, "the directory of the export (--to)", is_written=True, is_directory=True),
    ]
    files += [
        NamedFile(directory / name, f"the folder of {name}", is_written=True, is_directory=True) for name in names
    ]
    if prompts is not None:
        files.append(NamedFile(prompts, "the directory of prompts (--prompts)", is_directory=True))
    if tokenizer is not None:
        files.append(NamedFile(tokenizer, "the tokenizer (--tokenizer)", is_directory=tokenizer.is_dir()))
    return files


def files_of_report(output: Path, page: Path, *, config: Path | None) -> list[NamedFile]:
    """Return every file that `report` with these options reads or writes.

    Args:
        output: The dataset.
        page: `--to`.
        config: `--config`.
    """
    return [
        NamedFile(config or DEFAULT_CONFIG, "the configuration (--config)"),
        NamedFile(output, "the dataset"),
        *(NamedFile(path.path, path.what) for path in _database(state_path(output), "the state database beside it")),
        *_page(page, "--to"),
    ]


def files_of_running_report(output: Path | None) -> list[NamedFile]:
    """Return the files of the report that a run writes as it goes on."""
    return _page(report_path(output or DEFAULT_OUTPUT), "--report-every")


def _page(page: Path, option: str) -> list[NamedFile]:
    return [
        NamedFile(page, f"the report ({option})", is_written=True),
        NamedFile(part_path(page), "the report as it is written", is_written=True),
    ]


def _local_models(settings: Settings) -> list[NamedFile]:
    return [
        NamedFile(model, f"the model of {name}")
        for name, section in settings.providers.items()
        if section.kind == "local" and not (model := _model_file(section.model)).is_dir()
    ]


def _model_file(model: str) -> Path:
    """Return the file that a local model is, where its name is one of a file."""
    return Path(os.path.expanduser(model))  # noqa: PTH111 - `Path.expanduser` fails where there is no home


def _database(path: Path, what: str) -> list[NamedFile]:
    return [NamedFile(path.with_name(path.name + suffix), what, is_written=True) for suffix in _BESIDE_DATABASE]
