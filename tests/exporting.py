"""What tests of the exporter start from: a sandbox whose apps are pages here, time that passes on demand."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from launcher.exporter import Exporter, Schedule, Watched, application
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.probe import Status
from launcher.sandbox import Sandbox
from launcher.settings import Settings
from tests.pages import Answer, Pages, app
from tests.running import CALM

READY = app("post('web_app_ready')", body="<p id=hello>Hello")
ONCE = replace(CALM, retries=())
PATIENCE = 60.0
"""Seconds that a test waits for what must come; only a failing one waits so long."""
TWO = """
accounts: {alice: {budget: 60}, bob: {budget: 60}}
defaults: {period: 300, account: alice}
targets:
  - {name: shop, link: t.me/demo_bot/app}
  - {name: menu, bot: "@demo_bot", via: menu_button, host: none}
  - {name: main, bot: "@demo_bot", via: main_app, account: bob}
"""
"""Two targets of Alice's, one of Bob's."""


class Time:
    """Stands still until `go`; who waits is woken in the order of their moments."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waited = asyncio.Event()
        self._order = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def wait(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now + seconds, next(self._order), woken))
        self.waited.set()
        await woken

    def go(self, seconds: float) -> None:
        end = self.now + seconds
        while self._waiting and self._waiting[0][0] <= end:
            moment, _, woken = heapq.heappop(self._waiting)
            self.now = max(self.now, moment)
            if not woken.done():
                woken.set_result(None)
        self.now = end


@dataclass
class World:
    """An exporter at work in a sandbox, its pages, its time, the launchers it has made, by account, and what
    it said of them."""

    exporter: Exporter
    sandbox: Sandbox
    site: Pages
    time: Time
    wall: list[float]
    launchers: list[Launcher]
    said: list[str]

    def __getitem__(self, name: str) -> Watched:
        return self.exporter.source.watched[name]

    def statuses(self, name: str) -> list[Status]:
        return [one.status for one in self[name].past]

    async def checked(self, name: str, times: int = 1) -> Watched:
        """Until a target has been checked so many times."""
        watched = self[name]
        await self.until(lambda: watched.counts.total() >= times)
        return watched

    async def until(self, condition: Callable[[], object]) -> None:
        """Until it holds. Whatever the schedule does, it ends with somebody waiting for his next moment."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.time.waited.clear()
                await self.time.waited.wait()

    @property
    def app(self) -> ASGIApp:
        return application(self.exporter)


@asynccontextmanager
async def exporting(
    folder: Path,
    targets: str = TWO,
    pages: dict[str, str | Answer] | None = None,
    browser: Browser | None = None,
    **options: Any,
) -> AsyncIterator[World]:
    """An exporter of `targets`. The main app is the page "/", the direct-link app "/app". `browser` shows the
    pages, by default one of each account's own."""
    said: list[str] = []
    file, time, wall, launchers = folder / "targets.yaml", Time(), [1_700_000_000.0], list[Launcher]()
    file.write_text(targets)
    settings = Settings(server="sandbox", _env_file=None)
    async with Pages(pages or {"/": READY, "/app": READY}) as site, Sandbox() as sandbox:
        bot = sandbox.world.bot("demo_bot")
        bot.main_app, bot.apps["app"].url = site.url("/"), site.url("/app")

        def launcher(name: str | None) -> Launcher:
            launchers.append(Launcher(settings, name, sandbox=sandbox, timing=ONCE, browser=browser))
            return launchers[-1]

        clocks: dict[str, Any] = {"clock": time, "wait": time.wait, "wall": lambda: wall[0]}
        async with Exporter(
            file, partial(Schedule, launcher, said=said.append, **clocks), **options
        ) as exporter:
            yield World(exporter, sandbox, site, time, wall, launchers, said)


@asynccontextmanager
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, without a socket."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://exporter") as asked:
        yield asked
