"""Keeping the requests of a run within the files that it may have open: each request in flight is a connection.

The limit is raised as far as the system permits. Where that is still too little, the providers share what is left for
connections: those that need few get what they need, the others the same each.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterable

from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError

if sys.platform != "win32":
    import resource

__all__ = ["fit_open_files", "share_connections"]

# Databases, output, log, locks, the event loop, name servers, the SDKs while they are imported.
_OWN_FILES = 64
# macOS takes no more where its hard limit says that there is none.
_MOST_WITHOUT_LIMIT = 10_240
# Few answers take longer. A rate that has no room for those that do is not worth a message.
_LONG_ANSWER_SECONDS = 60.0


def fit_open_files(settings: Settings, providers: Iterable[str], notify: Callable[[str], None]) -> Settings:
    """Raise the limit of open files, and lower `max_in_flight` where it still is too low for all requests.

    Args:
        settings: The configuration.
        providers: Names of the providers of the run.
        notify: Is told, in a sentence, where fewer requests are in flight than are asked for.

    Returns:
        The configuration to use.

    Raises:
        SettingsError: There is no room for a single connection.
    """
    limit = _raise_limit()
    if limit is None:
        return settings
    if limit <= _OWN_FILES:
        raise SettingsError(
            f"only {limit} files may be open, and a run needs {_OWN_FILES} beside its connections; raise that limit,"
            " e.g. with `ulimit -n 1024`"
        )
    sections = dict(settings.providers)
    needs = {name: _in_flight(sections[name], sections[name].timeout_seconds) for name in providers}
    for name, share in share_connections(limit - _OWN_FILES, needs).items():
        section = sections[name]
        if share < needs[name]:
            sections[name] = section.model_copy(update={"max_in_flight": share})
        if share < _in_flight(section, min(section.timeout_seconds, _LONG_ANSWER_SECONDS)):
            notify(
                f"{name}: its requests in flight are limited to {share}, because only {limit} files may be open; raise"
                " that limit (ulimit -n) to have more"
            )
    return settings.model_copy(update={"providers": sections})


def share_connections(connections: int, needs: dict[str, float]) -> dict[str, int]:
    """Share connections among providers.

    Args:
        connections: How many there are.
        needs: How many each provider can use at most.

    Returns:
        How many each may use: at least one, and no more than it needs.
    """
    shares: dict[str, int] = {}
    for place, (name, need) in enumerate(sorted(needs.items(), key=lambda item: item[1])):
        share = max(1, connections // (len(needs) - place))
        shares[name] = share if need > share else math.ceil(need)
        connections -= shares[name]
    return shares


def _in_flight(section: ProviderSettings, seconds: float) -> float:
    """Return how many requests a provider has in flight at most where each takes so many seconds (Little's law)."""
    rate = section.requests_per_second
    return min(section.max_in_flight or math.inf, math.inf if rate is None else 1 + rate * seconds)


def _raise_limit() -> int | None:
    """Permit as many open files as the system lets this process have; return how many, or None for no limit."""
    if sys.platform == "win32":
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, _MOST_WITHOUT_LIMIT):
        if soft == resource.RLIM_INFINITY or 0 <= wanted <= soft:
            break
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            break
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
