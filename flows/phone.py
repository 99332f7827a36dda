"""A page asks for the person's phone number; the bot gets it, not the page.

A dialog asks every time. With a yes the client sends the account's own contact into the chat with the bot,
where it can be seen; a blocked bot has to be unblocked for that, which is a question of its own.
Documentation: core.telegram.org/api/web-events#web-app-request-phone,
core.telegram.org/method/messages.sendMedia, core.telegram.org/method/contacts.unblock
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import Bot
from flows.consent import Consent, Question
from flows.errors import AlreadyDone, Blocked, call

__all__ = ["share_phone"]


async def share_phone(
    client: TelegramClient, bot: Bot, consent: Consent, random_id: int
) -> Literal["sent", "cancelled"]:
    """The question PHONE, then `messages.sendMedia` with one's own contact: the status of `phone_requested`.

    Call it again with the same `random_id` after a transient failure. Raises RpcFailed and NotConnected.
    """
    if not await consent.allows(Question.PHONE, bot.username, "share your phone number"):
        return "cancelled"
    request = functions.messages.SendMediaRequest(
        peer=bot.input_peer, media=await _own_contact(client), message="", random_id=random_id
    )
    try:
        await _send(client, request)
    except Blocked:
        if not await consent.allows(Question.UNBLOCK, bot.username, "unblock the bot"):
            return "cancelled"
        await call(client, functions.contacts.UnblockRequest(bot.input_peer))
        await _send(client, request)
    return "sent"


async def _send(client: TelegramClient, request: Any) -> None:
    with suppress(AlreadyDone):
        await call(client, request)


async def _own_contact(client: TelegramClient) -> Any:
    (me,) = await call(client, functions.users.GetUsersRequest([types.InputUserSelf()]))
    return types.InputMediaContact(
        phone_number=me.phone, first_name=me.first_name or "", last_name=me.last_name or "", vcard=""
    )
