"""Inline button: an app behind a button below a message of the bot.

The client asks for a web view of the button's URL in that chat and gets a query id with it, which it
prolongs every 60 seconds. The bot may answer the query once: Telegram then posts the message on the
user's behalf, sends `updateWebViewResultSent`, and the app is closed.
Documentation: core.telegram.org/api/bots/webapps#inline-button-web-apps,
core.telegram.org/bots/webapps#inline-button-mini-apps
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.buttons import Button, ButtonKind
from flows.cache import Bot
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.webview import OpenParameters, WebView

__all__ = ["InlineButtonApp"]


@dataclass(frozen=True, slots=True)
class InlineButtonApp:
    """`context.peer` is the chat the button was pressed in."""

    flow: ClassVar[str] = "inline_button"
    method: ClassVar[str] = "messages.requestWebView"

    bot: Bot
    url: str = field(repr=False)
    context: Context

    @classmethod
    def find(cls, bot: Bot, button: Button, context: Context) -> InlineButtonApp:
        """The app behind an inline button. Raises CannotOpen for a button that opens none."""
        if button.kind is not ButtonKind.INLINE_APP:
            raise CannotOpen.not_an_app_button(button.text)
        return cls(bot, button.url, context)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestWebView` with the button's URL."""
        request = functions.messages.RequestWebViewRequest(
            peer=self.context.peer,
            bot=self.bot.input_user,
            platform=parameters.platform,
            silent=self.context.silent,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            url=self.url,
            theme_params=parameters.theme_params,
            reply_to=self.context.reply_to,
            send_as=self.context.send_as,
        )
        return WebView.from_result(await call(client, request))
