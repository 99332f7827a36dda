"""Where a message goes within a chat: what it answers, its topic, its author, and whether it is silent.

Requests that post, and requests that open what will post later, describe it with the same four fields.
Documentation: core.telegram.org/constructor/inputReplyToMessage, core.telegram.org/api/forum,
core.telegram.org/method/channels.getSendAs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telethon.tl import types

from launcher.sandbox.mailbox import already_posted
from launcher.sandbox.messages import GENERAL_TOPIC
from launcher.sandbox.peers import peer_named
from launcher.sandbox.rpc import Call, RpcError
from launcher.sandbox.world import Channel, Group, Message, Peer, User

__all__ = ["Placement", "authors", "check_may_write", "check_not_repeated", "message_in", "placement"]


@dataclass(frozen=True, slots=True)
class Placement:
    """`send_as` is the id of the author when it is not the account itself."""

    reply_to: int | None = None
    topic: int | None = None
    send_as: int | None = None
    silent: bool = False


def placement(call: Call, peer: Peer, request: Any) -> Placement:
    """The placement a request asks for. Raises MSG_ID_INVALID and SEND_AS_PEER_INVALID."""
    reply_to, topic = _reply(call, peer, request.reply_to)
    send_as = _author(call, peer, request.send_as)
    return Placement(reply_to, topic, send_as, bool(request.silent))


def message_in(call: Call, peer: Peer, message_id: int) -> Message | None:
    """A message of this chat as the caller may name it: by its number in the box where it lies."""
    owner = peer.id if isinstance(peer, Channel) else call.me.id
    message = call.sandbox.world.boxes[owner].messages.get(message_id)
    return message if message is not None and message.chat == peer.id else None


def check_may_write(call: Call, peer: Peer) -> None:
    """Raises CHAT_WRITE_FORBIDDEN where the caller is no member, or, in a channel, no admin;
    INPUT_USER_DEACTIVATED and PRIVACY_PREMIUM_REQUIRED for a person or bot who cannot be written to."""
    if isinstance(peer, Group | Channel):
        if call.me.id not in _writers(peer):
            raise RpcError(403, "CHAT_WRITE_FORBIDDEN")
    elif peer.deleted:
        raise RpcError(400, "INPUT_USER_DEACTIVATED")
    elif isinstance(peer, User) and peer.premium_only and not _is_premium(call):
        raise RpcError(403, "PRIVACY_PREMIUM_REQUIRED")


def check_not_repeated(call: Call, sender: int | None = None) -> None:
    """500 RANDOM_ID_DUPLICATE, by assumption only, for a `random_id` that has posted a message before."""
    name, sender = "duplicate_random_id_is_silent", sender or call.me.id
    known = already_posted(call.sandbox, sender, call.request.random_id)
    if known is not None and not call.sandbox.assumptions.holds(name):
        raise RpcError(500, "RANDOM_ID_DUPLICATE", name)


def authors(call: Call, peer: Peer) -> list[int]:
    """Ids of all peers the caller may write as in this chat, itself first."""
    if not isinstance(peer, Channel):
        return [call.me.id]
    own = {peer.id} if call.me.id in peer.admins else set()
    return [call.me.id, *sorted(peer.send_as | own)]


def _is_premium(call: Call) -> bool:
    return isinstance(call.me, User) and call.me.premium


def _writers(peer: Group | Channel) -> set[int]:
    if isinstance(peer, Channel) and peer.kind == "channel":
        return peer.admins
    return peer.members | (peer.admins if isinstance(peer, Channel) else set())


def _reply(call: Call, peer: Peer, named: Any) -> tuple[int | None, int | None]:
    if named is None:
        return None, None
    if not isinstance(named, types.InputReplyToMessage):
        raise RpcError(400, "MSG_ID_INVALID")
    topic = _topic(peer, named)
    answered = None if named.reply_to_msg_id in (0, topic) else named.reply_to_msg_id
    if answered is not None and message_in(call, peer, answered) is None:
        raise RpcError(400, "MSG_ID_INVALID")
    return answered, topic


def _topic(peer: Peer, named: Any) -> int | None:
    """The topic named by `top_msg_id`, or by answering the message that opened it."""
    known = {GENERAL_TOPIC, *peer.topics} if isinstance(peer, Channel) and peer.forum else set()
    if named.top_msg_id is None:
        return int(named.reply_to_msg_id) if named.reply_to_msg_id in known else None
    if named.top_msg_id not in known:
        raise RpcError(400, "MSG_ID_INVALID")
    return int(named.top_msg_id)


def _author(call: Call, peer: Peer, named: Any) -> int | None:
    if named is None:
        return None
    author = peer_named(call, named, "SEND_AS_PEER_INVALID").id
    if author not in authors(call, peer):
        raise RpcError(400, "SEND_AS_PEER_INVALID")
    return None if author == call.me.id else author
