"""bots.invokeWebViewCustomMethod: what Mini Apps ask of the servers themselves.

Cloud storage for each user and bot, the phone number the user has shared with the bot, and the time.
Documentation: core.telegram.org/bots/webapps (CloudStorage, requestContact),
core.telegram.org/api/web-events#web-app-invoke-custom-method.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from telethon.tl import functions, types

from launcher.sandbox.callers import person
from launcher.sandbox.launch_url import as_json, sign, sign_with_hash
from launcher.sandbox.peers import bot_named
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.world import Bot, Message, User

__all__: list[str] = []

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VALUE_LIMIT = 4096
_KEYS_LIMIT = 1024


@handles(
    functions.bots.InvokeWebViewCustomMethodRequest,
    docs="core.telegram.org/method/bots.invokeWebViewCustomMethod",
    errors=("BOT_INVALID", "DATA_JSON_INVALID", "METHOD_INVALID"),
)
async def invoke_web_view_custom_method(call: Call) -> Any:
    user, bot = person(call), bot_named(call, call.request.bot)
    method = _METHODS.get(call.request.custom_method)
    if method is None:
        raise RpcError(400, "METHOD_INVALID")
    answer = method(call, user, bot, _params(call.request.params.data))
    return types.DataJSON(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))


def _params(text: str) -> dict[str, Any]:
    """The parameters; half a surrogate pair, which JSON can spell out, is no text."""
    try:
        params = json.loads(text)
        json.dumps(params, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise RpcError(400, "DATA_JSON_INVALID")
    return params


def _save(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> bool:
    stored = user.cloud_storage.setdefault(bot.id, {})
    key, value = _key(call, params.get("key")), params.get("value")
    if not isinstance(value, str) or len(value) > _VALUE_LIMIT:
        _refuse(call, "VALUE_INVALID")
    if key not in stored and len(stored) >= _KEYS_LIMIT:
        _refuse(call, "QUOTA_EXCEEDED")
    stored[key] = value
    return True


def _values(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> dict[str, str]:
    stored, keys = user.cloud_storage.get(bot.id, {}), _keys(call, params)
    if call.sandbox.assumptions.holds("cloud_storage_leaves_missing_keys_out"):
        return {key: stored[key] for key in keys if key in stored}
    return {key: stored.get(key, "") for key in keys}


def _delete(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> bool:
    stored = user.cloud_storage.get(bot.id, {})
    for key in _keys(call, params):
        stored.pop(key, None)
    return True


def _stored_keys(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> list[str]:
    return list(user.cloud_storage.get(bot.id, {}))


def _keys(call: Call, params: dict[str, Any]) -> list[str]:
    keys = params.get("keys")
    if not isinstance(keys, list):
        raise RpcError(400, "DATA_JSON_INVALID")
    return [_key(call, key) for key in keys]


def _key(call: Call, key: Any) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        _refuse(call, "KEY_INVALID")
    return key


def _refuse(call: Call, error: str) -> NoReturn:
    name = "cloud_storage_names_its_limits"
    raise RpcError(400, error if call.sandbox.assumptions.holds(name) else "DATA_JSON_INVALID", name)


def _requested_contact(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> str:
    """The contact the user last shared with the bot, signed; empty when there is none."""
    box = call.sandbox.world.boxes[user.id]
    shared = [message.media for message in box.messages.values() if _is_own_contact(message, user, bot)]
    if not shared:
        return ""
    plus = "+" if call.sandbox.assumptions.holds("requested_contacts_have_a_plus") else ""
    contact = {
        "user_id": user.id,
        "phone_number": plus + shared[-1].phone_number.lstrip("+"),
        "first_name": shared[-1].first_name,
        "last_name": shared[-1].last_name or None,
    }
    present = {name: value for name, value in contact.items() if value is not None}
    fields = {"contact": as_json(present), "auth_date": str(int(call.sandbox.now()))}
    if call.sandbox.assumptions.holds("requested_contacts_have_a_hash_alone"):
        return sign_with_hash(fields, bot.token)
    return sign(fields, token=bot.token, key=call.sandbox.init_data_key)


def _is_own_contact(message: Message, user: User, bot: Bot) -> bool:
    shown = message.media if (message.sender, message.chat) == (user.id, bot.id) else None
    return isinstance(shown, types.MessageMediaContact) and shown.user_id == user.id


def _current_time(call: Call, user: User, bot: Bot, params: dict[str, Any]) -> int:
    return int(call.sandbox.now())


_METHODS: dict[str, Callable[[Call, User, Bot, dict[str, Any]], Any]] = {
    "saveStorageValue": _save,
    "getStorageValues": _values,
    "deleteStorageValues": _delete,
    "getStorageKeys": _stored_keys,
    "getRequestedContact": _requested_contact,
    "getCurrentTime": _current_time,
}
