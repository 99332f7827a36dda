"""What the workers are doing, as the database knows it: leases, queues, last results."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from launcher.scale.database import LEASES, Database

__all__ = ["status"]

_QUERIES = {
    "leases": (
        "select account, worker, token, taken_at, exists (select 1 from pg_locks where locktype = 'advisory'"
        f" and classid = {LEASES} and pid = backend and granted) as held from miniapp_leases order by account"
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
    """`leases` (account, worker, token, taken_at, held), `queues` (queue, waiting, running, failed) and the
    last of the `results` of each target (target, account, worker, written_at, status, text). No secrets.

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
