"""Init data: who opened an app, and two proofs that Telegram said so.

`tgWebAppData` of a launch URL, decoded once, is a query string. Its exact text is what was
signed, twice:

- `hash`, an HMAC under the bot's token: the app's own server can check it (`check_hash`);
- `signature`, Ed25519 under Telegram's key: everybody can check it (`check_signature`).

Five traps, all of them met in the wild: a `+` means a space; JSON inside may escape `/` as
`\\/`, so an object parsed and written again is another text; `signature` belongs to the text
under `hash`; a field that occurs twice makes the signed value and the value read differ; and
the order of arrival is not the order of signing. Hence `InitData` keeps the raw text, and the
checks work on nothing else.

The init data is a credential of the person for as long as the app's server accepts it. No
`repr` and no error message in here holds it, its hash, its signature or its query ids.

Sources: https://core.telegram.org/bots/webapps#webappinitdata
         https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
         https://core.telegram.org/bots/webapps#validating-data-for-third-party-use
"""

import base64
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from flows.decoding import json_object, percent_decoded

PRODUCTION_PUBLIC_KEY: Final = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
"""Ed25519 key of Telegram's production servers, in hexadecimal."""

TEST_PUBLIC_KEY: Final = "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec"
"""Ed25519 key of Telegram's test servers, in hexadecimal."""


# Errors


class InitDataError(ValueError):
    """Init data that cannot be read, or that a check refused."""


