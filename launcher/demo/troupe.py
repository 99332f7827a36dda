"""Who plays: a person signed in by phone and code, two bots signed in by token, and the data centre.

The person's session file lies in a folder of its own that is removed at the end, and the data centre is found
by its ready file, as any other program would find it. Each of the three makes its own auth key in a key
exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient, events
from telethon.tl import functions, types

from flows import call
from launcher import sign_in
from launcher.account_session import AccountSession
from launcher.accounts import Accounts
from launcher.connection import connected, new_client
from launcher.launcher import Launcher
from launcher.sandbox import Sandbox
from launcher.sandbox.default_world import GUARDED
from launcher.sandbox.ready_file import ReadyFile, describe, write
from launcher.sandbox.rpc import LoggedCall
from launcher.servers import Server, server_of
from launcher.settings import Settings
from launcher.timing import Timing

__all__ = ["TIMING", "Troupe", "person", "troupe"]

TIMING = Timing(prolong_every=0.2, prolong_retry=0.1, retries=(0.1, 0.3), flood_wait=1.0)
"""Prolonging every 0.2 s in place of 60 s."""


@dataclass(slots=True)
class Troupe:
    """All who play. `data` is what the demo bot received from apps, `user` the person's id."""

    sandbox: Sandbox
    launcher: Launcher
    demo_bot: TelegramClient
    guard_bot: TelegramClient
    ready: ReadyFile
    user: int
    data: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    asked_to_join: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    def calls(self, method: str | None = None, **fields: Any) -> list[LoggedCall]:
        """What the data centre was asked by the person, of one method, with these parameters."""
        return [
            line
            for line in self.sandbox.log
            if line.account == self.user
            and method in (None, line.method)
            and all(line.parameters.get(name) == value for name, value in fields.items())
        ]

    def listen(self) -> None:
        """Let the bots hear what they are told."""
        self.demo_bot.add_event_handler(self._on_message, events.Raw(types.UpdateNewMessage))
        self.guard_bot.add_event_handler(self._on_request, events.Raw(types.UpdateBotChatInviteRequester))

    async def _on_message(self, update: Any) -> None:
        action = getattr(update.message, "action", None)
        if isinstance(action, types.MessageActionWebViewDataSentMe):
            self.data.put_nowait(action.data)

    async def _on_request(self, update: Any) -> None:
        """Somebody wants to join: the guard shows its app, and keeps the query in mind."""
        page = self.sandbox.world[GUARDED].guard_url  # type: ignore[union-attr]
        await self._decide(update.query_id, types.JoinChatBotResultWebView(url=page))
        self.asked_to_join.put_nowait(update.query_id)

    async def guard_approves(self) -> None:
        """The guard lets in who was shown its app."""
        await self._decide(await self.asked_to_join.get(), types.JoinChatBotResultApproved())

    async def _decide(self, query_id: int, result: Any) -> None:
        await call(self.guard_bot, functions.bots.SetJoinChatResultsRequest(query_id, result))


def person(sandbox: Sandbox, folder: Path) -> tuple[Settings, Accounts, ReadyFile]:
    """Settings that lead to this data centre and nowhere else, whatever the environment says."""
    file = folder / "ready.json"
    ready = describe(sandbox)
    write(file, ready)
    settings = Settings(
        _env_file=None,
        api_id=None,
        api_hash=None,
        server=str(file),
        sessions=folder / "sessions",
        proxy=None,
        bot_token=None,
        session_passphrase=None,
        session_keyring=False,
    )
    return settings, Accounts(settings, server_of(settings)), ready


@asynccontextmanager
async def troupe(sandbox: Sandbox, settings: Settings, name: str, ready: ReadyFile) -> AsyncIterator[Troupe]:
    """Everybody connected, for the length of the block."""
    server = server_of(settings)
    tokens = {bot.username: SecretStr(bot.token) for bot in ready.bots}
    user = ready.accounts[0].user_id
    async with (
        _bot(server, tokens["demo_bot"]) as demo_bot,
        _bot(server, tokens["guard_bot"]) as guard_bot,
        Launcher(settings, account=name, timing=TIMING) as launcher,
    ):
        players = Troupe(sandbox, launcher, demo_bot, guard_bot, ready, user)
        players.listen()
        yield players


@asynccontextmanager
async def _bot(server: Server, token: SecretStr) -> AsyncIterator[TelegramClient]:
    client = new_client(AccountSession(server), server)
    async with connected(client, server):
        await sign_in.by_token(client, token)
        yield client
