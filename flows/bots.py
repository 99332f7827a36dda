"""From a user name to a bot: the first step of every flow.

A client resolves the name, makes sure that it is a bot, and shows an error instead of opening anything when
the bot is restricted for this account (core.telegram.org/api/bots/webapps, TDLib).
"""

from __future__ import annotations

from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import Bot, Cache, MenuButton
from flows.errors import BotNotFound, CannotOpen, answers, call

__all__ = ["bot_from_user", "find_bot", "find_bot_by_id", "find_menu_button"]


async def find_bot(client: TelegramClient, username: str, cache: Cache, offering: str | None = None) -> Bot:
    """The bot of that user name ("@" allowed): remembered, else `contacts.resolveUsername`.

    Only what a bot can do is believed from memory, for no update tells what it has learned: one that is
    remembered as restricted, or without the `offering` that is wanted (`has_main_app`, `attach_menu`,
    `inline`), is looked up again.

    Raises CannotOpen for a name that is not a bot's and for a restricted bot, and RpcFailed
    (USERNAME_NOT_OCCUPIED, USERNAME_INVALID).
    """
    username = username.removeprefix("@")
    known = cache.bot_named(username)
    if known is not None and _able(known, offering):
        return known
    try:
        found = await call(client, functions.contacts.ResolveUsernameRequest(username))
    except BotNotFound as error:
        raise error.about(f"@{username}") from None
    return bot_from_user(_peer_of(found), cache, username)


async def find_bot_by_id(client: TelegramClient, bot_id: int, cache: Cache) -> Bot:
    """The bot with that id, remembered or, if Telethon has met it, fetched with `users.getUsers`."""
    known = cache.bots.get(bot_id)
    if known is not None and _able(known):
        return known
    try:
        with answers("users.getUsers"):
            named = await client.get_input_entity(types.PeerUser(bot_id))
    except ValueError:
        raise CannotOpen(f"This account has not met bot {bot_id}.", "Open it by its user name.") from None
    users = await call(client, functions.users.GetUsersRequest([named]))
    return bot_from_user(users[0] if users else None, cache, str(bot_id))


def bot_from_user(user: Any, cache: Cache, name: str) -> Bot:
    """Remember a `user` of Telegram's as a bot. Raises CannotOpen when it is none, or restricted.

    A `min` user is refused: its access hash opens nothing (core.telegram.org/api/min).
    """
    if not isinstance(user, types.User) or not user.bot:
        raise CannotOpen.not_a_bot(f"@{name}")
    if user.min:
        raise CannotOpen(f"@{name} was only seen in passing.", "Open it by its user name.")
    bot = Bot(
        id=user.id,
        access_hash=user.access_hash,
        username=_username(user) or name,
        verified=bool(user.verified),
        restricted=bool(user.restricted),
        has_main_app=bool(user.bot_has_main_app),
        attach_menu=bool(user.bot_attach_menu),
        attach_menu_enabled=bool(user.attach_menu_enabled),
        inline=user.bot_inline_placeholder is not None,
    )
    cache.keep_bot(bot)
    if bot.restricted:
        raise CannotOpen.restricted(f"@{bot.username}")
    return cache.bots[bot.id]


async def find_menu_button(client: TelegramClient, bot: Bot, cache: Cache) -> MenuButton:
    """The bot's menu button: remembered, else from `users.getFullUser`; an empty URL when it is no app."""
    if bot.menu_button is not None and bot.menu_button.url:
        return bot.menu_button
    full = await call(client, functions.users.GetFullUserRequest(bot.input_user))
    info = full.full_user.bot_info
    shown: Any = info.menu_button if info else None
    is_app = isinstance(shown, types.BotMenuButton)
    button = MenuButton(shown.text, shown.url) if is_app else MenuButton()
    cache.keep_menu_button(bot.id, button)
    return button


def _peer_of(found: Any) -> Any:
    wanted = getattr(found.peer, "user_id", None)
    return next((user for user in found.users if user.id == wanted), None)


def _username(user: Any) -> str:
    if user.username:
        return str(user.username)
    return next((name.username for name in user.usernames or () if name.active), "")


def _able(bot: Bot, offering: str | None = None) -> bool:
    return not bot.restricted and (offering is None or bool(getattr(bot, offering)))
