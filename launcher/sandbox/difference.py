"""What an account has missed: the differences between a pts it knows and the boxes as they are.

Documentation: core.telegram.org/api/updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox.messages import moment, parties, render_message
from launcher.sandbox.peers import render
from launcher.sandbox.rpc import RpcError
from launcher.sandbox.world import Box, Channel, Message

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["Kept", "channel_difference", "difference", "state"]

SLICE = 100
"""Messages in one answer to updates.getDifference, and most in one to updates.getChannelDifference."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An update without pts that somebody away has missed, with the peers it names."""

    update: Any
    users: list[Any]
    chats: list[Any]


def state(sandbox: Sandbox, account: int) -> Any:
    """The `updates.state` of an account."""
    pts = sandbox.world.boxes[account].pts
    return types.updates.State(pts=pts, qts=0, date=moment(sandbox.now()), seq=0, unread_count=0)


def _since(box: Box, pts: int) -> list[tuple[int, Message]]:
    """The messages filed after a pts, each with the pts it made; 400 for a pts the box has not reached."""
    if not 0 < pts <= box.pts:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID" if pts else "PERSISTENT_TIMESTAMP_EMPTY")
    return [
        (after, box.messages[number]) for after, number in box.log if after > pts and number in box.messages
    ]


def difference(
    sandbox: Sandbox,
    account: int,
    since_pts: int,
    *,
    since: float = 0.0,
    at_most: int | None = None,
    kept: Sequence[Kept] = (),
) -> Any:
    """The `updates.difference` of an account's own box since a pts, of its channels since a time, and of what
    was kept for one client.

    More than a slice comes in slices; more than `at_most` events come as `updates.differenceTooLong`.
    400 PERSISTENT_TIMESTAMP_EMPTY or PERSISTENT_TIMESTAMP_INVALID for a pts of 0 or one not reached yet.
    """
    box, now = sandbox.world.boxes[account], state(sandbox, account)
    news = _since(box, since_pts)
    if at_most is not None and since_pts + at_most < box.pts:
        return types.updates.DifferenceTooLong(pts=box.pts)
    shown = [message for _, message in news[:SLICE]]
    channels = _channels_with_news(sandbox, account, since)
    if not shown and not channels and not kept and since_pts == box.pts:
        return types.updates.DifferenceEmpty(date=now.date, seq=now.seq)
    users, chats = parties(sandbox, account, shown)
    users += _others(users, (user for row in kept for user in row.users))
    chats += _others(chats, (chat for row in kept for chat in row.chats))
    chats += _others(chats, (render(sandbox, account, channel) for channel in channels))
    fields = {
        "new_messages": [render_message(sandbox, account, account, message) for message in shown],
        "new_encrypted_messages": [],
        "other_updates": [
            *(row.update for row in kept),
            *(
                types.UpdateChannelTooLong(channel.id, pts=sandbox.world.boxes[channel.id].pts)
                for channel in channels
            ),
        ],
        "chats": chats,
        "users": users,
    }
    if len(news) <= SLICE:
        return types.updates.Difference(state=now, **fields)
    now.pts = news[SLICE - 1][0]
    return types.updates.DifferenceSlice(intermediate_state=now, **fields)


def _others(known: Iterable[Any], peers: Iterable[Any]) -> list[Any]:
    """Of these peers those that are not known yet, each once."""
    seen = {peer.id for peer in known}
    return list({peer.id: peer for peer in peers if peer.id not in seen}.values())


def _channels_with_news(sandbox: Sandbox, account: int, since: float) -> list[Channel]:
    if not since or not sandbox.assumptions.holds("difference_names_channels_with_news"):
        return []
    return [
        peer
        for peer in sandbox.world.peers.values()
        if isinstance(peer, Channel) and account in peer.members and _has_news(sandbox, peer, since)
    ]


def _has_news(sandbox: Sandbox, channel: Channel, since: float) -> bool:
    return any(message.date >= since for message in sandbox.world.boxes[channel.id].messages.values())


def channel_difference(
    sandbox: Sandbox, viewer: int, channel: Channel, since_pts: int, limit: int = SLICE
) -> Any:
    """The `updates.channelDifference` of one channel since a pts; everybody in it is shown in full.

    400 PERSISTENT_TIMESTAMP_EMPTY or PERSISTENT_TIMESTAMP_INVALID for a pts of 0 or one not reached yet.
    """
    box = sandbox.world.boxes[channel.id]
    news = _since(box, since_pts)
    if since_pts == box.pts:
        return types.updates.ChannelDifferenceEmpty(pts=box.pts, final=True)
    count = max(1, min(limit, SLICE))
    shown = [message for _, message in news[:count]]
    users, chats = parties(sandbox, viewer, shown)
    return types.updates.ChannelDifference(
        pts=box.pts if len(news) <= count else news[count - 1][0],
        new_messages=[render_message(sandbox, viewer, channel.id, message) for message in shown],
        other_updates=[],
        chats=chats or [render(sandbox, viewer, channel)],
        users=users,
        final=len(news) <= count,
    )
