"""What came of the checks, in the database: one result for each due time at most, and a limited number.

A result is written with the token of the lease under which the check was made. While it is written the lease
cannot change hands, and one with a token of the past is refused. With a result that says for how long
Telegram wants the account to be left alone, the lease says so as well: its next holder has to know.

Of a target the picture of its last failure is kept, sealed; that of the one before goes when it is written.
"""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from launcher.probe.results import CheckResult
from launcher.scale.leases import LeaseLost

__all__ = ["KEPT", "write"]

KEPT = 200
"""Results of a target that are kept, for at most `DAYS` days."""
DAYS = 30

_WRITE = """
with held as (
    select 1 from miniapp_leases where account = %(account)s and token = %(token)s for share
)
insert into miniapp_results (target, due, account, token, worker, result, picture)
select %(target)s, %(due)s, %(account)s, %(token)s, %(worker)s, %(result)s, %(picture)s from held
on conflict (target, due) do update set
    account = excluded.account, token = excluded.token, worker = excluded.worker, written_at = now(),
    result = excluded.result, picture = excluded.picture
"""
_PAUSE = """
update miniapp_leases set wait_until = greatest(wait_until, now() + make_interval(secs => %(wait)s))
where account = %(account)s and token = %(token)s
"""
_FORGET_PICTURES = """
update miniapp_results set picture = null
where target = %(target)s and due <> %(due)s and picture is not null
"""
_PRUNE = """
delete from miniapp_results where written_at < now() - make_interval(days => %(days)s) or (
    target = %(target)s and due <= (
        select due from miniapp_results where target = %(target)s order by due desc offset %(kept)s limit 1
    )
)
"""


async def write(
    pool: AsyncConnectionPool[Any],
    result: CheckResult,
    *,
    due: int,
    account: str,
    token: int,
    worker: str,
    picture: bytes | None = None,
    kept: int = KEPT,
) -> None:
    """Write a result; that of an earlier attempt at the same due time (in milliseconds) is replaced. The
    `picture` of a page that failed is sealed.

    Raises LeaseLost when the token is not that of the account's present lease.
    """
    values = {
        "account": account, "token": token, "target": result.target, "due": due, "worker": worker,
        "result": Jsonb(result.to_json()), "picture": picture, "wait": result.flood_wait, "kept": kept,
        "days": DAYS,
    }  # fmt: skip
    async with pool.connection() as connection, connection.transaction():
        if result.flood_wait is not None:  # before the row is shared, lest two that do so wait for each other
            await connection.execute(_PAUSE, values)
        written = await connection.execute(_WRITE, values)
        if not written.rowcount:
            raise LeaseLost(account)
        if picture is not None:
            await connection.execute(_FORGET_PICTURES, values)
        await connection.execute(_PRUNE, values)
