"""Attachment menu: an app behind the paper clip of a chat, or behind a `?startattach` or `?attach=` link.

The client looks the bot's entry up, installs it with consent if it is inactive, makes sure that the chat
is of a kind the entry is for, and asks for a web view without a URL. Query id, prolonging and the bot's
answer are as with an inline button; the page also learns who it is shared with (`receiver` or `chat`).
Documentation: core.telegram.org/api/bots/attach,
core.telegram.org/api/links#bot-attachment-or-side-menu-links
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import AttachMenuEntry, Bot, Cache
from flows.consent import Consent
from flows.context import Context
from flows.errors import CannotOpen, call
from flows.installation import find_entry, install
from flows.peers import CHOOSABLE, kind_of
from flows.webview import OpenParameters, WebView

__all__ = ["AttachmentMenuApp"]


@dataclass(frozen=True, slots=True)
class AttachmentMenuApp:
    """`context.peer` is the chat it is opened in; `choose` the words of a link's `choose=`; `hidden` says
    that the link's target was not in sight."""

    flow: ClassVar[str] = "attachment_menu"
    method: ClassVar[str] = "messages.requestWebView"

    bot: Bot
    entry: AttachMenuEntry
    context: Context
    start_param: str | None = None
    choose: frozenset[str] = frozenset()
    hidden: bool = False

    @classmethod
    async def find(
        cls,
        client: TelegramClient,
        bot: Bot,
        context: Context,
        cache: Cache,
        start_param: str | None = None,
        choose: Collection[str] = (),
        hidden: bool = False,
    ) -> AttachmentMenuApp:
        """The bot's attachment-menu entry. Raises CannotOpen when it has none."""
        entry = await find_entry(client, bot, cache)
        if not entry.show_in_attach_menu:
            raise CannotOpen(
                f"@{bot.username} has no entry in the attachment menu.",
                "Open its side-menu or main app instead.",
            )
        return cls(bot, entry, context, start_param, frozenset(choose), hidden)

    async def agree(self, client: TelegramClient, consent: Consent, cache: Cache) -> AttachmentMenuApp:
        """Install an inactive entry with consent, then see whether it may be used in this chat.

        Raises ConsentDeclined, and CannotOpen naming the kinds of chat that are possible.
        """
        app = self
        if self.entry.inactive:
            entry = await install(client, self.bot, self.entry, consent, cache)
            app = replace(self, entry=entry)
        possible = app.possible_kinds()
        kind = await kind_of(client, self.context.peer, self.bot, cache.kinds)
        if kind not in possible:
            installed = " (now installed)" if self.entry.inactive else ""
            raise CannotOpen.not_in_this_chat(f"@{self.bot.username}{installed}", sorted(possible))
        return app

    def possible_kinds(self) -> frozenset[str]:
        """The entry's kinds of chat, narrowed by `choose` unless nothing would be left."""
        offered = frozenset(self.entry.peer_types)
        chosen = offered & {CHOOSABLE[word] for word in self.choose}
        return chosen or offered

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestWebView` without a URL; `start_param` only when it is not empty."""
        request = functions.messages.RequestWebViewRequest(
            peer=self.context.peer,
            bot=self.bot.input_user,
            platform=parameters.platform,
            silent=self.context.silent,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            start_param=self.start_param or None,
            theme_params=parameters.theme_params,
            reply_to=self.context.reply_to,
            send_as=self.context.send_as,
        )
        return WebView.from_result(await call(client, request))
