"""One account, one worker: the lease.

A lease is a session-level advisory lock on a connection that is used for nothing else, and a row with a token
that rises with every lease. The lock excludes: PostgreSQL gives it to the next only when the connection of
its holder has ended, however that came about. The holder watches its connection: when it ends, `on_loss` (it
disconnects from Telegram) is done before anything else. The token fences: what a former holder still writes,
after a pause in which its machine stood still, comes with an older token than the row has and is refused.

When a connection is cut, the lock is free an instant before its holder knows. Hence a lease that was not
given back is used only after `settle` seconds, more than a living holder takes to notice.

Documentation: www.postgresql.org/docs/current/explicit-locking.html (advisory locks)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from flows import MiniAppError
from launcher.scale.database import LEASES, Database, key_of

__all__ = ["HELD", "WAIT", "Lease", "LeaseLost", "leased"]

T = TypeVar("T")
HELD = f"""exists (
    select 1 from pg_locks
    where locktype = 'advisory' and classid = {LEASES} and pid = backend and granted
)"""
"""Of a row of leases: whether its holder is there."""
WAIT = "greatest(0, coalesce(extract(epoch from wait_until - clock_timestamp()), 0))::float8"
"""Of a row of leases: for how many seconds Telegram wants the account to be left alone."""


class LeaseLost(MiniAppError):
    """Another worker may use the account now."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"The lease of the account {account} is lost.", "Its checks are made again by its next holder."
        )


class Lease:
    """A lease that is held until `lost` is set. `token` is larger than that of every lease of this account
    before; `settled` says that the one before was given back, and `wait` for how many seconds Telegram wants
    the account to be left alone. `heard` is called with the payload of each notification on the channel of
    `listen`."""

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        account: str,
        token: int,
        *,
        settled: bool,
        wait: float,
        beat: float,
        patience: float,
    ) -> None:
        self.account = account
        self.token = token
        self.settled = settled
        self.wait = wait
        self.lost = asyncio.Event()
        self.on_loss: Callable[[LeaseLost], Awaitable[None]] | None = None
        self.heard: Callable[[str], None] = lambda _: None
        self._connection = connection
        self._beat = beat
        self._patience = patience
        self._asking: asyncio.Future[Any] | None = None

    async def watch(self) -> None:
        """Until the connection ends, or is silent for too long. Always raises LeaseLost."""
        try:
            while True:
                async for notification in self._connection.notifies(timeout=self._beat):
                    self.heard(notification.payload)
                await self._answer()
        except (psycopg.OperationalError, TimeoutError):
            lost = LeaseLost(self.account)
        if self.on_loss is not None:
            await self.on_loss(lost)
        self.lost.set()
        raise lost

    async def _answer(self) -> None:
        """Have the server answer. One that does not is not waited for: psycopg would ask it to cancel."""
        asking = asyncio.ensure_future(self._connection.execute("select 1"))
        self._asking = asking
        done, _ = await asyncio.wait((asking,), timeout=self._patience)
        if not done:
            raise TimeoutError
        await asking

    async def close(self) -> None:
        """End the connection, and with it the lock."""
        await self._connection.close()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def while_held(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, which is cancelled when the lease is lost. Raises LeaseLost."""
        working = asyncio.ensure_future(work)
        losing = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
            if self.lost.is_set():
                raise LeaseLost(self.account)
            return await working
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.wait((working, losing))


@asynccontextmanager
async def leased(
    database: Database,
    account: str,
    worker: str,
    *,
    listen: str | None = None,
    beat: float = 2.0,
    patience: float = 3.0,
) -> AsyncIterator[Lease | None]:
    """The account's lease for the length of the block; None when somebody else has it.

    Every `beat` seconds the connection is tried, and given up after `patience` seconds without an answer.
    Raises DatabaseGone.
    """
    connection = await database.connect()
    lease = None
    try:
        row = await _row(connection, "select pg_try_advisory_lock(%s, %s)", LEASES, key_of(account))
        if not row[0]:
            yield None
            return
        token, settled, wait = await _next_token(connection, account, worker)
        if listen is not None:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(listen)))
        lease = Lease(connection, account, token, settled=settled, wait=wait, beat=beat, patience=patience)
        try:
            yield lease
        finally:
            if not lease.lost.is_set():
                await _give_back(connection, account, token)
    finally:
        await (connection if lease is None else lease).close()


async def _next_token(
    connection: psycopg.AsyncConnection[Any], account: str, worker: str
) -> tuple[int, bool, float]:
    """The token of this lease, whether the one before it was given back, and how long the account is to be
    left alone."""
    async with connection.transaction():
        before = await (
            await connection.execute(
                "select token, given_back from miniapp_leases where account = %s for update", [account]
            )
        ).fetchone()
        row = await _row(
            connection,
            "insert into miniapp_leases (account, token, worker, backend)"
            " values (%s, 1, %s, pg_backend_pid()) on conflict (account) do update set"
            " token = miniapp_leases.token + 1, worker = excluded.worker, backend = excluded.backend,"
            f" taken_at = now(), given_back = false returning token, {WAIT}",
            account,
            worker,
        )
    return int(row[0]), before is None or bool(before[1]), float(row[1])


async def _give_back(connection: psycopg.AsyncConnection[Any], account: str, token: int) -> None:
    """Say that nobody is connected as this account any more, and free the lock at once: the server notices
    a closed connection a little later. Not being able to costs the next holder `settle` seconds."""
    try:
        await connection.execute(
            "update miniapp_leases set given_back = true where account = %s and token = %s", [account, token]
        )
        await connection.execute("select pg_advisory_unlock(%s, %s)", [LEASES, key_of(account)])
    except psycopg.OperationalError:
        return


async def _row(connection: psycopg.AsyncConnection[Any], query: Any, *values: Any) -> Any:
    return await (await connection.execute(query, values)).fetchone()
