"""Inline queries: what was asked of a bot, the bot's answer, and the web-view button above it.

Documentation: core.telegram.org/api/bots/inline, core.telegram.org/method/messages.setInlineBotResults.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from launcher.sandbox.world import Bot

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["InlineAnswered", "InlineQueries", "InlineQuery"]


@dataclass(frozen=True, slots=True)
class InlineAnswered:
    """A bot's answer: its results by id, in order, as the bot sent them (`inputBotInlineResult`)."""

    results: dict[str, Any]
    next_offset: str | None = None
    switch_webview: Any = None
    cache_time: int = 0


@dataclass(slots=True)
class InlineQuery:
    """A query somebody typed; `answer` is set by the bot, once.

    A prepared message is one that nobody typed: `prepared` is its id.
    """

    id: int
    user: int
    bot: int
    answer: asyncio.Future[InlineAnswered] = field(repr=False)
    prepared: str | None = None


class InlineQueries:
    """The inline queries of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._by_id: dict[int, InlineQuery] = {}
        self._switch_urls: set[tuple[int, str]] = set()

    def open(self, user: int, bot: int, prepared: str | None = None) -> InlineQuery:
        number = self._sandbox.random.getrandbits(63)
        answer: asyncio.Future[InlineAnswered] = asyncio.get_running_loop().create_future()
        self._by_id[number] = query = InlineQuery(number, user, bot, answer, prepared)
        return query

    def get(self, query_id: int) -> InlineQuery | None:
        return self._by_id.get(query_id)

    def answer(self, query: InlineQuery, answered: InlineAnswered) -> None:
        query.answer.set_result(answered)
        if answered.switch_webview is not None:
            self._switch_urls.add((query.bot, answered.switch_webview.url))

    def switch_urls(self, bot: Bot) -> set[str]:
        """Addresses of web-view buttons the bot has shown above inline results."""
        return {url for owner, url in self._switch_urls if owner == bot.id}
