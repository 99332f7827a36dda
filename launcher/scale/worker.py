"""A worker: shares the accounts of a target file with the other workers of the same database.

Every `look` seconds it sees in PostgreSQL's table of locks which accounts are held, and how many workers
could use each: every worker keeps a shared lock for each account that it has a session of, so one that has
ended is not counted from that instant on. It takes free accounts up to its share, and one beyond it when
nobody else has taken it for some looks; it gives one back when it has more than its share.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any
from zlib import crc32

import psycopg
from procrastinate.exceptions import ProcrastinateException
from pydantic import SecretStr

from flows import BadInput, MiniAppError
from launcher.accounts import Accounts
from launcher.defects import defect
from launcher.hosts.observations import HostUnavailable
from launcher.probe import CheckResult, Target, Targets
from launcher.scale.database import CANDIDATES, LEASES, Database, DatabaseGone, key_of
from launcher.scale.holding import Crew, Holding, InUse, Pace
from launcher.scale.leases import LeaseLost
from launcher.scale.letters import Seal
from launcher.scale.pages import Away
from launcher.scale.tasks import AWAY, PAGES, forget_pages, new_app
from launcher.servers import server_of
from launcher.settings import Settings

__all__ = ["Worker"]

PATIENT_LOOKS = 5
"""An account that was free for so many looks is taken beyond one's share."""
PAGES_AT_ONCE = 2
"""Pages that a worker shows at once for all: more take longer each."""
Noted = Callable[[str], None]
_LOST = (LeaseLost, DatabaseGone, ProcrastinateException, *AWAY)
_SEEN = """
select classid, objid, count(*) from pg_locks
where locktype = 'advisory' and granted and classid = any(%s)
and database = (select oid from pg_database where datname = current_database())
group by classid, objid
"""


