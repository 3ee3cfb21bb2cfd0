"""Asking for more of the world until there is as much as was wished for, and keeping what passes at each answer.

    Prompter.messages → Asker.ask → read_proposals → Examiner → GrownFile.add

What passed is on the disk before the next request goes out: whatever ends the command, no answer that was paid for is
lost but the one under way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.budget.account import Account, run_limits
from apep_datagen.budget.amounts import NOTHING, Amount
from apep_datagen.budget.prices import Prices
from apep_datagen.config.invocation import ledger_path
from apep_datagen.config.provider_choice import ProviderChoice
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import NoProviderLeftError, ProviderError, UnusableAnswerError
from apep_datagen.core.messages import ModelRole
from apep_datagen.grow.asking import Asker, Books
from apep_datagen.grow.checking import Examined, Examiner
from apep_datagen.grow.grown_file import GrownFile
from apep_datagen.grow.prompting import Prompter, Sort, load_grow_prompt
from apep_datagen.grow.proposals import Refused, Topic, read_proposals
from apep_datagen.grow.texts import quoted
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.parts import load_files, load_world
from apep_datagen.people.world import Moment, Slot

__all__ = ["DEFAULT_WISH", "MOST_REQUESTS", "Growth", "Wish", "grow"]

MOST_REQUESTS = 100
"""So many requests are sent at most where nobody says how many."""

_PER_ANSWER: Mapping[Sort, int] = {"facts": 4, "moments": 4, "topics": 40}
_MOST_USELESS_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """How much more there is to be: kinds of fact, moments, topics."""

    facts: int = 0
    moments: int = 0
    topics: int = 0


DEFAULT_WISH = Wish(20, 5, 60)
"""Where nobody says how much."""


@dataclass(slots=True)
class Growth:
    """What has come of it so far.

    Attributes:
        added: How much was added, by sort.
        refused: How many proposals were refused.
        spent: What it cost.
        is_priced: Whether it is known what that is in dollars.
    """

    added: dict[Sort, int] = field(default_factory=lambda: {"facts": 0, "moments": 0, "topics": 0})
    refused: int = 0
    spent: Amount = NOTHING
    is_priced: bool = True


async def grow(
    directory: Path,
    wish: Wish,
    settings: Settings,
    choice: ProviderChoice,
    *,
    growth: Growth,
    tell: Callable[[str], None],
) -> None:
    """Have the world of a directory grow.

    Args:
        directory: `--prompts`.
        wish: How much.
        settings: The configuration; its budgets are those of this invocation.
        choice: The providers; the next one is asked where one cannot be used any more.
        growth: Is told what has come of it, at each answer.
        tell: Is told, in a line each, what was added, what was refused and why, and what is waited for.

    Raises:
        SettingsError: A file cannot be read, or written into as it is; or a price is missing.
        StorageError: The file or the ledger cannot be written.
        BudgetReachedError: A budget does not permit another request.
        NoProviderLeftError: No provider can be used any more, or none proposes anything that passes.
    """
    budget = settings.budget
    if budget.max_usd is not None:
        sections = settings.providers
        Prices(settings.quote).require((name, sections[name].model_for(ModelRole.ADA)) for name in choice.keys)
    account = Account(run_limits(budget.max_requests or MOST_REQUESTS, budget.max_tokens, budget.max_usd))
    file = GrownFile(directory)
    with file.locked():
        growing = _Growing(file, directory, growth, tell)
        books = Books(account, ledger_path(choice.secrets_path), file.path, tell)
        failures = []
        try:
            for name, key in choice.keys.items():
                failure = await growing.ask(Asker(name, settings, key, books, tell), wish)
                if not failure:
                    return
                failures.append(f"{name}: {failure}")
                tell(failures[-1])
        finally:
            growth.spent, growth.is_priced = account.spent, books.is_priced
            await books.close()
    raise NoProviderLeftError(
        f"Nothing more comes from any provider, and less was added than asked for ({failures[-1]})"
    )


class _Growing:
    """One invocation: what is known, and what is added to it.

    Args:
        file: What grows; it is locked.
        directory: Where the world is read from.
        growth: As above.
        tell: As above.
    """

    def __init__(self, file: GrownFile, directory: Path, growth: Growth, tell: Callable[[str], None]) -> None:
        file.check()
        cast = load_cast(directory)
        traits = _traits_of(cast)
        self._file = file
        self._draw = random.Random()  # noqa: S311 - no secret depends on it
        self._examiner = Examiner((cast.world, load_world(part="held out")), traits)
        files = load_files(directory)["drawn"]
        self._prompter = Prompter(load_grow_prompt(directory), files, cast.world.vocabulary, traits, self._draw)
        self._growth = growth
        self._tell = tell

    async def ask(self, asker: Asker, wish: Wish) -> str:
        """Ask one provider for all that is still missing; return why it cannot go on, or nothing where all is there."""
        wanted: Mapping[Sort, int] = {"facts": wish.facts, "moments": wish.moments, "topics": wish.topics}
        try:
            await asker.start()
            for sort, count in wanted.items():
                useless = 0
                while (missing := count - self._growth.added[sort]) > 0:
                    useless = 0 if await self._ask_once(asker, sort, missing) else useless + 1
                    if useless == _MOST_USELESS_ANSWERS:
                        return f"nothing in its last {useless} answers passes; another model may do better"
        except ProviderError as error:
            return str(error)
        finally:
            await asker.close()
        return ""

    async def _ask_once(self, asker: Asker, sort: Sort, missing: int) -> int:
        """Ask for more of a sort, and keep what passes; return how much that is."""
        messages = self._prompter.messages(sort, min(missing, _PER_ANSWER[sort]))
        try:
            answer = await asker.ask(messages, self._draw.getrandbits(31))
        except UnusableAnswerError as error:
            self._tell(f"{asker.name}: {error}")
            return 0
        kinds: list[Slot] = []
        moments: list[Moment] = []
        topics: dict[str, list[str]] = {}
        found = 0
        for found, proposal in enumerate(read_proposals(answer), start=1):  # noqa: B007 - it is how many there were
            match self._examined(proposal):
                case Slot() as kind:
                    kinds.append(kind)
                case Moment() as moment:
                    moments.append(moment)
                case Topic(key, text):
                    topics.setdefault(key, []).append(text)
                case Refused(name, reason):
                    self._growth.refused += 1
                    self._tell(f"  refused: {name}: {reason}")
        if not found:
            self._tell(f"{asker.name}: its answer has no tables and no lists of topics")
        added = {"facts": len(kinds), "moments": len(moments), "topics": sum(map(len, topics.values()))}
        if any(added.values()):
            self._file.add(kinds, moments, topics)
            self._prompter.add(kinds, moments, topics)
            for each in self._growth.added:
                self._growth.added[each] += added[each]
            self._tell_added(kinds, moments, topics)
        return added[sort]

    def _examined(self, proposal: Slot | Moment | Topic | Refused) -> Slot | Moment | Topic | Refused:
        """Return what may come into the world of a proposal, or why it may not."""
        match proposal:
            case Slot():
                examined = self._examiner.examine_kind(proposal)
                if isinstance(examined, Examined):
                    for reason in examined.left_out:
                        self._tell(f"  left out of {proposal.slot}: {reason}")
                    return examined.slot
                return Refused(proposal.slot, examined)
            case Moment():
                why = self._examiner.examine_moment(proposal)
                return Refused(proposal.slot, why) if why else proposal
            case Topic():
                why = self._examiner.examine_topic(proposal.text)
                return Refused(quoted(proposal.text), why) if why else proposal
        return proposal

    def _tell_added(self, kinds: list[Slot], moments: list[Moment], topics: Mapping[str, list[str]]) -> None:
        for kind in kinds:
            self._tell(f"added: {kind.slot}: {kind.ask}")
        for moment in moments:
            self._tell(f"added: {moment.slot}: {moment.ask}")
        for key, texts in topics.items():
            self._tell(f"added: {len(texts)} {key.replace('_', ' ')}, such as {quoted(texts[0])}")


def _traits_of(cast: Cast) -> frozenset[str]:
    """Return what users can be, and what the tables ask of them."""
    users, world = cast.users, cast.world
    found = {trait for given in (*users.jobs, *users.animals) for trait in given.traits}
    found |= {trait for part in users.life for trait in (part.trait, part.otherwise) if trait}
    found |= set(users.person.traits) if users.person else set()
    found |= {trait for kind in world.slots.values() for trait in (*kind.needs, *kind.not_for)}
    return frozenset(found)
