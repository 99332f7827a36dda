"""The page of an app that `miniapp open` shows: its events as they come, and what is kept of it.

What a page sends is a stranger's text and may hold its init data: it is escaped, shortened, and shown without
the launch's secrets, and without what the page keeps or its user pastes, unless they were asked for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launcher.cli.output import say, show_panel
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.hosts.observations import Seen
from launcher.mini_app import MiniApp
from launcher.report.struck_out import event_text
from launcher.short_text import shortened

if TYPE_CHECKING:
    from launcher.hosting import Hosting
    from launcher.hosts.http import HttpReport
    from launcher.page_events import Logged

__all__ = ["Page"]

_LONGEST = 160
"""Characters of an event that are shown."""


@dataclass(slots=True)
class Page:
    """How the page is shown, and afterwards what came of it.

    `ready` says whether it has sent `web_app_ready`, `failure` why it did not load; both None when it was not
    shown in a browser.
    """

    hosting: Hosting | None = None
    headed: bool = False
    screenshot: Path | None = None
    reveal: bool = False
    ready: bool | None = None
    failure: str | None = None
    began: float = 0.0

    async def show(self, app: MiniApp, *, as_json: bool) -> None:
        """Tell of the page until it is ready, has failed to load, or its time is up."""
        self.began = asyncio.get_running_loop().time()
        if app.http is not None and not as_json:
            show_panel("HTTP", _lines(app.http))
        if app.live is None:
            return
        for event in app.events:
            self._tell(app, event)
        app.events.on_event = lambda event: self._tell(app, event)
        app.live.on_failure = lambda failed: say(f"{self._after(failed.time)}: {failed.name}: {failed.why}")
        assert app.live.host is not None
        for seen in app.live.host.observations.of(Seen.NO_VIDEO):
            say(f"{self._after()}: {seen.detail}")
        await self._until_ready(app)
        if self.screenshot is not None and not app.is_closed:
            await app.screenshot(self.screenshot)

    async def _until_ready(self, app: MiniApp) -> None:
        assert app.live is not None
        assert app.live.host is not None
        assert self.hosting is not None
        timeout = self.hosting.timeout
        self.failure = (await app.live.host.loaded()).failure
        if self.failure is not None:
            self.ready = False
            say(f"{self._after()}: the page did not load: {self.failure}")
            return
        tasks = [asyncio.ensure_future(app.ready()), asyncio.ensure_future(app.closed())]
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        self.ready = tasks[0].done()
        for task in tasks:
            task.cancel()
        if not self.ready and not app.is_closed:
            say(f"{self._after()}: the page has not said that it is ready")

    def _tell(self, app: MiniApp, event: Logged) -> None:
        way = "page → client" if event.direction == "outgoing" else "client → page"
        data = event.text if self.reveal else event_text(event.name, event.text)
        text = f"{event.name} {data or ''}".rstrip()
        shown = text if self.reveal else LaunchSecrets(app.url).mask(text)
        say(f"{self._after(event.time)}: {way}: {shortened(shown, _LONGEST)}")

    def _after(self, moment: float | None = None) -> str:
        """A moment of the event loop's clock, now by default, in seconds after the app was opened."""
        moment = asyncio.get_running_loop().time() if moment is None else moment
        return f"{max(0.0, moment - self.began):.1f} s"

    def as_dict(self, app: MiniApp) -> dict[str, Any]:
        """What JSON says of the page. Of events those that are kept are counted."""
        return {
            "ready": self.ready,
            "load_failure": self.failure,
            "host_end": None if app.host_end is None else asdict(app.host_end),
            "events": None if app.live is None else _counts(app),
            "failures": None if app.live is None else [asdict(failure) for failure in app.failures],
            "http": None if app.http is None else asdict(app.http),
        }


def _counts(app: MiniApp) -> dict[str, dict[str, int]]:
    ways = ("outgoing", "incoming")
    return {way: dict(Counter(event.name for event in app.events if event.direction == way)) for way in ways}


def _lines(report: HttpReport) -> list[tuple[str, object]]:
    timing = report.timing
    days = report.certificate_days
    return [
        ("page", report.url),
        ("status", report.status),
        ("failure", report.failure),
        ("redirects", " → ".join(report.redirects) or None),
        ("type", report.content_type),
        ("size", f"{report.size} bytes{' and more' if report.truncated else ''}"),
        ("libraries", ", ".join(report.sdks) or "none that is known"),
        ("certificate", None if days is None else f"{days:.0f} days"),
        ("time", f"{timing.total:.3f} s"),
    ]
