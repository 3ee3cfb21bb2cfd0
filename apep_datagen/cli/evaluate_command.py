"""The command that measures how well a model remembers.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import os

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
from apep_datagen.cli.telling import telling_errors

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
        from apep_datagen.cli.files import files_of_run
        from apep_datagen.cli.values import parse_pairs, parse_rates
        from apep_datagen.config.invocation import read_invocation
        from apep_datagen.config.provider_choice import choose_providers
        from apep_datagen.config.secrets import load_secrets
        from apep_datagen.config.settings_file import load_settings
        from apep_datagen.conversation.prompt_set import load_prompts
        from apep_datagen.core.errors import SettingsError
        from apep_datagen.core.messages import ModelRole
        from apep_datagen.core.paths import NamedFile, check_files
        from apep_datagen.evaluate.element import Examinee
        from apep_datagen.evaluate.exam import WRITTEN, Exam
        from apep_datagen.evaluate.plan import ExamPlan
        from apep_datagen.evaluate.running import Evaluation, default_output
        from apep_datagen.people.cast import load_cast
        from apep_datagen.people.written import load_written_tester

        names = [ada] if tester == WRITTEN else list(dict.fromkeys([ada, tester]))
        settings = load_settings(
            config,
            generation={"grace_seconds": grace_seconds, "patience_seconds": patience},
            budget={"max_requests": max_requests, "max_tokens": max_tokens, "max_usd": max_usd},
            roles={"ada": [ada], "tester": [ada] if tester == WRITTEN else [tester]},
            rewriter="off",
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
        keys = load_secrets(secrets, settings.providers, os.environ)
        choice = choose_providers(",".join(names), keys, settings, purpose="run")
        for name in names:
            if name not in choice.keys:
                raise SettingsError(f"{name} cannot be used: {choice.missing[name]}")
        exam = Exam(seed, users, days, tries, settings.generation.max_tool_rounds, tester)
        invocation = read_invocation(
            settings, choice, output=output, prompts=prompts, reset_tools=False, log_file=log_file, log_text=log_text
        )
        plan = ExamPlan(
            exam,
            load_cast(part="held out"),
            load_prompts(prompts),
            load_written_tester(prompts) if tester == WRITTEN else None,
        )
        examinee = Examinee(ada, settings.providers[ada].model_for(ModelRole.ADA), as_trained or "")
        raise typer.Exit(_evaluate(invocation, Evaluation(plan, examinee), against, as_json=as_json, quiet=quiet))
