"""What the parts of a link must look like: names, start parameters, numbers, and the errors.

The rules for reading are TDLib's (`LinkManager`, `misc`); a start parameter that a caller
wants to send is checked more strictly than one that is read.
"""

import re

_USERNAME = re.compile(r"(?=.{1,32}\Z)[A-Za-z](?:_?[A-Za-z0-9])*")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_PHONE = re.compile(r"[0-9]{1,32}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_LEADING_NUMBER = re.compile(r"-?[0-9]*")


class NotALink(ValueError):
    """The text is no Telegram link; the message says in one line what to write instead.

    It never repeats the text, which may hold somebody's secret.
    """


class StartParamError(ValueError):
    """A start parameter that no link can carry; the message names the rule."""


def check_start_param(value: str, limit: int = 512) -> str:
    """Return `value` when it may be a start parameter: `[A-Za-z0-9_-]`, 0 to `limit` long.

    512 is the limit of `startapp` and `startattach`; `start` and `startgroup` carry up to 64.
    Raises `StartParamError`. See core.telegram.org/api/links and core.telegram.org/bots/features.
    """
    if not is_param(value):
        raise StartParamError(
            "a start parameter has only the characters A-Z a-z 0-9 _ -: encode others as base64url"
        )
    if len(value) > limit:
        raise StartParamError(
            f"a start parameter has up to {limit} characters here, this one has {len(value)}"
        )
    return value


def is_username(text: str) -> bool:
    """Letters, digits and single underscores, a letter first, no underscore last, up to 32."""
    return _USERNAME.fullmatch(text) is not None


def is_app_name(text: str) -> bool:
    """The short name of an app or a game: like a user name, three characters or more."""
    return len(text) >= 3 and is_username(text)


def is_param(text: str) -> bool:
    """A start parameter as it is read: base64url characters, of any length, or nothing."""
    return _BASE64URL.fullmatch(text) is not None


def is_hash(text: str) -> bool:
    """The hash of an invite link: base64url characters, but not a phone number."""
    return bool(text) and is_param(text) and not is_phone(text)


def is_phone(text: str) -> bool:
    """A phone number without its plus sign."""
    return _PHONE.fullmatch(text) is not None


def is_utf8(text: str) -> bool:
    """Whether the decoded bytes were valid UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_int32(text: str) -> bool:
    """A whole number from 1 to 2147483647, written without zeros before it."""
    return _NUMBER.fullmatch(text) is not None and int(text) < 2**31


def is_story(text: str) -> bool:
    """The number of a story that the server gave, or the word for a live one."""
    return text == "live" or (is_int32(text) and int(text) < 2_000_000_000)


def leading_number(text: str) -> int:
    """How TDLib reads a number in a path: up to the first other character, in 64 bits."""
    match = _LEADING_NUMBER.match(text)
    assert match is not None
    value = 0
    for digit in match[0].removeprefix("-"):
        value = (value * 10 + int(digit)) % 2**64
    value = -value if match[0].startswith("-") else value
    return (value + 2**63) % 2**64 - 2**63
