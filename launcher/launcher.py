"""One account at work: its connection, its apps, what it remembers.

`Launcher` owns three lifetimes: the account's client (connected on entry, reconnected when the connection
is lost, disconnected on exit), the scheduler that prolongs the account's apps, and the apps themselves.
After a reconnect the client fetches the difference of updates, and every app is prolonged at once: either
of the two is enough to learn that an app is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from telethon import TelegramClient, events
from telethon.tl import types

from flows import (
    AccountLost,
    App,
    BadInput,
    Cache,
    CannotOpen,
    Consent,
    FloodWait,
    HiddenLink,
    MiniAppError,
    NotConnected,
    Opening,
    OpenParameters,
    Options,
    Target,
    Transient,
    allowed_protocols,
)
from flows.app_config import DEFAULT_PROTOCOLS
from flows.buttons import Wanted
from flows.cache import MenuButton
from flows.resolve import starts_bot
from launcher.account_session import AccountSession
from launcher.attempts import Attempts
from launcher.beside import beside
from launcher.connection import new_client
from launcher.entry import Entry, enter
from launcher.kept_connection import KeptConnection
from launcher.mini_app import CloseReason, MiniApp
from launcher.prolonger import Prolonger
from launcher.servers import Server, server_of
from launcher.settings import Settings
from launcher.timing import Timing

if TYPE_CHECKING:
    from launcher.hosting import Hosting, Kind
    from launcher.hosts.browser import Browser

__all__ = ["Launcher"]

T = TypeVar("T")
CACHE = "flows"
OPENED_BY_PAGES = 16
"""Apps that links in pages may have open at once."""
_PARAMETERS = OpenParameters()


class Launcher:
    """Opens Mini Apps as one account: `async with Launcher(settings, account="alice") as launcher:`.

    Without settings they are read from the environment and `.env`; without an account the only one there
    is. With the server `sandbox` a sandbox is started in the process, its first account signed in;
    `launcher.sandbox` is that sandbox. `consent` answers for every app that brings no policy of its own.
    `browser` is an entered one to show pages in, which may serve several launchers; without it the launcher
    starts its own when it first needs one. `random_source` is for repeatable runs. `on_connection` is called
    with False when the connection is lost, with True when it is back.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        account: str | None = None,
        *,
        consent: Consent | None = None,
        timing: Timing | None = None,
        sandbox: Any = None,
        browser: Browser | None = None,
        random_source: random.Random | None = None,
        lateness: list[float] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.account = account
        self.consent = consent or Consent()
        self.timing = timing or Timing()
        self.sandbox = sandbox
        self.cache = Cache()
        self.apps: set[MiniApp] = set()
        self.on_connection: Callable[[bool], None] | None = None
        self.browser_options: dict[str, Any] = {}
        self._browser = browser
        self._opened_by_pages: dict[MiniApp, AsyncExitStack] = {}
        self._browser_lock = asyncio.Lock()
        self._allowed: frozenset[str] | None = None
        self._random = random_source or random.SystemRandom()
        self._lateness = lateness
        self._attempts = Attempts(self.timing.attempt)
        self._by_query: dict[int, MiniApp] = {}
        self._lost: MiniAppError | None = None
        self._stack: AsyncExitStack | None = None
        self._entry: Entry | None = None

    @classmethod
    def without_account(cls, settings: Settings, browser: Browser, why: MiniAppError) -> Self:
        """One for pages of apps that another launcher has opened, to be used without entering it: `browser`
        shows them, links to any protocol that clients know are allowed, and whatever else a page or a caller
        asks of the account is refused with `why`."""
        server = server_of(settings, connecting=False)
        session = AccountSession(server)
        launcher = cls(settings, browser=browser, timing=Timing(retries=()))
        launcher._entry = Entry(new_client(session, server), session, server, "")
        launcher._allowed = DEFAULT_PROTOCOLS
        launcher._lost = why
        return launcher

    @property
    def client(self) -> TelegramClient:
        """The account's own Telethon client, for whatever else a script wants to do."""
        return self._entered.client

    @property
    def server(self) -> Server:
        """The server the account is on, with its public keys."""
        return self._entered.server

    @property
    def lost(self) -> MiniAppError | None:
        """Why the account's session has ended; None while it lasts. Nothing can be opened any more then."""
        return self._lost

    @property
    def _entered(self) -> Entry:
        if self._entry is None:
            raise BadInput(
                "The launcher is not entered.", "Use it in `async with Launcher(...) as launcher:`."
            )
        return self._entry

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise BadInput("The launcher is entered already.", "Make one Launcher for each `async with`.")
        async with AsyncExitStack() as stack:
            entry = await stack.enter_async_context(
                enter(self.settings, self.account, self.sandbox, timeout=self.timing.connect)
            )
            self._entry, self.sandbox = entry, entry.sandbox
            self.cache = Cache.from_json(entry.session.caches.get(CACHE, {}))
            stack.callback(self._remember)
            self._prolonger = Prolonger(self.client, self.timing, self._lateness)
            self._listen()
            kept = self._kept = KeptConnection(
                self.client, self.timing.prolong_retry, tell=self._connection, lose=self._lose
            )
            await stack.enter_async_context(
                beside(
                    self._prolonger.run(),
                    kept.run(),
                    self._doubt_menus(),
                    self._attempts.run(),
                )
            )
            stack.callback(self._close_all, CloseReason.CALLER)
            if self._browser is not None:
                stack.push_async_callback(self._leave_opened_by_pages, closed_only=False)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: Any) -> bool | None:
        assert self._stack is not None
        return await self._stack.__aexit__(*failure)

    def open(
        self,
        target: Target,
        *,
        via: str | None = None,
        chat: Any = None,
        button: Wanted | None = None,
        topic: int | None = None,
        reply_to: int | None = None,
        send_as: Any = None,
        silent: bool | None = None,
        start: str | None = None,
        start_param: str | None = None,
        start_wait: float = 30.0,
        query: str = "",
        parameters: OpenParameters | None = None,
        consent: Consent | None = None,
        speculate: bool = False,
        host: Kind | None = None,
        hosting: Hosting | None = None,
    ) -> AbstractAsyncContextManager[MiniApp]:
        """Open a Mini App and keep it alive while the block runs: `async with launcher.open(...) as app:`.

        `target` is a link, "@bot", a `HiddenLink`, a Telethon message, or an app value; the options are
        those of `flows.Options`. `speculate` opens a direct link that is known in one round trip instead
        of two. `host` shows the page: "browser" in Chromium, "http" looks at it once over HTTP; `hosting`
        says how. Raises BadInput, CannotOpen, ConsentDeclined, RpcFailed (its subclasses say what to do)
        and NotConnected.
        """
        options = Options(
            via=via, chat=chat, button=button, topic=topic, reply_to=reply_to, send_as=send_as,
            silent=silent, start=start, start_param=start_param, start_wait=start_wait,
            query=query,
        )  # fmt: skip
        opening = Opening(
            self.client,
            target,
            options,
            parameters or _PARAMETERS,
            consent or self.consent,
            self.cache,
            speculate,
        )
        return _WhileOpen(self, opening, _hosting(host, hosting))

    async def _opened(self, opening: Opening) -> MiniApp:
        if self._lost is not None:
            raise self._lost.with_traceback(None)  # else each launch would lengthen it
        repeatable = not starts_bot(opening.target, opening.options)
        opened = await self._retrying("opening the Mini App", opening.run, repeatable=repeatable)
        app = MiniApp(self, opened.app, opened.web_view, opening.parameters, opening.consent)
        self.apps.add(app)
        if app.query_id is not None:
            self._prolonger.add(app)
        if (query := _query_of(app.app, app.query_id)) is not None:
            self._by_query[query] = app
        return app

    async def hang_up(self, why: MiniAppError) -> None:
        """Disconnect from Telegram at once and for good, because somebody else may use the account now.

        Its apps are over (`account_lost`), and whatever is to be opened is refused with `why`.
        """
        self._lose(why)
        await self._kept.end()

    # Pages

    async def browser(self) -> Browser:
        """Where pages are shown; started when first wanted, and again when it has died. Raises
        HostUnavailable without Chromium."""
        async with self._browser_lock:
            if self._browser is None or self._browser.gone:
                made = _browser_class()(**self.browser_options)
                assert self._stack is not None
                self._browser = await self._stack.enter_async_context(made)
                self._stack.push_async_callback(self._leave_opened_by_pages, closed_only=False)
            return self._browser

    async def _protocols(self) -> frozenset[str]:
        """The protocols of links that pages may open, asked for once."""
        if self._allowed is None:
            self._allowed = await self._retrying("help.getAppConfig", lambda: allowed_protocols(self.client))
        return self._allowed

    async def _opened_by_page(self, opener: MiniApp, url: str, hosting: Hosting) -> MiniApp:
        """Open a link that a page followed; the app stays open until it closes or the launcher is left.

        Raises CannotOpen when pages have too many apps open, lest one opens itself for ever.
        """
        await self._leave_opened_by_pages(closed_only=True)
        if len(self._opened_by_pages) >= OPENED_BY_PAGES:
            raise CannotOpen(
                f"Links in pages have opened {OPENED_BY_PAGES} apps which are still open.",
                "Close some of them.",
            )
        options: dict[str, Any] = {
            "parameters": opener.parameters, "consent": opener.consent, "hosting": hosting,
        }  # fmt: skip
        if opener.on_link is not None:
            opening = opener.on_link(HiddenLink(url), options)
        else:
            opening = self.open(HiddenLink(url), **options)
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(opening)
            self._opened_by_pages[app] = stack.pop_all()
        return app

    async def _leave_opened_by_pages(self, *, closed_only: bool) -> None:
        for app in [app for app in self._opened_by_pages if app.is_closed or not closed_only]:
            if (stack := self._opened_by_pages.pop(app, None)) is not None:
                await stack.aclose()

    # What apps and the account's tasks tell

    def _random_id(self) -> int:
        """For sent data: Telegram takes the same one for the same data."""
        return self._random.getrandbits(63)

    def _forget(self, app: MiniApp) -> None:
        self.apps.discard(app)
        if app.query_id is not None:
            self._prolonger.forget_one()
        query = _query_of(app.app, app.query_id)
        if query is not None and self._by_query.get(query) is app:
            del self._by_query[query]

    def _close_all(self, reason: CloseReason) -> None:
        for app in list(self.apps):
            app._close(reason)

    def _lose(self, failure: MiniAppError) -> None:
        """The account's session has ended: nothing of it can go on."""
        self._lost = failure
        self._close_all(CloseReason.ACCOUNT_LOST)

    def _remember(self) -> None:
        assert self._entry is not None
        self._entry.session.caches[CACHE] = self.cache.to_json()

    async def _retrying(
        self, what: str, attempt: Callable[[], Awaitable[T]], *, repeatable: bool = True
    ) -> T:
        """As `_repeating`, with a limit on the time of each attempt, after which it counts as NotConnected.
        `what` is the method that is named then."""
        return await self._repeating(lambda: self._attempts.answered(what, attempt()), repeatable=repeatable)

    async def _repeating(self, attempt: Callable[[], Awaitable[T]], *, repeatable: bool = True) -> T:
        """Repeat what failed in passing; wait short flood waits out. The last failure is raised.

        What is not `repeatable` is repeated only when Telegram itself said that it was not carried out.
        """
        pauses = iter(self.timing.retries)
        while True:
            try:
                return await attempt()
            except AccountLost as failure:
                self._lose(failure)
                raise
            except (Transient, NotConnected) as failure:
                pause = self._pause_after(failure, next(pauses, None))
                if pause is None or (isinstance(failure, NotConnected) and not repeatable):
                    raise
            await asyncio.sleep(pause)

    def _pause_after(self, failure: MiniAppError, pause: float | None) -> float | None:
        """How long to wait before the next attempt; None to give up."""
        if pause is None or not isinstance(failure, FloodWait):
            return pause
        return failure.seconds if failure.seconds <= self.timing.flood_wait else None

    def _connection(self, connected: bool) -> None:
        """Every app is prolonged at once when the connection is back."""
        if self.on_connection is not None:
            self.on_connection(connected)
        if connected:
            self._prolonger.all_now()

    # Updates

    def _listen(self) -> None:
        for update, handler in {
            types.UpdateWebViewResultSent: self._on_result_sent,
            types.UpdateJoinChatWebViewDecision: self._on_join_decision,
            types.UpdateBotMenuButton: self._on_menu_button,
            types.UpdateAttachMenuBots: self._on_attach_menu,
        }.items():
            self.client.add_event_handler(handler, events.Raw(update))

    async def _on_result_sent(self, update: Any) -> None:
        app = self._by_query.get(update.query_id)
        if app is not None:
            app._close(CloseReason.RESULT_SENT)

    async def _on_join_decision(self, update: Any) -> None:
        app = self._by_query.get(update.query_id)
        if app is not None:
            app._decided(update.result)

    async def _on_menu_button(self, update: Any) -> None:
        button = update.button
        shown = (
            MenuButton(button.text, button.url) if isinstance(button, types.BotMenuButton) else MenuButton()
        )
        self.cache.keep_menu_button(update.bot_id, shown)

    async def _doubt_menus(self) -> None:
        while True:
            await asyncio.sleep(self.timing.menus)
            self.cache.forget_attach_menu()

    async def _on_attach_menu(self, _: Any) -> None:
        self.cache.forget_attach_menu()


