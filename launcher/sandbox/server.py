"""A Telegram data centre on the loopback: `async with Sandbox() as sandbox:` and any MTProto client may come.

What the sandbox knows is in `world`, plain data that a test may edit at any time; what it was asked is in
`log`; what shall go wrong is armed in `faults`; which undocumented rules hold is in `assumptions`. It has two
data centres, each with its own port and its own auth keys: clients start at the main one and are sent on to
the other when their account lives there.

An unpatched Telethon client in the same process needs nothing but a session:

    async with Sandbox() as sandbox:
        async with TelegramClient(sandbox.sign_in("alice"), sandbox.api_id, sandbox.api_hash) as client: ...

Everything listens on 127.0.0.1 only, and the RSA key is fresh for each sandbox: a published fixed one would
be trusted beside Telegram's own. It is made when first needed, since a client that is signed in already needs
none. `clock` moves the time of the world (expiry, dates); the wire keeps wall
time, because clients compare it with theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from telethon import TelegramClient
from telethon.crypto import AuthKey as ClientAuthKey
from telethon.crypto import rsa as client_rsa
from telethon.sessions import MemorySession
from telethon.tl import types

import launcher.sandbox.api  # noqa: F401 - registers the handlers
from launcher.sandbox.assumptions import Assumptions
from launcher.sandbox.connection import Connection
from launcher.sandbox.default_world import default_world
from launcher.sandbox.exchange import RsaKey
from launcher.sandbox.faults import Faults
from launcher.sandbox.mtproto import Salts, Sessions, key_id
from launcher.sandbox.rpc import LoggedCall
from launcher.sandbox.world import Bot, User, World

__all__ = ["HOST", "AuthKey", "Sandbox"]

HOST = "127.0.0.1"
_LOGGED_CALLS = 20_000

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(eq=False)
class AuthKey:
    """One auth key: what a client is to the server, on whatever connection it comes.

    `account` is the id of the user or bot it is signed in as. `layer` and `client` (its initConnection) are
    None until the client has introduced itself. A temporary key has `expires_at`, a wall time, and stands for
    the key it is `bound` to.
    """

    id: int
    key: bytes = field(repr=False)
    dc: int
    sessions: Sessions = field(repr=False)
    account: int | None = None
    layer: int | None = None
    client: Any = field(default=None, repr=False)
    expires_at: float | None = None
    bound: AuthKey | None = field(default=None, repr=False)

    @property
    def real(self) -> AuthKey:
        """The key that holds the account: the one this temporary key is bound to, or itself."""
        return self.bound or self


def _on_loop(
    method: Callable[Concatenate[Sandbox, P], T],
) -> Callable[Concatenate[Sandbox, P], T]:
    """Let a method be called from any thread; it runs in the sandbox's own, and the caller waits."""

    @wraps(method)
    def marshalled(self: Sandbox, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._thread in (None, threading.get_ident()):
            return method(self, *args, **kwargs)

        async def there() -> T:
            return method(self, *args, **kwargs)

        return self.run(there())

    return marshalled


class Sandbox:
    """A running data centre; see the module's text.

    `world` is the one of `default_world` unless given. `port` is that of the main data centre, 0 for any.
    `flipped` names the assumptions that shall not hold. `query_lifetime` is for how many seconds a web view
    lives after it was opened or prolonged, `query_grace` what is added to that before it expires,
    `bot_timeout` how long a user waits for a bot. `clock` tells the time of the world in seconds; it must
    never go back. `seed` makes ids and hashes the same in every run.

    Leaving the block raises an ExceptionGroup of `failures`, the bugs of the sandbox itself that clients were
    answered 500 INTERNAL for, unless something else went wrong first.
    """

    main_dc = 2

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        flipped: Iterable[str] = (),
        query_lifetime: float = 60.0,
        query_grace: float = 10.0,
        bot_timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        self.world = default_world() if world is None else world
        self.assumptions = Assumptions(flipped)
        self.faults = Faults()
        self.log: deque[LoggedCall] = deque(maxlen=_LOGGED_CALLS)
        self.failures: list[Exception] = []
        self.query_lifetime, self.query_grace, self.bot_timeout = query_lifetime, query_grace, bot_timeout
        self.now = clock
        self.random = random.Random(seed)
        self.secret = self.random.randbytes(32)
        self.api_id = self.random.randrange(10_000, 100_000_000)
        self.api_hash = self.random.randbytes(16).hex()
        self._rsa: RsaKey | None = None
        self._making_rsa = threading.Lock()
        self.init_data_key = Ed25519PrivateKey.generate()
        self.dcs: dict[int, tuple[str, int]] = {1: (HOST, 0), self.main_dc: (HOST, port)}
        self.keys: dict[int, AuthKey] = {}
        self.connections: set[Connection] = set()
        self.on_connected: list[Callable[[int, AuthKey], None]] = []
        """Called with account and key when a signed-in client first speaks in a session on a connection."""
        self._parts: dict[type, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self.listening = False
        self._trusting = False
        self._exit = contextlib.ExitStack()
        self._thread: int | None = None

    # Lifetime

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._exit.enter_context(self.trusted())
        try:
            await self._listen()
        except BaseException:
            self._exit.close()
            await self._hang_up()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._exit.close()
        await self._hang_up()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if error is None and self.failures:
            raise ExceptionGroup("the sandbox has failed", self.failures)

    async def _listen(self) -> None:
        self.listening = True
        for dc, (host, port) in self.dcs.items():
            server = await self.loop.create_server(partial(Connection, self, dc), host, port)
            self._servers.append(server)
            self.dcs[dc] = (host, server.sockets[0].getsockname()[1])

    async def _hang_up(self) -> None:
        self.listening = False
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        self.drop_connections()
        for server in servers:
            await server.wait_closed()
        for connection in list(self.connections):
            await connection.lost.wait()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as long as the sandbox lives at most."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def restart(self) -> None:
        """Close every connection and every port, then listen again where it was; keys and world stay."""
        await self._hang_up()
        await self._listen()

    # How a client gets here

    @property
    def rsa(self) -> RsaKey:
        """The key that clients encrypt their first secret with."""
        with self._making_rsa:
            if self._rsa is None:
                self._rsa = RsaKey()
                if self._trusting:
                    client_rsa.add_key(self._rsa.public_pem, old=False)
            return self._rsa

    @property
    def public_key(self) -> str:
        """The RSA key that clients have to trust, as PKCS#1 PEM."""
        return self.rsa.public_pem

    @property
    def init_data_public_key(self) -> str:
        """The Ed25519 key that init data is signed with, in hex: it stands in for Telegram's own."""
        return self.init_data_key.public_key().public_bytes_raw().hex()

    @contextlib.contextmanager
    def trusted(self) -> Iterator[None]:
        """Let the Telethon clients of this process trust the sandbox; entered by `async with` already.

        Telethon's key table and its cached help.getConfig belong to the process: the key is taken out again,
        and the configuration of another sandbox is not believed.
        """
        self._trusting = True
        if self._rsa is not None:
            client_rsa.add_key(self.public_key, old=False)
        TelegramClient._config = None
        try:
            yield
        finally:
            self._trusting = False
            if self._rsa is not None:
                client_rsa._server_keys.pop(self._rsa.fingerprint, None)
            TelegramClient._config = None

    def new_session(self, dc: int | None = None) -> Any:
        """A Telethon session without an auth key that points to this data centre."""
        session = MemorySession()
        session.set_dc(dc or self.main_dc, *self.dcs[dc or self.main_dc])
        return session

    @_on_loop
    def sign_in(self, account: str | int, dc: int | None = None) -> Any:
        """A Telethon session that is signed in already: no key exchange, no code.

        `account` is a user (id, first name, user name, phone) or a bot (id, user name). Raises KeyError.
        """
        person = self._account(account)
        key = self.add_key(os.urandom(256), dc or person.dc)
        key.account = person.id
        session = self.new_session(key.dc)
        session.auth_key = ClientAuthKey(key.key)
        return session

    def _account(self, name: str | int) -> User | Bot:
        try:
            return self.world.user(name)
        except KeyError:
            with contextlib.suppress(KeyError):
                return self.world.bot(name)
            raise

    # Keys and who holds them

    def add_key(
        self, key: bytes, dc: int, *, salt: int | None = None, expires_in: int | None = None
    ) -> AuthKey:
        """Know an auth key from now on, for one data centre."""
        now = time.time()
        first = int.from_bytes(os.urandom(8), "little", signed=True) if salt is None else salt
        expires_at = None if expires_in is None else now + expires_in
        known = AuthKey(key_id(key), key, dc, Sessions(key, Salts(first, now)), expires_at=expires_at)
        self.keys[known.id] = known
        return known

    def known_key(self, key_id: int, dc: int) -> AuthKey | None:
        """The key of that id, if this data centre knows it and it has not expired."""
        key = self.keys.get(key_id)
        if key is None or key.dc != dc:
            return None
        if key.expires_at is not None and key.expires_at < time.time():
            self.forget(key)
            return None
        return key

    def account_of(self, key: AuthKey) -> User | Bot | None:
        """The user or bot a key is signed in as."""
        peer = None if key.account is None else self.world.get(key.account)
        return peer if isinstance(peer, User | Bot) else None

    @_on_loop
    def sign_out(self, key: AuthKey) -> None:
        """The key stays, but nobody is signed in with it: calls are answered 401 AUTH_KEY_UNREGISTERED."""
        key.account = None

    @_on_loop
    def forget(self, key: AuthKey) -> None:
        """Forget an auth key and those bound to it: its connections are answered with -404 from now on."""
        gone = {known.id for known in self.keys.values() if known.real is key} | {key.id}
        for name in gone:
            self.keys.pop(name, None)
        for connection in self.connections:
            if connection.key and connection.key.id in gone:
                connection.refuse_key()

    def forget_key(self, account: int) -> None:
        """Forget every auth key of an account."""
        for key in [key for key in self.keys.values() if key.account == account]:
            self.forget(key)

    # Updates

    @_on_loop
    def push(
        self,
        account_id: int,
        updates: list[Any],
        *,
        users: Sequence[Any] = (),
        chats: Sequence[Any] = (),
        besides: AuthKey | None = None,
    ) -> int:
        """Send updates to every open connection of an account except those of the key `besides`.

        Returns how many were reached; nobody's absence is an error. A connection counts when its client has
        introduced itself (initConnection) and did not call with invokeWithoutUpdates. A single
        updatesTooLong goes out as such.
        """
        date = datetime.fromtimestamp(int(self.now()), UTC)
        body = bytes(
            updates[0]
            if len(updates) == 1 and isinstance(updates[0], types.UpdatesTooLong)
            else types.Updates(updates, list(users), list(chats), date, 0)
        )
        reached = [connection.push(body) for connection in self._connections_of(account_id, besides)]
        return sum(reached)

    def connected(self, account_id: int) -> bool:
        """Whether a client of this account is here to be sent updates."""
        return any(self._connections_of(account_id))

    def _connections_of(self, account_id: int, besides: AuthKey | None = None) -> list[Connection]:
        return [
            connection
            for connection in self.connections
            if (key := connection.key and connection.key.real)
            and key.account == account_id
            and key.layer is not None
            and key is not besides
        ]

    # What can go wrong with the whole server

    @_on_loop
    def drop_connections(self, account: int | None = None) -> None:
        """Cut the connections of one account, or all."""
        for connection in list(self.connections):
            if account is None or (connection.key and connection.key.real.account == account):
                connection.close()

    @_on_loop
    def rotate_salts(self) -> None:
        """Make every server salt worthless at once: the next message of every client is refused."""
        for key in self.keys.values():
            key.sessions.salts.rotate(time.time())

    # State of handlers, threads

    def part(self, cls: Callable[..., T]) -> T:
        """The sandbox's one object of this class, made as `cls(sandbox)` when first asked for."""
        made = self._parts.get(cast(type, cls))
        if made is None:
            made = self._parts[cast(type, cls)] = cls(self)
        return cast(T, made)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """From another thread: run a coroutine in the sandbox's event loop and wait for what it returns.

        In the sandbox's own thread this would wait for ever: `await` it there.
        """
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def in_thread(self) -> _InThread:
        """The same sandbox for synchronous code: `with Sandbox().in_thread() as sandbox:` runs it in a thread
        with an event loop of its own."""
        return _InThread(self)


class _InThread:
    """Owns the thread; leaving the block stops it and raises what the sandbox has to raise."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="sandbox", daemon=True)

    def __enter__(self) -> Sandbox:
        self._thread.start()
        self._ready.wait()
        if self._error:
            self._thread.join()
            raise self._error
        return self._sandbox

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._sandbox.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if error is None and self._error:
            raise self._error

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the thread that owns the block
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with self._sandbox:
            self._ready.set()
            await self._stop.wait()
