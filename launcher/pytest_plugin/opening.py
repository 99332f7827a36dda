"""One app of a test: `async with mini_app_open("https://t.me/demo_bot/app") as app:`.

What happens is recorded while it lasts; what was recorded is written down only if the test fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from launcher.pytest_plugin.one_task import OneTask

if TYPE_CHECKING:
    from launcher import MiniApp
    from launcher.hosting import Hosting, Kind
    from launcher.pytest_plugin.launches import Launches
    from launcher.pytest_plugin.shared import SharedLauncher
    from launcher.report import Recording

__all__ = ["AppOfTest"]


class AppOfTest:
    """An app that is not open yet; `options` are those of `Launcher.open`."""

    def __init__(
        self, launcher: SharedLauncher, launches: Launches, target: Any, options: dict[str, Any]
    ) -> None:
        self._launcher = launcher
        self._launches = launches
        self._target = target
        self._options = options
        self._began = False
        self._asking = ExitStack()

    async def __aenter__(self) -> MiniApp:
        from flows import MiniAppError
        from launcher.report import Recording
        from launcher.tracing import traced

        self._record = Recording(pictures=False)
        self._inside = OneTask(self._open(self._record))
        try:
            app = await self._inside.__aenter__()
        except MiniAppError:
            if self._began:
                await self._launches.over(self._record)
            raise
        self._asked = self._asking.enter_context(traced())
        return app

    async def __aexit__(self, kind: type[BaseException] | None, *failure: Any) -> None:
        if self._launches.wants_picture(failed=kind is not None):
            await self._record.picture("at the end")
        self._asking.close()
        try:
            await self._inside.__aexit__(kind, *failure)
        finally:
            self._record.add(self._asked)
            await self._launches.over(self._record)

    @asynccontextmanager
    async def _open(self, record: Recording) -> AsyncIterator[MiniApp]:
        async with self._launcher as launcher:
            options = dict(self._options)
            hosting = self._hosting(options.pop("host", None), options.pop("hosting", None))
            if hosting is not None and hosting.kind == "browser":
                await self._launcher.with_browser()
            self._began = True
            async with record.opening(launcher, self._target, hosting=hosting, **options) as app:
                yield app

    def _hosting(self, kind: Kind | None, given: Hosting | None) -> Hosting | None:
        """How the page is shown; what the run wants recorded goes into the test's folder."""
        from dataclasses import replace

        from launcher.hosting import Hosting

        hosting = given or (Hosting(kind) if kind else None)
        if hosting is None or hosting.kind != "browser":
            return hosting
        trace, video = hosting.trace or self._launches.trace(), hosting.video or self._launches.video()
        return replace(hosting, trace=trace, video=video)
