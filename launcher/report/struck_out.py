"""What must not be in a saved launch, and striking it out wherever it stands.

`launcher.masks` and the hosts mask by the names of fields. A page may have repeated a value anywhere: in a
popup, on its console, in a path. So whatever turned out to be secret in this launch (in its URL, in requests
to Telegram and their answers) is struck out of every text of the value as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from telethon.tl import TLObject

from launcher.bridge.wire import compact, json_value
from launcher.masks import MASK, is_secret
from launcher.tracing import Exchange

__all__ = ["Secrets", "event_text"]

_SHORTEST = 6
"""Characters of a text, or digits of a number, that would not be struck out of ordinary words."""

_KEPT = {
    "custom_method_invoked": ("result",),
    "device_storage_key_received": ("value",),
    "secure_storage_key_received": ("value",),
    "secure_storage_key_restored": ("value",),
    "web_app_device_storage_save_key": ("value",),
    "web_app_secure_storage_save_key": ("value",),
    "clipboard_text_received": ("data",),
}
"""Events that carry what a page keeps, or what the user does: contents, by event and field."""


class Secrets:
    """The secrets of one launch. Its repr shows none of them."""

    def __init__(self, mask: Callable[[str], str], exchanges: Iterable[Exchange]) -> None:
        """`mask` strikes out what the page's host knows to be secret."""
        self._mask = mask
        found = {text for one in exchanges for text in _of_tl([one.request, one.answer])}
        longest_first = sorted(filter(_long, found), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def strike(self, value: Any) -> Any:
        """A JSON value without them."""
        match value:
            case str():
                return self.mask(value)
            case dict():
                return {self.mask(name): self.strike(item) for name, item in value.items()}
            case list() | tuple():
                return [self.strike(item) for item in value]
        return value

    def mask(self, text: str) -> str:
        masked = self._mask(text)
        return self._pattern.sub(MASK, masked) if self._pattern is not None else masked


def _long(text: str) -> bool:
    return len(text) >= _SHORTEST and text != MASK


def _of_tl(values: list[Any]) -> Iterator[str]:
    """The secret texts and numbers in TL objects."""
    waiting = list(values)
    while waiting:
        match waiting.pop():
            case TLObject() as thing:
                for name, value in vars(thing).items():
                    if isinstance(value, str | int) and is_secret(name, value):
                        yield str(value)
                    else:
                        waiting.append(value)
            case list() | tuple() as items:
                waiting.extend(items)


def event_text(name: str, text: str | None) -> str | None:
    """An event's data as it may be shown: without tokens, and without what a page keeps."""
    if text is None:
        return None
    value = json_value(text)
    hidden = _hidden(value, _KEPT.get(name, ()))
    return text if hidden == value else compact(hidden)


def _hidden(value: Any, fields: tuple[str, ...] = ()) -> Any:
    match value:
        case dict():
            return {
                name: MASK if item and (name in fields or is_secret(name, item)) else _hidden(item)
                for name, item in value.items()
            }
        case list():
            return [_hidden(item) for item in value]
        case str() if value[:1] in "{[" and value:
            return _hidden_text(value)
    return value


def _hidden_text(text: str) -> str:
    """JSON within a text of JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    hidden = _hidden(value)
    return text if hidden == value else compact(hidden)
