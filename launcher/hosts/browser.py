"""One Chromium for as long as its owner lives; each page gets a context of its own.

    async with Browser() as browser:
        async with browser.open(url, platform="android", on_event=events.put_nowait) as host:
            await host.emit("theme_changed", {"theme_params": {}})

A context shares nothing with any other: cookies, storage, the `__telegram__` keys the official script
keeps, cached files and permissions begin empty and are gone with it.

The browser may also be somewhere else: `remote` names a Playwright server (ws:// or wss://) or a
browser's debugging port (http:// or https://). Playwright's objects belong to the event loop that made
them, and so does a Browser.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Error, Playwright, async_playwright

from launcher.hosts.browser_host import BrowserHost
from launcher.hosts.chromium import REPLACED, arguments, find_chromium, has_display
from launcher.hosts.launch_secrets import LaunchSecrets, web_address
from launcher.hosts.observations import HostEndReason, HostUnavailable, Limits, PageEvent, Seen
from launcher.hosts.profiles import Profile, profile_for
from launcher.hosts.recordings import NO_FFMPEG, Recordings

__all__ = ["SDK_URL", "Browser"]

SDK_URL = "https://telegram.org/js/telegram-web-app.js"
_CLOSE = 10.0
"""Seconds for the browser to close."""


class Browser:
    """Chromium: `async with Browser() as browser:`. One for each owner; see the module.

    `executable` is a Chromium, found by `find_chromium` when it is None (`download`, `package`: see there);
    `headed` shows its window; `remote` is the address of one that runs already.
    """

    def __init__(
        self,
        *,
        executable: Path | None = None,
        remote: str | None = None,
        headed: bool = False,
        download: float = 180.0,
        package: float = 300.0,
    ) -> None:
        self._executable = executable
        self._remote = remote
        self._headed = headed
        self._download = download
        self._package = package
        self._stack: AsyncExitStack | None = None
        self._chromium: Chromium | None = None
        self._hosts: set[BrowserHost] = set()
        self._films: bool | None = None
        self._ended = asyncio.Event()

    @property
    def version(self) -> str:
        return self._entered.version

    @property
    def playwright(self) -> Chromium:
        """Playwright's own browser, for whatever else a script wants to do."""
        return self._entered

    @property
    def gone(self) -> bool:
        """Whether it has ended by itself: crashed, killed, or the remote one disconnected."""
        return self._chromium is not None and not self._chromium.is_connected()

    async def ended(self, seconds: float) -> None:
        """Wait until it is gone, for so long at most: its pages end before it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    @property
    def _entered(self) -> Chromium:
        if self._chromium is None:
            raise HostUnavailable("The browser is not started. Use it in `async with Browser() as browser:`.")
        return self._chromium

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            playwright = await stack.enter_async_context(async_playwright())
            self._chromium = (
                await self._connect(playwright) if self._remote else await self._launch(playwright)
            )
            stack.push_async_callback(self._close, self._chromium)
            self._ended.clear()
            self._chromium.on("disconnected", self._gone)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        assert self._stack is not None
        await self._stack.aclose()
        self._chromium = None

    async def _launch(self, playwright: Playwright) -> Chromium:
        path = self._executable or await find_chromium(
            playwright.chromium.executable_path, download=self._download, package=self._package
        )
        try:
            return await playwright.chromium.launch(
                executable_path=path,
                headless=not self._headed,
                args=arguments(),
                ignore_default_args=list(REPLACED),
            )
        except Error as failure:
            if self._headed and not has_display():
                raise HostUnavailable("There is no display for its window (DISPLAY is not set).") from None
            raise HostUnavailable(f"{path} did not start: {_first_line(failure)}") from None

    async def _connect(self, playwright: Playwright) -> Chromium:
        assert self._remote is not None
        scheme = urlsplit(self._remote).scheme
        try:
            if scheme in ("ws", "wss"):
                return await playwright.chromium.connect(self._remote)
            if scheme in ("http", "https"):
                return await playwright.chromium.connect_over_cdp(self._remote)
        except Error as failure:
            raise HostUnavailable(f"The remote browser does not answer: {_first_line(failure)}") from None
        raise HostUnavailable(
            "A remote browser is a ws:// (Playwright server) or http:// (debugging port) address."
        )

    async def _close(self, chromium: Chromium) -> None:
        for host in tuple(self._hosts):
            host.end(HostEndReason.CALLER)
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(_CLOSE):
                await chromium.close()

    def _gone(self, *_: Any) -> None:
        self._ended.set()
        for host in tuple(self._hosts):
            host.end(HostEndReason.BROWSER_GONE)

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        on_event: Callable[[PageEvent], None],
        on_touch: Callable[[], None] = lambda: None,
        platform: str = "android",
        profile: Profile | None = None,
        dark: bool = False,
        same_origin: bool = False,
        limits: Limits | None = None,
        sdk: Path | None = None,
        style: str = "",
        timeout: float = 30.0,
        trace: Path | None = None,
        har: Path | None = None,
        video: Path | None = None,
        prepare: Callable[[BrowserContext], Awaitable[None]] | None = None,
    ) -> AsyncIterator[BrowserHost]:
        """Show a page while the block runs. It begins to load and is not waited for: see
        `BrowserHost.loaded`.

        `on_event` is called in the event loop for each event the page posts, in order, and must return at
        once; `on_touch` likewise, for each touch and key of the user's in the page. `platform` chooses the
        profile and, with it, whether the page is shown in an iframe; `dark` the colour scheme. With
        `same_origin` only events of the URL's origin are taken. `sdk` is a file that is served in place of
        the official script. `style` is the CSS a web client hands to the frame. `timeout`: seconds for
        loading the page. `trace`, `har` and `video` name what to write when the block ends (see
        `recordings`). `prepare` is given the fresh context before there is a page.

        Raises HostUnavailable for a URL that is not http(s), and when the browser is gone.
        """
        web_address(url)
        profile = profile or profile_for(platform, dark=dark)
        secrets = LaunchSecrets(url)
        async with AsyncExitStack() as stack:
            pictures = video is not None and not await self._can_film()
            recordings = await stack.enter_async_context(
                Recordings(secrets, trace=trace, har=har, video=video, pictures=pictures)
            )
            context = await self._context(profile, recordings)
            stack.push_async_callback(recordings.finish, context)
            await recordings.start(context)
            if sdk is not None:
                await _serve(context, sdk)
            if prepare is not None:
                await _prepare(context, prepare)
            host = BrowserHost(
                context, url, profile, secrets, on_event, on_touch, same_origin, limits or Limits(), timeout,
                close=lambda: recordings.finish(context),
            )  # fmt: skip
            self._hosts.add(host)
            stack.callback(self._hosts.discard, host)
            async with host.showing(style):
                if pictures:
                    host.observations.note(Seen.NO_VIDEO, NO_FFMPEG)
                    await recordings.film(host.page)
                yield host

    async def _can_film(self) -> bool:
        """Whether Playwright finds its ffmpeg, which it says only when a page is to be filmed."""
        if self._films is None:
            with tempfile.TemporaryDirectory(prefix="miniapp-") as folder:
                try:
                    context = await self._entered.new_context(record_video_dir=folder)
                    async with context:
                        await context.new_page()
                    self._films = True
                except Error as failure:
                    self._films = "ffmpeg" not in failure.message
        return self._films

    async def _context(self, profile: Profile, recordings: Recordings) -> BrowserContext:
        try:
            return await self._entered.new_context(
                viewport={"width": profile.width, "height": profile.height},
                screen={"width": profile.width, "height": profile.height},
                device_scale_factor=profile.scale,
                has_touch=profile.touch,
                is_mobile=profile.mobile,
                user_agent=profile.user_agent.format(chrome=self.version.partition(".")[0]),
                color_scheme="dark" if profile.dark else "light",
                locale=profile.locale,
                accept_downloads=False,
                **recordings.context_options(),
            )
        except Error as failure:
            raise HostUnavailable(f"The browser opens no page: {_first_line(failure)}") from None


async def _prepare(context: BrowserContext, prepare: Callable[[BrowserContext], Awaitable[None]]) -> None:
    try:
        await prepare(context)
    except Error as failure:
        raise HostUnavailable(f"The page cannot be prepared: {_first_line(failure)}") from None


async def _serve(context: BrowserContext, sdk: Path) -> None:
    """Serve a file as the official script, to pages that isolate themselves (COEP) too."""
    try:
        script = await asyncio.to_thread(sdk.read_bytes)
    except OSError as failure:
        raise HostUnavailable(f"The script {sdk} cannot be read: {failure.strerror}.") from None
    headers = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}

    async def fulfill(route: Any) -> None:
        await route.fulfill(body=script, content_type="text/javascript; charset=utf-8", headers=headers)

    await context.route(re.compile(re.escape(SDK_URL) + r"(\?.*)?$"), fulfill)


def _first_line(failure: Error) -> str:
    return failure.message.strip().partition("\n")[0]
