"""On the web: uvicorn, told by signals when to read the target file anew (SIGHUP) and when to end (SIGTERM,
Ctrl-C). Answers under way are finished before it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from flows import BadInput
from launcher.exporter.exporter import Exporter
from launcher.exporter.web_config import Tls

__all__ = ["is_loopback", "listening", "serve"]

PATIENCE = 5
"""Seconds for answers under way when it ends."""


def listening(address: str) -> socket.socket:
    """A socket that listens at "127.0.0.1:9799" or "[::1]:9799"; port 0 is any free one. Raises BadInput."""
    host, _, port = address.rpartition(":")
    try:
        ip = ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
        family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
        return socket.create_server((str(ip), number), family=family, backlog=1024)
    except OSError as error:
        raise BadInput(f"{address} cannot be listened on: {error.strerror}.", "Choose another.") from None
    except (ValueError, OverflowError):
        raise BadInput(
            f"There is no address {address}.", "Give an IP address and a port: 127.0.0.1:9799."
        ) from None


def is_loopback(listener: socket.socket) -> bool:
    """Whether nobody but this machine gets at it."""
    return ip_address(listener.getsockname()[0]).is_loopback


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    exporter: Exporter,
    *,
    tls: Tls | None = None,
    said: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises BadInput for a certificate that cannot be used."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=PATIENCE,
        ssl_certfile=tls.cert_file if tls else None, ssl_keyfile=tls.key_file if tls else None,
    )  # fmt: skip
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            f"The certificate cannot be used: {error.strerror or type(error).__name__}.",
            "Look at cert_file and key_file in the web configuration.",
        ) from None
    server = _Server(config)
    with _signals(server, exporter, said):
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: uvicorn would raise them again when it has ended well."""
        yield


@contextmanager
def _signals(server: uvicorn.Server, exporter: Exporter, said: Callable[[str], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[None]] = set()

    def end() -> None:
        server.should_exit = True

    def hang_up() -> None:
        task = loop.create_task(_reload(exporter, said))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: hang_up}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


async def _reload(exporter: Exporter, said: Callable[[str], None]) -> None:
    if await exporter.reload():
        said(f"{exporter.file} is read anew: {len(exporter.schedule.watched)} targets.")
    else:
        said(f"The targets stay as they were. {exporter.problem}")
