"""The live app: what a test holds in its hand between opening and closing.

It is kept alive by its account's prolonger, learns from updates and prolongs when it is over, may send
data to its bot once, and closes exactly once with a reason.
Documentation: core.telegram.org/api/bots/webapps
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from flows import (
    AccountLost,
    App,
    BadInput,
    Consent,
    DataAlreadySent,
    DataRefused,
    FloodWait,
    InitData,
    KeyboardButtonApp,
    LaunchParams,
    MiniAppError,
    OpenParameters,
    QueryExpired,
    RpcFailed,
    Transient,
    WebView,
    check_data,
    input_peer,
    send_data,
    switch_inline,
)

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Frame, Page

    from launcher.bridge.bridge import Bridge, Pending
    from launcher.bridge.device import Device
    from launcher.hosts.http import HttpReport
    from launcher.hosts.observations import HostEnd
    from launcher.launcher import Launcher
    from launcher.live_page import Failure, LivePage
    from launcher.page_events import Expected, PageEvents

from launcher.bridge.wire import compact
from launcher.in_hand import ButtonInHand, ClipboardInHand, PhoneInHand, PopupInHand, ScannerInHand

__all__ = ["CloseReason", "MiniApp", "PageGone"]


class CloseReason(StrEnum):
    """Why an app is over."""

    APP = "app"
    """The page closed itself."""
    DATA_SENT = "data_sent"
    """Its data went to the bot."""
    RESULT_SENT = "result_sent"
    """The bot answered its query: `updateWebViewResultSent`."""
    SWITCHED_INLINE = "switched_inline"
    """It made a new inline query."""
    JOIN_DECIDED = "join_decided"
    """The guard bot decided about joining; `MiniApp.join_decision` says how."""
    EXPIRED = "expired"
    """Telegram no longer knows its query: QUERY_ID_INVALID."""
    ACCOUNT_LOST = "account_lost"
    """The account's session has ended."""
    HOST_GONE = "host_gone"
    """The page's host is gone."""
    CALLER = "caller"
    """The caller closed it, or left its `async with`."""


def _is_refusal(failure: BaseException) -> bool:
    """Whether it is certain that the request was not carried out."""
    return isinstance(failure, FloodWait) or (
        isinstance(failure, RpcFailed) and not isinstance(failure, Transient)
    )


class PageGone(MiniAppError):
    """The app was over before its page was ready; `reason` says why."""

    def __init__(self, reason: CloseReason, detail: str) -> None:
        why = f"{reason}: {detail}" if detail else str(reason)
        super().__init__(
            f"The app closed ({why}) before its page was ready.", "Look at what its page does while it loads."
        )
        self.reason = reason