class Worker:
    """Works on the targets as the accounts it has sessions of. `account` is that of targets which name none.

    `name` tells workers apart. With a `launch_key`, the same for all of them, pages are shown by whichever
    worker has a browser to spare; without one, by the account's holder. `told` hears of each result, `noted`
    of accounts that are given back, lost or refused, in words. Raises BadInput when there is no session of
    any account that is wanted.
    """

    def __init__(
        self,
        settings: Settings,
        targets: Targets,
        database: Database,
        *,
        name: str,
        account: str | None = None,
        launch_key: SecretStr | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
        told: Callable[[CheckResult], None] = lambda _: None,
        noted: Noted = lambda _: None,
    ) -> None:
        self.pace = pace or Pace()
        self._noted = noted
        self._database = database
        self._targets = _by_account(settings, targets, account)
        app = new_app(database, self.pace.patience)
        seal = None if launch_key is None else Seal(launch_key)
        self._crew = Crew(settings, targets, database, app, name, seal, self.pace, clock, told)
        self._held: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._free_for: dict[str, int] = {}
        self._refused: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled. PostgreSQL may go and come back meanwhile; at the start it has to be there
        (DatabaseGone)."""
        await self._database.migrate()
        async with self._crew.app.open_async():
            pages = asyncio.create_task(self._show_pages())
            try:
                while True:
                    try:
                        await self._look_after()
                    except (DatabaseGone, psycopg.OperationalError):
                        self._noted("PostgreSQL is away")
                        await asyncio.sleep(self.pace.look)
            finally:
                await _ended(*self._held.values())
                await asyncio.gather(*self._leaving, return_exceptions=True)
                await _ended(pages)

    async def run_once(self) -> None:
        """Do what is due of the accounts that nobody else holds, and end.

        When an account could not be used, or somebody else holds it, MiniAppError says so after the others
        have done theirs: whoever runs this from a timetable is not to take it for a success.
        """
        await self._database.migrate()
        async with self._crew.app.open_async():
            pages = asyncio.create_task(self._show_pages())
            try:
                problems = await asyncio.gather(*(self._hold_once(account) for account in self._targets))
            finally:
                await _ended(pages)
        if told := " ".join(filter(None, problems)):
            raise MiniAppError(f"Not everything was checked. {told}", "")

    async def _show_pages(self) -> None:
        """Show pages for all, if there is a key, a target with a page, and a browser."""
        crew = self._crew
        if crew.seal is None or all(target.host != "browser" for target in crew.targets.targets):
            return
        try:
            async with Away(crew.app, crew.seal, crew.settings) as away:
                while True:
                    try:
                        await self._work_on_pages(away)
                    except (ProcrastinateException, *AWAY):
                        await asyncio.sleep(self.pace.look)
        except HostUnavailable as missing:
            self._noted(f"pages are shown by other workers: {missing}")

    async def _work_on_pages(self, away: Away) -> None:
        await forget_pages(self._crew.app)
        await self._crew.app.run_worker_async(
            queues=[PAGES],
            name=f"{self._crew.name}-pages",
            concurrency=PAGES_AT_ONCE,
            shutdown_graceful_timeout=self.pace.stop,
            delete_jobs="always",
            additional_context={"away": away},
            install_signal_handlers=False,
        )

    # Sharing

    async def _look_after(self) -> None:
        async with await self._database.connect() as connection:
            wanted: set[str] = set()
            while True:
                wanted = await self._stand_for(connection, wanted)
                self._balance(*await self._seen(connection))
                await asyncio.sleep(self.pace.look)

    async def _stand_for(self, connection: psycopg.AsyncConnection[Any], before: set[str]) -> set[str]:
        """Be counted among those that could use an account, or no longer."""
        now = time.monotonic()
        wanted = {account for account in self._targets if self._refused.get(account, now) <= now}
        for account in wanted - before:
            await connection.execute("select pg_advisory_lock_shared(%s, %s)", [CANDIDATES, key_of(account)])
        for account in before - wanted:
            await connection.execute(
                "select pg_advisory_unlock_shared(%s, %s)", [CANDIDATES, key_of(account)]
            )
        return wanted

    async def _seen(self, connection: psycopg.AsyncConnection[Any]) -> tuple[set[str], dict[str, int]]:
        """The accounts that nobody holds, and how many workers there are for each we could use."""
        rows = await (await connection.execute(_SEEN, [[LEASES, CANDIDATES]])).fetchall()
        locks = {(kind, key): count for kind, key, count in rows}
        wanted = {
            account: locks[CANDIDATES, key_of(account)]
            for account in self._targets
            if (CANDIDATES, key_of(account)) in locks and self._refused.get(account, 0) <= time.monotonic()
        }
        return {account for account in wanted if (LEASES, key_of(account)) not in locks}, wanted

    def _balance(self, free: set[str], workers: dict[str, int]) -> None:
        for account in [account for account, task in self._held.items() if task.done()]:
            del self._held[account]
        self._leaving = {task for task in self._leaving if not task.done()}
        share = math.ceil(sum(1 / count for count in workers.values()) - 1e-9)
        for account in sorted(free - set(self._held), key=self._preference):
            if len(self._held) < share or self._free_for.get(account, 0) >= PATIENT_LOOKS:
                self._held[account] = asyncio.create_task(self._hold(account))
        self._free_for = {one: self._free_for.get(one, 0) + 1 for one in free - set(self._held)}
        shared = [account for account in self._held if workers.get(account, 0) > 1]
        if len(self._held) > share and shared:
            self._noted(f"{shared[-1]} is given back: there are more workers now")
            leaving = self._held.pop(shared[-1])
            leaving.cancel()
            self._leaving.add(leaving)

    def _preference(self, account: str) -> int:
        """Workers prefer different accounts, so that they do not all reach for the same."""
        return crc32(f"{self._crew.name} {account}".encode())

    async def _hold(self, account: str) -> None:
        """Hold an account as long as it lasts. Whatever ends it, others go on."""
        try:
            await Holding(self._crew, account, self._targets[account]).run()
        except InUse:
            return
        except _LOST as failure:
            self._noted(f"{account} is lost: {type(failure).__name__}")
        except MiniAppError as failure:
            self._leave_alone(account, failure)
        except Exception as error:
            self._leave_alone(account, defect(error))

    def _leave_alone(self, account: str, why: MiniAppError) -> None:
        self._refused[account] = time.monotonic() + self.pace.refused
        self._noted(f"{account} cannot be used: {why}")

    async def _hold_once(self, account: str) -> str | None:
        """Work once through what is due of an account; returns why that could not be done."""
        try:
            await Holding(self._crew, account, self._targets[account]).run(once=True)
        except (InUse, DatabaseGone) as failure:
            return str(failure)
        except _LOST as failure:
            return f"{account} is lost: {type(failure).__name__}."
        except MiniAppError as failure:
            return f"{account} cannot be used: {failure}"
        except Exception as error:
            return f"{account} cannot be used: {defect(error)}"
        return None


def _by_account(settings: Settings, targets: Targets, account: str | None) -> dict[str, list[Target]]:
    """The targets of each account that there is a session of."""
    if settings.server == "sandbox":
        raise BadInput(
            "A sandbox inside one worker is of no use to the others.",
            "Start one with `miniapp sandbox --ready-file FILE`, and give --server FILE to each worker.",
        )
    names = Accounts(settings, server_of(settings, connecting=False)).names()
    account = account or (names[0] if len(names) == 1 else None)
    wanted: dict[str, list[Target]] = {}
    for target in targets.targets:
        name = target.account or account
        if name is None:
            raise BadInput(f"The target {target.name} names no account.", "Say account, or give --account.")
        wanted.setdefault(name, []).append(target)
    ours = {name: ones for name, ones in wanted.items() if name in names}
    if not ours:
        raise BadInput(
            f"There is no session of {', '.join(wanted)} here.",
            "Carry one here with `miniapp accounts export` and `import`, or sign in with `miniapp login`.",
        )
    return ours


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
