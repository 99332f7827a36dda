"""Direct link: an app behind `t.me/<bot>/<short name>`.

The client makes sure that the name is a bot's, asks Telegram for the app (naming the hash of the one it
remembers), asks the person once if there is anything to ask, and requests a web view for the chat the
link was found in, or else for the chat with the bot. There is no query id and nothing to prolong.
Documentation: core.telegram.org/api/bots/webapps#direct-link-mini-apps, core.telegram.org/constructor/botApp
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import AttachMenuEntry, Bot, Cache, KnownApp
from flows.consent import Consent, Prompt, Question
from flows.context import Context
from flows.errors import AppNotFound, CannotOpen, ConsentDeclined, MiniAppError, call
from flows.installation import accept_offer, offer
from flows.webview import OpenParameters, WebView

__all__ = ["DirectLinkApp", "guess", "open_early"]


@dataclass(frozen=True, slots=True)
class DirectLinkApp:
    """`inactive` and `request_write_access` are Telegram's fresh word; `hidden` says that the link's target
    was not in sight (a text link, a button, a QR code, another app); `write_allowed` is what was agreed."""

    flow: ClassVar[str] = "direct_link"
    method: ClassVar[str] = "messages.requestAppWebView"

    bot: Bot
    peer: Any
    app: KnownApp
    start_param: str | None = None
    inactive: bool = False
    request_write_access: bool = False
    hidden: bool = False
    write_allowed: bool | None = None

    @property
    def context(self) -> Context:
        return Context(self.peer)

    @classmethod
    async def find(
        cls,
        client: TelegramClient,
        bot: Bot,
        short_name: str,
        cache: Cache,
        peer: Any = None,
        start_param: str | None = None,
        hidden: bool = False,
    ) -> DirectLinkApp:
        """The app: `messages.getBotApp` with the remembered hash. Raises AppNotFound (BOT_APP_INVALID), which
        also drops what was remembered."""
        known = cache.apps.get((bot.id, short_name.lower()))
        request = functions.messages.GetBotAppRequest(
            app=types.InputBotAppShortName(bot.input_user, short_name), hash=known.hash if known else 0
        )
        try:
            found = await call(client, request)
        except AppNotFound:
            cache.forget_app(bot.id, short_name)
            raise
        app = _remember(found, known, bot, short_name, cache)
        return cls(
            bot=bot,
            peer=peer or bot.input_peer,
            app=app,
            start_param=start_param,
            inactive=bool(found.inactive),
            request_write_access=bool(found.request_write_access),
            hidden=hidden,
        )

    async def agree(
        self, client: TelegramClient, consent: Consent, cache: Cache, entry: AttachMenuEntry | None = None
    ) -> DirectLinkApp:
        """Ask all in one dialog, the bot's menu `entry` that is offered for installation included.

        Declined write access or installation still opens; the rest raises ConsentDeclined.
        """
        own = self.questions(cache)
        questions = own if entry is None else tuple(dict.fromkeys((*own, *offer(entry, cache))))
        if not questions:
            return self
        prompt = Prompt(questions, self.bot.username, f"open {self.app.title or self.app.short_name}")
        allowed = await consent.decide(prompt)
        for question in own:
            if question not in allowed and question is not Question.WRITE_ACCESS:
                raise ConsentDeclined(question)
        if entry is not None:
            await accept_offer(client, self.bot, entry, allowed, cache)
        agreed = self.request_write_access and Question.WRITE_ACCESS in allowed
        return replace(self, write_allowed=True if agreed else None)

    def questions(self, cache: Cache) -> tuple[Question, ...]:
        """What this launch has to ask: the union of first launch, inactive app, hidden link, write access."""
        return tuple(
            question
            for question, asked in (
                (Question.FIRST_LAUNCH, not self.bot.verified and self.bot.id not in cache.confirmed),
                (Question.INACTIVE_APP, self.inactive),
                (Question.HIDDEN_LINK, self.hidden),
                (Question.WRITE_ACCESS, self.request_write_access),
            )
            if asked
        )

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestAppWebView` with the app's id and access hash."""
        request = functions.messages.RequestAppWebViewRequest(
            peer=self.peer,
            app=types.InputBotAppID(self.app.id, self.app.access_hash),
            platform=parameters.platform,
            write_allowed=self.write_allowed,
            compact=parameters.compact,
            fullscreen=parameters.fullscreen,
            start_param=self.start_param or None,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))


async def open_early(
    client: TelegramClient, guess: DirectLinkApp, parameters: OpenParameters, cache: Cache
) -> tuple[DirectLinkApp, WebView | None]:
    """Ask for the app and for its web view in one round trip, betting that nothing changed.

    Returns the app as it is now, and the web view only if the guess was right: an early URL is thrown
    away when the app, its flags or its questions differ, or when the early request failed.
    """
    fresh, early = await asyncio.gather(
        DirectLinkApp.find(
            client, guess.bot, guess.app.short_name, cache, guess.peer, guess.start_param, guess.hidden
        ),
        guess.request(client, parameters),
        return_exceptions=True,
    )
    if isinstance(fresh, BaseException):
        raise fresh
    if isinstance(early, BaseException) and not isinstance(early, MiniAppError):
        raise early
    if isinstance(early, WebView) and fresh == guess:
        return fresh, early
    return fresh, None


def guess(
    bot: Bot, short_name: str, cache: Cache, peer: Any, start_param: str | None
) -> DirectLinkApp | None:
    """The app as it was last seen, if it may be bet on: it was quiet, and the bot was confirmed."""
    known = cache.apps.get((bot.id, short_name.lower()))
    if known is None or not known.quiet or not (bot.verified or bot.id in cache.confirmed):
        return None
    return DirectLinkApp(bot, peer or bot.input_peer, known, start_param)


def _remember(found: Any, known: KnownApp | None, bot: Bot, short_name: str, cache: Cache) -> KnownApp:
    quiet = not found.inactive and not found.request_write_access
    if not isinstance(found.app, types.BotAppNotModified):
        app = found.app
        known = KnownApp(app.id, app.access_hash, app.short_name, app.hash, app.title)
    if known is None:
        raise CannotOpen("Telegram sent no app.", "Open the link again.")
    known = known if known.quiet == quiet else replace(known, quiet=quiet)
    cache.apps[bot.id, short_name.lower()] = known
    return known
