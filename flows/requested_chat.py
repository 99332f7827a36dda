"""A page lets the person choose users or chats for its bot.

The bot has prepared a button of the sort that asks for chats in a keyboard; the page knows its id. The client
fetches it, shows a list of what fits, and tells the bot what was chosen: both sides see a service message.
Documentation: core.telegram.org/api/web-events, core.telegram.org/method/bots.getRequestedWebViewButton,
core.telegram.org/method/messages.sendBotRequestedPeer
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import Bot
from flows.choosing import Choose, chosen
from flows.consent import Consent, Question
from flows.errors import AccountLost, BadInput, RpcFailed, Transient, call
from flows.peers import input_peer
from flows.wire_text import wire_text

__all__ = ["ChatRequest", "send_requested_chat"]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the bot asks for: the button's text, users, bots, groups or channels, and how many at most.

    `peer_type` is TL's `RequestPeerType`, with everything else that has to be true of them.
    """

    text: str
    chat_type: str
    max_quantity: int
    peer_type: Any


async def send_requested_chat(
    client: TelegramClient, bot: Bot, req_id: str, consent: Consent, choose: Choose[ChatRequest]
) -> str | None:
    """`bots.getRequestedWebViewButton`, the question SHARE_CHAT, the chats, and
    `messages.sendBotRequestedPeer`: the error of `requested_chat_failed`, or None for `requested_chat_sent`.

    `choose` may name one chat or a list of them. Raises BadInput for more chats than the bot wants,
    CannotOpen for one nobody knows, AccountLost, Transient and NotConnected.
    """
    request_id = wire_text(req_id)
    try:
        button = await call(
            client,
            functions.bots.GetRequestedWebViewButtonRequest(bot=bot.input_user, webapp_req_id=request_id),
        )
        request = _request(button)
        if request is None:
            return "UNSUPPORTED"
        if not await consent.allows(
            Question.SHARE_CHAT, bot.username, f"give the bot {request.chat_type} you choose"
        ):
            return "USER_DECLINED"
        peers = await _peers(client, request, await chosen(choose, request))
        if not peers:
            return "USER_DECLINED"
        await call(
            client,
            functions.messages.SendBotRequestedPeerRequest(
                peer=bot.input_peer,
                button_id=button.type.button_id,
                requested_peers=peers,
                webapp_req_id=request_id,
            ),
        )
    except (AccountLost, Transient):
        raise
    except RpcFailed as error:
        return error.text
    return None


def _request(button: Any) -> ChatRequest | None:
    """None for a button of another sort, and for one that wants a new bot made (`requestPeerTypeCreateBot`),
    which is no choice among chats."""
    kind = button.type
    if not isinstance(kind, types.ButtonTypeRequestPeer):
        return None
    word = _word(kind.peer_type)
    return word and ChatRequest(button.text, word, kind.max_quantity, kind.peer_type)


def _word(peer_type: Any) -> Any:
    match peer_type:
        case types.RequestPeerTypeUser():
            return "bots" if peer_type.bot else "users"
        case types.RequestPeerTypeChat():
            return "groups"
        case types.RequestPeerTypeBroadcast():
            return "channels"
    return None


async def _peers(client: TelegramClient, request: ChatRequest, said: Any) -> list[Any]:
    chats = said if isinstance(said, list | tuple) else [] if said is None else [said]
    if len(chats) > request.max_quantity:
        raise BadInput(
            f"{len(chats)} chats were chosen.", f"The bot takes {request.max_quantity} of them at most."
        )
    return [await input_peer(client, chat) for chat in chats]
