"""What the demonstration opens, with which client's looks, and how each app comes to its end.

Every flow is one `Showing`. Each plays another client, so that the data centre's call log tells them apart by
platform. The endings are those of real life: data is sent, a bot answers, an inline query is made, a guard
decides, a person closes the app, and one app is forgotten until its query expires.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from telethon.tl import functions, types

from flows import DARK, LIGHT, OpenMode, OpenParameters, call
from flows.errors import answers
from launcher.demo.on_screen import send_by_the_page
from launcher.demo.report import Check
from launcher.demo.troupe import Troupe
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox.web_view_queries import WebViewQueries

__all__ = ["DATA", "EXPIRY", "SHOWINGS", "Showing"]

DATA = "Zwölf Brötchen, bitte"
ANSWER = "Answered by the bot"

Ending: TypeAlias = Callable[[Troupe, MiniApp], Awaitable[list[Check]]]
"""Brings an open app to its end; what it saw on the way is returned as checks."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One launch: what `Launcher.open` is given, how it ends, and for which reason the app must then close.

    `prolongs` is how often an app with a query id is kept alive before its ending.
    """

    flow: str
    target: str
    parameters: OpenParameters
    ending: Ending
    closes: CloseReason
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    start_param: str | None = None
    prolongs: int = 2


async def closed_by_hand(_: Troupe, app: MiniApp) -> list[Check]:
    await app.close()
    return []


async def sends_data(troupe: Troupe, app: MiniApp) -> list[Check]:
    """The page's `web_app_data_send`; the bot gets a service message."""
    if app.live is None:
        await app.send_data(DATA)
    else:
        await send_by_the_page(app, DATA)
    got = await troupe.data.get()
    return [Check(got == DATA, "the bot receives the app's data as a service message")]


async def answered_by_the_bot(troupe: Troupe, app: MiniApp) -> list[Check]:
    """The app's server hands the init data's query id to the bot, which answers it once."""
    query = (app.init_data and app.init_data.query_id) or ""
    message = types.InputBotInlineMessageText(ANSWER)
    result = types.InputBotInlineResult("1", "article", message, title=ANSWER)
    await call(troupe.demo_bot, functions.messages.SendWebViewResultMessageRequest(query, result))
    await app.closed()
    with answers("messages.getHistory"):
        latest = await troupe.launcher.client.get_messages(app.app.bot.input_peer, limit=5)
    texts = [message.message for message in latest]
    return [Check(ANSWER in texts, "the bot's answer is posted in the chat, in the person's name")]


async def switches_inline(_: Troupe, app: MiniApp) -> list[Check]:
    results = await app.switch_inline("hello")
    found = f"{len(results)} results"
    return [Check(len(results) > 0, "the inline query it asks for is made in the chat", found)]


async def let_in_by_the_guard(troupe: Troupe, app: MiniApp) -> list[Check]:
    await troupe.guard_approves()
    await app.closed()
    approved = isinstance(app.join_decision, types.JoinChatBotResultApproved)
    return [Check(approved, "the guard bot lets the person in", type(app.join_decision).__name__)]


async def forgotten(troupe: Troupe, app: MiniApp) -> list[Check]:
    """In the data centre the query's time runs out, as if nobody had prolonged it for over a minute."""
    queries = troupe.sandbox.part(WebViewQueries)
    query = queries.of_user(app.query_id or 0, troupe.user)
    if query is not None:
        query.ends_at = float("-inf")
    await app.closed()
    refused = [line.error for line in troupe.calls("messages.prolongWebView", query_id=app.query_id)][-1:]
    found = ", ".join(map(str, refused)) or "no prolong"
    return [Check(refused == ["QUERY_ID_INVALID"], "the next prolong is answered QUERY_ID_INVALID", found)]


SHOWINGS: tuple[Showing, ...] = (
    Showing(
        "keyboard_button",
        "@demo_bot",
        OpenParameters("android", theme=LIGHT),
        sends_data,
        CloseReason.DATA_SENT,
        {"via": "keyboard_button"},
    ),
    Showing(
        "inline_button",
        "@demo_bot",
        OpenParameters("ios", theme=DARK),
        answered_by_the_bot,
        CloseReason.RESULT_SENT,
        {"via": "inline_button"},
    ),
    Showing(
        "menu_button",
        "@demo_bot",
        OpenParameters("tdesktop", theme=DARK),
        closed_by_hand,
        CloseReason.CALLER,
        {"via": "menu_button"},
    ),
    Showing(
        "attachment_menu",
        "https://t.me/bob_builds?attach=demo_bot&startattach=for_bob",
        OpenParameters("macos", OpenMode.COMPACT, LIGHT),
        closed_by_hand,
        CloseReason.CALLER,
        start_param="for_bob",
    ),
    Showing(
        "side_menu",
        "@demo_bot",
        OpenParameters("android_x", theme=DARK),
        closed_by_hand,
        CloseReason.CALLER,
        {"via": "side_menu"},
    ),
    Showing(
        "inline_mode",
        "@demo_bot",
        OpenParameters("weba", theme=LIGHT),
        switches_inline,
        CloseReason.SWITCHED_INLINE,
        {"via": "inline_mode", "chat": "@bob_builds", "query": "open"},
    ),
    Showing(
        "direct_link",
        "https://t.me/demo_bot/app?startapp=summer-24",
        OpenParameters("web"),
        closed_by_hand,
        CloseReason.CALLER,
        start_param="summer-24",
    ),
    Showing(
        "main_app",
        "https://t.me/demo_bot?startapp=home&mode=fullscreen",
        OpenParameters("unigram", OpenMode.FULLSCREEN, DARK),
        closed_by_hand,
        CloseReason.CALLER,
        start_param="home",
    ),
    Showing(
        "chat_join",
        "https://t.me/+GuardedChannelInvite",
        OpenParameters("webk", theme=LIGHT),
        let_in_by_the_guard,
        CloseReason.JOIN_DECIDED,
    ),
)

EXPIRY = Showing(
    "inline_button",
    "@demo_bot",
    OpenParameters("webz"),
    forgotten,
    CloseReason.EXPIRED,
    {"via": "inline_button"},
    prolongs=1,
)
