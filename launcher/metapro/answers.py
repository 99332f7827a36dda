"""Reading what Metapro answers, with doubt: text where JSON is expected, a proxy's HTML, either shape of an
error. Nothing of an answer reaches an error's text before its secrets are struck out."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import httpx
from pydantic import TypeAdapter, ValidationError

from launcher.metapro.errors import TOO_MANY, MetaproBroken, MetaproError, MetaproRefused

__all__ = [
    "at",
    "broken",
    "json_of",
    "parsed",
    "pause_after",
    "refusal",
    "unreachable_because",
    "without_request",
    "words_of",
]

T = TypeVar("T")
LONGEST_PAUSE = 10.0
"""Seconds: a service that wants to be left alone for longer is not asked again."""
Mask = Callable[[str], str]


def at(content: Any, path: str) -> Any:
    """What stands there in a JSON value: `token.accessToken`; None when nothing does."""
    for step in path.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    return content


def json_of(answer: httpx.Response, layer: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise broken("the answer is no JSON", layer, answer) from None


def parsed(kind: type[T], content: Any, layer: str, answer: httpx.Response) -> T:
    try:
        found: T = _adapter(cast(Hashable, kind)).validate_python(content)
        return found
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        why = f"the answer is not as documented: {where}: {first['msg']}"
    raise broken(why, layer, answer)


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def broken(why: str, layer: str, answer: httpx.Response) -> MetaproBroken:
    return MetaproBroken(
        f"Metapro's answer cannot be used: {why}.",
        "Compare it with the documentation: the service or the knobs have changed.",
        layer=layer, status=answer.status_code,
    )  # fmt: skip


def refusal(service: str, answer: httpx.Response, layer: str, mask: Mask) -> MetaproError:
    """The error for an answer that is none of 2xx; `mask` strikes the secrets out of the service's words."""
    status, messages = answer.status_code, words_of(answer, mask)
    said = f": {'; '.join(messages)}" if messages else ""
    if status >= 500:
        return MetaproBroken(
            f"The {service} service fails with status {status}{said}.", "Look whether it is up.",
            layer="network", status=status,
        )  # fmt: skip
    remedies = _REMEDIES if service == "users" else _REMEDIES | _WITHOUT_LOGIN
    remedy = remedies.get(status, "Compare the request with the documentation.")
    return MetaproRefused(
        f"The {service} service refuses with status {status}{said}.", remedy,
        layer="network" if status == TOO_MANY else layer, status=status, messages=messages,
    )  # fmt: skip


_REMEDIES = {
    400: "Check the ids, and the fields of the request (METAPRO_TELEGRAM_LOGIN__…).",
    401: "Check keys and bot registration; init data that are too old need a new launch.",
    403: "Check the keys, and what this project may do.",
    404: "Check the address of the service and the ids.",
    TOO_MANY: "Ask less often.",
}
_WITHOUT_LOGIN = {
    400: "Check the ids.",
    401: "Check the keys: METAPRO_LEADERBOARD_KEY, METAPRO_API_KEY, and where that goes.",
}
"""Of services that nobody logs in to."""


def words_of(answer: httpx.Response, mask: Mask) -> tuple[str, ...]:
    """The service's own words in either shape, at most three, cut short: after masking, since half a secret
    is not recognised."""
    try:
        content = answer.json()
    except ValueError:
        return ()
    if not isinstance(content, dict):
        return ()
    said = content.get("messages") or content.get("message") or []
    lines = said if isinstance(said, list) else [said]
    return tuple(mask(" ".join(str(line).split()))[:120] for line in lines[:3])


def pause_after(answer: httpx.Response, pause: float | None) -> float | None:
    """How long to wait before the next attempt; None when there is to be none."""
    if pause is None or not (answer.status_code == TOO_MANY or answer.status_code >= 500):
        return None
    wanted = _retry_after(answer.headers.get("Retry-After", ""), pause)
    return wanted if wanted <= LONGEST_PAUSE else None


def _retry_after(said: str, otherwise: float) -> float:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return otherwise
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def unreachable_because(failure: Exception) -> str:
    text = str(failure)
    match failure:
        case (
            TimeoutError()
            | httpx.ConnectTimeout()
            | httpx.ReadTimeout()
            | httpx.WriteTimeout()
            | httpx.PoolTimeout()
        ):
            return "it takes too long"
        case httpx.ConnectError() if "SSL" in text or "certificate" in text.lower():
            return "TLS failed"
        case httpx.ConnectError() if any(hint in text for hint in _NO_NAME):
            return "the host name has no address"
        case httpx.ConnectError():
            return "the connection is refused"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "its address is none"
    return "the connection broke"


_NO_NAME = ("Name or service", "nodename", "No address associated", "name resolution", "getaddrinfo")


def without_request(failure: Exception) -> Exception:
    """httpx's errors hold the request, and so its headers: the same kind of error without it."""
    bare = type(failure)("") if isinstance(failure, httpx.RequestError) else failure
    return bare.with_traceback(None)
