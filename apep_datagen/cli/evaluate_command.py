"""The command that measures how well a model remembers.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

# Typer looks for the parameters' annotations among the names of this module.
from apep_datagen.cli.options import (
    Ada,
    Against,
    AsJson,
    AsTrained,
    Config,
    Days,
    EvaluatedUsers,
    EvaluationFile,
    EvaluationSeed,
    GraceSeconds,
    LogFile,
    LogText,
    MaxRequests,
    MaxTokens,
    MaxUsd,
    Model,
    Patience,
    PromptsOfEvaluation,
    Quiet,
    Rps,
    SecretsFile,
    TesterOption,
    Tries,
)
from apep_datagen.cli.telling import report, telling_errors
from apep_datagen.terminal import streams

if TYPE_CHECKING:
    from apep_datagen.evaluate.element import Examined
    from apep_datagen.evaluate.plan import ExamPlan

__all__ = ["evaluate"]


def evaluate(
    ada: Ada,
    tester: TesterOption = "written",
    users: EvaluatedUsers = 50,
    days: Days = 12,
    tries: Tries = 1,
    seed: EvaluationSeed = 1,
    as_trained: AsTrained = None,
    output: EvaluationFile = None,
    against: Against = None,
    max_requests: MaxRequests = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    grace_seconds: GraceSeconds = None,
    patience: Patience = None,
    config: Config = None,
    prompts: PromptsOfEvaluation = None,
    secrets: SecretsFile = None,
    model: Model = None,
    rps: Rps = None,
    log_file: LogFile = None,
    log_text: LogText = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how well a model remembers, on users whom no dataset of this program has met.

    The model is Ada for each user on several days: what she fails to write down is missing later. What is asked
    depends on --seed alone, so two models are asked the same. Beside it stand an Ada that never uses her tools, and one
    that always looks and writes.

    Stopped at any moment, the same command carries on where it was; when all is done, it prints the table again.
    """
    with telling_errors():
        import asyncio

        from apep_datagen.cli.files import files_of_run
        from apep_datagen.cli.summary import summarize_evaluation
        from apep_datagen.cli.values import parse_pairs, parse_rates
        from apep_datagen.config.as_trained import as_trained as read_as_trained
        from apep_datagen.config.invocation import read_invocation
        from apep_datagen.config.provider_choice import choose_providers
        from apep_datagen.config.secrets import load_secrets
        from apep_datagen.config.settings_file import load_settings
        from apep_datagen.conversation.prompt_set import load_prompts
        from apep_datagen.core.messages import ModelRole
        from apep_datagen.core.paths import NamedFile, check_files
        from apep_datagen.evaluate.element import Examinee
        from apep_datagen.evaluate.exam import WRITTEN, Exam
        from apep_datagen.evaluate.plan import ExamPlan
        from apep_datagen.evaluate.running import Evaluation, default_output
        from apep_datagen.evaluate.running import evaluate as run_evaluation
        from apep_datagen.people.cast import load_cast
        from apep_datagen.people.written import load_written_tester
        from apep_datagen.terminal.progress import make_view
        from apep_datagen.terminal.text import say

        names = [ada] if tester == WRITTEN else list(dict.fromkeys([ada, tester]))
        _require(load_settings(config).providers, ada, tester)
        settings = load_settings(
            config,
            generation={"grace_seconds": grace_seconds, "patience_seconds": patience},
            budget={"max_requests": max_requests, "max_tokens": max_tokens, "max_usd": max_usd},
            roles={
                "ada": {"providers": [ada]},
                "tester": {"providers": names[-1:]},
                "rewriter": {"when": "off"},
                "reviewer": {"when": "off"},
            },
            models=parse_pairs("--model", model),
            rates=parse_rates(rps),
        )
        output = output or default_output(ada)
        files = files_of_run(
            settings, output=output, config=config, secrets=secrets, prompts=prompts, log_file=log_file
        )
        if against is not None:
            files.append(NamedFile(against, "the other evaluation (--against)"))
        check_files(files)
        # Before anything is spent.
        other = _read_other(against) if against is not None else None
        wire = read_as_trained(as_trained) if as_trained else None
        exam = Exam(seed, users, days, tries, settings.generation.max_tool_rounds, tester)
        written = load_written_tester(prompts)
        plan = ExamPlan(exam, load_cast(part="held out"), load_prompts(prompts), written if tester == WRITTEN else None)
        examinee = Examinee(ada, settings.providers[ada].model_for(ModelRole.ADA), as_trained or "")
        evaluation = Evaluation(plan, examinee, wire)
        choice = choose_providers(
            ",".join(names), load_secrets(secrets, settings.providers, os.environ), settings, purpose="run"
        )
        invocation = read_invocation(
            settings, choice, output=output, prompts=prompts, reset_tools=False, log_file=log_file, log_text=log_text
        )
        streams.let_output_be_lost()
        outcome = asyncio.run(run_evaluation(invocation, evaluation, make_view(quiet=quiet or as_json)))
        if outcome.counters.done and (as_json or not quiet):
            _tell(plan.as_written(written), output, other, as_json=as_json)
        if not (quiet or as_json):
            say(summarize_evaluation(outcome, output, exam.conversations))
        if outcome.error:
            raise outcome.error
        raise typer.Exit(outcome.exit_status)


def _require(providers: Iterable[str], ada: str, tester: str) -> None:
    """Refuse what names no provider.

    Raises:
        SettingsError: One of them does.
    """
    from apep_datagen.core.errors import SettingsError
    from apep_datagen.core.suggestions import ask_for_nearest
    from apep_datagen.evaluate.exam import WRITTEN

    known = list(providers)
    for option, name, there_are in (("--ada", ada, known), ("--tester", tester, [WRITTEN, *known])):
        if name not in there_are:
            # It is not quoted, as it may be a key that was put into the wrong place.
            raise SettingsError(
                f"{option}: this is no provider{ask_for_nearest(name, there_are)}; there are {', '.join(there_are)}"
            )


def _read_other(path: Path) -> list[Examined]:
    """Return the conversations of another evaluation.

    Raises:
        StorageError: There is none, or the file is no evaluation.
    """
    from apep_datagen.core.errors import StorageError
    from apep_datagen.evaluate.element import read_examined

    elements = list(read_examined(path))
    if not elements:
        raise StorageError(f"{path}: this evaluation holds no conversation yet; go on with it, or name another one")
    return elements


def _tell(plan: ExamPlan, output: Path, other: list[Examined] | None, *, as_json: bool) -> None:
    """Print what an evaluation comes to, beside the bounds, and how it differs from another one."""
    from apep_datagen.evaluate.bounds import played_bounds
    from apep_datagen.evaluate.comparison import compare
    from apep_datagen.evaluate.element import read_examined
    from apep_datagen.evaluate.report import report_of
    from apep_datagen.evaluate.report_json import comparison_as_json, report_as_json
    from apep_datagen.evaluate.report_text import describe_comparison, describe_report

    elements = list(read_examined(output))
    found = report_of(elements, played_bounds(plan, elements))
    compared = compare(elements, other) if other else None
    if as_json:
        report(report_as_json(found) | ({"against": comparison_as_json(compared)} if compared else {}))
    else:
        report("\n\n".join([describe_report(found), *([describe_comparison(compared)] if compared else [])]))
