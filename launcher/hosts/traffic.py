"""What a page asked of servers: who, where, how it ended; never a query, a header or a body.

An address's query and fragment often hold what signs somebody in, so they are not kept in the first place.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.async_api import Page, Request, Response

from launcher.hosts.launch_secrets import LaunchSecrets, origin_of

__all__ = ["PageRequest", "Traffic"]

_KEEP = 500
_LONGEST = 300
"""Characters of a path."""


@dataclass(slots=True)
class PageRequest:
    """One request. `time` is in seconds since the epoch, `ms` how long the answer took in all; `status` is
    None without an answer, and `failure` then says why, in Chromium's words."""

    method: str
    origin: str
    path: str
    kind: str
    time: float
    status: int | None = None
    ms: float | None = None
    failure: str | None = None


class Traffic:
    """The first requests of a page, in order; `left_out` counts those beyond."""

    def __init__(self, page: Page, secrets: LaunchSecrets) -> None:
        self.left_out = 0
        self._secrets = secrets
        self._requests: dict[Request, PageRequest] = {}
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfinished", self._finished)
        page.on("requestfailed", self._failed)

    def __iter__(self) -> Iterator[PageRequest]:
        return iter(tuple(self._requests.values()))

    def __len__(self) -> int:
        return len(self._requests)

    def _asked(self, request: Request) -> None:
        if len(self._requests) >= _KEEP:
            self.left_out += 1
            return
        path = self._secrets.mask(urlsplit(request.url).path)[:_LONGEST]
        self._requests[request] = PageRequest(
            request.method, origin_of(request.url), path, request.resource_type, time.time()
        )

    def _answered(self, response: Response) -> None:
        if (known := self._requests.get(response.request)) is not None:
            known.status = response.status

    def _finished(self, request: Request) -> None:
        if (known := self._requests.get(request)) is not None:
            known.ms = max(0.0, request.timing["responseEnd"])

    def _failed(self, request: Request) -> None:
        if (known := self._requests.get(request)) is not None:
            known.failure = request.failure
