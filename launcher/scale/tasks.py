"""The queues: one for each account, worked off by whoever holds its lease, and one of pages to be shown.

A check is put into its account's queue once for each due time (Procrastinate's table of periodic jobs has it
unique), and no target waits in line twice (its queueing lock). What cannot be finished, because the lease is
lost, the worker stopped or PostgreSQL is away, goes back into the queue. What a worker was doing when it was
killed stays marked as being done; nobody but the holder of the lease works on the queue, so the next holder
puts it back at once, under a new id: whatever the former one may still say of the old id comes to nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from zlib import crc32

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from launcher.probe.targets import Target
from launcher.scale.database import Database
from launcher.scale.leases import LeaseLost

__all__ = [
    "AWAY",
    "PAGES",
    "SHOW",
    "defer",
    "due_before",
    "forget_pages",
    "new_app",
    "pool_of",
    "put_back",
    "queue_of",
]

AWAY = (psycopg.OperationalError, ConnectorException, PoolTimeout)
"""What is raised while PostgreSQL is away."""
CHECK, SHOW = "miniapp.check", "miniapp.show"
PAGES = "pages"
"""The queue of pages to be shown: any worker with a browser works on it."""
_CONNECTIONS = 8
_KEPT_HOURS = 24 * 7


class _PutBack(BaseRetryStrategy):
    """Do again what says nothing of the job; a defect of ours fails it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        again = isinstance(exception, (LeaseLost, asyncio.CancelledError, *AWAY))
        return RetryDecision() if again else None


async def _check(context: JobContext, target: str, timestamp: int) -> None:
    await context.additional_context["holding"].check(target, timestamp)


async def _show(context: JobContext, run: str, sealed: str) -> None:
    await context.additional_context["away"].show(run, sealed)


def new_app(database: Database, patience: float = 3.0) -> App:
    """Procrastinate over the database, with our tasks; not opened yet. PostgreSQL is taken to be away when
    there is no connection to it for `patience` seconds."""
    connector = PsycopgConnector(conninfo=database.url, min_size=1, max_size=_CONNECTIONS, timeout=patience)
    app = App(connector=connector)
    app.task(name=CHECK, pass_context=True, retry=_PutBack())(_check)
    app.task(name=SHOW, pass_context=True)(_show)
    return app


def pool_of(app: App) -> AsyncConnectionPool[Any]:
    """The connections of an opened app."""
    assert isinstance(app.connector, PsycopgConnector)
    return app.connector.pool


def queue_of(account: str) -> str:
    return f"account:{account}"


def due_before(target: Target, now: float) -> int:
    """When the target was last due, in milliseconds; targets of one period are spread over it by their
    names."""
    period = max(1, round(target.period * 1000))
    offset = crc32(target.name.encode()) % period
    return (int(now * 1000) - offset) // period * period + offset


async def defer(app: App, account: str, target: Target, due: int) -> None:
    """Put a check into its account's queue, unless that was done for this due time, or one waits there."""
    job = Job(
        id=None,
        queue=queue_of(account),
        lock=None,
        queueing_lock=f"{CHECK}:{target.name}",
        task_name=CHECK,
        task_kwargs={"target": target.name, "timestamp": due},
    )
    with suppress(AlreadyEnqueued):
        await app.job_manager.defer_periodic_job(job, target.name, due)


async def put_back(app: App, account: str) -> int:
    """Put back what a former holder was doing; how many jobs that were. Only for the holder of the lease.

    Also forgets jobs that failed a week ago.
    """
    async with pool_of(app).connection() as connection, connection.transaction():
        cursor: psycopg.AsyncCursor[dict[str, Any]] = connection.cursor(row_factory=dict_row)
        await cursor.execute(
            "delete from procrastinate_jobs where queue_name = %s and status = 'doing' returning *",
            [queue_of(account)],
        )
        left = [Job.from_row(row) for row in await cursor.fetchall()]
        for job in left:
            with suppress(AlreadyEnqueued):  # its next due time has come meanwhile
                async with connection.transaction():
                    again = job.evolve(id=None, status="todo", scheduled_at=None)
                    await app.job_manager.defer_job_async(again, connection=connection)
    await app.job_manager.delete_old_jobs(
        nb_hours=_KEPT_HOURS, queue=queue_of(account), include_failed=True, include_aborted=True
    )
    return len(left)


async def forget_pages(app: App) -> None:
    """Delete what is left of pages that were to be shown an hour ago: their workers have ended."""
    async with pool_of(app).connection() as connection:
        await connection.execute(
            "delete from procrastinate_jobs"
            " where queue_name = %s and scheduled_at < now() - interval '1 hour'",
            [PAGES],
        )
        await connection.execute("delete from miniapp_shown where written_at < now() - interval '1 hour'")
