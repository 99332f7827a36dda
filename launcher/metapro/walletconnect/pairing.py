"""A pairing: what an app and a wallet say before there is a session.

The app proposes one, and the wallet agrees or rejects. An app of today begins with signing in at once
(`wc_sessionAuthenticate`) if it wants that; it is told that this wallet does not have it, and its proposal
comes as well.
Documentation: specs.walletconnect.com/2.0/specs/clients/core/pairing
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from launcher.metapro.walletconnect.channel import Channel, Question
from launcher.metapro.walletconnect.errors import NoProposal, ProposalRejected, WalletConnectFailed
from launcher.metapro.walletconnect.methods import REJECTED, Code, Refused
from launcher.metapro.walletconnect.sessions import WalletSession

__all__ = ["Pairing"]


class Pairing:
    """One pairing. `agree` settles a session or raises Refused; `forget` is called when the app ends it."""

    def __init__(
        self,
        channel: Channel,
        agree: Callable[[Channel, Question], Awaitable[WalletSession]],
        forget: Callable[[Channel], Awaitable[None]],
    ) -> None:
        self._channel = channel
        self._agree = agree
        self._forget = forget
        self._proposed = asyncio.Event()
        self._first: asyncio.Future[WalletSession] = asyncio.get_running_loop().create_future()

    async def session(self, patience: float) -> WalletSession:
        """What comes of the first proposal, if there is one within so many seconds. Raises NoProposal,
        ProposalRejected, AppFailed."""
        try:
            async with asyncio.timeout(patience):
                await self._proposed.wait()
        except TimeoutError:
            raise NoProposal(patience) from None
        return await self._first

    async def hear(self, question: Question) -> None:
        """Answer a question of the app."""
        match question.method:
            case "wc_sessionPropose":
                self._proposed.set()
                await self._decide(question)
            case "wc_pairingPing":
                await self._channel.answer(question, True)
            case "wc_pairingDelete":
                await self._channel.answer(question, True)
                await self._forget(self._channel)
            case _:
                reason = "Unsupported wc_ method"
                await self._channel.refuse(question, Code.UNSUPPORTED_WC_METHOD, reason)

    async def _decide(self, question: Question) -> None:
        try:
            self._settle(await self._agree(self._channel, question))
        except Refused as refused:
            try:
                await self._channel.refuse(question, refused.code, refused.reason, label=REJECTED)
            finally:
                self._settle(ProposalRejected(refused.code, refused.reason))
        except WalletConnectFailed as failure:
            self._settle(failure)

    def _settle(self, outcome: WalletSession | WalletConnectFailed) -> None:
        if self._first.done():
            return
        if isinstance(outcome, WalletSession):
            self._first.set_result(outcome)
        else:
            self._first.set_exception(outcome)
