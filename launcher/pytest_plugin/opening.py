"""One app of a test: `async with mini_app_open("https://t.me/demo_bot/app") as app:`.

What happens is recorded while it lasts. When a failure leaves the app, or the test has failed already, all of
it is kept as it is then, before anything is closed; otherwise as it was at its end.

The app is opened, looked at and closed in a task of its own: whatever cancels the test (a timeout of
pytest's, asyncio's or anyio's) does not cancel that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from launcher.pytest_plugin.launches import Ended
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
        self._failing = False
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
                self._launches.over([Ended(self._record, failing=True)])
            raise
        self._asked = self._asking.enter_context(traced())
        return app

    async def __aexit__(self, kind: type[BaseException] | None, *failure: Any) -> None:
        self._failing = kind is not None or self._launches.failed
        with suppress(ValueError):  # left in another task than it was entered in: its trace ended with that
            self._asking.close()
        self._record.add(self._asked)
        await self._inside.__aexit__(kind, *failure)

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
                self._launches.over(await self._look(record))

    async def _look(self, record: Recording) -> list[Ended]:
        """What there is before anything is closed, also of the apps that links in its page have opened."""
        if self._launches.wants_picture(failing=self._failing):
            await record.picture("at the end")
        return [Ended(one, failing=self._failing) for one in record.each()]

    def _hosting(self, kind: Kind | None, given: Hosting | None) -> Hosting | None:
        """How the page is shown; what the run wants recorded goes into the test's folder."""
        from dataclasses import replace

        from launcher.hosting import Hosting

        hosting = given or (Hosting(kind) if kind else None)
        if hosting is None or hosting.kind != "browser":
            return hosting
        own = {name: path for name in ("trace", "video") if (path := getattr(hosting, name))}
        return replace(hosting, **(self._launches.recordings() | own))
