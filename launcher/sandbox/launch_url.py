"""The URL a data centre answers with: the app's own, and everything Telegram tells the page, in its fragment.

Three steps, each pure. `sign` turns the fields of init data into the query string that a page hands to its
server, with both signatures: `hash`, made with the bot's token, and `signature`, made with a key of the data
centre. `Launch` gathers what the fragment says, `launch_url` puts it behind the address of the app.
This file shares no code with the package that reads such URLs: each of the two is a witness for the other.
Documentation: core.telegram.org/api/bots/webapps, core.telegram.org/bots/webapps (validating data).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "VERSION",
    "Launch",
    "as_json",
    "bot_hash",
    "launch_url",
    "query_id_text",
    "sign",
    "sign_with_hash",
]

VERSION = "9.6"
"""The Bot API version the sandbox's clients are said to support; a request cannot name another."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What the fragment tells the page.

    `init_data` is a signed query string, None for the flows that identify nobody; `theme_params` the JSON
    text of the request. `start_param` also goes into the query string of the app's address.
    """

    platform: str
    init_data: str | None = field(default=None, repr=False)
    theme_params: str | None = None
    bot_inline: bool = False
    show_settings: bool = False
    fullscreen: bool = False
    default_colors: Mapping[str, str] | None = None
    start_param: str | None = None


def launch_url(app: str, launch: Launch) -> str:
    """The address of the app with its start parameter and the launch fragment."""
    return _with_fragment(_with_start_param(app, launch.start_param), _fragment(launch))


def sign(fields: Mapping[str, str], *, token: str, key: Ed25519PrivateKey) -> str:
    """Init data: the fields in their order, then `signature` (Ed25519, base64url) and `hash` (HMAC, hex)."""
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    bot_id = token.partition(":")[0]
    signature = key.sign(f"{bot_id}:WebAppData\n{lines}".encode())
    signed = {**fields, "signature": base64.urlsafe_b64encode(signature).rstrip(b"=").decode()}
    return _query({**signed, "hash": bot_hash(signed, token)})


def sign_with_hash(fields: Mapping[str, str], token: str) -> str:
    """The fields in their order, then `hash` alone."""
    return _query({**fields, "hash": bot_hash(fields, token)})


def bot_hash(fields: Mapping[str, str], token: str) -> str:
    """The `hash` of init data: over every other field, `signature` among them when there is one."""
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    return hmac.digest(secret, lines.encode(), hashlib.sha256).hex()


def query_id_text(user_id: int, query_id: int) -> str:
    """The id of a web view for its page and the bot: a text of the form real ones have (`AAHdF6IQ…`)."""
    return base64.urlsafe_b64encode(struct.pack("<2sqq", b"\0\1", user_id, query_id)).decode()


def as_json(value: Any) -> str:
    """JSON as Telegram's servers write it: no blanks, slashes escaped, other alphabets left as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def _query(pairs: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())


def _fragment(launch: Launch) -> str:
    colors = launch.default_colors
    pairs = {
        "tgWebAppData": launch.init_data,
        "tgWebAppVersion": VERSION,
        "tgWebAppPlatform": launch.platform,
        "tgWebAppBotInline": "1" if launch.bot_inline else None,
        "tgWebAppShowSettings": "1" if launch.show_settings else None,
        "tgWebAppFullscreen": "1" if launch.fullscreen else None,
        "tgWebAppThemeParams": launch.theme_params,
        "tgWebAppDefaultColors": None if colors is None else as_json(dict(colors)),
    }
    return _query({name: value for name, value in pairs.items() if value is not None})


def _with_start_param(app: str, start_param: str | None) -> str:
    if not start_param:
        return app
    address, hash_sign, fragment = app.partition("#")
    separator = "&" if "?" in address else "?"
    return f"{address}{separator}{_query({'tgWebAppStartParam': start_param})}{hash_sign}{fragment}"


def _with_fragment(app: str, params: str) -> str:
    """The rule of Telegram's own script for addresses that have a fragment already, such as `#/route`."""
    _, hash_sign, fragment = app.partition("#")
    if not hash_sign:
        return f"{app}#{params}"
    if not fragment:
        return f"{app}{params}"
    return f"{app}{'&' if '=' in fragment or '?' in fragment else '?'}{params}"
