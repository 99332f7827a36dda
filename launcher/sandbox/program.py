"""The sandbox as a program: it runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from launcher.sandbox import ready_file as ready
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.ready_file import ReadyFile
from launcher.sandbox.server import Sandbox
from launcher.sandbox.site import Site

__all__ = ["serve"]


async def serve(
    port: int = 0,
    ready_file: Path | None = None,
    *,
    on_ready: Callable[[ReadyFile], None] = lambda ready: None,
    sandbox: Sandbox | None = None,
    switches: Switches | None = None,
) -> None:
    """Run a sandbox, its site and its stand-in of Metapro until SIGINT or SIGTERM.

    Once they listen, the ready file is written and `on_ready` called with what is in it; the file is taken
    away at the end. The addresses in the world become those of the site; `switches` are the stand-in's.
    Raises OSError when the port is taken or the file cannot be written.
    """
    stop = asyncio.Event()
    async with (
        sandbox or Sandbox(port=port) as running,
        MetaproStandIn(running, switches) as metapro,
        Site(running, metapro=metapro) as site,
    ):
        described = ready.describe(running, site)
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as ending:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(name, stop.set)
                ending.callback(loop.remove_signal_handler, name)
            if ready_file is not None:
                ready.write(ready_file, described)
                ending.callback(ready_file.unlink, missing_ok=True)
            on_ready(described)
            await stop.wait()
