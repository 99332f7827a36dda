"""On the web: uvicorn at a socket of ours, and the signals that a service gets: SIGHUP reads the target file
anew, SIGTERM and Ctrl-C end it, after the answers under way."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from flows import BadInput
from launcher.exporter.exporter import Exporter
from launcher.exporter.web_config import Tls

__all__ = ["is_loopback", "listening", "serving", "until_told"]

PATIENCE = 5
"""Seconds for answers under way when it ends."""


def listening(address: str) -> socket.socket:
    """A socket that listens at "127.0.0.1:9799" or "[::1]:9799"; port 0 is any free one. Raises BadInput."""
    host, _, port = address.rpartition(":")
    try:
        ip = ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
        if not 0 <= number < 65536:
            raise ValueError
    except ValueError:
        raise BadInput(
            f"There is no address {address}.", "Give an IP address and a port: 127.0.0.1:9799."
        ) from None
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    try:
        return socket.create_server((str(ip), number), family=family, backlog=1024)
    except OSError as error:
        raise BadInput(f"{address} cannot be listened on: {error.strerror}.", "Choose another.") from None


def is_loopback(listener: socket.socket) -> bool:
    """Whether nobody but this machine gets at it."""
    return ip_address(listener.getsockname()[0]).is_loopback


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, tls: Tls | None = None) -> AsyncIterator[None]:
    """Serve while the block runs. Raises BadInput for a certificate that cannot be used."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=PATIENCE,
        ssl_certfile=tls.cert_file if tls else None, ssl_keyfile=tls.key_file if tls else None,
    )  # fmt: skip
    try:
        config.load()
    except OSError as error:  # an SSLError is one
        reason = "it is no certificate with its key" if isinstance(error, ssl.SSLError) else error.strerror
        raise BadInput(
            f"The certificate cannot be used: {reason}.",
            "Look at cert_file and key_file in the web configuration.",
        ) from None
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: uvicorn would raise them again when it has ended well."""
        yield


async def until_told(exporter: Exporter) -> None:
    """Until SIGTERM or SIGINT; reads the target file anew at each SIGHUP."""
    loop, ended, hung_up = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    handlers = {signal.SIGTERM: ended.set, signal.SIGINT: ended.set, signal.SIGHUP: hung_up.set}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    reloading = asyncio.create_task(_reload(exporter, hung_up))
    try:
        await ended.wait()
    finally:
        reloading.cancel()
        for number in handlers:
            loop.remove_signal_handler(number)


async def _reload(exporter: Exporter, hung_up: asyncio.Event) -> None:
    while True:
        await hung_up.wait()
        hung_up.clear()
        await exporter.reload()
