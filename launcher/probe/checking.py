"""Checking a target: one launch, its page, and what was expected of both.

    async with Launcher(settings, "alice") as launcher:
        result = await Checker(launcher).check(target)

A check makes the requests of one launch and nothing more: bots are remembered, and their names resolved anew
only every `resolve_every` seconds. What is wrong with the app is in the result, never raised. Whether the app
is to blame is told apart: when Telegram wants to be left alone, the account is lost or no browser can be had,
the app was not tested (UNKNOWN). A check waits for its turn in the budget; a flood wait longer than the
target's time ends that waiting at once, whoever it was that Telegram has told.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from flows import Consent, MiniAppError, OpenParameters
from launcher.budget import Budget
from launcher.extras import install
from launcher.hosts.http import Clients, look
from launcher.hosts.observations import HostUnavailable
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.probe.course import Course, Wrong
from launcher.probe.expected import (
    judge_address,
    judge_certificate,
    judge_final_host,
    judge_http,
    judge_init_data,
)
from launcher.probe.results import CheckResult, Stage, Status, not_tested
from launcher.probe.targets import Target
from launcher.tracing import traced

if TYPE_CHECKING:
    from launcher.metapro import MetaproDriver
    from launcher.sandbox.ready_file import ReadyFile

__all__ = ["Checker", "Show"]

Show = Callable[[Launcher, Target, MiniApp, Course], Awaitable[None]]
"""Shows the page of an app and watches it. Raises Wrong."""


class Checker:
    """Checks targets as the account of an entered `launcher`, within `budget`.

    `ready` is what the ready file of a sandbox in this process would say: its stand-in of Metapro is the one
    that targets' apps use, which otherwise the environment names. `trust` are the certificate authorities
    that pages are held against. `clock` gives the time in seconds since the epoch, by which the age of
    resolved names is told. `show` shows pages in place of the launcher's browser, and has as long again for
    that. `keep` says of which results, by their status, the whole launch is kept in them
    (`CheckResult.saved`).
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        budget: Budget | None = None,
        resolve_every: float = 86400.0,
        ready: ReadyFile | None = None,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        show: Show | None = None,
        keep: Callable[[Status], bool] | None = None,
    ) -> None:
        self.launcher = launcher
        self._keep = keep
        self._show = show
        self.budget = budget
        self._resolve_every = resolve_every
        self._ready = ready
        self._trusts = trust
        self._clock = clock

    async def check(self, target: Target) -> CheckResult:
        """Check it once; once more when the browser dies under it, which says nothing of the app."""
        try:
            result, browser_died = await self._once(target)
            if browser_died:
                result, _ = await self._once(target, repeated=True)
        except MiniAppError as failure:
            return not_tested(target, failure)
        return result

    async def _once(self, target: Target, *, repeated: bool = False) -> tuple[CheckResult, bool]:
        if self.budget is not None:
            await self.budget.take(target.requests, patience=target.timeout)
        self.launcher.cache.forget_bots_before(self._clock() - self._resolve_every)
        no_browser = await self._start_browser(target)
        course = Course(target)
        began = datetime.fromtimestamp(self._clock(), UTC)
        if no_browser is None:
            await self._go(target, course)
        else:
            course.ends(no_browser)
        if self.budget is not None:
            self.budget.spend(course.requests - target.requests)
            if course.flood_wait is not None:
                self.budget.pause(course.flood_wait)
        result = course.result(began, self._clock(), repeated=repeated)
        if self._keep is not None and self._keep(result.status):
            result = replace(result, saved=course.saved(result))
        return result, course.browser_died

    def _elsewhere(self, target: Target) -> bool:
        return target.host == "browser" and not target.metapro and self._show is not None

    async def _start_browser(self, target: Target) -> Wrong | None:
        """Start the browser, if one is needed: that takes seconds, and is not the app's time."""
        try:
            if target.host == "browser" and not self._elsewhere(target):
                await self.launcher.browser()
        except HostUnavailable as failure:
            return Wrong(Status.UNKNOWN, str(failure))
        return None

    async def _go(self, target: Target, course: Course) -> None:
        async with course.within(target.timeout * (2 if self._elsewhere(target) else 1)):
            with traced() as course.exchanges:
                await self._launch(target, course)

    async def _launch(self, target: Target, course: Course) -> None:
        course.parse()
        course.asks()
        options = _options(target)
        async with self._opening(target, course, options) as app:
            course.opened(app, self.launcher.cache.resolved.get(app.app.bot.id))
            judge_init_data(target.expect, app, self.launcher)
            with course.aside():  # what it needs is imported with the first one
                driver = self._driver(target, options) if target.metapro else None
            async with self._page(target, app, course, driver):
                if driver is not None:
                    await _drive(driver, app, course)

    def _opening(
        self, target: Target, course: Course, options: dict[str, Any]
    ) -> AbstractAsyncContextManager[MiniApp]:
        if self._keep is None:
            return self.launcher.open(target.opens, **options)
        from launcher.report import Recording

        course.recording = Recording(pictures=False)
        return course.recording.opening(self.launcher, target.opens, **options)

    def _driver(self, target: Target, options: dict[str, Any]) -> MetaproDriver | Wrong:
        try:
            from launcher.probe.driven import driver_of
        except ModuleNotFoundError as missing:
            what = f"Metapro is not driven without the package {missing.name}."
            return Wrong(Status.UNKNOWN, what, install("metapro"))
        return driver_of(self.launcher, self._ready, target, options)

    @asynccontextmanager
    async def _page(
        self, target: Target, app: MiniApp, course: Course, driver: MetaproDriver | Wrong | None
    ) -> AsyncIterator[None]:
        """The page is looked at, or shown for the length of the block."""
        if target.host != "none":
            judge_address(app)
        match target.host:
            case "none":
                judge_final_host(target.expect, urlsplit(app.url).hostname)
                yield
            case "http":
                with course.stage(Stage.NAVIGATE):
                    await self._look(target, app, course)
                yield
            case "browser" if self._show is not None and driver is None:
                await self._show(self.launcher, target, app, course)
                yield
            case "browser":
                from launcher.probe.in_browser import shown

                prepare = None if driver is None or isinstance(driver, Wrong) else driver.prepare
                async with shown(self.launcher, target, app, course, prepare):
                    yield

    async def _look(self, target: Target, app: MiniApp, course: Course) -> None:
        expect = target.expect
        app.http = await look(
            app.url,
            timeout=None,  # the whole check has a time limit
            verify=self._trust,
            clients=self._clients,
            scripts=expect.sdk,
            text=expect.text,
            steps=course.recording is not None,
        )
        course.certificate_days = app.http.certificate_days
        judge_http(expect, app.http)
        judge_certificate(expect, course)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The certificates that httpx trusts; reading them takes longer than many a whole check."""
        return self._trusts or httpx.create_ssl_context()

    @cached_property
    def _clients(self) -> Clients | None:
        """Of all looks, with a transport that keeps no connection, so that each check sees the server and its
        certificate anew. With proxies in the environment httpx has to choose for each address."""
        if getproxies():
            return None
        limits = httpx.Limits(max_keepalive_connections=0)
        return Clients(httpx.AsyncHTTPTransport(verify=self._trust, limits=limits))


async def _drive(driver: MetaproDriver | Wrong, app: MiniApp, course: Course) -> None:
    from launcher.probe.driven import drive

    with course.stage(Stage.METAPRO):
        if isinstance(driver, Wrong):
            raise driver
        await drive(driver, app, course)


def _options(target: Target) -> dict[str, Any]:
    """How an app is opened, also once more."""
    return {
        "via": target.via,
        "chat": target.chat,
        "button": target.button,
        "start_param": target.start_param,
        "parameters": _parameters(target.platform),
        "consent": Consent(*target.allow) if target.allow else None,
    }


@lru_cache
def _parameters(platform: str) -> OpenParameters:
    return OpenParameters(platform=platform)
