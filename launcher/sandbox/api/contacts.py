"""`contacts.*`: finding peers by name or number, and blocking them."""

from __future__ import annotations

import re
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.mailbox import notify
from launcher.sandbox.peers import peer_named, render_all, tl_peer
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, User

__all__ = ["block", "get_contacts", "resolve_phone", "resolve_username", "unblock"]


@handles(
    functions.contacts.ResolveUsernameRequest,
    docs="core.telegram.org/method/contacts.resolveUsername",
    errors=("USERNAME_INVALID", "USERNAME_NOT_OCCUPIED"),
)
async def resolve_username(call: Call) -> Any:
    """Four letters are the shortest name there is: collectible ones."""
    username = call.request.username
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{3,31}", username):
        raise RpcError(400, "USERNAME_INVALID")
    peer = call.sandbox.world.by_username(username)
    if peer is None:
        raise RpcError(400, "USERNAME_NOT_OCCUPIED")
    users, chats = render_all(call.sandbox, call.me.id, {peer.id})
    return types.contacts.ResolvedPeer(peer=tl_peer(peer), chats=chats, users=users)


@handles(
    functions.contacts.ResolvePhoneRequest,
    docs="core.telegram.org/method/contacts.resolvePhone",
    errors=("PHONE_NOT_OCCUPIED",),
)
async def resolve_phone(call: Call) -> Any:
    phone = call.request.phone.lstrip("+")
    user = next((user for user in call.sandbox.world.users() if user.phone == phone), None)
    if user is None:
        raise RpcError(400, "PHONE_NOT_OCCUPIED")
    users, chats = render_all(call.sandbox, call.me.id, {user.id})
    return types.contacts.ResolvedPeer(peer=tl_peer(user), chats=chats, users=users)


@handles(functions.contacts.GetContactsRequest, docs="core.telegram.org/method/contacts.getContacts")
async def get_contacts(call: Call) -> Any:
    """Nobody in this world keeps an address book."""
    return types.contacts.Contacts(contacts=[], saved_count=0, users=[])


@handles(
    functions.contacts.BlockRequest,
    docs="core.telegram.org/method/contacts.block",
    errors=("CONTACT_ID_INVALID", "PEER_ID_INVALID"),
)
async def block(call: Call) -> bool:
    return _set_blocked(call, blocked=True)


@handles(
    functions.contacts.UnblockRequest,
    docs="core.telegram.org/method/contacts.unblock",
    errors=("CONTACT_ID_INVALID", "PEER_ID_INVALID"),
)
async def unblock(call: Call) -> bool:
    return _set_blocked(call, blocked=False)


def _user(call: Call) -> User:
    if not isinstance(call.me, User):
        raise RpcError(400, "CONTACT_ID_INVALID")
    return call.me


def _blockable(call: Call) -> User | Bot:
    peer = peer_named(call, call.request.id)
    if not isinstance(peer, User | Bot) or peer is call.me:
        raise RpcError(400, "CONTACT_ID_INVALID")
    return peer


def _set_blocked(call: Call, *, blocked: bool) -> bool:
    peer, known = _blockable(call), _user(call).blocked
    (known.add if blocked else known.discard)(peer.id)
    users, chats = render_all(call.sandbox, call.me.id, {peer.id})
    update = types.UpdatePeerBlocked(peer_id=tl_peer(peer), blocked=blocked)
    notify(call.sandbox, call.me.id, update, users=users, chats=chats, besides=call.key)
    return True
