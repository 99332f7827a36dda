"""What may be shown of TL objects: plain JSON by their TL names, with the secrets in them replaced by `MASK`.

Secret are init data inside URLs, query ids, access hashes, what invite links and links to phone numbers name,
card credentials, what a page keeps on the servers, and whatever signs somebody in.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from telethon.tl import TLObject, TLRequest, types

from flows import links
from flows.errors import method_name
from flows.launch_params import mask_init_data

__all__ = [
    "MASK", "answer_summary", "is_secret", "masked", "masked_target", "parameters", "tl_json", "tl_name",
]  # fmt: skip

MASK = "***"

_SECRET = frozenset(
    {
        "access_hash", "api_hash", "bot_auth_token", "bot_query_id", "bytes", "chat_join_request_query_id",
        "code", "credentials", "file_reference", "params", "password", "phone", "phone_code",
        "phone_code_hash", "phone_number", "query_id", "signature", "token",
    }
)  # fmt: skip


def is_secret(name: str, value: Any) -> bool:
    """Whether a field of this name gives something away, in TL, in init data and in our own values.

    A number called hash tells versions apart; a text is the secret of an invite link or proves init data.
    """
    return name in _SECRET or (name == "hash" and isinstance(value, str))


def masked(value: Any, *, reveal: bool) -> Any:
    """What is shown of a secret. A revealed number is a text: it has more bits than the numbers of most
    readers of JSON."""
    if not reveal:
        return MASK
    return str(value) if isinstance(value, int) else tl_json(value, reveal=True)


def masked_target(target: str) -> str:
    """What somebody wanted to open, as it may be told: who reads an invite link may use it."""
    shown = mask_init_data(target)
    for secret in _secrets_of_link(target):
        shown = (shown if secret in shown else unquote(shown)).replace(secret, MASK)
    return shown


def _secrets_of_link(target: str) -> Iterator[str]:
    try:
        link = links.parse(target)
    except links.NotALink:
        return
    for field in fields(link):
        value = getattr(link, field.name)
        if value and is_secret(field.name, value):
            yield str(value).removeprefix("+")


def tl_name(thing: Any) -> str:
    """The TL name of a request or constructor: `messages.requestWebView`, `inputPeerUser`."""
    if isinstance(thing, TLRequest):
        return method_name(thing)
    namespace = type(thing).__module__.removeprefix("telethon.tl.types").removeprefix(".")
    name = type(thing).__name__
    name = name[:1].lower() + name[1:]
    return f"{namespace}.{name}" if namespace else name


def parameters(thing: Any, *, reveal: bool = False) -> dict[str, Any]:
    """The fields of a TL object by name, without those that are absent on the wire."""
    optional = _optional(type(thing))
    return {
        name: _shown(name, value, reveal)
        for name, value in vars(thing).items()
        if value is not None and not (value is False and name in optional)
    }


def tl_json(value: Any, *, reveal: bool = False) -> Any:
    """A TL value as JSON; an object names its constructor under "_"."""
    match value:
        case TLObject():
            return {"_": tl_name(value), **parameters(value, reveal=reveal)}
        case list() | tuple():
            return [tl_json(item, reveal=reveal) for item in value]
        case datetime():
            return value.isoformat()
        case bytes():
            return f"{len(value)} bytes"
    return value


def answer_summary(answer: Any, *, reveal: bool = False) -> Any:
    """The constructor of an answer and its own plain fields; of lists the length, of objects the name."""
    if isinstance(answer, list):
        return {"_": "vector", "length": len(answer)}
    if not isinstance(answer, TLObject):
        return answer
    if isinstance(answer, types.DataJSON) and not reveal:
        return {"_": tl_name(answer), "data": MASK}
    return {"_": tl_name(answer)} | {
        name: _briefly(value, known)
        for name, known in parameters(answer, reveal=reveal).items()
        if (value := getattr(answer, name)) is not None
    }


def _briefly(value: Any, shown: Any) -> Any:
    match value:
        case TLObject():
            return tl_name(value)
        case list():
            return f"{len(value)} of them" if value else "none"
    return shown


def _shown(name: str, value: Any, reveal: bool) -> Any:
    if is_secret(name, value):
        return masked(value, reveal=reveal)
    if name == "url" and isinstance(value, str) and not reveal:
        return mask_init_data(value)
    return tl_json(value, reveal=reveal)


_OPTIONAL: dict[type, frozenset[str]] = {}


def _optional(kind: type) -> frozenset[str]:
    """The fields that may be absent on the wire: in Telethon's classes, those that default to None."""
    if kind not in _OPTIONAL:
        fields = inspect.signature(kind).parameters.values()
        _OPTIONAL[kind] = frozenset(field.name for field in fields if field.default is None)
    return _OPTIONAL[kind]
