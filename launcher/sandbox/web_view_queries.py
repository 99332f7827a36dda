"""Open web views that a bot may still answer: each has a number, a text for the page, and a time to live.

A client keeps one alive with `messages.prolongWebView` once a minute; a bot ends it with its answer. Nothing
runs in the background: whether one is over is looked up when somebody names it.
Documentation: core.telegram.org/api/bots/webapps, core.telegram.org/method/messages.prolongWebView.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from launcher.sandbox.launch_url import query_id_text
from launcher.sandbox.placement import Placement

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["WebViewQueries", "WebViewQuery"]


@dataclass(slots=True)
class WebViewQuery:
    """`id` is what the client knows, `text` what the page and the bot know; `ends_at` a time of `now()`."""

    id: int
    text: str
    user: int
    bot: int
    peer: int
    place: Placement
    ends_at: float


class WebViewQueries:
    """The open web views of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._by_id: dict[int, WebViewQuery] = {}
        self._by_text: dict[str, WebViewQuery] = {}

    def open(self, user: int, bot: int, peer: int, place: Placement) -> WebViewQuery:
        number = self._sandbox.random.getrandbits(64) - (1 << 63)
        query = WebViewQuery(number, query_id_text(user, number), user, bot, peer, place, self._end())
        self._by_id[query.id] = self._by_text[query.text] = query
        return query

    def of_user(self, query_id: int, user: int) -> WebViewQuery | None:
        """The user's web view of that number, unless it is over."""
        query = self._live(self._by_id.get(query_id))
        return query if query is not None and query.user == user else None

    def of_bot(self, text: str, bot: int) -> WebViewQuery | None:
        """The bot's web view of that text, unless it is over."""
        query = self._live(self._by_text.get(text))
        return query if query is not None and query.bot == bot else None

    def prolong(self, query: WebViewQuery, place: Placement) -> None:
        query.place = place
        query.ends_at = self._end()

    def end(self, query: WebViewQuery) -> None:
        del self._by_id[query.id], self._by_text[query.text]

    def _end(self) -> float:
        return self._sandbox.now() + self._sandbox.query_lifetime + self._sandbox.query_grace

    def _live(self, query: WebViewQuery | None) -> WebViewQuery | None:
        if query is not None and self._sandbox.now() > query.ends_at:
            self.end(query)
            return None
        return query
