"""One verification: the bot is found, its apps are opened, the assumptions are looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack

from flows import BadInput, Bot, CannotOpen, Consent, MiniAppError
from flows.bots import find_bot
from launcher.budget import Budget, budget_for
from launcher.launcher import Launcher
from launcher.sandbox.assumptions import ASSUMPTIONS
from launcher.verify.contact import ENDING, Contact, Untested
from launcher.verify.findings import Finding, Opened, Step, Verdict, Verification
from launcher.verify.openings import MOST, flow_of, opened, ways_to_open
from launcher.verify.second_client import SecondClient
from launcher.verify.table import OBSERVATIONS, UNTESTED, Observation

__all__ = ["WRITES", "verify"]

WRITES = {name: one.writes for name, one in OBSERVATIONS.items() if one.writes is not None}
"""What is written, by the assumption that it is written for; only when allowed."""

Told = Callable[[Step], None]


async def verify(
    launcher: Launcher,
    bot: str | None = None,
    *,
    links: Sequence[str] = (),
    allowed: Collection[str] = (),
    consent: Consent | None = None,
    budget: Budget | None = None,
    told: Told = lambda _: None,
) -> Verification:
    """Compare the server of this launcher with the sandbox's assumptions, by a bot of the account's owner.

    `bot` is a user name; without one it is the bot of TELEGRAM_BOT_TOKEN. `links` are direct links of its
    apps, beside those in its messages. `allowed` are the assumptions for which something may be written
    (`WRITES` says what); `consent` answers what opening asks. `budget` is 20 requests in a minute by default,
    on a sandbox as many as it answers. `told` hears of each step before it is made.

    Nothing that Telegram refuses is raised; a flood wait, a lost account or connection ends the verification
    with what it has. Raises BadInput without a bot, for a link to anything but an app, and for a name in
    `allowed` for which nothing is written; WrongSecret for a wrong token; and what `find_bot` raises.
    """
    _check(allowed)
    for link in links:
        flow_of(link)
    budget = budget or budget_for(launcher.server)
    async with AsyncExitStack() as stack:
        second = SecondClient(launcher, stack)
        name = bot or await _own_bot(launcher, second)
        await budget.take(1)
        contact = Contact(launcher, await _found(launcher, name), budget, second)
        contact.requests += 1
        looking = _Looking(contact, frozenset(allowed), told)
        await looking.run(links, consent or launcher.consent)
        return looking.result()


def _check(allowed: Collection[str]) -> None:
    if unknown := sorted(set(allowed) - WRITES.keys()):
        raise BadInput(f"Nothing is written for {unknown[0]}.", f"Allow one of {', '.join(WRITES)}.")


async def _own_bot(launcher: Launcher, second: SecondClient) -> str:
    token = launcher.settings.bot_token
    if token is None:
        raise BadInput("No bot is named.", "Give its user name, or set TELEGRAM_BOT_TOKEN.")
    return str((await second.bot_user(token)).username)


async def _found(launcher: Launcher, name: str) -> Bot:
    """The bot; also one that is restricted, which is something to be looked at."""
    try:
        return await find_bot(launcher.client, name, launcher.cache)
    except CannotOpen:
        known = launcher.cache.bot_named(name.removeprefix("@"))
        if known is None or not known.restricted:
            raise
        return known


class _Looking:
    """The verification under way."""

    def __init__(self, contact: Contact, allowed: frozenset[str], told: Told) -> None:
        self._contact, self._told = contact, told
        self._looked_at = {
            name: one for name, one in OBSERVATIONS.items() if one.writes is None or name in allowed
        }
        self._opened: list[Opened] = []
        self._findings: dict[str, Finding] = {}
        self._stopped: MiniAppError | None = None
        self._steps = self._made = 0

    async def run(self, links: Sequence[str], consent: Consent) -> None:
        try:
            ways = [] if self._contact.bot.restricted else await ways_to_open(self._contact, links)
            self._steps = len(ways) + len(self._looked_at)
            for way in ways:
                self._step(f"open {way}", MOST)
                self._opened.append(await opened(self._contact, way, consent))
            self._contact.opened = self._opened
            for name, observation in self._looked_at.items():
                self._step(f"see whether {name.replace('_', ' ')}", 1)
                self._findings[name] = await self._look(name, observation)
        except ENDING as failure:
            self._stopped = failure

    def _step(self, what: str, needed: int) -> None:
        self._made += 1
        pause = self._contact.budget.pause_before(needed)
        self._told(Step(what, self._made, self._steps, self._contact.requests, pause))

    async def _look(self, name: str, observation: Observation) -> Finding:
        try:
            seen = await observation.look(self._contact)
        except Untested as why:
            return _untested(name, str(why))
        except ENDING:
            raise
        except MiniAppError as failure:
            return _untested(name, failure.meaning)
        verdict = Verdict.CONFIRMED if seen.holds else Verdict.CONTRADICTED
        return Finding(ASSUMPTIONS[name], verdict, seen.what, seen.exchange)

    def result(self) -> Verification:
        findings = tuple(
            self._findings.get(name) or _untested(name, self._why_not(name)) for name in ASSUMPTIONS
        )
        return Verification(
            self._contact.launcher.server.name,
            self._contact.bot.username,
            tuple(self._opened),
            findings,
            self._contact.requests,
            None if self._stopped is None else str(self._stopped),
        )

    def _why_not(self, name: str) -> str:
        if name in UNTESTED:
            return UNTESTED[name]
        if name not in self._looked_at:
            return f"it writes {OBSERVATIONS[name].writes}, which has to be allowed by its name"
        assert self._stopped is not None
        return f"not reached: {self._stopped.meaning}"


def _untested(name: str, why: str) -> Finding:
    return Finding(ASSUMPTIONS[name], Verdict.UNTESTED, why)
