"""What Telegram tells its clients of itself: the part of the app configuration that Mini Apps depend on.

Documentation: core.telegram.org/api/config#client-configuration, core.telegram.org/method/help.getAppConfig
"""

from __future__ import annotations

from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from flows.errors import call

__all__ = ["DEFAULT_PROTOCOLS", "allowed_protocols"]

DEFAULT_PROTOCOLS = frozenset({"http", "https"})


async def allowed_protocols(client: TelegramClient) -> frozenset[str]:
    """The protocols of links that a page may have opened outside: `web_app_allowed_protocols`.

    Raises RpcFailed and NotConnected.
    """
    answer = await call(client, functions.help.GetAppConfigRequest(hash=0))
    listed = _member(answer.config, "web_app_allowed_protocols")
    if not isinstance(listed, types.JsonArray):
        return DEFAULT_PROTOCOLS
    return frozenset(name.value.lower() for name in listed.value if isinstance(name, types.JsonString))


def _member(value: Any, name: str) -> Any:
    members = value.value if isinstance(value, types.JsonObject) else ()
    return next((member.value for member in members if member.key == name), None)