class MalformedInitData(InitDataError):
    """Init data with a field that is missing, repeated or not what the documentation says."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(
            f"init data: {field} {reason}; "
            "pass the text of Telegram.WebApp.initData, decoded once and otherwise unchanged"
        )
        self.field = field
        self.reason = reason


class HashMismatch(InitDataError):
    """The `hash` was not made with this bot token, or the init data was changed since."""

    def __init__(self, data_check_string: str) -> None:
        super().__init__(
            "the hash of the init data does not fit this bot token: check that the token belongs "
            "to the bot which owns the app and was not revoked, then compare data_check_string "
            "with the text that your server hashes"
        )
        self.data_check_string = data_check_string


class SignatureMissing(InitDataError):
    """There is no `signature` to check; Telegram adds one since Bot API 8.0."""

    def __init__(self) -> None:
        super().__init__(
            "the init data holds no signature (Telegram adds one since Bot API 8.0): "
            "check its hash with the bot token instead"
        )


class SignatureMismatch(InitDataError):
    """The `signature` was not made with this key for this bot, or the init data was changed."""

    def __init__(self, bot_id: int, data_check_string: str) -> None:
        super().__init__(
            f"the signature of the init data does not fit bot {bot_id} and this public key: check "
            "the bot id, and that the key is the one of the servers in use (production or test), "
            "then compare data_check_string"
        )
        self.bot_id = bot_id
        self.data_check_string = data_check_string


class InitDataExpired(InitDataError):
    """The init data is older than the caller accepts. All three times are in seconds."""

    def __init__(self, issued_at: int, now: float, max_age: float) -> None:
        super().__init__(
            f"the init data was issued {now - issued_at:.0f} s ago, {max_age:.0f} s are allowed: "
            "open the app again, or check this machine's clock"
        )
        self.issued_at = issued_at
        self.now = now
        self.max_age = max_age


class UnusableKey(ValueError):
    """The bot token, bot id or public key given to a check is unusable."""


# Init data


@dataclass(frozen=True, slots=True)
class WebAppUser:
    """A person or bot, as init data describes them; booleans are `None` unless Telegram sent them.

    `is_bot` comes with a receiver only, `language_code` with the launching user only. `extra`
    holds the keys this version does not know.

    Source: https://core.telegram.org/bots/webapps#webappuser
    """

    id: int
    first_name: str
    is_bot: bool | None = None
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_premium: bool | None = None
    added_to_attachment_menu: bool | None = None
    allows_write_to_pm: bool | None = None
    photo_url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class WebAppChat:
    """A group, supergroup or channel, as init data of the attachment menu describes it.

    Source: https://core.telegram.org/bots/webapps#webappchat
    """

    id: int
    type: str
    title: str
    username: str | None = None
    photo_url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, slots=True, repr=False)
class InitData:
    """Who opened the app, from where, and two proofs of it. Reading proves nothing by itself.

    `raw` is the text that was signed, to be handed to an app's server as it is. Which fields
    are present depends on the flow; `auth_date` (Unix time in seconds) and `hash` always are.
    `extra` holds the decoded fields that this version does not know.

    Source: https://core.telegram.org/bots/webapps#webappinitdata
    """

    raw: str
    auth_date: int
    hash: str
    query_id: str | None = None
    user: WebAppUser | None = None
    receiver: WebAppUser | None = None
    chat: WebAppChat | None = None
    chat_type: str | None = None
    chat_instance: str | None = None
    start_param: str | None = None
    can_send_after: int | None = None
    chat_join_request_query_id: str | None = None
    signature: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read init data as `Telegram.WebApp.initData` holds it: `tgWebAppData` decoded once.

        Raises `MalformedInitData`, which names the field.
        """
        fields = _fields(raw)
        for name in ("auth_date", "hash"):
            if name not in fields:
                raise MalformedInitData(name, "is missing")
        known = {name: _read(name, text) for name, text in fields.items() if name in _READERS}
        extra = {name: text for name, text in fields.items() if name not in _READERS}
        return cls(raw=raw, extra=extra, **known)

    @property
    def data_check_string(self) -> str:
        """The text under `hash`: every field but `hash`, sorted, one `key=value` per line.

        It holds what the init data holds about the person: show it to its owner only.
        """
        return _joined(_fields(self.raw), without={"hash"})

    def check_hash(self, bot_token: str) -> None:
        """Check with the bot's token that Telegram issued exactly this text.

        Raises `HashMismatch` (with the `data_check_string`), or `UnusableKey` for
        something that is no bot token.

        Source: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
        """
        text = self.data_check_string
        # The documentation names the token first, but "WebAppData" is the key of this HMAC.
        secret = hmac.digest(b"WebAppData", _token_bytes(bot_token), "sha256")
        expected = hmac.digest(secret, text.encode(), "sha256")
        if not hmac.compare_digest(expected, bytes.fromhex(self.hash)):
            raise HashMismatch(text)

    def check_signature(self, bot_id: int, public_key: str | bytes = PRODUCTION_PUBLIC_KEY) -> None:
        """Check without any secret that Telegram issued exactly this text for that bot.

        `public_key` is 32 bytes, raw or in hexadecimal: `PRODUCTION_PUBLIC_KEY`,
        `TEST_PUBLIC_KEY` or that of a sandbox. `hash` is not covered by this signature.

        Raises `SignatureMissing`, `SignatureMismatch` (with the
        `data_check_string`), or `UnusableKey` for an unusable bot id or key.

        Source: https://core.telegram.org/bots/webapps#validating-data-for-third-party-use
        """
        # Imported on use: it is slow to load, and most who open an app never check anything.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = Ed25519PublicKey.from_public_bytes(_key_bytes(public_key))
        signed = _joined(_fields(self.raw), without={"hash", "signature"})
        text = f"{_bot_id(bot_id)}:WebAppData\n{signed}"
        if not self.signature:
            raise SignatureMissing
        try:
            key.verify(_signature_bytes(self.signature), text.encode())
        except InvalidSignature:
            raise SignatureMismatch(bot_id, text) from None

    def check_age(self, max_age_seconds: float, now: float) -> None:
        """Check that the init data was issued at most `max_age_seconds` before `now`.

        `now` is a Unix time, such as `time.time()`. A time of issue in the future passes: the
        servers' clock is right, and the one here is slow. Raises `InitDataExpired`.
        """
        if not now - self.auth_date <= max_age_seconds:  # written so that a NaN is refused
            raise InitDataExpired(self.auth_date, now, max_age_seconds)

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in _READERS}
        shown = [f"{name}={_shown(name, value)}" for name, value in values.items() if value]
        return f"InitData({', '.join(shown)}, extra={sorted(self.extra)})"


_SECRET_FIELDS = frozenset({"hash", "signature", "query_id", "chat_join_request_query_id"})


def _shown(name: str, value: object) -> str:
    return "***" if name in _SECRET_FIELDS else repr(value)


# Reading init data: one reader per field, each raising `ValueError` with what is wrong


