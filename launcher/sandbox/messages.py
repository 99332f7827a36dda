"""Messages on the wire: how one reads from a box, and who has to be introduced along with it.

Whoever writes in a channel to people who never met them comes as a `min` user, by which nothing can be done.
Documentation: core.telegram.org/api/min, core.telegram.org/api/forum, core.telegram.org/constructor/message.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox.peers import Met, render, render_all, tl_peer
from launcher.sandbox.world import Bot, Channel, Message, User

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["ids_in", "is_channel", "moment", "new_message", "parties", "render_message"]

GENERAL_TOPIC = 1


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def is_channel(sandbox: Sandbox, peer: int) -> bool:
    return isinstance(sandbox.world.get(peer), Channel)


def new_message(sandbox: Sandbox, viewer: int, owner: int, message: Message) -> Any:
    update = types.UpdateNewChannelMessage if is_channel(sandbox, owner) else types.UpdateNewMessage
    log = sandbox.world.boxes[owner].log
    pts = next(pts for pts, number in reversed(log) if number == message.id)
    return update(message=render_message(sandbox, viewer, owner, message), pts=pts, pts_count=1)


def render_message(sandbox: Sandbox, viewer: int, owner: int, message: Message) -> Any:
    """A message of the owner's box as `viewer` reads it: `message`, or `messageService` for an action."""
    chat = sandbox.world[message.chat]
    post = _is_post(sandbox, message)
    out = message.sender == viewer
    fields = {
        "id": message.id,
        "peer_id": tl_peer(chat),
        "from_id": None if post or (isinstance(chat, User | Bot) and not out) else _from(sandbox, message),
        "date": moment(message.date),
        "out": out,
        "post": post,
        "silent": message.silent,
        "reply_to": _reply_header(message),
    }
    if message.action is not None:
        return types.MessageService(action=message.action, **fields)
    return types.Message(
        message=message.text,
        entities=list(message.entities) or None,
        reply_markup=message.markup,
        media=message.media,
        via_bot_id=message.via_bot,
        **fields,
    )


def _is_post(sandbox: Sandbox, message: Message) -> bool:
    chat = sandbox.world[message.chat]
    return isinstance(chat, Channel) and chat.kind == "channel"


def _from(sandbox: Sandbox, message: Message) -> Any:
    return tl_peer(sandbox.world[message.sender])


def _reply_header(message: Message) -> Any:
    """Inside a topic every message is a reply, at least to the one that opened it."""
    topic = None if message.topic == GENERAL_TOPIC else message.topic
    if message.reply_to is None and topic is None:
        return None
    return types.MessageReplyHeader(
        forum_topic=topic is not None,
        reply_to_msg_id=message.reply_to or topic,
        reply_to_top_id=topic if message.reply_to else None,
    )


def parties(
    sandbox: Sandbox, viewer: int, messages: Iterable[Message], *, strangers_as_min: bool = False
) -> tuple[list[Any], list[Any]]:
    """The `users` and `chats` vectors for some messages."""
    ids: set[int] = set().union(*(ids_in(sandbox, message) for message in messages))
    met = sandbox.part(Met)
    unmet = {
        peer_id
        for peer_id in ids
        if strangers_as_min
        and isinstance(sandbox.world[peer_id], User | Bot)
        and not met.knows(viewer, peer_id)
    }
    users, chats = render_all(sandbox, viewer, ids - unmet)
    return users + [render(sandbox, viewer, sandbox.world[peer_id], min_=True) for peer_id in unmet], chats


def ids_in(sandbox: Sandbox, message: Message) -> set[int]:
    """Everybody a message speaks of; the author of a channel's post stays unnamed."""
    mentioned = {
        entity.user_id for entity in message.entities if isinstance(entity, types.MessageEntityMentionName)
    }
    joined = set(getattr(message.action, "users", None) or ())
    via = {message.via_bot} if message.via_bot is not None else set()
    author = set() if _is_post(sandbox, message) else {message.sender}
    shared = {getattr(message.media, "user_id", 0)} & set(sandbox.world.peers)
    return {message.chat} | author | mentioned | joined | via | shared
