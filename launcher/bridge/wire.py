"""The wire form of an event's data: JSON text from a page that may be careless or hostile.

A value comes out of here that can be stored, printed and sent on: bounded in size and depth, with no lone
surrogates (which are no text in UTF-8; a browser's own encoder replaces them too) and no NaN.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "MAX_TEXT", "clean", "compact", "json_value", "lost_req_id", "plain"]

MAX_TEXT = 8 * 2**20
"""Characters of one event's data: more than the largest value that device storage takes."""
MAX_DEPTH = 64
"""Objects and arrays within one another."""
MAX_PARTS = 100_000
"""Commas and brackets: what a text costs once it is read depends on these."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_REQ_ID = re.compile(r'"req_id"\s*:\s*("(?:[^"\\]|\\.){0,256}")')


def json_value(data: object) -> Any:
    """The value that `data` stands for: JSON text, text that is none, or a value already.

    Text that is no JSON stands for itself. What is too large or too deep is taken as nothing.
    """
    if data is None or data == "" or data == '""':
        return None
    if not isinstance(data, str):
        data = compact(data)
    if len(data) > MAX_PARTS and (len(data) > MAX_TEXT or sum(map(data.count, ",[{")) > MAX_PARTS):
        return None
    value = _parsed(clean(data))
    # Telegram Desktop's script and some libraries wrap the text once more.
    return _parsed(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD, and pairs joined."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", _PAIR.sub(_joined, text))


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def compact(value: Any) -> str:
    """The value as compact JSON text; the empty text if it cannot be one."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def plain(value: Any) -> Any:
    """A value as it can be sent to a page; a text stays a text, even an empty one or one that looks like JSON.

    None for what is no JSON or too deep.
    """
    text = compact(value)
    return _parsed(clean(text)) if text else None


def lost_req_id(data: object) -> dict[str, Any]:
    """The `req_id` of data too large to be read, so that even that can be answered."""
    if not isinstance(data, str) or len(data) <= MAX_PARTS:
        return {}
    found = _REQ_ID.search(data[:4096]) or _REQ_ID.search(data[-4096:])
    value = _parsed(clean(found[1])) if found else None
    return {"req_id": value} if isinstance(value, str) else {}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # Python reads NaN and Infinity, which are no JSON


_read = json.JSONDecoder(parse_constant=_refuse).decode


def _parsed(text: str) -> Any:
    try:
        value = _read(text)
    except (ValueError, RecursionError):
        return text
    if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(value):
        return None
    if _ESCAPED_SURROGATE.search(text):
        return _read(clean(compact(value)))
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
