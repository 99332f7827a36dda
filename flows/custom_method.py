"""What a page asks of Telegram's servers by itself: cloud storage and the like.

The person sees nothing of it. The page names a method and its parameters, the client passes both on, and the
page gets the JSON that came back or the text of the error. Known methods are `saveStorageValue`,
`getStorageValues`, `deleteStorageValues`, `getStorageKeys`, `getRequestedContact` and `getCurrentTime`.
Documentation: core.telegram.org/api/web-events#web-app-invoke-custom-method,
core.telegram.org/method/bots.invokeWebViewCustomMethod
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import Bot
from flows.errors import AccountLost, RpcFailed, Transient, call
from flows.wire_text import wire_text

__all__ = ["CustomMethodAnswer", "invoke_custom_method"]


@dataclass(frozen=True, slots=True)
class CustomMethodAnswer:
    """`custom_method_invoked`: the parsed JSON, or else the error as the page is told it."""

    result: Any = field(default=None, repr=False)
    error: str | None = None


async def invoke_custom_method(
    client: TelegramClient, bot: Bot, method: str, params: Any
) -> CustomMethodAnswer:
    """`bots.invokeWebViewCustomMethod`; `params` is what the page passed, any JSON value.

    Errors of Telegram become the answer. Raises AccountLost, Transient and NotConnected.
    """
    data = wire_text(json.dumps(params, ensure_ascii=False))
    request = functions.bots.InvokeWebViewCustomMethodRequest(
        bot=bot.input_user, custom_method=wire_text(method), params=types.DataJSON(data)
    )
    try:
        answer = await call(client, request)
    except (AccountLost, Transient):
        raise
    except RpcFailed as error:
        return CustomMethodAnswer(error=error.text)
    try:
        return CustomMethodAnswer(json.loads(answer.data))
    except (ValueError, RecursionError):
        return CustomMethodAnswer(error="Could not parse response.")  # the words of Telegram Desktop
