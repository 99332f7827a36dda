"""What goes wrong before a request is read: services that are down, and too many requests."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Literal

from starlette.responses import HTMLResponse, JSONResponse, Response

from launcher.sandbox.metapro.refusal import Refused
from launcher.sandbox.metapro.switches import Switches

__all__ = ["Limiter", "down"]

_BAD_GATEWAY = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>"
)


def down(outage: Literal["bad_gateway", "unavailable", "empty"]) -> Response:
    """The answer of a service that is down in one of the ways that answer at all."""
    match outage:
        case "bad_gateway":
            return HTMLResponse(_BAD_GATEWAY, 502)
        case "unavailable":
            body = {"statusCode": 503, "message": "Service Unavailable", "error": "Service Unavailable"}
            return JSONResponse(body, 503)
        case "empty":
            return Response(status_code=200)


class Limiter:
    """Counts each service's requests of the last `rate_window` seconds."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def check(self, service: str, switches: Switches, now: float) -> None:
        """Count a request; raise `Refused` with 429 when there were enough."""
        if switches.rate_limit is None:
            return
        times = self._times[service]
        while times and times[0] <= now - switches.rate_window:
            times.popleft()
        if len(times) >= switches.rate_limit:
            after = switches.retry_after
            raise Refused(429, "Too Many Requests", None if after is None else {"retry-after": str(after)})
        times.append(now)
