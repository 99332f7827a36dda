"""Real Chromium for tests: one for each process, and what a page posted, awaited by name.

Each page has a context of its own and shares nothing. Tests run in the loop of the session, to which the
browser belongs: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from launcher.hosts import HostUnavailable, PageEvent
from launcher.hosts.browser import Browser
from tests.conftest import need

__all__ = ["SECONDS", "Posted", "browser"]

SECONDS = 60.0
"""How long a test waits for what must come; only a failing one waits so long."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with AsyncExitStack() as stack:
        try:
            started = await stack.enter_async_context(Browser())
        except HostUnavailable as failure:
            need("Chromium", str(failure))
        yield started


class Posted:
    """The events of one page: `on_event=posted`, then `await posted.first("web_app_ready")`."""

    def __init__(self) -> None:
        self.events: list[PageEvent] = []
        self._arrived = asyncio.Event()

    def __call__(self, event: PageEvent) -> None:
        self.events.append(event)
        self._arrived.set()

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    async def first(self, name: str) -> PageEvent:
        """The first event of this name, now or later."""
        return (await self.some(name, 1))[0]

    async def some(self, name: str, count: int) -> list[PageEvent]:
        """The first so many events of this name."""
        async with asyncio.timeout(SECONDS):
            while len(found := [event for event in self.events if event.name == name]) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return found[:count]
