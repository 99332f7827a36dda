"""The accounts on this machine: sign in, list, use, carry elsewhere, sign out.

An account has a name of the user's choice and one file, `sessions/<server>/<name>.session`; of a sandbox that
is `sessions/sandbox-<its fingerprint>/`. Whatever uses the account holds its lock, so one process does at a
time.

    accounts = Accounts(settings, server_of(settings))
    await accounts.sign_in_by_phone("alice", "+49 170 1234567")
    async with accounts.connect("alice") as client: ...
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient
from telethon.tl import functions

from flows.errors import BadInput, MiniAppError, call
from launcher import sign_in
from launcher.account_lock import AccountInUse, holder, locked
from launcher.account_session import AccountSession, check_server
from launcher.connection import connected, new_client, whoami
from launcher.servers import Server, ServerName
from launcher.session_file import SessionFile, SessionFileError, private_folder
from launcher.settings import Settings
from launcher.sign_in import AskCode, AskPassword, QrCode

__all__ = ["Account", "AccountInUse", "Accounts", "NameTaken", "NoSuchAccount", "masked_phone"]

_EXPORTED = "miniapp-session:"


class NoSuchAccount(MiniAppError):
    """No account of this name is signed in on this server; the message lists the names there are.

    `wanted` says that the account is to be used, so that signing in would help.
    """

    def __init__(self, name: str, server: ServerName, names: list[str], *, wanted: bool = False) -> None:
        there = f"There are: {', '.join(names)}." if names else "There is none yet."
        remedy = f"Sign in with `miniapp login {name}`, or choose another." if wanted else _LOOK
        super().__init__(f"No account {name!r} is signed in on the server {server}. {there}", remedy)


_LOOK = "Check the name and the server; `miniapp accounts` lists those of a server."


class NameTaken(MiniAppError):
    """Another user's account has this name; it is kept, and the new session was ended or not taken."""

    def __init__(self, name: str, holder: int | None, newcomer: int | None) -> None:
        super().__init__(
            f"The account {name!r} is user {holder}, not user {newcomer}.",
            f"Sign it out first with `miniapp logout {name}`, or choose another name.",
        )


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account without connecting.

    `user_id` and `phone` (masked) are None when the file does not open; `problem` then says why. `held_by` is
    the id of the process that uses the account now.
    """

    name: str
    server: ServerName
    encrypted: bool
    user_id: int | None = None
    phone: str | None = None
    held_by: int | None = None
    problem: str | None = None


class Accounts:
    """The accounts of one server, in `settings.sessions`."""

    def __init__(self, settings: Settings, server: Server) -> None:
        self.settings = settings
        self.server = server
        self.folder = settings.sessions / server.folder

    def __repr__(self) -> str:
        return f"Accounts({str(self.folder)!r})"

    def names(self) -> list[str]:
        """The names of all accounts, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.session"))

    def list(self) -> list[Account]:
        """All accounts, by name. A file that cannot be read is listed with its problem."""
        return [self._account(name) for name in self.names()]

    @contextmanager
    def held(self, name: str) -> Iterator[AccountSession]:
        """The session of an account, locked for us.

        Raises BadInput for a name that cannot be one, NoSuchAccount, AccountInUse, and SessionFileError for a
        file that does not open or belongs to another server.
        """
        file = self._existing(name, wanted=True)
        with self._locked(name):
            yield AccountSession.load(self.server, file)

    @asynccontextmanager
    async def connect(self, name: str, *, timeout: float = 15.0) -> AsyncIterator[TelegramClient]:
        """A connected and signed-in client for an account; what it learns is remembered for the next run.

        Raises what `held` raises, ServerUnreachable after `timeout` seconds, and AccountLost when Telegram
        refuses the session (each of its reasons has its own text).
        """
        with self.held(name) as session:
            client = new_client(session, self.server, proxy=self.settings.proxy_parts())
            async with connected(client, self.server, timeout=timeout):
                await whoami(client, timeout=timeout)
                yield client

    async def sign_in_by_phone(
        self,
        name: str | None,
        phone: str,
        *,
        code: AskCode | None = None,
        password: AskPassword | None = None,
        timeout: float = 15.0,
    ) -> Account:
        """Sign in with a code sent to `phone` and keep the account under `name`.

        An older session of the same user is replaced, and ended on the server if that can be reached. Raises
        NameTaken when the name is another user's. Without a name it is called by its user name, else by the
        last digits of its phone number. Without `code` and `password` they are taken from the settings or the
        standard input. Raises as `sign_in.by_phone`, `connect` and `held` do.
        """
        code = code or sign_in.typed_code(self.settings.code)
        password = password or sign_in.typed_password(self.settings.password)
        async with self._signing_in(name, timeout) as newcomer:
            newcomer.user = await sign_in.by_phone(newcomer.client, phone, code=code, password=password)
        return self._account(newcomer.name)

    async def sign_in_by_qr(
        self,
        name: str | None,
        show: Callable[[QrCode], Awaitable[None]],
        *,
        password: AskPassword | None = None,
        timeout: float = 15.0,
    ) -> Account:
        """Sign in by a QR code and keep the account under `name`; `show` gets every new code.

        Raises as `sign_in.by_qr`, `connect` and `held` do.
        """
        password = password or sign_in.typed_password(self.settings.password)
        async with self._signing_in(name, timeout) as newcomer:
            newcomer.user = await sign_in.by_qr(newcomer.client, show, password=password)
        return self._account(newcomer.name)

    async def sign_in_bot(self, name: str | None, token: SecretStr, *, timeout: float = 15.0) -> Account:
        """Sign in as a bot and keep it under `name`, by default its user name."""
        async with self._signing_in(name, timeout) as newcomer:
            newcomer.user = await sign_in.by_token(newcomer.client, token)
        return self._account(newcomer.name)

    async def sign_out(self, name: str, *, force: bool = False, timeout: float = 15.0) -> None:
        """End the session on the server and remove its file.

        With `force` the file is removed in any case: also when it does not open, when the account is lost or
        when the server is unreachable (the session may then live on at the server; other devices can end it).
        Where that would help, the error says so in a note.
        """
        file = self._existing(name)
        try:
            async with self.connect(name, timeout=timeout) as client:
                await call(client, functions.auth.LogOutRequest())
                client.session.delete()
        except AccountInUse:
            raise
        except MiniAppError as error:
            if not force:
                error.add_note(f"`miniapp logout {name} --force` removes the file all the same.")
                raise
            with self._locked(name):
                file.remove()

    def export(self, name: str, *, passphrase: SecretStr | None = None) -> str:
        """The session as one line of text, for a secret variable of a CI system.

        It is the account: whoever has it can use it, if it is not encrypted. An encrypted file stays
        encrypted with its passphrase; with `passphrase` the text is encrypted with that one instead. Used
        here and there at once, Telegram ends the session (AUTH_KEY_DUPLICATED).
        """
        file = self._existing(name)
        blob = file.read_bytes()
        content = file.parse(blob)
        if passphrase is not None:
            blob = SessionFile(file.path, passphrase).sealed(content)
        return _EXPORTED + base64.urlsafe_b64encode(blob).decode()

    def import_(self, name: str, text: str, *, passphrase: SecretStr | None = None) -> Account:
        """Keep an exported session under `name`, in place of an older one of the same user.

        `passphrase` opens the text, that of the settings by default. Raises BadInput for a text that is no
        exported session, SessionFileError for one that does not open or belongs to another server, and
        NameTaken when the name is another user's.
        """
        blob = _decoded(text)
        with self._locked(name):
            file = self._file(name)
            opener = SessionFile(file.path, passphrase) if passphrase is not None else file
            content = opener.parse(blob)
            check_server(content, self.server, file)
            self._older(name, AccountSession.of(self.server, content).user_id)
            file.write(content)
        return self._account(name)

    @asynccontextmanager
    async def _signing_in(self, name: str | None, timeout: float) -> AsyncIterator[_Newcomer]:
        """A connected client whose session is kept once the block has signed in."""
        with ExitStack() as holding:
            if name is not None:
                holding.enter_context(self._locked(name))
            private_folder(self.folder)  # what fails here should not fail after the code was used up
            if name is not None and self._file(name).path.exists():
                self._file(name).read()
            session = AccountSession(self.server)
            client = new_client(session, self.server, proxy=self.settings.proxy_parts(), signing_in=True)
            async with connected(client, self.server, timeout=timeout):
                newcomer = _Newcomer(client, name or "")
                yield newcomer
                if name is None:
                    newcomer.name = _own_name(newcomer.user)
                    holding.enter_context(self._locked(newcomer.name))
                try:
                    older = self._older(newcomer.name, newcomer.user.id)
                except MiniAppError:
                    await _log_out(client)
                    raise
                session.keep_in(self._file(newcomer.name))
            if older is not None:
                await self._end(older, timeout)

    def _older(self, name: str, user_id: int | None) -> AccountSession | None:
        """The session that the name has, if it is this user's.

        Raises NameTaken when it is another user's, and SessionFileError when nobody can tell.
        """
        file = self._file(name)
        if not file.path.exists():
            return None
        older = AccountSession.of(self.server, file.read())
        if older.user_id != user_id:
            raise NameTaken(name, older.user_id, user_id)
        return older

    async def _end(self, session: AccountSession, timeout: float) -> None:
        """End a session that is not needed any more, if its server can be reached."""
        client = new_client(session, self.server, proxy=self.settings.proxy_parts())
        with suppress(MiniAppError):
            async with connected(client, self.server, timeout=timeout):
                await _log_out(client)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        path = self._path(name, ".lock")
        private_folder(self.folder)
        with locked(path, name):
            yield

    def _path(self, name: str, suffix: str) -> Path:
        if not re.fullmatch(r"\w[\w.+@-]{0,63}", name):
            raise BadInput(
                f"{name!r} cannot be the name of an account.",
                "Use letters, digits and . _ + @ -, at most 64, beginning with a letter or digit.",
            )
        return self.folder / f"{name}{suffix}"

    def _file(self, name: str) -> SessionFile:
        return SessionFile(self._path(name, ".session"), self.settings.passphrase())

    def _existing(self, name: str, *, wanted: bool = False) -> SessionFile:
        file = self._file(name)
        if not file.path.exists():
            raise NoSuchAccount(name, self.server.name, self.names(), wanted=wanted)
        return file

    def _account(self, name: str) -> Account:
        file = self._file(name)
        held_by = holder(self._path(name, ".lock"))
        encrypted = False
        try:
            encrypted = file.encrypted
            session = AccountSession.load(self.server, file)
        except SessionFileError as error:
            return Account(name, self.server.name, encrypted, held_by=held_by, problem=str(error))
        phone = masked_phone(session.phone) if session.phone else None
        return Account(name, self.server.name, encrypted, session.user_id, phone, held_by)


@dataclass(slots=True)
class _Newcomer:
    """Who is signing in: `user` (TL `user`) is None until that is done, `name` empty until one is known."""

    client: TelegramClient
    name: str
    user: Any = None


async def _log_out(client: TelegramClient) -> None:
    with suppress(MiniAppError):
        await call(client, functions.auth.LogOutRequest())


def _own_name(user: Any) -> str:
    return str(user.username or (user.phone or "")[-4:] or user.id)


def masked_phone(phone: str) -> str:
    """`+99…34` of 9996621234: enough to tell one's own numbers apart."""
    return f"+{phone[:2]}…{phone[-2:]}"


def _decoded(text: str) -> bytes:
    body = text.strip()
    try:
        if body.startswith(_EXPORTED):
            return base64.b64decode(body.removeprefix(_EXPORTED), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadInput(
        f"This is not an exported session: it should begin with {_EXPORTED!r} and be one line.",
        "Paste all of what `miniapp accounts export` printed.",
    )
