"""Many apps at once while everything goes wrong at random: nothing is lost, nothing happens twice.

Each run is made by its seed. The suite runs two short ones; `make fuzz` runs many long ones.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from flows import MiniAppError
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox import Delay, DropAfter, DropBefore, Sandbox
from launcher.sandbox.faults import Action
from launcher.sandbox.mailbox import Mailbox
from launcher.timing import Timing
from tests.running import data_received, launching

ALICE = 1001
QUICK = Timing(prolong_every=0.05, prolong_retry=0.01, attempt=30.0, retries=(0.01,) * 40, connect=30.0)
METHODS = (
    "messages.prolongWebView",
    "messages.sendWebViewData",
    "messages.requestWebView",
    "updates.getState",
)


def mishap(sandbox: Sandbox, chance: random.Random) -> Callable[[], object]:
    """One thing that goes wrong, chosen at random."""
    method = chance.choice(METHODS)
    actions: list[Action] = [DropBefore(), DropAfter(), Delay(0.01)]
    action = chance.choice(actions)
    return chance.choice(
        [
            lambda: sandbox.drop_connections(ALICE),
            sandbox.rotate_salts,
            lambda: sandbox.part(Mailbox).skip_pts(ALICE),
            lambda: sandbox.faults.on(method, action, account=ALICE),
            lambda: sandbox.start(sandbox.restart()),
        ]
    )


def next_prolong(app: MiniApp) -> asyncio.Future[None]:
    """Resolves when the app was prolonged without failure once more."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_prolong(_: MiniApp, failure: MiniAppError | None) -> None:
        if failure is None and not done.done():
            done.set_result(None)

    app.on_prolong = on_prolong
    return done


async def send(launcher: Launcher, text: str) -> tuple[str, bool]:
    """Open a keyboard-button app and send; whether the launcher says that it was sent."""
    try:
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            await app.send_data(text)
            assert app.reason is CloseReason.DATA_SENT
    except MiniAppError:
        return text, False
    return text, True


async def chaos(seed: int, apps: int, rounds: int) -> None:
    chance = random.Random(seed)
    async with launching(QUICK, seconds=60 + 10 * rounds) as (launcher, sandbox):
        async with AsyncExitStack() as stack:
            opened = [
                await stack.enter_async_context(launcher.open("@demo_bot", via="menu_button"))
                for _ in range(apps)
            ]
            sending = []
            for number in range(rounds):
                mishap(sandbox, chance)()
                sending.append(asyncio.ensure_future(send(launcher, f"data {number}")))
                await next_prolong(chance.choice(opened))
            outcomes = dict(await asyncio.gather(*sending))
            sandbox.faults.clear()
            await asyncio.gather(*(next_prolong(app) for app in opened))
            assert [app.reason for app in opened] == [None] * apps
            received = data_received(sandbox)
        assert len(received) == len(set(received))
        assert {text for text, sent in outcomes.items() if sent} <= set(received)
        assert sum(outcomes.values()) >= rounds * 0.9


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_little_chaos(seed: int) -> None:
    await chaos(seed, apps=10, rounds=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 40))
async def test_much_chaos(seed: int) -> None:
    await chaos(seed, apps=200, rounds=40)
