"""The API: one module of handlers for each TL namespace. Importing this package registers them all.

What is out of scope stays out: files, calls, secret chats, stickers, search, history of channels. A handler
is added when a flow, a bot or a test needs it.
"""

from launcher.sandbox.api import (
    account,
    attach_menu,
    auth,
    bot_apps,
    bots,
    contacts,
    help,
    history,
    inline,
    joining,
    messages,
    temporary_keys,
    updates,
    users,
    web_view_data,
    web_views,
    write_access,
)

__all__ = [
    "account",
    "attach_menu",
    "auth",
    "bot_apps",
    "bots",
    "contacts",
    "help",
    "history",
    "inline",
    "joining",
    "messages",
    "temporary_keys",
    "updates",
    "users",
    "web_view_data",
    "web_views",
    "write_access",
]
