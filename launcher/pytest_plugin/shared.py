"""One launcher for all that a test opens: `async with mini_app_launcher as launcher:`.

Whoever enters first connects the account, and on the sandbox server starts the data centre, the sample site
and the test's bots around it; whoever leaves last ends all that. What is in the sandbox's world stays for the
next time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from launcher.pytest_plugin.one_task import OneTask

if TYPE_CHECKING:
    from launcher import Launcher, Settings
    from launcher.hosts.browser import Browser
    from launcher.pytest_plugin.browser_server import BrowserServer
    from launcher.pytest_plugin.world import MiniAppWorld

__all__ = ["SharedLauncher"]

LEASE = 120.0
"""Seconds that a test waits for an account that another process uses."""
_AGAIN = 0.2


class SharedLauncher:
    """Not entered yet; may be entered within itself, and again after it was left.

    `world` is the sandbox's, None on another server. Pages are shown in `browser`, or else in the Chromium of
    `server`. Raises what `Launcher` does; AccountInUse after waiting for its other user.
    """

    def __init__(
        self,
        settings: Settings,
        account: str | None,
        *,
        world: MiniAppWorld | None,
        server: BrowserServer,
        browser: Browser | None,
    ) -> None:
        self.settings = settings
        self.account = account
        self.world = world
        self._server = server
        self._browser = browser
        self._entering = asyncio.Lock()
        self._inside = 0

    async def __aenter__(self) -> Launcher:
        async with self._entering:
            if not self._inside:
                self._around = OneTask(self._running())
                self._launcher = await self._around.__aenter__()
            self._inside += 1
        return self._launcher

    async def __aexit__(self, *failure: Any) -> None:
        async with self._entering:
            self._inside -= 1
            if not self._inside:
                await self._around.__aexit__(*failure)

    async def with_browser(self) -> None:
        """Have the run's Chromium ready for the pages of the entered launcher."""
        async with self._entering:
            if self._browser is None and "remote" not in self._launcher.browser_options:
                self._launcher.browser_options |= await self._server.browser_options()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[Launcher]:
        from launcher import Launcher

        async with AsyncExitStack() as stack:
            sandbox = None
            if self.world is not None:
                sandbox = await stack.enter_async_context(self.world.running())
            launcher = Launcher(self.settings, self.account, sandbox=sandbox, browser=self._browser)
            yield await _leased(stack, launcher)


async def _leased(stack: AsyncExitStack, launcher: Launcher) -> Launcher:
    """Enter the launcher when nobody else uses its account any more: the account's lock is the lease."""
    from launcher.account_lock import AccountInUse

    loop = asyncio.get_running_loop()
    until = loop.time() + LEASE
    while True:
        try:
            return await stack.enter_async_context(launcher)
        except AccountInUse as failure:
            if failure.pid == os.getpid() or loop.time() > until:
                raise
        await asyncio.sleep(_AGAIN)
