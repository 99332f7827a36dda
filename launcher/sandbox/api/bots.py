"""Bots as such: their menu buttons, and the list of popular apps.

Documentation: core.telegram.org/api/bots/menu, core.telegram.org/method/bots.getPopularAppBots.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.keyboards import is_https
from launcher.sandbox.peers import peer_named, render_all
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, MenuButton, User

__all__ = ["render_menu_button"]


@handles(
    functions.bots.SetBotMenuButtonRequest,
    docs="core.telegram.org/method/bots.setBotMenuButton",
    errors=("BUTTON_TEXT_INVALID", "BUTTON_URL_INVALID", "USER_BOT_REQUIRED"),
)
async def set_bot_menu_button(call: Call) -> bool:
    bot, user = calling_bot(call), _user_named(call)
    button = _button(call.request.button)
    if user is None:
        bot.menu_button = button
    elif isinstance(call.request.button, types.BotMenuButtonDefault):
        bot.menu_buttons.pop(user.id, None)
    else:
        bot.menu_buttons[user.id] = button
    for told in _who_sees(call, bot, user):
        shown = render_menu_button(bot, told.id)
        users, _ = render_all(call.sandbox, told.id, {bot.id})
        mailbox.notify(call.sandbox, told.id, types.UpdateBotMenuButton(bot.id, shown), users=users)
    return True


@handles(
    functions.bots.GetBotMenuButtonRequest,
    docs="core.telegram.org/method/bots.getBotMenuButton",
    errors=("USER_BOT_REQUIRED",),
)
async def get_bot_menu_button(call: Call) -> Any:
    bot, user = calling_bot(call), _user_named(call)
    return render_menu_button(bot, 0 if user is None else user.id)


@handles(
    functions.bots.GetPopularAppBotsRequest,
    docs="core.telegram.org/method/bots.getPopularAppBots",
    errors=(),
)
async def get_popular_app_bots(call: Call) -> Any:
    """Bots with a main app, by id; `offset` is the number of bots that were given before."""
    viewer, start = person(call), int(call.request.offset or "0")
    found = [bot.id for bot in call.sandbox.world.bots() if bot.main_app is not None]
    end = start + call.request.limit
    users, _ = render_all(call.sandbox, viewer.id, set(found[start:end]))
    return types.bots.PopularAppBots(users=users, next_offset=str(end) if end < len(found) else None)


def render_menu_button(bot: Bot, user: int) -> Any:
    """The menu button as this user sees it; 0 for the one of everybody."""
    button = bot.menu_button_of(user)
    return types.BotMenuButtonDefault() if button is None else types.BotMenuButton(button.text, button.url)


def _button(named: Any) -> MenuButton | None:
    if not isinstance(named, types.BotMenuButton):
        return None
    if not named.text:
        raise RpcError(400, "BUTTON_TEXT_INVALID")
    if not is_https(named.url):
        raise RpcError(400, "BUTTON_URL_INVALID")
    return MenuButton(named.text, named.url)


def _user_named(call: Call) -> User | None:
    if isinstance(call.request.user_id, types.InputUserEmpty):
        return None
    try:
        peer = peer_named(call, call.request.user_id)
    except RpcError:
        peer = None
    if isinstance(peer, User):
        return peer
    name = "a_menu_button_of_an_unknown_user_is_user_id_invalid"
    holds = call.sandbox.assumptions.holds(name)
    raise RpcError(400, "USER_ID_INVALID" if holds else "PEER_ID_INVALID", name)


def _who_sees(call: Call, bot: Bot, user: User | None) -> list[User]:
    """The users whose menu button has changed: one, or everybody with a private chat with the bot."""
    if user is not None:
        return [user]
    boxes = call.sandbox.world.boxes
    return [
        other
        for other in call.sandbox.world.users()
        if any(message.chat == bot.id for message in boxes[other.id].messages.values())
    ]
