"""Peers on the wire: what an account sees of others, and how it names them.

An access hash belongs to one account and one peer, as on the real servers: another account's hash is refused,
and so is the hash of a `min` user, which real servers give out for profile photos only.
Documentation: core.telegram.org/api/peers, core.telegram.org/api/min.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox.rpc import Call, RpcError
from launcher.sandbox.world import Bot, Channel, Group, Peer, User

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = [
    "Met", "access_hash", "bot_named", "emoji_status", "input_id", "peer_named", "render", "render_all",
    "tl_peer", "user_named",
]  # fmt: skip


class Met:
    """Whom each account has been shown in full; a stranger in a channel's updates comes as a `min` user."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._by_viewer: dict[int, set[int]] = {}

    def add(self, viewer: int, peer: int) -> None:
        self._by_viewer.setdefault(viewer, set()).add(peer)

    def knows(self, viewer: int, peer: int) -> bool:
        return viewer == peer or peer in self._by_viewer.get(viewer, ())


def access_hash(sandbox: Sandbox, viewer: int, peer: int, *, min_: bool = False) -> int:
    """The hash under which `viewer` may name `peer`; with `min_`, the useless one of a min user."""
    text = f"{viewer}:{peer}:{'min' if min_ else 'full'}".encode()
    digest = hashlib.blake2b(text, key=sandbox.secret, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def tl_peer(peer: Peer) -> Any:
    """`peerUser`, `peerChat` or `peerChannel`."""
    match peer:
        case Group():
            return types.PeerChat(peer.id)
        case Channel():
            return types.PeerChannel(peer.id)
    return types.PeerUser(peer.id)


def input_id(named: Any) -> int | None:
    """The bare id inside an InputPeer, InputUser or InputChannel; None for self and empty."""
    for field in ("user_id", "chat_id", "channel_id"):
        if hasattr(named, field):
            return int(getattr(named, field))
    return None


def peer_named(call: Call, named: Any, error: str = "PEER_ID_INVALID") -> Peer:
    """The peer that an InputPeer, InputUser or InputChannel names; 400 `error` for an unknown one, a wrong
    kind, an empty one or a wrong access hash."""
    if isinstance(named, types.InputPeerSelf | types.InputUserSelf):
        return call.me
    peer = call.sandbox.world.get(input_id(named) or 0)
    if peer is None or not _fits(call, named, peer):
        raise RpcError(400, error)
    return peer


def bot_named(call: Call, named: Any, error: str = "BOT_INVALID") -> Bot:
    """The bot that an InputUser names; 400 `error` for anything else."""
    peer = peer_named(call, named, error)
    if not isinstance(peer, Bot):
        raise RpcError(400, error)
    return peer


def user_named(call: Call, named: Any, error: str = "USER_ID_INVALID") -> User:
    """The person that an InputUser names; 400 `error` for anything else."""
    peer = peer_named(call, named, error)
    if not isinstance(peer, User):
        raise RpcError(400, error)
    return peer


def _fits(call: Call, named: Any, peer: Peer) -> bool:
    kinds = {
        User: (types.InputPeerUser, types.InputUser),
        Bot: (types.InputPeerUser, types.InputUser),
        Group: (types.InputPeerChat,),
        Channel: (types.InputPeerChannel, types.InputChannel),
    }
    if not isinstance(named, kinds[type(peer)]):
        return False
    if isinstance(peer, Group):
        return call.me.id in peer.members
    return bool(named.access_hash == access_hash(call.sandbox, call.me.id, peer.id))


def render_all(sandbox: Sandbox, viewer: int, ids: set[int]) -> tuple[list[Any], list[Any]]:
    """The `users` and `chats` vectors that go with an answer that speaks of these ids."""
    seen = [render(sandbox, viewer, sandbox.world[peer_id]) for peer_id in sorted(ids)]
    users = [peer for peer in seen if isinstance(peer, types.User)]
    return users, [peer for peer in seen if not isinstance(peer, types.User)]


def render(sandbox: Sandbox, viewer: int, peer: Peer, *, min_: bool = False) -> Any:
    """A peer as `viewer` sees it: `user`, `chat` or `channel`. Seen in full, the two have met (`Met`)."""
    if not min_:
        sandbox.part(Met).add(viewer, peer.id)
    match peer:
        case User():
            return _user(sandbox, viewer, peer, min_)
        case Bot():
            return _bot(sandbox, viewer, peer, min_)
        case Group():
            return _group(viewer, peer)
        case Channel():
            return _channel(sandbox, viewer, peer)


def _user(sandbox: Sandbox, viewer: int, user: User, min_: bool) -> Any:
    return types.User(
        id=user.id,
        is_self=viewer == user.id,
        min=min_,
        premium=user.premium,
        deleted=user.deleted,
        access_hash=access_hash(sandbox, viewer, user.id, min_=min_),
        first_name=user.first_name,
        last_name=user.last_name,
        username=user.username,
        phone=user.phone if viewer == user.id else None,
        emoji_status=emoji_status(sandbox, user),
    )


def emoji_status(sandbox: Sandbox, user: User) -> Any:
    """`emojiStatus`, or None when there is none or its time is over."""
    status = user.emoji_status
    if status is None or (status.until is not None and status.until <= sandbox.now()):
        return None
    until = None if status.until is None else datetime.fromtimestamp(status.until, UTC)
    return types.EmojiStatus(status.document_id, until)


def _bot(sandbox: Sandbox, viewer: int, bot: Bot, min_: bool) -> Any:
    me = sandbox.world.get(viewer)
    restricted = viewer in bot.restricted_for
    return types.User(
        id=bot.id,
        is_self=viewer == bot.id,
        bot=True,
        min=min_,
        verified=bot.verified,
        deleted=bot.deleted,
        bot_guard=bot.guard,
        restricted=restricted,
        restriction_reason=_reason() if restricted else None,
        bot_attach_menu=bot.attach_menu is not None,
        attach_menu_enabled=isinstance(me, User) and bot.id in me.attach_menu,
        bot_has_main_app=bot.main_app is not None,
        bot_info_version=1,
        bot_inline_placeholder=bot.inline_placeholder,
        access_hash=access_hash(sandbox, viewer, bot.id, min_=min_),
        first_name=bot.first_name,
        username=bot.username,
    )


def _reason() -> list[Any]:
    return [types.RestrictionReason("all", "terms", "This bot is not available to you.")]


def _group(viewer: int, group: Group) -> Any:
    return types.Chat(
        id=group.id,
        title=group.title,
        photo=types.ChatPhotoEmpty(),
        participants_count=len(group.members),
        date=datetime(2024, 1, 1, tzinfo=UTC),
        version=1,
        left=viewer not in group.members,
    )


def _channel(sandbox: Sandbox, viewer: int, channel: Channel) -> Any:
    return types.Channel(
        id=channel.id,
        title=channel.title,
        photo=types.ChatPhotoEmpty(),
        date=datetime(2024, 1, 1, tzinfo=UTC),
        left=viewer not in channel.members,
        broadcast=channel.kind == "channel",
        megagroup=channel.kind == "supergroup",
        forum=channel.forum,
        join_request=channel.guard_bot is not None,
        slowmode_enabled=channel.slow_mode > 0,
        access_hash=access_hash(sandbox, viewer, channel.id),
        username=channel.username,
        participants_count=len(channel.members),
        admin_rights=types.ChatAdminRights(post_messages=True) if viewer in channel.admins else None,
    )