def _fields(raw: str) -> dict[str, str]:
    """Split and decode; refuse what could be read in two ways."""
    if not raw:
        raise MalformedInitData("the text", "is empty")
    if not _is_unicode(raw):
        raise MalformedInitData("the text", "holds half a surrogate pair")
    fields: dict[str, str] = {}
    for number, piece in enumerate(raw.split("&"), start=1):
        name, equals, value = piece.partition("=")
        try:
            name, value = percent_decoded(name), percent_decoded(value)
        except ValueError:
            raise MalformedInitData(f"field number {number}", "is not percent-encoded UTF-8") from None
        if not (name and equals):
            raise MalformedInitData(f"field number {number}", "is not of the form key=value")
        if name in fields:
            raise MalformedInitData(_safe(name, number), "occurs more than once")
        fields[name] = value
    return fields


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _safe(name: str, number: int) -> str:
    # A stranger's field name goes into an error only when it looks like one.
    return name if re.fullmatch(r"[a-z_]{1,40}", name) else f"field number {number}"


def _joined(fields: Mapping[str, str], without: set[str]) -> str:
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields.keys() - without))


def _read(name: str, text: str) -> Any:
    try:
        return _READERS[name](text)
    except ValueError as error:
        raise MalformedInitData(name, str(error)) from None


def _text(text: str) -> str:
    return text


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError("is not a number of seconds")
    return int(text)


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("is not 64 hexadecimal digits")
    return text


def _signature(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", text):
        raise ValueError("is not base64url")
    return text


_USER_KEYS: Mapping[str, type] = {
    "id": int,
    "first_name": str,
    "is_bot": bool,
    "last_name": str,
    "username": str,
    "language_code": str,
    "is_premium": bool,
    "added_to_attachment_menu": bool,
    "allows_write_to_pm": bool,
    "photo_url": str,
}
_CHAT_KEYS: Mapping[str, type] = {
    "id": int,
    "type": str,
    "title": str,
    "username": str,
    "photo_url": str,
}


def _user(text: str) -> WebAppUser:
    return WebAppUser(**_members(text, _USER_KEYS, required=("id", "first_name")))


def _chat(text: str) -> WebAppChat:
    return WebAppChat(**_members(text, _CHAT_KEYS, required=("id", "type", "title")))


def _members(text: str, types: Mapping[str, type], required: Iterable[str]) -> dict[str, Any]:
    data = json_object(text)
    known = {key: data.pop(key) for key in types if data.get(key) is not None}
    for key in required:
        if key not in known:
            raise ValueError(f"lacks {key}")
    for key, value in known.items():
        if type(value) is not types[key]:  # isinstance would take true for the number 1
            raise ValueError(f"needs {key} of type {types[key].__name__}")
    return {**known, "extra": data}


_READERS: Mapping[str, Callable[[str], object]] = {
    "query_id": _text,
    "user": _user,
    "receiver": _user,
    "chat": _chat,
    "chat_type": _text,
    "chat_instance": _text,
    "start_param": _text,
    "can_send_after": _seconds,
    "chat_join_request_query_id": _text,
    "auth_date": _seconds,
    "signature": _signature,
    "hash": _hash,
}


# What a check is given


def _token_bytes(bot_token: str) -> bytes:
    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", bot_token):
        raise UnusableKey(
            "this is no bot token: it must look like <number>:<letters, digits, _ and ->, "
            "without spaces; copy it again from @BotFather"
        )
    return bot_token.encode()


def _bot_id(bot_id: int) -> int:
    if bot_id <= 0:
        raise UnusableKey("a bot id is a positive number: the part of the token before the colon")
    return bot_id


def _key_bytes(public_key: str | bytes) -> bytes:
    try:
        key = bytes.fromhex(public_key) if isinstance(public_key, str) else public_key
    except ValueError:
        key = b""
    if len(key) != 32:
        raise UnusableKey("an Ed25519 public key is 32 bytes or 64 hexadecimal digits")
    return key


def _signature_bytes(text: str) -> bytes:
    """Decode base64url; what is not written the one canonical way becomes an invalid signature."""
    unpadded = text.rstrip("=")
    if len(unpadded) != 86:
        return b""
    signature = base64.urlsafe_b64decode(unpadded + "==")
    canonical = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    return signature if canonical == unpadded else b""
