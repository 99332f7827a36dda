"""Writing messages, and starting a bot.

Documentation: core.telegram.org/method/messages.sendMessage, core.telegram.org/method/messages.startBot,
core.telegram.org/api/links (bot links). Keyboards come from bots alone; what theirs may hold: `keyboards`.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import person
from launcher.sandbox.keyboards import check_keyboard
from launcher.sandbox.peers import bot_named, peer_named
from launcher.sandbox.placement import check_may_write, check_not_repeated, placement
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, Channel, Message, Peer, User

__all__: list[str] = []

_START_PARAM = re.compile(r"[A-Za-z0-9_-]*")


@handles(
    functions.messages.SendMessageRequest,
    docs="core.telegram.org/method/messages.sendMessage",
    errors=(
        "BUTTON_TYPE_INVALID", "BUTTON_URL_INVALID", "CHAT_WRITE_FORBIDDEN", "INPUT_USER_DEACTIVATED",
        "MESSAGE_EMPTY", "MESSAGE_TOO_LONG", "MSG_ID_INVALID", "PEER_ID_INVALID", "PRIVACY_PREMIUM_REQUIRED",
        "SEND_AS_PEER_INVALID", "USER_IS_BLOCKED", "YOU_BLOCKED_USER",
    ),
)  # fmt: skip
async def send_message(call: Call) -> Any:
    request = call.request
    peer = peer_named(call, request.peer)
    _check_text(request.message)
    return _send(call, peer, request.message)


@handles(
    functions.messages.SendMediaRequest,
    docs="core.telegram.org/method/messages.sendMedia",
    errors=(
        "BUTTON_TYPE_INVALID", "BUTTON_URL_INVALID", "CHAT_WRITE_FORBIDDEN", "INPUT_USER_DEACTIVATED",
        "MEDIA_INVALID", "MSG_ID_INVALID", "PEER_ID_INVALID", "PRIVACY_PREMIUM_REQUIRED",
        "SEND_AS_PEER_INVALID", "USER_IS_BLOCKED", "YOU_BLOCKED_USER",
    ),
)  # fmt: skip
async def send_media(call: Call) -> Any:
    """Contacts, which Mini Apps ask for; files are not the subject of the sandbox."""
    peer, media = peer_named(call, call.request.peer), call.request.media
    if not isinstance(media, types.InputMediaContact):
        raise RpcError(400, "MEDIA_INVALID")
    return _send(call, peer, "", _contact(call, media))


def _send(call: Call, peer: Peer, text: str, media: Any = None) -> Any:
    request = call.request
    _check_not_blocked(call, peer)
    check_may_write(call, peer)
    markup = _markup(call, peer)
    place = placement(call, peer, request)
    sender = place.send_as or call.me.id
    check_not_repeated(call, sender)
    message = mailbox.post(
        call.sandbox,
        sender,
        peer.id,
        text,
        markup=markup,
        media=media,
        entities=request.entities or (),
        reply_to=place.reply_to,
        topic=place.topic,
        silent=place.silent,
        besides=call.key,
        random_id=request.random_id,
    )
    _told(call, peer, text)
    return mailbox.updates_for(call.sandbox, call.me.id, message, random_id=request.random_id)


def _contact(call: Call, media: Any) -> Any:
    """A contact as it is shown: names and number as they were sent, with the user who has the number."""
    number = media.phone_number.lstrip("+")
    known = (user for user in call.sandbox.world.users() if user.phone == number)
    owner = next((user for user in known if user is call.me or _names_strangers(call)), None)
    return types.MessageMediaContact(
        phone_number=media.phone_number,
        first_name=media.first_name,
        last_name=media.last_name,
        vcard=media.vcard,
        user_id=0 if owner is None else owner.id,
    )


def _names_strangers(call: Call) -> bool:
    return call.sandbox.assumptions.holds("a_contact_names_the_user_with_the_number")


@handles(
    functions.messages.StartBotRequest,
    docs="core.telegram.org/method/messages.startBot",
    errors=(
        "BOT_INVALID", "CHAT_ADMIN_REQUIRED", "CHAT_WRITE_FORBIDDEN", "INPUT_USER_DEACTIVATED",
        "PEER_ID_INVALID", "START_PARAM_EMPTY", "START_PARAM_INVALID", "START_PARAM_TOO_LONG",
    ),
)  # fmt: skip
async def start_bot(call: Call) -> Any:
    """Post `/start <parameter>` to the bot; in a group, bring the bot in first and name it."""
    user, bot, request = person(call), bot_named(call, call.request.bot), call.request
    peer = peer_named(call, request.peer)
    _check_start_param(request.start_param)
    _bring_in(call, bot, peer)
    check_not_repeated(call)
    name = "" if peer is bot else f"@{bot.username}"
    text = f"/start{name} {request.start_param}"
    message = mailbox.post(
        call.sandbox, user.id, peer.id, text, besides=call.key, random_id=request.random_id
    )
    _told(call, peer, text)
    return mailbox.updates_for(call.sandbox, user.id, message, random_id=request.random_id)


def _check_text(text: str) -> None:
    if not text.strip():
        raise RpcError(400, "MESSAGE_EMPTY")
    if len(text) > 4096:
        raise RpcError(400, "MESSAGE_TOO_LONG")


def _check_not_blocked(call: Call, peer: Peer) -> None:
    if isinstance(call.me, User) and peer.id in call.me.blocked:
        raise RpcError(400, "YOU_BLOCKED_USER")
    if isinstance(peer, User) and call.me.id in peer.blocked:
        raise RpcError(403, "USER_IS_BLOCKED")


def _markup(call: Call, peer: Peer) -> Any:
    markup, name = call.request.reply_markup, "keyboards_of_people_are_dropped"
    if markup is None or isinstance(call.me, Bot):
        check_keyboard(markup, private=isinstance(peer, User | Bot))
        return markup
    if not call.sandbox.assumptions.holds(name):
        raise RpcError(400, "REPLY_MARKUP_INVALID", name)
    return None


def _check_start_param(value: str) -> None:
    if not value:
        raise RpcError(400, "START_PARAM_EMPTY")
    if len(value) > 64:
        raise RpcError(400, "START_PARAM_TOO_LONG")
    if not _START_PARAM.fullmatch(value):
        raise RpcError(400, "START_PARAM_INVALID")


def _bring_in(call: Call, bot: Bot, peer: Peer) -> None:
    if isinstance(peer, User | Bot) and peer is not bot:
        raise RpcError(400, "PEER_ID_INVALID")
    check_may_write(call, peer)
    if isinstance(peer, User | Bot):
        return
    if isinstance(peer, Channel) and call.me.id not in peer.admins:
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    peer.members.add(bot.id)


def _told(call: Call, peer: Peer, text: str) -> None:
    """A person who writes to a bot lets it write back; a bot without a client answers a start by itself."""
    if not isinstance(peer, Bot) or not isinstance(call.me, User):
        return
    call.me.writes_allowed.add(peer.id)
    answer, started = peer.start_answer, text == "/start" or text.startswith("/start ")
    if started and answer is not None and not call.sandbox.connected(peer.id):
        # Only after the answer to the call: its message has the lower pts.
        asyncio.get_running_loop().call_soon(_answer_start, call, peer, answer)


def _answer_start(call: Call, bot: Bot, answer: Message) -> None:
    mailbox.post(
        call.sandbox, bot.id, call.me.id, answer.text, markup=answer.markup, entities=answer.entities
    )