class _WhileOpen:
    """The block that `Launcher.open` is used in. A class, because a generator's frame would stay in memory as
    long as the app is open."""

    __slots__ = ("_app", "_hosting", "_launcher", "_opening", "_page")

    def __init__(self, launcher: Launcher, opening: Opening, hosting: Hosting | None) -> None:
        self._launcher = launcher
        self._opening: Opening | None = opening
        self._hosting = hosting
        self._page: AbstractAsyncContextManager[None] | None = None

    async def __aenter__(self) -> MiniApp:
        opening, self._opening = self._opening, None
        if opening is None:
            raise BadInput("This app was opened already.", "Call open() for each `async with`.")
        self._app = await self._launcher._opened(opening)
        if self._hosting is not None:
            await self._show(self._hosting)
        return self._app

    async def _show(self, hosting: Hosting) -> None:
        from launcher.hosting import hosted

        page = hosted(self._launcher, self._app, hosting)
        try:
            await page.__aenter__()
        except BaseException:
            self._app._close(CloseReason.HOST_GONE)
            raise
        self._page = page

    async def __aexit__(self, *failure: Any) -> bool | None:
        self._app._close(CloseReason.CALLER)
        return await self._page.__aexit__(*failure) if self._page is not None else None


def _browser_class() -> type[Browser]:
    from launcher.extras import install
    from launcher.hosts.observations import HostUnavailable

    try:
        from launcher.hosts.browser import Browser
    except ModuleNotFoundError as missing:
        if missing.name != "playwright":
            raise
        raise HostUnavailable(f"Playwright is not installed. {install('browser')}") from None
    return Browser


def _hosting(host: Kind | None, hosting: Hosting | None) -> Hosting | None:
    if host is None:
        return hosting
    from launcher.hosting import Hosting

    return replace(hosting, kind=host) if hosting is not None else Hosting(host)


def _query_of(app: App, query_id: int | None) -> int | None:
    """The id by which updates name this app: its web view's query, or its join request's."""
    return query_id if query_id is not None else getattr(app, "query_id", None)
