"""Refusing a request: the exception, and the shapes it may have on the wire.

NestJS's object is what the documentation shows; a list `messages` is what the samples read as well; a list
under `message` is what NestJS makes of several mistakes at once; HTML is what proxies answer.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

__all__ = ["Refused", "refusal"]


class Refused(Exception):
    """The request gets this status and message."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


def refusal(refused: Refused, shape: str) -> Response:
    """The answer in one of the shapes of `Switches.errors`."""
    phrase = HTTPStatus(refused.status).phrase
    if shape == "html":
        page = f"<html><head><title>{phrase}</title></head><body>{escape(refused.message)}</body></html>"
        return HTMLResponse(page, refused.status, refused.headers)
    bodies: dict[str, dict[str, Any]] = {
        "nest": {"statusCode": refused.status, "message": refused.message, "error": phrase},
        "messages": {"messages": [refused.message]},
        "message_list": {"statusCode": refused.status, "message": [refused.message], "error": phrase},
    }
    return JSONResponse(bodies[shape], refused.status, refused.headers)
