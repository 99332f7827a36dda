"""The same tests by the plugin and by hand, in turns; this file is also the pytest plugin that times them.

A test's time is all of it: its set-up, its call, its teardown, and what pytest's hooks do around these. Both
sides share alike: each test has a launcher of its own, in one loop of its own, and all pages are shown in the
run's one Chromium. The sandbox is the test's own, or one for the whole run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from launcher import Launcher, MiniApp, Settings, expect
from launcher.hosts.browser import Browser
from launcher.pytest_plugin.browser_server import BrowserServer
from launcher.pytest_plugin.fixtures import OpenApp
from launcher.sandbox import Sandbox
from launcher.sandbox.site import Site

LINK = "https://t.me/demo_bot/app"
TURNS = int(os.environ["BENCH_TURNS"])
_TIMES = pytest.StashKey[dict[str, list[tuple[float, float]]]]()
"""Seconds and seconds of work of each test, by its class and name."""


# The tests

in_turns = pytest.mark.parametrize("turn", range(-1, TURNS))


@asynccontextmanager
async def own_sandbox(browser: Browser | None = None) -> AsyncIterator[Launcher]:
    """What a test without the plugin enters."""
    settings = Settings(server="sandbox", _env_file=None)
    async with (
        Sandbox() as sandbox,
        Site(sandbox),
        Launcher(settings, sandbox=sandbox, browser=browser) as launcher,
    ):
        yield launcher


async def is_answered(app: MiniApp) -> None:
    assert app.http is not None
    assert app.http.status == 200


@in_turns
class TestHttp:
    async def test_plugin(self, turn: int, mini_app_open: OpenApp) -> None:
        async with mini_app_open(LINK, host="http") as app:
            await is_answered(app)

    async def test_hand(self, turn: int) -> None:
        async with own_sandbox() as launcher, launcher.open(LINK, host="http") as app:
            await is_answered(app)


@in_turns
class TestBrowser:
    async def test_plugin(self, turn: int, mini_app_open: OpenApp) -> None:
        async with mini_app_open(LINK) as app:
            await expect(app).to_be_ready()

    @pytest.fixture
    def chromium(self, _mini_app_browser_server: BrowserServer) -> BrowserServer:
        return _mini_app_browser_server

    async def test_hand(self, turn: int, chromium: BrowserServer) -> None:
        options = await chromium.browser_options()
        async with (
            Browser(**options) as browser,
            own_sandbox(browser) as launcher,
            launcher.open(LINK, host="browser") as app,
        ):
            await expect(app).to_be_ready()


@in_turns
class TestHttpInOneSandbox:
    """The server is one sandbox for the run, the account signed in as on any other server."""

    @pytest.fixture
    def mini_app_settings(self) -> Settings:
        return Settings(server=os.environ["BENCH_SERVER"], _env_file=None)

    async def test_plugin(self, turn: int, mini_app_open: OpenApp) -> None:
        async with mini_app_open("@demo_bot", via="main_app", host="http") as app:
            await is_answered(app)

    async def test_hand(self, turn: int, mini_app_settings: Settings) -> None:
        async with (
            Launcher(mini_app_settings) as launcher,
            launcher.open("@demo_bot", via="main_app", host="http") as app,
        ):
            await is_answered(app)


# The stopwatch


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Turn by turn; who goes first changes."""
    items.sort(key=lambda item: (item.cls.__name__, turn := item.callspec.params["turn"], _side(item, turn)))


def _side(item: pytest.Item, turn: int) -> bool:
    return item.name.startswith("test_hand") is (turn % 2 == 0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: Any) -> Iterator[None]:
    start, worked = time.perf_counter(), time.process_time()
    done = yield
    seconds = time.perf_counter() - start, time.process_time() - worked
    if item.callspec.params["turn"] >= 0:  # the first one warms up
        name = f"{item.cls.__name__} {item.name.partition('[')[0]}"
        item.config.stash.setdefault(_TIMES, {}).setdefault(name, []).append(seconds)
    return done


def pytest_sessionfinish(session: pytest.Session) -> None:
    Path(os.environ["BENCH_TIMES"]).write_text(json.dumps(session.config.stash.get(_TIMES, {})))
