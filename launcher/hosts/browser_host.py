"""One page in a browser, and the bridge to it.

What the page posts comes by a binding of Chromium's debugger that only `bridge.js` can call: it runs in
every document before the page's own scripts, so the bridge is there again after a reload and after the
page has gone elsewhere. What the page is told goes by `deliver.js`. Both directions are batches and
single calls of plain text; nothing the page may have redefined is trusted on the way.

In a web client's profile the page is an iframe in a page of the web client's (`parent.html`, served under
its own address, because a page's storage and the check of `set_custom_style` need a real origin there).
Then the bridge is in that outer document, and takes only the messages of the app's own window.

Nothing here waits for a page without a limit: a page that hangs or crashes is observed and named.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets as random_names
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Error, Frame, Page, Response
from playwright.async_api import TimeoutError as PlaywrightTimeout

from launcher.hosts.console import Console
from launcher.hosts.launch_secrets import LaunchSecrets, origin_of
from launcher.hosts.observations import (
    HostEnd,
    HostEndReason,
    HostUnavailable,
    Limits,
    Meter,
    Observations,
    PageEvent,
    Seen,
)
from launcher.hosts.profiles import Profile
from launcher.hosts.traffic import Traffic
from launcher.hosts.watch import Watch

__all__ = ["BrowserHost", "Loaded"]

_HERE = files("launcher.hosts")
_BRIDGE = _HERE.joinpath("bridge.js").read_text("utf-8")
_DELIVER = _HERE.joinpath("deliver.js").read_text("utf-8")
_PARENT = _HERE.joinpath("parent.html").read_text("utf-8")
_NAVIGATE = """(url) => {
  const frame = document.querySelector('iframe');
  const go = () => {
    if (frame.contentDocument?.URL !== 'about:blank') return; // the document before was still loading
    frame.removeEventListener('load', go);
    frame.src = url;
  };
  if (frame.src) frame.addEventListener('load', go);
  frame.src = frame.src ? 'about:blank' : url; // the same address again, with a fragment, would load nothing
}"""
_EMPTY = "about:blank"
_SLICE = 0.003
"""Seconds for which events are handed out before everybody else has a turn."""
_CAUSES = {
    "NAME_NOT_RESOLVED": "the host name has no address",
    "CONNECTION_REFUSED": "the connection was refused",
    "CONNECTION_TIMED_OUT": "the server does not answer",
    "ADDRESS_UNREACHABLE": "the server cannot be reached",
    "CERT_": "the certificate is not valid",
    "SSL_": "TLS failed",
    "TOO_MANY_REDIRECTS": "it redirects in a circle",
    "EMPTY_RESPONSE": "the server closed the connection without an answer",
    "CONNECTION_": "the connection broke",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """How loading ended: the status of the document, if there was an answer, and what failed, if anything
    did. `broken_off`: nothing refused the page, its loading was broken off, as by a browser that ends."""

    status: int | None
    failure: str | None = None
    broken_off: bool = False


class BrowserHost:
    """A page in the browser. Made by `Browser.open`."""

    def __init__(
        self,
        context: BrowserContext,
        url: str,
        profile: Profile,
        secrets: LaunchSecrets,
        on_event: Callable[[PageEvent], None],
        on_touch: Callable[[], None],
        same_origin: bool,
        limits: Limits,
        timeout: float,
        close: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self.profile = profile
        self.observations = Observations()
        self._context = context
        self._url = url
        self._origin = origin_of(url)
        self._secrets = secrets
        self._on_event = on_event
        self._on_touch = on_touch
        self._same_origin = same_origin
        self._limits = limits
        self._timeout = timeout
        self._close = close
        self._events = Meter(limits.events)
        self._characters = Meter(limits.characters)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[HostEnd] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._style = ""
        self._reload_supported = False
        self._looking = False
        self._batches: deque[str] = deque()
        self._posted: deque[list[Any]] = deque()
        self._handing_out = False
        self._will_reload = asyncio.Event()
        self._document: Response | None = None

    def __repr__(self) -> str:
        return f"<BrowserHost of {self._origin}>"

    @property
    def page(self) -> Page:
        """The Playwright page; for a web client that of the outer document (see `frame`)."""
        return self._page

    @property
    def frame(self) -> Frame:
        """The frame in which the app runs: the page's main one, or a web client's iframe."""
        if self.profile.frame is None:
            return self._page.main_frame
        return next((frame for frame in self._page.frames if frame.parent_frame), self._page.main_frame)

    async def loaded(self) -> Loaded:
        """Wait until the document is there and parsed, or has failed to load. Never longer than the
        timeout."""
        return await asyncio.shield(self._loading)

    async def closed(self) -> HostEnd:
        """Wait until the host has ended, and say why."""
        return await asyncio.shield(self._ended)

    async def emit(self, name: str, data: Any = None, *, null: bool = False, timeout: float = 5.0) -> bool:
        """Hand an event to the page; whether an entry point of a library took it.

        `data` is anything that is JSON; None is no payload at all, unless `null` asks for a JSON null. In
        a web client's iframe events are messages, and count as taken. A page that does not take it, or whose
        iframe does not answer, within `timeout` seconds is observed as hung.
        """
        message = {"eventType": name} | ({"eventData": data} if data is not None or null else {})
        text = json.dumps(message, allow_nan=False)
        taken = await self._run(f"({_DELIVER})({json.dumps(text)}, {json.dumps(self._framed)})", timeout)
        if isinstance(taken, str) and taken.startswith("!"):
            self._watch.note(Seen.HANDLER_ERROR, f"{name}: {taken[1:]}")
        if self._framed and not self._looking:
            self._spawn(self._look(timeout))
        return taken is not None and taken != "none"

    async def _look(self, timeout: float) -> None:
        """Nothing tells whether a message was taken: see whether the frame does anything at all."""
        self._looking = True
        try:
            await self.responds(timeout)
        finally:
            self._looking = False

    async def responds(self, timeout: float = 5.0) -> bool:
        """Whether the app runs a script within so many seconds; if not, it is observed as hung."""
        try:
            async with asyncio.timeout(timeout):
                await self.frame.evaluate("1")
        except TimeoutError:
            self._watch.hung(timeout)
            return False
        except Error:
            return False
        return True

    async def reload(self) -> None:
        """Reload the page as its client does: a web client asks the frame first, and sets its address anew
        when it does not answer in time (`Frame.reload_after`)."""
        if self.profile.frame is None:
            with suppress(Error):
                await self._page.reload(wait_until="commit", timeout=self._timeout * 1000)
        elif not await self._asked_to_reload(self.profile.frame.reload_after):
            await self._load_anew(self._timeout * 1000)

    async def _load_anew(self, limit: float) -> None:
        """Load the frame's document by way of an empty one. Of the document before Playwright may tell only
        now, so it is what comes after the empty one that is waited for."""
        with suppress(Error):
            async with self.frame.expect_navigation(url=_EMPTY, wait_until="commit", timeout=limit):
                await self._set_address()
        with suppress(Error):
            await self.frame.wait_for_url(_is_document, wait_until="commit", timeout=limit)

    async def appear(self, dark: bool) -> None:
        """Change the page's `prefers-color-scheme`."""
        await self._ask(self._page.emulate_media(color_scheme="dark" if dark else "light"))

    async def resize(self, width: int, height: int) -> None:
        """Change the size of the page's window, in CSS pixels."""
        await self._ask(self._page.set_viewport_size({"width": width, "height": height}))

    async def _ask(self, change: Coroutine[Any, Any, None], timeout: float = 5.0) -> None:
        """Change something about the page; one that hangs is observed, one that is gone no longer matters."""
        try:
            async with asyncio.timeout(timeout):
                await change
        except TimeoutError:
            self._watch.hung(timeout)
        except Error:
            return

    async def screenshot(self, path: Any) -> None:
        """Write a PNG of the page. Raises HostUnavailable when the page does not draw."""
        try:
            await self._page.screenshot(path=path, timeout=self._timeout * 1000)
        except Error as failure:
            raise HostUnavailable(f"No screenshot: {_first_line(failure)}") from None

    def masked(self, text: str) -> str:
        """The text without the launch's secrets, and without what was hidden."""
        return self._secrets.mask(text)

    def hide(self, secret: str) -> None:
        """Strike this text out of the recordings, and of what is observed from now on."""
        self._secrets.add(secret)

    def end(self, reason: HostEndReason, detail: str = "") -> None:
        """Close the host for a reason; the first one counts."""
        if self._ended.done():
            return
        self._ended.set_result(HostEnd(reason, detail))
        if reason in (HostEndReason.FLOODED, HostEndReason.CALLER):
            self._batches.clear()  # nobody hears the rest of a flood
            self._posted.clear()
        if reason is not HostEndReason.CALLER:
            self._spawn(self._close())

    def flooded(self, limit: str) -> None:
        """Close the host because its page went over a limit that somebody else keeps."""
        if not self._ended.done():
            self._watch.flood(limit)

    # The page's life

    @asynccontextmanager
    async def showing(self, style: str) -> AsyncIterator[None]:
        """Make the page and begin to load it; when the block ends, end what still goes on around it."""
        self._style = style
        await self._prepare()
        self._loading = asyncio.create_task(self._load())
        try:
            yield
        finally:
            self.end(HostEndReason.CALLER)
            tasks = (self._loading, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _prepare(self) -> None:
        try:
            self._page = await self._context.new_page()
            self.traffic = Traffic(self._page, self._secrets)
            self.console = Console(self._page, self._secrets)
            self._watch = Watch(
                self._context, self._page, self.observations, self._secrets, self._limits,
                framed=self._framed, end=self.end, spawn=self._spawn,
            )  # fmt: skip
            await self._lay_bridge()
            if self.profile.frame is not None:
                await self._show_client(self.profile.frame.url)
        except Error as failure:
            raise HostUnavailable(f"The browser shows no page: {_first_line(failure)}") from None

    async def _show_client(self, url: str) -> None:
        """The web client's page with the app's iframe in it, still empty: from now on there is a `frame`."""
        with suppress(Error):  # a Chromium without local network checks does not know the permission
            await self._context.grant_permissions(["local-network-access"])
        await self._page.route(url, _serve_parent)
        await self._page.goto(url, timeout=self._timeout * 1000)

    async def _lay_bridge(self) -> None:
        binding = f"b{random_names.token_hex(8)}"
        self._cdp: CDPSession = await self._context.new_cdp_session(self._page)
        self._cdp.on("Runtime.bindingCalled", lambda call: self._take(call["payload"]))
        await self._cdp.send("Runtime.enable")  # without it a binding is never called
        await self._cdp.send("Runtime.addBinding", {"name": binding})
        limits = {_camel(name): value for name, value in asdict(self._limits).items()}
        options = limits | {"binding": binding, "framed": self._framed}
        await self._page.add_init_script(f"({_BRIDGE})({json.dumps(options)})")

    @property
    def _framed(self) -> bool:
        return self.profile.frame is not None

    async def _load(self) -> Loaded:
        try:
            response = await (self._load_frame() if self._framed else self._load_page())
        except (PlaywrightTimeout, TimeoutError):
            loaded = Loaded(None, f"it did not load within {self._timeout:g} s")
        except Error as failure:
            error = _error(failure)
            loaded = Loaded(None, _cause(error), broken_off=error in (None, "ABORTED"))
        else:
            self._document = response
            status = response.status if response else None
            loaded = Loaded(status, f"status {status}" if status and status >= 400 else None)
        if loaded.failure and not self._ended.done():
            self._watch.note(Seen.LOAD_FAILED, loaded.failure)
        return loaded

    async def certificate_days(self) -> float | None:
        """For how many days the certificate of the loaded document is valid; None without TLS."""
        details = await self._document.security_details() if self._document is not None else None
        until = details["validTo"] if details is not None else None
        return None if until is None else (until - time.time()) / 86_400

    async def _load_page(self) -> Response | None:
        return await self._page.goto(self._url, wait_until="domcontentloaded", timeout=self._timeout * 1000)

    async def _load_frame(self) -> Response | None:
        async with self.frame.expect_navigation(
            url=_is_document, wait_until="domcontentloaded", timeout=self._timeout * 1000
        ) as navigation:
            await self._set_address()
        return await navigation.value

    async def _set_address(self) -> None:
        await self._run(f"({_NAVIGATE})({json.dumps(self._url)})", self._timeout)

    async def _asked_to_reload(self, seconds: float) -> bool:
        """Whether the frame says that it reloads itself."""
        self._will_reload.clear()
        if not self._reload_supported:
            return False
        await self.emit("reload_iframe")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._will_reload.wait()
        return self._will_reload.is_set()

    async def _run(self, expression: str, timeout: float) -> Any:
        """The value of an expression in the main document; None when the page is gone, hangs or threw."""
        if self._ended.done():
            return None
        try:
            async with asyncio.timeout(timeout):
                answer = await self._cdp.send(
                    "Runtime.evaluate", {"expression": expression, "returnByValue": True}
                )
        except TimeoutError:
            self._watch.hung(timeout)
            return None
        except Error:
            return None
        return answer["result"].get("value")

    # What the page posts

    def _take(self, payload: str) -> None:
        """A batch of `bridge.js`: a JSON array of ["event", name, data, origin], ["touch"],
        ["oversize", length] and ["flood", limit]."""
        if self._ended.done():
            return
        self._batches.append(payload)
        if not self._handing_out:
            self._handing_out = True
            # not handed out here: what a callback raises belongs to the loop's handler, not into Playwright's
            self._loop.call_soon(self._hand_out)

    def _hand_out(self) -> None:
        """Hand out what has come, in slices: a burst must not keep the rest of the program waiting."""
        until = self._loop.time() + _SLICE
        try:
            while (self._posted or self._batches) and self._loop.time() < until:
                if not self._posted:
                    self._posted.extend(json.loads(self._batches.popleft()))
                self._hand_out_one(*self._posted.popleft())
        finally:
            self._handing_out = bool(self._posted or self._batches)
            if self._handing_out:
                self._loop.call_soon(self._hand_out)

    def _hand_out_one(self, kind: str, *rest: Any) -> None:
        match kind:
            case "event":
                self._hand_out_event(*rest)
            case "touch":
                self._on_touch()
            case "oversize":
                self._watch.note(Seen.OVERSIZE, f"an event of {rest[0]} characters was dropped")
            case _:
                self._watch.flood(rest[0])

    def _hand_out_event(self, name: str, data: str | None, origin: str) -> None:
        if not self._events.allows():
            self._watch.flood("events")
        elif not self._characters.allows(len(name) + len(data or "")):
            self._watch.flood("characters")
        elif self._same_origin and origin != self._origin:
            self._watch.note(Seen.FOREIGN_ORIGIN, f"{_whole(name)[:100]} from {origin}")
        else:
            if self._framed:
                self._follow_frame(name, data)
            text = None if data is None else _whole(data)
            self._on_event(PageEvent(_whole(name), text, origin, time.time()))

    def _follow_frame(self, name: str, data: str | None) -> None:
        """A web client's own part of the protocol."""
        if name == "iframe_ready":
            self._reload_supported = _flag(data, "reload_supported")
            self._spawn(self._set_style())
        elif name == "iframe_will_reload":
            self._will_reload.set()

    async def _set_style(self) -> None:
        await self.emit("set_custom_style", self._style)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_document(url: str) -> bool:
    return url != _EMPTY


def _whole(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be written anywhere."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _flag(data: str | None, name: str) -> bool:
    try:
        value = json.loads(data or "null")
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get(name) is True


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _first_line(failure: Error) -> str:
    """Playwright's text without its call log, which holds the URL."""
    return failure.message.partition("\n")[0]


def _error(failure: Error) -> str | None:
    """Chromium's name for what a failed load comes from; None when the page is gone."""
    found = re.search(r"net::ERR_([A-Z0-9_]+)", failure.message)
    return found[1] if found else None


def _cause(error: str | None) -> str:
    """What a failed load comes from; never the URL."""
    if error is None:
        return "the page is gone"
    meaning = next((text for name, text in _CAUSES.items() if error.startswith(name)), "it was not loaded")
    return f"{meaning} ({error})"


async def _serve_parent(route: Any) -> None:
    await route.fulfill(body=_PARENT, content_type="text/html; charset=utf-8")
