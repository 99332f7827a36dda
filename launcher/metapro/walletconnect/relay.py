"""The wallet's line to a relay: publish, subscribe, and hear, over a connection that may break.

A relay passes sealed messages between clients by topic and keeps them for one that is away. While the
block runs, a connection is kept up: when it breaks it is made again, every topic is subscribed again, and
an order whose answer did not come is given again. Either side may therefore hear a message twice; the
second time it is dropped here.
Documentation: specs.walletconnect.com/2.0/specs/servers/relay/relay-server-rpc
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from launcher.metapro.walletconnect.client_id import relay_token
from launcher.metapro.walletconnect.errors import RelayRefused, RelayUnreachable
from launcher.metapro.walletconnect.methods import Label

__all__ = ["DEFAULT_RELAY", "Relay"]

DEFAULT_RELAY = "wss://relay.walletconnect.org"
PAUSES = (0.05, 0.2, 1.0, 5.0)
"""Seconds before the first attempts to connect again; the last one goes on."""
_UNAUTHORIZED = 3000
"""The close code by which WalletConnect's relay turns a project away."""
_FINAL = frozenset({400, 401, 403, 404})
"""HTTP statuses after which trying again is of no use."""
_REMEMBERED = 1_000
"""Messages by which a repetition is known."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.WARNING)  # websockets would log the URL, and the token in it, at level DEBUG


class _Lost(Exception):
    """The connection broke before the answer came."""


class Relay:
    """`run` keeps the connection until it is cancelled; `on_message` gets topic and envelope of each message.

    `seed` (32 bytes) is the client's identity, `random` gives so many random bytes, `now` the Unix time,
    `pauses` are the seconds between attempts, `patience` those after which an order fails. Every order
    raises RelayUnreachable or RelayRefused.
    """

    def __init__(
        self,
        url: str,
        project_id: str,
        seed: bytes,
        on_message: Callable[[str, str], None],
        *,
        random: Callable[[int], bytes],
        now: Callable[[], float] = time.time,
        pauses: tuple[float, ...] = PAUSES,
        patience: float = 15.0,
    ) -> None:
        self._url = url
        self._project_id = project_id
        self._seed = seed
        self._on_message = on_message
        self._random = random
        self._now = now
        self._pauses = pauses
        self._patience = patience
        self._topics: dict[str, str] = {}
        self._line: asyncio.Future[ClientConnection] | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(int(now() * 1_000) * 1_000_000)
        self._heard: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._next_pause = self._some_pauses()

    # Orders

    @property
    def is_connected(self) -> bool:
        return self._line is not None and self._line.done() and self._line.exception() is None

    async def connected(self) -> None:
        """Until there is a connection."""
        async with self._patiently():
            await self._connection()

    async def publish(self, topic: str, envelope: str, tag: int, label: Label) -> None:
        """Pass a message on, to be kept for as long as its label says."""
        await self._order(
            "irn_publish",
            {"topic": topic, "message": envelope, "ttl": label.ttl, "tag": tag, "prompt": label.prompt},
        )

    async def subscribe(self, topic: str) -> None:
        """Hear a topic from now on, and what the relay has kept of it."""
        self._topics[topic] = ""
        self._topics[topic] = await self._order("irn_subscribe", {"topic": topic})

    async def unsubscribe(self, topic: str) -> None:
        subscription = self._topics.pop(topic)
        await self._order("irn_unsubscribe", {"topic": topic, "id": subscription})

    async def _order(self, method: str, params: dict[str, Any]) -> Any:
        async with self._patiently():
            while True:
                try:
                    return await self._ask(await self._connection(), method, params)
                except _Lost:
                    continue

    @asynccontextmanager
    async def _patiently(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise RelayUnreachable(self._patience) from None

    async def _connection(self) -> ClientConnection:
        return await asyncio.shield(self._waiting)

    @property
    def _waiting(self) -> asyncio.Future[ClientConnection]:
        """The connection, once there is one; with an error when there never will be."""
        if self._line is None:
            self._line = asyncio.get_running_loop().create_future()
        return self._line

    async def _ask(self, connection: ClientConnection, method: str, params: dict[str, Any]) -> Any:
        number = next(self._ids)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await _send(connection, {"id": number, "method": method, "params": params})
            return await answer
        except ConnectionClosed:
            self._drop(connection)
            raise _Lost from None
        finally:
            del self._asked[number]

    # The connection

    async def run(self) -> None:
        """Connect, and again when the connection is lost. Returns when the relay turns the client away."""
        while True:
            try:
                async with self._connect() as connection:
                    await self._hear(connection)
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as failure:
                if refused := _turned_away(failure):
                    self._waiting.set_exception(refused)
                    self._waiting.exception()  # looked at here, lest nobody does
                    return
            await asyncio.sleep(next(self._next_pause))

    def _some_pauses(self) -> Iterator[float]:
        return itertools.chain(self._pauses, itertools.repeat(self._pauses[-1]))

    def _connect(self) -> connect:
        token = relay_token(self._seed, self._url, self._random(32).hex(), int(self._now()))
        query = urlencode({"auth": token, "projectId": self._project_id, "ua": "wc-2/py-miniapp-launcher"})
        # True is the proxy that the environment names
        proxy: Literal[True] | None = None if urlsplit(self._url).hostname in _LOOPBACK else True
        return connect(f"{self._url}?{query}", logger=_LOG, compression=None, proxy=proxy)

    async def _hear(self, connection: ClientConnection) -> None:
        if topics := [*self._topics]:
            again = {"id": next(self._ids), "method": "irn_batchSubscribe", "params": {"topics": topics}}
            await _send(connection, again)
        self._waiting.set_result(connection)
        try:
            async for frame in connection:
                await self._take(connection, frame)
        finally:
            self._drop(connection)
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(_Lost())

    def _drop(self, connection: ClientConnection) -> None:
        """Whoever notices first that a connection is gone lets all others wait for the next one."""
        if self.is_connected and self._waiting.result() is connection:
            self._line = None

    async def _take(self, connection: ClientConnection, frame: str | bytes) -> None:
        match _parsed(frame):
            case {"method": "irn_subscription", "id": number, "params": {"data": data}}:
                await _send(connection, {"id": number, "result": True})
                self._pass_on(data)
            case {"id": int(number), "error": {"code": int(code)}} if answer := self._awaited(number):
                answer.set_exception(RelayRefused(code))
            case {"id": int(number), "result": result} if answer := self._awaited(number):
                answer.set_result(result)
        self._next_pause = self._some_pauses()

    def _awaited(self, number: int) -> asyncio.Future[Any] | None:
        answer = self._asked.get(number)
        return None if answer is None or answer.done() else answer

    def _pass_on(self, data: Any) -> None:
        match data:
            case {"topic": str(topic), "message": str(envelope)}:
                mark = hashlib.sha256(f"{topic} {envelope}".encode()).digest()
                if mark not in self._heard:
                    self._heard.append(mark)
                    self._on_message(topic, envelope)


def _turned_away(failure: Exception) -> RelayRefused | None:
    """The relay's final word, if it was one: anything else may pass."""
    if isinstance(failure, InvalidStatus) and failure.response.status_code in _FINAL:
        return RelayRefused(failure.response.status_code)
    if isinstance(failure, ConnectionClosed) and failure.rcvd and failure.rcvd.code == _UNAUTHORIZED:
        return RelayRefused(_UNAUTHORIZED)
    return None


def _parsed(frame: str | bytes) -> Any:
    try:
        return json.loads(frame)
    except (ValueError, RecursionError):
        return None


async def _send(connection: ClientConnection, frame: dict[str, Any]) -> None:
    await connection.send(json.dumps({"jsonrpc": "2.0", **frame}))
