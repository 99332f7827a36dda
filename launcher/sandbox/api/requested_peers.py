"""Chats that a bot asks for: with a button of a keyboard, or with one prepared for its Mini App.

Documentation: core.telegram.org/api/bots/buttons (peer selection),
core.telegram.org/constructor/messageActionRequestedPeerSentMe, and the page of each method.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.keyboards import buttons
from launcher.sandbox.peers import bot_named, peer_named, tl_peer, user_named
from launcher.sandbox.placement import message_in
from launcher.sandbox.prepared import Prepared
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, Channel, Group, Peer, User

__all__: list[str] = []

_TYPES = (types.ButtonTypeRequestPeer, types.InputButtonTypeRequestPeer)


@handles(
    functions.bots.RequestWebViewButtonRequest,
    docs="core.telegram.org/method/bots.requestWebViewButton",
    errors=("BUTTON_INVALID", "USER_BOT_REQUIRED", "USER_ID_INVALID"),
)
async def request_web_view_button(call: Call) -> Any:
    bot, user, button = calling_bot(call), user_named(call, call.request.user_id), call.request.button
    if not isinstance(button.type, _TYPES) or not button.text or button.type.max_quantity < 1:
        raise RpcError(400, "BUTTON_INVALID")
    return types.bots.RequestedButton(call.sandbox.part(Prepared).add_button(bot.id, user.id, button).id)


@handles(
    functions.bots.GetRequestedWebViewButtonRequest,
    docs="core.telegram.org/method/bots.getRequestedWebViewButton",
    errors=("BOT_ID_INVALID", "WEBAPP_REQ_ID_INVALID"),
)
async def get_requested_web_view_button(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.bot, "BOT_ID_INVALID")
    prepared = call.sandbox.part(Prepared).button(call.request.webapp_req_id, bot.id, user.id)
    if prepared is None:
        raise RpcError(400, "WEBAPP_REQ_ID_INVALID")
    kind = prepared.button.type
    shown = types.ButtonTypeRequestPeer(kind.button_id, kind.peer_type, kind.max_quantity)
    return types.KeyboardButton(text=prepared.button.text, type=shown, style=prepared.button.style)


@handles(
    functions.messages.SendBotRequestedPeerRequest,
    docs="core.telegram.org/method/messages.sendBotRequestedPeer",
    errors=("MESSAGE_ID_INVALID", "PEER_ID_INVALID"),
)
async def send_bot_requested_peer(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.peer, "PEER_ID_INVALID")
    wanted = _asked(call, user, bot)
    chosen = [peer_named(call, named) for named in call.request.requested_peers]
    _check_choice(call, user, bot, wanted, chosen)
    _use_up(call, user, bot)
    message = mailbox.post(
        call.sandbox,
        user.id,
        bot.id,
        action=types.MessageActionRequestedPeer(wanted.button_id, [tl_peer(peer) for peer in chosen]),
        their_action=types.MessageActionRequestedPeerSentMe(
            wanted.button_id, [_told(wanted, peer) for peer in chosen]
        ),
        besides=call.key,
    )
    return mailbox.updates_for(call.sandbox, user.id, message)


def _asked(call: Call, user: User, bot: Bot) -> Any:
    """The type of the button that is answered, in a message or prepared for a Mini App."""
    request = call.request
    if request.webapp_req_id is not None:
        return _prepared_type(call, user, bot)
    message = message_in(call, bot, request.msg_id or 0)
    for button in buttons(message and message.markup):
        if isinstance(button.type, _TYPES) and button.type.button_id == request.button_id:
            return button.type
    raise RpcError(400, "MESSAGE_ID_INVALID")


def _prepared_type(call: Call, user: User, bot: Bot) -> Any:
    prepared = call.sandbox.part(Prepared).button(call.request.webapp_req_id, bot.id, user.id)
    if prepared is None or prepared.button.type.button_id != call.request.button_id:
        name = "an_unknown_request_is_webapp_req_id_invalid"
        holds = call.sandbox.assumptions.holds(name)
        raise RpcError(400, "WEBAPP_REQ_ID_INVALID" if holds else "MESSAGE_ID_INVALID", name)
    return prepared.button.type


def _use_up(call: Call, user: User, bot: Bot) -> None:
    if call.request.webapp_req_id is None:
        return
    prepared = call.sandbox.part(Prepared).button(call.request.webapp_req_id, bot.id, user.id)
    assert prepared is not None
    prepared.used = call.sandbox.assumptions.holds("a_request_of_an_app_is_answered_once")


def _check_choice(call: Call, user: User, bot: Bot, wanted: Any, chosen: list[Peer]) -> None:
    fit = 1 <= len(chosen) <= wanted.max_quantity and all(
        _fits(user, bot, wanted.peer_type, peer) for peer in chosen
    )
    name = "requested_peers_have_to_fit"
    if not fit and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "PEER_ID_INVALID", name)


def _fits(user: User, bot: Bot, wanted: Any, peer: Peer) -> bool:
    """Whether a chat is what the button asks for; conditions that are absent do not matter."""
    match wanted, peer:
        case types.RequestPeerTypeUser(), User() | Bot():
            premium = isinstance(peer, User) and peer.premium
            return wanted.bot in (None, isinstance(peer, Bot)) and wanted.premium in (None, premium)
        case types.RequestPeerTypeChat(), Group():
            return _fits_chat(bot, wanted, peer.members, forum=False, username=False)
        case types.RequestPeerTypeChat(), Channel(kind="supergroup"):
            named = peer.username is not None
            return _fits_chat(bot, wanted, peer.members, forum=peer.forum, username=named)
        case types.RequestPeerTypeBroadcast(), Channel(kind="channel"):
            named = peer.username is not None
            return wanted.has_username in (None, named) and (not wanted.creator or user.id in peer.admins)
    return False


def _fits_chat(bot: Bot, wanted: Any, members: set[int], *, forum: bool, username: bool) -> bool:
    present = not wanted.bot_participant or bot.id in members
    return present and wanted.forum in (None, forum) and wanted.has_username in (None, username)


def _told(wanted: Any, peer: Peer) -> Any:
    """What the bot learns: the id always, name and user name if its button asked for them."""
    named = getattr(wanted, "name_requested", None)
    username = getattr(peer, "username", None) if getattr(wanted, "username_requested", None) else None
    match peer:
        case User() | Bot():
            first, last = (peer.first_name, peer.last_name) if named else (None, None)
            return types.RequestedPeerUser(peer.id, first_name=first, last_name=last, username=username)
        case Group():
            return types.RequestedPeerChat(peer.id, title=peer.title if named else None)
        case Channel():
            title = peer.title if named else None
            return types.RequestedPeerChannel(peer.id, title=title, username=username)
