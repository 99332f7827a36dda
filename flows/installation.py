"""Adding a bot to the attachment and side menus: what the client looks up, asks and tells Telegram.

An entry that is `inactive` has to be installed with the person's consent before it can be opened; a bot that
offers a side-menu app may want a disclaimer accepted first.
Documentation: core.telegram.org/api/bots/attach
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import AttachMenuEntry, Bot, Cache
from flows.consent import Consent, Prompt, Question
from flows.errors import CannotOpen, ConsentDeclined, call

__all__ = ["accept_offer", "find_entry", "install", "load_entries", "offer"]

PEER_TYPES = {
    types.AttachMenuPeerTypeSameBotPM: "same_bot_pm",
    types.AttachMenuPeerTypeBotPM: "bot_pm",
    types.AttachMenuPeerTypePM: "pm",
    types.AttachMenuPeerTypeChat: "chat",
    types.AttachMenuPeerTypeBroadcast: "broadcast",
}


async def load_entries(client: TelegramClient, cache: Cache) -> None:
    """Bring the installed entries up to date: `messages.getAttachMenuBots` with the hash we have."""
    request = functions.messages.GetAttachMenuBotsRequest(hash=cache.attach_menu_hash)
    found = await call(client, request)
    cache.attach_menu_current = True
    if isinstance(found, types.AttachMenuBotsNotModified):
        return
    cache.attach_menu = {bot.bot_id: _entry(bot) for bot in found.bots}
    cache.attach_menu_hash = found.hash


async def find_entry(client: TelegramClient, bot: Bot, cache: Cache) -> AttachMenuEntry:
    """What a bot offers in the menus: among the installed ones, or else `messages.getAttachMenuBot`.

    Raises CannotOpen for a bot that offers nothing there.
    """
    if not bot.attach_menu:
        raise CannotOpen.no_attachment_app(f"@{bot.username}")
    if not cache.attach_menu_current:
        await load_entries(client, cache)
    if bot.id in cache.attach_menu:
        return cache.attach_menu[bot.id]
    found = await call(client, functions.messages.GetAttachMenuBotRequest(bot.input_user))
    return _entry(found.bot)


async def install(
    client: TelegramClient, bot: Bot, entry: AttachMenuEntry, consent: Consent, cache: Cache
) -> AttachMenuEntry:
    """Install an inactive entry with consent; returns it active. Raises ConsentDeclined.

    One dialog: installation, the disclaimer if the entry needs one, and write access if the bot asks for it.
    """
    prompt = Prompt(offer(entry, cache), bot.username, "add the bot to the attachment menu")
    allowed = await consent.decide(prompt)
    if missing := _needed(entry, cache) - allowed:
        raise ConsentDeclined(sorted(missing)[0])
    return await accept_offer(client, bot, entry, allowed, cache)


def offer(entry: AttachMenuEntry, cache: Cache) -> tuple[Question, ...]:
    """What is asked to install an entry."""
    write = {Question.WRITE_ACCESS} if entry.request_write_access else set()
    return tuple(sorted(_needed(entry, cache) | write))


async def accept_offer(
    client: TelegramClient, bot: Bot, entry: AttachMenuEntry, allowed: Collection[Question], cache: Cache
) -> AttachMenuEntry:
    """Install the entry if all that is needed was allowed; returns it as it is then."""
    needed = _needed(entry, cache)
    if not needed.issubset(allowed):
        return entry
    write_allowed = True if entry.request_write_access and Question.WRITE_ACCESS in allowed else None
    await toggle(client, bot, enabled=True, write_allowed=write_allowed)
    cache.forget_attach_menu()
    cache.keep_bot(replace(bot, attach_menu_enabled=True))
    if Question.DISCLAIMER in needed:
        cache.disclaimed.add(bot.id)
    return replace(entry, inactive=False)


async def accept_disclaimer(bot: Bot, entry: AttachMenuEntry, consent: Consent, cache: Cache) -> None:
    """Ask for the side menu's terms of service, once per bot. Raises ConsentDeclined."""
    if not _disclaimer(entry, cache):
        return
    prompt = Prompt((Question.DISCLAIMER,), bot.username, "accept telegram.org/tos/mini-apps")
    if not await consent.decide(prompt):
        raise ConsentDeclined(Question.DISCLAIMER)
    cache.disclaimed.add(bot.id)


async def toggle(
    client: TelegramClient, bot: Bot, *, enabled: bool, write_allowed: bool | None = None
) -> None:
    """`messages.toggleBotInAttachMenu`."""
    request = functions.messages.ToggleBotInAttachMenuRequest(
        bot=bot.input_user, enabled=enabled, write_allowed=write_allowed
    )
    await call(client, request)


def _needed(entry: AttachMenuEntry, cache: Cache) -> set[Question]:
    return {Question.INSTALLATION} | _disclaimer(entry, cache)


def _disclaimer(entry: AttachMenuEntry, cache: Cache) -> set[Question]:
    needed = entry.side_menu_disclaimer_needed and entry.bot_id not in cache.disclaimed
    return {Question.DISCLAIMER} if needed else set()


def _entry(bot: Any) -> AttachMenuEntry:
    return AttachMenuEntry(
        bot_id=bot.bot_id,
        short_name=bot.short_name,
        inactive=bool(bot.inactive),
        request_write_access=bool(bot.request_write_access),
        show_in_attach_menu=bool(bot.show_in_attach_menu),
        show_in_side_menu=bool(bot.show_in_side_menu),
        side_menu_disclaimer_needed=bool(bot.side_menu_disclaimer_needed),
        peer_types=tuple(PEER_TYPES[type(kind)] for kind in bot.peer_types or ()),
    )
