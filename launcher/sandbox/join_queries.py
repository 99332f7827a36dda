"""Requests to join a guarded channel: the query its guard bot is asked, and what became of it.

Documentation: core.telegram.org/method/bots.setJoinChatResults,
core.telegram.org/constructor/updateBotChatInviteRequester.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["JoinQueries", "JoinQuery"]


@dataclass(slots=True)
class JoinQuery:
    """`first` is the guard's first word, for which the joining user waits; `url` the app it has named."""

    id: int
    user: int
    bot: int
    channel: int
    first: asyncio.Future[Any] = field(repr=False)
    url: str | None = None


class JoinQueries:
    """The open join queries of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._by_id: dict[int, JoinQuery] = {}

    def open(self, user: int, bot: int, channel: int) -> JoinQuery:
        number = self._sandbox.random.getrandbits(63)
        first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._by_id[number] = query = JoinQuery(number, user, bot, channel, first)
        return query

    def of_user(self, query_id: int, user: int) -> JoinQuery | None:
        query = self._by_id.get(query_id)
        return query if query is not None and query.user == user else None

    def of_bot(self, query_id: int, bot: int) -> JoinQuery | None:
        query = self._by_id.get(query_id)
        return query if query is not None and query.bot == bot else None

    def end(self, query: JoinQuery) -> None:
        self._by_id.pop(query.id, None)
