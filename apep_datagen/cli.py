"""The command line: declares the options and calls one function."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apep_datagen.errors import ApepError, NoProviderLeftError, NoUsableProviderError, SettingsError

if TYPE_CHECKING:
    from apep_datagen.api_keys import Secrets
    from apep_datagen.run_plan import RunPlan
    from apep_datagen.settings import Settings

__all__ = ["main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_EPILOG = (
    "Exit status: 0 the target is reached; 2 an option, the configuration or a prompt is wrong; 3 no provider can be"
    " used; 4 the output or its state cannot be used; 5 every provider failed during the run; 6 a budget is reached;"
    " 130 or 143 stopped by a signal, everything saved."
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib import metadata

        typer.echo(f"apep-datagen {metadata.version('apep-datagen')}")
        raise typer.Exit


# The options, each declared once: `apep-datagen` and `apep-datagen plan` take the same.
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
    typer.Option(metavar="MIN-MAX", help="How many exchanges (question and answer) a conversation has. [default: 1]"),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Draw topics and lengths from this number, to get the same ones again."),
]
MaxRequests = Annotated[
    int | None,
    typer.Option(metavar="N", help="Send no more requests than this, over all invocations for this output."),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(metavar="N", help="Use no more tokens than this, over all invocations for this output."),
]
MaxUsd = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="Spend no more dollars than this, over all invocations for this output; needs prices in the file.",
    ),
]
GraceSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="How long requests under way may still come in after a signal to stop. [default: 30]"
    ),
]
Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Configuration. [default: apep-datagen.toml, if it is there]")
]
Prompts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Your own prompts; a file that DIR lacks is taken from the program's."),
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
LogFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Append one JSON object a line to it for every request and every pause."),
]
LogText = Annotated[bool, typer.Option("--log-text", help="Log prompts and answers too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what goes wrong.")]
Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]


def _with_all_options(action: Callable[[RunPlan, bool], int], *, sends: bool) -> Callable[..., None]:
    """Make a command of `action`, which gets what the options and files say, and whether to be quiet.

    Args:
        action: Returns the exit status.
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
        max_requests: MaxRequests = None,
        max_tokens: MaxTokens = None,
        max_usd: MaxUsd = None,
        grace_seconds: GraceSeconds = None,
        config: Config = None,
        prompts: Prompts = None,
        secrets: SecretsFile = None,
        model: Model = None,
        rps: Rps = None,
        log_file: LogFile = None,
        log_text: LogText = False,
        quiet: Quiet = False,
        version: Version = False,  # noqa: ARG001 - its callback handles it
    ) -> None:
        if _is_for_subcommand(context):
            return
        with _telling_errors():
            plan = _read_plan(
                generation={
                    "target": target,
                    "exchanges": _read_exchanges(exchanges),
                    "seed": seed,
                    "grace_seconds": grace_seconds,
                },
                budget={"max_requests": max_requests, "max_tokens": max_tokens, "max_usd": max_usd},
                providers=providers,
                output=output,
                reset_tools=reset_tools,
                config=config,
                prompts=prompts,
                secrets_path=secrets,
                models=model,
                rates=rps,
                log_file=log_file,
                log_text=log_text,
                sends=sends,
            )
            raise typer.Exit(action(plan, quiet))

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


@contextlib.contextmanager
def _telling_errors() -> Iterator[None]:
    """Print what a user can mend as a sentence, and exit with its status."""
    try:
        yield
    except ApepError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        typer.echo("Stopped before the first request.", err=True)
        raise typer.Exit(130) from None


def _read_plan(
    *,
    generation: dict[str, Any],
    budget: dict[str, Any],
    providers: str | None,
    output: Path | None,
    reset_tools: bool,
    config: Path | None,
    prompts: Path | None,
    secrets_path: Path | None,
    models: list[str] | None,
    rates: list[str] | None,
    log_file: Path | None,
    log_text: bool,
    sends: bool,
) -> RunPlan:
    """Read everything that an invocation depends on."""
    # Imported here, so that --help does not wait for what only a run needs.
    from apep_datagen.api_keys import DEFAULT_SECRETS, load_secrets
    from apep_datagen.prompts import load_prompts
    from apep_datagen.run_plan import RunPlan
    from apep_datagen.settings import DEFAULT_OUTPUT

    settings = _read_settings(config, generation=generation, budget=budget, models=models, rates=rates)
    secrets = load_secrets(secrets_path or DEFAULT_SECRETS, tuple(settings.providers), os.environ)
    plan = RunPlan(
        settings=settings,
        providers=(_choose_providers if sends else _name_providers)(providers, secrets, settings),
        output=output or DEFAULT_OUTPUT,
        ledger=secrets.path.with_name("ledger.db"),
        prompts=load_prompts(prompts),
        reset_tools=reset_tools,
        log_file=log_file,
        log_text=log_text,
    )
    if plan.output.is_dir():
        raise SettingsError(f"--output {plan.output}: this is a directory; name a file in it")
    return plan


