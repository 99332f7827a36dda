"""Chats as the caller names them, and which kind of chat each one is.

The kinds are the attachment menu's peer types (core.telegram.org/api/bots/attach): the chat with the bot
itself, with another bot, with a person, a group or supergroup, a channel.
"""

from __future__ import annotations

from typing import Any

from telethon import TelegramClient, utils
from telethon.tl import functions, types

from flows.cache import Bot
from flows.errors import CannotOpen, answers, call

__all__ = ["CHOOSABLE", "input_peer", "kind_of"]

CHOOSABLE = {"users": "pm", "bots": "bot_pm", "groups": "chat", "channels": "broadcast"}
"""The words of `choose=` and `chat_types`, with the kind of chat each one means."""


async def input_peer(client: TelegramClient, chat: Any) -> Any:
    """The InputPeer of a chat named by "@name", phone, id, entity or InputPeer.

    Raises CannotOpen for a chat this account has not met or a name nobody has, RpcFailed for a name that
    cannot be and for a phone number of nobody.
    """
    if isinstance(chat, types.InputPeerEmpty):
        return chat
    if isinstance(chat, str) and chat.startswith("+"):
        return await _by_phone(client, chat)
    try:
        with answers("contacts.resolveUsername"):
            return await client.get_input_entity(chat)
    except (ValueError, TypeError):
        raise CannotOpen(
            f"This account knows no chat {_shown(chat)}.", "Name it by @username, or write to it once."
        ) from None


async def kind_of(client: TelegramClient, peer: Any, bot: Bot, known: dict[int, str] | None = None) -> str:
    """`same_bot_pm`, `bot_pm`, `pm`, `chat` or `broadcast`.

    Looked up in `known` and kept there, by Telethon's marked id: a chat never changes its kind. Raises
    CannotOpen for InputPeerEmpty.
    """
    match peer:
        case types.InputPeerChat():
            return "chat"
        case types.InputPeerUser(user_id=bot.id):
            return "same_bot_pm"
        case types.InputPeerSelf():
            return "pm"
        case types.InputPeerEmpty():
            raise CannotOpen("No chat is open.", "Name one with chat=.")
    kinds, number = {} if known is None else known, utils.get_peer_id(peer)
    if number not in kinds:
        with answers("users.getUsers"):
            kinds[number] = _kind(await client.get_entity(peer))
    return kinds[number]


def _kind(entity: Any) -> str:
    if isinstance(entity, types.User):
        return "bot_pm" if entity.bot else "pm"
    return "broadcast" if getattr(entity, "broadcast", False) else "chat"


async def _by_phone(client: TelegramClient, phone: str) -> Any:
    found = await call(client, functions.contacts.ResolvePhoneRequest(phone.removeprefix("+")))
    return utils.get_input_peer(found.users[0])


def _shown(chat: Any) -> str:
    return repr(chat) if isinstance(chat, str | int) else type(chat).__name__
