"""Sending a keyboard-button app's data to its bot, exactly once.

The bot receives `messageActionWebViewDataSentMe` with the button's text and the data, the user sees
`messageActionWebViewDataSent`. One `random_id` stands for one sending, however often the request has to
be repeated: RANDOM_ID_DUPLICATE means that it arrived before. Documentation:
core.telegram.org/api/bots/webapps#simple-web-apps, core.telegram.org/method/messages.sendWebViewData
"""

from __future__ import annotations

from contextlib import suppress

from telethon import TelegramClient
from telethon.tl import functions

from flows.errors import AlreadyDone, DataRefused, call
from flows.keyboard_button import KeyboardButtonApp

__all__ = ["LIMIT", "check_data", "send_data"]

LIMIT = 4096
"""Bytes of UTF-8 (core.telegram.org/bots/webapps, `sendData`)."""


def check_data(data: str) -> str:
    """The data itself. Raises DataRefused unless it is 1 to 4,096 bytes of UTF-8."""
    try:
        size = len(data.encode())
    except UnicodeEncodeError:
        raise DataRefused(
            "The data holds half a surrogate pair.", "Remove it: UTF-8 cannot carry it."
        ) from None
    if not 1 <= size <= LIMIT:
        raise DataRefused(f"The data has {size} bytes of UTF-8.", f"Send 1 to {LIMIT} bytes.")
    return data


async def send_data(client: TelegramClient, app: KeyboardButtonApp, data: str, random_id: int) -> None:
    """`messages.sendWebViewData`. Call it again with the same `random_id` after a transient failure."""
    request = functions.messages.SendWebViewDataRequest(
        bot=app.bot.input_user, button_text=app.button_text, data=check_data(data), random_id=random_id
    )
    with suppress(AlreadyDone):
        await call(client, request)
