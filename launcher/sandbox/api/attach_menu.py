"""The attachment menu and the side menu: what is installed, one bot's offer, installing and removing.

Documentation: core.telegram.org/api/bots/attach, core.telegram.org/constructor/attachMenuBot.
"""

from __future__ import annotations

import hashlib
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.api.write_access import grant_write_access
from launcher.sandbox.callers import person
from launcher.sandbox.peers import bot_named, render_all
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import AttachMenu, Bot, PeerType, User

__all__: list[str] = []

_PEER_TYPES: dict[PeerType, Any] = {
    "same_bot_pm": types.AttachMenuPeerTypeSameBotPM,
    "bot_pm": types.AttachMenuPeerTypeBotPM,
    "pm": types.AttachMenuPeerTypePM,
    "chat": types.AttachMenuPeerTypeChat,
    "broadcast": types.AttachMenuPeerTypeBroadcast,
}


@handles(
    functions.messages.GetAttachMenuBotsRequest,
    docs="core.telegram.org/method/messages.getAttachMenuBots",
)
async def get_attach_menu_bots(call: Call) -> Any:
    user = person(call)
    offers = [
        _render(user, bot, bot.attach_menu)
        for bot in call.sandbox.world.bots()
        if bot.id in user.attach_menu and bot.attach_menu is not None
    ]
    digest = _hash(offers)
    if call.request.hash == digest:
        return types.AttachMenuBotsNotModified()
    users, _ = render_all(call.sandbox, user.id, {offer.bot_id for offer in offers})
    return types.AttachMenuBots(hash=digest, bots=offers, users=users)


@handles(
    functions.messages.GetAttachMenuBotRequest,
    docs="core.telegram.org/method/messages.getAttachMenuBot",
    errors=("BOT_INVALID",),
)
async def get_attach_menu_bot(call: Call) -> Any:
    user = person(call)
    bot, menu = _offer_named(call)
    users, _ = render_all(call.sandbox, user.id, {bot.id})
    return types.AttachMenuBotsBot(bot=_render(user, bot, menu), users=users)


@handles(
    functions.messages.ToggleBotInAttachMenuRequest,
    docs="core.telegram.org/method/messages.toggleBotInAttachMenu",
    errors=("BOT_INVALID",),
)
async def toggle_bot_in_attach_menu(call: Call) -> bool:
    user = person(call)
    bot, menu = _offer_named(call)
    if not call.request.enabled:
        user.attach_menu.discard(bot.id)
    else:
        user.attach_menu.add(bot.id)
        _allow_writing(call, user, bot, menu)
    mailbox.notify(call.sandbox, user.id, types.UpdateAttachMenuBots(), besides=call.key)
    return True


def _allow_writing(call: Call, user: User, bot: Bot, menu: AttachMenu) -> None:
    ignored = call.sandbox.assumptions.holds("write_access_nobody_asked_for_is_ignored")
    if call.request.write_allowed and (menu.request_write_access or not ignored):
        grant_write_access(call, user, bot, types.MessageActionBotAllowed(attach_menu=True))


def _offer_named(call: Call) -> tuple[Bot, AttachMenu]:
    bot = bot_named(call, call.request.bot)
    if bot.attach_menu is None:
        raise RpcError(400, "BOT_INVALID")
    return bot, bot.attach_menu


def _render(user: User, bot: Bot, menu: AttachMenu) -> Any:
    return types.AttachMenuBot(
        bot_id=bot.id,
        short_name=menu.short_name,
        icons=[types.AttachMenuBotIcon("default_static", types.DocumentEmpty(bot.id))],
        inactive=bot.id not in user.attach_menu,
        has_settings=bot.has_settings,
        request_write_access=menu.request_write_access,
        show_in_attach_menu=menu.in_attach_menu,
        show_in_side_menu=menu.in_side_menu,
        side_menu_disclaimer_needed=menu.side_menu_disclaimer_needed,
        peer_types=[_PEER_TYPES[kind]() for kind in sorted(menu.peer_types)] if menu.in_attach_menu else None,
    )


def _hash(offers: list[Any]) -> int:
    """A number that changes with anything in the list; never 0, by which clients ask for all of it."""
    digest = hashlib.blake2b(b"".join(bytes(offer) for offer in offers), digest_size=7).digest()
    return int.from_bytes(digest, "big") or 1
