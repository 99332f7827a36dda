"""A session: what a wallet and an app have agreed on, for as long as it lasts.

The app asks by `wc_sessionRequest`, and the wallet's answer or refusal goes back as it is. A request names
its chain; the wallet goes there for it, as phone wallets do. What the wallet's owner does is told to the app:
a new chain or account first as `wc_sessionUpdate`, with accounts written as CAIP-10 (`eip155:56:0x…`), then
as the event of EIP-1193. A session ends when either side says so, when its time is over, or when the relay is
lost for good.
Documentation: specs.walletconnect.com/2.0/specs/clients/sign
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from flows.errors import MiniAppError
from launcher.metapro.eip1193 import WalletRefused
from launcher.metapro.wallet import Wallet
from launcher.metapro.walletconnect.channel import Channel, Question
from launcher.metapro.walletconnect.errors import WalletConnectFailed
from launcher.metapro.walletconnect.methods import Code, Refused
from launcher.metapro.walletconnect.namespaces import EIP155, Granted

__all__ = ["LIFETIME", "SessionEnd", "WalletSession"]

LIFETIME = 604_800.0
"""Seconds that a session lasts, and that extending it gives it at most: a week."""
_DISCONNECTED = {"code": int(Code.USER_DISCONNECTED), "message": "User disconnected"}


class SessionEnd(StrEnum):
    """Why a session is over."""

    APP = "app"
    """The app ended it."""
    WALLET = "wallet"
    """The wallet ended it, or went away."""
    EXPIRED = "expired"
    LOST = "lost"
    """The relay could not be reached any more."""


class WalletSession:
    """One session, settled.

    `app` is what the app says of itself (name, description, url, icons), `granted` what it may ask, `expires`
    the Unix time of its end.
    """

    def __init__(
        self,
        wallet: Wallet,
        channel: Channel,
        granted: Granted,
        app: dict[str, Any],
        expires: float,
        now: Callable[[], float],
        on_end: Callable[[WalletSession], None],
    ) -> None:
        self.app = app
        self.granted = granted
        self.expires = expires
        self._wallet = wallet
        self._channel = channel
        self._now = now
        self._on_end = on_end
        self._chain = granted.chains[0]
        self._ended: asyncio.Future[SessionEnd] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._unlisten: Callable[[], None] | None = None

    def __repr__(self) -> str:
        state = f"over: {self._ended.result()}" if self.is_closed else "open"
        return f"<WalletSession {self.app.get('name')!r} {state}>"

    @property
    def topic(self) -> str:
        """By which the relay knows it; no secret."""
        return self._channel.topic

    # Beginning and end

    async def begin(self, controller: dict[str, Any]) -> None:
        """Settle: tell the app what is granted, and hear that it takes it. Raises AppFailed."""
        await self._channel.open()
        await self._channel.ask(
            "wc_sessionSettle",
            {
                "relay": {"protocol": "irn"},
                "controller": controller,
                "namespaces": self.granted.as_json(self._wallet.address),
                "expiry": int(self.expires),
            },
        )
        self._unlisten = self._wallet.listen(self._changed)
        self._watch()

    @property
    def is_closed(self) -> bool:
        return self._ended.done()

    async def closed(self) -> SessionEnd:
        """Wait until the session is over; returns why."""
        return await asyncio.shield(self._ended)

    async def disconnect(self) -> None:
        """End the session and tell the app. Doing so again does nothing."""
        if not self.is_closed:
            self._end(SessionEnd.WALLET)
            await self._channel.tell("wc_sessionDelete", _DISCONNECTED)
            await self._channel.close()

    async def ping(self) -> None:
        """Ask the app whether it is there. Raises AppFailed when it does not answer."""
        await self._channel.ask("wc_sessionPing", {})

    async def extend(self) -> None:
        """Let the session last its whole lifetime again, from now on. Raises AppFailed."""
        expires = self._now() + LIFETIME
        await self._channel.ask("wc_sessionExtend", {"expiry": int(expires)})
        self.expires = expires
        self._watch()

    def lose(self) -> None:
        """The relay is gone: the session is over, and nobody can be told."""
        self._end(SessionEnd.LOST)

    def _end(self, why: SessionEnd) -> None:
        if self.is_closed:
            return
        self._ended.set_result(why)
        if self._timer is not None:
            self._timer.cancel()
        if self._unlisten is not None:
            self._unlisten()
        self._on_end(self)

    def _watch(self) -> None:
        """Look again when the time is over: it may have been extended, and clocks differ."""
        if self._timer is not None:
            self._timer.cancel()
        left = self.expires - self._now()
        if left <= 0:
            self._end(SessionEnd.EXPIRED)
        elif not self.is_closed:
            self._timer = asyncio.get_running_loop().call_later(left, self._watch)

    # What the app asks

    async def hear(self, question: Question) -> None:
        """Answer a question of the app."""
        self._watch()
        try:
            if self.is_closed:
                raise Refused(Code.NO_SESSION, "The session is over")
            handler = _HANDLERS.get(question.method)
            if handler is None:
                raise Refused(Code.UNSUPPORTED_WC_METHOD, "Unsupported wc_ method")
            await self._channel.answer(question, await handler(self, question))
        except Refused as refused:
            await self._channel.refuse(question, refused.code, refused.reason)
        except WalletRefused as refused:
            await self._channel.refuse(question, refused.code, refused.message, refused.data)
        if question.method == "wc_sessionDelete" and not self.is_closed:
            self._end(SessionEnd.APP)
            await self._channel.close()

    async def _request(self, question: Question) -> Any:
        chain, request = question.params.get("chainId"), question.params.get("request")
        if not isinstance(request, dict) or not isinstance(method := request.get("method"), str):
            raise Refused(Code.INVALID_PARAMS, "The request has no method")
        if chain not in self.granted.as_json(self._wallet.address)[EIP155]["chains"]:
            raise Refused(Code.UNAUTHORIZED_CHAIN, "Unauthorized chain")
        if method not in self.granted.methods:
            raise Refused(Code.UNAUTHORIZED_METHOD, "Unauthorized method")
        expires = request.get("expiryTimestamp", request.get("expiry"))
        if isinstance(expires, int) and expires <= self._now():
            raise Refused(Code.REQUEST_EXPIRED, "The request has expired")
        await self._go_to(int(str(chain).partition(":")[2]))
        params = request.get("params")
        try:
            return await self._wallet.answer(method, params if isinstance(params, list) else [])
        except MiniAppError:
            raise Refused(Code.INTERNAL, "The wallet could not answer") from None

    async def _go_to(self, chain: int) -> None:
        """The wallet follows the app to its chain, and need not tell it so."""
        self._chain = chain
        await self._wallet.switch_chain(chain)

    async def _pinged(self, question: Question) -> bool:
        return True

    async def _deleted(self, question: Question) -> bool:
        return True

    async def _extended(self, question: Question) -> bool:
        expires = question.params.get("expiry", self._now() + LIFETIME)
        if not isinstance(expires, int | float) or not self.expires <= expires <= self._now() + LIFETIME:
            raise Refused(Code.INVALID_EXTEND, "Invalid extend request")
        self.expires = expires
        self._watch()
        return True

    async def _updated(self, question: Question) -> bool:
        raise Refused(Code.UNAUTHORIZED_UPDATE, "Only the wallet updates the session")

    async def _emitted(self, question: Question) -> bool:
        event = question.params.get("event")
        if not isinstance(event, dict) or event.get("name") not in self.granted.events:
            raise Refused(Code.INVALID_EVENT, "Invalid event")
        return True

    # What the wallet's owner does

    async def _changed(self, event: str, payload: Any) -> None:
        """The wallet's word of an event; it must not fail."""
        try:
            match event:
                case "chainChanged" if (chain := int(payload, 16)) != self._chain:
                    await self._chain_changed(chain)
                case "accountsChanged" if payload:
                    await self._update()
                    await self._emit(event, payload)
                case "disconnect":
                    await self.disconnect()
        except WalletConnectFailed:
            self.lose()

    async def _chain_changed(self, chain: int) -> None:
        self._chain = chain
        if chain not in self.granted.chains:
            self.granted = self.granted.with_chain(chain)
            await self._update()
        await self._emit("chainChanged", chain)

    async def _update(self) -> None:
        namespaces = self.granted.as_json(self._wallet.address)
        await self._channel.tell("wc_sessionUpdate", {"namespaces": namespaces})

    async def _emit(self, name: str, data: Any) -> None:
        if name in self.granted.events:
            params = {"event": {"name": name, "data": data}, "chainId": f"{EIP155}:{self._chain}"}
            await self._channel.tell("wc_sessionEvent", params)


_HANDLERS: dict[str, Callable[[WalletSession, Question], Awaitable[Any]]] = {
    "wc_sessionRequest": WalletSession._request,
    "wc_sessionPing": WalletSession._pinged,
    "wc_sessionDelete": WalletSession._deleted,
    "wc_sessionExtend": WalletSession._extended,
    "wc_sessionUpdate": WalletSession._updated,
    "wc_sessionEvent": WalletSession._emitted,
}
