"""One app from its opening to its end, told to a person as it happens or to a program at the end."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from flows import InitData, MiniAppError
from launcher.cli.keeping import Keeping
from launcher.cli.output import say, show_json, show_line, show_panel
from launcher.cli.page import Page
from launcher.cli.place import placed
from launcher.hosts.observations import HostEnd
from launcher.launcher import Launcher
from launcher.masks import MASK, is_secret, masked
from launcher.mini_app import CloseReason, MiniApp
from launcher.settings import Settings
from launcher.timing import Timing

__all__ = ["Launch", "Show"]

INTERRUPTED = 130


@dataclass(slots=True)
class Launch:
    """One opening, from the connection to the end; `code` is then the exit code.

    It is 0 for an app that closed, whose time was up or that SIGTERM ended, 1 when the account or the page
    did not last or the page did not load, 130 after Ctrl-C.
    """

    settings: Settings
    account: str | None
    target: str
    options: dict[str, Any]
    show: Show
    page: Page = field(default_factory=Page)
    keeping: Keeping = field(default_factory=Keeping)
    code: int = 0

    async def run(self, send_data: str | None, seconds: float | None, prolong_every: float) -> None:
        async with self._launcher(Timing(prolong_every=prolong_every)) as launcher:
            launcher.on_connection = self.show.connection
            async with self._opening(launcher) as app:
                self.show.opened(app)
                app.on_prolong = self.show.prolonged
                await self.page.show(app, as_json=self.show.as_json)
                if send_data is not None:
                    await app.send_data(send_data)
                interrupted = await _over(app, seconds)
            self.show.closed(app, self.page)
            lost = app.reason in (CloseReason.ACCOUNT_LOST, CloseReason.HOST_GONE)
            self.code = INTERRUPTED if interrupted else int(lost or self.page.failure is not None)

    @asynccontextmanager
    async def _opening(self, launcher: Launcher) -> AsyncIterator[MiniApp]:
        """The open app; recorded, if somebody wants to keep it."""
        if not self.keeping.wanted:
            async with launcher.open(self.target, hosting=self.page.hosting, **self.options) as app:
                yield app
            return
        from launcher.report import Recording

        record = Recording(reveal=self.show.reveal)
        try:
            async with record.opening(
                launcher, self.target, hosting=self.page.hosting, **self.options
            ) as app:
                yield app
        finally:
            self.keeping.keep(record.all_saved())

    @asynccontextmanager
    async def _launcher(self, timing: Timing) -> AsyncIterator[Launcher]:
        """Connected; a sandbox in this process has pages when there is somebody to look at them."""
        async with placed(self.settings, pages=self.page.hosting is not None) as (sandbox, _):
            async with Launcher(self.settings, self.account, timing=timing, sandbox=sandbox) as launcher:
                launcher.browser_options = {"headed": self.page.headed}
                yield launcher


async def _over(app: MiniApp, seconds: float | None) -> bool:
    """Until the app closes, the time is up, or somebody ends this program: whether that was by Ctrl-C."""
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    with _put_into(signals):
        closed, told = asyncio.ensure_future(app.closed()), asyncio.ensure_future(signals.get())
        await asyncio.wait((closed, told), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        interrupted = told.done() and told.result() is signal.SIGINT
        for end in (closed, told):
            end.cancel()
    return interrupted


@contextmanager
def _put_into(queue: asyncio.Queue[signal.Signals]) -> Iterator[None]:
    """Put SIGINT and SIGTERM there; where asyncio has no signals (Windows) Ctrl-C stays as it is."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError):
        for number in signals:
            loop.add_signal_handler(number, queue.put_nowait, number)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in signals:
                loop.remove_signal_handler(number)


@dataclass(slots=True)
class Show:
    """What is told of a launch while it lasts. Without `reveal` nothing that opens the app again."""

    reveal: bool
    as_json: bool
    opened_at: float = field(default_factory=time.monotonic)

    def opened(self, app: MiniApp) -> None:
        self.opened_at = time.monotonic()
        if self.as_json:
            return
        show_panel(f"@{app.app.bot.username}", self._fields(app))
        if self.reveal:
            show_line(app.url)

    def _fields(self, app: MiniApp) -> Iterator[tuple[str, object]]:
        yield "flow", app.flow
        yield "request", app.app.method
        yield "platform", f"{app.parameters.platform} (Web App API {app.launch_params.version})"
        yield "mode", app.web_view.mode
        yield "url", None if self.reveal else app.web_view.masked_url
        yield "query id", self._query_id(app)
        yield "user", _person(app.init_data) if app.init_data else "the app is not told who opens it"
        yield "start parameter", app.init_data.start_param if app.init_data else None

    def prolonged(self, app: MiniApp, failure: MiniAppError | None) -> None:
        self._say(f"prolonged ({app.prolongs})" if failure is None else str(failure))

    def connection(self, connected: bool) -> None:
        self._say("the connection is back" if connected else "the connection is lost")

    def _say(self, what: str) -> None:
        say(f"{time.monotonic() - self.opened_at:.1f} s: {what}")

    def closed(self, app: MiniApp, page: Page) -> None:
        seconds = round(time.monotonic() - self.opened_at, 3)
        if self.as_json:
            show_json(self._as_dict(app, seconds) | page.as_dict(app))
        else:
            times = "once" if app.prolongs == 1 else f"{app.prolongs} times"
            why = f" ({_ended(app.host_end)})" if app.host_end else ""
            show_line(f"Closed after {seconds:.1f} s, prolonged {times}: {app.reason}{why}")

    def _as_dict(self, app: MiniApp, seconds: float) -> dict[str, Any]:
        return {
            "flow": app.flow,
            "request": app.app.method,
            "bot": app.app.bot.username,
            "url": app.url if self.reveal else app.web_view.masked_url,
            "query_id": self._query_id(app),
            "platform": app.parameters.platform,
            "mode": app.web_view.mode,
            "prolongs": app.prolongs,
            "closed": app.reason,
            "seconds": seconds,
            "init_data": _init_data(app.init_data, self.reveal) if app.init_data else None,
        }

    def _query_id(self, app: MiniApp) -> str | None:
        return None if app.query_id is None else masked(app.query_id, reveal=self.reveal)


def _ended(end: HostEnd) -> str:
    return f"{end.reason}: {end.detail}" if end.detail else str(end.reason)


def _person(init_data: InitData) -> str | None:
    user = init_data.user
    if user is None:
        return None
    names = " ".join(name for name in (user.first_name, user.last_name) if name)
    return f"{names} ({f'@{user.username}, ' if user.username else ''}{user.id})"


def _init_data(init_data: InitData, reveal: bool) -> dict[str, Any]:
    """Its fields that are there; hash, signature and query masked, and the raw text left out."""
    shown: dict[str, Any] = _present(asdict(init_data))
    if not reveal:
        del shown["raw"]
        shown |= {name: MASK for name, value in shown.items() if name == "extra" or is_secret(name, value)}
    return shown


def _present(value: Any) -> Any:
    """Without the fields that are absent or empty."""
    if not isinstance(value, dict):
        return value
    return {name: _present(inner) for name, inner in value.items() if inner not in (None, {})}
