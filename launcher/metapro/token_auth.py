"""The token on the requests of one call, as an authentication flow of httpx.

A 401 has the token replaced by a new login, once a call, however often the call is repeated; a second 401 is
the answer. The new login may need a new launch: it has a time of its own, in which the call's stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Protocol, Self

import httpx
from pydantic import SecretStr

from launcher.metapro.errors import MetaproError

__all__ = ["Signer", "TokenAuth"]


class Signer(Protocol):
    """Who has a token."""

    def sign(self, request: httpx.Request) -> SecretStr | None:
        """Put the token on a request; returns which."""

    async def renew(self, used: SecretStr | None) -> bool:
        """Replace a token that no longer counts; whether there is another one now. Raises MetaproError."""


class TokenAuth(httpx.Auth):
    """For one call. `failure` is what the new login met, if it met anything; the answer is then the 401."""

    def __init__(self, signer: Signer) -> None:
        self.failure: MetaproError | None = None
        self._signer = signer
        self._may_renew = True
        self._limit = asyncio.timeout(None)

    def within(self, limit: asyncio.Timeout) -> Self:
        """The same flow, for the request that is made within this limit."""
        self._limit = limit
        return self

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError("logging in again is asynchronous")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        used = self._signer.sign(request)
        answer = yield request
        if answer.status_code == 401 and self._may_renew:
            self._may_renew = False
            if await self._renewed(used):
                self._signer.sign(request)
                yield request

    async def _renewed(self, used: SecretStr | None) -> bool:
        loop, ends = asyncio.get_running_loop(), self._limit.when()
        began = loop.time()
        self._limit.reschedule(None)
        try:
            return await self._signer.renew(used)
        except MetaproError as failure:
            self.failure = failure
            return False
        finally:
            self._limit.reschedule(None if ends is None else ends + loop.time() - began)
