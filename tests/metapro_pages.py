"""Drives of the sample Metapro app in real Chromium, with its script as it is or with texts of it replaced.

A `Stage` is a sandbox with the stand-in and the sample app, and an account whose pages are shown in the
browser of the test process. Each drive opens contexts of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext, Route

from flows import OpenParameters
from launcher.hosting import Hosting
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.metapro import DriveReport, MetaproDriver, Screen, Verdict
from launcher.metapro.drive import Prepare
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.site import Site
from launcher.settings import Settings
from tests.browsers import browser
from tests.metapro_drives import APP, settings_for
from tests.running import in_own_task

__all__ = ["PATIENT", "Stage", "browser", "driven", "failed", "load", "stage"]

SCRIPT = (files("launcher.sandbox") / "sample_app" / "metapro.js").read_text("utf-8")
PATIENT = Screen(seconds=20.0)


@dataclass
class Stage:
    sandbox: Sandbox
    metapro: MetaproStandIn
    launcher: Launcher


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    async with in_own_task(_staged(browser)) as stage:
        yield stage


@asynccontextmanager
async def _staged(browser: Browser) -> AsyncIterator[Stage]:
    settings = Settings(server="sandbox", _env_file=None)
    async with (
        Sandbox() as sandbox,
        MetaproStandIn(sandbox) as metapro,
        Site(sandbox, metapro=metapro),
        Launcher(settings, "alice", sandbox=sandbox, browser=browser) as launcher,
    ):
        yield Stage(sandbox, metapro, launcher)


async def driven(
    stage: Stage,
    *steps: str,
    broken: Mapping[str, str] | None = None,
    loading: Prepare | None = None,
    switches: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    trace: Path | None = None,
    start_param: str | None = "friend",
    screen: Screen = PATIENT,
    **options: Any,
) -> DriveReport:
    """A drive of the sample app, with these texts of its script replaced, and these switches turned.
    `loading` prepares each page in place of that."""
    stage.metapro.switches = Switches(**switches or {})
    changed = loading or partial(load, broken or {})

    def opened(
        *, platform: str | None = None, prepare: Prepare | None = None, shown: bool = True
    ) -> AbstractAsyncContextManager[MiniApp]:
        async def first(context: BrowserContext) -> None:
            for one in (changed, prepare):
                if one is not None:
                    await one(context)

        return stage.launcher.open(
            APP, start_param=start_param, parameters=OpenParameters(platform or "android"),
            hosting=Hosting("browser", prepare=first) if shown else None,
        )  # fmt: skip

    driver = MetaproDriver(
        settings_for(stage.metapro, **settings or {}), steps=steps, relaunch=opened, now=stage.sandbox.now,
        screen=screen, patience=60.0, **options,
    )  # fmt: skip

    async def prepare(context: BrowserContext) -> None:
        await changed(context)
        await driver.prepare(context)

    hosting = Hosting("browser", prepare=prepare, trace=trace)
    async with stage.launcher.open(APP, start_param=start_param, hosting=hosting) as app:
        return await driver.drive(app)


async def load(changes: Mapping[str, str], context: BrowserContext, *, library: str = "") -> None:
    """Let the page load the sample app's script with these texts replaced, after a library."""
    script = SCRIPT
    for text, other in changes.items():
        assert text in script
        script = script.replace(text, other)

    async def serve(route: Route) -> None:
        await route.fulfill(body=library + script, content_type="text/javascript")

    if changes:
        await context.route("**/metapro.js", serve)


def failed(report: DriveReport) -> dict[str, str]:
    return {step.id: step.cause for step in report.steps if step.verdict is Verdict.FAIL}
