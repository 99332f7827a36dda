"""Pages shown by whichever worker has a browser to spare.

    the account's holder                        PostgreSQL              any worker with a browser
    launches, seals the launch URL ──────────▶ queue "pages" ─────────▶ shows the page, watches it
    goes on prolonging                                                          │
    reads the outcome, takes both away ◀────── NOTIFY, `miniapp_shown` ◀── its stages, sealed picture

A page that is shown away from its account believes to be on a phone without network: what it asks of the
account fails. Apps that may do more stay with the holder: those that send data, those of the attachment and
side menus, and targets with steps of Metapro, which go on in the page. Nobody says whether a page's worker
has died: when nothing was heard for the target's time twice over, the app is launched and shown once more.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

from procrastinate import App
from procrastinate.jobs import Job
from psycopg.types.json import Jsonb
from telethon.tl import types

from flows import Consent, MainApp, MiniAppError, OpenParameters, WebView
from flows.cache import Bot
from launcher.hosts.browser import Browser
from launcher.hosts.observations import HostUnavailable
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.probe.course import Course, Wrong
from launcher.probe.in_browser import show
from launcher.probe.results import StageResult, Status
from launcher.probe.targets import Target
from launcher.scale.letters import Letter, Seal
from launcher.scale.tasks import PAGES, SHOW, pool_of
from launcher.settings import Settings

__all__ = ["CHANNEL", "Away", "Sender"]

CHANNEL = "miniapp_shown"
_STAY = ("keyboard_button", "attachment_menu", "side_menu")
_SHARE = 0.9
"""How much of the check's doubled time a page may take to come back; the rest is for telling of it."""


class Sender:
    """The holder's side: has the pages of one account shown elsewhere."""

    def __init__(self, app: App, seal: Seal) -> None:
        self._app = app
        self._seal = seal
        self._waiting: dict[str, asyncio.Event] = {}

    def heard(self, run: str) -> None:
        """The outcome of a run is there."""
        if run in self._waiting:
            self._waiting[run].set()

    async def show(self, launcher: Launcher, target: Target, app: MiniApp, course: Course) -> None:
        """Have the page shown, and put its stages into the course. Raises Wrong when nobody did in time."""
        if app.flow in _STAY:
            await _show_here(launcher, target, app, course)
            return
        run = str(uuid4())
        shown = self._waiting[run] = asyncio.Event()
        job = await self._send(run, _letter(target, app, course.since_start))
        try:
            async with asyncio.timeout(max(0.0, 2 * _SHARE * target.timeout - course.since_start)):
                await shown.wait()
        except TimeoutError:
            course.browser_died = True
            raise Wrong(
                Status.UNKNOWN, "no worker has shown the page in time.", "Run more workers with a browser."
            ) from None
        finally:
            del self._waiting[run]
            outcome = await self._take_away(run, job)
        self._apply(outcome, course)

    async def _send(self, run: str, letter: Letter) -> int | None:
        job = Job(
            id=None, queue=PAGES, lock=None, queueing_lock=None, task_name=SHOW,
            task_kwargs={"run": run, "sealed": self._seal.seal(letter)},
            scheduled_at=datetime.fromtimestamp(time.time() - 1, UTC),  # tells its age
        )  # fmt: skip
        return (await self._app.job_manager.defer_job_async(job)).id

    async def _take_away(self, run: str, job: int | None) -> dict[str, Any] | None:
        """Who has shown the page takes its letter away; one that nobody has shown is taken away here."""
        async with pool_of(self._app).connection() as connection:
            told = await connection.execute(
                "delete from miniapp_shown where run = %s returning outcome", [run]
            )
            row = await told.fetchone()
            if row is None:
                await connection.execute("delete from procrastinate_jobs where id = %s", [job])
        return None if row is None else row[0]

    def _apply(self, outcome: dict[str, Any] | None, course: Course) -> None:
        if outcome is None:
            raise Wrong(
                Status.UNKNOWN, "what came of the page is lost.", "It is shown again at its next check."
            )
        course.browser_died = outcome["browser_died"]
        course.certificate_days = outcome["certificate_days"]
        course.screenshot = self._seal.open_picture(outcome["picture"])
        course.went(StageResult.from_json(one) for one in outcome["stages"])


async def _show_here(launcher: Launcher, target: Target, app: MiniApp, course: Course) -> None:
    try:
        await launcher.browser()
    except HostUnavailable as missing:
        raise Wrong(Status.UNKNOWN, str(missing)) from None
    await show(launcher, target, app, course)


def _letter(target: Target, app: MiniApp, elapsed: float) -> Letter:
    bot, view = app.app.bot, app.web_view
    return Letter(
        url=app.url, target=target, bot=bot.id, username=bot.username, inline=bot.inline,
        fullsize=view.fullsize, fullscreen=view.fullscreen, same_origin=view.same_origin, elapsed=elapsed,
    )  # fmt: skip


class Away:
    """The other side: `async with Away(...) as away:` has a browser, in which it shows pages of anybody's
    launches. Entering raises HostUnavailable without Chromium; one that dies is started again."""

    def __init__(self, app: App, seal: Seal, settings: Settings) -> None:
        self._app = app
        self._seal = seal
        self._settings = settings
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._at_hand()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._stack.aclose()

    async def _at_hand(self) -> Browser:
        async with self._starting:
            if self._browser is None or self._browser.gone:
                self._browser = await self._stack.enter_async_context(Browser())
            return self._browser

    async def show(self, run: str, sealed: str) -> None:
        """Carry out a job. A letter that does not open is left to its sender's patience."""
        letter = self._seal.open(sealed)
        if letter is not None:
            browser = await self._at_hand()
            await self._tell(run, await self._watched(letter, browser))

    async def _watched(self, letter: Letter, browser: Browser) -> dict[str, Any]:
        course = Course(letter.target, since_start=letter.elapsed)
        async with course.within(max(0.1, letter.target.timeout - letter.elapsed)):
            launcher = Launcher.without_account(self._settings, browser, _NoAccount())
            course.app = _app(launcher, letter)
            await show(launcher, letter.target, course.app, course)
        result = course.result(datetime.fromtimestamp(time.time(), UTC), time.time(), repeated=False)
        picture = self._seal.seal_picture(result.screenshot)
        return {
            "stages": result.to_json()["stages"],
            "browser_died": course.browser_died,
            "certificate_days": result.certificate_days,
            "picture": None if picture is None else picture.decode(),
        }

    async def _tell(self, run: str, outcome: dict[str, Any]) -> None:
        async with pool_of(self._app).connection() as connection, connection.transaction():
            await connection.execute(
                "insert into miniapp_shown (run, outcome) values (%s, %s) on conflict do nothing",
                [run, Jsonb(outcome)],
            )
            await connection.execute("select pg_notify(%s, %s)", [CHANNEL, run])


class _NoAccount(MiniAppError):
    """A page that is shown away from its account asked for something of it."""

    def __init__(self) -> None:
        super().__init__("This page is shown away from its account.", "Give the target a worker of its own.")


def _app(launcher: Launcher, letter: Letter) -> MiniApp:
    target = letter.target
    return MiniApp(
        launcher,
        MainApp(Bot(letter.bot, 0, letter.username, inline=letter.inline), types.InputPeerEmpty()),
        WebView(
            letter.url,
            fullsize=letter.fullsize,
            fullscreen=letter.fullscreen,
            same_origin=letter.same_origin,
        ),
        OpenParameters(platform=target.platform),
        Consent(*target.allow),
    )
