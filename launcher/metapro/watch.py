"""What a page asks of Metapro and of others, seen from outside by Playwright.

A watch is laid on a browser context before its page loads, so that nothing the page does first is missed.
The bodies and headers it keeps are secret; steps say of them what is right or wrong, never what they hold.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Request, Response

__all__ = ["AppWatch", "Sent"]

_SCRIPTED = ("fetch", "xhr")
READING = 5.0
"""Seconds for the browser to hand over an answer: where a page's script never ends, it never does."""


@dataclass(eq=False, slots=True, repr=False)
class Sent:
    """One request of the page. `service` is None of one that does not go to Metapro, `path` what follows the
    service's base URL; `status` is None until it is answered, for ever when that failed. `stuck` is an answer
    that the browser does not hand over."""

    service: str | None
    method: str
    path: str
    url: str
    headers: Mapping[str, str]
    body: str
    kind: str
    status: int | None = None
    response: Response | None = None
    failed: bool = False
    stuck: bool = False
    _text: str = ""

    @property
    def is_call(self) -> bool:
        return self.kind in _SCRIPTED

    @property
    def json(self) -> Any:
        """Its body as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def went_well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    async def text(self) -> str:
        """What was answered; empty when nothing was, or it cannot be had any more."""
        from playwright.async_api import Error

        if self.response is None or self._text or self.stuck:
            return self._text
        try:
            async with asyncio.timeout(READING):
                self._text = await self.response.text()
        except TimeoutError:
            self.stuck = True
        except (Error, UnicodeDecodeError):
            pass
        return self._text

    async def answer(self) -> Any:
        """The answer as JSON, None when it is none."""
        try:
            return json.loads(await self.text())
        except ValueError:
            return None


@dataclass(repr=False)  # without slots: Playwright keeps its wrapper of a bound method in the instance
class AppWatch:
    """All requests of one browser context, in order, and what its console said. `bases` are the base URLs of
    the services by name."""

    bases: Mapping[str, str]
    sent: list[Sent] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    _by_request: dict[Request, Sent] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def lay(self, context: BrowserContext) -> None:
        """Watch this context from now on."""
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfailed", self._failed)
        context.on("console", self._said)

    async def until(self, wanted: Callable[[Sent], bool], seconds: float) -> Sent | None:
        """The first request of which this is so, waited for so long; None when there was none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (found := next(filter(wanted, self.sent), None)) is None:
                    await self._news.wait()
                return found
        return None

    def to(self, service: str) -> list[Sent]:
        """The calls to one service so far."""
        return [sent for sent in self.sent if sent.service == service and sent.is_call]

    @property
    def waiting(self) -> int:
        """How many calls have no answer yet."""
        return sum(sent.is_call and sent.status is None and not sent.failed for sent in self.sent)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _asked(self, request: Request) -> None:
        service, path = self.place(request.url)
        body = request.post_data_buffer or b""
        sent = Sent(
            service, request.method, path, request.url, request.headers,
            body.decode("utf-8", "replace"), request.resource_type,
        )  # fmt: skip
        self.sent.append(sent)
        self._by_request[request] = sent
        self._tell()

    def _answered(self, response: Response) -> None:
        if (sent := self._by_request.get(response.request)) is not None:
            sent.status, sent.response = response.status, response
            self._tell()

    def _failed(self, request: Request) -> None:
        if (sent := self._by_request.get(request)) is not None:
            sent.failed = True
            self._tell()

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def place(self, url: str) -> tuple[str | None, str]:
        """The service with the longest base URL that the address begins with, and the rest of its path."""
        address = url.partition("?")[0].partition("#")[0]
        for service, base in sorted(self.bases.items(), key=lambda entry: -len(entry[1])):
            if address == base or address.startswith(f"{base.rstrip('/')}/"):
                return service, address[len(base.rstrip("/")) :]
        return None, urlsplit(url).path
