"""A page sets the emoji beside the person's name, or asks that its bot may do so later.

For an emoji of its own choice a dialog shows what the name would look like; it needs Telegram Premium. The
access is asked for once: an account that has given it is not asked again.
Documentation: core.telegram.org/api/web-events#web-app-set-emoji-status,
core.telegram.org/api/web-events#web-app-request-emoji-status-access, core.telegram.org/api/emoji-status
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.cache import Bot
from flows.consent import Consent, Question
from flows.errors import AccountLost, RpcFailed, Transient, call

__all__ = ["EmojiStatusError", "request_emoji_status_access", "set_emoji_status"]

EmojiStatusError: TypeAlias = Literal[
    "SUGGESTED_EMOJI_INVALID", "DURATION_INVALID", "USER_DECLINED", "SERVER_ERROR"
]
"""The errors of `emoji_status_failed` that this client can meet."""

_INT_32, _INT_64 = 1 << 31, 1 << 63


async def request_emoji_status_access(
    client: TelegramClient, bot: Bot, consent: Consent
) -> Literal["allowed", "cancelled"]:
    """`users.getFullUser`, the question EMOJI_STATUS_ACCESS unless it was answered before, then
    `bots.toggleUserEmojiStatusPermission`: the status of `emoji_status_access_requested`.

    Raises RpcFailed and NotConnected.
    """
    full = await call(client, functions.users.GetFullUserRequest(bot.input_user))
    if full.full_user.bot_can_manage_emoji_status:
        return "allowed"
    if not await consent.allows(
        Question.EMOJI_STATUS_ACCESS, bot.username, "let the bot set your emoji status"
    ):
        return "cancelled"
    request = functions.bots.ToggleUserEmojiStatusPermissionRequest(bot=bot.input_user, enabled=True)
    await call(client, request)
    return "allowed"


async def set_emoji_status(
    client: TelegramClient,
    bot: Bot,
    custom_emoji_id: str,
    duration: int | None,
    consent: Consent,
    now: float | None = None,
) -> EmojiStatusError | None:
    """The question EMOJI_STATUS, then `account.updateEmojiStatus`: the error of `emoji_status_failed`, or
    None for `emoji_status_set`.

    `custom_emoji_id` is of digits, `duration` in seconds, None or 0 for ever. Raises AccountLost, Transient
    and NotConnected.
    """
    document = _document(custom_emoji_id)
    if document is None:
        return "SUGGESTED_EMOJI_INVALID"
    until = (time.time() if now is None else now) + (duration or 0)
    if (duration or 0) < 0 or until >= _INT_32:
        return "DURATION_INVALID"
    if not await consent.allows(Question.EMOJI_STATUS, bot.username, f"set emoji {document} as your status"):
        return "USER_DECLINED"
    ends = datetime.fromtimestamp(int(until), UTC) if duration else None
    return await _update(client, types.EmojiStatus(document, ends))


async def _update(client: TelegramClient, status: types.EmojiStatus) -> EmojiStatusError | None:
    try:
        await call(client, functions.account.UpdateEmojiStatusRequest(status))
    except (AccountLost, Transient):
        raise
    except RpcFailed as error:
        bad_emoji = error.name in ("DOCUMENT_INVALID", "COLLECTIBLE_INVALID")
        return "SUGGESTED_EMOJI_INVALID" if bad_emoji else "SERVER_ERROR"
    return None


def _document(custom_emoji_id: str) -> int | None:
    """The number of the custom emoji's document; None for what cannot be one."""
    if not (custom_emoji_id.isascii() and custom_emoji_id.isdigit() and len(custom_emoji_id) < 20):
        return None
    number = int(custom_emoji_id)
    return number if 0 < number < _INT_64 else None
