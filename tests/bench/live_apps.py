"""Ten thousand live apps of one account in one process: what they weigh, and whether they are prolonged in
time.

Memory is what Python has allocated for an open app (tracemalloc) less its URL, the block that holds it open
included. Lateness is the time between when a prolong was due and when it was handed to Telethon. The period
is shorter than Telegram's 60 seconds; CPU is given as measured and as it comes to at 60 seconds.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from flows import MiniAppError
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.timing import Timing
from tests.bench.measuring import Sizes, percentiles
from tests.bench.requests import BOT
from tests.bench.sandbox_process import SandboxProcess, launching, sandbox_process

__all__ = ["live_apps"]

TELEGRAMS_PERIOD = 60.0


async def live_apps(sizes: Sizes) -> dict[str, Any]:
    """Memory of each app, lateness and CPU of prolonging, and the burst after a reconnect apart from it."""
    lateness: list[float] = []
    with sandbox_process() as place:
        async with launching(place, Timing(prolong_every=sizes.period), lateness) as launcher:
            async with _open_apps(launcher, sizes) as (apps, bytes_each):
                figures: dict[str, Any] = {"apps": len(apps), "bytes_each_beyond_url": bytes_each}
                figures["url_bytes_each"] = round(sum(map(_size_of_url, apps)) / len(apps))
                figures["prolonging"] = await _observed(apps, lateness, sizes.period)
                figures["after_reconnect"] = await _reconnected(apps, lateness, place, launcher.timing)
                return figures


@asynccontextmanager
async def _open_apps(launcher: Launcher, sizes: Sizes) -> AsyncIterator[tuple[list[MiniApp], int]]:
    """The open apps, and how many bytes each takes beyond its URL."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(launcher.open(f"@{BOT}", via="menu_button"))
        tracemalloc.start()
        try:
            before = _allocated()
            apps = await _opened(launcher, stack, sizes)
            taken = _allocated() - before - sum(map(_size_of_url, apps))
        finally:
            tracemalloc.stop()
        yield apps, round(taken / len(apps))


async def _opened(launcher: Launcher, stack: AsyncExitStack, sizes: Sizes) -> list[MiniApp]:
    apps: list[MiniApp] = []

    async def open_share(share: int) -> None:
        for _ in range(share):
            opening = launcher.open(f"@{BOT}", via="menu_button")
            apps.append(await stack.enter_async_context(opening))

    shares = [len(range(first, sizes.apps, sizes.crowd)) for first in range(sizes.crowd)]
    await asyncio.gather(*map(open_share, shares))
    return apps


def _allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _size_of_url(app: MiniApp) -> int:
    return sys.getsizeof(app.url)


async def _observed(apps: list[MiniApp], lateness: list[float], period: float) -> dict[str, Any]:
    """One period of plain prolonging: every app comes once."""
    lateness.clear()
    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(period)
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    return {
        "period_seconds": period,
        "calls_per_second": round(len(lateness) / wall, 1),
        "cpu_share": round(used / wall, 3),
        "cpu_share_at_60_seconds": round(used / len(lateness) * len(apps) / TELEGRAMS_PERIOD, 3),
        "lateness": percentiles(lateness),
    }


async def _reconnected(
    apps: list[MiniApp], lateness: list[float], place: SandboxProcess, timing: Timing
) -> dict[str, Any]:
    """Cut the connection, and wait until every app has been prolonged again."""
    lateness.clear()
    done = _all_prolonged(apps)
    start = time.perf_counter()
    place.drop_connections()
    await done
    return {
        "seconds_until_all_prolonged": round(time.perf_counter() - start, 3),
        "spread_per_second": timing.burst,
        "lateness": percentiles(lateness),
    }


def _all_prolonged(apps: Iterable[MiniApp]) -> asyncio.Future[None]:
    """Resolves once each of the apps has been prolonged."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = set(apps)

    def prolonged(app: MiniApp, failure: MiniAppError | None) -> None:
        if failure is None:
            waiting.discard(app)
        if not waiting and not done.done():
            done.set_result(None)

    on_prolong: Callable[[MiniApp, MiniAppError | None], None] = prolonged
    for app in waiting:
        app.on_prolong = on_prolong
    return done
