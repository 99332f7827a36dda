"""A small web server inside a running event loop: uvicorn's HTTP protocol on a port of the loopback.

    async with WebServer(app) as server:
        ...  # http://127.0.0.1:<server.port>

uvicorn's own `Server` is a program: it takes over the signals of its process, writes logs of its own, and
waits for open connections when it ends. Here only its protocol is used. Whoever leaves the block is done at
once: connections that are still open are cut, and whatever was answering them is waited for.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["HOST", "WebServer"]

HOST = "127.0.0.1"


class WebServer:
    """Serves an ASGI application while the block runs; `port` 0 is any free one. Raises OSError when the port
    is taken."""

    def __init__(self, app: Any, *, port: int = 0) -> None:
        self.port = port
        self._config = uvicorn.Config(
            app,
            interface="asgi3",
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
        )
        self._state = ServerState()

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: H11Protocol(self._config, self._state, {}, loop), HOST, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hang_up(self, client: tuple[str, int]) -> None:
        """Cut the connection that comes from this address and port, with nothing more said."""
        for connection in cast("list[H11Protocol]", list(self._state.connections)):
            if connection.client == client:
                connection.transport.abort()
