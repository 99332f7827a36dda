"""A page asks that its bot may write to the person.

Nothing is shown when the bot may do so already. Otherwise a dialog asks, and with a yes both sides get the
service message `messageActionBotAllowed` with `from_request`.
Documentation: core.telegram.org/api/web-events#web-app-request-write-access,
core.telegram.org/method/bots.canSendMessage, core.telegram.org/method/bots.allowSendMessage
"""

from __future__ import annotations

from typing import Literal

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import Bot
from flows.consent import Consent, Question
from flows.errors import call

__all__ = ["request_write_access"]


async def request_write_access(
    client: TelegramClient, bot: Bot, consent: Consent
) -> Literal["allowed", "cancelled"]:
    """`bots.canSendMessage`, the question WRITE_ACCESS, `bots.allowSendMessage`: the status of
    `write_access_requested`. Raises RpcFailed and NotConnected."""
    if await call(client, functions.bots.CanSendMessageRequest(bot.input_user)):
        return "allowed"
    if not await consent.allows(Question.WRITE_ACCESS, bot.username, "let the bot write to you"):
        return "cancelled"
    await call(client, functions.bots.AllowSendMessageRequest(bot.input_user))
    return "allowed"
