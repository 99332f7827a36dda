"""Every flow as the bare requests that a script over Telethon would send, and the same flow of ours.

What can be known beforehand is: the bot, the message with the button, the URL behind the menu button. That is
what our side has in its cache, or is given as its target.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from launcher.launcher import Launcher

__all__ = ["BOT", "Case", "cases"]

BOT = "demo_bot"
PLATFORM = "android"
INVITE = "GuardedChannelInvite"


@dataclass(frozen=True, slots=True)
class Case:
    """One flow: target and options for `Launcher.open`, and the requests that come to the same."""

    flow: str
    target: Any
    raw: Callable[[TelegramClient], Awaitable[Any]]
    options: dict[str, Any] = field(default_factory=dict)

    async def open(self, launcher: Launcher) -> None:
        async with launcher.open(self.target, **self.options) as app:
            assert app.url


async def cases(client: TelegramClient) -> list[Case]:
    """All nine flows, in the order of the documentation."""
    bot = (await client(functions.contacts.ResolveUsernameRequest(BOT))).users[0]
    user = types.InputUser(bot.id, bot.access_hash)
    peer = types.InputPeerUser(bot.id, bot.access_hash)
    keyboard = await _message(client, peer, types.ButtonTypeSimpleWebView)
    inline = await _message(client, peer, types.InlineButtonTypeWebView)
    menu = (await client(functions.users.GetFullUserRequest(user))).full_user.bot_info.menu_button
    named = types.InputBotAppShortName(user, "app")
    known = (await client(functions.messages.GetBotAppRequest(named, 0))).app
    app = types.InputBotAppID(known.id, known.access_hash)

    async def inline_mode(client: TelegramClient) -> Any:
        results = await client(functions.messages.GetInlineBotResultsRequest(user, peer, "", ""))
        return await client(
            functions.messages.RequestSimpleWebViewRequest(
                user, PLATFORM, from_switch_webview=True, url=results.switch_webview.url
            )
        )

    async def direct_link(client: TelegramClient) -> Any:
        await client(functions.messages.GetBotAppRequest(named, known.hash))
        return await client(functions.messages.RequestAppWebViewRequest(peer, app, PLATFORM))

    async def chat_join(client: TelegramClient) -> Any:
        joined = await client(functions.messages.ImportChatInviteRequest(INVITE))
        return await client(functions.messages.RequestChatJoinWebViewRequest(joined.query_id, PLATFORM))

    web_view = functions.messages.RequestWebViewRequest
    simple = functions.messages.RequestSimpleWebViewRequest
    main = functions.messages.RequestMainWebViewRequest
    return [
        Case("keyboard_button", keyboard, lambda client: client(simple(user, PLATFORM, url=_url(keyboard)))),
        Case(
            "inline_button", inline, lambda client: client(web_view(peer, user, PLATFORM, url=_url(inline)))
        ),
        Case(
            "menu_button",
            f"@{BOT}",
            lambda client: client(web_view(peer, user, PLATFORM, from_bot_menu=True, url=menu.url)),
            {"via": "menu_button"},
        ),
        Case(
            "attachment_menu",
            f"@{BOT}",
            lambda client: client(web_view(peer, user, PLATFORM)),
            {"via": "attachment_menu"},
        ),
        Case(
            "side_menu",
            f"@{BOT}",
            lambda client: client(simple(user, PLATFORM, from_side_menu=True)),
            {"via": "side_menu"},
        ),
        Case("inline_mode", f"@{BOT}", inline_mode, {"via": "inline_mode"}),
        Case("direct_link", f"https://t.me/{BOT}/app", direct_link),
        Case("main_app", f"@{BOT}", lambda client: client(main(peer, user, PLATFORM)), {"via": "main_app"}),
        Case("chat_join", f"https://t.me/+{INVITE}", chat_join),
    ]


async def _message(client: TelegramClient, peer: Any, kind: type) -> Any:
    """The bot's message whose first button is of this kind."""
    async for message in client.iter_messages(peer, limit=100):
        if message.reply_markup is not None and isinstance(_button(message).type, kind):
            return message
    raise LookupError(f"no message with a button of {kind.__name__}")


def _button(message: Any) -> Any:
    return message.reply_markup.rows[0].buttons[0]


def _url(message: Any) -> str:
    return str(_button(message).type.url)
