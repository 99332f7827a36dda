"""The sandbox as a program: it runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from launcher.sandbox import ready_file as ready
from launcher.sandbox.server import Sandbox

__all__ = ["serve"]


async def serve(
    port: int = 0,
    ready_file: Path | None = None,
    *,
    on_ready: Callable[[Sandbox], None] = lambda sandbox: None,
    sandbox: Sandbox | None = None,
) -> None:
    """Run a sandbox until SIGINT or SIGTERM.

    Once it listens, the ready file is written and `on_ready` called; the file is taken away at the end.
    Raises OSError when the port is taken or the file cannot be written.
    """
    stop = asyncio.Event()
    async with sandbox or Sandbox(port=port) as running:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as ending:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(name, stop.set)
                ending.callback(loop.remove_signal_handler, name)
            if ready_file is not None:
                ready.write(ready_file, running)
                ending.callback(ready_file.unlink, missing_ok=True)
            on_ready(running)
            await stop.wait()
