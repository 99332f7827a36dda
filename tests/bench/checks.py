"""Checks of apps beside the least that anybody could do instead.

Over HTTP that is one raw Telethon request and one GET by an httpx client that is kept; in a browser, the page
in bare Playwright until it is ready. Each GET has a connection of its own on both sides: a check is to see
the server and its certificate anew. The page is served by a process of its own, as the sandbox is, and of
checks over HTTP this process's time counts: checks per second and core. A check's ratio is that of the rates,
so 1 is as quick and 0.8 a quarter slower.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from telethon.tl import functions, types

from launcher.hosts import HostUnavailable
from launcher.launcher import Launcher
from launcher.probe import Checker, Status, Target
from tests.bench.hosted import READY, Shown
from tests.bench.measuring import Sizes, compare
from tests.bench.requests import BOT, PLATFORM
from tests.bench.sandbox_process import ROOT, launching, sandbox_process

__all__ = ["checks", "page_process"]


async def checks(sizes: Sizes) -> dict[str, Any]:
    """Checks a second over HTTP and a minute in a browser, ours beside the bare ones."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # all of this is on the loopback; looking proxies up is not what is measured
    with sandbox_process() as place, page_process(READY) as url:
        place.show_page(url)
        async with launching(place) as launcher:
            figures: dict[str, Any] = {"http": await _http(launcher, url, sizes)}
            try:
                figures["browser"] = await _browser(launcher, url, sizes)
            except HostUnavailable as failure:
                figures["browser"] = {"not_run": str(failure)}
            return figures


_SERVE = """
import asyncio, sys
from tests.pages import Pages

async def main():
    async with Pages({"/": sys.argv[1]}) as pages:
        print(pages.url(), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def page_process(text: str) -> Iterator[str]:
    """A web server in a process of its own, that serves this page; its address."""
    command = [sys.executable, "-c", _SERVE, text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _target(host: str) -> Target:
    return Target.model_validate({"name": "app", "bot": BOT, "via": "main_app", "host": host})


async def _http(launcher: Launcher, url: str, sizes: Sizes) -> dict[str, Any]:
    checker, target = Checker(launcher), _target("http")
    bot = (await launcher.client(functions.contacts.ResolveUsernameRequest(BOT))).users[0]
    request = functions.messages.RequestMainWebViewRequest(
        types.InputPeerUser(bot.id, bot.access_hash),
        types.InputUser(bot.id, bot.access_hash),
        PLATFORM,
    )
    async with httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)) as client:

        async def ours() -> None:
            result = await checker.check(target)
            assert result.status is Status.OK, result.text

        async def bare() -> None:
            await launcher.client(request)
            (await client.get(url)).raise_for_status()

        cpu = time.process_time
        return {
            "one_at_a_time": _rates(await compare(ours, bare, rounds=sizes.rounds, clock=cpu)),
            "in_flight": _rates(await compare(ours, bare, rounds=sizes.crowded_rounds, crowd=8, clock=cpu)),
        }


def _rates(times: dict[str, float]) -> dict[str, float]:
    return {
        "ours_per_second_and_core": round(1000 / times["ours_ms"], 1),
        "bare_per_second_and_core": round(1000 / times["theirs_ms"], 1),
        "ratio": round(times["theirs_ms"] / times["ours_ms"], 3),
    }


async def _browser(launcher: Launcher, url: str, sizes: Sizes) -> dict[str, Any]:
    shown, checker, target = Shown(launcher, url), Checker(launcher), _target("browser")
    await launcher.browser()
    seconds = {"ours": 0.0, "bare": 0.0}
    for _ in range(sizes.launches):
        start = time.perf_counter()
        result = await checker.check(target)
        assert result.status is Status.OK, result.text
        seconds["ours"] += time.perf_counter() - start
        start = time.perf_counter()
        async with shown.bare(url):
            pass
        seconds["bare"] += time.perf_counter() - start
    return {
        "ours_per_minute": round(sizes.launches * 60 / seconds["ours"], 1),
        "bare_per_minute": round(sizes.launches * 60 / seconds["bare"], 1),
        "ratio": round(seconds["bare"] / seconds["ours"], 3),
    }
