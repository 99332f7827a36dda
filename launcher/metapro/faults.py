"""Ways in which a service can be down, laid on a page's requests by interception.

The service itself is not touched: only the page under test sees the fault.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Request, Route

__all__ = ["FAULTS", "SLOW", "Fault", "lay_fault", "unauthorised"]

Fault = Callable[["Route"], Awaitable[None]]
SLOW = "slow"
SLOW_SECONDS = 1.0
_READABLE = {"Access-Control-Allow-Origin": "*"}


async def _refused(route: Route) -> None:
    await route.abort("connectionrefused")


async def _timeout(route: Route) -> None:
    await route.abort("timedout")


async def _bad_gateway(route: Route) -> None:
    page = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    await route.fulfill(status=502, content_type="text/html", headers=_READABLE, body=page)


async def _unavailable(route: Route) -> None:
    await _nest(route, 503, "Service Unavailable")


async def _empty(route: Route) -> None:
    await route.fulfill(status=200, headers=_READABLE, body="")


async def _slow(route: Route) -> None:
    await asyncio.sleep(SLOW_SECONDS)
    await route.continue_()


async def unauthorised(route: Route) -> None:
    """The answer to a token that has expired."""
    await _nest(route, 401, "Unauthorized")


async def _nest(route: Route, status: int, phrase: str) -> None:
    body = json.dumps({"statusCode": status, "message": phrase, "error": phrase})
    await route.fulfill(status=status, content_type="application/json", headers=_READABLE, body=body)


FAULTS: dict[str, Fault] = {
    "refused": _refused,
    "timeout": _timeout,
    "502 in HTML": _bad_gateway,
    "503 in JSON": _unavailable,
    "empty 200": _empty,
    SLOW: _slow,
}
"""By the name that reports use."""


async def lay_fault(
    context: BrowserContext, base: str, fault: Fault, meant: Callable[[Request], bool] = lambda _: True
) -> None:
    """Let every request below this URL that is `meant` meet the fault. A page that has gone meanwhile meets
    nothing."""
    from playwright.async_api import Error

    async def meet(route: Route) -> None:
        with suppress(Error):
            await (fault(route) if meant(route.request) else route.fallback())

    prefix = base.rstrip("/")
    await context.route(lambda url: url == prefix or url.startswith((f"{prefix}/", f"{prefix}?")), meet)
