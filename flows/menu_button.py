"""Menu button: the app beside the input field of the chat with a bot.

The URL stands in the bot's full information and may change at any time (`updateBotMenuButton`). The
client asks for a web view of it, `from_bot_menu`, in the chat with the bot; query id, prolonging and the
bot's answer are as with an inline button.
Documentation: core.telegram.org/api/bots/menu, core.telegram.org/api/bots/webapps#bot-menu-web-apps
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.bots import find_menu_button
from flows.cache import Bot, Cache
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.webview import OpenParameters, WebView

__all__ = ["MenuButtonApp"]


@dataclass(frozen=True, slots=True)
class MenuButtonApp:
    """`context.peer` is always the chat with the bot: elsewhere Telegram answers BOT_WEBVIEW_DISABLED."""

    flow: ClassVar[str] = "menu_button"
    method: ClassVar[str] = "messages.requestWebView"

    bot: Bot
    url: str = field(repr=False)
    context: Context

    @classmethod
    async def find(cls, client: TelegramClient, bot: Bot, context: Context, cache: Cache) -> MenuButtonApp:
        """The bot's menu app, remembered or from `users.getFullUser`. Raises CannotOpen if it has none."""
        button = await find_menu_button(client, bot, cache)
        if not button.url:
            raise CannotOpen.no_menu_button(f"@{bot.username}")
        in_the_chat = Context(bot.input_peer, context.reply_to, context.send_as, context.silent)
        return cls(bot, button.url, in_the_chat)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestWebView` with `from_bot_menu` and the menu button's URL."""
        request = functions.messages.RequestWebViewRequest(
            peer=self.context.peer,
            bot=self.bot.input_user,
            platform=parameters.platform,
            from_bot_menu=True,
            silent=self.context.silent,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            url=self.url,
            theme_params=parameters.theme_params,
            reply_to=self.context.reply_to,
            send_as=self.context.send_as,
        )
        return WebView.from_result(await call(client, request))
