"""The exporter without its web side: the target file, the source of results, the history.

Results go into the history one after another, beside the checks: a slow disk delays no check. The target file
can be read again while it runs; a broken one changes nothing, and `problem` says what is wrong with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

from flows import BadInput, MiniAppError
from launcher.beside import beside
from launcher.exporter.history import History, Remembered
from launcher.exporter.source import Source
from launcher.exporter.watched import Past, Watched
from launcher.probe import CheckResult, Status, Targets, read_targets
from launcher.report import SavedLaunch
from launcher.short_text import counted

__all__ = ["Exporter"]

PATIENCE = 5.0
"""Seconds in which the last results go into the history."""


class Exporter:
    """Watches the targets of `file` until its `async with` is left. Entering raises BadInput for a file that
    cannot be used.

    `source` makes what the results come from: `partial(Schedule, launcher)` has them checked here. `history`
    remembers across restarts what a schedule has found; without one it is known as long as this runs.
    `account` is that of targets which name none. `said` hears what came of each reload.
    """

    def __init__(
        self,
        file: Path,
        source: Callable[..., Source],
        *,
        history: History | None = None,
        account: str | None = None,
        said: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.file = file
        self.history = history
        self.problem: str | None = None
        self.reloaded_at = 0.0
        self.version = 0
        """Grows with each result, and with each reload."""
        wanted = {"keep": _fails} if history is not None else {}
        self.source = source(told=self._hear, **wanted)
        self._account = account
        self._said = said
        self._server: str | None = None
        self._to_keep: asyncio.Queue[tuple[Watched, CheckResult, float]] = asyncio.Queue()
        self._stack = AsyncExitStack()
        self._reloading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        targets = read_targets(self.file, self._account)
        self._server = targets.server
        async with AsyncExitStack() as stack:
            if self.history is not None:
                stack.callback(self.history.close)
                await stack.enter_async_context(beside(self._keep(self.history)))
                stack.push_async_callback(self._all_kept)
            await stack.enter_async_context(self.source)
            await self._use(targets)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._stack.aclose()

    async def reload(self) -> bool:
        """Read the target file anew; False if it cannot be used, and everything stays as it was."""
        async with self._reloading:
            try:
                targets = await asyncio.to_thread(read_targets, self.file, self._account)
                if targets.server != self._server:
                    raise BadInput(f"{self.file}: the server has changed.", "Start the exporter anew.")
            except MiniAppError as failure:
                self.problem = str(failure)
                self._said(f"The targets stay as they were. {self.problem}")
            else:
                await self._use(targets)
                self._said(f"{self.file} is read anew: {counted(len(targets.targets), 'target')}.")
            self.version += 1
            return self.problem is None

    async def _use(self, targets: Targets) -> None:
        names = [target.name for target in targets.targets]
        new = [name for name in names if name not in self.source.watched]
        remembered: dict[str, Remembered] = {}
        if self.history is not None:
            await asyncio.to_thread(self.history.forget_others, names, self.source.wall())
            remembered = await asyncio.to_thread(self.history.load, new)
        await self.source.use(targets)
        for name, known in remembered.items():
            self._restore(self.source.watched[name], known)
        self.problem, self.reloaded_at = None, time.time()

    def _restore(self, watched: Watched, known: Remembered) -> None:
        if watched.last is not None:
            return
        watched.past.extend(known.past)
        if known.failure is not None:
            watched.failure, watched.failure_at = known.failure
            watched.reported = known.reported
        if known.last is not None:
            watched.last, at = known.last
            watched.last_at = self.source.clock() - max(0.0, self.source.wall() - at)
            watched.checked.set()

    async def past(self, watched: Watched, count: int) -> list[Past]:
        """The last so many checks of a target, as far as they are remembered."""
        known: list[Past] = []
        if self.history is not None:
            known = await asyncio.to_thread(self.history.past, watched.target.name, count)
        told = await self.source.past(watched, count)
        return known if len(known) >= len(told) else told

    async def report(self, watched: Watched) -> SavedLaunch | None:
        """The launch of a target's last failure, if the history has it."""
        if self.history is None or not watched.reported:
            return None
        return await asyncio.to_thread(self.history.report, watched.target.name)

    def _hear(self, watched: Watched, result: CheckResult) -> None:
        self.version += 1
        if self.history is not None:
            self._to_keep.put_nowait((watched, result, self.source.wall()))

    async def _keep(self, history: History) -> None:
        while True:
            watched, result, at = await self._to_keep.get()
            reported = await asyncio.to_thread(history.note, result, at)
            if _fails(result.status):
                watched.reported = reported
            self._to_keep.task_done()

    async def _all_kept(self) -> None:
        """Until the last results are in the history, or the disk takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._to_keep.join()


def _fails(status: Status) -> bool:
    return status is not Status.OK
