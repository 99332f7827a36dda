"""What the workers are doing, as the database knows it: leases, queues, last results."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from launcher.scale.database import Database
from launcher.scale.leases import HELD, WAIT

__all__ = ["status"]

_QUERIES = {
    "leases": (
        f"select account, worker, token, taken_at, {HELD} as held, round({WAIT}) as wait"
        " from miniapp_leases order by account"
    ),
    "queues": (
        "select queue_name as queue, count(*) filter (where status = 'todo') as waiting,"
        " count(*) filter (where status = 'doing') as running,"
        " count(*) filter (where status = 'failed') as failed"
        " from procrastinate_jobs group by queue_name order by queue_name"
    ),
    "results": (
        "select distinct on (target) target, account, worker, written_at, result->>'status' as status,"
        " result->>'text' as text from miniapp_results order by target, due desc"
    ),
}


async def status(database: Database) -> dict[str, list[dict[str, Any]]]:
    """`leases` (account, worker, token, taken_at, held, and wait: for how many seconds Telegram wants the
    account to be left alone), `queues` (queue, waiting, running, failed) and the last of the `results` of
    each target (target, account, worker, written_at, status, text). No secrets.

    Raises DatabaseGone.
    """
    async with await database.connect() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        told = {}
        for name, query in _QUERIES.items():
            await cursor.execute(query)
            told[name] = [_plain(row) for row in await cursor.fetchall()]
    return told


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if name.endswith("_at") else value for name, value in row.items()}
