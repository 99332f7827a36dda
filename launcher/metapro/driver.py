"""Driving a Mini App that is integrated with Metapro, from its launch to its leaderboard.

    driver = MetaproDriver(MetaproSettings(), relaunch=reopening(launcher, "@bot"))
    async with launcher.open("@bot", hosting=driver.hosting()) as app:
        report = await driver.drive(app)
    report.exit_code

The driver makes every step of the catalogue that can be made with what it is given: with a live app in a
browser all of them; with one over HTTP, or a launch alone, those that need no page. It speaks to Metapro
itself, and beside that watches what the app's page asks, and breaks it there on purpose.

While `keeping` runs, or `drive` holds, the session is kept alive as Metapro's own app does it, by asking for
the person's own data now and then; a token that is lost is replaced with init data that are fresh enough.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx

from flows import BadInput, MiniAppError
from launcher.beside import beside
from launcher.metapro.client import Exchange, MetaproClient
from launcher.metapro.drive import Drive, LongRun, Preparation, Relaunch, Screen, Shown, wallet_of
from launcher.metapro.errors import TOO_MANY, MetaproBroken, MetaproRefused, MetaproUnreachable
from launcher.metapro.launch import Launch
from launcher.metapro.redaction import Redaction
from launcher.metapro.report import DriveReport, Layer, StepResult
from launcher.metapro.schedule import Schedule, fault_of, with_prerequisites
from launcher.metapro.settings import MetaproSettings
from launcher.metapro.step import Found, Skip, Step
from launcher.metapro.steps import CATALOGUE
from launcher.mini_app import MiniApp
from launcher.short_text import counted

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from launcher.hosting import Hosting

__all__ = ["KeptAlive", "MetaproDriver"]


@dataclass(slots=True)
class KeptAlive:
    """A session that is being kept. `times`: how often; `missed`: how often no good answer came, and the next
    beat was waited for; `logins`: how often a new token was needed; `failure` what ended it, which `ended`
    waits for: NeedsLaunch asks for a new launch."""

    times: int = 0
    missed: int = 0
    logins: int = 0
    failure: MiniAppError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class MetaproDriver:
    """Drives any number of apps, one after another or side by side, each with a session of its own.

    `steps` are ids, families or parts of one (`W4.walletconnect`) to be made, with what they depend on; all
    by default. `negative` tries logins that should be refused, `long` those steps that take hours,
    `settings.allow_writes` those that write. `relaunch` opens the app again, `companion` is the launch of a
    second person. `screen` says where to tap in the app. `strict` counts unverified as failed. `now` tells
    the time in seconds since the epoch, `wait` lets it pass, `patience` is how long a step may take.
    `on_result` hears of each step when it is done, `transport` replaces the network, `model` labels reports
    of drives against a stand-in. Raises BadInput for a step that there is not.
    """

    def __init__(
        self,
        settings: MetaproSettings,
        *,
        steps: Iterable[str] = (),
        negative: bool = False,
        strict: bool = False,
        long: LongRun | None = None,
        relaunch: Relaunch | None = None,
        companion: MiniApp | Launch | None = None,
        screen: Screen | None = None,
        patience: float = 30.0,
        now: Callable[[], float] = time.time,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: Callable[[StepResult], None] | None = None,
        model: str = "",
    ) -> None:
        self.settings = settings
        self._steps = _chosen(tuple(steps))
        self._negative = negative
        self._strict = strict
        self._long = long
        self._relaunch = relaunch
        self._companion = Launch.of(companion) if isinstance(companion, MiniApp) else companion
        self._screen = screen or Screen()
        self._patience = patience
        self._now = now
        self._wait = wait
        self._transport = transport
        self._on_result = on_result
        self._model = model
        self._prepared: dict[BrowserContext, Preparation] = {}

    # The page

    def hosting(self, hosting: Hosting | None = None) -> Hosting:
        """How to show a page that this driver is to drive: watched from its first request on, and with a
        wallet in front of it."""
        from launcher.hosting import Hosting as How

        return replace(hosting or How("browser"), kind="browser", prepare=self.prepare)

    async def prepare(self, context: BrowserContext) -> None:
        """Prepare a browser context, before its page loads, for a drive of that page."""
        prepared = self._prepared[context] = Preparation(self.settings)
        context.on("close", self._forget)
        await prepared(context)

    def _forget(self, context: BrowserContext) -> None:
        self._prepared.pop(context, None)

    async def _shown(self, app: MiniApp) -> Shown | None:
        """The page of a live app. One that was not prepared is watched from now on, and loaded anew."""
        if app.live is None:
            return None
        context = app.page.context
        if context not in self._prepared:
            await self.prepare(context)
            assert app.live.host is not None
            await app.live.host.loaded()
            await app.live.host.reload()
        return self._prepared[context].shown(app)

    # Driving

    async def drive(
        self, app: MiniApp | Launch | None, *, hold: float | Callable[[], Awaitable[Any]] | None = None
    ) -> DriveReport:
        """Make the steps with a live app, with a launch alone, or with neither.

        With `hold` the session is then kept alive for so many seconds, or until that is done; whether it was
        is the row `kept`. What is wrong is in the report, never raised.
        """
        began = time.perf_counter()
        exchanges: list[Exchange] = []
        async with self._session(app, exchanges.append) as drive:
            schedule = Schedule(drive, self._steps, patience=self._patience, on_result=self._on_result)
            try:
                results = await schedule.run()
                seconds = time.perf_counter() - began
                if hold is not None:
                    results = (*results, await self._held(drive, schedule, hold))
            finally:
                if drive.shown is not None:
                    await drive.learn_watched(drive.shown)
        environment = self.settings.environment
        about, count = _about(app), len(exchanges)
        return DriveReport(results, seconds, environment, about, self._strict, count, self._model)

    @asynccontextmanager
    async def keeping(self, app: MiniApp | Launch) -> AsyncIterator[KeptAlive]:
        """Log in with this launch and keep the session alive while the block runs, beside the prolonging of
        the app: a call of one's own data in every `settings.keep_alive` seconds. Raises MetaproError when the
        login does not work; what ends the session later is in `KeptAlive.failure`."""
        async with self._session(app, None) as drive:
            drive.learn(await drive.client.telegram_login(drive.launched.raw))
            async with self._kept(drive) as kept:
                yield kept

    @asynccontextmanager
    async def _kept(self, drive: Drive) -> AsyncIterator[KeptAlive]:
        kept = KeptAlive()
        drive.client.keep, drive.client.log_in_again = True, drive.log_in_again
        async with beside(self._keep(drive, kept)):
            yield kept

    async def _held(
        self, drive: Drive, schedule: Schedule, hold: float | Callable[[], Awaitable[Any]]
    ) -> StepResult:
        """Keep the session for so long, or until it is lost; how that went is the last row of the report."""
        async with self._kept(drive) as kept:
            await (hold() if callable(hold) else _first(self._wait(hold), kept.ended.wait()))

        async def told(drive: Drive) -> Found:
            if drive.client.token is None:
                raise Skip("nobody is logged in", "See L1.")
            if kept.failure is not None:
                raise fault_of(kept.failure)
            if not kept.times and not kept.missed:
                every = f"no call was due in that time: one is made every {self.settings.keep_alive:g} s"
                raise Skip(every, "Hold it for longer, or set METAPRO_KEEP_ALIVE.")
            missed = (f"{counted(kept.missed, 'call')} without an answer",) if kept.missed else ()
            return Found(f"{counted(kept.times, 'call')}, {counted(kept.logins, 'new login')}", None, missed)

        step = Step("kept", "session kept", Layer.METAPRO_AUTH, told, "Open the app again.")
        return await schedule.extra(step)

    async def _keep(self, drive: Drive, kept: KeptAlive) -> None:
        """Until there is no session to be kept any more: then it is told why. A service that is down is asked
        again at the next beat."""
        first = drive.client.logins
        while drive.client.token is not None:
            await self._wait(self.settings.keep_alive)
            try:
                await drive.client.me()
            except MiniAppError as failure:
                if _passes(failure):
                    kept.missed += 1
                    continue
                kept.failure = failure
                kept.ended.set()
                return
            kept.times += 1
            kept.logins = drive.client.logins - first

    @asynccontextmanager
    async def _session(
        self, app: MiniApp | Launch | None, on_exchange: Callable[[Exchange], None] | None
    ) -> AsyncIterator[Drive]:
        launch = Launch.of(app) if isinstance(app, MiniApp) else app
        redaction = Redaction()
        for one in (launch, self._companion):
            if one is not None:
                redaction.launched(one.secret_url)
        async with MetaproClient(
            self.settings,
            transport=self._transport,
            on_exchange=on_exchange,
            keep=False,
            wait=self._wait,
            _redaction=redaction,
        ) as client:
            yield Drive(
                self.settings,
                client,
                redaction,
                wallet_of(self.settings),
                launch,
                await self._shown(app) if isinstance(app, MiniApp) else None,
                screen=self._screen,
                relaunch=self._relaunch,
                companion=self._companion,
                negative=self._negative,
                long=self._long,
                now=self._now,
                wait=self._wait,
                patience=self._patience,
            )


def _passes(failure: MiniAppError) -> bool:
    """Whether a service is only down, or busy, and the session none the worse for it."""
    busy = isinstance(failure, MetaproRefused) and failure.status == TOO_MANY
    return busy or isinstance(failure, MetaproUnreachable | MetaproBroken)


async def _first(*awaited: Awaitable[Any]) -> None:
    """Until one of them is done."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _chosen(names: tuple[str, ...]) -> Any:
    if not names:
        return CATALOGUE
    known = {name for step in CATALOGUE for name in step.names}
    if unknown := sorted(set(names) - known):
        families = dict.fromkeys(step.family for step in CATALOGUE)
        raise BadInput(f"There is no step {', '.join(unknown)}.", f"There are {', '.join(families)}.")
    return with_prerequisites(CATALOGUE, names)


def _about(app: MiniApp | Launch | None) -> dict[str, str | None]:
    """What was driven, without anything secret."""
    if isinstance(app, MiniApp):
        host = "browser" if app.live is not None else "http" if app.http is not None else "none"
        return {
            "bot": app.app.bot.username,
            "flow": app.flow,
            "platform": app.parameters.platform,
            "host": host,
        }
    if app is None:
        return {"bot": None, "flow": None, "platform": None, "host": "none"}
    return {"bot": app.bot_name, "flow": app.flow, "platform": app.params.platform, "host": "none"}
