"""The sandbox as a program, with what apps need around it: it runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from launcher.sandbox import ready_file as ready
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.ready_file import ReadyFile
from launcher.sandbox.server import Sandbox
from launcher.sandbox.site import Site

__all__ = ["serve", "surroundings", "until_stopped", "with_relay"]


@asynccontextmanager
async def surroundings(sandbox: Sandbox, switches: Switches | None = None) -> AsyncIterator[ReadyFile]:
    """What apps need around a sandbox that listens: its site, its stand-in of Metapro, and a WalletConnect
    relay, if websockets is installed. Gives what the ready file says of them."""
    async with MetaproStandIn(sandbox, switches) as metapro, Site(sandbox, metapro=metapro) as site:
        async with with_relay(sandbox, site) as described:
            yield described


@asynccontextmanager
async def with_relay(sandbox: Sandbox, site: Site) -> AsyncIterator[ReadyFile]:
    """A WalletConnect relay beside a sandbox and its site, if websockets is installed. Gives what the ready
    file says of them all."""
    if find_spec("websockets") is None:
        yield ready.describe(sandbox, site)
        return
    from launcher.sandbox.relay import Relay

    async with Relay() as relay:
        yield ready.describe(sandbox, site, relay)


async def serve(
    port: int = 0,
    ready_file: Path | None = None,
    *,
    on_ready: Callable[[ReadyFile], None] = lambda ready: None,
    sandbox: Sandbox | None = None,
    switches: Switches | None = None,
) -> None:
    """Run a sandbox and its surroundings until SIGINT or SIGTERM.

    Once they listen, the ready file is written and `on_ready` called with what is in it; the file is taken
    away at the end. The addresses in the world become those of the site; `switches` are the stand-in's.
    Raises OSError when the port is taken or the file cannot be written.
    """
    async with sandbox or Sandbox(port=port) as running, surroundings(running, switches) as described:
        await until_stopped(described, ready_file, on_ready)


async def until_stopped(
    described: ReadyFile, ready_file: Path | None, on_ready: Callable[[ReadyFile], None]
) -> None:
    """Tell that a sandbox listens, and wait for SIGINT or SIGTERM. Raises OSError when the ready file cannot
    be written."""
    stop = asyncio.Event()
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
