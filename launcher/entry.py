"""How a launcher gets at its account: a signed-in client, the session it remembers in, the server it is on.

On Telegram's servers and on a sandbox that runs elsewhere the account has a session file. A sandbox
inside the process signs the account in by itself, and everything ends with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telethon import TelegramClient

from flows import BadInput
from launcher.account_session import AccountSession
from launcher.accounts import Accounts
from launcher.connection import connected, new_client, whoami
from launcher.servers import Server, server_inside, server_of
from launcher.settings import Settings

if TYPE_CHECKING:
    from launcher.sandbox import Sandbox

__all__ = ["SIGN_IN", "Entry", "enter"]

SIGN_IN = "Sign in with `miniapp login` and the same --server."


@dataclass(frozen=True, slots=True)
class Entry:
    """A connected account. `sandbox` is the one in this process, if it is there."""

    client: TelegramClient
    session: AccountSession
    server: Server
    account: str
    sandbox: Sandbox | None = None


@asynccontextmanager
async def enter(
    settings: Settings, account: str | None, sandbox: Sandbox | None, *, timeout: float
) -> AsyncIterator[Entry]:
    """Connect the account for the length of the block; without a name, the only account there is.

    Raises BadInput when there are none or several, and whatever `Accounts.connect` raises.
    """
    if sandbox is not None:
        async with _inside(sandbox, account, timeout) as entry:
            yield entry
    elif settings.server == "sandbox":
        from launcher.sandbox import Sandbox

        async with Sandbox() as started, _inside(started, account, timeout) as entry:
            yield entry
    else:
        server = server_of(settings)
        accounts = Accounts(settings, server)
        name = account or _only(accounts)
        async with accounts.connect(name, timeout=timeout) as client:
            yield Entry(client, client.session, server, name)


@asynccontextmanager
async def _inside(sandbox: Sandbox, account: str | None, timeout: float) -> AsyncIterator[Entry]:
    from launcher.sandbox.ready_file import accounts

    server = server_inside(sandbox)
    name = account or accounts(sandbox)[0].name
    try:
        signed_in = sandbox.sign_in(name)
    except KeyError:
        names = ", ".join(person.name for person in accounts(sandbox))
        raise BadInput(f"The sandbox has no account {name!r}.", f"Use one of {names}.") from None
    session = AccountSession(server)
    session.set_dc(signed_in.dc_id, signed_in.server_address, signed_in.port)
    session.auth_key = signed_in.auth_key
    client = new_client(session, server)
    async with connected(client, server, timeout=timeout):
        await whoami(client)
        yield Entry(client, session, server, name, sandbox)


def _only(accounts: Accounts) -> str:
    names = accounts.names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInput(f"No account is signed in on the server {accounts.server.name}.", SIGN_IN)
    raise BadInput(f"There are several accounts: {', '.join(names)}.", "Name one with --account.")
