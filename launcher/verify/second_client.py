"""A second client beside the account's: nobody at first, then the bot, until the verification is over."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

from pydantic import SecretStr
from telethon import TelegramClient
from telethon.tl import functions

from flows import MiniAppError, call
from launcher import sign_in
from launcher.account_session import AccountSession
from launcher.connection import connected, new_client
from launcher.launcher import Launcher

__all__ = ["SecondClient"]

_PATIENCE = 10.0


class SecondClient:
    """On the server of the launcher; disconnected, and the bot's session given up, with the stack."""

    def __init__(self, launcher: Launcher, stack: AsyncExitStack) -> None:
        self._launcher, self._stack = launcher, stack
        self._client: TelegramClient | None = None
        self._user: Any = None

    async def nobody(self) -> TelegramClient:
        """A client with a key of its own that is not signed in."""
        if self._client is None or self._user is not None:
            client = await self._connected()
            self._client = self._client or client
            return client
        return self._client

    async def bot(self, token: SecretStr) -> TelegramClient:
        """The client of the bot with this token. Raises WrongSecret for a wrong one."""
        await self.bot_user(token)
        assert self._client is not None
        return self._client

    async def bot_user(self, token: SecretStr) -> Any:
        """The bot with this token (TL `user`), signed in."""
        if self._user is None:
            client = await self.nobody()
            self._user = await sign_in.by_token(client, token)
            self._stack.push_async_callback(_log_out, client)
        return self._user

    async def _connected(self) -> TelegramClient:
        server, proxy = self._launcher.server, self._launcher.settings.proxy_parts()
        client = new_client(AccountSession(server), server, proxy=proxy, signing_in=True)
        return await self._stack.enter_async_context(connected(client, server))


async def _log_out(client: TelegramClient) -> None:
    """Whether it succeeds changes nothing of what was seen."""
    with suppress(MiniAppError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await call(client, functions.auth.LogOutRequest())
