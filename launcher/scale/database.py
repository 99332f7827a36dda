"""The PostgreSQL that all workers share: how to reach it, and its tables.

Procrastinate brings the tables of the queues, the tables here are beside them. Making them is safe at any
time and from several workers at once. One database serves one target file: accounts are told apart by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import psycopg
from procrastinate.schema import SchemaManager
from psycopg.conninfo import conninfo_to_dict

from flows import BadInput, MiniAppError

__all__ = ["CANDIDATES", "LEASES", "Database", "DatabaseGone", "key_of"]

SCHEMA, LEASES, CANDIDATES = 1296648257, 1296648258, 1296648259
"""The first halves of our advisory locks: of making the tables, of an account in use, of the workers that
could use an account. The second half is `key_of` the account."""

_TABLES = """
create table if not exists miniapp_leases (
    account text primary key,
    token bigint not null,
    worker text not null,
    backend integer not null,
    taken_at timestamptz not null default now(),
    given_back boolean not null default false
);
create table if not exists miniapp_results (
    target text not null,
    due bigint not null,
    account text not null,
    token bigint not null,
    worker text not null,
    written_at timestamptz not null default now(),
    result jsonb not null,
    primary key (target, due)
);
alter table miniapp_leases add column if not exists wait_until timestamptz;
alter table miniapp_results add column if not exists picture bytea;
create index if not exists miniapp_results_written_at on miniapp_results (written_at);
create table if not exists miniapp_shown (
    run uuid primary key,
    written_at timestamptz not null default now(),
    outcome jsonb not null
);
"""

_KEEPALIVE = """
select set_config('tcp_keepalives_idle', %(probes)s, false),
    set_config('tcp_keepalives_interval', %(probes)s, false), set_config('tcp_keepalives_count', '3', false)
"""


class DatabaseGone(MiniAppError):
    """PostgreSQL does not answer, or refuses us."""


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL database by its URL (or libpq's `key=value` form), which is a secret.

    `keepalive` is after how many seconds the server and we give a silent connection up: a machine that
    vanished keeps its leases so long.
    """

    url: str = field(repr=False)
    keepalive: int = 20

    def __post_init__(self) -> None:
        try:
            conninfo_to_dict(self.url)
        except psycopg.ProgrammingError:  # its text shows the URL
            problem = True
        else:
            problem = False
        if problem:
            raise BadInput(
                "The database's URL cannot be read.", "Write postgresql://user:password@host:5432/name."
            )

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A connection of its own that commits each statement, and notices soon when its other end is gone.

        Raises DatabaseGone.
        """
        probes = max(1, self.keepalive // 4)
        options: dict[str, Any] = {
            "keepalives_idle": probes, "keepalives_interval": probes, "keepalives_count": 3,
            "tcp_user_timeout": self.keepalive * 1000, "connect_timeout": 5,
        }  # fmt: skip
        try:
            connection = await psycopg.AsyncConnection.connect(
                self.url, autocommit=True, application_name="miniapp-worker", **options
            )
            try:
                await connection.execute(_KEEPALIVE, {"probes": str(probes)})
            except BaseException:  # also when whoever waits is cancelled
                await connection.close()
                raise
        except psycopg.OperationalError as error:
            gone = self.gone(error)
        else:
            return connection
        raise gone

    def gone(self, error: psycopg.OperationalError) -> DatabaseGone:
        """The first line of what psycopg says: libpq adds its advice, and what became of each address."""
        text = (str(error).strip() or "no answer").splitlines()[0].removeprefix("connection failed: ")
        password = str(conninfo_to_dict(self.url).get("password") or "")
        said = text.replace(password, "***") if password else text
        return DatabaseGone(
            f"PostgreSQL cannot be used: {said.rstrip('.')}.",
            "Check that PostgreSQL runs, and MINIAPP_DATABASE_URL.",
        )

    async def migrate(self) -> None:
        """Make the tables that are missing."""
        async with await self.connect() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s, 0)", [SCHEMA])
            row = await (await connection.execute("select to_regclass('procrastinate_jobs')")).fetchone()
            if row is not None and row[0] is None:
                await connection.execute(SchemaManager.get_schema())
            await connection.execute(_TABLES)


def key_of(account: str) -> int:
    """The half of an advisory lock that stands for an account. Two accounts with the same one exclude each
    other, which is safe."""
    return crc32(account.encode()) & 0x7FFFFFFF
