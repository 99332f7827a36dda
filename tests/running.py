"""What tests of the launcher start from: a sandbox, and an account at work in it, with periods made short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from telethon import TelegramClient, events
from telethon.tl import types

from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.settings import Settings
from launcher.timing import Timing

T = TypeVar("T")
DEMO_BOT = "demo_bot"
FAST = Timing(prolong_every=0.05, prolong_retry=0.02, retries=(0.02,) * 4, flood_wait=1.0, connect=30.0)
"""Prolongs every 50 ms, repeats at once."""
CALM = Timing(prolong_every=3600.0, prolong_retry=0.02, retries=(0.02,) * 4, flood_wait=1.0, connect=30.0)
"""Prolongs only when something else makes it."""


@asynccontextmanager
async def launching(
    timing: Timing = CALM,
    account: str = "alice",
    flipped: tuple[str, ...] = (),
    seconds: float = 60.0,
    browser: Browser | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Launcher, Sandbox]]:
    """A launcher in a fresh sandbox, for so many seconds at most; `options` are the sandbox's."""
    settings = Settings(server="sandbox", _env_file=None)
    async with (
        asyncio.timeout(seconds),
        Sandbox(flipped=flipped, **options) as sandbox,
        Launcher(settings, account, timing=timing, sandbox=sandbox, browser=browser) as launcher,
    ):
        yield launcher, sandbox


def let_pass(seconds: float) -> None:
    """Put this loop's clock forward: what has that much time left has it no more, and nobody waits for it."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]


async def called(sandbox: Sandbox, method: str) -> None:
    """Until the method has been called, though it may not be answered yet."""
    while not calls_of(sandbox, method):  # noqa: ASYNC110 - the log tells nobody that it grows
        await asyncio.sleep(0)


@asynccontextmanager
async def bot_client(sandbox: Sandbox, username: str = DEMO_BOT) -> AsyncIterator[TelegramClient]:
    """A bot at work: an unpatched Telethon client, signed in as the bot."""
    client = TelegramClient(sandbox.sign_in(username), sandbox.api_id, sandbox.api_hash)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


@asynccontextmanager
async def heard(launcher: Launcher, update: type) -> AsyncIterator[None]:
    """Leave the block only when the launcher has dealt with an update of this TL type."""
    arrived = asyncio.Event()

    async def watch(_: Any) -> None:
        arrived.set()

    launcher.client.add_event_handler(watch, events.Raw(update))  # called after the launcher's own
    yield
    await arrived.wait()
    launcher.client.remove_event_handler(watch)


@asynccontextmanager
async def in_own_task(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave in one task of its own, for fixtures: pytest-asyncio runs their parts in different
    ones."""
    there: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def play() -> None:
        try:
            async with context as entered:
                there.set_result(entered)
                await over.wait()
        except BaseException as failure:
            if there.done():
                raise
            there.set_exception(failure)

    playing = asyncio.create_task(play())
    yield await there
    over.set()
    await playing


def data_received(sandbox: Sandbox, username: str = DEMO_BOT) -> list[str]:
    """The data of every `messageActionWebViewDataSentMe` that the bot has got, in order."""
    box = sandbox.world.boxes[sandbox.world.bot(username).id]
    actions = [message.action for message in box.messages.values()]
    return [action.data for action in actions if isinstance(action, types.MessageActionWebViewDataSentMe)]


def calls_of(sandbox: Sandbox, *methods: str) -> list[str]:
    """The names of the logged calls, in order; only those of `methods` if any are given."""
    return [call.method for call in sandbox.log if not methods or call.method in methods]


def query_text(app: MiniApp) -> str:
    """The query id as the page and its bot know it."""
    assert app.init_data is not None
    assert app.init_data.query_id is not None
    return app.init_data.query_id
