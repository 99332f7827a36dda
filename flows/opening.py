"""Opening an app: find it, ask what has to be asked, request its web view.

What was remembered of a bot may be out of date. When Telegram says so, it is forgotten and everything is done
once more from the start; a second refusal reaches the caller.
Documentation: core.telegram.org/api/bots/webapps, core.telegram.org/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from telethon import TelegramClient, utils
from telethon.tl import functions
from telethon.tl.custom import Message

from flows.attachment_menu import AttachmentMenuApp
from flows.bots import find_bot
from flows.cache import AttachMenuEntry, Cache
from flows.consent import Consent, Prompt, Question
from flows.direct_link import DirectLinkApp, guess, open_early
from flows.errors import AppNotFound, Blocked, ConsentDeclined, RpcFailed, answers, call
from flows.installation import accept_offer, find_entry, offer
from flows.main_app import MainApp
from flows.open_mode import OpenMode
from flows.resolve import (
    App,
    HiddenLink,
    Options,
    Target,
    acts_at_once,
    chat_named,
    direct_link,
    resolve,
    starts_bot,
)
from flows.side_menu import SideMenuApp
from flows.webview import OpenParameters, WebView

__all__ = ["Opened", "Opening"]

# What an outdated access hash, menu button or button URL is answered with.
_OUTDATED = (
    "BOT_INVALID", "BOT_APP_BOT_INVALID", "USER_ID_INVALID", "PEER_ID_INVALID",
    "URL_INVALID", "BOT_WEBVIEW_DISABLED",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """An app, as it was agreed to, and its web view."""

    app: App
    web_view: WebView


@dataclass(slots=True)
class Opening:
    """Everything one opening depends on. `speculate` lets a direct link that was opened before without a
    question ask for app and web view at once; an early answer is used only if nothing changed.
    """

    client: TelegramClient
    target: Target
    options: Options
    parameters: OpenParameters
    consent: Consent
    cache: Cache
    speculate: bool = False

    async def run(self) -> Opened:
        """Open the app.

        Raises BadInput and CannotOpen before anything is requested, ConsentDeclined for a question
        answered with no, RpcFailed for what Telegram refuses, NotConnected when no answer came.
        """
        try:
            return await self._once()
        except RpcFailed as error:
            if error.name not in _OUTDATED:
                raise
            self.cache.forget_bots()
            afresh = await self._afresh(error)
            if afresh is None:
                raise
        return await afresh._once()

    async def _once(self) -> Opened:
        if acts_at_once(self.target):
            await self._ask("", Question.HIDDEN_LINK)
        bet = await self._bet() if self.speculate else None
        if bet is None:
            app, mode = await resolve(self.client, self.target, self.options, self.cache)
            parameters = self._in_mode(mode)
        else:
            seen, parameters = bet
            app, early = await open_early(self.client, seen, parameters, self.cache)
            if early is not None:
                return Opened(app, early)
        app = await self._agreed(app)
        web_view = await self._requested(app, parameters)
        self.cache.confirmed.add(app.bot.id)
        return Opened(app, web_view)

    async def _requested(self, app: App, parameters: OpenParameters) -> WebView:
        try:
            return await app.request(self.client, parameters)
        except Blocked:
            prompt = Prompt((Question.UNBLOCK,), app.bot.username, "unblock the bot")
            if not await self.consent.decide(prompt):
                raise
            await call(self.client, functions.contacts.UnblockRequest(app.bot.input_peer))
            return await app.request(self.client, parameters)
        except AppNotFound:
            if isinstance(app, DirectLinkApp):
                self.cache.forget_app(app.bot.id, app.app.short_name)
            raise
        except RpcFailed:
            if isinstance(app, AttachmentMenuApp | SideMenuApp):
                self.cache.forget_attach_menu()
            raise

    def _in_mode(self, mode: OpenMode | None) -> OpenParameters:
        """A link's `mode=` goes before the caller's; a link without one leaves it alone."""
        if mode in (None, OpenMode.FULLSIZE):
            return self.parameters
        return replace(self.parameters, mode=mode)

    async def _agreed(self, app: App) -> App:
        if isinstance(app, DirectLinkApp):
            return await app.agree(self.client, self.consent, self.cache, await self._offered(app))
        if isinstance(app, MainApp):
            await self._agree_to_main_app(app)
            return app
        await self._ask(app.bot.username, *self._questions(app))
        if isinstance(app, AttachmentMenuApp | SideMenuApp):
            return await app.agree(self.client, self.consent, self.cache)
        return app

    async def _agree_to_main_app(self, app: MainApp) -> None:
        needed, entry = self._questions(app), await self._offered(app)
        extra = offer(entry, self.cache) if entry is not None else ()
        allowed = await self._ask(app.bot.username, *needed, optional=extra)
        if entry is not None:
            await accept_offer(self.client, app.bot, entry, allowed, self.cache)

    async def _offered(self, app: App) -> AttachMenuEntry | None:
        """The menu entry that is offered for installation beside a link's app, as official clients do.

        They open nothing when that is declined; here the link's app opens all the same. Nothing is looked up
        when the policy declines installation anyway.
        """
        bot = app.bot
        declined = self.consent.answer(Question.INSTALLATION) == "decline"
        if declined or not bot.attach_menu or bot.attach_menu_enabled:
            return None
        entry = await find_entry(self.client, bot, self.cache)
        return entry if entry.inactive else None

    def _questions(self, app: App) -> list[Question]:
        """First launch: once per bot, but for verified ones. Hidden link: whenever the app came from one."""
        known = app.bot.verified or app.bot.id in self.cache.confirmed
        first = [] if known else [Question.FIRST_LAUNCH]
        hidden = isinstance(app, MainApp | AttachmentMenuApp | SideMenuApp) and app.hidden
        return [*first, Question.HIDDEN_LINK] if hidden else first

    async def _ask(
        self, bot: str, *questions: Question, optional: tuple[Question, ...] = ()
    ) -> frozenset[Question]:
        """Ask in one prompt, if there is anything to ask; every answer that is not optional has to be yes."""
        if not questions and not optional:
            return frozenset()
        allowed = await self.consent.decide(Prompt((*questions, *optional), bot, "open the app"))
        for question in questions:
            if question not in allowed:
                raise ConsentDeclined(question)
        return allowed

    async def _bet(self) -> tuple[DirectLinkApp, OpenParameters] | None:
        """A direct link's app as it was last seen, if it may be requested before it was looked up again."""
        link = direct_link(self.target, self.options)
        if link is None or self.options.chat is not None:
            return None
        bot = await find_bot(self.client, link.bot, self.cache)
        seen = guess(bot, link.app, self.cache, None, link.start_param)
        return None if seen is None else (seen, self._in_mode(link.mode))

    async def _afresh(self, error: RpcFailed) -> Opening | None:
        """What to try once more, after everything remembered was forgotten: a message is fetched again, the
        rest is found by resolving. None if that must not or cannot be: an app value is the caller's."""
        match self.target:
            case Message():
                with answers("messages.getMessages"):
                    message = await self.client.get_messages(self.target.peer_id, ids=self.target.id)
                return replace(self, target=message) if message else None
            case str() | HiddenLink() if not self._has_started(error):
                return await self._in_chat_named_again(error)
        return None

    def _has_started(self, error: RpcFailed) -> bool:
        """Whether the bot was started already: it must not be started twice."""
        return starts_bot(self.target, self.options) and error.method != "messages.startBot"

    async def _in_chat_named_again(self, error: RpcFailed) -> Opening:
        """The same opening; in a chat resolved anew, for Telethon remembers the hashes of chats by itself."""
        name = chat_named(self.target, self.options)
        if error.name != "PEER_ID_INVALID" or name is None:
            return self
        found = await call(self.client, functions.contacts.ResolveUsernameRequest(name))
        chat = utils.get_input_peer([*found.users, *found.chats][0])
        return replace(self, options=replace(self.options, chat=chat))
