"""What tests of the Metapro driver start from: two people's launches, a stand-in, a clock that is moved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import SecretStr

from launcher.launcher import Launcher
from launcher.metapro import SERVICES, Launch, LongRun, MetaproDriver, MetaproSettings
from launcher.metapro.settings import MAIN_NETWORKS
from launcher.sandbox import Sandbox
from launcher.sandbox.default_world import METAPRO_BOT_NAME, default_world
from launcher.sandbox.metapro import MetaproStandIn
from launcher.settings import Settings

APP = f"https://t.me/{METAPRO_BOT_NAME}/app"
BOT_TOKEN = default_world().bot(METAPRO_BOT_NAME).token


class Clock:
    """Begins with the real time, and moves on only when somebody waits for it: so many times at most, and
    then it stands still and says so."""

    def __init__(self, waits: int = 1_000_000) -> None:
        self.time = time.time()
        self.left = waits
        self.stands = asyncio.Event()

    def __call__(self) -> float:
        return self.time

    async def wait(self, seconds: float) -> None:
        if not self.left:
            self.stands.set()
            await asyncio.Future[None]()
        self.left -= 1
        self.time += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class People:
    """Launches of one app by two people, and one that tells nobody who opened it."""

    alice: Launch
    bob: Launch
    nobody: Launch


@lru_cache(maxsize=1)
def people() -> People:
    """Real launches, made once: nobody prolongs them, and no page is shown."""
    return asyncio.run(_launched())


async def _launched() -> People:
    settings = Settings(server="sandbox", _env_file=None)
    async with Sandbox() as sandbox, Launcher(settings, "alice", sandbox=sandbox) as launcher:
        async with launcher.open(APP, start_param="friend") as app:
            alice = Launch.of(app)
        key = launcher.open(f"@{METAPRO_BOT_NAME}", via="keyboard_button", start="")
        async with key as app:
            nobody = Launch.of(app)
        async with Launcher(settings, "carol", sandbox=sandbox) as other, other.open(APP) as app:
            return People(alice, Launch.of(app), nobody)


def settings_for(metapro: MetaproStandIn, **changes: Any) -> MetaproSettings:
    """Those of the stand-in; short time-outs, and no environment."""
    ids = {name: value for name, value in metapro.ids.items() if not name.endswith("_key")}
    given: dict[str, Any] = {f"{service}_url": metapro.services[service] for service in SERVICES} | ids
    given["chain_ids"] = MAIN_NETWORKS
    given |= {"leaderboard_key": SecretStr(metapro.ids["leaderboard_key"]), "bot_token": SecretStr(BOT_TOKEN)}
    return MetaproSettings(**{**given, "timeout": 20.0, **changes}, _env_file=None)


@asynccontextmanager
async def standing_in(clock: Clock | None = None, **switches: Any) -> AsyncIterator[MetaproStandIn]:
    """A stand-in over the default world, with these switches turned."""
    async with MetaproStandIn(default_world(), clock=clock, seed=7) as metapro:
        for name, value in switches.items():
            setattr(metapro.switches, name, value)
        yield metapro


def driver_for(metapro: MetaproStandIn, clock: Clock, **options: Any) -> MetaproDriver:
    """A driver that never really waits; `settings` are changes to the stand-in's."""
    settings = settings_for(metapro, **options.pop("settings", {}))
    return MetaproDriver(settings, now=clock, wait=clock.wait, **options)


def long_run(clock: Clock) -> LongRun:
    return LongRun(times=20, idle=(300.0, 900.0, 3500.0, 7200.0), wait=clock.wait)
