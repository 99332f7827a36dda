"""`updates.*`: where an account stands, and what it has missed."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.difference import channel_difference, difference, state
from launcher.sandbox.mailbox import Mailbox
from launcher.sandbox.peers import peer_named
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Channel

__all__ = ["get_channel_difference", "get_difference", "get_state"]


@handles(functions.updates.GetStateRequest, docs="core.telegram.org/method/updates.getState")
async def get_state(call: Call) -> Any:
    return state(call.sandbox, call.me.id)


@handles(
    functions.updates.GetDifferenceRequest,
    docs="core.telegram.org/method/updates.getDifference",
    errors=("PERSISTENT_TIMESTAMP_EMPTY", "PERSISTENT_TIMESTAMP_INVALID"),
)
async def get_difference(call: Call) -> Any:
    request, mailbox = call.request, call.sandbox.part(Mailbox)
    answer = difference(
        call.sandbox,
        call.me.id,
        request.pts,
        since=request.date.timestamp() if request.date else 0.0,
        at_most=request.pts_total_limit or None,
        kept=mailbox.kept_for(call.key),
    )
    if not isinstance(answer, types.updates.DifferenceTooLong):
        mailbox.told(call.key)
    return answer


@handles(
    functions.updates.GetChannelDifferenceRequest,
    docs="core.telegram.org/method/updates.getChannelDifference",
    errors=(
        "CHANNEL_INVALID",
        "CHANNEL_PRIVATE",
        "PERSISTENT_TIMESTAMP_EMPTY",
        "PERSISTENT_TIMESTAMP_INVALID",
    ),
)
async def get_channel_difference(call: Call) -> Any:
    """Open to members, and to everybody where the channel has a user name."""
    channel = peer_named(call, call.request.channel, "CHANNEL_INVALID")
    if not isinstance(channel, Channel):
        raise RpcError(400, "CHANNEL_INVALID")
    if call.me.id not in channel.members and channel.username is None:
        raise RpcError(400, "CHANNEL_PRIVATE")
    return channel_difference(call.sandbox, call.me.id, channel, call.request.pts, call.request.limit)
