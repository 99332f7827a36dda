"""Messages between peers: which boxes a message goes to, how it reads from there, and who is told.

A private message lies in two boxes, a basic group's in the box of each member: every copy has its own id and
pts. A channel's message lies once, in the channel's own box. `post` puts the copies there and pushes the
update to every connection that should see it but the caller's, which reads it in the answer (`updates_for`).
Who was away asks for the `difference`; what has no pts goes through `notify`.
Documentation: core.telegram.org/api/updates, core.telegram.org/api/min.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox.difference import Kept, channel_difference, difference, state
from launcher.sandbox.keyboards import web_view_urls
from launcher.sandbox.messages import ids_in, is_channel, moment, new_message, parties, render_message
from launcher.sandbox.mtproto import serialize
from launcher.sandbox.peers import render_all
from launcher.sandbox.world import Bot, Channel, Group, Message

if TYPE_CHECKING:
    from launcher.sandbox.connection import Connection
    from launcher.sandbox.server import AuthKey, Sandbox

__all__ = [
    "Mailbox", "already_posted", "channel_difference", "difference", "notify", "post", "push_to_key",
    "render_message", "state", "updates_for",
]  # fmt: skip


@dataclass(slots=True)
class _Missed:
    """What one auth key will be given on its next connection."""

    messages: bool = False
    kept: list[Kept] = field(default_factory=list)


class Mailbox:
    """What the mail remembers while a sandbox runs; also the hooks that make it lose something."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._losses: list[tuple[str, int | None]] = []
        self._missed: dict[int, _Missed] = {}
        self._given: dict[int, tuple[Connection, Any, _Missed]] = {}
        self._unasked: dict[int, list[Kept]] = {}
        self._copies: dict[tuple[int, int], dict[int, int]] = {}
        self._posted: dict[tuple[int, int], Message] = {}
        sandbox.on_connected.append(self._welcome)

    def lose_next(self, kind: str, account: int | None = None) -> None:
        """Let the next update of a TL name ("updateNewMessage", "updateWebViewResultSent") reach nobody, or
        everybody but one account."""
        self._losses.append((kind, account))

    def skip_pts(self, owner: int, count: int = 1) -> None:
        """Make a gap: the box of a user, bot or channel counts events that nobody will ever see."""
        self._sandbox.world.boxes[owner].pts += count

    def _lost(self, kind: str, accounts: Sequence[int]) -> set[int]:
        """The accounts that the update about to be sent will not reach; uses the armed loss up."""
        for loss in self._losses:
            if loss[0] == kind and (loss[1] is None or loss[1] in accounts):
                self._losses.remove(loss)
                return set(accounts) if loss[1] is None else {loss[1]}
        return set()

    def _absent(self, account: int) -> list[AuthKey]:
        return [
            key
            for key in self._sandbox.keys.values()
            if key.account == account and not _connections(self._sandbox, key)
        ]

    def _welcome(self, account: int, key: AuthKey) -> None:
        """Catch up with a key that has come back."""
        missed = self._missed.pop(key.id, None) or self._given_in_vain(key)
        links = _connections(self._sandbox, key)
        if missed is None or not links:
            return
        self._given[key.id] = (links[-1], links[-1].session, missed)
        if missed.messages and self._sandbox.assumptions.holds("reconnect_announces_updates_too_long"):
            push_to_key(self._sandbox, key, types.UpdatesTooLong())
        if not self._sandbox.assumptions.holds("kept_updates_are_pushed_on_return"):
            unasked = self._unasked.setdefault(key.id, [])
            unasked += [kept for kept in missed.kept if kept not in unasked]
            return
        for kept in missed.kept:
            updates = _updates(self._sandbox, [kept.update], kept.users, kept.chats)
            push_to_key(self._sandbox, key, updates)

    def kept_for(self, key: AuthKey) -> list[Kept]:
        """What the next difference of this key has to tell; nothing while kept updates are pushed."""
        return list(self._unasked.get(key.id, ()))

    def told(self, key: AuthKey) -> None:
        """A difference told the key what was kept for it."""
        self._unasked.pop(key.id, None)

    def _given_in_vain(self, key: AuthKey) -> _Missed | None:
        """What the key was given in a session that it has left since, on the same connection.

        After a reconnect Telethon sends what it had encrypted for its last session before it starts another,
        in which it discards the answers to the former.
        """
        link, session, missed = self._given.pop(key.id, (None, None, None))
        return missed if link in self._sandbox.connections and link.session is not session else None


