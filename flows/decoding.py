"""Text that a stranger wrote, decoded: either exactly, or with one plain `ValueError`.

A launch URL is a query string that holds a query string that holds JSON. Python's own
functions for these are lenient in their own ways (bytes that are no UTF-8 become question
marks, `NaN` is a number), and none of those ways is a browser's. No error in here quotes the
text, so that it can go into a message about a launch URL.
"""

import json
import re
from typing import Any


def percent_decoded(text: str) -> str:
    """Decode `+` and percent-escapes, refusing exactly what `decodeURIComponent` refuses.

    Raises `ValueError` for an incomplete escape, and for bytes that are not UTF-8.
    """
    if "%" not in text:
        return text.replace("+", " ")
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise ValueError("an incomplete percent-escape")
    return re.sub(r"(?:%[0-9a-fA-F]{2})+", _unescaped, text.replace("+", " "))


def percent_decoded_or_raw(text: str) -> str:
    """Decode as telegram-web-app.js does, which keeps what it cannot decode."""
    try:
        return percent_decoded(text)
    except ValueError:
        # What the script keeps is what it was about to decode: `+` is replaced already.
        return text.replace("+", "%20")


def json_object(text: str) -> dict[str, Any]:
    """Parse one JSON object, as strictly as `JSON.parse`.

    Raises `ValueError("is not a JSON object")` for everything else.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):  # nesting deep enough exhausts Python's stack
        value = None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def _unescaped(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("%", "")).decode()


def _refuse(constant: str) -> None:
    # Python reads NaN and Infinity, which are not JSON.
    raise ValueError(constant)
