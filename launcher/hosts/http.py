"""A page looked at without a browser: is it there, how fast, with which certificate, and does it speak to
Telegram?

One GET with its redirects, measured; then the page's scripts are read, up to a limit, for the marks of
the known libraries. Nothing is run, so no events come. The fragment of a launch URL, with the init data
in it, is cut off before anything is sent, and reports show of every URL only its origin and path.
"""

from __future__ import annotations

import asyncio
import html
import ssl
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urlsplit

import httpx

from launcher.hosts.launch_secrets import shown_url, web_address

__all__ = ["SDKS", "Clients", "HttpReport", "HttpTiming", "look"]

SDKS = {
    "telegram-web-app.js": (b"telegram-web-app.js", b"[Telegram.WebView] > postEvent"),
    "tma.js": (b"@tma.js/", b"@telegram-apps/", b"docs.telegram-mini-apps.com/packages/", b"`tapps/"),
}
"""The known libraries, and texts that stand in a page or script which loads or contains one: its address,
and what a bundler leaves alone (messages, storage keys)."""

_SCRIPTS = 12
_USER_AGENT = "Mozilla/5.0 (compatible; miniapp-launcher)"


@dataclass(frozen=True, slots=True)
class HttpTiming:
    """Seconds since the first request began: connected (with TLS), the first byte of the document, and all
    of it. Redirects count."""

    connected: float | None = None
    first_byte: float | None = None
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpReport:
    """What came of looking at a page.

    `failure` says in words why there is no page, or is None; a status of 400 or more is a failure too.
    `redirects` are the addresses on the way, `url` the last one, all without query and fragment.
    `certificate_days`: how long the certificate is still valid, None without TLS. `size`: bytes of the
    document that were read (`truncated` when it is longer than the limit). `sdks`: names of `SDKS`.
    `text_found`: whether the document has the text that was looked for; None when none was.
    """

    url: str
    status: int | None = None
    failure: str | None = None
    redirects: tuple[str, ...] = ()
    http_version: str | None = None
    content_type: str | None = None
    certificate_days: float | None = None
    size: int = 0
    truncated: bool = False
    sdks: tuple[str, ...] = ()
    text_found: bool | None = None
    timing: HttpTiming = HttpTiming()

    @property
    def host(self) -> str | None:
        """The host name of the last address."""
        return urlsplit(self.url).hostname


