"""Reading messages: by number, page by page, the latest of every dialog, and a forum's topics.

Documentation: core.telegram.org/api/offsets, core.telegram.org/api/forum, and the page of each method.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.difference import state
from launcher.sandbox.messages import moment, parties, render_message
from launcher.sandbox.peers import peer_named, render, render_all, tl_peer
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Box, Channel, Group, Message, Peer, Topic

__all__: list[str] = []


@handles(
    functions.messages.GetMessagesRequest,
    docs="core.telegram.org/method/messages.getMessages",
)
async def get_messages(call: Call) -> Any:
    owner = call.me.id
    shown, found = _numbered(call, owner, call.request.id)
    users, chats = parties(call.sandbox, owner, found)
    return types.messages.Messages(messages=shown, topics=[], chats=chats, users=users)


@handles(
    functions.channels.GetMessagesRequest,
    docs="core.telegram.org/method/channels.getMessages",
    errors=("CHANNEL_INVALID", "CHANNEL_PRIVATE", "MESSAGE_IDS_EMPTY"),
)
async def get_channel_messages(call: Call) -> Any:
    channel = readable(call, peer_named(call, call.request.channel, "CHANNEL_INVALID"), "CHANNEL_PRIVATE")
    if not call.request.id:
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    shown, found = _numbered(call, channel.id, call.request.id)
    return _page(call, channel, shown, found, len(found))


@handles(
    functions.messages.GetHistoryRequest,
    docs="core.telegram.org/method/messages.getHistory",
    errors=("CHANNEL_PRIVATE", "PEER_ID_INVALID"),
)
async def get_history(call: Call) -> Any:
    """Newest first; `add_offset` moves the page from `offset_id`, `max_id` and `min_id` bound it."""
    peer = readable(call, peer_named(call, call.request.peer), "CHANNEL_PRIVATE")
    return _history(call, peer, _in_chat(call, peer))


@handles(
    functions.messages.GetRepliesRequest,
    docs="core.telegram.org/method/messages.getReplies",
    errors=("CHANNEL_PRIVATE", "MSG_ID_INVALID", "PEER_ID_INVALID"),
)
async def get_replies(call: Call) -> Any:
    """The messages of a thread: in a forum, those of a topic. Paged as the history is."""
    peer = readable(call, peer_named(call, call.request.peer), "CHANNEL_PRIVATE")
    thread = call.request.msg_id
    if thread not in _box(call, peer).messages:
        raise RpcError(400, "MSG_ID_INVALID")
    return _history(call, peer, [one for one in _in_chat(call, peer) if thread in (one.topic, one.reply_to)])


def _history(call: Call, peer: Peer, every: list[Message]) -> Any:
    page = [message for message in _slice(call.request, every) if _within(call.request, message)]
    shown = [render_message(call.sandbox, call.me.id, _owner(call, peer), message) for message in page]
    return _page(call, peer, shown, page, len(every))


@handles(
    functions.messages.GetDialogsRequest,
    docs="core.telegram.org/method/messages.getDialogs",
)
async def get_dialogs(call: Call) -> Any:
    """All dialogs at once, the one with the latest message first: there is no second page."""
    found = _dialogs(call)
    if call.request.offset_id or _seconds(call.request.offset_date):
        found = []
    return types.messages.Dialogs(**_dialog_list(call, found))


@handles(
    functions.messages.GetPeerDialogsRequest,
    docs="core.telegram.org/method/messages.getPeerDialogs",
    errors=("PEER_ID_INVALID",),
)
async def get_peer_dialogs(call: Call) -> Any:
    peers = [peer_named(call, named.peer) for named in call.request.peers]
    found = [(peer, next(iter(_in_chat(call, peer)), None)) for peer in peers]
    return types.messages.PeerDialogs(**_dialog_list(call, found), state=state(call.sandbox, call.me.id))


@handles(
    functions.messages.GetForumTopicsRequest,
    docs="core.telegram.org/method/messages.getForumTopics",
    errors=("CHANNEL_FORUM_MISSING", "PEER_ID_INVALID"),
)
async def get_forum_topics(call: Call) -> Any:
    forum = _forum(call)
    return _topics(call, forum, [_GENERAL, *forum.topics.values()][: call.request.limit])


@handles(
    functions.messages.GetForumTopicsByIDRequest,
    docs="core.telegram.org/method/messages.getForumTopicsByID",
    errors=("CHANNEL_FORUM_MISSING", "PEER_ID_INVALID", "TOPICS_EMPTY"),
)
async def get_forum_topics_by_id(call: Call) -> Any:
    forum, wanted = _forum(call), set(call.request.topics)
    if not wanted:
        raise RpcError(400, "TOPICS_EMPTY")
    return _topics(call, forum, [topic for topic in (_GENERAL, *forum.topics.values()) if topic.id in wanted])


_GENERAL = Topic(1, "General")


def readable(call: Call, peer: Peer, error: str) -> Peer:
    """The peer, when the caller may read there: a public channel is open to everybody; else 400 `error`."""
    if isinstance(peer, Channel) and peer.username is None and call.me.id not in peer.members | peer.admins:
        raise RpcError(400, error)
    return peer


def _owner(call: Call, peer: Peer) -> int:
    return peer.id if isinstance(peer, Channel) else call.me.id


def _box(call: Call, peer: Peer) -> Box:
    return call.sandbox.world.boxes[_owner(call, peer)]


def _in_chat(call: Call, peer: Peer) -> list[Message]:
    """The messages of a dialog, newest first."""
    messages = _box(call, peer).messages
    return [messages[number] for number in sorted(messages, reverse=True) if messages[number].chat == peer.id]


def _numbered(call: Call, owner: int, named: list[Any]) -> tuple[list[Any], list[Message]]:
    """What each named message looks like (`messageEmpty` for one that is not there), and those found."""
    messages, shown, found = call.sandbox.world.boxes[owner].messages, [], []
    for name in named:
        message = messages.get(_number(messages, name))
        if message is None:
            shown.append(types.MessageEmpty(id=getattr(name, "id", 0), peer_id=None))
        else:
            found.append(message)
            shown.append(render_message(call.sandbox, call.me.id, owner, message))
    return shown, found


def _number(messages: dict[int, Message], named: Any) -> int:
    match named:
        case types.InputMessageID():
            return int(named.id)
        case types.InputMessageReplyTo() if named.id in messages:
            return messages[named.id].reply_to or 0
    return 0


def _slice(request: Any, every: list[Message]) -> list[Message]:
    if request.offset_id:
        start = sum(message.id >= request.offset_id for message in every)
    elif _seconds(request.offset_date):
        start = sum(message.date >= _seconds(request.offset_date) for message in every)
    else:
        start = 0
    first = max(0, start + request.add_offset)
    return every[first : max(0, start + request.add_offset + min(request.limit, 100))]


def _seconds(date: Any) -> int:
    """A date on the wire; 0, which Telethon reads as 1970, stands for none."""
    return 0 if date is None else int(date.timestamp())


def _within(request: Any, message: Message) -> bool:
    return message.id > request.min_id and (not request.max_id or message.id < request.max_id)


def _page(call: Call, peer: Peer, shown: list[Any], found: list[Message], count: int) -> Any:
    users, chats = parties(call.sandbox, call.me.id, found)
    fields = {"messages": shown, "topics": [], "users": users, "chats": chats}
    if isinstance(peer, Channel):
        chats = chats or [render(call.sandbox, call.me.id, peer)]
        pts = _box(call, peer).pts
        return types.messages.ChannelMessages(pts=pts, count=count, **{**fields, "chats": chats})
    if len(found) == count:
        return types.messages.Messages(**fields)
    return types.messages.MessagesSlice(count=count, **fields)


def _dialogs(call: Call) -> list[tuple[Peer, Message | None]]:
    """Every chat the caller is in, with its latest message."""
    world, me = call.sandbox.world, call.me.id
    private = {message.chat for message in world.boxes[me].messages.values()}
    joined = {
        peer.id for peer in world.peers.values() if isinstance(peer, Group | Channel) and me in peer.members
    }
    found = [(world[number], next(iter(_in_chat(call, world[number])), None)) for number in private | joined]
    return sorted(found, key=lambda row: (-(row[1].date if row[1] else 0), row[0].id))


def _dialog_list(call: Call, found: list[tuple[Peer, Message | None]]) -> dict[str, Any]:
    latest = [(peer, message) for peer, message in found if message is not None]
    users, chats = parties(call.sandbox, call.me.id, [message for _, message in latest])
    known = {entity.id for entity in [*users, *chats]}
    more = render_all(call.sandbox, call.me.id, {peer.id for peer, _ in found} - known)
    return {
        "dialogs": [_dialog(call, peer, message) for peer, message in found],
        "messages": [
            render_message(call.sandbox, call.me.id, _owner(call, peer), message) for peer, message in latest
        ],
        "users": users + more[0],
        "chats": chats + more[1],
    }


def _dialog(call: Call, peer: Peer, message: Message | None) -> Any:
    top = message.id if message is not None else 0
    return types.Dialog(
        peer=tl_peer(peer),
        top_message=top,
        read_inbox_max_id=top,
        read_outbox_max_id=top,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=types.PeerNotifySettings(),
        pts=_box(call, peer).pts if isinstance(peer, Channel) else None,
    )


def _forum(call: Call) -> Channel:
    peer = readable(call, peer_named(call, call.request.peer), "PEER_ID_INVALID")
    if not isinstance(peer, Channel) or not peer.forum:
        raise RpcError(400, "CHANNEL_FORUM_MISSING")
    return peer


def _topics(call: Call, forum: Channel, topics: list[Topic]) -> Any:
    latest = {topic.id: _latest(call, forum, topic) for topic in topics}
    found = [message for message in latest.values() if message is not None]
    users, chats = parties(call.sandbox, call.me.id, found)
    return types.messages.ForumTopics(
        count=len(topics),
        topics=[_topic(call, forum, topic, latest[topic.id]) for topic in topics],
        messages=[render_message(call.sandbox, call.me.id, forum.id, message) for message in found],
        chats=chats or [render(call.sandbox, call.me.id, forum)],
        users=users,
        pts=_box(call, forum).pts,
    )


def _latest(call: Call, forum: Channel, topic: Topic) -> Message | None:
    every = _in_chat(call, forum)
    return next((message for message in every if _topic_id(forum, message) == topic.id), None)


def _topic_id(forum: Channel, message: Message) -> int:
    """A message that opens a topic is its first."""
    return message.id if message.id in forum.topics else message.topic or _GENERAL.id


def _topic(call: Call, forum: Channel, topic: Topic, latest: Message | None) -> Any:
    top = latest.id if latest is not None else topic.id
    opener = call.sandbox.world.boxes[forum.id].messages.get(topic.id)
    author = call.sandbox.world[opener.sender] if opener is not None else forum
    return types.ForumTopic(
        id=topic.id,
        date=moment(opener.date if opener is not None else 0),
        peer=tl_peer(forum),
        title=topic.title,
        icon_color=0x6FB9F0,
        top_message=top,
        read_inbox_max_id=top,
        read_outbox_max_id=top,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        from_id=tl_peer(author),
        notify_settings=types.PeerNotifySettings(),
    )
