"""A connected `TelegramClient` that hides nothing.

The client is Telethon's own. It neither sleeps through flood waits nor repeats failed requests: what to
repeat is decided by whoever knows what the request does. (After a 5xx it waits two seconds before it reports
it; that cannot be switched off.) Nor does it reconnect by itself: it would repeat pending requests unseen and
not fetch the difference of updates; whoever holds the client calls `connect` again, which does fetch it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from telethon import TelegramClient
from telethon.errors import RPCError
from telethon.network import ConnectionTcpFull, ConnectionTcpMTProxyRandomizedIntermediate
from telethon.tl import functions, types

from flows.errors import MiniAppError, NotConnected, call, from_rpc, method_name
from launcher.servers import Server, trusted
from launcher.settings import Proxy
from launcher.tracing import observed, tracing

__all__ = ["ServerUnreachable", "connected", "new_client", "whoami"]


# Telethon's messages are silent unless a program configures logging, as a library's should be.
logging.getLogger("telethon").addHandler(logging.NullHandler())


class ServerUnreachable(NotConnected):
    """There was no connection within `timeout` seconds; None says that one broke at once."""

    def __init__(self, server: Server, timeout: float | None) -> None:
        where = f"{server.name} at {server.host}:{server.port}"
        if timeout is None:
            meaning = f"The connection to the server {where} broke before there was an answer."
        else:
            meaning = f"No connection to the server {where} within {timeout:g} s."
        MiniAppError.__init__(self, meaning, _REMEDIES[server.name])
        self.method = "help.getConfig"


_TELEGRAM = "Check the network; where Telegram is blocked, set TELEGRAM_PROXY."
_REMEDIES = {
    "production": _TELEGRAM,
    "test": _TELEGRAM,
    "sandbox": "Check that the sandbox runs; one that was started anew has a new ready file.",
}


def new_client(
    session: Any, server: Server, *, proxy: Proxy | None = None, signing_in: bool = False
) -> TelegramClient:
    """A client for `session` that is not connected yet.

    A sandbox is always reached directly. With update state in the session it fetches, once connected, what
    was missed since the last run. One for `signing_in` goes to the data centre that the account lives on and
    survives the loss of its connection: a person may take long to find the code.
    """

    class Client(TelegramClient):  # type: ignore[misc]  # Telethon is untyped
        _config = None  # Telethon keeps help.getConfig in the class: here each client has its own

        def __call__(self, request: Any, *arguments: Any, **options: Any) -> Any:
            answering = super().__call__(request, *arguments, **options)
            return observed(request, answering) if tracing() else answering

    return Client(
        session,
        server.api_id,
        server.api_hash,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        request_retries=int(signing_in),  # the second attempt is the one at the right data centre
        connection_retries=None,
        auto_reconnect=signing_in,
        receive_updates=True,
        catch_up=True,
        device_model="miniapp-launcher",
        **_route(None if server.name == "sandbox" else proxy),
    )


def _route(proxy: Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {"connection": ConnectionTcpFull}
    if proxy.kind == "mtproxy":
        return {
            "connection": ConnectionTcpMTProxyRandomizedIntermediate,
            "proxy": (proxy.host, proxy.port, proxy.password),
        }
    parts = {"proxy_type": proxy.kind, "addr": proxy.host, "port": proxy.port, "rdns": True}
    return {"proxy": parts | {"username": proxy.username, "password": proxy.password}}


@asynccontextmanager
async def connected(
    client: TelegramClient, server: Server, *, timeout: float = 15.0
) -> AsyncIterator[TelegramClient]:
    """Connect the client, and disconnect it at the end. Nobody needs to be signed in.

    Raises ServerUnreachable after `timeout` seconds, AccountLost for a session that the server refuses.
    """
    with trusted(server):
        try:
            try:
                async with asyncio.timeout(timeout):
                    # connect() asks for help.getConfig: so its errors are classified as that method's.
                    await call(lambda _: client.connect(), functions.help.GetConfigRequest())
            except TimeoutError:
                raise ServerUnreachable(server, timeout) from None
            except NotConnected:
                raise ServerUnreachable(server, None) from None
            yield client
        finally:
            await client.disconnect()
            _look_at(client.disconnected)


def _look_at(end: asyncio.Future[None]) -> None:
    """The end of a lost account is an exception in here; asyncio complains of one that nobody has seen."""
    if end.done() and not end.cancelled():
        end.exception()


async def whoami(client: TelegramClient, *, timeout: float = 15.0) -> Any:
    """The signed-in user (TL `user`), by one request.

    Raises AccountLost when nobody is signed in, NotConnected when no answer comes within `timeout` seconds.
    """
    request = functions.users.GetUsersRequest([types.InputUserSelf()])
    try:
        async with asyncio.timeout(timeout):
            users = await call(client, request)
    except TimeoutError:
        raise NotConnected(method_name(request)) from None
    except NotConnected:
        # The update loop may learn first that the account is lost; it disconnects, and keeps why in here.
        if isinstance(client._updates_error, RPCError):
            raise from_rpc(client._updates_error, "updates.getDifference") from None
        raise
    return users[0]
