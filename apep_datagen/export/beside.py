"""What stands beside the rows: how to train on them, files that a trainer asks for, and the report."""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.export.exported import Exported, ExportedTarget
from apep_datagen.export.folder import claim, export_folder, remove_unwanted, write_record
from apep_datagen.export.record import PROGRAM, continuation_as_json, write_text
from apep_datagen.export.report import describe_target, target_as_json
from apep_datagen.formats.registry import FORMATS

__all__ = ["write_beside"]

_NOTHING = "There is no row yet, so nothing to train on: export again when the dataset has conversations for it."


def write_beside(exported: Exported, target: ExportedTarget) -> None:
    """Write the files beside the rows of a form, the report last, and remove data files of an earlier export.

    Raises:
        StorageError: They cannot be written.
    """
    form = FORMATS[target.target.name]
    # A folder of sessions, or several shards, are named by what they have in common. Trainers fail at a part without
    # rows, so nobody is sent to one.
    files: Mapping[str, str] = {}
    if target.made.tally.rows.total():
        empty = target.splits_without_rows
        files = {split: names[0] for split, names in target.files.items() if names and split not in empty}
    texts = {"README.md": _readme(exported, target, files)}
    if files:
        texts |= form.files(target.target.shape, files)
    record = {
        "program": PROGRAM,
        **target_as_json(exported, target),
        "prompt_sections": [{"text": text, "told": told} for text, told in target.made.retold.items()],
        "written": sorted([*(path.name for path in target.data_files), *texts]),
        "continuation": continuation_as_json(target.continuation) if target.continuation else None,
    }
    try:
        claim(target.directory, record["written"])
        remove_unwanted(target.directory, record["written"])
        for name, text in texts.items():
            write_text(target.directory / name, text)
        write_record(target.directory, record)
    except OSError as error:
        raise export_folder(target.directory).refused(error, "written") from error


def _readme(exported: Exported, target: ExportedTarget, files: Mapping[str, str]) -> str:
    form = FORMATS[target.target.name]
    report = describe_target(exported, target)
    guide = form.guide(target.target.shape, files).strip() if files else _NOTHING
    return (
        f"# {exported.source.name}, for {form.name}\n\n"
        "Training conversations for Ada, a companion persona with private thinking, a memory and a diary; made by"
        " apep-datagen, and written again by each `apep-datagen export` into this directory.\n\n"
        f"## Training on it\n\n{guide}\n\n"
        f"{_about_options(exported, target)}"
        f"## What is in it, and what was lost\n\n```\n{report}\n```\n"
    )


def _about_options(exported: Exported, target: ExportedTarget) -> str:
    """Return what options mean for whoever serves the trained model."""
    notes = []
    if target.target.shape.thoughts == "drop":
        notes.append(
            "- The rows have no thoughts, and the system prompt still asks for them: leave that paragraph out where you"
            " serve the model."
        )
    if exported.plan.series and not target.target.is_sessions:
        notes.append(
            "- Rows join several conversations. The first message of each but the first begins with its day and hour in"
            " brackets; whatever talks to the trained model has to do the same where a day has passed."
        )
    return "\n".join(notes) + "\n\n" if notes else ""
