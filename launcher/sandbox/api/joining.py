"""Joining channels and groups: by name, by invite link, and past a bot that guards the entrance.

A guard bot that is connected is asked and the joining user waits for its first word, `bot_timeout` seconds at
most. Its word may be an app, which the user then opens; the decision follows as
updateJoinChatWebViewDecision. A guard that is away shows the app the world names for it (`guard_url`).
Documentation: core.telegram.org/method/channels.joinChannel,
core.telegram.org/method/messages.importChatInvite, core.telegram.org/method/bots.setJoinChatResults.
"""

from __future__ import annotations

import asyncio
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.join_queries import JoinQueries, JoinQuery
from launcher.sandbox.messages import moment
from launcher.sandbox.peers import peer_named, render, render_all, tl_peer
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Channel, User

__all__: list[str] = []


@handles(
    functions.channels.JoinChannelRequest,
    docs="core.telegram.org/method/channels.joinChannel",
    errors=("CHANNEL_INVALID", "CHANNEL_PRIVATE", "INVITE_REQUEST_SENT", "USER_ALREADY_PARTICIPANT"),
)
async def join_channel(call: Call) -> Any:
    channel = peer_named(call, call.request.channel, "CHANNEL_INVALID")
    if not isinstance(channel, Channel):
        raise RpcError(400, "CHANNEL_INVALID")
    if channel.username is None:
        raise RpcError(400, "CHANNEL_PRIVATE")
    return await _join(call, channel)


@handles(
    functions.messages.ImportChatInviteRequest,
    docs="core.telegram.org/method/messages.importChatInvite",
    errors=("INVITE_HASH_EMPTY", "INVITE_HASH_EXPIRED", "INVITE_REQUEST_SENT", "USER_ALREADY_PARTICIPANT"),
)
async def import_chat_invite(call: Call) -> Any:
    return await _join(call, _invited_to(call))


@handles(
    functions.messages.CheckChatInviteRequest,
    docs="core.telegram.org/method/messages.checkChatInvite",
    errors=("INVITE_HASH_EMPTY", "INVITE_HASH_EXPIRED"),
)
async def check_chat_invite(call: Call) -> Any:
    channel, user = _invited_to(call), person(call)
    if user.id in channel.members:
        return types.ChatInviteAlready(chat=render(call.sandbox, user.id, channel))
    return types.ChatInvite(
        title=channel.title,
        photo=types.PhotoEmpty(channel.id),
        participants_count=len(channel.members),
        color=channel.id % 7,
        channel=True,
        broadcast=channel.kind == "channel",
        megagroup=channel.kind == "supergroup",
        public=channel.username is not None,
        request_needed=channel.guard_bot is not None,
    )


@handles(
    functions.bots.SetJoinChatResultsRequest,
    docs="core.telegram.org/method/bots.setJoinChatResults",
    errors=("BOT_GUARD_NOT_SUPPORTED", "USER_BOT_REQUIRED"),
)
async def set_join_chat_results(call: Call) -> bool:
    bot, queries = calling_bot(call), call.sandbox.part(JoinQueries)
    if not bot.guard:
        raise RpcError(403, "BOT_GUARD_NOT_SUPPORTED")
    query = queries.of_bot(call.request.query_id, bot.id)
    if query is None:
        name = "a_decided_join_query_is_over"
        if call.sandbox.assumptions.holds(name):
            raise RpcError(400, "QUERY_ID_INVALID", name)
        return True
    result = call.request.result
    _apply(call, queries, query, result)
    if query.first.done():
        _tell(call, query, result)
    else:
        query.first.set_result(result)
    return True


async def _join(call: Call, channel: Channel) -> Any:
    user = person(call)
    if user.id in channel.members:
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    if channel.guard_bot is None:
        channel.members.add(user.id)
        return _joined(call, channel)
    queries = call.sandbox.part(JoinQueries)
    query = queries.open(user.id, channel.guard_bot, channel.id)
    if not call.sandbox.connected(channel.guard_bot):
        return _answer(call, channel, query, _word_of_an_absent_guard(call, queries, query))
    _ask(call, channel, query, user)
    return _answer(call, channel, query, await _first_word(call, queries, query))


def _ask(call: Call, channel: Channel, query: JoinQuery, user: User) -> None:
    """The guard learns who wants to join which channel, and under which number to answer."""
    date = moment(call.sandbox.now())
    update = types.UpdateBotChatInviteRequester(
        peer=tl_peer(channel),
        date=date,
        user_id=user.id,
        about="",
        invite=types.ChatInvitePublicJoinRequests()
        if channel.invite_hash is None
        else _invite(channel, date),
        qts=0,
        query_id=query.id,
    )
    users, chats = render_all(call.sandbox, query.bot, {user.id, channel.id})
    call.sandbox.push(query.bot, [update], users=users, chats=chats)


