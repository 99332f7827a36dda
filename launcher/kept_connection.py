"""Keeping an account connected: a lost connection is made again, for ever.

Telethon's own reconnecting is off: it would not fetch the difference of updates, and would repeat pending
requests unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions

from flows import AccountLost, MiniAppError, NotConnected, call

__all__ = ["KeptConnection"]


class KeptConnection:
    """Reconnects `client` while `run()` runs, `pause` seconds after each attempt that failed.

    `tell` is called with False when the connection is lost, with True when it is back; `lose` with the
    reason when the account's session has ended, after which nothing is tried any more.
    """

    def __init__(
        self,
        client: TelegramClient,
        pause: float,
        *,
        tell: Callable[[bool], None],
        lose: Callable[[MiniAppError], None],
    ) -> None:
        self._client = client
        self._pause = pause
        self._tell = tell
        self._lose = lose
        self._running: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Disconnect for good."""
        if self._running is not None:
            await _cancelled(self._running)
        await self._client.disconnect()

    async def run(self) -> None:
        self._running = asyncio.current_task()
        try:
            while True:
                await _end_of(self._client)
                self._tell(False)
                await self._reconnect_at_last()
                self._tell(True)
        except AccountLost as failure:
            await _end_of(self._client)
            self._lose(failure)

    async def _reconnect_at_last(self) -> None:
        while True:
            try:
                return await self._reconnect()
            except AccountLost:
                raise
            except MiniAppError:
                await asyncio.sleep(self._pause)

    async def _reconnect(self) -> None:
        await self._client.disconnect()
        await call(lambda _: self._client.connect(), functions.help.GetConfigRequest())
        await self._ask_who_is_there()

    async def _ask_who_is_there(self) -> None:
        """See that the account still exists. Raises NotConnected when the connection is gone again meanwhile:
        Telethon would keep the request for its next connection, which is ours to make."""
        asking = asyncio.ensure_future(call(self._client, functions.updates.GetStateRequest()))
        gone = asyncio.ensure_future(_end_of(self._client))
        try:
            await asyncio.wait((asking, gone), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise NotConnected("updates.getState")
            await asking
        finally:
            await _cancelled(asking, gone)


async def _end_of(client: TelegramClient) -> None:
    """Until the client's connection has ended. Why it did is learned by reconnecting."""
    with suppress(Exception):
        await client.disconnected


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    """End tasks and wait until they have ended; what came of them is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
