"""The stand-in as a running server: all services on one port, each under its documented path.

What may go wrong on the way (`outage.py`) happens first, then the request is read and answered by its
endpoint, in the shape that the switches ask for; the log keeps what was asked, without secrets.
"""

from __future__ import annotations

import asyncio
import hmac
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from pydantic_core import from_json
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from launcher.sandbox.metapro.about import LABEL, page
from launcher.sandbox.metapro.accounts import Accounts
from launcher.sandbox.metapro.call import Call, Endpoint, Endpoints
from launcher.sandbox.metapro.ids import make_ids
from launcher.sandbox.metapro.leaderboard import leaderboard
from launcher.sandbox.metapro.nft import nft
from launcher.sandbox.metapro.outage import Limiter, down
from launcher.sandbox.metapro.referral import referral
from launcher.sandbox.metapro.refusal import Refused, refusal
from launcher.sandbox.metapro.request_log import LoggedRequest, logged
from launcher.sandbox.metapro.scores import Scores
from launcher.sandbox.metapro.switches import Service, Switches
from launcher.sandbox.metapro.teams import apps, teams
from launcher.sandbox.metapro.users import users
from launcher.sandbox.server import Sandbox
from launcher.sandbox.web_server import WebServer
from launcher.sandbox.world import World

__all__ = ["LoggedRequest", "MetaproStandIn"]

_LOGGED_REQUESTS = 20_000
_LARGEST_BODY = 1_000_000

_NOBODY_THERE = 499
"""nginx's number for a request whose sender has gone: it stands in the log alone."""

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

_MOUNTED: tuple[tuple[str, Service, Endpoints], ...] = (
    ("/ms/users-service", "users", users),
    ("/users-service", "users", users),  # as on the production host
    ("/ms/nft", "nft", nft),
    ("/ms/leaderboard", "leaderboard", leaderboard),
    ("/ms/teams", "teams", teams),
    ("/ms/apps", "teams", apps),
    ("/ms/referral", "referral", referral),
)


