"""The scheduler keeps what is open, and lets go of what is closed."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from telethon.tl import functions, types

from flows import FloodWait, MiniAppError
from launcher.mini_app import CloseReason, MiniApp
from launcher.prolonger import Prolonger
from launcher.sandbox import Delay
from launcher.sandbox import FloodWait as Flood
from launcher.timing import Timing
from tests.running import CALM, FAST, bot_client, called, calls_of, launching, let_pass, query_text

LAUNCHES = 300
PROLONG = "messages.prolongWebView"
DIFFERENCE = "updates.getDifference"


class Waiting:
    """An app with nothing to prolong; only its place in the line matters."""

    app: Any = None
    query_id = None
    is_closed = False

    def _prolonged(self, failure: MiniAppError | None) -> None: ...


async def test_after_a_reconnect_prolongs_come_a_little_apart() -> None:
    prolonger = Prolonger(None, Timing(burst=4.0))
    apps = [Waiting() for _ in range(5)]
    for app in apps:
        prolonger.add(app)
    now = asyncio.get_running_loop().time()
    prolonger.all_now()
    due = [entry[0] for entry in sorted(prolonger._heap)]
    assert [later - due[0] for later in due] == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    assert due[0] < now + Timing().prolong_every, "the first is due at once, not in a period"


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


async def test_what_ended_the_query_is_the_reason_though_the_refusal_is_heard_first() -> None:
    """The update waits behind a difference that takes its time; the refused prolong does not."""
    async with launching(CALM) as (launcher, sandbox), bot_client(sandbox) as bot:
        async with launcher.open("@demo_bot", via="menu_button") as app:
            sandbox.log.clear()
            sandbox.faults.on(DIFFERENCE, Delay(20), account=sandbox.world.user("alice").id)
            await launcher.client.catch_up()
            await called(sandbox, DIFFERENCE)
            message = types.InputBotInlineMessageText("done")
            result = types.InputBotInlineResult("1", "article", message, title="done")
            await bot(functions.messages.SendWebViewResultMessageRequest(query_text(app), result))
            launcher._prolonger.all_now()
            await called(sandbox, PROLONG)
            let_pass(20)
            assert await app.closed() is CloseReason.RESULT_SENT
            refused = [line.error for line in sandbox.log if line.method == PROLONG]
            assert refused == ["QUERY_ID_INVALID"]


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
