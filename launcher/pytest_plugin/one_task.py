"""Entering and leaving in a task of its own.

What holds task groups has to be left by the task that entered it. A test's own fixture that enters an app and
yields it is, under pytest-asyncio, set up in one task and torn down in another.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

__all__ = ["OneTask"]

T = TypeVar("T")


class OneTask(Generic[T]):
    """`async with OneTask(manager) as value:` may be entered and left by any tasks of one event loop."""

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager
        self._leave = asyncio.Event()

    async def __aenter__(self) -> T:
        self._entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run())
        try:
            await asyncio.wait((self._entered, self._task), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await self._ended()
            raise
        if not self._entered.done():
            await self._task  # raises why
        return self._entered.result()

    async def __aexit__(self, *_: object) -> None:
        self._leave.set()
        await self._ended()
        await self._task  # raises what went wrong

    async def _ended(self) -> None:
        """Until everything is left, also for somebody who is cancelled meanwhile: anyio cancels again and
        again until its scope is left."""
        cancelled = None
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _run(self) -> None:
        async with self._manager as value:
            self._entered.set_result(value)
            await self._leave.wait()
