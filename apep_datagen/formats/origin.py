"""Where an example comes from: what the state database knows of it, for forms that have columns for that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

__all__ = ["Origin", "model_name"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an example comes from; empty, 0 or None where nobody knows, such as of what another program wrote.

    Attributes:
        numbers: The numbers in the output, from 1, of the conversations that it is made of.
        conversations: Their numbers in the run.
        user: Who speaks, as the run knows them: a name that no other user of the run has, such as `user-00017`.
        name: What they are called.
        days: When each took place, as ISO dates and times to the minute.
        abilities: What each shows of Ada.
        forms: In which of its forms each shows it.
        topics: What each is about.
        provider: Who made it.
        models: Provider and model with the roles they worked in, e.g. `together / model (ada, rewriter)`.
        prompt_tokens: What it took to make it, as the providers counted.
        completion_tokens: As well.
        seed: From which the seeds of its model calls follow.
        stands_by_itself: Whether the days of its user went on without it, as after judging anew.
        level: How strictly it was judged: `off`, `form` or `strict`; empty where it was not.
    """

    numbers: tuple[int, ...] = ()
    conversations: tuple[int, ...] = ()
    user: str = ""
    name: str = ""
    days: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    provider: str = ""
    models: tuple[str, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seed: int | None = None
    stands_by_itself: bool = False
    level: str = ""


def model_name(model: str) -> str:
    """Return how a model is called where others read it: of one that is a file, without where it is on a machine."""
    is_file = model.startswith(("/", "~", ".")) or "\\" in model or PureWindowsPath(model).drive
    return PureWindowsPath(PurePosixPath(model).name).name if is_file else model