def _invite(channel: Channel, date: Any) -> Any:
    link = f"https://t.me/+{channel.invite_hash}"
    admin = min(channel.admins, default=0)
    return types.ChatInviteExported(link=link, admin_id=admin, date=date, request_needed=True)


async def _first_word(call: Call, queries: JoinQueries, query: JoinQuery) -> Any:
    try:
        return await asyncio.wait_for(query.first, call.sandbox.bot_timeout)
    except TimeoutError:
        queries.end(query)
        name = "a_silent_guard_times_out"
        if call.sandbox.assumptions.holds(name):
            raise RpcError(400, "JOIN_GUARD_TIMEOUT", name) from None
        _queue(call, query)
        raise RpcError(400, "INVITE_REQUEST_SENT") from None


def _word_of_an_absent_guard(call: Call, queries: JoinQueries, query: JoinQuery) -> Any:
    channel = _channel_of(call, query)
    if channel.guard_url is not None:
        word = types.JoinChatBotResultWebView(url=channel.guard_url)
    elif call.sandbox.assumptions.holds("an_absent_guard_queues_requests"):
        word = types.JoinChatBotResultQueued()
    else:
        queries.end(query)
        raise RpcError(400, "JOIN_GUARD_TIMEOUT", "an_absent_guard_queues_requests")
    _apply(call, queries, query, word)
    query.first.set_result(word)
    return word


def _apply(call: Call, queries: JoinQueries, query: JoinQuery, result: Any) -> None:
    """What a guard's word does to the channel and to the query."""
    channel = _channel_of(call, query)
    match result:
        case types.JoinChatBotResultWebView():
            query.url = result.url
            return
        case types.JoinChatBotResultApproved():
            channel.requests.discard(query.user)
            channel.members.add(query.user)
        case types.JoinChatBotResultQueued():
            _queue(call, query)
        case _:
            channel.requests.discard(query.user)
    queries.end(query)


def _queue(call: Call, query: JoinQuery) -> None:
    _channel_of(call, query).requests.add(query.user)


def _answer(call: Call, channel: Channel, query: JoinQuery, word: Any) -> Any:
    """What the joining user is answered after the guard's first word."""
    match word:
        case types.JoinChatBotResultWebView():
            users, _ = render_all(call.sandbox, query.user, {query.bot})
            return types.messages.ChatInviteJoinResultWebView(
                bot_id=query.bot, query_id=query.id, users=users
            )
        case types.JoinChatBotResultApproved():
            return _joined(call, channel)
        case types.JoinChatBotResultQueued():
            raise RpcError(400, "INVITE_REQUEST_SENT")
    name = "a_declined_join_is_invite_request_declined"
    holds = call.sandbox.assumptions.holds(name)
    raise RpcError(400, "INVITE_REQUEST_DECLINED" if holds else "CHANNEL_PRIVATE", name)


def _tell(call: Call, query: JoinQuery, result: Any) -> None:
    """The decision after the app was opened, for the user who waits in it."""
    channel = _channel_of(call, query)
    update = types.UpdateJoinChatWebViewDecision(tl_peer(channel), query.id, result)
    users, chats = render_all(call.sandbox, query.user, {query.bot, channel.id})
    mailbox.notify(call.sandbox, query.user, update, users=users, chats=chats)


def _joined(call: Call, channel: Channel) -> Any:
    news = [types.UpdateChannel(channel.id)]
    updates = mailbox.updates_for(call.sandbox, call.me.id, more=news, also=[channel.id])
    return types.messages.ChatInviteJoinResultOk(updates=updates)


def _invited_to(call: Call) -> Channel:
    if not call.request.hash:
        raise RpcError(400, "INVITE_HASH_EMPTY")
    found = next((item for item in _channels(call) if item.invite_hash == call.request.hash), None)
    if found is None:
        raise RpcError(400, "INVITE_HASH_EXPIRED")
    return found


def _channels(call: Call) -> list[Channel]:
    return [peer for peer in call.sandbox.world.peers.values() if isinstance(peer, Channel)]


def _channel_of(call: Call, query: JoinQuery) -> Channel:
    channel = call.sandbox.world[query.channel]
    assert isinstance(channel, Channel)
    return channel
