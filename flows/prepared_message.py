"""A page lets the person share a message that its bot has prepared.

The client fetches the message, shows it with the chats it may go to, and sends it like an inline result into
the chat that was chosen. Each is sent once, and not for long.
Documentation: core.telegram.org/api/web-events#web-app-send-prepared-message,
core.telegram.org/method/messages.getPreparedInlineMessage,
core.telegram.org/method/messages.sendInlineBotResult
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import Bot
from flows.choosing import Choose, chat_types, chosen
from flows.consent import Consent, Question
from flows.errors import AccountLost, AlreadyDone, BadInput, RpcFailed, Transient, call
from flows.peers import CHOOSABLE, input_peer, kind_of
from flows.wire_text import wire_text

__all__ = ["PreparedMessage", "share_prepared_message"]


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """What is to be shared: its text ("" for media) and the kinds of chats it may go to: users, bots,
    groups, channels; every kind when none is named."""

    text: str = field(repr=False)
    chat_types: tuple[str, ...]


async def share_prepared_message(
    client: TelegramClient,
    bot: Bot,
    message_id: str,
    consent: Consent,
    choose: Choose[PreparedMessage],
    random_id: int,
) -> str | None:
    """`messages.getPreparedInlineMessage`, the question SHARE_MESSAGE, the chat, and
    `messages.sendInlineBotResult`: the error of `prepared_message_failed`, or None for
    `prepared_message_sent`.

    Raises BadInput for a chat of a kind the message is not for, CannotOpen for a chat nobody knows,
    AccountLost, Transient and NotConnected.
    """
    request = functions.messages.GetPreparedInlineMessageRequest(bot=bot.input_user, id=wire_text(message_id))
    try:
        found = await call(client, request)
    except (AccountLost, Transient):
        raise
    except RpcFailed as error:
        return "MESSAGE_EXPIRED" if error.name == "ID_EXPIRED" else error.text
    message = PreparedMessage(_text(found.result), chat_types(found.peer_types))
    where = ", ".join(message.chat_types) or "any"
    if not await consent.allows(Question.SHARE_MESSAGE, bot.username, f"send a message to a chat ({where})"):
        return "USER_DECLINED"
    chat = await chosen(choose, message)
    if chat is None:
        return "USER_DECLINED"
    peer = await input_peer(client, chat)
    await _check_kind(client, bot, message, peer)
    return await _send(client, found, peer, random_id)


async def _check_kind(client: TelegramClient, bot: Bot, message: PreparedMessage, peer: Any) -> None:
    allowed = {CHOOSABLE[word] for word in message.chat_types or CHOOSABLE}
    kind = (await kind_of(client, peer, bot)).replace("same_bot_pm", "bot_pm")
    if kind not in allowed:
        raise BadInput(
            "The message is not for chats of this kind.", f"Choose one of {', '.join(message.chat_types)}."
        )


async def _send(client: TelegramClient, found: Any, peer: Any, random_id: int) -> str | None:
    request = functions.messages.SendInlineBotResultRequest(
        peer=peer, query_id=found.query_id, id=found.result.id, random_id=random_id
    )
    try:
        await call(client, request)
    except (AccountLost, Transient):
        raise
    except AlreadyDone:
        return None
    except RpcFailed:
        return "MESSAGE_SEND_FAILED"
    return None


def _text(result: Any) -> str:
    return str(getattr(result.send_message, "message", ""))
