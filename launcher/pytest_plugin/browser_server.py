"""One Chromium for the whole run.

Playwright's objects belong to one event loop, and most test runs have a loop for each test. So the browser is
a server in a process of its own, and each test that shows a page connects to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["BrowserServer"]

_END = 10.0
"""Seconds to end by itself."""


class BrowserServer:
    """Started when it is first wanted, ended by `close`; `headed` shows its window."""

    def __init__(self, *, headed: bool) -> None:
        self.headed = headed
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._address: str | None = None

    async def browser_options(self) -> dict[str, Any]:
        """What a `Browser` is to be made with. When no server starts, a browser of its own: its error says
        what is missing."""
        from launcher.hosts import HostUnavailable
        from launcher.hosts.chromium import find_chromium

        if self._process is not None and self._process.poll() is not None:
            self.close()  # it has died: another one takes its place
        if self._address is None:
            try:
                chromium = await find_chromium(download=0)
            except HostUnavailable:
                return {"headed": self.headed}
            await asyncio.to_thread(self._start, chromium)
        return {"remote": self._address} if self._address else {"headed": self.headed}

    def _start(self, chromium: Path) -> None:
        with self._lock:
            if self._process is not None:
                return
            with tempfile.TemporaryDirectory(prefix="miniapp-") as folder:
                config = Path(folder) / "browser.json"
                config.write_text(json.dumps(self._config(chromium)))
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium",
                     "--config", str(config)],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                    start_new_session=True,
                )  # fmt: skip
                assert self._process.stdout is not None
                line = self._process.stdout.readline().strip()
            self._address = line if line.startswith("ws://") else None

    def _config(self, chromium: Path) -> dict[str, Any]:
        from launcher.hosts.chromium import REPLACED, arguments

        return {
            "host": "127.0.0.1",
            "executablePath": str(chromium),
            "headless": not self.headed,
            "args": arguments(),
            "ignoreDefaultArgs": list(REPLACED),
        }

    def close(self) -> None:
        process, self._process, self._address = self._process, None, None
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.communicate(timeout=_END)  # until the driver, too, has let go of the pipe
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.communicate()


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """`python -m playwright` alone would leave the driver that it has started, and its browser."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
