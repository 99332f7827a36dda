"""The part of a check that needs a browser: the page loads, says that it is ready, shows what is expected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from flows import MiniAppError
from launcher.hosting import Hosting, hosted
from launcher.hosts.observations import HostEndReason
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp, PageGone
from launcher.probe.course import Course, Wrong
from launcher.probe.expected import judge_certificate, judge_final_host
from launcher.probe.results import Stage, Status
from launcher.probe.targets import Target

__all__ = ["show", "shown"]

_ENDING = 2.0
"""Seconds for a browser that ends to be gone."""
_PICTURE = 3.0
"""Seconds to take a picture of a page that failed."""


async def show(launcher: Launcher, target: Target, app: MiniApp, course: Course) -> None:
    """Show the app's page and watch it. Raises Wrong; `course.browser_died` says that the browser was why."""
    async with shown(launcher, target, app, course):
        pass


@asynccontextmanager
async def shown(
    launcher: Launcher,
    target: Target,
    app: MiniApp,
    course: Course,
    prepare: Callable[[BrowserContext], Awaitable[None]] | None = None,
) -> AsyncIterator[None]:
    """Show the app's page and watch it, as `show` does; then it stays for the length of the block. `prepare`
    is that of `Hosting`."""
    browser = await launcher.browser()
    hosting = Hosting("browser", timeout=target.timeout, prepare=prepare)
    async with AsyncExitStack() as stack:
        try:
            with course.stage(Stage.NAVIGATE):
                await stack.enter_async_context(hosted(launcher, app, hosting))
                await _loaded(target, app, course)
            with course.stage(Stage.READY):
                await _ready(target, app, course)
                await _seen(target, app, course)
            yield
            if course.recording is not None:
                with course.aside():
                    await _picture(app, course)
        except (Wrong, MiniAppError, PlaywrightError, asyncio.CancelledError) as failure:
            if _broken_off(failure, app):
                await browser.ended(_ENDING)
            course.screenshot = await _picture(app, course)
            course.browser_died = browser.gone
            if isinstance(failure, asyncio.CancelledError):
                raise
            raise _judged(failure, browser_died=course.browser_died) from None


class _BrokenOff(Wrong):
    """Nothing refused the page, and it did not load."""


def _broken_off(failure: BaseException, app: MiniApp) -> bool:
    """Whether the page may have been taken away by a browser that ends: its pages end before it does."""
    if isinstance(failure, PageGone):
        return app.host_end is not None and app.host_end.reason is HostEndReason.BROWSER_GONE
    return isinstance(failure, _BrokenOff | MiniAppError | PlaywrightError)


def _judged(failure: Exception, *, browser_died: bool) -> Wrong:
    if browser_died:
        return Wrong(Status.UNKNOWN, "the browser ended.", "Look at this machine's memory.")
    match failure:
        case Wrong():
            return failure
        case PageGone():
            return Wrong(Status.CRITICAL, failure.meaning, failure.remedy)
        case MiniAppError():
            return Wrong(Status.UNKNOWN, failure.meaning, failure.remedy)
    first = str(failure).strip().partition("\n")[0]
    return Wrong(Status.UNKNOWN, f"the browser failed: {first}.", "Look at expect.selector.")


async def _loaded(target: Target, app: MiniApp, course: Course) -> None:
    assert app.live is not None
    assert app.live.host is not None
    loaded, wanted = await app.live.host.loaded(), target.expect.status
    course.certificate_days = await app.live.host.certificate_days()
    if wanted is not None and loaded.status is not None and loaded.status != wanted:
        raise Wrong(Status.CRITICAL, f"status {loaded.status}, expected {wanted}")
    if loaded.failure is not None and (loaded.status is None or loaded.status != wanted):
        wrong = _BrokenOff if loaded.broken_off else Wrong
        raise wrong(Status.CRITICAL, f"the page did not load: {loaded.failure}", "Look at its server.")
    judge_final_host(target.expect, urlsplit(app.frame.url).hostname)
    judge_certificate(target.expect, course)


async def _ready(target: Target, app: MiniApp, course: Course) -> None:
    """Until the page says that it is ready. One that never does is a warning when nobody asked for it."""
    within = target.expect.ready_within
    patience = 2 * within if within is not None else target.timeout / 2
    try:
        async with asyncio.timeout(patience):
            await app.ready()
    except TimeoutError:
        course.notes(
            Status.WARNING if within is None else Status.CRITICAL,
            f"the page did not send web_app_ready within {patience:g} s.",
            "Call Telegram.WebApp.ready() when it has loaded.",
        )
    else:
        if within is not None and (took := course.since_start) > within:
            course.notes(Status.WARNING, f"ready after {took:.2f} s, expected within {within:g} s")


async def _seen(target: Target, app: MiniApp, course: Course) -> None:
    """The element and the text that are to be seen, waited for as long as the target's time lasts."""
    expect = target.expect
    if expect.selector is not None:
        course.awaits(f"the element {expect.selector} was not seen")
        await app.frame.locator(expect.selector).first.wait_for(timeout=0)
    if expect.text is not None:
        course.awaits(f'the text "{expect.text}" was not seen')
        await app.frame.get_by_text(expect.text).first.wait_for(timeout=0)


async def _picture(app: MiniApp, course: Course) -> bytes | None:
    try:
        async with asyncio.timeout(_PICTURE):
            if course.recording is not None:
                return await course.recording.picture("at the end")
            return await app.page.screenshot()
    except (PlaywrightError, MiniAppError, TimeoutError):  # a page that hangs, is gone, or was never there
        return None
