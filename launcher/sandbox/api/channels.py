"""Channels, supergroups and groups as such: what they are, who guards them, as whom one may write there.

Documentation: core.telegram.org/api/channel, and the page of each method.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.api.history import readable
from launcher.sandbox.peers import peer_named, render, render_all, tl_peer
from launcher.sandbox.placement import authors
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Channel, Group

__all__: list[str] = []


@handles(
    functions.channels.GetChannelsRequest,
    docs="core.telegram.org/method/channels.getChannels",
    errors=("CHANNEL_INVALID",),
)
async def get_channels(call: Call) -> Any:
    named = [peer_named(call, name, "CHANNEL_INVALID") for name in call.request.id]
    return types.messages.Chats(chats=[render(call.sandbox, call.me.id, channel) for channel in named])


@handles(functions.messages.GetChatsRequest, docs="core.telegram.org/method/messages.getChats")
async def get_chats(call: Call) -> Any:
    """The basic groups of these ids that the caller is in; others are left out."""
    world, me = call.sandbox.world, call.me.id
    known = [peer for number in call.request.id if isinstance(peer := world.get(number), Group)]
    shown = [render(call.sandbox, me, group) for group in known if me in group.members]
    return types.messages.Chats(chats=shown)


@handles(
    functions.channels.GetFullChannelRequest,
    docs="core.telegram.org/method/channels.getFullChannel",
    errors=("CHANNEL_INVALID", "CHANNEL_PRIVATE"),
)
async def get_full_channel(call: Call) -> Any:
    channel = readable(call, peer_named(call, call.request.channel, "CHANNEL_INVALID"), "CHANNEL_PRIVATE")
    if not isinstance(channel, Channel):
        raise RpcError(400, "CHANNEL_INVALID")
    box = call.sandbox.world.boxes[channel.id]
    top = max(box.messages, default=0)
    full = types.ChannelFull(
        id=channel.id,
        about="",
        read_inbox_max_id=top,
        read_outbox_max_id=top,
        unread_count=0,
        chat_photo=types.PhotoEmpty(channel.id),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=box.pts,
        participants_count=len(channel.members),
        slowmode_seconds=channel.slow_mode or None,
        default_send_as=_default_author(call, channel),
        guard_bot_id=channel.guard_bot,
    )
    spoken_of = {channel.id} | ({channel.guard_bot} if channel.guard_bot is not None else set())
    users, chats = render_all(call.sandbox, call.me.id, spoken_of)
    return types.messages.ChatFull(full_chat=full, chats=chats, users=users)


@handles(
    functions.messages.GetFullChatRequest,
    docs="core.telegram.org/method/messages.getFullChat",
    errors=("CHAT_ID_INVALID",),
)
async def get_full_chat(call: Call) -> Any:
    group = call.sandbox.world.get(call.request.chat_id)
    if not isinstance(group, Group) or call.me.id not in group.members:
        raise RpcError(400, "CHAT_ID_INVALID")
    members = sorted(group.members)
    founder, others = members[0], members[1:]
    entries = [types.ChatParticipantCreator(founder)]
    entries += [types.ChatParticipant(member, founder, None) for member in others]
    full = types.ChatFull(
        id=group.id,
        about="",
        participants=types.ChatParticipants(group.id, entries, version=1),
        notify_settings=types.PeerNotifySettings(),
    )
    users, chats = render_all(call.sandbox, call.me.id, {group.id, *members})
    return types.messages.ChatFull(full_chat=full, chats=chats, users=users)


@handles(
    functions.channels.GetSendAsRequest,
    docs="core.telegram.org/method/channels.getSendAs",
    errors=("PEER_ID_INVALID",),
)
async def get_send_as(call: Call) -> Any:
    found = authors(call, readable(call, peer_named(call, call.request.peer), "PEER_ID_INVALID"))
    users, chats = render_all(call.sandbox, call.me.id, set(found))
    peers = [types.SendAsPeer(tl_peer(call.sandbox.world[author])) for author in found]
    return types.channels.SendAsPeers(peers=peers, chats=chats, users=users)


def _default_author(call: Call, channel: Channel) -> Any:
    """The channel itself for its admins, and nobody in particular for others."""
    return tl_peer(channel) if channel.id in authors(call, channel) else None
