"""What a page does beside posting events: noted under a name, answered so that it cannot hang, and counted.

Dialogs are answered (alert and beforeunload with yes, confirm and prompt with no), downloads cancelled,
windows it opens closed. Each kind has a meter: a page that does one of these in a loop is over its limit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Download,
    Error,
    Frame,
    Page,
    Request,
    Response,
)

from launcher.hosts.launch_secrets import LaunchSecrets, origin_of, shown_url
from launcher.hosts.observations import HostEndReason, Limits, Meter, Observations, Seen

__all__ = ["Watch"]


class Watch:
    """Watches one page and its context. `end` closes the host; `spawn` runs what has to be awaited."""

    def __init__(
        self,
        context: BrowserContext,
        page: Page,
        observations: Observations,
        secrets: LaunchSecrets,
        limits: Limits,
        *,
        framed: bool,
        end: Callable[[HostEndReason, str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._context = context
        self._page = page
        self._observations = observations
        self._secrets = secrets
        self._framed = framed
        self._end = end
        self._spawn = spawn
        self._meters = {kind: Meter(limits.happenings) for kind in Seen}
        self._loads = Meter(limits.loads)
        self._origin: str | None = None
        self._document: Request | None = None
        context.on("page", self._popup)
        page.on("crash", self._crashed)
        page.on("close", lambda _: spawn(self._closed()))
        page.on("request", self._asked)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.note(Seen.PAGE_ERROR, error.message))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("dialog", self._dialog)
        page.on("download", self._download)
        page.on("framenavigated", self._navigated)

    def note(self, kind: Seen, detail: str) -> None:
        """Observe something; more of its kind than the limit allows ends the host."""
        self._observations.note(kind, self._secrets.mask(detail))
        if kind is not Seen.FLOOD and not self._meters[kind].allows():
            self.flood(kind)

    def flood(self, limit: str) -> None:
        self.note(Seen.FLOOD, limit)
        self._end(HostEndReason.FLOODED, limit)

    def hung(self, seconds: float) -> None:
        """A script of ours was not run in time. Chromium runs none while it waits for the next document."""
        who = "the app's frame" if self._framed else "it"
        why = "its next document does not come" if self._document else f"{who} does not answer"
        self.note(Seen.HUNG, f"{why} within {seconds:g} s")

    async def _closed(self) -> None:
        """The page is gone: by itself if its context still answers."""
        try:
            await self._context.cookies()
        except Error:
            self._end(HostEndReason.BROWSER_GONE, "")
        else:
            self._end(HostEndReason.PAGE, "")

    def _crashed(self, _: Page) -> None:
        whose = "app's frame" if self._framed else "page"
        self.note(Seen.CRASHED, f"the process of the {whose} ended")
        self._end(HostEndReason.CRASHED, "")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self.note(Seen.CONSOLE_ERROR, message.text)

    def _asked(self, request: Request) -> None:
        if request.is_navigation_request() and self._is_apps(request.frame):
            self._document = request

    def _failed(self, request: Request) -> None:
        if request == self._document:
            self._document = None
        self.note(Seen.REQUEST_FAILED, f"{request.method} {shown_url(request.url)}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            request = response.request
            self.note(
                Seen.REQUEST_FAILED, f"{request.method} {shown_url(response.url)}: status {response.status}"
            )

    def _navigated(self, frame: Frame) -> None:
        if not self._is_apps(frame):
            return
        self._document = None
        if not self._loads.allows():
            self.flood("loads")
        origin = origin_of(frame.url)
        if origin == "null":  # about:blank, on the way to another document
            return
        before, self._origin = self._origin, origin
        if before not in (None, origin):
            self.note(Seen.NAVIGATED, f"from {before} to {origin}")

    def _is_apps(self, frame: Frame) -> bool:
        return frame.parent_frame == (self._page.main_frame if self._framed else None)

    def _dialog(self, dialog: Dialog) -> None:
        self.note(Seen.DIALOG, f"{dialog.type}: {dialog.message}")
        self._spawn(
            _quietly(dialog.accept() if dialog.type in ("alert", "beforeunload") else dialog.dismiss())
        )

    def _download(self, download: Download) -> None:
        self.note(Seen.DOWNLOAD, f"{download.suggested_filename} from {shown_url(download.url)}")
        self._spawn(_quietly(download.cancel()))

    def _popup(self, page: Page) -> None:
        if page is not self._page:
            self.note(Seen.POPUP, shown_url(page.url))
            self._spawn(_quietly(page.close()))


async def _quietly(asking: Coroutine[Any, Any, None]) -> None:
    """Ask the browser for something that no longer matters once the page is gone."""
    with suppress(Error):
        await asking
