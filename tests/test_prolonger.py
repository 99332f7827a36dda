"""The scheduler keeps what is open, and lets go of what is closed."""

from __future__ import annotations

import asyncio
import gc

from flows import FloodWait
from launcher.mini_app import MiniApp
from launcher.sandbox import FloodWait as Flood
from tests.running import CALM, FAST, calls_of, launching

LAUNCHES = 300
PROLONG = "messages.prolongWebView"


def apps_in_memory() -> list[MiniApp]:
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, MiniApp)]


async def test_closed_apps_are_let_go_long_before_they_would_be_due() -> None:
    async with launching(CALM) as (launcher, _), launcher.open("@demo_bot", via="menu_button") as app:
        for _ in range(LAUNCHES):
            async with launcher.open("@demo_bot", via="menu_button"):
                pass
        kept = apps_in_memory()
        assert len(kept) < LAUNCHES
        assert app in kept
        assert launcher.apps == {app}


async def test_a_flood_wait_is_the_accounts_and_outlasts_a_reconnect() -> None:
    async with launching(FAST) as (launcher, sandbox):
        async with (
            launcher.open("@demo_bot", via="menu_button") as first,
            launcher.open("@demo_bot", via="menu_button") as second,
        ):
            flooded, back = asyncio.Event(), asyncio.Event()
            first.on_prolong = second.on_prolong = lambda _, failure: (
                flooded.set() if isinstance(failure, FloodWait) else None
            )
            sandbox.faults.on(PROLONG, Flood(3600), times=None)
            await flooded.wait()
            asked = calls_of(sandbox, PROLONG)
            launcher.on_connection = lambda connected: back.set() if connected else None
            sandbox.drop_connections()
            await back.wait()
            async with launcher.open("t.me/demo_bot/app"):
                pass
            assert len(calls_of(sandbox, PROLONG)) <= len(asked) + 1  # one may have been under way
            assert not first.is_closed
