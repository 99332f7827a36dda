"""A real PostgreSQL for tests: its server, started once for each process, in a folder of its own.

It listens on a Unix socket only and asks for no password. As root it runs as `nobody`, because PostgreSQL
refuses to run as root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from launcher.scale import Database
from tests.conftest import need

__all__ = ["NoPostgres", "PostgresServer", "binaries", "ends", "postgres", "rows"]

USER = "tests"
READY = b"database system is ready to accept connections"


class NoPostgres(Exception):
    """There are no server programs."""


def binaries() -> Path:
    """The folder of `initdb` and `postgres`: of pg_config, of Debian's packages, or on PATH."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout
        folders.insert(0, Path(told.strip()))
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgres("no initdb and postgres in pg_config --bindir, /usr/lib/postgresql or PATH")


class PostgresServer:
    """A server in `folder`, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bin = binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._migrated = False

    def create(self) -> None:
        """Make the files. Nothing is synced to the disk: they live as long as the tests."""
        if self._as_whom():
            shutil.chown(self.folder, "nobody", pwd.getpwnam("nobody").pw_gid)
        options = f"-D {self._data} -U {USER} -A trust --no-sync -E UTF8 --locale=C"
        done: Any = subprocess.run(
            [str(self._bin / "initdb"), *options.split()],
            capture_output=True, cwd="/", check=False, **self._as_whom(),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off",
            "max_connections": "200", "shared_buffers": "16MB", "log_min_messages": "log",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._bin / "postgres", "-D", self._data, *options],
            stderr=subprocess.PIPE, cwd="/", **self._as_whom(),
        )  # fmt: skip
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if READY in line:
                return
        raise RuntimeError(b"".join(said).decode(errors="replace"))

    def stop(self) -> None:
        """End its connections and itself ("fast shutdown")."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A database of its own, with the tables, for the length of the block: a copy of one made once."""
        if not self._migrated:
            await self.execute("create database migrated")
            await self._named("migrated").migrate()
            self._migrated = True
        name = f"test_{next(self._numbers)}"
        await self.execute(f"create database {name} template migrated")
        yield self._named(name)
        await self.execute(f"drop database {name} with (force)")

    def _named(self, name: str) -> Database:
        return Database(f"host={self.folder} user={USER} dbname={name}")

    async def execute(self, statement: Any) -> None:
        """As the server's owner, outside the databases of tests."""
        url = f"host={self.folder} user={USER} dbname=postgres"
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(statement)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @staticmethod
    def _as_whom() -> Any:
        if os.geteuid():
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # short: the socket's path has 107 bytes
        try:
            server = PostgresServer(Path(folder))
        except NoPostgres as missing:
            need("PostgreSQL", str(missing))
        server.create()
        server.start()
        yield server
        server.stop()


async def rows(database: Database, query: Any, *values: Any) -> list[Any]:
    """What a query tells."""
    async with await database.connect() as connection:
        return await (await connection.execute(query, values)).fetchall()


async def ends(database: Database, query: Any, *values: Any) -> None:
    """End the connections whose process ids the query tells, as an administrator would. They are gone then,
    and what they had locked is free: who was connected hears of it a little sooner."""
    pids = await rows(database, query, *values)
    async with await database.connect() as connection:
        for (pid,) in pids:
            await connection.execute("select pg_terminate_backend(%s)", [pid])
            there = "select 1 from pg_stat_activity where pid = %s"
            while await (await connection.execute(there, [pid])).fetchone():
                pass