def _read_settings(
    config: Path | None,
    *,
    generation: dict[str, Any],
    budget: dict[str, Any],
    models: list[str] | None,
    rates: list[str] | None,
) -> Settings:
    from apep_datagen.settings import load_settings

    return load_settings(
        config,
        generation=generation,
        budget=budget,
        models=_pairs("--model", models),
        rates={name: _rate(name, value) for name, value in _pairs("--rps", rates).items()},
    )


def _generate(plan: RunPlan, quiet: bool) -> int:  # noqa: FBT001 - called by `_with_all_options` alone
    """Run, and sum it up; return the exit status."""
    from apep_datagen.progress import make_view, say
    from apep_datagen.runner import run

    outcome = asyncio.run(run(plan, make_view(quiet=quiet)))
    if not quiet:
        from apep_datagen.summary import summarize

        say(summarize(outcome, plan.output))
    if outcome.problem:
        raise outcome.problem
    return outcome.exit_status


app.callback(
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make training conversations for Ada, a companion persona with private thinking, a memory and a diary."
    "\n\nStopped at any moment, the same command carries on where it was. The first start writes a file for your API"
    " keys; to try the program without any key: apep-datagen --providers local --target 5",
)(_with_all_options(_generate, sends=True))


def _plan(plan: RunPlan, quiet: bool) -> int:  # noqa: ARG001, FBT001 - called by `_with_all_options` alone; it has one thing to say
    """Print what the run will need; return the exit status."""
    from apep_datagen.estimate import describe_estimate, read_estimate
    from apep_datagen.progress import say

    say(describe_estimate(read_estimate(plan, time.time())))
    return 0


app.command(
    "plan",
    short_help="Say what the target needs, before anything is spent.",
    help="Say what the target needs before anything is spent: requests, tokens, dollars and time, per provider, and"
    " whether the budgets suffice. It takes the options of a run, needs no key, sends nothing and writes nothing."
    "\n\nIt estimates from the conversations that the output has; where there are none, from the prompts and"
    " assumptions, which it tells.",
    epilog="Exit status: 0; 2 an option, the configuration or a prompt is wrong; 3 no provider is named; 4 the output"
    " or its state cannot be read.",
)(_with_all_options(_plan, sends=False))


@app.command(
    short_help="Tell how far a run is, at any time.",
    epilog="Exit status: 0; 2 an option or the configuration is wrong; 4 there is no run for this output, or its state"
    " cannot be read.",
)
def status(output: Output = None, config: Config = None, as_json: AsJson = False) -> None:
    """Tell how far a run is, also while it is active in another process.

    Conversations done, in progress and set aside; requests, tokens and cost by provider and role; what is left. It
    reads the state database beside the output, and changes nothing. Cost is told at the prices of the configuration.
    """
    from apep_datagen.progress import say
    from apep_datagen.settings import DEFAULT_OUTPUT, load_settings
    from apep_datagen.status import describe_status, read_status, status_as_json

    with _telling_errors():
        settings = load_settings(config, generation={}, budget={}, models={}, rates={})
        now = time.time()
        run = read_status(output or DEFAULT_OUTPUT, now)
        say(json.dumps(status_as_json(run, settings), indent=2) if as_json else describe_status(run, settings, now))


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
    as_json: AsJson = False,
) -> None:
    """Check each provider with one small request: key, model, latency, and the limits that its headers tell.

    Each model that a role uses is asked for 16 tokens at most. These requests are charged for like any other; no
    budget of a run and no month's tokens count them. No answer within 60 s is a failure.
    """
    from apep_datagen.api_keys import DEFAULT_SECRETS, load_secrets
    from apep_datagen.check import check_providers, checks_as_json, describe_checks
    from apep_datagen.progress import say

    with _telling_errors():
        settings = _read_settings(config, generation={}, budget={}, models=model, rates=rps)
        known = load_secrets(secrets or DEFAULT_SECRETS, tuple(settings.providers), os.environ)
        names = _names_of(providers, known, settings)
        missing = _what_is_missing(names, known, settings)
        if len(missing) == len(names):
            raise _no_provider(missing, known)
        checks = asyncio.run(check_providers(settings, {name: known.key_for(name) for name in names}, missing))
        say(json.dumps(checks_as_json(checks), indent=2) if as_json else describe_checks(checks))
        raise typer.Exit(NoProviderLeftError.exit_status if any(check.problem for check in checks) else 0)


