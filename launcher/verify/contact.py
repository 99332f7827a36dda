"""The hand that asks the server: within a budget, as the account, as its bot, or as nobody.

What the server refuses is an answer like any other. A flood wait, a lost account or a lost connection ends
the whole verification: they are raised.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import SecretStr
from telethon import TelegramClient
from telethon.tl import functions, types

from flows import AccountLost, Bot, FloodWait, MiniAppError, NotConnected, RpcFailed, Transient, WebView, call
from flows.errors import method_name
from launcher.budget import Budget
from launcher.inspection.checks import token_of
from launcher.launcher import Launcher
from launcher.masks import tl_name
from launcher.tracing import Exchange, traced
from launcher.verify.findings import Opened
from launcher.verify.second_client import SecondClient

__all__ = ["ENDING", "STRANGER", "Contact", "Seen", "Untested", "custom_method", "read_json", "varied"]

ENDING = (FloodWait, AccountLost, NotConnected)
"""After one of these nothing more is asked."""
STRANGER = types.InputPeerUser(1, 1)
"""A peer that no account can name: the access hash is wrong."""
_PATIENCE = 60.0


class Untested(Exception):
    """There is nothing to see here, for the reason in the text."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether the assumption holds, by which exchange, and what is to be seen in it."""

    holds: bool
    exchange: Exchange
    what: str

    @classmethod
    def refused(cls, exchange: Exchange, name: str | None = None) -> Self:
        """It holds if the request was refused, with this error if one is named."""
        failure = exchange.failure
        holds = failure is not None and name in (None, getattr(failure, "name", None))
        return cls(holds, exchange, _said(exchange))

    @classmethod
    def taken(cls, exchange: Exchange) -> Self:
        """It holds if the request was not refused."""
        return cls(exchange.failure is None, exchange, _said(exchange))


def varied(request: Any, **changes: Any) -> Any:
    """The same request with other parameters."""
    other = copy.copy(request)
    for name, value in changes.items():
        setattr(other, name, value)
    return other


def custom_method(bot: Bot, method: str, **params: Any) -> Any:
    """What a page of the bot asks of the servers themselves (`bots.invokeWebViewCustomMethod`)."""
    told = types.DataJSON(json.dumps(params))
    return functions.bots.InvokeWebViewCustomMethodRequest(bot.input_user, method, told)


def read_json(exchange: Exchange) -> Any:
    """What a custom method answered; None when it is no JSON, or was refused."""
    try:
        return json.loads(exchange.answer.data)
    except (AttributeError, ValueError):
        return None


class Contact:
    """One account, one bot, what the bot offers (`opened`), and what may be asked of the server."""

    def __init__(self, launcher: Launcher, bot: Bot, budget: Budget, second: SecondClient) -> None:
        self.launcher, self.bot, self.budget = launcher, bot, budget
        self.opened: Sequence[Opened] = ()
        self.requests = 0
        self._second = second

    # What the bot offers

    def request(self, *flows: str) -> Any:
        """The request that opened the first of these flows, to be varied. Raises Untested."""
        return self.offer(*flows).request

    def offer(self, *flows: str) -> Exchange:
        """The exchange that opened the first of these flows that was opened. Raises Untested."""
        for flow in flows:
            for one in self.opened:
                if one.flow == flow and one.exchange is not None:
                    return one.exchange
        raise Untested(f"it takes an app of the bot by {' or '.join(map(_spoken, flows))}")

    # Asking

    async def ask(self, request: Any) -> Exchange:
        """Ask as the account."""
        return await self._asked(self.launcher.client, request)

    async def ask_as_bot(self, request: Any) -> Exchange:
        """Ask as the bot. Raises Untested when its token is not known."""
        return await self._asked(await self._bot(), request)

    async def ask_as_nobody(self, request: Any) -> Exchange:
        """Ask without being signed in, with a key of its own."""
        return await self._asked(await self._second.nobody(), request)

    async def answered(self, request: Any, *, as_bot: bool = False) -> Exchange:
        """What has to be answered, for there is nothing to see in a refusal. Raises Untested when it is
        refused."""
        exchange = await (self.ask_as_bot(request) if as_bot else self.ask(request))
        if exchange.failure is not None:
            raise Untested(f"{exchange.method} was refused: {_said(exchange)}")
        return exchange

    async def needed(self, request: Any, *, as_bot: bool = False) -> Any:
        """The answer to a request that only prepares. Raises Untested when it is refused."""
        return (await self.answered(request, as_bot=as_bot)).answer

    async def web_view(self, request: Any) -> tuple[WebView, Exchange]:
        """A web view that has to open. Raises Untested when it does not."""
        exchange = await self.answered(request)
        return WebView.from_result(exchange.answer), exchange

    async def _asked(self, client: TelegramClient, request: Any) -> Exchange:
        await self.budget.take(1)
        self.requests += 1
        with traced() as exchanges:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await call(client, request)
            except TimeoutError:
                raise NotConnected(method_name(request)) from None
            except ENDING:
                raise
            except Transient as failure:
                raise Untested(f"the server was in trouble: {failure.meaning}") from None
            except RpcFailed:
                pass
        return exchanges[-1]

    def spend(self, requests: int) -> None:
        """Count requests that others have made for this verification."""
        self.requests += requests
        self.budget.spend(requests)

    # The bot itself

    async def user_for_bot(self) -> Any:
        """The account, as its bot names it. Raises Untested for an account without a user name."""
        me = await self.needed(functions.users.GetUsersRequest([types.InputUserSelf()]))
        if not me[0].username:
            raise Untested("the account has no user name, by which the bot could name it")
        found = await self.needed(functions.contacts.ResolveUsernameRequest(me[0].username), as_bot=True)
        return types.InputUser(found.users[0].id, found.users[0].access_hash)

    async def _bot(self) -> TelegramClient:
        token = token_of(self.launcher, self.bot.id)
        if token is None or token.partition(":")[0] != str(self.bot.id):
            raise Untested("it takes the bot's token: set TELEGRAM_BOT_TOKEN")
        with traced() as exchanges:
            try:
                return await self._second.bot(SecretStr(token))
            except ENDING:
                raise
            except MiniAppError as failure:
                raise Untested(f"the bot cannot sign in: {failure.meaning}") from None
            finally:
                self.spend(len(exchanges))


def _said(exchange: Exchange) -> str:
    """The error, or what kind of answer it was."""
    failure = exchange.failure
    if isinstance(failure, RpcFailed):
        return f"{failure.code} {failure.name}"
    if failure is not None:
        return failure.meaning
    answer = exchange.answer
    return str(answer).lower() if isinstance(answer, bool | None) else f"answered with {_kind(answer)}"


def _kind(answer: Any) -> str:
    return "a list" if isinstance(answer, list) else tl_name(answer)


def _spoken(flow: str) -> str:
    return flow.replace("_", " ")
