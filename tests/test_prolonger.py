"""The scheduler keeps what is open, and lets go of what is closed."""

from __future__ import annotations

import gc

from launcher.mini_app import MiniApp
from tests.running import CALM, launching

LAUNCHES = 300


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
