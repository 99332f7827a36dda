"""Inline mode: an app behind the button above a bot's inline results.

The client makes an inline query; the answer's `switch_webview` holds text and URL. It asks for a web view
of that URL with `from_switch_webview`. The page gets no identity; it ends by asking for a new inline
query, which the client makes in the same chat or in one of the kinds the page wants, and the app is
closed.
Documentation: core.telegram.org/api/bots/inline, core.telegram.org/api/bots/webapps#inline-mode-mini-apps
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar

from telethon import TelegramClient
from telethon.tl import functions
from telethon.tl.custom import InlineResults

from flows.cache import Bot
from flows.context import Context
from flows.errors import BadInput, CannotOpen, answers, call
from flows.peers import CHOOSABLE, kind_of
from flows.webview import OpenParameters, WebView

__all__ = ["InlineModeApp", "switch_inline"]


@dataclass(frozen=True, slots=True)
class InlineModeApp:
    """`context.peer` is the chat the inline query was made in."""

    flow: ClassVar[str] = "inline_mode"
    method: ClassVar[str] = "messages.requestSimpleWebView"

    bot: Bot
    url: str = field(repr=False)
    button_text: str
    context: Context

    @classmethod
    async def find(cls, client: TelegramClient, bot: Bot, context: Context, query: str = "") -> InlineModeApp:
        """The app behind the results' button: `messages.getInlineBotResults`.

        Raises CannotOpen for a bot without inline mode and for results without such a button.
        """
        _inline(bot)
        request = functions.messages.GetInlineBotResultsRequest(
            bot=bot.input_user, peer=context.peer, query=query, offset=""
        )
        button = (await call(client, request)).switch_webview
        if button is None:
            raise CannotOpen.no_inline_app(f"@{bot.username}")
        return cls(bot, button.url, button.text, context)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestSimpleWebView` with `from_switch_webview` and the button's URL."""
        request = functions.messages.RequestSimpleWebViewRequest(
            bot=self.bot.input_user,
            platform=parameters.platform,
            from_switch_webview=True,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            url=self.url,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))


async def switch_inline(
    client: TelegramClient, bot: Bot, query: str, peer: Any, chat_types: Collection[str] = ()
) -> InlineResults:
    """Make the inline query an app asked for; `chat_types` are the kinds of chat it wants, if any.

    Returns Telethon's inline results: `await results[0].click()` sends one. Raises BadInput for a chat type
    there is not and CannotOpen for a chat of another kind.
    """
    _inline(bot)
    if unknown := set(chat_types) - set(CHOOSABLE):
        raise BadInput(f"There is no chat type {sorted(unknown)[0]!r}.", f"Use {', '.join(CHOOSABLE)}.")
    if chat_types and await _word_for(client, peer, bot) not in chat_types:
        raise CannotOpen(
            "The app asked for a chat of another kind.", f"Give chat= of {', '.join(chat_types)}."
        )
    with answers("messages.getInlineBotResults"):
        return await client.inline_query(bot.input_peer, query, entity=peer)


async def _word_for(client: TelegramClient, peer: Any, bot: Bot) -> str:
    kind = (await kind_of(client, peer, bot)).replace("same_bot_pm", "bot_pm")
    return next(word for word, meant in CHOOSABLE.items() if meant == kind)


def _inline(bot: Bot) -> None:
    if not bot.inline:
        raise CannotOpen.no_inline_mode(f"@{bot.username}")
