"""What went between a page and its client, in order, and waiting for one of them.

`async with app.expect("web_app_open_popup") as event:` listens first, then the block acts; when the block
is left, the event is there, or it is awaited. What did arrive meanwhile stands in the error of one that
did not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from flows import MiniAppError
from launcher.bridge.wire import json_value

__all__ = ["Expected", "Logged", "NotSeen", "PageEvents"]


@dataclass(frozen=True, slots=True)
class Logged:
    """One event: "outgoing" from the page or "incoming" to it; `text` is its data as JSON, None without any;
    `time` in the loop's clock, seconds."""

    direction: Literal["outgoing", "incoming"]
    name: str
    text: str | None = field(repr=False)
    time: float

    @property
    def data(self) -> Any:
        """The data as a value; text that is no JSON stands for itself."""
        return None if self.text is None else json_value(self.text)

    @property
    def size(self) -> int:
        """Characters it takes to keep."""
        return len(self.name) + len(self.text or "")


class NotSeen(MiniAppError):
    """An event did not come in time."""

    def __init__(self, name: str, timeout: float, came: list[str]) -> None:
        seen = ", ".join(came) or "nothing"
        super().__init__(
            f"The page did not send {name} within {timeout:g} s; it sent {seen}.",
            "Check that the step before it really makes the page send it.",
        )


class Expected:
    """The event that was waited for; its fields can be read once the block is left."""

    def __init__(self, found: asyncio.Future[Logged]) -> None:
        self._found = found

    @property
    def event(self) -> Logged:
        return self._found.result()

    @property
    def name(self) -> str:
        return self.event.name

    @property
    def data(self) -> Any:
        return self.event.data


class PageEvents:
    """The latest events, oldest first: so many at most, of so many characters in all.

    `on_event`, when it is set, is called with each one that comes.
    """

    def __init__(self, keep: int = 10_000, characters: int = 16 * 2**20) -> None:
        self._log: deque[Logged] = deque()
        self._keep = keep
        self._room = characters
        self.on_event: Callable[[Logged], None] | None = None
        self._waiting: list[tuple[Callable[[Logged], bool], asyncio.Future[Logged]]] = []

    def __iter__(self) -> Iterator[Logged]:
        return iter(self._log)

    def __len__(self) -> int:
        return len(self._log)

    def add(self, event: Logged) -> None:
        self._log.append(event)
        self._room -= event.size
        while len(self._log) > self._keep or self._room < 0:
            self._room += self._log.popleft().size
        for wanted, found in self._waiting:
            if not found.done() and wanted(event):
                found.set_result(event)
        if self.on_event is not None:
            self.on_event(event)

    def next(self) -> asyncio.Future[Logged]:
        """The next event that comes, of either direction; listened for from now on, until it is cancelled."""
        found: asyncio.Future[Logged] = asyncio.get_running_loop().create_future()
        entry = (_any, found)
        self._waiting.append(entry)
        found.add_done_callback(lambda _: self._waiting.remove(entry))
        return found

    @asynccontextmanager
    async def expect(
        self, name: str, timeout: float, where: Callable[[Any], bool] | None
    ) -> AsyncIterator[Expected]:
        """Raises NotSeen when the page does not send it within `timeout` seconds after the block."""
        found: asyncio.Future[Logged] = asyncio.get_running_loop().create_future()
        came: list[str] = []

        def wanted(event: Logged) -> bool:
            if event.direction == "outgoing" and len(came) < 50:
                came.append(event.name)
            return (
                event.direction == "outgoing" and event.name == name and (where is None or where(event.data))
            )

        entry = (wanted, found)
        self._waiting.append(entry)
        try:
            yield Expected(found)
            async with asyncio.timeout(timeout):
                await asyncio.shield(found)
        except TimeoutError:
            raise NotSeen(name, timeout, came) from None
        finally:
            self._waiting.remove(entry)


def _any(_: Logged) -> bool:
    return True