class MiniApp:
    """An open Mini App.

    `app` is what was opened, `web_view` Telegram's answer, `prolongs` how often it was prolonged,
    `on_prolong` is called after each prolong with its failure or None, `on_link` opens what a link in the
    page leads to in place of `Launcher.open`, with its target and options, `join_decision` is the guard
    bot's decision (TL `JoinChatBotResult`) of a chat-join app, `sent_data` what has gone to its bot.
    """

    __slots__ = (
        "_closed",
        "_launcher",
        "_opened",
        "_random_id",
        "_reason",
        "_sent",
        "_unsure",
        "app",
        "consent",
        "host_end",
        "http",
        "join_decision",
        "live",
        "on_link",
        "on_prolong",
        "parameters",
        "prolongs",
        "returns",
        "sent_data",
        "web_view",
    )

    def __init__(
        self, launcher: Launcher, app: App, web_view: WebView, parameters: OpenParameters, consent: Consent
    ) -> None:
        self._launcher = launcher
        self._closed: asyncio.Future[CloseReason] | None = None
        self._reason: CloseReason | None = None
        self._random_id: int | None = None
        self._sent = False
        self._unsure: str | None = None  # data of which no answer came
        self.app = app
        self.web_view = web_view
        self.parameters = parameters
        self.prolongs = 0
        self.on_prolong: Callable[[MiniApp, MiniAppError | None], None] | None = None
        self.on_link: Callable[[Any, dict[str, Any]], AbstractAsyncContextManager[MiniApp]] | None = None
        self.join_decision: Any = None
        self.consent = consent
        self.live: LivePage | None = None
        self.http: HttpReport | None = None
        self.host_end: HostEnd | None = None
        self.returns = False
        self.sent_data: str | None = None
        self._opened: asyncio.Queue[MiniApp] | None = None

    def __repr__(self) -> str:
        state = f"closed: {self._reason}" if self._reason else "open"
        return f"<MiniApp {self.flow} @{self.app.bot.username} {state}>"

    @property
    def launcher(self) -> Launcher:
        """Who opened it: the launcher of the account, with its server and settings."""
        return self._launcher

    @property
    def flow(self) -> str:
        return self.app.flow

    @property
    def url(self) -> str:
        """The launch URL. A secret: it proves to the app's server who the account is."""
        return self.web_view.url

    @property
    def query_id(self) -> int | None:
        """The web view's query, if it has one: then it is prolonged."""
        return self.web_view.query_id

    @property
    def launch_params(self) -> LaunchParams:
        return self.web_view.launch_params

    @property
    def init_data(self) -> InitData | None:
        """Who opened the app; None in the flows that do not tell."""
        return self.web_view.init_data

    # Closing

    @property
    def is_closed(self) -> bool:
        return self._reason is not None

    @property
    def reason(self) -> CloseReason | None:
        """Why it is closed; None while it is open."""
        return self._reason

    async def closed(self) -> CloseReason:
        """Wait until the app is over; returns why."""
        if self._reason is not None:
            return self._reason
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._closed)

    async def close(self, reason: CloseReason = CloseReason.CALLER) -> None:
        """Close the app. The first reason stands; closing again does nothing."""
        self._close(reason)

    def _close(self, reason: CloseReason) -> None:
        if self._reason is not None:
            return
        self._reason = reason
        if self._closed is not None:
            self._closed.set_result(reason)
        self._launcher._forget(self)

    def _prolonged(self, failure: MiniAppError | None) -> None:
        """The prolonger's word after each attempt."""
        if self.is_closed:
            return
        match failure:
            case None:
                self.prolongs += 1
            case QueryExpired():
                self._close(CloseReason.EXPIRED)
            case AccountLost():
                self._launcher._lose(failure)
        if self.on_prolong is not None:
            self.on_prolong(self, failure)

    def _decided(self, decision: Any) -> None:
        """The guard bot's decision: it closes the app, unless it is another page to show."""
        self.join_decision = decision
        if isinstance(decision, types.JoinChatBotResultWebView):
            self.web_view = WebView(decision.url, same_origin=self.web_view.same_origin)
        else:
            self._close(CloseReason.JOIN_DECIDED)

    # What the page may do

    async def send_data(self, data: str) -> None:
        """Send the app's data to its bot and close: once, keyboard-button apps only, 1 to 4,096 bytes of
        UTF-8.

        Repeated under the same `random_id` after transient failures, so that the bot gets it once. Raises
        DataRefused for another flow, a closed app or a wrong size, DataAlreadySent for a second time, and
        RpcFailed or NotConnected when it was not sent, or nobody knows (then the same may be sent again).
        """
        app = self._may_send()
        check_data(data)
        if self._unsure not in (None, data):
            raise DataRefused(
                "It is not known whether the first data arrived.", "Send the same data again: it counts once."
            )
        self._sent = True
        random_id = self._random_id = self._random_id or self._launcher._random_id()
        try:
            await self._launcher._retrying(
                "messages.sendWebViewData", lambda: send_data(self._client, app, data, random_id)
            )
        except BaseException as failure:
            self._sent = False
            self._unsure = None if _is_refusal(failure) else data
            raise
        self.sent_data = data
        self._close(CloseReason.DATA_SENT)

    def _may_send(self) -> KeyboardButtonApp:
        if not isinstance(self.app, KeyboardButtonApp):
            raise DataRefused(
                f"An app of the flow {self.flow} cannot send data to its bot.",
                "Open it by a keyboard button; here the bot answers the query or gets the init data.",
            )
        if self._sent:
            raise DataAlreadySent
        if self.is_closed:
            raise DataRefused(f"The app is closed ({self._reason}).", "Open it again to send data.")
        return self.app

    async def switch_inline(self, query: str, chat: Any = None, chat_types: tuple[str, ...] = ()) -> Any:
        """Make the inline query the app asks for, in the current chat or in `chat`, and close the app.

        `chat_types` ("users", "bots", "groups", "channels") are the kinds of chat the app wants one
        chosen from. Returns Telethon's inline results: `await results[0].click()` sends the first. Raises
        CannotOpen for a bot without inline mode or a chat of another kind.
        """
        if self.is_closed:
            raise DataRefused(f"The app is closed ({self._reason}).", "Open it again.")
        peer = await input_peer(self._client, chat) if chat is not None else self._current_chat()
        results = await self._launcher._retrying(
            "messages.getInlineBotResults",
            lambda: switch_inline(self._client, self.app.bot, query, peer, chat_types),
        )
        self._close(CloseReason.SWITCHED_INLINE)
        return results

    def _current_chat(self) -> Any:
        return self.app.context.peer

    # The page, when it is shown

    @property
    def _shown(self) -> LivePage:
        if self.live is None:
            raise BadInput("The page of this app is not shown.", 'Open it with host="browser".')
        return self.live

    @property
    def page(self) -> Page:
        """The Playwright page."""
        assert self._shown.host is not None
        return self._shown.host.page

    @property
    def frame(self) -> Frame:
        """The Playwright frame the app runs in: the page's own, or a web client's iframe."""
        assert self._shown.host is not None
        return self._shown.host.frame

    @property
    def device(self) -> Device:
        """The phone as data, to be looked at and set; what the page is to hear at once is done by `phone`."""
        return self._shown.bridge.device

    @property
    def bridge(self) -> Bridge:
        return self._shown.bridge

    @property
    def events(self) -> PageEvents:
        """What went to and fro, oldest first, with times."""
        return self._shown.events

    @property
    def failures(self) -> list[Failure]:
        """What the page asked for and broke, or was refused with nothing to answer; the latest hundred."""
        return list(self._shown.failures)

    @property
    def unanswered(self) -> list[Pending]:
        """Requests of the page that nobody will answer, or has not for ten seconds."""
        return self._shown.bridge.unanswered(self._shown.now())

    async def ready(self) -> None:
        """Until the page has sent `web_app_ready`. Raises PageGone when the app is over before."""
        ready, over = asyncio.ensure_future(self._shown.ready()), asyncio.ensure_future(self.closed())
        try:
            await asyncio.wait((ready, over), return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise PageGone(over.result(), self.host_end.detail if self.host_end else "")
        finally:
            ready.cancel()
            over.cancel()

    def expect(
        self, name: str, timeout: float = 5.0, where: Callable[[Any], bool] | None = None
    ) -> AbstractAsyncContextManager[Expected]:
        """Wait for an event of the page: `async with app.expect("web_app_open_popup") as event:`, then act.

        `where` is asked with the event's data. Raises NotSeen, which lists what did arrive.
        """
        return self._shown.events.expect(name, timeout, where)

    async def emit(self, name: str, data: Any = None) -> None:
        """Send the page any event. Raises BadInput for data that is no JSON."""
        if data is not None and not compact(data):
            raise BadInput(f"The data of {name} is no JSON.", "Give None, text, numbers, lists and dicts.")
        self._shown.react(self._shown.bridge.emit(name, data, self._shown.now()))

    async def screenshot(self, path: Any) -> None:
        """Write a PNG of the page."""
        assert self._shown.host is not None
        await self._shown.host.screenshot(path)

    async def next_app(self) -> MiniApp:
        """The next app that a link in this one's page opens."""
        return await self.opened.get()

    @property
    def opened(self) -> asyncio.Queue[MiniApp]:
        """The apps that links in this one's page have opened, until somebody takes them."""
        if self._opened is None:
            self._opened = asyncio.Queue()
        return self._opened

    @property
    def main_button(self) -> ButtonInHand:
        return ButtonInHand(self._shown, self.device.main_button, self.bridge.press_main_button)

    @property
    def secondary_button(self) -> ButtonInHand:
        return ButtonInHand(self._shown, self.device.secondary_button, self.bridge.press_secondary_button)

    @property
    def back_button(self) -> ButtonInHand:
        return ButtonInHand(self._shown, self.device.back_button, self.bridge.press_back_button)

    @property
    def settings_button(self) -> ButtonInHand:
        return ButtonInHand(self._shown, self.device.settings_button, self.bridge.press_settings_button)

    @property
    def popup(self) -> PopupInHand:
        return PopupInHand(self._shown)

    @property
    def qr(self) -> ScannerInHand:
        return ScannerInHand(self._shown)

    @property
    def clipboard(self) -> ClipboardInHand:
        return ClipboardInHand(self._shown)

    @property
    def phone(self) -> PhoneInHand:
        return PhoneInHand(self._shown)

    @property
    def _client(self) -> Any:
        return self._launcher.client
