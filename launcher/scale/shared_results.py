"""What the workers have found, for an exporter that opens nothing itself.

    async with Exporter(Path("targets.yaml"), partial(SharedResults, database)) as exporter:

Every `look` seconds it reads from PostgreSQL the results that are new, and who holds which account. What is
known stays when PostgreSQL is away, grows old, and `problem` says why. How many requests an account has left
is reckoned from the results, as its worker does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import class_row
from pydantic import SecretStr

from flows import MiniAppError
from launcher.beside import beside
from launcher.budget import Budget
from launcher.exporter.watched import SHOWN, AtWork, Past, Watched
from launcher.probe import CheckResult, Target, Targets
from launcher.scale.database import Database, DatabaseGone
from launcher.scale.leases import HELD, WAIT
from launcher.scale.letters import Seal
from launcher.scale.tasks import due_before

__all__ = ["SharedResults"]

_NEW = """
select found.* from unnest(%(targets)s::text[], %(dues)s::bigint[], %(moments)s::float8[])
    as known (target, due, written)
cross join lateral (
    select target, due, extract(epoch from written_at)::float8 as written, result, picture,
        extract(epoch from clock_timestamp() - written_at)::float8 as age
    from miniapp_results
    where target = known.target and due >= known.due
        and (due, extract(epoch from written_at)::float8) > (known.due, known.written)
    order by due desc limit %(most)s
) as found
order by found.due
"""
_LEASES = f"select account, {HELD} as held, {WAIT} as wait from miniapp_leases"
_NOTHING = (-1, float("-inf"))
T = TypeVar("T")


class _Unused(MiniAppError):
    """No worker holds the lease of an account."""

    def __init__(self) -> None:
        super().__init__("No worker uses this account.", "Start one that has a session of it.")


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of results. `written` is in seconds since the epoch, `age` how many seconds ago that was."""

    target: str
    due: int
    written: float
    age: float
    result: dict[str, Any]
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class _Lease:
    account: str
    held: bool
    wait: float


class SharedResults:
    """Knows what workers find, until its `async with` is left. Entering raises DatabaseGone.

    The account of targets which name none is the only one that there is a lease of. `told` hears of each
    result, `wait` lets seconds pass, which `clock` tells. Pictures are there only with the `launch_key` of
    the workers.
    """

    def __init__(
        self,
        database: Database,
        *,
        launch_key: SecretStr | None = None,
        look: float = 1.0,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[Watched, CheckResult], None] = lambda _, __: None,
    ) -> None:
        self.watched: dict[str, Watched] = {}
        self.accounts: dict[str | None, AtWork] = {}
        self.problem: MiniAppError | None = None
        self.clock = clock
        self.wall = time.time
        self._database = database
        self._seal = None if launch_key is None else Seal(launch_key)
        self._look = look
        self._wait = wait
        self._told = told
        self._known: dict[str, tuple[int, float]] = {}
        self._leases: dict[str, _Lease] = {}
        self._reading = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._database.migrate()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._disconnect)
            await stack.enter_async_context(beside(self._follow()))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: Any) -> bool | None:
        return await self._stack.__aexit__(*failure)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def use(self, targets: Targets) -> None:
        """From now on know these, with what was found of them before."""
        before, self.watched = self.watched, {}
        wanted: dict[str | None, list[Watched]] = {}
        for target in targets.targets:
            self.watched[target.name] = watched = before.get(target.name) or Watched(target)
            watched.target = target
            wanted.setdefault(target.account, []).append(watched)
        self._known = {name: known for name, known in self._known.items() if name in self.watched}
        self.accounts = {
            name: self._at_work(name, targets.account(name).budget, watched)
            for name, watched in wanted.items()
        }
        await self._refresh()

    def _at_work(self, name: str | None, per_minute: float, watched: list[Watched]) -> AtWork:
        """An account as it was known before, with what the file says of it now."""
        before = self.accounts.get(name)
        if before is None or before.budget.per_minute != per_minute:
            return AtWork(name, Budget(per_minute, clock=self.clock), tuple(watched))
        return replace(before, watched=tuple(watched))

    async def past(self, watched: Watched, count: int) -> list[Past]:
        """The last so many checks of a target, as far as they are kept."""
        try:
            async with self._connected() as connection:
                found = await _found(connection, {watched.target.name: _NOTHING}, count)
        except (DatabaseGone, psycopg.OperationalError):
            return list(watched.past)
        return [Past.of(CheckResult.from_json(one.result), one.written) for one in found]

    # Reading

    async def _follow(self) -> None:
        while True:
            await self._wait(self._look)
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            async with self._connected() as connection:
                await self._read(connection)
        except DatabaseGone as failure:
            self.problem = failure
        except psycopg.OperationalError as error:
            self.problem = self._database.gone(error)
        else:
            self.problem = None
        for account in self.accounts.values():
            self._judge(account)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """The one connection, made anew when it has ended, for one reader at a time."""
        async with self._reading:
            if self._connection is None or self._connection.closed:
                self._connection = await self._database.connect()
            yield self._connection

    async def _read(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._leases = {one.account: one for one in await _rows(connection, _Lease, _LEASES)}
        before = {name: self._known.get(name, _NOTHING) for name in self.watched}
        new = before.keys() - self._known.keys()
        self._known |= before
        for one in await _found(connection, before, SHOWN):
            self._known[one.target] = one.due, one.written
            self._note(one, counted=one.target not in new)

    # What is known

    def _note(self, found: _Found, *, counted: bool) -> None:
        """Take a result in. What is older than this exporter is shown and not counted."""
        watched = self.watched.get(found.target)
        if watched is None:
            return
        result = CheckResult.from_json(found.result)
        if self._seal is not None:
            result = replace(result, screenshot=self._seal.open_picture(found.picture))
        watched.note(result, now=self.clock() - found.age, at=found.written)
        if counted:
            account = self.accounts[watched.target.account]
            account.requests += result.requests
            account.flood_waits += result.flood_wait is not None
            account.budget.spend(result.requests)
        else:
            watched.counts.clear()
        self._told(watched, result)

    def _judge(self, account: AtWork) -> None:
        """Whether a worker has the account, and what follows from that."""
        lease = self._leases.get(account.name) if account.name else _only(self._leases)
        account.problem = self.problem or (None if lease and lease.held else _Unused())
        account.up = account.problem is None
        if lease is not None:
            account.budget.pause(lease.wait)
        for watched in account.watched:
            watched.next_at = self._next(watched.target) if account.up else None

    def _next(self, target: Target) -> float:
        now = self.wall()
        return self.clock() - now + due_before(target, now) / 1000 + target.period


def _only(leases: dict[str, _Lease]) -> _Lease | None:
    return next(iter(leases.values())) if len(leases) == 1 else None


async def _found(
    connection: psycopg.AsyncConnection[Any], known: dict[str, tuple[int, float]], most: int
) -> list[_Found]:
    """What came after what is known of these targets, in the order of due times."""
    values = {
        "targets": list(known), "dues": [due for due, _ in known.values()],
        "moments": [written for _, written in known.values()], "most": most,
    }  # fmt: skip
    return await _rows(connection, _Found, _NEW, values)


async def _rows(
    connection: psycopg.AsyncConnection[Any], kind: type[T], query: str, values: Any = None
) -> list[T]:
    cursor = connection.cursor(row_factory=class_row(kind))
    return await (await cursor.execute(query.encode(), values)).fetchall()
