"""One scheduler per account that prolongs all of its apps.

A web view with a query id has to be prolonged every 60 seconds, first 60 seconds after opening, with the
context it was requested in. Telegram answers QUERY_ID_INVALID when the app is over; every other failure is
repeated and never closes it; before it does, what the account was told by then is read, since that may say
why it is over. After a reconnect all apps are due at once, a little apart from one another.
Documentation: core.telegram.org/method/messages.prolongWebView; the immediate prolong after a reconnect is
TDLib's.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import suppress
from typing import Protocol

from telethon import TelegramClient

from flows import App, FloodWait, MiniAppError, NotConnected, QueryExpired, prolong
from launcher.timing import Timing
from launcher.updates_read import updates_read

__all__ = ["Prolonged", "Prolonger"]


_FEW = 100


class Prolonged(Protocol):
    """An app as the scheduler sees it."""

    app: App

    @property
    def query_id(self) -> int | None: ...
    @property
    def is_closed(self) -> bool: ...
    def _prolonged(self, failure: MiniAppError | None) -> None: ...


class Prolonger:
    """A heap of due times, in the loop's clock. `lateness`, if given, collects how late each prolong was
    handed to Telethon, in seconds."""

    def __init__(self, client: TelegramClient, timing: Timing, lateness: list[float] | None = None) -> None:
        self._client = client
        self._timing = timing
        self._lateness = lateness
        self._heap: list[tuple[float, int, Prolonged]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._closed = 0
        self._not_before = 0.0

    def add(self, app: Prolonged) -> None:
        """Prolong this app from one period from now on, until it is closed."""
        self._push(_now() + self._timing.prolong_every, app)

    def forget_one(self) -> None:
        """One of the apps was closed. Once closed ones are half of the heap they are let go together, lest
        many short launches be kept for a period each."""
        self._closed += 1
        if self._closed > max(_FEW, len(self._heap) / 2):
            self._heap = [entry for entry in self._heap if not entry[2].is_closed]
            heapq.heapify(self._heap)
            self._closed = 0

    def all_now(self) -> None:
        """Make every app due at once, spread by `Timing.burst`: the connection was lost and is back. A flood
        wait that Telegram has asked for is waited out first."""
        start, apart = max(_now(), self._not_before), 1 / self._timing.burst
        apps = [app for _, _, app in sorted(self._heap) if not app.is_closed]
        self._heap = [(start + at * apart, next(self._order), app) for at, app in enumerate(apps)]
        self._closed = 0
        self._changed.set()

    def _put_off(self, until: float) -> None:
        """Prolong nothing before then: a flood wait is the account's, not one app's."""
        self._not_before = max(self._not_before, until)
        apart = 1 / self._timing.burst
        self._heap = [
            (due if due >= until else until + at * apart, order, app)
            for at, (due, order, app) in enumerate(sorted(self._heap))
        ]
        heapq.heapify(self._heap)

    async def run(self) -> None:
        """Prolong until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wait()
                while self._heap and self._heap[0][0] <= _now():
                    due, _, app = heapq.heappop(self._heap)
                    if app.is_closed:
                        self._closed -= 1
                    else:
                        group.create_task(self._prolong(due, app))

    async def _wait(self) -> None:
        """Until the first app is due or the heap changed."""
        self._changed.clear()
        pause = self._heap[0][0] - _now() if self._heap else None
        if pause is not None and pause <= 0:
            return
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _prolong(self, due: float, app: Prolonged) -> None:
        if self._lateness is not None:
            self._lateness.append(_now() - due)
        failure = await self._ask(app)
        match failure:
            case FloodWait():
                self._put_off(_now() + failure.seconds)
            case QueryExpired():
                await self._last_words()
        app._prolonged(failure)
        if not app.is_closed:
            self._push(self._next(due, failure), app)

    async def _last_words(self) -> None:
        """Until the client has read the updates that came before the refusal, or takes too long for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.attempt):
                await updates_read(self._client)

    async def _ask(self, app: Prolonged) -> MiniAppError | None:
        if app.query_id is None:
            return None
        try:
            async with asyncio.timeout(self._timing.attempt):
                await prolong(self._client, app.app.bot, app.app.context, app.query_id)
        except MiniAppError as failure:
            return failure
        except TimeoutError:
            return NotConnected("messages.prolongWebView")
        return None

    def _next(self, due: float, failure: MiniAppError | None) -> float:
        match failure:
            case None | QueryExpired():
                return due + self._timing.prolong_every
            case FloodWait():
                return self._not_before
        return _now() + self._timing.prolong_retry

    def _push(self, due: float, app: Prolonged) -> None:
        heapq.heappush(self._heap, (max(due, self._not_before), next(self._order), app))
        if self._heap[0][2] is app:
            self._changed.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
