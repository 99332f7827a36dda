"""Direct-link apps: messages.getBotApp, and what opening one changes.

Documentation: core.telegram.org/api/bots/webapps (direct links), core.telegram.org/constructor/botApp.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.api.write_access import grant_write_access
from launcher.sandbox.peers import access_hash, bot_named
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import App, Bot, User

__all__ = ["app_named", "open_app"]

_SHORT_NAME = re.compile(r"[A-Za-z0-9_]{3,32}")
_ERRORS = ("BOT_APP_BOT_INVALID", "BOT_APP_INVALID", "BOT_APP_SHORTNAME_INVALID")


@handles(
    functions.messages.GetBotAppRequest,
    docs="core.telegram.org/method/messages.getBotApp",
    errors=_ERRORS,
)
async def get_bot_app(call: Call) -> Any:
    bot, app = app_named(call, call.request.app)
    unchanged = call.request.hash == app.hash != 0
    return types.messages.BotApp(
        app=types.BotAppNotModified() if unchanged else _render(call, bot, app),
        inactive=not app.active and call.me.id not in app.opened_by,
        request_write_access=app.request_write_access,
        has_settings=bot.has_settings,
    )


def app_named(call: Call, named: Any) -> tuple[Bot, App]:
    """The app behind an InputBotApp, by short name or by id. Raises the three BOT_APP errors."""
    if isinstance(named, types.InputBotAppID):
        return _app_by_id(call, named)
    bot = bot_named(call, named.bot_id, "BOT_APP_BOT_INVALID")
    if not _SHORT_NAME.fullmatch(named.short_name):
        raise RpcError(400, "BOT_APP_SHORTNAME_INVALID")
    wanted = named.short_name.lower()
    found = next((app for app in bot.apps.values() if app.short_name.lower() == wanted), None)
    if found is None:
        raise RpcError(400, "BOT_APP_INVALID")
    return bot, found


def open_app(call: Call, user: User, bot: Bot, app: App) -> None:
    """Remember that the user opened the app, and that the bot may write if that was asked and allowed."""
    app.opened_by.add(user.id)
    ignored = call.sandbox.assumptions.holds("write_access_nobody_asked_for_is_ignored")
    if call.request.write_allowed and (app.request_write_access or not ignored):
        action = types.MessageActionBotAllowed(app=_render(call, bot, app))
        grant_write_access(call, user, bot, action)


def _app_by_id(call: Call, named: Any) -> tuple[Bot, App]:
    for bot in call.sandbox.world.bots():
        for app in bot.apps.values():
            if named.id == _id(bot, app):
                if named.access_hash == access_hash(call.sandbox, call.me.id, named.id):
                    return bot, app
                raise RpcError(400, "BOT_APP_INVALID")
    raise RpcError(400, "BOT_APP_INVALID")


def _id(bot: Bot, app: App) -> int:
    """The id the world gives the app, or else one that is the same in every run."""
    digest = hashlib.blake2b(f"{bot.id}/{app.short_name}".encode(), digest_size=7).digest()
    return app.id or int.from_bytes(digest, "big")


def _render(call: Call, bot: Bot, app: App) -> Any:
    number = _id(bot, app)
    return types.BotApp(
        id=number,
        access_hash=access_hash(call.sandbox, call.me.id, number),
        short_name=app.short_name,
        title=app.title,
        description=app.description,
        photo=types.PhotoEmpty(number),
        hash=app.hash,
    )
