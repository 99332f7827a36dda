"""What the stand-in remembers of a request: enough to see what an app did, and nothing that opens a door.

Tokens, keys, hashes, signatures, init data, e-mail addresses and birth dates are replaced by `***`; whether
they were there is still to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from launcher.sandbox.calls import MASK

__all__ = ["LoggedRequest", "logged"]

_SECRET = {
    "authorization", "x-account-login-hash", "leaderboardapikey", "apikey", "api_key", "signature",
    "telegramsimplestring", "email", "birthdate", "hash", "cookie",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request. `endpoint` is the name of the call (`telegram_login`, `me` ...), `not_found` for none;
    header names are in lower case; `status` 499 means that the other side had gone before there was an
    answer."""

    service: str
    endpoint: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: dict[str, Any]
    status: int


def logged(
    service: str, endpoint: str, request: Request, body: dict[str, Any], status: int, api_key_name: str
) -> LoggedRequest:
    """The request with its secrets masked; `api_key_name` is the header or field that holds one more."""
    secret = _SECRET | {api_key_name.lower()}
    path = request.url.path
    if "key" in request.path_params:  # GET /apps/appkey/{key}
        path = path.replace(str(request.path_params["key"]), MASK)
    query = tuple((name, _masked(name, value, secret)) for name, value in request.query_params.multi_items())
    headers = {name: _masked(name, value, secret) for name, value in request.headers.items()}
    return LoggedRequest(
        service, endpoint, request.method, path, query, headers, _masked("", body, secret), status
    )


def _masked(name: str, value: Any, secret: set[str]) -> Any:
    if name.lower() in secret:
        return MASK
    if isinstance(value, dict):
        return {inner: _masked(inner, part, secret) for inner, part in value.items()}
    if isinstance(value, list):
        return [_masked(name, part, secret) for part in value]
    return value
