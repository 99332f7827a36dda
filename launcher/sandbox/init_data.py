"""What init data says of people and chats, flow by flow.

Which of these fields a flow carries is the business of the handler that opens it; here is how each reads.
Documentation: core.telegram.org/bots/webapps (WebAppInitData, WebAppUser, WebAppChat).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from launcher.sandbox.launch_url import as_json, sign
from launcher.sandbox.world import Bot, Channel, Group, Peer, User

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["attachment_fields", "origin_fields", "signed", "user_field"]


def signed(sandbox: Sandbox, bot: Bot, fields: dict[str, str | None]) -> str:
    """Init data of these fields, dated now and signed for the bot; a field that is None is left out."""
    present = {name: value for name, value in fields.items() if value is not None}
    dated = {**present, "auth_date": str(int(sandbox.now()))}
    return sign(dated, token=bot.token, key=sandbox.init_data_key)


def user_field(user: User, bot: Bot) -> str:
    """`user`: the person who opens the app."""
    says = {
        **_names(user),
        "language_code": user.language_code,
        "is_premium": user.premium or None,
        "added_to_attachment_menu": bot.id in user.attach_menu or None,
        "allows_write_to_pm": bot.id in user.writes_allowed or None,
        "photo_url": user.photo_url,
    }
    return _json(says)


def attachment_fields(sandbox: Sandbox, user: User, peer: Peer) -> dict[str, str | None]:
    """`receiver` or `chat`, and `can_send_after`: what an app in the attachment menu learns of the chat."""
    if isinstance(peer, User | Bot):
        is_bot = True if isinstance(peer, Bot) else None
        return {"receiver": _json({**_names(peer), "is_bot": is_bot, "photo_url": peer.photo_url})}
    says = {
        "id": _chat_id(sandbox, peer),
        "type": _chat_type(peer),
        "title": peer.title,
        "username": getattr(peer, "username", None),
        "photo_url": peer.photo_url,
    }
    return {"chat": _json(says), "can_send_after": _can_send_after(sandbox, user, peer)}


def origin_fields(sandbox: Sandbox, user: User, peer: Peer) -> dict[str, str | None]:
    """`chat_type` and `chat_instance`: where a link was clicked, without saying which chat it is."""
    private = isinstance(peer, User | Bot)
    key = ":".join(map(str, sorted((user.id, peer.id)))) if private else str(peer.id)
    digest = hashlib.blake2b(f"chat:{key}".encode(), key=sandbox.secret, digest_size=8).digest()
    return {
        "chat_type": _chat_type(peer),
        "chat_instance": str(int.from_bytes(digest, "big", signed=True)),
    }


def _names(peer: User | Bot) -> dict[str, Any]:
    return {
        "id": peer.id,
        "first_name": peer.first_name,
        "last_name": peer.last_name or "",
        "username": peer.username,
    }


def _json(says: dict[str, Any]) -> str:
    return as_json({name: value for name, value in says.items() if value is not None})


def _chat_type(peer: Peer) -> str:
    """`sender` is the private chat with the bot, as the bot sees it; `private` one with anybody else."""
    match peer:
        case Bot():
            return "sender"
        case User():
            return "private"
        case Group():
            return "group"
        case Channel():
            return peer.kind


def _chat_id(sandbox: Sandbox, peer: Group | Channel) -> int:
    if not sandbox.assumptions.holds("init_data_names_chats_as_the_bot_api_does"):
        return peer.id
    return -peer.id if isinstance(peer, Group) else -1_000_000_000_000 - peer.id


def _can_send_after(sandbox: Sandbox, user: User, peer: Group | Channel) -> str | None:
    if not isinstance(peer, Channel) or peer.slow_mode == 0:
        return None
    written = (message.date for message in sandbox.world.boxes[peer.id].messages.values()
               if message.sender == user.id)  # fmt: skip
    return str(max(0, max(written, default=0) + peer.slow_mode - int(sandbox.now())))
