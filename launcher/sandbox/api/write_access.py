"""Whether a bot may write to a person: asked, allowed, and told with a service message.

Documentation: core.telegram.org/api/bots/webapps (requesting write access),
core.telegram.org/constructor/messageActionBotAllowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from launcher.sandbox import mailbox
from launcher.sandbox.callers import person
from launcher.sandbox.peers import bot_named
from launcher.sandbox.rpc import Call, handles
from launcher.sandbox.world import Bot, Message, User

if TYPE_CHECKING:
    from launcher.sandbox.server import AuthKey

__all__ = ["grant_write_access"]


@handles(
    functions.bots.CanSendMessageRequest,
    docs="core.telegram.org/method/bots.canSendMessage",
    errors=("BOT_INVALID",),
)
async def can_send_message(call: Call) -> bool:
    return bot_named(call, call.request.bot).id in person(call).writes_allowed


@handles(
    functions.bots.AllowSendMessageRequest,
    docs="core.telegram.org/method/bots.allowSendMessage",
    errors=("BOT_INVALID",),
)
async def allow_send_message(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.bot)
    action = types.MessageActionBotAllowed(from_request=True)
    message = grant_write_access(call, user, bot, action, besides=call.key)
    return mailbox.updates_for(call.sandbox, user.id, *([] if message is None else [message]))


def grant_write_access(
    call: Call, user: User, bot: Bot, action: Any, *, besides: AuthKey | None = None
) -> Message | None:
    """Let the bot write to the user and post why; None when it might write already."""
    once = call.sandbox.assumptions.holds("write_access_is_granted_once")
    if bot.id in user.writes_allowed and once:
        return None
    user.writes_allowed.add(bot.id)
    return mailbox.post(call.sandbox, user.id, bot.id, action=action, besides=besides)
