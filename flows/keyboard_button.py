"""Keyboard button: an app behind a button below the input field, in the private chat with the bot.

The client asks for a web view of the button's URL and opens it. The page gets no identity (no init data),
but it may send one text back: the first `web_app_data_send` becomes `messages.sendWebViewData`, which the
bot receives as a service message, and the app is closed. There is no query id and nothing to prolong.
Documentation: core.telegram.org/api/bots/webapps#simple-web-apps,
core.telegram.org/bots/webapps#keyboard-button-mini-apps
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.buttons import Button, ButtonKind
from flows.cache import Bot
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.webview import OpenParameters, WebView

__all__ = ["KeyboardButtonApp"]


@dataclass(frozen=True, slots=True)
class KeyboardButtonApp:
    """`button_text` goes back to the bot together with the data the app sends."""

    flow: ClassVar[str] = "keyboard_button"
    method: ClassVar[str] = "messages.requestSimpleWebView"

    bot: Bot
    url: str = field(repr=False)
    button_text: str

    @property
    def context(self) -> Context:
        return Context(self.bot.input_peer)

    @classmethod
    def find(cls, bot: Bot, button: Button, peer: Any) -> KeyboardButtonApp:
        """The app behind a reply-keyboard button. Raises CannotOpen outside the private chat with its bot."""
        if button.kind is not ButtonKind.KEYBOARD_APP:
            raise CannotOpen.not_an_app_button(button.text)
        if getattr(peer, "user_id", None) != bot.id:
            raise CannotOpen(
                "A keyboard button opens its app in the private chat with its bot only.",
                "Press it there: leave out chat=.",
            )
        return cls(bot, button.url, button.text)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestSimpleWebView` with the button's URL and neither of the `from_` flags."""
        request = functions.messages.RequestSimpleWebViewRequest(
            bot=self.bot.input_user,
            platform=parameters.platform,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            url=self.url,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))