def _names_of(option: str | None, secrets: Secrets, settings: Settings) -> tuple[str, ...]:
    """Return the names of the providers that are asked for.

    Raises:
        SettingsError: `--providers` names an unknown one.
    """
    if option is None:
        return secrets.enabled_providers
    names = tuple(dict.fromkeys(name.strip() for name in option.split(",") if name.strip()))
    for name in names:
        if name not in settings.providers:
            raise SettingsError(
                f"--providers: there is no provider {name!r}; there are {', '.join(settings.providers)}; any other"
                " OpenAI-compatible endpoint gets a section [providers.NAME] in apep-datagen.toml"
            )
    return names


def _what_is_missing(names: tuple[str, ...], secrets: Secrets, settings: Settings) -> dict[str, str]:
    """Return what those of the providers lack that cannot be asked anything."""
    keyless = ("openai", "local")
    return {
        name: secrets.what_is_missing(name)
        for name in names
        if not secrets.key_for(name) and settings.providers[name].kind not in keyless
    }


def _choose_providers(option: str | None, secrets: Secrets, settings: Settings) -> dict[str, str | None]:
    """Return the providers that can be used, with their keys.

    Raises:
        SettingsError: `--providers` names an unknown one.
        NoUsableProviderError: None can be used; on a first start, a template for the keys is written.
    """
    names = _names_of(option, secrets, settings)
    missing = _what_is_missing(names, secrets, settings)
    usable = {name: secrets.key_for(name) for name in names if name not in missing}
    if not usable and not secrets.exists:
        secrets.write_template()
        raise NoUsableProviderError(_welcome(secrets.path))
    if not usable:
        raise _no_provider(missing, secrets)
    for name, what in missing.items():
        typer.echo(f"Not used: {name}: {what}", err=True)
    return usable


def _name_providers(option: str | None, secrets: Secrets, settings: Settings) -> dict[str, str | None]:
    """Return the providers that are asked for, with a key or without, and say which have none.

    Raises:
        SettingsError: `--providers` names an unknown one.
        NoUsableProviderError: None is named anywhere.
    """
    names = _names_of(option, secrets, settings)
    if not names:
        raise _no_provider({}, secrets)
    for name, what in _what_is_missing(names, secrets, settings).items():
        typer.echo(f"No key yet: {name}: {what}", err=True)
    return {name: secrets.key_for(name) for name in names}


def _no_provider(missing: dict[str, str], secrets: Secrets) -> NoUsableProviderError:
    detail = [f"  {name}: {what}" for name, what in missing.items()]
    if not detail and secrets.exists:
        detail = [f'  {secrets.path}: enabled_providers is empty; name one, e.g. ["mistral"]']
    if not detail:
        detail = ["  there are no API keys yet; name providers, e.g. --providers mistral"]
    return NoUsableProviderError(
        "\n".join(["No API clients initialized", *detail, "To try the program without any key: --providers local"])
    )


def _welcome(path: Path) -> str:
    from apep_datagen.api_keys import KEY_SOURCES

    sources = "\n".join(f"  {name}: {url}" for name, url in KEY_SOURCES.items())
    return (
        f"No API clients initialized: there are no API keys yet.\n"
        f"A template was written to {path}; put at least one key into it, and its provider into enabled_providers.\n"
        f"Keys come from\n{sources}\n"
        "To try the program without any key: apep-datagen --providers local --target 5"
    )


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    pairs = {}
    for value in values or []:
        name, separator, rest = value.partition("=")
        if not separator or not name.strip() or not rest.strip():
            raise typer.BadParameter(f"{value!r} is not PROVIDER=VALUE", param_hint=option)
        pairs[name.strip()] = rest.strip()
    return pairs


def _read_exchanges(text: str | None) -> tuple[int, int] | None:
    from apep_datagen.settings import parse_exchanges

    return parse_exchanges(text) if text else None


def _rate(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise SettingsError(f"--rps {name}={value}: the rate must be a number, e.g. --rps {name}=2.5") from error


def main() -> None:
    """Run the program."""
    # What a model writes can be outside the encoding of an old terminal; better a question mark than a crash.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:  # before the run, which handles it itself
        sys.exit(130)
