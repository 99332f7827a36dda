"""The two ways back from a Mini App: data of a keyboard-button app, and a bot's answer to a web-view query.

Documentation: core.telegram.org/api/bots/webapps, core.telegram.org/bots/api#webappdata,
core.telegram.org/bots/api#answerwebappquery.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.inline_results import post_result
from launcher.sandbox.peers import access_hash, bot_named
from launcher.sandbox.placement import check_not_repeated
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.web_view_queries import WebViewQueries, WebViewQuery
from launcher.sandbox.world import Bot, Message

__all__: list[str] = []


@handles(
    functions.messages.SendWebViewDataRequest,
    docs="core.telegram.org/method/messages.sendWebViewData",
    errors=("BOT_INVALID",),
)
async def send_web_view_data(call: Call) -> Any:
    user, bot, request = person(call), bot_named(call, call.request.bot), call.request
    _check_size(call, request.data)
    check_not_repeated(call)
    message = mailbox.post(
        call.sandbox,
        user.id,
        bot.id,
        action=types.MessageActionWebViewDataSent(text=request.button_text),
        their_action=types.MessageActionWebViewDataSentMe(text=request.button_text, data=request.data),
        besides=call.key,
        random_id=request.random_id,
    )
    return mailbox.updates_for(call.sandbox, user.id, message, random_id=request.random_id)


def _check_size(call: Call, data: str) -> None:
    name, size = "web_view_data_has_1_to_4096_bytes", len(data.encode())
    if not 1 <= size <= 4096 and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "DATA_TOO_LONG" if size else "DATA_INVALID", name)


@handles(
    functions.messages.SendWebViewResultMessageRequest,
    docs="core.telegram.org/method/messages.sendWebViewResultMessage",
    errors=("QUERY_ID_INVALID", "USER_BOT_REQUIRED"),
)
async def send_web_view_result_message(call: Call) -> Any:
    bot, queries = calling_bot(call), call.sandbox.part(WebViewQueries)
    query = queries.of_bot(call.request.bot_query_id, bot.id)
    if query is None:
        raise RpcError(400, "QUERY_ID_INVALID")
    message = _post_result(call, bot, query)
    queries.end(query)
    mailbox.notify(call.sandbox, query.user, types.UpdateWebViewResultSent(query.id))
    return types.WebViewMessageSent(msg_id=_inline_message_id(call, bot, query, message))


def _post_result(call: Call, bot: Bot, query: WebViewQuery) -> Message:
    """The message goes out in the name of the user, where the web view was opened."""
    sender = query.place.send_as or query.user
    return post_result(call, call.request.result, sender, query.peer, query.place, bot.id)


def _inline_message_id(call: Call, bot: Bot, query: WebViewQuery, message: Message) -> Any:
    """Given for messages with an inline keyboard, as for every inline message a bot may edit."""
    if not isinstance(message.markup, types.ReplyInlineMarkup):
        return None
    return types.InputBotInlineMessageID64(
        dc_id=bot.dc,
        owner_id=query.peer,
        id=message.id,
        access_hash=access_hash(call.sandbox, bot.id, message.id),
    )
