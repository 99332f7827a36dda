"""Waiting until a client has read what it was told so far.

What ends a query is pushed before the next prolong is refused, and over the same connection. But Telethon
hands an answer over at once and puts updates into a queue, which stands still while a difference is fetched:
so a refusal may overtake the update that tells its reason. An update of our own, put at the end of the queue,
comes out behind all the others.
"""

from __future__ import annotations

import asyncio
from typing import Any

from telethon import TelegramClient, events
from telethon.tl import types

__all__ = ["updates_read"]


async def updates_read(client: TelegramClient) -> None:
    """Until the handlers have been called with every update that has arrived by now. It may never be, when
    the connection is lost."""
    mark, passed = types.UpdateConfig(), asyncio.Event()

    async def see(update: Any) -> None:
        if update is mark:
            passed.set()

    client.add_event_handler(see, events.Raw(types.UpdateConfig))
    try:
        client._updates_queue.put_nowait(types.UpdateShort(mark, client._message_box.date))
        await passed.wait()
    finally:
        client.remove_event_handler(see)
