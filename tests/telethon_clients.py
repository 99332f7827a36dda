"""Unpatched Telethon clients for tests of the sandbox: how they connect, name peers, and wait for updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from telethon import TelegramClient, events
from telethon.errors import RPCError
from telethon.tl import types

from launcher.sandbox.peers import access_hash
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Channel, Group

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for something that should come at once."""


class Clock:
    """The time of a sandbox in the hands of a test; it only goes forward."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


class Client:
    """A connected client of one account, and what was pushed to it."""

    def __init__(self, sandbox: Sandbox, account: int, telethon: Any) -> None:
        self.sandbox, self.account, self.telethon = sandbox, account, telethon
        self._updates: asyncio.Queue[Any] = asyncio.Queue()
        telethon.add_event_handler(self._updates.put, events.Raw())

    async def __call__(self, request: Any) -> Any:
        return await self.telethon(request)

    async def refused(self, request: Any) -> str:
        """The code and name of the error a request is answered with, sent once and not repeated.

        For an error that Telethon has a class of, the code is that of the class.
        """
        try:
            answer = await self.telethon._sender.send(request)
        except RPCError as error:
            mine = (line.error for line in reversed(self.sandbox.log) if line.account == self.account)
            return f"{error.code} {next(filter(None, mine))}"
        raise AssertionError(f"answered with {answer}")

    async def update(self, kind: type) -> Any:
        """The next update of this type; others before it are dropped."""
        while True:
            update = await asyncio.wait_for(self._updates.get(), PATIENCE)
            if isinstance(update, kind):
                return update

    def pushed(self) -> list[Any]:
        """What came so far and was not waited for."""
        return [self._updates.get_nowait() for _ in range(self._updates.qsize())]

    def peer(self, number: int) -> Any:
        """An InputPeer as this account may use it."""
        peer = self.sandbox.world[number]
        if isinstance(peer, Group):
            return types.InputPeerChat(number)
        name = types.InputPeerChannel if isinstance(peer, Channel) else types.InputPeerUser
        return name(number, self._hash(number))

    def user(self, number: int) -> Any:
        return types.InputUser(number, self._hash(number))

    def channel(self, number: int) -> Any:
        return types.InputChannel(number, self._hash(number))

    def _hash(self, number: int) -> int:
        return access_hash(self.sandbox, self.account, number)


@asynccontextmanager
async def signed_in(sandbox: Sandbox, account: int) -> AsyncIterator[Client]:
    """A client of this account, connected and ready to be pushed updates."""
    telethon = TelegramClient(
        sandbox.sign_in(account), sandbox.api_id, sandbox.api_hash, flood_sleep_threshold=0
    )
    async with telethon:
        await telethon.get_me()
        yield Client(sandbox, account, telethon)


def fragment(url: str) -> dict[str, str]:
    """The launch parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).fragment))


def init_data(url: str) -> dict[str, str]:
    """The init data of a URL; empty when there is none."""
    return dict(parse_qsl(fragment(url).get("tgWebAppData", "")))
