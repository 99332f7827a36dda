"""Inline mode: a query somebody types, the bot's answer, and the result that is sent.

A bot of the world with an `inline` answer gives it to every query. Any other is asked over its own connection
and has `bot_timeout` seconds for messages.setInlineBotResults.
Documentation: core.telegram.org/api/bots/inline, and the page of each method.
"""

from __future__ import annotations

import asyncio
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.inline_queries import InlineAnswered, InlineQueries, InlineQuery
from launcher.sandbox.inline_results import input_article, post_result, shown, text_of
from launcher.sandbox.keyboards import is_https
from launcher.sandbox.peers import bot_named, peer_named, render_all
from launcher.sandbox.placement import check_may_write, check_not_repeated, placement
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, Channel, Group, InlineAnswer, Peer, User

__all__: list[str] = []


@handles(
    functions.messages.GetInlineBotResultsRequest,
    docs="core.telegram.org/method/messages.getInlineBotResults",
    errors=("BOT_INLINE_DISABLED", "BOT_INVALID", "BOT_RESPONSE_TIMEOUT", "INPUT_USER_DEACTIVATED"),
)
async def get_inline_bot_results(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.bot)
    peer = _where(call)
    if bot.deleted:
        raise RpcError(400, "INPUT_USER_DEACTIVATED")
    if bot.inline_placeholder is None:
        raise RpcError(400, "BOT_INLINE_DISABLED")
    queries = call.sandbox.part(InlineQueries)
    query = queries.open(user.id, bot.id)
    if bot.inline is not None:
        queries.answer(query, _own_answer(bot.inline))
    else:
        _ask(call, bot, query, peer)
    answered = await _awaited(call, query)
    users, _ = render_all(call.sandbox, user.id, {bot.id})
    return types.messages.BotResults(
        query_id=query.id,
        results=[shown(call, result) for result in answered.results.values()],
        cache_time=answered.cache_time,
        users=users,
        next_offset=answered.next_offset,
        switch_webview=answered.switch_webview,
    )


@handles(
    functions.messages.SetInlineBotResultsRequest,
    docs="core.telegram.org/method/messages.setInlineBotResults",
    errors=(
        "QUERY_ID_INVALID", "RESULT_ID_INVALID", "SWITCH_WEBVIEW_URL_INVALID", "USER_BOT_REQUIRED",
    ),
)  # fmt: skip
async def set_inline_bot_results(call: Call) -> bool:
    bot, request = calling_bot(call), call.request
    query = call.sandbox.part(InlineQueries).get(request.query_id)
    if query is None or query.bot != bot.id or query.answer.done():
        raise RpcError(400, "QUERY_ID_INVALID")
    if request.switch_webview is not None and not is_https(request.switch_webview.url):
        raise RpcError(400, "SWITCH_WEBVIEW_URL_INVALID")
    answered = InlineAnswered(
        results=_by_id(call, request.results),
        next_offset=request.next_offset,
        switch_webview=request.switch_webview,
        cache_time=request.cache_time,
    )
    call.sandbox.part(InlineQueries).answer(query, answered)
    return True


@handles(
    functions.messages.SendInlineBotResultRequest,
    docs="core.telegram.org/method/messages.sendInlineBotResult",
    errors=(
        "CHAT_WRITE_FORBIDDEN", "INLINE_RESULT_EXPIRED", "INPUT_USER_DEACTIVATED", "MSG_ID_INVALID",
        "PEER_ID_INVALID", "PRIVACY_PREMIUM_REQUIRED", "QUERY_ID_EMPTY", "RESULT_ID_EMPTY",
        "RESULT_ID_INVALID", "SEND_AS_PEER_INVALID", "YOU_BLOCKED_USER",
    ),
)  # fmt: skip
async def send_inline_bot_result(call: Call) -> Any:
    user, request = person(call), call.request
    peer = peer_named(call, request.peer)
    if peer.id in user.blocked:
        raise RpcError(400, "YOU_BLOCKED_USER")
    check_may_write(call, peer)
    query, result = _chosen(call, user)
    place = placement(call, peer, request)
    sender = place.send_as or user.id
    check_not_repeated(call, sender)
    message = post_result(
        call, result, sender, peer.id, place, query.bot, besides=call.key, random_id=request.random_id
    )
    return mailbox.updates_for(call.sandbox, user.id, message, random_id=request.random_id)


def _where(call: Call) -> Peer | None:
    """The chat the query was typed in; clients name the empty peer when it is not to be told."""
    if isinstance(call.request.peer, types.InputPeerEmpty):
        return None
    name = "inline_queries_check_their_peer"
    try:
        return peer_named(call, call.request.peer)
    except RpcError as error:
        if call.sandbox.assumptions.holds(name):
            raise RpcError(400, "PEER_ID_INVALID", name) from error
        return None


def _own_answer(inline: InlineAnswer) -> InlineAnswered:
    button = inline.switch_webview
    return InlineAnswered(
        results={number: input_article(number, text) for number, text in inline.articles.items()},
        switch_webview=None if button is None else types.InlineBotWebView(button.text, button.url),
    )


def _ask(call: Call, bot: Bot, query: InlineQuery, peer: Peer | None) -> None:
    if not call.sandbox.connected(bot.id):
        raise RpcError(400, "BOT_RESPONSE_TIMEOUT")
    users, _ = render_all(call.sandbox, bot.id, {query.user})
    update = types.UpdateBotInlineQuery(
        query_id=query.id,
        user_id=query.user,
        query=call.request.query,
        offset=call.request.offset,
        peer_type=None if peer is None else _kind(bot, peer),
    )
    call.sandbox.push(bot.id, [update], users=users)


def _kind(bot: Bot, peer: Peer) -> Any:
    match peer:
        case Bot():
            return types.InlineQueryPeerTypeSameBotPM() if peer is bot else types.InlineQueryPeerTypeBotPM()
        case User():
            return types.InlineQueryPeerTypePM()
        case Group():
            return types.InlineQueryPeerTypeChat()
        case Channel(kind="channel"):
            return types.InlineQueryPeerTypeBroadcast()
        case Channel():
            return types.InlineQueryPeerTypeMegagroup()


async def _awaited(call: Call, query: InlineQuery) -> InlineAnswered:
    try:
        return await asyncio.wait_for(query.answer, call.sandbox.bot_timeout)
    except TimeoutError:
        raise RpcError(400, "BOT_RESPONSE_TIMEOUT") from None


def _by_id(call: Call, results: list[Any]) -> dict[str, Any]:
    """The results by id; every id has to be there, and only once."""
    ids = [result.id for result in results]
    if len(set(ids)) < len(ids) or "" in ids:
        raise RpcError(400, "RESULT_ID_INVALID")
    for result in results:
        text_of(call, result)
    return dict(zip(ids, results, strict=True))


def _chosen(call: Call, user: User) -> tuple[InlineQuery, Any]:
    request = call.request
    if not request.query_id:
        raise RpcError(400, "QUERY_ID_EMPTY")
    if not request.id:
        raise RpcError(400, "RESULT_ID_EMPTY")
    query = call.sandbox.part(InlineQueries).get(request.query_id)
    if query is None or query.user != user.id or not query.answer.done() or query.answer.cancelled():
        raise RpcError(400, "INLINE_RESULT_EXPIRED")
    results = query.answer.result().results
    if request.id not in results:
        raise RpcError(400, "RESULT_ID_INVALID")
    return query, results[request.id]
