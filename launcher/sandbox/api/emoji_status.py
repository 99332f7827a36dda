"""Emoji statuses: set by a person, or by a bot the person has allowed to.

Documentation: core.telegram.org/api/emoji-status, and the page of each method.
"""

from __future__ import annotations

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import calling_bot, person
from launcher.sandbox.peers import bot_named, emoji_status, render, user_named
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import EmojiStatus, User

__all__: list[str] = []


@handles(
    functions.account.UpdateEmojiStatusRequest,
    docs="core.telegram.org/method/account.updateEmojiStatus",
    errors=("COLLECTIBLE_INVALID", "DOCUMENT_INVALID", "PREMIUM_ACCOUNT_REQUIRED"),
)
async def update_emoji_status(call: Call) -> bool:
    user = person(call)
    _check(call, user)
    _set(call, user)
    return True


@handles(
    functions.bots.ToggleUserEmojiStatusPermissionRequest,
    docs="core.telegram.org/method/bots.toggleUserEmojiStatusPermission",
    errors=("BOT_INVALID",),
)
async def toggle_user_emoji_status_permission(call: Call) -> bool:
    user, bot = person(call), bot_named(call, call.request.bot)
    if call.request.enabled:
        user.emoji_status_bots.add(bot.id)
    else:
        user.emoji_status_bots.discard(bot.id)
    return True


@handles(
    functions.bots.UpdateUserEmojiStatusRequest,
    docs="core.telegram.org/method/bots.updateUserEmojiStatus",
    errors=("USER_BOT_REQUIRED", "USER_ID_INVALID", "USER_PERMISSION_DENIED"),
)
async def update_user_emoji_status(call: Call) -> bool:
    bot, user = calling_bot(call), user_named(call, call.request.user_id)
    if bot.id not in user.emoji_status_bots:
        raise RpcError(403, "USER_PERMISSION_DENIED")
    name = "a_bots_emoji_status_is_checked_as_a_persons"
    try:
        _check(call, user)
    except RpcError as error:
        if call.sandbox.assumptions.holds(name):
            raise RpcError(error.code, error.name, name) from error
    _set(call, user)
    return True


def _check(call: Call, user: User) -> None:
    """Taking a status away is open to everybody, an emoji needs Premium and has to exist."""
    asked = call.request.emoji_status
    if isinstance(asked, types.EmojiStatusEmpty):
        return
    if not user.premium:
        raise RpcError(403, "PREMIUM_ACCOUNT_REQUIRED")
    if not isinstance(asked, types.EmojiStatus):
        raise RpcError(400, "COLLECTIBLE_INVALID")
    if asked.document_id not in call.sandbox.world.custom_emoji:
        raise RpcError(400, "DOCUMENT_INVALID")


def _set(call: Call, user: User) -> None:
    """Change it and tell the person's other clients."""
    asked = call.request.emoji_status
    until = getattr(asked, "until", None)
    document = getattr(asked, "document_id", None)
    ends = None if until is None else int(until.timestamp())
    user.emoji_status = None if document is None else EmojiStatus(document, ends)
    shown = emoji_status(call.sandbox, user) or types.EmojiStatusEmpty()
    update = types.UpdateUserEmojiStatus(user.id, shown)
    me = [render(call.sandbox, user.id, user)]
    mailbox.notify(call.sandbox, user.id, update, users=me, besides=call.key)
