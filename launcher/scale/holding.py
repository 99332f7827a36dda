"""One account at work: under its lease, as long as that is held.

    lease ── Telegram ── what a former holder left is put back ── due checks into the queue, and off again

The blocks lie in each other in this order, so what is left first is the queue and what is left last the
lease. When the lease is lost, its watcher disconnects from Telegram, and only then the blocks are left.

What Telegram has said to a former holder holds for the next: a flood wait is part of the lease. Who follows a
holder that was cut off begins without requests saved up, because that one may have made them all.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from procrastinate import App

from flows import MiniAppError
from launcher.beside import beside
from launcher.budget import Budget, LeftAlone
from launcher.launcher import Launcher
from launcher.probe import Checker, CheckResult, Target, Targets
from launcher.probe.all_at_once import AT_ONCE
from launcher.probe.results import not_tested
from launcher.scale import results, tasks
from launcher.scale.database import Database
from launcher.scale.leases import Lease, LeaseLost, leased
from launcher.scale.letters import Seal
from launcher.scale.pages import CHANNEL, Sender
from launcher.settings import Settings

__all__ = ["Crew", "Holding", "InUse", "Pace", "budget_under"]


class InUse(MiniAppError):
    """Another worker has the account."""

    def __init__(self, account: str) -> None:
        super().__init__(f"{account} is used by another worker.", "Leave its checks to that one, or stop it.")


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds.

    `look`: how often a worker looks for accounts that are free. `beat` and `patience`: of the lease (see
    `leased`); PostgreSQL may take so long to give a connection. `settle`: how long a lease that was not given
    back is not used. `refused`: how long an account that Telegram or its session file refuses is left alone.
    `stop`: how long running checks may take when the worker is stopped; those that take longer go back into
    the queue.
    """

    look: float = 1.0
    beat: float = 2.0
    patience: float = 3.0
    settle: float = 1.0
    refused: float = 60.0
    stop: float = 10.0


@dataclass(frozen=True, slots=True)
class Crew:
    """What all accounts of a worker share. With a `seal` pages are shown by whichever worker has a browser to
    spare. `told` hears of each result once it is written."""

    settings: Settings
    targets: Targets
    database: Database
    app: App
    name: str
    seal: Seal | None = None
    pace: Pace = Pace()
    clock: Callable[[], float] = time.time
    told: Callable[[CheckResult], None] = field(default=lambda _: None)


def budget_under(lease: Lease, per_minute: float) -> Budget:
    """The budget that a new lease begins with: paused as long as a former holder was told, and without
    requests saved up after one that was cut off."""
    budget = Budget(per_minute)
    budget.pause(lease.wait)
    if not lease.settled:
        budget.spend(math.floor(budget.left))
    return budget


class Holding:
    """An account that this worker holds; `targets` are those that are checked as it."""

    def __init__(self, crew: Crew, account: str, targets: list[Target]) -> None:
        self.crew = crew
        self.account = account
        self._targets = {target.name: target for target in targets}
        self._deferred: dict[str, int] = {}
        self._account_lost = asyncio.Event()

    async def run(self, *, once: bool = False) -> None:
        """Work as the account until the lease is lost (LeaseLost), or once through what is due.

        Raises InUse when somebody else holds it, MiniAppError for an account that cannot be used or that is
        lost meanwhile, after its targets have got results that say so, also for one that Telegram wants to be
        left alone when all is done `once`, and one of `tasks.AWAY` without
        PostgreSQL.
        """
        pace = self.crew.pace
        async with leased(
            self.crew.database, self.account, self.crew.name,
            listen=CHANNEL if self.crew.seal else None, beat=pace.beat, patience=pace.patience,
        ) as lease:  # fmt: skip
            if lease is None:
                raise InUse(self.account)
            self._lease = lease
            async with beside(lease.watch()):
                if not lease.settled:
                    await asyncio.sleep(pace.settle)
                await self._as_account(lease, once=once)

    async def _as_account(self, lease: Lease, *, once: bool) -> None:
        entered = False
        try:
            async with Launcher(self.crew.settings, self.account) as launcher:
                entered = True
                lease.on_loss = launcher.hang_up
                await self._work(launcher, once=once)
        except LeaseLost:
            raise
        except MiniAppError as failure:
            if not entered:
                await self._not_tested(failure)
            raise

    async def _work(self, launcher: Launcher, *, once: bool) -> None:
        targets, seal = self.crew.targets, self.crew.seal
        sender = None if seal is None else Sender(self.crew.app, seal)
        if sender is not None:
            self._lease.heard = sender.heard
        budget = budget_under(self._lease, targets.account(self.account).budget)
        self._checker = Checker(
            launcher,
            budget=budget,
            resolve_every=targets.resolve_every,
            clock=self.crew.clock,
            show=None if sender is None else sender.show,
        )
        await tasks.put_back(self.crew.app, self.account)
        await self._defer_due()
        async with beside(self._until_lost(launcher)):
            if once:
                await self._work_off(wait=False)
            else:
                async with beside(self._schedule()):
                    await self._work_off(wait=True)
        if launcher.lost is not None:  # with the last check that was due
            raise launcher.lost
        if once and budget.paused_for:
            raise LeftAlone(budget.paused_for)

    async def _work_off(self, *, wait: bool) -> None:
        await self.crew.app.run_worker_async(
            queues=[tasks.queue_of(self.account)],
            name=self.crew.name,
            concurrency=AT_ONCE,
            wait=wait,
            shutdown_graceful_timeout=self.crew.pace.stop if wait else math.inf,
            delete_jobs="successful",
            additional_context={"holding": self},
            install_signal_handlers=False,
        )

    async def check(self, name: str, due: int) -> None:
        """Carry out a job. A target that is no longer in the file is not checked."""
        target = self._targets.get(name)
        if target is not None:
            await self._write(await self._lease.while_held(self._checker.check(target)), due)
            if self._checker.launcher.lost is not None:
                self._account_lost.set()

    async def _until_lost(self, launcher: Launcher) -> None:
        """Until Telegram has ended the account's session; raises why."""
        await self._account_lost.wait()
        if launcher.lost is not None:
            raise launcher.lost

    async def _write(self, result: CheckResult, due: int) -> None:
        seal = self.crew.seal
        await results.write(
            tasks.pool_of(self.crew.app),
            result,
            due=due,
            account=self.account,
            token=self._lease.token,
            worker=self.crew.name,
            picture=None if seal is None else seal.seal_picture(result.screenshot),
        )
        self.crew.told(result)

    async def _not_tested(self, failure: MiniAppError) -> None:
        for target in self._targets.values():
            await self._write(not_tested(target, failure), tasks.due_before(target, self.crew.clock()))

    # What is due

    async def _schedule(self) -> None:
        while True:
            now = self.crew.clock()
            periods = (tasks.due_before(one, now) / 1000 + one.period for one in self._targets.values())
            await asyncio.sleep(max(0.02, min(periods) - now))
            await self._defer_due()

    async def _defer_due(self) -> None:
        now = self.crew.clock()
        for target in self._targets.values():
            due = tasks.due_before(target, now)
            if self._deferred.get(target.name) != due:
                await tasks.defer(self.crew.app, self.account, target, due)
                self._deferred[target.name] = due
