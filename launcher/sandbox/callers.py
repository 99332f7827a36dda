"""Who may call: methods of people and methods of bots.

Documentation: core.telegram.org/api/errors, and "Bots can use this method" on the page of each method.
"""

from __future__ import annotations

from launcher.sandbox.rpc import Call, RpcError
from launcher.sandbox.world import Bot, User

__all__ = ["calling_bot", "person"]


def person(call: Call) -> User:
    """The calling person; an error for a bot."""
    if isinstance(call.me, User):
        return call.me
    name = "bots_get_bot_method_invalid"
    holds = call.sandbox.assumptions.holds(name)
    raise RpcError(400, "BOT_METHOD_INVALID" if holds else "USER_BOT_INVALID", name)


def calling_bot(call: Call) -> Bot:
    """The calling bot; 400 USER_BOT_REQUIRED for a person."""
    if isinstance(call.me, Bot):
        return call.me
    raise RpcError(400, "USER_BOT_REQUIRED")
