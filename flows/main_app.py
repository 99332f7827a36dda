"""Main Mini App: the app behind "Open App" on a bot's profile and behind `?startapp` links.

The client requests a web view for the open chat, or the chat with the bot, or no chat at all
(`inputPeerEmpty`). There is no query id and nothing to prolong. Documentation:
core.telegram.org/api/bots/webapps#main-mini-apps, core.telegram.org/method/messages.requestMainWebView
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import Bot
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.webview import OpenParameters, WebView

__all__ = ["MainApp"]


@dataclass(frozen=True, slots=True)
class MainApp:
    """`peer` is an InputPeer; InputPeerEmpty means that no chat is open. `hidden` says that the app came from
    a link whose target was not in sight."""

    flow: ClassVar[str] = "main_app"
    method: ClassVar[str] = "messages.requestMainWebView"

    bot: Bot
    peer: Any
    start_param: str | None = None
    hidden: bool = False

    @property
    def context(self) -> Context:
        return Context(self.peer)

    @classmethod
    def find(
        cls, bot: Bot, peer: Any = None, start_param: str | None = None, hidden: bool = False
    ) -> MainApp:
        """The bot's main app. Raises CannotOpen for a bot that has none."""
        if not bot.has_main_app:
            raise CannotOpen.no_main_app(f"@{bot.username}")
        return cls(bot, peer or bot.input_peer, start_param, hidden)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestMainWebView`."""
        request = functions.messages.RequestMainWebViewRequest(
            peer=self.peer,
            bot=self.bot.input_user,
            platform=parameters.platform,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            start_param=self.start_param or None,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))
