"""Whom a Telegram login is believed to be from: the body of `POST /v2/auth/telegram/login/simple`.

It names the person twice, as an object that anybody can write and as the raw init data, which the bot's token
proves. Which of the two counts is not public, hence the switch `init_data`.
Documentation of the proof: core.telegram.org/bots/webapps (validating data).
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json

from launcher.sandbox.launch_url import bot_hash
from launcher.sandbox.metapro.refusal import Refused
from launcher.sandbox.metapro.switches import Switches
from launcher.sandbox.world import Bot, World

__all__ = ["telegram_user"]


def telegram_user(body: dict[str, Any], world: World, switches: Switches, now: float) -> dict[str, Any]:
    """The person, as Telegram describes them: `id` and names. Raises `Refused`."""
    bot = _bot(body, world, switches)
    if switches.init_data == "user_object":
        user = body.get("telegramSimpleData")
    else:
        fields = _fields(body)
        if switches.init_data == "strict":
            _check(fields, bot, switches, now)
        user = _object(fields.get("user"))
        if switches.init_data == "strict":
            _same(user, body.get("telegramSimpleData"), switches)
    return _complete(user, switches)


def _bot(body: dict[str, Any], world: World, switches: Switches) -> Bot:
    name = body.get("telegramBotName")
    if not isinstance(name, str) or not name.lstrip("@"):
        raise Refused(400, "telegramBotName should not be empty")
    if switches.bot_name_form not in ("either", "at" if name.startswith("@") else "bare"):
        raise Refused(400, "telegramBotName has not the right form")
    found = world.by_username(name.removeprefix("@"))
    if not isinstance(found, Bot):
        raise Refused(404, "Telegram bot not found")
    return found


def _fields(body: dict[str, Any]) -> dict[str, str]:
    raw = body.get("telegramSimpleString")
    if not isinstance(raw, str) or not raw:
        raise Refused(400, "telegramSimpleString should not be empty")
    return dict(parse_qsl(raw, keep_blank_values=True))


def _check(fields: dict[str, str], bot: Bot, switches: Switches, now: float) -> None:
    given = fields.pop("hash", "")
    if not hmac.compare_digest(given.encode(), bot_hash(fields, bot.token).encode()):
        raise Refused(switches.login_refusal, "Telegram data hash is not valid")
    date = fields.get("auth_date", "")
    age = now - int(date) if date.isascii() and date.isdigit() else None
    if age is None or (switches.max_auth_age is not None and age > switches.max_auth_age):
        raise Refused(switches.login_refusal, "Telegram data are outdated")


def _same(user: Any, told: Any, switches: Switches) -> None:
    if isinstance(user, dict) and isinstance(told, dict) and told.get("id") != user.get("id"):
        raise Refused(switches.login_refusal, "telegramSimpleData and telegramSimpleString differ")


def _object(text: str | None) -> Any:
    try:
        return from_json(text or "")
    except ValueError:
        return None


def _complete(user: Any, switches: Switches) -> dict[str, Any]:
    """The user, if it is one. `telegramSimpleData` must be whole only where it is all there is."""
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise Refused(400, "the Telegram data name no user")
    lacks = [name for name in ("last_name", "username") if not user.get(name)]
    if switches.names_needed and lacks:
        raise Refused(400, f"{lacks[0]} must be a string")
    return user