class Clients:
    """The httpx clients of many looks, which share `transport`: it makes the connections and stays open, and
    nothing is read of proxies.

    A client is one look's at a time, and has no cookies at its beginning. What is asked of an address is the
    same each time, so that request is kept.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._new = partial(_client, transport=transport)
        self._idle: list[httpx.AsyncClient] = []
        self.request = lru_cache(maxsize=1024)(partial(self._new().build_request, "GET"))

    def take(self) -> httpx.AsyncClient:
        return self._idle.pop() if self._idle else self._new()

    def give_back(self, client: httpx.AsyncClient) -> None:
        client.cookies.clear()
        self._idle.append(client)


def _client(redirects: int = 10, user_agent: str = _USER_AGENT, **options: Any) -> httpx.AsyncClient:
    """Without a timer for each step: one time limit is for all of them."""
    return httpx.AsyncClient(
        timeout=None, follow_redirects=True, max_redirects=redirects, headers={"User-Agent": user_agent},
        **options,
    )  # fmt: skip


async def look(
    url: str,
    *,
    timeout: float | None = 15.0,
    limit: int = 4 * 2**20,
    redirects: int = 10,
    user_agent: str = _USER_AGENT,
    verify: ssl.SSLContext | bool = True,
    clients: Clients | None = None,
    scripts: bool = True,
    text: str | None = None,
    steps: bool = True,
) -> HttpReport:
    """Look at a page. What is wrong with it is in the report; it raises only HostUnavailable for a URL
    that is not http(s).

    `timeout`: seconds for all of it, None when the caller sees to that. `limit`: bytes that are read of the
    document, and of its scripts together. `verify` as in httpx; an own SSLContext may trust an own authority.
    `clients` are used in place of a client of its own with these `redirects`, `user_agent` and `verify`.
    Without `scripts` only the document is loaded. `text` is looked for in it. Without `steps` only the whole
    is timed.
    """
    looking = _Looking(_without_fragment(url), limit, text)
    client = _client(redirects, user_agent, verify=verify) if clients is None else clients.take()
    request: Callable[[str], httpx.Request]
    if clients is None or steps:
        extensions = {"trace": looking.trace} if steps else {}
        request = partial(client.build_request, "GET", extensions=extensions)
    else:
        request = clients.request
    try:
        async with asyncio.timeout(timeout):
            await looking.at_page(client, request)
            if scripts:
                await looking.at_scripts(client)
    except TimeoutError:
        looking.fail(f"it did not load within {timeout:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        looking.fail(_cause(failure))
    finally:
        if clients is None:
            await client.aclose()
        else:
            clients.give_back(client)
    return looking.report


def _without_fragment(url: str) -> str:
    page, mark, _ = url.partition("#")
    return _address(page + mark)


@lru_cache(maxsize=1024)
def _address(url: str) -> str:
    return urldefrag(web_address(url)).url


class _Looking:
    """The state of one look: what is known grows as far as it gets."""

    def __init__(self, url: str, limit: int, text: str | None) -> None:
        self._url = url
        self._limit = limit
        self._text = text
        self._began = time.monotonic()
        self._known: dict[str, Any] = {}
        self._times: dict[str, float] = {}
        self._page = b""

    @property
    def report(self) -> HttpReport:
        return HttpReport(**self._known, timing=HttpTiming(**self._times))

    def fail(self, why: str) -> None:
        """The page could not be had. When only its scripts were too slow, the page itself did well."""
        if "total" not in self._times:
            self._known = self._known or {"url": shown_url(self._url)}
            self._known["failure"] = why
            self._times["total"] = self._elapsed()

    async def at_page(self, client: httpx.AsyncClient, request: Callable[[str], httpx.Request]) -> None:
        async with aclosing(await client.send(request(self._url), stream=True)) as response:
            self._answered = str(response.url)
            self._known |= {
                "url": shown_url(self._answered),
                "status": response.status_code,
                "failure": f"status {response.status_code}" if response.status_code >= 400 else None,
                "redirects": tuple(shown_url(str(before.url)) for before in response.history),
                "http_version": response.http_version,
                "content_type": response.headers.get("Content-Type"),
                "certificate_days": _certificate_days(response),
            }
            self._page, whole = await _read(response, self._limit)
        self._known |= {
            "size": len(self._page),
            "truncated": not whole,
            "sdks": _sdks_in(self._page),
            "text_found": self._finds_text(response),
        }
        self._times["total"] = self._elapsed()

    def _finds_text(self, response: httpx.Response) -> bool | None:
        if self._text is None:
            return None
        return self._text in html.unescape(self._page.decode(response.encoding or "utf-8", "replace"))

    async def at_scripts(self, client: httpx.AsyncClient) -> None:
        """A library may also be inside one of the page's bundles."""
        left, found = self._limit, set(self._known["sdks"])
        for url in _scripts(self._page, self._answered)[:_SCRIPTS]:
            if left <= 0 or len(found) == len(SDKS):
                return
            script = b""
            with suppress(httpx.HTTPError):
                async with client.stream("GET", url) as response:
                    script, _ = await _read(response, left)
            left -= len(script)
            found |= {*_sdks_in(script)}
            self._known["sdks"] = tuple(name for name in SDKS if name in found)

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """httpcore tells of each step of the exchange; of redirects the last one counts."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._times["connected"] = self._elapsed()
        elif event.endswith("receive_response_headers.complete"):
            self._times["first_byte"] = self._elapsed()

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes of a body, decompressed, and whether that is all of it."""
    body = bytearray()
    async for piece in response.aiter_bytes(2**16):
        body += piece
        if len(body) > limit:
            return bytes(body[:limit]), False
    return bytes(body), True


def _certificate_days(response: httpx.Response) -> float | None:
    """How many days the certificate of the connection is still valid."""
    if response.url.scheme != "https":
        return None
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    until = (tls.getpeercert() or {}).get("notAfter") if tls else None
    return None if until is None else (ssl.cert_time_to_seconds(until) - time.time()) / 86400


def _sdks_in(text: bytes) -> tuple[str, ...]:
    return tuple(name for name, marks in SDKS.items() if any(mark in text for mark in marks))


def _scripts(page: bytes, base: str) -> list[str]:
    """The addresses of a page's scripts, in order, each once; not those of libraries known by their own."""
    reader = _ScriptReader()
    reader.feed(page.decode("utf-8", "replace"))
    found: dict[str, None] = {}
    for source in reader.sources:
        try:
            url = str(httpx.URL(base).join(source))
        except httpx.InvalidURL:
            continue
        if urlsplit(url).scheme in ("http", "https") and not _sdks_in(url.encode()):
            found[urldefrag(url).url] = None
    return list(found)


class _ScriptReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        preloaded = tag == "link" and known.get("rel") == "modulepreload"
        source = known.get("src") if tag == "script" else known.get("href") if preloaded else None
        if source:
            self.sources.append(source)


def _cause(failure: Exception) -> str:
    """What went wrong, without the address; the exceptions below httpx's know it best."""
    deepest: BaseException = failure
    while (below := deepest.__cause__ or deepest.__context__) is not None:
        deepest = below
    text = f"{deepest} {failure}"
    if isinstance(deepest, ssl.SSLCertVerificationError):
        return f"the certificate is not valid ({deepest.verify_message})"
    for cause, words in _CAUSES.items():
        if cause in text:
            return words
    return f"it was not loaded ({type(failure).__name__})"


_CAUSES = {
    "Name or service not known": "the host name has no address",
    "nodename nor servname": "the host name has no address",
    "No address associated": "the host name has no address",
    "Temporary failure in name resolution": "the host name could not be looked up",
    "getaddrinfo failed": "the host name has no address",
    "onnection refused": "the connection was refused",
    "onnect call failed": "the connection was refused",
    "SSL": "TLS failed",
    "redirects": "it redirects in a circle",
    "disconnected without": "the server closed the connection without an answer",
}
