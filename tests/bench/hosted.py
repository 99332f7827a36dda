"""A launch into Chromium beside the same page in bare Playwright, in one warm browser; what live apps weigh.

Ours is from `open` until the page's `web_app_ready` is seen: Telegram's answer, the phone and the bridge
are in it. Bare Playwright makes a context of the same device and a page, goes to the same launch URL, and
sees the same event by a function that it has exposed. Closing is timed in the launches per second only.
Memory is the resident set of all of Chromium's processes, as the kernel counts it (what processes share
counts in each), less what there was before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from statistics import median
from typing import Any

from launcher.hosts import HostUnavailable, profile_for
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.timing import Timing
from tests.bench.measuring import Sizes
from tests.bench.processes import resident_bytes
from tests.bench.requests import BOT
from tests.bench.sandbox_process import launching, sandbox_process
from tests.pages import Pages, app

__all__ = ["Shown", "hosted", "showing"]

READY = app("post('web_app_ready')")
_PROXY = "window.TelegramWebviewProxy = {postEvent: (name, data) => window.seen(name, data)}"
AT_ONCE = 4

Launch = Callable[[], AbstractAsyncContextManager[None]]


class Shown:
    """A launcher whose bot's apps are one page, which is at `url`."""

    def __init__(self, launcher: Launcher, url: str) -> None:
        self.launcher = launcher
        self.url = url

    @asynccontextmanager
    async def ours(self, **options: Any) -> AsyncIterator[MiniApp]:
        """A launch by us, ready."""
        opening = self.launcher.open(f"@{BOT}", via="main_app", host="browser", **options)
        async with opening as live:
            await live.ready()
            yield live

    @asynccontextmanager
    async def bare(self, url: str) -> AsyncIterator[None]:
        """The same in bare Playwright."""
        chromium = (await self.launcher.browser()).playwright
        device = profile_for("android")
        ready = asyncio.Event()
        context = await chromium.new_context(
            viewport={"width": device.width, "height": device.height},
            device_scale_factor=device.scale,
            is_mobile=device.mobile,
            has_touch=device.touch,
            user_agent=device.user_agent.format(chrome=chromium.version.partition(".")[0]),
        )
        try:
            page = await context.new_page()
            await page.expose_function("seen", lambda *_: ready.set())
            await page.add_init_script(_PROXY)
            await page.goto(url, wait_until="commit")
            await ready.wait()
            yield
        finally:
            await context.close()


@asynccontextmanager
async def showing(
    page: str, timing: Timing | None = None, lateness: list[float] | None = None
) -> AsyncIterator[Shown]:
    """Raises HostUnavailable without a browser."""
    with sandbox_process() as place:
        async with Pages({"/": page}) as pages, launching(place, timing, lateness) as launcher:
            place.show_page(pages.url())
            await launcher.browser()
            yield Shown(launcher, pages.url())


async def hosted(sizes: Sizes) -> dict[str, Any]:
    """Launching, launches a second, and memory, ours beside bare Playwright's; or why it was not run."""
    try:
        async with showing(READY) as shown:
            async with shown.ours() as live:
                url = live.url

            def ours() -> AbstractAsyncContextManager[Any]:
                return shown.ours()

            def bare() -> AbstractAsyncContextManager[Any]:
                return shown.bare(url)

            return {
                "until_ready": await _until_ready(ours, bare, sizes.launches),
                "launches_per_second": await _per_second(ours, bare, sizes.launches),
                "memory": await _memory(ours, bare, sizes.pages),
            }
    except HostUnavailable as failure:
        return {"not_run": str(failure)}


async def _until_ready(ours: Launch, bare: Launch, rounds: int) -> dict[str, float]:
    """Median milliseconds of both sides in turns; who goes first changes."""
    times: dict[Launch, list[float]] = {ours: [], bare: []}
    for turn in range(-1, rounds):
        for side in (ours, bare) if turn % 2 else (bare, ours):
            start = time.perf_counter()
            async with side():
                if turn >= 0:
                    times[side].append(time.perf_counter() - start)
    mine, other = (median(times[side]) * 1000 for side in (ours, bare))
    return {"ours_ms": round(mine, 1), "bare_ms": round(other, 1), "ratio": round(mine / other, 3)}


async def _per_second(ours: Launch, bare: Launch, count: int) -> dict[str, Any]:
    """Launches with their closing, some at once."""
    rates = {}
    for name, side in (("bare", bare), ("ours", ours)):
        start = time.perf_counter()
        await asyncio.gather(*(_some(side, len(range(at, count, AT_ONCE))) for at in range(AT_ONCE)))
        rates[name] = count / (time.perf_counter() - start)
    return {
        "at_once": AT_ONCE,
        **{name: round(rate, 1) for name, rate in rates.items()},
        "ratio": round(rates["ours"] / rates["bare"], 3),
    }


async def _some(side: Launch, count: int) -> None:
    for _ in range(count):
        async with side():
            pass


async def _memory(ours: Launch, bare: Launch, pages: int) -> dict[str, float]:
    """Megabytes of Chromium's that each page takes while it is shown."""
    megabytes = {}
    for name, side in (("bare", bare), ("ours", ours)):
        before = resident_bytes("chrom")
        async with AsyncExitStack() as stack:
            for _ in range(pages):
                await stack.enter_async_context(side())
            megabytes[name] = (resident_bytes("chrom") - before) / pages / 2**20
    return {
        "pages": pages,
        "ours_mb_each": round(megabytes["ours"], 1),
        "bare_mb_each": round(megabytes["bare"], 1),
    }
