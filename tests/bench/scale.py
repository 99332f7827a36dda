"""Workers over PostgreSQL: checks a second with 1, 2 and 4 of them, and how soon another takes over.

Each worker is a process with session files of its own, as on another machine; PostgreSQL and the sandbox are
processes too, so that on few cores more workers share the same cores. All start while the benchmark itself
holds the leases of the accounts, so that they have started before there is anything to do; then every account
has its checks due at once. Checks ask Telegram only, within the budget of their accounts.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import SecretStr

from launcher.accounts import Accounts
from launcher.scale import Database, leased
from launcher.scale.database import CANDIDATES
from launcher.servers import server_of
from launcher.settings import Settings
from tests.bench.measuring import Sizes
from tests.bench.requests import BOT
from tests.bench.sandbox_process import ROOT, SandboxProcess, sandbox_process
from tests.postgres import NoPostgres, PostgresServer, rows

__all__ = ["scale"]

_STANDING = "select count(*) from pg_locks where locktype = 'advisory' and classid = %s"
_DONE = (
    "select count(*), extract(epoch from max(written_at) - min(written_at))::float from miniapp_results"
    " where result->>'status' = 'OK'"
)
_LOOK = 0.005


async def scale(sizes: Sizes) -> dict[str, Any]:
    """Checks a second and switches by the number of workers, seconds of a take-over, overlaps of all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg")))
        try:
            server = PostgresServer(folder)
        except NoPostgres as missing:
            return {"not_run": str(missing)}
        server.create()
        server.start()
        stack.callback(server.stop)
        place = stack.enter_context(sandbox_process())
        accounts = await _sign_in(place)
        figures: dict[str, Any] = {"accounts": len(accounts), "checks": len(accounts) * sizes.checks}
        for count in sizes.workers:
            async with server.database() as database:
                figures[f"workers_{count}"] = await _rate(place, database, accounts, sizes, count)
        async with server.database() as database:
            figures["take_over"] = await _taken_over(place, database, accounts, sizes.kills)
        figures["overlaps"] = place.overlaps()
        return figures


async def _sign_in(place: SandboxProcess) -> list[str]:
    """Sign everybody in on the first machine; the others get copies of its files."""
    names = []
    for person in place.ready.accounts:
        settings = Settings(
            server=str(place.ready_path), sessions=place.folder / "w0", code=person.code,
            password=SecretStr(person.password or ""), _env_file=None,
        )  # fmt: skip
        names.append(person.name.lower())
        await Accounts(settings, server_of(settings)).sign_in_by_phone(names[-1], person.phone)
    return names


async def _rate(
    place: SandboxProcess, database: Database, accounts: list[str], sizes: Sizes, count: int
) -> dict[str, float]:
    """Let so many workers do all checks once. A switch is a lease beyond the first of each account."""
    file = _target_file(place.folder, accounts, sizes.checks)
    with ExitStack() as stack:
        async with AsyncExitStack() as held:
            for account in accounts:
                await held.enter_async_context(leased(database, account, "bench"))
            for number in range(count):
                stack.enter_context(_worker(place, database, file, f"w{number}"))
            await _until(database, count * len(accounts), _STANDING, CANDIDATES)
            start = time.perf_counter()
        await _until(database, len(accounts) * sizes.checks, _DONE)
        whole = time.perf_counter() - start
    [(done, seconds)] = await rows(database, _DONE)
    [(leases,)] = await rows(database, "select sum(token) - 2 * count(*) from miniapp_leases")
    return {
        "per_second": round(done / max(seconds, 1e-9), 1),
        "seconds_until_all": round(whole, 2),
        "switches": int(leases),
    }


async def _taken_over(
    place: SandboxProcess, database: Database, accounts: list[str], kills: int
) -> dict[str, Any]:
    """Kill the worker that holds the account, again and again: seconds until another has its lease, and
    until its next check is done."""
    file = _target_file(place.folder, accounts[:1], 1, period=0.2)
    leases, checks = [], []
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_worker(place, database, file, name)) for name in ("w0", "w1")}
        for number in range(kills):
            await _until(database, 2, _STANDING, CANDIDATES)
            await _until(database, 1, "select count(*) from miniapp_leases where token > %s", number)
            [(holder, token)] = await rows(database, "select worker, token from miniapp_leases")
            await _until(
                database, 1, "select least(count(*), 1) from miniapp_results where token = %s", token
            )
            workers[holder].kill()
            start = time.perf_counter()
            await _until(database, 1, "select count(*) from miniapp_leases where token > %s", token)
            leases.append(time.perf_counter() - start)
            await _until(
                database, 1, "select least(count(*), 1) from miniapp_results where token > %s", token
            )
            checks.append(time.perf_counter() - start)
            if number + 1 < kills:
                workers[holder] = stack.enter_context(_worker(place, database, file, holder))
    return {"times": kills, "lease_s": round(median(leases), 2), "checked_s": round(median(checks), 2)}


async def _until(database: Database, wanted: int, query: str, *values: Any) -> None:
    """Until the query tells this number, or more: PostgreSQL tells nobody of its own accord."""
    async with await database.connect() as connection:
        while True:
            row = await (await connection.execute(query.encode(), values)).fetchone()
            if row is not None and (row[0] or 0) >= wanted:
                return
            await asyncio.sleep(_LOOK)


def _target_file(folder: Path, accounts: list[str], each: int, period: float = 3600.0) -> Path:
    lines = ["accounts:", *(f"  {account}: {{budget: 600}}" for account in accounts), "targets:"]
    for account in accounts:
        for number in range(each):
            lines.append(
                f"  - {{name: {account}-{number}, account: {account}, bot: {BOT}, via: main_app, host: none,"
                f" period: {period}}}"
            )
    file = folder / "targets.yaml"
    file.write_text("\n".join(lines))
    return file


@contextmanager
def _worker(
    place: SandboxProcess, database: Database, file: Path, name: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on a machine of its own."""
    sessions = place.folder / name
    if not sessions.exists():
        shutil.copytree(place.folder / "w0", sessions)
    environment = {
        "TELEGRAM_SESSIONS": str(sessions),
        "TELEGRAM_SERVER": str(place.ready_path),
        "MINIAPP_DATABASE_URL": database.url,
    }
    command = [sys.executable, "-m", "launcher", "worker", str(file), "--name", name, "--json"]
    with subprocess.Popen(
        command, env=os.environ | environment, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
