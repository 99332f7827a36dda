"""When which target is checked: each in its period, by its account, in that account's budget.

An account is one launcher, and all its targets are tasks beside one another: one that hangs delays nobody.
A target of which nothing is known is first checked as soon as the budget allows, in the order of the file.
From then on an account's targets are spread over their periods, and every target keeps its beat: a check that
takes longer than the period skips beats, it does not shift them. What goes wrong with
an account stays with that account: its targets are UNKNOWN, and it is tried again later.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self

from flows import MiniAppError
from launcher.defects import defect
from launcher.exporter.watched import AtWork, Past, Watched
from launcher.launcher import Launcher
from launcher.probe import Budget, Checker, CheckResult, Status, Targets
from launcher.probe.results import not_tested

if TYPE_CHECKING:
    from launcher.sandbox.ready_file import ReadyFile

__all__ = ["Schedule"]

PAGES_AT_ONCE = 4
"""Browser checks of one account at once."""
AGAIN = 60.0
"""Seconds after which an account that cannot be used is tried again; twice as many each time."""
AGAIN_AT_MOST = 900.0


class Schedule:
    """Checks the targets it is given with `use` until its `async with` is left.

    `launcher` makes an account's launcher, not yet entered. `told` hears of each result, `said` why an
    account cannot be used; `keep` and `ready` are those of `Checker`. `clock` is monotonic seconds, `wait`
    lets some of them pass, `wall` gives seconds since the epoch.
    """

    def __init__(
        self,
        launcher: Callable[[str | None], Launcher],
        *,
        told: Callable[[Watched, CheckResult], None] = lambda _, __: None,
        said: Callable[[str], None] = lambda _: None,
        keep: Callable[[Status], bool] | None = None,
        ready: ReadyFile | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.watched: dict[str, Watched] = {}
        self.accounts: dict[str | None, AtWork] = {}
        self.problem: MiniAppError | None = None
        self.clock = clock
        self.wall = wall
        self._launcher = launcher
        self._told = told
        self._said = said
        self._keep = keep
        self._ready = ready
        self._wait = wait
        self._began = wall() - clock()
        self._resolve_every = math.inf
        self._known: dict[str | None, AtWork] = {}
        self._at_work: dict[str | None, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop(list(self._at_work))

    async def use(self, targets: Targets) -> None:
        """From now on check these. Accounts of which nothing has changed are not disturbed."""
        before = {name: account.watched for name, account in self.accounts.items()}
        same_pace = targets.resolve_every == self._resolve_every
        self._resolve_every = targets.resolve_every
        changed = self._take_over(targets)
        wanted: dict[str | None, list[Watched]] = {}
        for target in targets.targets:
            wanted.setdefault(target.account, []).append(self.watched[target.name])
        kept = {
            name
            for name, watched in wanted.items()
            if same_pace
            and before.get(name) == tuple(watched)
            and self.accounts[name].budget.per_minute == targets.account(name).budget
            and not changed.intersection(one.target.name for one in watched)
        }
        await self._stop([name for name in self._at_work if name not in kept])
        for name in wanted.keys() - kept:
            self._start(name, targets, wanted[name])

    async def past(self, watched: Watched, count: int) -> list[Past]:
        """The last checks of a target: as many as its strip shows."""
        return list(watched.past)[-count:]

    def _take_over(self, targets: Targets) -> set[str]:
        """Know these targets, with the past of those that were known; returns the names of changed ones."""
        before, self.watched, changed = self.watched, {}, set()
        for target in targets.targets:
            self.watched[target.name] = watched = before.get(target.name) or Watched(target)
            if watched.target != target:
                watched.target, watched.next_at = target, None
                changed.add(target.name)
        return changed

    async def _stop(self, names: Iterable[str | None]) -> None:
        tasks = [self._at_work.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.accounts = {name: self.accounts[name] for name in self._at_work}

    def _start(self, name: str | None, targets: Targets, watched: list[Watched]) -> None:
        """Set an account to work. What Telegram knows of an earlier time is not forgotten by a new file: the
        requests that were made, and for how long it wants to be left alone."""
        account = self._known.setdefault(name, self._new(name, targets))
        account.budget.change(targets.account(name).budget)
        account.watched = tuple(watched)
        account.up, account.problem, account.again_at = False, None, None
        self.accounts[name] = account
        self._at_work[name] = asyncio.create_task(self._work(account))

    def _new(self, name: str | None, targets: Targets) -> AtWork:
        budget = Budget(targets.account(name).budget, clock=self.clock, wait=self._wait)
        return AtWork(name, budget, (), asyncio.Semaphore(PAGES_AT_ONCE))

    # One account

    async def _work(self, account: AtWork) -> None:
        """Be at work as this account for ever: when it cannot be used, try again later."""
        pause = AGAIN
        while True:
            try:
                async with self._launcher(account.name) as launcher:
                    launcher.cache.clock = self._epoch
                    account.up, account.problem, account.again_at = True, None, None
                    pause = AGAIN
                    await self._check_until_lost(account, launcher)
                problem = launcher.lost
            except MiniAppError as failure:
                problem = failure
            except Exception as error:
                problem = defect(error)
            if _ending() or problem is None:  # leaving the launcher has failed while the schedule ends
                return
            self._down(account, problem, pause)
            await self._until(account.again_at)
            pause = min(2 * pause, AGAIN_AT_MOST)

    def _down(self, account: AtWork, problem: MiniAppError, pause: float) -> None:
        if str(problem) != str(account.problem):
            self._said(f"{account.name or 'The account'}: {problem}")
        account.up, account.problem = False, problem
        account.again_at = self.clock() + pause
        for watched in account.watched:
            watched.next_at = None
            self._note(watched, not_tested(watched.target, problem))

    async def _check_until_lost(self, account: AtWork, launcher: Launcher) -> None:
        checker = Checker(
            launcher, budget=account.budget, resolve_every=self._resolve_every, clock=self._epoch,
            keep=self._keep, ready=self._ready,
        )  # fmt: skip
        lost = asyncio.Event()
        self._spread(account)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._watch(watched, account, checker, lost)) for watched in account.watched
            ]
            await lost.wait()
            for task in tasks:
                task.cancel()

    def _spread(self, account: AtWork) -> None:
        """When each is checked next; those that know it already keep it."""
        now, soonest = self.clock(), _Soonest(account)
        for place, watched in enumerate(account.watched):
            if watched.next_at is None:
                period = watched.target.period
                first = now + period * place / len(account.watched)
                watched.beat = watched.next_at = first
                if watched.last is None or watched.last.status is Status.UNKNOWN:
                    watched.next_at = min(first, now + soonest.of(watched))
                    if 0 < first - watched.next_at < period / 3:
                        watched.beat += period

    # One target

    async def _watch(self, watched: Watched, account: AtWork, checker: Checker, lost: asyncio.Event) -> None:
        while True:
            await self._until(watched.next_at)
            self._note(watched, await self._checked(watched, account, checker))
            if checker.launcher.lost is not None:
                lost.set()
            watched.next_at = _following(watched.beat, watched.target.period, self.clock())

    async def _checked(self, watched: Watched, account: AtWork, checker: Checker) -> CheckResult:
        target = watched.target
        room: Any = account.pages if target.host == "browser" else nullcontext()
        watched.checking = True
        try:
            async with room:
                result = await checker.check(target)
        except Exception as error:
            return not_tested(target, defect(error))
        finally:
            watched.checking = False
        account.requests += result.requests
        account.flood_waits += result.flood_wait is not None
        return result

    def _note(self, watched: Watched, result: CheckResult) -> None:
        watched.note(result, now=self.clock(), at=self.wall())
        self._told(watched, result)

    # Time

    def _epoch(self) -> float:
        """Seconds since the epoch, as they would be had nobody set the clock since the schedule began."""
        return self._began + self.clock()

    async def _until(self, moment: float | None) -> None:
        while moment is not None and (left := moment - self.clock()) > 0:
            await self._wait(left)


class _Soonest:
    """When targets that come one after another can first be checked: what is in the bucket now goes in steps
    of a second at most, so that the bot of several is looked up once; then as quickly as it fills. Targets
    that are due again before all have had their turn need their part."""

    def __init__(self, account: AtWork) -> None:
        budget, targets = account.budget, [one.target for one in account.watched]
        everyone = sum(target.requests for target in targets) * 60 / budget.per_minute
        again = sum(target.requests / target.period for target in targets if target.period < everyone)
        self._pace = budget.per_minute / 60 - again
        self._step = min(1.0, 60 / budget.per_minute)
        self._at_once = budget.left
        self._count = self._asked = 0

    def of(self, watched: Watched) -> float:
        """Seconds from now for the next one."""
        in_turn = self._count * self._step
        self._count += 1
        self._asked += watched.target.requests
        beyond = self._asked - self._at_once
        if beyond > 0 >= self._pace:
            return math.inf
        return max(in_turn, beyond / self._pace if beyond > 0 else 0.0)


def _following(beat: float, period: float, now: float) -> float:
    """The next moment of a beat after now."""
    return beat if now < beat else beat + period * (math.floor((now - beat) / period) + 1)


def _ending() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