def push_to_key(sandbox: Sandbox, key: AuthKey, updates: Any) -> None:
    """Push an `Updates` object to the connections of one auth key, signed in or not."""
    body = serialize(updates)
    for connection in _connections(sandbox, key):
        connection.push(body)


def _connections(sandbox: Sandbox, key: AuthKey) -> list[Connection]:
    return [link for link in sandbox.connections if link.key is not None and link.key.real is key]


def post(
    sandbox: Sandbox,
    sender: int,
    chat: int,
    text: str = "",
    *,
    markup: Any = None,
    entities: Iterable[Any] = (),
    reply_to: int | None = None,
    topic: int | None = None,
    action: Any = None,
    their_action: Any = None,
    via_bot: int | None = None,
    silent: bool = False,
    besides: AuthKey | None = None,
    random_id: int | None = None,
) -> Message:
    """Send a message and tell everybody concerned but the connections of the auth key `besides`.

    `chat` is the other party, the group or the channel. `reply_to` is numbered as the sender sees it.
    `their_action` is the service action in all copies but the sender's, where the two differ (a bot reads
    `messageActionWebViewDataSentMe`). A `random_id` this sender has used before posts nothing anew. URLs of
    web-view buttons become openable (`Bot.webview_buttons`) when a bot sends it or it goes through one.
    Returns the sender's copy, or the channel's. Raises ValueError for a group the sender is not in.
    """
    known = already_posted(sandbox, sender, random_id)
    if known is not None:
        return known
    draft = Message(
        id=0, chat=chat, sender=sender, text=text, date=int(sandbox.now()), entities=list(entities),
        markup=markup, action=action, reply_to=reply_to, topic=topic, via_bot=via_bot, silent=silent,
    )  # fmt: skip
    copies = _file(sandbox, draft, their_action)
    mine = copies[sender if sender in copies else chat]
    _remember_buttons(sandbox, sender if via_bot is None else via_bot, markup)
    _announce(sandbox, copies, besides)
    if random_id is not None:
        sandbox.part(Mailbox)._posted[sender, random_id] = mine
    return mine


def already_posted(sandbox: Sandbox, sender: int, random_id: int | None) -> Message | None:
    """What this sender has posted under this `random_id`, if anything."""
    return None if random_id is None else sandbox.part(Mailbox)._posted.get((sender, random_id))


def _file(sandbox: Sandbox, draft: Message, their_action: Any) -> dict[int, Message]:
    """Put a copy into every box concerned; returns the copies by the boxes' owners."""
    mailbox = sandbox.part(Mailbox)
    places = _places(sandbox, draft.sender, draft.chat)
    home = draft.sender if draft.sender in places else draft.chat
    replied = mailbox._copies.get((home, draft.reply_to or 0), {home: draft.reply_to})
    copies = {}
    for owner, chat in places.items():
        action = draft.action if owner == home or their_action is None else their_action
        copy = replace(draft, chat=chat, reply_to=replied.get(owner), action=action)
        copies[owner] = sandbox.world.boxes[owner].add(copy)
    numbers = {owner: copy.id for owner, copy in copies.items()}
    mailbox._copies.update(dict.fromkeys(numbers.items(), numbers))
    return copies


def _places(sandbox: Sandbox, sender: int, chat: int) -> dict[int, int]:
    """The boxes a message goes to, each with the dialog it belongs to there."""
    peer = sandbox.world[chat]
    match peer:
        case Channel():
            return {chat: chat}
        case Group() if sender in peer.members:
            return dict.fromkeys(sorted(peer.members), chat)
        case Group():
            raise ValueError(f"{sender} is not in the group {chat}: add it to `members` first")
    return {sender: chat, chat: sender}


