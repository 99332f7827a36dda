"""Links that open a Mini App, and their neighbours: text <-> value, both ways, side by side.

A client that is handed `https://t.me/some_bot/app?startapp=x` first decides what kind of link
it is; only then does it ask the server anything. This package is that decision and
nothing else: `parse` reads, `build` writes, `readings` shows where clients disagree. It is pure.

    DirectLink    t.me/<bot>/<app>[?startapp=…][&mode=…]   a direct-link app
    MainAppLink   t.me/<bot>?startapp[=…][&mode=…]         the bot's Main Mini App
    AttachLink    t.me/<bot>?startattach[=…][&choose=…]    an attachment-menu app, here or in
                  t.me/<chat>?attach=<bot>[&startattach=…]   the chat that the link names
    SideMenuLink  as MainAppLink, in the older reading     a side-menu app
    InviteLink    t.me/+<hash>, t.me/joinchat/<hash>       a chat, perhaps guarded by an app
    UsernameLink  t.me/<username>[?start=…]                a chat, a bot to start or to add
    MessageLink   t.me/<username>/<number>, t.me/c/…       a message, perhaps with buttons
    PhoneLink, InvoiceLink, GameLink, OAuthLink            neighbours that open no Mini App
    OtherLink     addstickers, proxy, boost, …             everything else Telegram knows
    UnknownTgLink tg://<anything>                          what only a newer client may know

`kinds` holds each value with its reading and its spelling next to one another; `address` takes
a text apart; `tdlib` decides which kind it is and builds; `others` reads as other clients do.
Pages: core.telegram.org/api/links (direct-mini-app-links, main-mini-app-links,
bot-attachment-or-side-menu-links, chat-invite-links, …), core.telegram.org/bots/webapps.
"""

from flows.links.kinds import (
    AttachLink,
    ChatType,
    DirectLink,
    GameLink,
    InviteLink,
    InvoiceLink,
    Link,
    MainAppLink,
    MessageLink,
    OAuthLink,
    OtherLink,
    PhoneLink,
    SideMenuLink,
    UnknownTgLink,
    UsernameLink,
)
from flows.links.others import readings
from flows.links.rules import NotALink, StartParamError, check_start_param
from flows.links.tdlib import build, parse

__all__ = [
    "AttachLink",
    "ChatType",
    "DirectLink",
    "GameLink",
    "InviteLink",
    "InvoiceLink",
    "Link",
    "MainAppLink",
    "MessageLink",
    "NotALink",
    "OAuthLink",
    "OtherLink",
    "PhoneLink",
    "SideMenuLink",
    "StartParamError",
    "UnknownTgLink",
    "UsernameLink",
    "build",
    "check_start_param",
    "parse",
    "readings",
]
