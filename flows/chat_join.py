"""Chat-join app: what a chat guarded by a bot shows to those who want to join.

Joining answers with the guard's app instead of with the chat. The client opens it by the join request's
query id; the bot decides, Telegram sends `updateJoinChatWebViewDecision`, and the app is closed. Nothing
is prolonged.
Documentation: core.telegram.org/method/messages.requestChatJoinWebView, core.telegram.org/bots/api-changelog
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.bots import bot_from_user
from flows.cache import Bot, Cache
from flows.context import Context
from flows.errors import BadInput, CannotOpen, call
from flows.webview import OpenParameters, WebView

__all__ = ["ChatJoinApp"]


@dataclass(frozen=True, slots=True)
class ChatJoinApp:
    """`query_id` is the join request's; the decision names it again."""

    flow: ClassVar[str] = "chat_join"
    method: ClassVar[str] = "messages.requestChatJoinWebView"

    bot: Bot
    query_id: int

    @property
    def context(self) -> Context:
        return Context(self.bot.input_peer)

    @classmethod
    async def find(
        cls, client: TelegramClient, cache: Cache, *, invite: str = "", channel: Any = None
    ) -> ChatJoinApp:
        """Ask to join by an invite link's hash or an InputPeerChannel; the answer holds the guard's app.

        Raises BadInput for a person, bot or group, and CannotOpen when the chat was joined at once, for no
        guard stands before it.
        """
        joined = await call(client, _join(invite, channel))
        if not isinstance(joined, types.messages.ChatInviteJoinResultWebView):
            raise CannotOpen(
                "The chat was joined at once.", "No guard app stands before it: nothing is left to do."
            )
        user = next((user for user in joined.users if user.id == joined.bot_id), None)
        return cls(bot_from_user(user, cache, str(joined.bot_id)), joined.query_id)

    async def request(self, client: TelegramClient, parameters: OpenParameters) -> WebView:
        """`messages.requestChatJoinWebView`."""
        request = functions.messages.RequestChatJoinWebViewRequest(
            query_id=self.query_id,
            platform=parameters.platform,
            theme_params=parameters.theme_params,
        )
        return WebView.from_result(await call(client, request))


def _join(invite: str, channel: Any) -> Any:
    if invite:
        return functions.messages.ImportChatInviteRequest(hash=invite)
    if not isinstance(channel, types.InputPeerChannel):
        raise BadInput("Only channels and supergroups can be joined.", "Name one, or give its invite link.")
    named = types.InputChannel(channel.channel_id, channel.access_hash)
    return functions.channels.JoinChannelRequest(channel=named)
