"""The web side of an exporter: what machines scrape, and a page for people.

Every answer is made from what the schedule has found; nothing here opens an app. Pages run no script, load
nothing from elsewhere, and may not be framed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import TypeAlias

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flows import BadInput
from launcher.exporter.charts import icon
from launcher.exporter.exporter import Exporter
from launcher.exporter.metrics import Metrics
from launcher.exporter.page import details, overview
from launcher.exporter.probing import Asked, probe
from launcher.exporter.watched import Watched
from launcher.exporter.web_config import BasicAuth
from launcher.report import html

__all__ = ["application"]

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

DETAILS = 288
"""Checks on the page of one target: a day of one every five minutes."""
_PAGE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_REPORT = _PAGE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
"""The page of a launch has its style in itself, and by its own policy no other."""


def application(exporter: Exporter, users: Mapping[str, SecretStr] | None = None) -> ASGIApp:
    """The ASGI application. `users` are those who may look, with their bcrypt hashes; without any everybody
    may."""
    answers = _Answers(exporter)
    app = Starlette(
        routes=[
            Route("/", answers.overview),
            Route("/targets/{name}", answers.details),
            Route("/targets/{name}/failure.png", answers.picture),
            Route("/targets/{name}/report", answers.report),
            Route("/style.css", answers.style),
            Route("/icon/{status}.svg", answers.icon),
            Route("/metrics", answers.metrics),
            Route("/probe", answers.probe),
            Route("/-/healthy", answers.healthy),
            Route("/-/reload", answers.reload, methods=["POST", "PUT"]),
        ]
    )
    return BasicAuth(app, users) if users else app


class _Answers:
    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._metrics = Metrics(exporter)

    def _watched(self, name: str | None) -> Watched:
        watched = self._exporter.source.watched.get(name or "")
        if watched is None:
            raise HTTPException(404, "There is no such target.\n")
        return watched

    async def overview(self, _: Request) -> Response:
        return HTMLResponse(overview(self._exporter), headers=_PAGE)

    async def details(self, request: Request) -> Response:
        watched = self._watched(request.path_params["name"])
        past = await self._exporter.past(watched, DETAILS)
        return HTMLResponse(details(self._exporter, watched, past), headers=_PAGE)

    async def picture(self, request: Request) -> Response:
        watched = self._watched(request.path_params["name"])
        if watched.failure is None or watched.failure.screenshot is None:
            raise HTTPException(404, "There is no picture.\n")
        return Response(watched.failure.screenshot, media_type="image/png", headers=_PAGE)

    async def report(self, request: Request) -> Response:
        saved = await self._exporter.report(self._watched(request.path_params["name"]))
        if saved is None:
            raise HTTPException(404, "There is no report.\n")
        return HTMLResponse(await asyncio.to_thread(html, saved), headers=_REPORT)

    async def style(self, _: Request) -> Response:
        css = (files("launcher.exporter") / "style.css").read_bytes()
        return Response(css, media_type="text/css", headers=_PAGE | {"Cache-Control": "max-age=300"})

    async def icon(self, request: Request) -> Response:
        drawn = icon(request.path_params["status"])
        if drawn is None:
            raise HTTPException(404)
        return Response(drawn, media_type="image/svg+xml", headers=_PAGE)

    async def metrics(self, request: Request) -> Response:
        text, content_type = self._metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    async def probe(self, request: Request) -> Response:
        given = request.query_params
        if "target" not in given:
            return PlainTextResponse("Target parameter is missing\n", 400)
        try:
            asked = Asked(
                self._watched(given["target"]),
                given.get("module", "miniapp"),
                request.headers.get("x-prometheus-scrape-timeout-seconds"),
                given.get("debug") == "true",
            )
        except BadInput as wrong:
            return PlainTextResponse(f"{wrong}\n", 400)
        return PlainTextResponse(await probe(self._exporter, asked))

    async def healthy(self, _: Request) -> Response:
        return PlainTextResponse("Healthy\n")

    async def reload(self, request: Request) -> Response:
        """Not for other sites' pages: a browser says that it asks on their behalf."""
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("Another site may not ask for this.\n", 403)
        if await self._exporter.reload():
            return PlainTextResponse("Reloaded\n")
        return PlainTextResponse(f"{self._exporter.problem}\n", 500)
