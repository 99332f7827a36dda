"""One verification: the bot is found, its apps are opened, the assumptions are looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack

from flows import BadInput, Bot, CannotOpen, Consent, MiniAppError
from flows.bots import find_bot
from launcher.launcher import Launcher
from launcher.probe.budget import Budget
from launcher.sandbox.assumptions import ASSUMPTIONS
from launcher.verify.contact import ENDING, Contact, Untested
from launcher.verify.findings import Finding, Opened, Verdict, Verification
from launcher.verify.openings import flow_of, openings
from launcher.verify.second_client import SecondClient
from launcher.verify.table import OBSERVATIONS, UNTESTED, Observation

__all__ = ["WRITES", "verify"]

WRITES = {name: one.writes for name, one in OBSERVATIONS.items() if one.writes is not None}
"""What is written, by the assumption that it is written for; only when allowed."""

Told = Callable[[Opened | Finding], None]


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
    (`WRITES` says what); `consent` answers what opening asks. `budget` is 20 requests in a minute by default.
    `told` hears of each opening and finding as it comes.

    Nothing that Telegram refuses is raised; a flood wait, a lost account or connection ends the verification
    with what it has. Raises BadInput without a bot, for a link to anything but an app, and for a name in
    `allowed` for which nothing is written; WrongSecret for a wrong token; and what `find_bot` raises.
    """
    _check(allowed)
    for link in links:
        flow_of(link)
    budget = budget or Budget(20)
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
        self._contact, self._allowed, self._told = contact, allowed, told
        self._opened: list[Opened] = []
        self._findings: dict[str, Finding] = {}
        self._stopped: MiniAppError | None = None

    async def run(self, links: Sequence[str], consent: Consent) -> None:
        try:
            if not self._contact.bot.restricted:
                async for one in openings(self._contact, links, consent):
                    self._opened.append(one)
                    self._told(one)
            self._contact.opened = self._opened
            for name, observation in OBSERVATIONS.items():
                self._note(await self._look(name, observation))
        except ENDING as failure:
            self._stopped = failure

    async def _look(self, name: str, observation: Observation) -> Finding:
        if observation.writes is not None and name not in self._allowed:
            return _untested(name, f"it writes {observation.writes}, which has to be allowed by its name")
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

    def _note(self, finding: Finding) -> None:
        self._findings[finding.name] = finding
        self._told(finding)

    def result(self) -> Verification:
        unreached = f"not reached: {self._stopped.meaning}" if self._stopped else ""
        findings = tuple(
            self._findings.get(name) or _untested(name, UNTESTED.get(name, unreached)) for name in ASSUMPTIONS
        )
        return Verification(
            self._contact.launcher.server.name,
            self._contact.bot.username,
            tuple(self._opened),
            findings,
            self._contact.requests,
            None if self._stopped is None else str(self._stopped),
        )


def _untested(name: str, why: str) -> Finding:
    return Finding(ASSUMPTIONS[name], Verdict.UNTESTED, why)
