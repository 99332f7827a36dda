"""Messages that a bot prepares for a user of its Mini App to share: saved by the bot, fetched by the client.

What is fetched is sent like any other inline result, with messages.sendInlineBotResult, and only once.
Documentation: core.telegram.org/api/bots/inline, and the page of each method.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.inline_queries import InlineAnswered, InlineQueries
from launcher.sandbox.inline_results import shown, text_of
from launcher.sandbox.messages import moment
from launcher.sandbox.peers import bot_named, render_all, user_named
from launcher.sandbox.prepared import Prepared, PreparedMessage
from launcher.sandbox.rpc import Call, RpcError, handles

__all__: list[str] = []

_EVERY_KIND = (
    types.InlineQueryPeerTypePM, types.InlineQueryPeerTypeBotPM, types.InlineQueryPeerTypeSameBotPM,
    types.InlineQueryPeerTypeChat, types.InlineQueryPeerTypeMegagroup, types.InlineQueryPeerTypeBroadcast,
)  # fmt: skip


@handles(
    functions.messages.SavePreparedInlineMessageRequest,
    docs="core.telegram.org/method/messages.savePreparedInlineMessage",
    errors=("RESULT_ID_INVALID", "USER_BOT_REQUIRED", "USER_ID_INVALID"),
)
async def save_prepared_inline_message(call: Call) -> Any:
    bot, user = calling_bot(call), user_named(call, call.request.user_id)
    if not 1 <= len(call.request.result.id.encode()) <= 64:
        raise RpcError(400, "RESULT_ID_INVALID")
    text_of(call, call.request.result)
    kinds = call.request.peer_types
    if kinds is None and call.sandbox.assumptions.holds("prepared_messages_without_kinds_go_anywhere"):
        kinds = [kind() for kind in _EVERY_KIND]
    message = call.sandbox.part(Prepared).add_message(bot.id, user.id, call.request.result, kinds or [])
    return types.messages.BotPreparedInlineMessage(id=message.id, expire_date=moment(message.ends_at))


@handles(
    functions.messages.GetPreparedInlineMessageRequest,
    docs="core.telegram.org/method/messages.getPreparedInlineMessage",
    errors=("ID_EXPIRED", "ID_INVALID"),
)
async def get_prepared_inline_message(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.bot, "ID_INVALID")
    message = call.sandbox.part(Prepared).message(call.request.id, bot.id, user.id)
    if message is None:
        raise RpcError(400, "ID_INVALID")
    _check_usable(call, message)
    queries = call.sandbox.part(InlineQueries)
    query = queries.open(user.id, bot.id, prepared=message.id)
    queries.answer(query, InlineAnswered({message.result.id: message.result}))
    users, _ = render_all(call.sandbox, user.id, {bot.id})
    return types.messages.PreparedInlineMessage(
        query_id=query.id,
        result=shown(call, message.result),
        peer_types=message.peer_types,
        cache_time=int(message.ends_at - call.sandbox.now()),
        users=users,
    )


def _check_usable(call: Call, message: PreparedMessage) -> None:
    if message.sent:
        name = "a_sent_prepared_message_is_expired"
        holds = call.sandbox.assumptions.holds(name)
        raise RpcError(400, "ID_EXPIRED" if holds else "ID_INVALID", name)
    if call.sandbox.part(Prepared).is_over(message):
        raise RpcError(400, "ID_EXPIRED")