def _remember_buttons(sandbox: Sandbox, author: int, markup: Any) -> None:
    bot = sandbox.world.get(author)
    if isinstance(bot, Bot):
        bot.webview_buttons |= web_view_urls(markup)


def _announce(sandbox: Sandbox, copies: dict[int, Message], besides: AuthKey | None) -> None:
    letters = [
        (viewer, owner, message) for owner, message in copies.items() for viewer in _viewers(sandbox, owner)
    ]
    kind = "updateNewChannelMessage" if is_channel(sandbox, next(iter(copies))) else "updateNewMessage"
    lost = sandbox.part(Mailbox)._lost(kind, [viewer for viewer, _, _ in letters])
    for viewer, owner, message in letters:
        if viewer not in lost:
            _mark_missed(sandbox, viewer)
        if viewer not in lost and sandbox.connected(viewer):
            update = new_message(sandbox, viewer, owner, message)
            users, chats = parties(sandbox, viewer, [message], strangers_as_min=owner != viewer)
            sandbox.push(viewer, [update], users=users, chats=chats, besides=besides)


def _viewers(sandbox: Sandbox, owner: int) -> list[int]:
    peer = sandbox.world[owner]
    return sorted(peer.members) if isinstance(peer, Channel) else [owner]


def _mark_missed(sandbox: Sandbox, account: int) -> None:
    mailbox = sandbox.part(Mailbox)
    for key in mailbox._absent(account):
        mailbox._missed.setdefault(key.id, _Missed()).messages = True


def notify(
    sandbox: Sandbox,
    account: int,
    update: Any,
    *,
    users: Iterable[Any] = (),
    chats: Iterable[Any] = (),
    besides: AuthKey | None = None,
) -> None:
    """Push an update that has no pts to the account's connections, but for those of `besides`.

    Its keys without a connection get it on their next one, as long as the assumption for its kind holds:
    `result_sent_survives_absence` or `other_updates_without_pts_survive_absence`; whether it is pushed there
    or waits for their difference says `kept_updates_are_pushed_on_return`.
    """
    mailbox, kind = sandbox.part(Mailbox), _tl_name(update)
    users, chats = list(users), list(chats)
    if mailbox._lost(kind, [account]):
        return
    if sandbox.assumptions.holds(_SURVIVAL.get(kind, "other_updates_without_pts_survive_absence")):
        for key in mailbox._absent(account):
            kept = mailbox._missed.setdefault(key.id, _Missed()).kept
            kept.append(Kept(update, users, chats))
    sandbox.push(account, [update], users=users, chats=chats, besides=besides)


_SURVIVAL = {"updateWebViewResultSent": "result_sent_survives_absence"}


def _tl_name(update: Any) -> str:
    name = type(update).__name__
    return name[0].lower() + name[1:]


def updates_for(
    sandbox: Sandbox,
    caller: int,
    *messages: Message,
    random_id: int | None = None,
    more: Iterable[Any] = (),
    also: Iterable[int] = (),
) -> Any:
    """The `updates` a method answers its caller with: the messages it made, then `more`.

    A `random_id` is linked with the first message by `updateMessageID`. `also` are ids of further peers that
    the answer speaks of.
    """
    linked = [types.UpdateMessageID(messages[0].id, random_id)] if random_id is not None else []
    news = [new_message(sandbox, caller, _owner(sandbox, caller, message), message) for message in messages]
    named = set(also).union(*(ids_in(sandbox, message) for message in messages))
    users, chats = render_all(sandbox, caller, named)
    return _updates(sandbox, [*linked, *news, *more], users, chats)


def _updates(sandbox: Sandbox, updates: list[Any], users: list[Any], chats: list[Any]) -> Any:
    return types.Updates(updates=updates, users=users, chats=chats, date=moment(sandbox.now()), seq=0)


def _owner(sandbox: Sandbox, caller: int, message: Message) -> int:
    return message.chat if is_channel(sandbox, message.chat) else caller
