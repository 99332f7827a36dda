"""Side menu: an app behind an entry of the client's main menu.

The bot has to be installed, and its disclaimer accepted once. The client asks for a web view with
`from_side_menu`, without a chat and without a URL. There is no query id and nothing to prolong. Older
documentation opened `?startapp` links this way; `start_param` is what is left of that.
Documentation: core.telegram.org/api/bots/attach, core.telegram.org/api/bots/webapps#side-menu-web-apps
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import AttachMenuEntry, Bot, Cache
from flows.consent import Consent
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.installation import accept_disclaimer, find_entry, install
from flows.webview import OpenParameters, WebView

__all__ = ["SideMenuApp"]


@dataclass(frozen=True, slots=True)
class SideMenuApp:
    """`start_param` is deprecated here; new clients send it to the Main Mini App instead. `hidden` says that
    the app came from a link whose target was not in sight."""

    flow: ClassVar[str] = "side_menu"
    method: ClassVar[str] = "messages.requestSimpleWebView"

    bot: Bot
    entry: AttachMenuEntry
    start_param: str | None = None
    hidden: bool = False

    @property
    def context(self) -> Context:
        return Context(self.bot.input_peer)

    @classmethod
    async def find(
        cls,
        client: TelegramClient,
        bot: Bot,
        cache: Cache,
        start_param: str | None = None,
        hidden: bool = False,
    ) -> SideMenuApp:
        """The bot's side-menu entry. Raises CannotOpen when it has none."""
        entry = await find_entry(client, bot, cache)
        if not entry.show_in_side_menu:
            raise CannotOpen.no_side_menu_entry(f"@{bot.username}")
        return cls(bot, entry, start_param, hidden)

    async def agree(self, client: TelegramClient, consent: Consent, cache: Cache) -> SideMenuApp:
        """Install an inactive entry, or accept the disclaimer, with consent. Raises ConsentDeclined."""
        if self.entry.inactive:
            return replace(self, entry=await install(client, self.bot, self.entry, consent, cache))
        await accept_disclaimer(self.bot, self.entry, consent, cache)
        return self

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestSimpleWebView` with `from_side_menu`."""
        request = functions.messages.RequestSimpleWebViewRequest(
            bot=self.bot.input_user,
            platform=parameters.platform,
            from_side_menu=True,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            start_param=self.start_param or None,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))
