"""What a page wrote on its console, whatever the level.

A page may write for ever: the first messages of each level are kept, so that a chatty one hides no error, and
the rest are counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.async_api import ConsoleMessage, Page

from launcher.hosts.launch_secrets import LaunchSecrets

__all__ = ["Console", "Message"]

_KEEP = 100
_LONGEST = 1_000
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its `level` in Chromium's words (log, info, debug, warning, error, trace …); `time` is in
    seconds since the epoch."""

    level: str
    text: str
    time: float


class Console:
    """The first messages of each level, in order; `left_out` counts those beyond."""

    def __init__(self, page: Page, secrets: LaunchSecrets) -> None:
        self.left_out = 0
        self._secrets = secrets
        self._counts: Counter[str] = Counter()
        self._messages: list[Message] = []
        page.on("console", self._wrote)

    def __iter__(self) -> Iterator[Message]:
        return iter(tuple(self._messages))

    def __len__(self) -> int:
        return len(self._messages)

    def _wrote(self, message: ConsoleMessage) -> None:
        self._counts[message.type] += 1
        if self._counts[message.type] > _KEEP:
            self.left_out += 1
            return
        text = self._secrets.mask(message.text)
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        self._messages.append(Message(message.type, text, time.time()))
