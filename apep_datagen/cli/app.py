"""The command line: the commands, and how errors are told.

What a command needs is imported when it runs, so that `--help` does not wait for it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from apep_datagen.cli.dataset_commands import export, import_dataset, push
from apep_datagen.cli.evaluate_command import evaluate

# Typer looks for the parameters' annotations among the names of this module.
from apep_datagen.cli.options import (
    AsJson,
    Config,
    Dataset,
    DatasetOrNumber,
    Drop,
    DryRun,
    Every,
    Exchanges,
    Facts,
    GraceSeconds,
    Grown,
    LogFile,
    LogText,
    MaxRequests,
    MaxTokens,
    MaxUsd,
    Model,
    Moments,
    MostRequests,
    MostTokens,
    MostUsd,
    Number,
    Output,
    Patience,
    Prompts,
    Providers,
    Quality,
    Quiet,
    Rejected,
    ReportEvery,
    ResetTools,
    Rewriter,
    Role,
    Rps,
    SecretsFile,
    Seed,
    Target,
    Topics,
    Version,
    Watch,
    WithSystem,
)
from apep_datagen.cli.report_command import report_dataset
from apep_datagen.cli.review_commands import review
from apep_datagen.cli.showing import STOPPED, Showing
from apep_datagen.cli.telling import report, telling_errors
from apep_datagen.core.errors import NoProviderLeftError, StorageError
from apep_datagen.terminal import streams

if TYPE_CHECKING:
    from apep_datagen.config.invocation import Invocation

__all__ = ["main"]

_SECONDS_FOR_STREAMS = 1.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _with_all_options(action: Callable[[Invocation, Showing], int], *, sends: bool) -> Callable[..., None]:
    """Make a command that takes every option of a run.

    Args:
        action: Gets what the options and files say, and how the run is shown; returns the exit status.
        sends: Whether it sends requests; else providers without a key will do.
    """

    def command(
        context: typer.Context,
        target: Target = None,
        providers: Providers = None,
        output: Output = None,
        reset_tools: ResetTools = False,
        exchanges: Exchanges = None,
        seed: Seed = None,
        quality: Quality = None,
        max_requests: MaxRequests = None,
        max_tokens: MaxTokens = None,
        max_usd: MaxUsd = None,
        grace_seconds: GraceSeconds = None,
        patience: Patience = None,
        config: Config = None,
        prompts: Prompts = None,
        secrets: SecretsFile = None,
        model: Model = None,
        rps: Rps = None,
        role: Role = None,
        rewriter: Rewriter = None,
        log_file: LogFile = None,
        log_text: LogText = False,
        report_every: ReportEvery = None,
        quiet: Quiet = False,
        version: Version = False,  # noqa: ARG001 - its callback handles it
    ) -> None:
        if _is_for_subcommand(context):
            return
        with telling_errors():
            from apep_datagen.cli.files import files_of_run, files_of_running_report
            from apep_datagen.cli.values import (
                checked_dataset,
                parse_exchanges,
                parse_pairs,
                parse_rates,
                parse_roles,
            )
            from apep_datagen.config.invocation import read_invocation
            from apep_datagen.config.provider_choice import choose_providers
            from apep_datagen.config.secrets import load_secrets
            from apep_datagen.config.settings_file import load_settings
            from apep_datagen.core.paths import check_files

            settings = load_settings(
                config,
                generation={
                    "target": target,
                    "exchanges": parse_exchanges(exchanges) if exchanges else None,
                    "seed": seed,
                    "grace_seconds": grace_seconds,
                    "patience_seconds": patience,
                },
                budget={"max_requests": max_requests, "max_tokens": max_tokens, "max_usd": max_usd},
                quality={"level": quality},
                roles=parse_roles(role, rewriter),
                models=parse_pairs("--model", model),
                rates=parse_rates(rps),
            )
            files = files_of_run(
                settings, output=output, config=config, secrets=secrets, prompts=prompts, log_file=log_file
            )
            if report_every is not None:
                files += files_of_running_report(output)
            check_files(files)
            checked_dataset(output)
            keys = load_secrets(secrets, settings.providers, os.environ)
            choice = choose_providers(providers, keys, settings, purpose="run" if sends else "plan")
            for name, what in choice.missing.items():
                typer.echo(f"{'Not used' if sends else 'No key yet'}: {name}: {what}", err=True)
            invocation = read_invocation(
                settings,
                choice,
                output=output,
                prompts=prompts,
                reset_tools=reset_tools,
                log_file=log_file,
                log_text=log_text,
            )
            raise typer.Exit(action(invocation, Showing(quiet, report_every, config)))

    return command


def _is_for_subcommand(context: typer.Context) -> bool:
    """Tell whether a subcommand follows; options in front of it would be lost, and are refused."""
    if context.invoked_subcommand is None:
        return False
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise typer.BadParameter(
                f"options go behind the command: apep-datagen {context.invoked_subcommand} {option} …"
            )
    return True


def _generate(invocation: Invocation, showing: Showing) -> int:
    """Run, and sum it up; return the exit status."""
    import asyncio

    from apep_datagen.engine.run import run
    from apep_datagen.review.applying import apply_waiting

    streams.let_output_be_lost()
    view = showing.view(invocation.output)
    apply_waiting(invocation.output, view.notify)
    while True:
        outcome = asyncio.run(run(invocation, view))
        showing.sum_up(invocation, outcome)
        # What people have said meanwhile is applied when the target is reached, and what leaves for it is made anew.
        if outcome.error or outcome.exit_status or not apply_waiting(invocation.output, view.notify):
            break
        invocation = replace(invocation, reset_tools=False)
    showing.write_last_report(invocation, outcome)
    if outcome.error:
        raise outcome.error
    return outcome.exit_status


app.callback(
    invoke_without_command=True,
    epilog="Exit status: 0 the target is reached; 2 an option, the configuration or a prompt is wrong; 3 no provider"
    " can be used; 4 the output or its state cannot be used; 5 every provider failed during the run; 6 a budget is"
    " reached; 130 or 143 stopped by a signal, everything saved.",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make training conversations for Ada, a companion persona with private thinking, a memory and a diary."
    "\n\nStopped at any moment, the same command carries on where it was. The first start writes a file for your API"
    " keys; to try the program without any key: apep-datagen --providers local --target 5",
)(_with_all_options(_generate, sends=True))


def _plan(invocation: Invocation, showing: Showing) -> int:  # noqa: ARG001 - it has one thing to say
    """Print what the run will need; return the exit status."""
    from apep_datagen.inspect.estimate import read_estimate
    from apep_datagen.inspect.estimate_report import describe_estimate
    from apep_datagen.stats.planned import read_planned
    from apep_datagen.stats.planned_report import describe_planned

    estimate = read_estimate(invocation, time.time())
    parts = [describe_estimate(estimate)]
    if estimate.done < estimate.target:
        parts.append(describe_planned(read_planned(invocation, estimate.in_flight)))
    report("\n\n".join(parts))
    return 0


app.command(
    "plan",
    short_help="Say what the target needs, before anything is spent.",
    help="Say what the target needs before anything is spent: requests, tokens, dollars and time, per provider, and"
    " whether the budgets suffice. It takes the options of a run, needs no key, sends nothing and writes nothing."
    "\n\nIt estimates from the conversations that the output has; where there are none, from the prompts and"
    " assumptions, which it tells. It also draws up to 2,000 conversations without a model, and tells what a model"
    " could learn from them instead of looking.",
    epilog="Exit status: 0; 2 an option, the configuration or a prompt is wrong; 3 no provider is named; 4 the output"
    " or its state cannot be read.",
)(_with_all_options(_plan, sends=False))


@app.command(
    short_help="Tell how far a run is, at any time.",
    epilog="Exit status: 0; 2 an option or the configuration is wrong; 4 there is no run for this output, or its state"
    " cannot be read.",
)
def status(
    output: Output = None,
    config: Config = None,
    watch: Watch = False,
    every: Every = None,
    as_json: AsJson = False,
) -> None:
    """Tell how far a run is, also while it is active in another process.

    Conversations done, in progress and set aside; requests, tokens and cost by provider and role; what is left. It
    reads the state database beside the output, and changes nothing. Cost is told at the prices of the configuration.
    With --watch it waits for a run to begin, tells how it goes, and ends with it; Ctrl-C, or q, ends it before.
    """
    from apep_datagen.cli.values import checked_output
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.core.errors import SettingsError
    from apep_datagen.inspect.status import read_status
    from apep_datagen.inspect.status_report import describe_status, status_as_json
    from apep_datagen.inspect.watch import SECONDS_BETWEEN_LOOKS, watch_status

    with telling_errors():
        path = checked_output(output)
        settings = load_settings(config)
        if every is not None and not watch:
            raise SettingsError("--every says how often --watch looks; it goes with --watch alone")
        if watch:
            watch_status(path, settings, every or SECONDS_BETWEEN_LOOKS, as_json=as_json)
            return
        now = time.time()
        run = read_status(path, now)
        report(status_as_json(run, settings) if as_json else describe_status(run, settings, now))


@app.command(
    short_help="Check each provider with one small request.",
    epilog="Exit status: 0 all are well; 2 an option, the configuration or the secrets file is wrong; 3 no provider is"
    " named that has what it needs; 5 one or more are not well.",
)
def providers(
    providers: Providers = None,
    config: Config = None,
    secrets: SecretsFile = None,
    model: Model = None,
    rps: Rps = None,
    role: Role = None,
    as_json: AsJson = False,
) -> None:
    """Check each provider with one small request: key, model, latency, and the limits that its headers tell.

    Each model that one of its roles uses is asked for 16 tokens at most. These requests are charged for like any other;
    no budget of a run and no month's tokens count them. No answer within 60 s is a failure.
    """
    import asyncio

    from apep_datagen.cli.values import parse_pairs, parse_rates, parse_roles
    from apep_datagen.config.provider_choice import choose_providers
    from apep_datagen.config.secrets import load_secrets
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.inspect.provider_check import check_providers, checks_as_json, describe_checks

    with telling_errors():
        settings = load_settings(
            config, roles=parse_roles(role), models=parse_pairs("--model", model), rates=parse_rates(rps)
        )
        keys = load_secrets(secrets, settings.providers, os.environ)
        choice = choose_providers(providers, keys, settings, purpose="check")
        checks = asyncio.run(check_providers(settings, choice))
        report(checks_as_json(checks) if as_json else describe_checks(checks))
        raise typer.Exit(NoProviderLeftError.exit_status if any(check.problem for check in checks) else 0)


@app.command(
    short_help="Check a finished dataset once more.",
    epilog="Exit status: 0 nothing was found; 2 an option or the configuration is wrong; 4 the dataset or its state"
    " cannot be read; 7 something was found.",
)
def verify(file: Dataset = None, config: Config = None, as_json: AsJson = False) -> None:
    """Check a finished dataset once more, from its file: the form of each conversation, and that none is there twice.

    Where its state database is beside it, every tool call of every timeline is executed again, in order, and has to
    give the same results, memory and diary. Nothing is changed.
    """
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.verify.report import describe_verification, verification_as_json
    from apep_datagen.verify.verification import verify as verify_output

    with telling_errors():
        path = checked_dataset(file)
        found = verify_output(path, load_settings(config))
        report(verification_as_json(found) if as_json else describe_verification(found))
        raise typer.Exit(found.exit_status)


@app.command(
    short_help="Judge what was rejected and accepted anew, by the rules of today.",
    epilog="Exit status: 0; 2 an option, the configuration or a prompt is wrong; 4 the output or its state cannot be"
    " used, or a process works on it; 130 stopped by Ctrl-C, and nothing is changed.",
)
def rejudge(
    file: Dataset = None,
    dry_run: DryRun = False,
    drop: Drop = False,
    quality: Quality = None,
    config: Config = None,
    prompts: Prompts = None,
    as_json: AsJson = False,
) -> None:
    """Judge what was rejected and accepted anew, by the rules of today, without asking a provider.

    What was rejected and passes now is added to the output, as a sample that stands by itself: memory, diary and
    what came after it stay as they are. What was accepted and fails now is listed. All is read from the state
    database beside the output.
    """
    from apep_datagen.cli.files import files_of_run
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.conversation.prompt_set import load_prompts
    from apep_datagen.core.paths import check_files
    from apep_datagen.people.cast import load_cast
    from apep_datagen.rejudge.rejudging import rejudge as rejudge_run
    from apep_datagen.rejudge.report import describe_rejudgement, rejudgement_as_json

    with telling_errors():
        path = checked_dataset(file)
        settings = load_settings(config, quality={"level": quality})
        check_files(files_of_run(settings, output=path, config=config, secrets=None, prompts=prompts, log_file=None))
        found = rejudge_run(
            path,
            settings,
            load_prompts(prompts),
            load_cast(prompts),
            drops=drop,
            is_dry_run=dry_run,
            notify=lambda message: typer.echo(message, err=True),
        )
        report(rejudgement_as_json(found) if as_json else describe_rejudgement(found))


@app.command(
    short_help="Have a provider propose more kinds of fact, moments and topics for your prompts.",
    epilog="Exit status: 0 as much was added as was asked for; 2 an option, the configuration or a file of DIR is"
    " wrong; 3 no provider can be used; 4 a file cannot be written; 5 every provider failed, or proposes nothing more"
    " that passes; 6 a budget is reached; 130 or 143 stopped by a signal. What passed until then is kept.",
)
def grow(
    prompts: Grown,
    facts: Facts = None,
    moments: Moments = None,
    topics: Topics = None,
    providers: Providers = None,
    max_requests: MostRequests = None,
    max_tokens: MostTokens = None,
    max_usd: MostUsd = None,
    config: Config = None,
    secrets: SecretsFile = None,
    model: Model = None,
    rps: Rps = None,
    quiet: Quiet = False,
) -> None:
    """Have a provider propose more of what is in the lives of users: kinds of fact, moments and topics.

    Each proposal is checked, and what is refused is told with the reason. What passes is added to
    DIR/world/grown.toml at each answer; runs with --prompts DIR draw from it beside the program's own tables. Ada's
    model is asked, one request at a time. Of several providers, the next one is asked where one fails.
    """
    import asyncio

    from apep_datagen.cli.files import files_of_growth
    from apep_datagen.cli.values import parse_pairs, parse_rates
    from apep_datagen.config.provider_choice import choose_providers
    from apep_datagen.config.secrets import load_secrets
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.core.paths import check_files
    from apep_datagen.grow.growing import DEFAULT_WISH, Growth, Wish
    from apep_datagen.grow.growing import grow as grow_world
    from apep_datagen.grow.grown_file import GROWN
    from apep_datagen.grow.report import describe_growth
    from apep_datagen.terminal.text import say

    with telling_errors():
        settings = load_settings(
            config,
            budget={"max_requests": max_requests, "max_tokens": max_tokens, "max_usd": max_usd},
            models=parse_pairs("--model", model),
            rates=parse_rates(rps),
        )
        check_files(files_of_growth(settings, config=config, secrets=secrets, prompts=prompts))
        keys = load_secrets(secrets, settings.providers, os.environ)
        choice = choose_providers(providers, keys, settings, purpose="grow")
        for name, what in choice.missing.items():
            typer.echo(f"Not used: {name}: {what}", err=True)
        streams.let_output_be_lost()
        is_given = any(number is not None for number in (facts, moments, topics))
        wish = Wish(facts or 0, moments or 0, topics or 0) if is_given else DEFAULT_WISH
        growth = Growth()

        def tell(line: str) -> None:
            if not quiet:
                say(line)

        try:
            asyncio.run(grow_world(prompts, wish, settings, choice, growth=growth, tell=tell))
        finally:
            if not quiet:
                say(describe_growth(growth, prompts / GROWN))


@app.command(
    short_help="Tell what a dataset contains, and how diverse it is.",
    epilog="Exit status: 0; 2 an option or the configuration is wrong; 4 the dataset cannot be read.",
)
def stats(file: Dataset = None, config: Config = None, as_json: AsJson = False) -> None:
    """Tell what a dataset contains: lengths, tools and diversity from its file alone.

    Where its state database is beside it, also abilities against the wish, users, topics, days, providers and yield;
    and what a model could learn from it instead of looking.
    """
    from apep_datagen.cli.values import checked_dataset
    from apep_datagen.config.settings_file import load_settings
    from apep_datagen.stats.dataset import read_stats
    from apep_datagen.stats.report import describe_stats, stats_as_json

    with telling_errors():
        path = checked_dataset(file)
        contents = read_stats(path, load_settings(config).scenarios.shares)
        report(stats_as_json(contents) if as_json else describe_stats(contents))


@app.command(
    short_help="Print a conversation readably.",
    epilog="Exit status: 0; 2 there is no such conversation; 4 the dataset cannot be read.",
    # A number from the end, such as -1, is no option.
    context_settings={"ignore_unknown_options": True},
)
def show(
    file: DatasetOrNumber = None, number: Number = None, rejected: Rejected = False, with_system: WithSystem = False
) -> None:
    """Print a conversation readably, in colours where the terminal has them.

    Thoughts, calls and results included; with who the user is and what it was to be about, where the state database
    is beside the dataset. With --rejected, one of the run that is not in the dataset, and why not.
    """
    from apep_datagen.cli.values import checked_dataset, parse_dataset_and_number
    from apep_datagen.config.settings import DEFAULT_OUTPUT
    from apep_datagen.inspect.rejected import show_rejected
    from apep_datagen.inspect.show import show_conversation

    with telling_errors():
        path, wanted = parse_dataset_and_number(file, number, DEFAULT_OUTPUT)
        print_it = show_rejected if rejected else show_conversation
        print_it(checked_dataset(path), wanted, with_system=with_system)


app.command(
    "report",
    short_help="Write the dataset as a page, to read, search and judge it in a browser.",
    epilog="Exit status: 0; 2 an option or the configuration is wrong; 4 the dataset cannot be read, or the page cannot"
    " be written; 130 stopped by Ctrl-C, and a page that was there is as it was.",
)(report_dataset)
app.command(
    "export",
    short_help="Write the dataset in the forms that trainers read, and tell what they lose.",
    epilog="Exit status: 0; 2 an option or the configuration is wrong; 4 the dataset cannot be read, or a file cannot"
    " be written; 7 something is lost without a word, by the format or by a chat template, a"
    " chat template refuses every row, or there is no row.",
)(export)
app.command(
    "evaluate",
    short_help="Measure how well a model remembers, on users it has never met.",
    epilog="Exit status: 0 all is evaluated; 2 an option, the configuration or a prompt is wrong; 3 the provider cannot"
    " be used; 4 the evaluation's file or its state cannot be used; 5 the provider failed during the run, or refused"
    " some of it, which the same command asks for again; 6 a budget is reached; 130 or 143 stopped by a signal,"
    " everything saved.",
)(evaluate)
app.command(
    "push",
    short_help="Put the dataset on the Hugging Face hub, with a card made from the facts.",
    epilog="Exit status: 0, also where nothing is new; 2 an option, the configuration or the secrets file is wrong; 3"
    " there is no token; 4 the dataset cannot be read, a run works on it, or a file cannot be written; 5 the hub"
    " refuses, fails or cannot be reached, or what is there is somebody else's; 130 stopped by Ctrl-C. The same command"
    " makes up for what is missing.",
)(push)

app.command(
    "import",
    short_help="Take a dataset of another form, or another program, into an output.",
    epilog="Exit status: 0 all was taken; 2 an option is wrong; 4 the dataset or the output cannot be used, or a"
    " process works on it; 7 rows could not be taken, or something of them was lost; 130 stopped by Ctrl-C, and nothing"
    " is changed.",
)(import_dataset)

app.add_typer(review, name="review")


def main() -> None:
    """Run the program."""
    streams.install()
    status: int | str | None = None
    try:
        status = _exit_status()
    finally:  # also where an error goes on to the interpreter, which prints it
        with contextlib.suppress(KeyboardInterrupt):
            streams.finish(_SECONDS_FOR_STREAMS if status in STOPPED else None)
    sys.exit(status)


def _exit_status() -> int | str | None:
    """Do what the command line says; return the exit status."""
    try:
        app()
        status: int | str | None = 0
    except SystemExit as ended:
        status = ended.code
    except KeyboardInterrupt:  # before the run, which handles it itself
        status = 130
    if (lost := streams.loss()) and not status:
        typer.echo(f"The standard output cannot be written ({lost.strerror}); what was printed is not whole.", err=True)
        status = StorageError.exit_status
    return status
