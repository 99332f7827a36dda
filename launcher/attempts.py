"""A time limit for many attempts at once, with one timer for all of them.

A timer for each would cost as much as the rest of an opening. Here a task looks once in a while, and ends
what has taken too long: that raises NotConnected where it was awaited, for no answer came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from flows import NotConnected

__all__ = ["Attempts"]

T = TypeVar("T")


class Attempts:
    """The attempts under way, each in a task of its own, none of them longer than `seconds`, or a quarter
    more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Look after the attempts until cancelled."""
        while True:
            await asyncio.sleep(self._seconds / 4)
            now = asyncio.get_running_loop().time()
            for task in [task for task, since in self._since.items() if now - since >= self._seconds]:
                self._late.add(task)
                task.cancel()

    async def answered(self, what: str, asking: Awaitable[T]) -> T:
        """What is awaited. Raises NotConnected, naming `what`, when it takes too long."""
        task = asyncio.current_task()
        assert task is not None
        self._since[task] = asyncio.get_running_loop().time()
        try:
            return await asking
        except (asyncio.CancelledError, NotConnected):
            if task not in self._late or task.uncancel() > 0:
                raise
            raise NotConnected(what) from None
        finally:
            del self._since[task]
            self._late.discard(task)
