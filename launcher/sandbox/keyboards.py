"""Keyboards: which addresses of Mini Apps their buttons hold, and which keyboards bots may send.

Documentation: core.telegram.org/api/bots/buttons, core.telegram.org/bots/api#keyboardbutton (web apps only in
private chats, only over https).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telethon.tl import types

from launcher.sandbox.rpc import RpcError

__all__ = ["buttons", "check_keyboard", "is_https", "web_view_urls"]

_WEB_VIEWS = (types.ButtonTypeSimpleWebView, types.InlineButtonTypeWebView)


def buttons(markup: Any) -> Iterator[Any]:
    """Every button of a reply or inline keyboard, row by row; nothing for another markup."""
    for row in getattr(markup, "rows", None) or ():
        yield from row.buttons


def web_view_urls(markup: Any) -> set[str]:
    """The addresses in the web-view buttons of a keyboard."""
    return {button.type.url for button in buttons(markup) if isinstance(button.type, _WEB_VIEWS)}


def check_keyboard(markup: Any, *, private: bool) -> None:
    """Raises BUTTON_TYPE_INVALID for a web app outside private chats, BUTTON_URL_INVALID for a bad URL."""
    for button in buttons(markup):
        if isinstance(button.type, _WEB_VIEWS):
            if not private:
                raise RpcError(400, "BUTTON_TYPE_INVALID")
            if not is_https(button.type.url):
                raise RpcError(400, "BUTTON_URL_INVALID")


def is_https(url: str) -> bool:
    return url.startswith("https://") and len(url) > len("https://")
