"""What this machine, and not a provider, makes go wrong: environment variables of proxies and certificates, open files.

HTTP clients read such variables when they are made, and raise anything. Which variable it is, is found out by making a
client with each of them alone. No value is quoted: a proxy's address can hold a password.
"""

from __future__ import annotations

import contextlib
import errno
import os
import ssl
from collections.abc import Callable, Iterator

__all__ = ["problem_of_machine", "problem_of_variables"]

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OPEN_FILES = (errno.EMFILE, errno.ENFILE)


def problem_of_variables(error: Exception) -> str | None:
    """Say which environment variables made it impossible to make an HTTP client, and what to do.

    Args:
        error: What making a client raised.

    Returns:
        A sentence, or None where no variable by itself brings about this error.
    """
    import httpx
    import httpx2

    clients: tuple[Callable[[], object], ...] = (httpx2.AsyncClient, httpx.AsyncClient)
    names = [name for name in sorted(os.environ) if _is_heeded(name)]
    guilty = [name for name in names if any(_is_same(error, _failure(client, name)) for client in clients)]
    if not guilty:
        return None
    variables = f"the environment variable{'s' if len(guilty) > 1 else ''} {' and '.join(guilty)}"
    return f"no HTTP client can be made with {variables}: {_remedy(guilty[0])}"


def problem_of_machine(error: BaseException) -> str | None:
    """Say what of this machine kept a request from being sent, and what to do; None where it was something else.

    Args:
        error: One of the exceptions that the failure was caused by.
    """
    errors = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    if any(isinstance(each, OSError) and each.errno in _OPEN_FILES for each in errors):
        return "too many open files; permit more of them with `ulimit -n`, or lower max_in_flight"
    if isinstance(error, ssl.SSLCertVerificationError):
        for name in _CERTIFICATES:  # the first one is the one that is heeded
            if os.environ.get(name):
                return (
                    f"its certificate cannot be verified with those that the environment variable {name} names;"
                    " correct it, or unset it"
                )
    return None


def _is_heeded(name: str) -> bool:
    """Tell whether HTTP clients read a variable of this name."""
    return name.upper().startswith("SSL") or name.upper().endswith("_PROXY")


def _failure(make_client: Callable[[], object], name: str) -> Exception | None:
    """Return what making a client raises where this variable alone is set."""
    with _alone(name):
        try:
            make_client()
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is asked for
            return error
    return None


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Take all other variables that clients read out of the environment. Nothing is waited for meanwhile."""
    others = {other: value for other, value in os.environ.items() if other != name and _is_heeded(other)}
    for other in others:
        del os.environ[other]
    try:
        yield
    finally:
        os.environ.update(others)


def _is_same(error: Exception, other: Exception | None) -> bool:
    return other is not None and type(other) is type(error) and str(other) == str(error)


def _remedy(name: str) -> str:
    if name.upper() == "NO_PROXY":
        return "write hosts with commas between them, such as localhost,127.0.0.1,::1, without brackets, or unset it"
    if name.upper().endswith("_PROXY"):
        return "write http://HOST:PORT, as other kinds of proxies, such as SOCKS, cannot be used, or unset it"
    return "the file that it names is missing, cannot be used or is of another kind; correct it, or unset it"
