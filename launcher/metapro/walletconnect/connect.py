"""The wallet's side of WalletConnect v2: `async with WalletConnect(wallet, project_id=…) as connect:`.

    async with app.expect("web_app_open_link") as opened:
        ...                                                  # the page wants a wallet
    session = await connect.pair(opened.data["url"])         # the wallet agrees
    ...                                                      # the page asks, the wallet answers
    await session.disconnect()

While the block runs the wallet is at the relay and answers; when it is left, every session ends and the app
is told, for the keys of the sessions are gone then.
Documentation: specs.walletconnect.com/2.0/specs/clients/sign
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Self
from urllib.parse import urlsplit

from flows.errors import BadInput
from launcher.beside import beside
from launcher.metapro.eip1193 import WalletRefused
from launcher.metapro.wallet import Wallet
from launcher.metapro.walletconnect.channel import Channel, Question, numbers
from launcher.metapro.walletconnect.crypto import public_key, shared_key, topic_of
from launcher.metapro.walletconnect.errors import AppFailed, NoProposal, RelayUnreachable, WalletConnectFailed
from launcher.metapro.walletconnect.methods import Code, Refused
from launcher.metapro.walletconnect.namespaces import grant
from launcher.metapro.walletconnect.pairing import Pairing
from launcher.metapro.walletconnect.relay import DEFAULT_RELAY, PAUSES, Relay
from launcher.metapro.walletconnect.sessions import LIFETIME, WalletSession
from launcher.metapro.walletconnect.uri import PairingUri

__all__ = ["WalletConnect"]

_METADATA = {
    "name": "miniapp-launcher",
    "description": "A wallet for tests of Mini Apps",
    "url": "https://miniapp-launcher.example",
    "icons": [],
}
_KEY = 32


class WalletConnect:
    """A wallet at a relay.

    `project_id` is the one the relay's owner gave out, `metadata` what apps are told of the wallet. In
    seconds: `lifetime` of a session, `timeout` for the app's answers, `patience` without a relay until it is
    given up, `pauses` between attempts to reach it. `now` gives the Unix time, `random` so many random bytes.
    Raises BadInput for a URL that is none; entering raises RelayUnreachable and RelayRefused.
    """

    def __init__(
        self,
        wallet: Wallet,
        *,
        project_id: str,
        relay_url: str = DEFAULT_RELAY,
        metadata: Mapping[str, Any] = _METADATA,
        lifetime: float = LIFETIME,
        timeout: float = 30.0,
        patience: float = 15.0,
        pauses: tuple[float, ...] = PAUSES,
        now: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        _check_url(relay_url)
        self.sessions: list[WalletSession] = []
        """Those that are open, the oldest first."""
        self._wallet = wallet
        self._metadata = dict(metadata)
        self._lifetime = lifetime
        self._timeout = timeout
        self._now = now
        self._random = random
        self._ids = numbers(now())
        self._rejections: list[Refused] = []
        self._inbox: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._heard: dict[str, tuple[Channel, Callable[[Question], Awaitable[None]]]] = {}
        self._relay = Relay(
            relay_url,
            project_id,
            random(_KEY),
            lambda topic, envelope: self._inbox.put_nowait((topic, envelope)),
            random=random,
            now=now,
            pauses=pauses,
            patience=patience,
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(beside(self._stay(), self._attend()))
            await self._relay.connected()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        for session in tuple(self.sessions):
            with suppress(WalletConnectFailed):
                await self._leave(session)
        await self._stack.__aexit__(*failure)

    async def _leave(self, session: WalletSession) -> None:
        if self._relay.is_connected:
            await session.disconnect()
        else:
            session.lose()

    def reject_next(self, code: int = Code.USER_REJECTED, reason: str = "User rejected") -> None:
        """Turn the next proposal down with this error: 5000 to 5003 are a user's."""
        self._rejections.append(Refused(code, reason))

    async def pair(self, link: str) -> WalletSession:
        """Take up an app's link, a `wc:` link or one that carries it, and agree to what the app proposes.

        Returns the session, settled. Raises BadInput for a link that cannot be used (any more), NoProposal,
        ProposalRejected when the wallet cannot do what the app requires or `reject_next` said so, AppFailed
        when the app does not take the session, RelayUnreachable and RelayRefused.
        """
        uri = PairingUri.parse(link)
        patience = min(uri.seconds_left(self._now()), self._timeout)
        if uri.topic in self._heard:
            raise BadInput("This WalletConnect link was used already.", "Let the app make a new one.")
        channel = self._channel(uri.topic, uri.key)
        pairing = Pairing(channel, self._agree, self._forget)
        self._heard[uri.topic] = channel, pairing.hear
        try:
            await channel.open()
            return await pairing.session(patience)
        except (NoProposal, RelayUnreachable):
            with suppress(WalletConnectFailed):
                await self._forget(channel)
            raise

    # What comes in

    async def _stay(self) -> None:
        """Be at the relay; when it turns the wallet away, that is the end of every session."""
        await self._relay.run()
        for session in tuple(self.sessions):
            session.lose()

    async def _attend(self) -> None:
        """Answer every question beside the others: a signature may take its time."""
        async with asyncio.TaskGroup() as group:
            while True:
                topic, envelope = await self._inbox.get()
                channel, hear = self._heard.get(topic, (None, None))
                question = channel.take(envelope) if channel else None
                if question is not None and hear is not None:
                    group.create_task(self._answer(hear, question))

    async def _answer(self, hear: Callable[[Question], Awaitable[None]], question: Question) -> None:
        with suppress(WalletConnectFailed):  # no relay to answer by: the app asks again, or gives up
            await hear(question)

    def _channel(self, topic: str, key: bytes) -> Channel:
        return Channel(self._relay, topic, key, self._ids, self._random, self._timeout)

    async def _forget(self, channel: Channel) -> None:
        if self._heard.pop(channel.topic, None) is not None:
            await channel.close()

    # Proposals

    async def _agree(self, channel: Channel, question: Question) -> WalletSession:
        """Grant what is proposed and settle. Raises Refused before the app was told anything."""
        granted = grant(question.params, self._wallet.chain_ids, self._wallet.chain_id)
        own, (peer, app) = self._random(_KEY), _proposer(question.params)
        try:
            key = shared_key(own, peer)
        except ValueError:
            raise Refused(Code.INVALID_PARAMS, "The proposer's key is none") from None
        await self._consent()
        session_channel = self._channel(topic_of(key), key)
        session = WalletSession(
            self._wallet, session_channel, granted, app, self._now() + self._lifetime, self._now, self._over
        )
        self._heard[session.topic] = session_channel, session.hear
        responder = public_key(own).hex()
        await channel.answer(question, {"relay": {"protocol": "irn"}, "responderPublicKey": responder})
        try:
            await session.begin({"publicKey": responder, "metadata": self._metadata})
        except AppFailed:
            await self._forget(session_channel)
            raise
        self.sessions.append(session)
        return session

    async def _consent(self) -> None:
        """Ask the wallet, which decides on connecting as it does before a page. Raises Refused."""
        if self._rejections:
            raise self._rejections.pop(0)
        try:
            await self._wallet.answer("eth_requestAccounts", [])
        except WalletRefused as refused:
            raise Refused(Code.USER_REJECTED, refused.message) from None

    def _over(self, session: WalletSession) -> None:
        if session in self.sessions:
            self.sessions.remove(session)


def _check_url(url: str) -> None:
    try:
        if urlsplit(url).scheme in ("ws", "wss") and urlsplit(url).hostname:
            return
    except ValueError:
        pass
    raise BadInput("This is no URL of a relay.", f"Give one like {DEFAULT_RELAY}.")


def _proposer(params: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The app's public key, and what it says of itself."""
    proposer = params.get("proposer")
    if not isinstance(proposer, dict):
        raise Refused(Code.INVALID_PARAMS, "The proposal has no proposer")
    metadata = proposer.get("metadata")
    try:
        return bytes.fromhex(proposer["publicKey"]), metadata if isinstance(metadata, dict) else {}
    except (KeyError, TypeError, ValueError):
        raise Refused(Code.INVALID_PARAMS, "The proposer's key is none") from None
