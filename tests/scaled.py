"""What tests of workers start from: a sandbox, a database, and for each worker a folder with session files,
as if it were another machine."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from launcher.account_session import AccountSession
from launcher.probe import CheckResult, Target, Targets
from launcher.sandbox import Sandbox, ready_file
from launcher.sandbox.rpc import LoggedCall
from launcher.sandbox.world import User
from launcher.scale import Database, Pace, Worker
from launcher.servers import server_of
from launcher.session_file import SessionFile
from launcher.settings import Settings
from tests.postgres import PostgresServer

__all__ = ["QUICK", "Heard", "Place", "overlaps", "place"]

QUICK = Pace(look=0.05, beat=0.2, patience=20.0, settle=0.1, refused=60.0, stop=5.0)
SECONDS = 60.0
"""How long a test waits for what must come; only a failing one waits so long."""


class Heard:
    """What a worker says, in order, and waiting for it."""

    def __init__(self) -> None:
        self.results: list[CheckResult] = []
        self.words: list[str] = []
        self._said = asyncio.Event()

    def result(self, result: CheckResult) -> None:
        self.results.append(result)
        self._said.set()

    def word(self, text: str) -> None:
        self.words.append(text)
        self._said.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds; looked at whenever something is said."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                self._said.clear()
                await self._said.wait()

    async def more(self, count: int) -> None:
        """Until so many more results have come."""
        wanted = len(self.results) + count
        await self.until(lambda: len(self.results) >= wanted)


@dataclass(frozen=True, slots=True)
class Place:
    """Sandbox and database; `accounts` are signed in on every machine, with one and the same auth key."""

    sandbox: Sandbox
    database: Database
    folder: Path
    accounts: tuple[str, ...]

    @property
    def ready(self) -> Path:
        return self.folder / "ready.json"

    def settings(self, machine: str) -> Settings:
        return Settings(server=str(self.ready), sessions=self.folder / machine, _env_file=None)

    def targets(self, *accounts: str, each: int = 1, period: float = 3600.0, **said: Any) -> Targets:
        """So many targets `each` of these accounts, by default of all."""
        return Targets(
            accounts={account: {"budget": 600} for account in self.accounts},
            targets=tuple(
                Target.model_validate(
                    {"name": f"{account}-{number}", "bot": "demo_bot", "via": "main_app", "host": "none"}
                    | {"account": account, "period": period}
                    | said
                )
                for account in accounts or self.accounts
                for number in range(each)
            ),
        )

    def target_file(self, targets: Targets) -> Path:
        """The targets as a file."""
        file = self.folder / "targets.yaml"
        file.write_text(yaml.safe_dump(json.loads(targets.model_dump_json(exclude_defaults=True))))
        return file

    def worker(
        self, name: str, targets: Targets, heard: Heard, *, pace: Pace = QUICK, **options: Any
    ) -> Worker:
        return Worker(
            self.settings(name), targets, self.database,
            name=name, pace=pace, told=heard.result, noted=heard.word, **options,
        )  # fmt: skip

    def sign_in(self, *machines: str) -> None:
        """Put the session files there."""
        keys = {account: self.sandbox.sign_in(account) for account in self.accounts}
        for machine in machines:
            settings = self.settings(machine)
            server = server_of(settings)
            (settings.sessions / server.folder).mkdir(parents=True, mode=0o700)
            for account, key in keys.items():
                session = AccountSession(server)
                session.set_dc(key.dc_id, key.server_address, key.port)
                session.auth_key = key.auth_key
                session.keep_in(SessionFile(settings.sessions / server.folder / f"{account}.session"))

    @asynccontextmanager
    async def process(self, name: str, file: Path, *options: str) -> AsyncIterator[Process]:
        """A worker in a process of its own; whatever is left of it at the end is killed."""
        environment = {
            "TELEGRAM_SESSIONS": str(self.folder / name),
            "TELEGRAM_SERVER": str(self.ready),
            "MINIAPP_DATABASE_URL": self.database.url,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "launcher", "worker", str(file), "--name", name, "--json", *options,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=os.environ | environment, cwd=self.folder,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@asynccontextmanager
async def place(
    postgres: PostgresServer, folder: Path, machines: Sequence[str] = ("one", "two"), accounts: int = 1
) -> AsyncIterator[Place]:
    """A place with so many accounts, `alice` first, on these machines."""
    names = ("alice", *(f"user{number}" for number in range(2, accounts + 1)))
    async with Sandbox() as sandbox, postgres.database() as database:
        for number, name in enumerate(names[1:]):
            sandbox.world.add(User(2000 + number, name, f"99966300{number:02}", username=name))
        made = Place(sandbox, database, folder, names)
        ready_file.write(made.ready, ready_file.describe(sandbox))
        made.sign_in(*machines)
        yield made


@asynccontextmanager
async def at_work(*workers: Worker) -> AsyncIterator[None]:
    """Let the workers run while the block does."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in running:
            if not task.cancelled() and (failure := task.exception()):
                raise failure


@contextmanager
def on_call(sandbox: Sandbox, method: str) -> Iterator[asyncio.Event]:
    """An event that is set when the method is next called."""
    from launcher.sandbox.faults import Act

    called = asyncio.Event()
    sandbox.faults.on(method, Act(lambda _: called.set()))
    yield called


def overlaps(log: Sequence[LoggedCall]) -> int:
    """How often a client of an account called between the first and the last call of another one."""
    spans: dict[int | None, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, call in enumerate(log):
        if call.account is not None:
            spans[call.account][call.session].append(place)
    found = 0
    for sessions in spans.values():
        ends = sorted((min(places), max(places)) for places in sessions.values())
        found += sum(later[0] < earlier[1] for earlier, later in pairwise(ends))
    return found
