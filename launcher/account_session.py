"""One account as Telethon sees it: a session that remembers, in a `SessionFile`, all that a next run can use.

Remembered are the auth key and its data centre, the peers that were met with their access hashes and user
names, the state of updates (so that `catch_up` goes on where the last run stopped) and `caches`, where flows
keep what they may reuse, such as fetched apps. Hence a second run resolves nothing again.

Telethon calls `save()` after connecting and then once a minute, and `close()` when it disconnects. Each
compares the content with what was last written (25 µs for a thousand peers) and writes only when something
changed, in one step (6 ms, most of it the disk's). A session without a file is written nowhere.

Documentation: core.telegram.org/api/peers, core.telegram.org/api/min, core.telegram.org/api/updates
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl import types

from launcher.networks import is_address_of
from launcher.servers import Server
from launcher.session_file import Content, Entity, SessionFile, SessionFileError, State

__all__ = ["AccountSession"]

SELF = 0
"""Telethon remembers who we are as the "access hash" of the peer with this id."""


class AccountSession(MemorySession):  # type: ignore[misc]  # Telethon is untyped
    """The session of one account on one server, kept in `file` when there is one.

    `caches` is a JSON-able mapping with one entry for each use; what is put there lives with the account.
    """

    def __init__(self, server: Server | None = None, file: SessionFile | None = None) -> None:
        super().__init__()
        self.server = server
        self.file = file
        self.caches: dict[str, Any] = {}
        self._entities: dict[int, Entity] = {}
        self._usernames: dict[str, int] = {}
        self._written: Content | None = None
        if server is not None:
            self.set_dc(server.dc, server.host, server.port)

    def __repr__(self) -> str:
        return f"AccountSession({self.file!r})"

    @classmethod
    def load(cls, server: Server, file: SessionFile) -> AccountSession:
        """The session in `file`. Raises SessionFileError, also when it belongs to another server."""
        content = file.read()
        check_server(content, server, file)
        session = cls.of(server, content)
        session.file = file
        return session

    @classmethod
    def of(cls, server: Server, content: Content) -> AccountSession:
        """The session with this content, which is remembered in no file."""
        session = cls(server)
        session._fill(content)
        return session

    @property
    def user_id(self) -> int | None:
        """The id of the account; None before anybody signed in."""
        me = self._entities.get(SELF)
        return me[1] if me else None

    @property
    def phone(self) -> str | None:
        """The account's phone number, digits only, when Telegram told it."""
        me = self._entities.get(self.user_id or SELF)
        return me[3] if me else None

    def keep_in(self, file: SessionFile) -> None:
        """From now on remember in `file`; writes it."""
        self.file = file
        self.save()

    def save(self) -> None:
        """Write what changed since the last time, if there is a file. Raises SessionFileError."""
        # No key: nobody is signed in yet, or Telethon is about to move to another data centre.
        if self.file is None or self.server is None or not self.auth_key:
            return
        content = self._content(self.server)
        if content != self._written:
            self.file.write(content)
            self._written = content

    def close(self) -> None:
        self.save()

    def delete(self) -> None:
        """Remove the file: the account was signed out."""
        if self.file is not None:
            self.file.remove()
            self.file = None

    def _fill(self, content: Content) -> None:
        self.set_dc(content.dc, content.host, content.port)
        self.auth_key = AuthKey(bytes.fromhex(content.auth_key))
        self._entities = {row[0]: row for row in content.entities}
        self._usernames = dict(content.usernames)
        self._update_states = {peer: _tl_state(state) for peer, state in content.updates.items()}
        self.caches = content.model_copy(deep=True).caches
        self._written = content

    def _content(self, server: Server) -> Content:
        return Content.model_construct(
            server=server.name,
            fingerprint=server.fingerprint,
            dc=self.dc_id,
            host=self.server_address,
            port=self.port,
            auth_key=self.auth_key.key.hex(),
            entities=list(self._entities.values()),
            usernames=dict(self._usernames),
            updates={peer: _state(peer, state) for peer, state in self._update_states.items()},
            caches=deepcopy(self.caches),
        )

    # What Telethon asks and tells. Its own memory session keeps a set of rows, old ones beside new ones.

    def process_entities(self, tlo: Any) -> None:
        self._entities_to_rows(tlo)

    def _entity_to_row(self, entity: Any) -> Entity | None:
        """Telethon makes no row of a `min` peer: its access hash is good for nothing."""
        row: Entity | None = super()._entity_to_row(entity)
        if row is None:
            return None
        before = self._entities.get(row[0])
        if before and before[2] and self._usernames.get(before[2]) == row[0]:
            del self._usernames[before[2]]
        self._entities[row[0]] = row
        # Collectible user names: such a peer has `usernames` and an empty `username`.
        names = [name.username.lower() for name in getattr(entity, "usernames", None) or () if name.active]
        self._usernames.update(dict.fromkeys([*filter(None, [row[2]]), *names], row[0]))
        return row

    def get_entity_rows_by_id(self, id: int, exact: bool = True) -> tuple[int, int] | None:
        wanted = (id,) if exact else (id, -id, -1000000000000 - id)
        row = next((self._entities[marked] for marked in wanted if marked in self._entities), None)
        return row[:2] if row else None

    def get_entity_rows_by_username(self, username: str) -> tuple[int, int] | None:
        row = self._entities.get(self._usernames.get(username.lower(), -1))
        return row[:2] if row else None

    def get_entity_rows_by_phone(self, phone: str) -> tuple[int, int] | None:
        return next((row[:2] for row in self._entities.values() if row[3] == phone), None)

    def get_entity_rows_by_name(self, name: str) -> None:
        """Nobody: anyone may choose a bot's user name as display name, and must not be opened for it."""

    def set_update_state(self, entity_id: int, state: Any) -> None:
        # A client that is closed before it knew its state reports zeros; they must not erase the real one.
        if state.pts:
            super().set_update_state(entity_id, state)


def check_server(content: Content, server: Server, file: SessionFile) -> None:
    """Raises SessionFileError when the content belongs to another server, or leads elsewhere."""
    if content.server != server.name:
        raise SessionFileError(
            f"The session file {file.path} belongs to the server {content.server}, not to {server.name}.",
            "Choose its server with --server or TELEGRAM_SERVER, or sign in here with `miniapp login`.",
        )
    if content.fingerprint != server.fingerprint:
        raise SessionFileError(
            f"The session file {file.path} belongs to another sandbox, and a sandbox that ends forgets all.",
            "Sign in on this one with `miniapp login`.",
        )
    if not is_address_of(server.name, content.host):
        raise SessionFileError(
            f"The session file {file.path} leads to {content.host!r}, no address of the server "
            f"{server.name}.",
            "Do not use it: it is not from there, or somebody changed it. Sign in with `miniapp login`.",
        )


def _state(peer: int, state: Any) -> State:
    if peer != SELF:  # of a channel only the pts means anything
        return state.pts, 0, 0, 0
    return state.pts, state.qts, int(state.date.timestamp()), state.seq


def _tl_state(state: State) -> Any:
    pts, qts, date, seq = state
    return types.updates.State(pts, qts, datetime.fromtimestamp(date, UTC), seq, unread_count=0)
