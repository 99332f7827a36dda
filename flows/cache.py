"""What a client remembers of bots between launches, so that nothing is asked of Telegram twice.

The cache belongs to one account and lives with it across runs: `to_json` and `from_json` are its stored
form.
Documentation: core.telegram.org/constructor/botApp (`hash`), core.telegram.org/api/bots/attach
(`hash`, reload on `updateAttachMenuBots`), core.telegram.org/api/bots/menu (`updateBotMenuButton`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from telethon.tl import types

__all__ = ["AttachMenuEntry", "Bot", "Cache", "KnownApp", "MenuButton"]


@dataclass(frozen=True, slots=True)
class MenuButton:
    """The app behind a bot's menu button; `url` is empty for a bot whose menu is not an app."""

    text: str = ""
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot as this account knows it: the fields of `user` that launching depends on.

    `inline` says that inline mode is on. `menu_button` is None until it was looked up.
    """

    id: int
    access_hash: int = field(repr=False)
    username: str
    verified: bool = False
    restricted: bool = False
    has_main_app: bool = False
    attach_menu: bool = False
    attach_menu_enabled: bool = False
    inline: bool = False
    menu_button: MenuButton | None = None

    @property
    def input_user(self) -> Any:
        return types.InputUser(self.id, self.access_hash)

    @property
    def input_peer(self) -> Any:
        return types.InputPeerUser(self.id, self.access_hash)


@dataclass(frozen=True, slots=True)
class KnownApp:
    """A direct-link app. `quiet` says that Telegram last wanted nothing asked: active, no write access."""

    id: int
    access_hash: int = field(repr=False)
    short_name: str
    hash: int
    title: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class AttachMenuEntry:
    """`attachMenuBot`: what a bot offers in the attachment and side menus, for which kinds of chat."""

    bot_id: int
    short_name: str
    inactive: bool = False
    request_write_access: bool = False
    show_in_attach_menu: bool = False
    show_in_side_menu: bool = False
    side_menu_disclaimer_needed: bool = False
    peer_types: tuple[str, ...] = ()


@dataclass(slots=True)
class Cache:
    """Bots by id, direct-link apps by (bot id, short name), installed menu entries by bot id with the list's
    hash, the kinds of chats by id, and the bots this account has confirmed or accepted the side menu's terms
    of service for. `resolved` says when each bot was last resolved, in seconds since the epoch by `clock`.
    `attach_menu_current` says that the menu entries were compared with Telegram's in this
    run, and that nothing was heard of a change since."""

    bots: dict[int, Bot] = field(default_factory=dict)
    apps: dict[tuple[int, str], KnownApp] = field(default_factory=dict)
    attach_menu: dict[int, AttachMenuEntry] = field(default_factory=dict)
    attach_menu_hash: int = 0
    attach_menu_current: bool = False
    kinds: dict[int, str] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)
    disclaimed: set[int] = field(default_factory=set)
    resolved: dict[int, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.time

    def bot_named(self, username: str) -> Bot | None:
        wanted = username.lower()
        return next((bot for bot in self.bots.values() if bot.username.lower() == wanted), None)

    def keep_bot(self, bot: Bot) -> Bot:
        """Remember a freshly resolved bot; a menu button that is already known stays."""
        known = self.bots.get(bot.id)
        if known is not None and bot.menu_button is None:
            bot = replace(bot, menu_button=known.menu_button)
        self.bots[bot.id] = bot
        self.resolved[bot.id] = self.clock()
        return bot

    def forget_bots(self) -> None:
        """Drop all bots and their menu buttons."""
        self.bots.clear()

    def forget_bots_before(self, moment: float) -> None:
        """Drop the bots that were last resolved before `moment`, in seconds since the epoch, or nobody knows
        when: their names are resolved anew at the next use."""
        for bot in [bot for bot in self.bots if self.resolved.get(bot, 0.0) < moment]:
            del self.bots[bot]

    def forget_app(self, bot_id: int, short_name: str) -> None:
        """Drop a direct-link app, as after BOT_APP_INVALID."""
        self.apps.pop((bot_id, short_name.lower()), None)

    def keep_menu_button(self, bot_id: int, button: MenuButton | None) -> None:
        """Put a menu button beside its bot, as found or as `updateBotMenuButton` tells it."""
        if bot_id in self.bots:
            self.bots[bot_id] = replace(self.bots[bot_id], menu_button=button)

    def forget_attach_menu(self) -> None:
        """Compare the menu entries with Telegram's before the next use, as after `updateAttachMenuBots` and
        after an error of a launch from one."""
        self.attach_menu_current = False

    def to_json(self) -> dict[str, Any]:
        return {
            "bots": [asdict(bot) for bot in self.bots.values()],
            "apps": [{"bot_id": key[0], **asdict(app)} for key, app in self.apps.items()],
            "attach_menu": [asdict(entry) for entry in self.attach_menu.values()],
            "attach_menu_hash": self.attach_menu_hash,
            "kinds": [[chat, kind] for chat, kind in self.kinds.items()],
            "confirmed": sorted(self.confirmed),
            "disclaimed": sorted(self.disclaimed),
            "resolved": [[bot, self.resolved[bot]] for bot in self.bots if bot in self.resolved],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Cache:
        """The cache that `to_json` described; an empty one for what another version has written."""
        try:
            return cls._from_json(stored)
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()

    @classmethod
    def _from_json(cls, stored: dict[str, Any]) -> Cache:
        cache = cls(
            attach_menu_hash=stored.get("attach_menu_hash", 0),
            kinds=dict(stored.get("kinds", ())),
            confirmed=set(stored.get("confirmed", ())),
            disclaimed=set(stored.get("disclaimed", ())),
            resolved=dict(stored.get("resolved", ())),
        )
        for row in stored.get("bots", ()):
            button = row["menu_button"]
            bot = Bot(**row | {"menu_button": MenuButton(**button) if button else None})
            cache.bots[bot.id] = bot
        for row in stored.get("apps", ()):
            fields = {name: value for name, value in row.items() if name != "bot_id"}
            cache.apps[row["bot_id"], row["short_name"].lower()] = KnownApp(**fields)
        for row in stored.get("attach_menu", ()):
            entry = AttachMenuEntry(**row | {"peer_types": tuple(row["peer_types"])})
            cache.attach_menu[entry.bot_id] = entry
        return cache