class MetaproStandIn:
    """The assumption model, serving while the block runs: `async with MetaproStandIn(sandbox) as metapro:`.

    `place` is the sandbox (or its world) whose bots' tokens prove init data. `switches` are the open
    questions, `port` 0 is any free one. `clock` tells the time in seconds, the sandbox's own by default;
    `seed` makes ids and keys the same in every run. `ids` are what an app is configured with: project_id,
    platform_id, app_id, leaderboard_id, referral_settings_id, bot_name, and the secrets leaderboard_key,
    api_key and app_key. `services` are the base URLs: users, nft, leaderboard, teams, apps, referral.
    `accounts` is who has logged in and may be edited, `owned` gives wallets (lower case) other tokens than
    the usual ones (`_id` → quantity), `log` is what was asked. Raises OSError when the port is taken.
    """

    def __init__(
        self,
        place: Sandbox | World,
        switches: Switches | None = None,
        *,
        port: int = 0,
        clock: Callable[[], float] | None = None,
        seed: int | None = None,
    ) -> None:
        self.world = place.world if isinstance(place, Sandbox) else place
        own = place.now if isinstance(place, Sandbox) else time.time
        self.now = clock or own
        self.switches = switches or Switches()
        self.random = random.Random(seed)
        self.ids = make_ids(self.world, self.random)
        self.accounts = Accounts(self.now, self.random)
        self.scores = Scores()
        self.scores.invite_players(self.accounts)
        self.owned: dict[str, dict[str, int]] = {}
        self.log: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self._limiter = Limiter()
        self._router = Router([Route("/", self._about), *self._routes()])
        self._open = CORSMiddleware(
            self._router,
            allow_origins=["*"],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["x-assumption-model", "retry-after"],
        )
        self._server = WebServer(self._serve, port=port)

    # Where and what it is

    label = LABEL

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def services(self) -> dict[str, str]:
        names = ("nft", "leaderboard", "teams", "apps", "referral")
        return {"users": f"{self.url}/ms/users-service", **{name: f"{self.url}/ms/{name}" for name in names}}

    def app_config(self) -> dict[str, Any]:
        """What the sample Mini App is told: addresses and ids, and no key unless a switch says so."""
        public = {name: self.ids[name] for name in self.ids if not name.endswith("_key")}
        if self.switches.page_has_leaderboard_key:
            public["leaderboard_key"] = self.ids["leaderboard_key"]
        return {"assumption_model": LABEL, "services": self.services, "ids": public, "me_every": 240}

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()

    # Serving

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def labelled(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-assumption-model", LABEL.encode())]
            await send(message)

        await (self._open if self.switches.cors else self._router)(scope, receive, labelled)

    async def _about(self, _: Request) -> Response:
        return HTMLResponse(page(self.services, self.switches))

    def _routes(self) -> list[Route]:
        return [
            self._route(path, service, endpoint)
            for path, service, table in _MOUNTED
            for endpoint in (*table.all, _UNKNOWN)
        ]

    def _route(self, base: str, service: Service, endpoint: Endpoint) -> Route:
        async def handle(request: Request) -> Response:
            return await self._handle(service, endpoint, request)

        methods = _METHODS if endpoint is _UNKNOWN else [endpoint.method]
        return Route(base + endpoint.path, handle, methods=methods)

    async def _handle(self, service: Service, endpoint: Endpoint, request: Request) -> Response:
        body: dict[str, Any] = {}
        try:
            body = await _body(request)
            response = await self._through_outage(service, request)
            if response is None:
                response = self._answer(service, Call(self, endpoint, request, body))
        except Refused as refused:
            response = refusal(refused, self.switches.errors)
        self.log.append(
            logged(service, endpoint.name, request, body, response.status_code, self.switches.api_key_name)
        )
        return response

    async def _through_outage(self, service: Service, request: Request) -> Response | None:
        """Wait as long as an answer takes; gives an answer only when the service is down."""
        switches = self.switches
        outage = switches.outages.get(service)
        if outage == "refused" and request.client is not None:
            self._server.hang_up((request.client.host, request.client.port))
        wait = switches.latency + (switches.slow_for if outage == "slow" else 0)
        for_ever = outage in ("refused", "timeout")
        if (wait or for_ever) and await _gone_within(request, None if for_ever else wait):
            return Response(status_code=_NOBODY_THERE)
        if outage in ("bad_gateway", "unavailable", "empty"):
            return down(outage)
        self._limiter.check(service, switches, self.now())
        return None

    def _answer(self, service: Service, call: Call) -> Response:
        _check_api_key(service, call)
        answer = call.endpoint.answer(call)
        status = self.switches.success if call.request.method == "POST" else 200
        if self.switches.text_answers and isinstance(answer, str | int):
            return PlainTextResponse(str(answer), status)
        return JSONResponse(answer, status)


def not_found(call: Call) -> Any:
    raise Refused(404, f"Cannot {call.request.method} {call.request.url.path}")


_UNKNOWN = Endpoint("", "{rest:path}", not_found)


def _check_api_key(service: Service, call: Call) -> None:
    switches = call.metapro.switches
    name, place = switches.api_key_name, switches.api_key_place
    if service not in switches.api_key_services or place == "none":
        return
    if place == "body" and call.request.method in ("GET", "HEAD"):
        return
    given = call.request.headers.get(name, "") if place == "header" else str(call.body.get(name, ""))
    if not hmac.compare_digest(given.encode(), call.metapro.ids["api_key"].encode()):
        raise Refused(401, "the API key is not valid")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that the body is, empty when there is no body."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > _LARGEST_BODY:
            raise Refused(413, "the body is too large")
    try:
        body = from_json(bytes(raw)) if raw else {}  # bounded in depth, whatever the recursion limit is
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "the body must be an object")
    return body


async def _gone_within(request: Request, seconds: float | None) -> bool:
    """Wait so long, or for ever; true as soon as the other side has gone."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
