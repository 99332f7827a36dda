"""What of a launch URL must not be seen, and how it is struck out of texts and recordings.

Whoever holds `tgWebAppData` is the user, as far as the Mini App's server knows, because of the `hash` and
the `signature` in it. These two and the query id are plain letters and digits that look the same in every
encoding of URLs and texts; in Base64 each looks like one of three, as it begins at the first, second or
third byte of a group. The hash is a number written in hexadecimal digits, so its capitals say the same.
All of these are struck out wherever they stand, so also in a request in which the page sent the init data
on in a form of its own; what it has enciphered or compressed is not recognised. The fragment as a whole
is struck out of every URL that is shown. So is the key in a link by which an app invites a wallet
(WalletConnect's `symKey`): it opens what the two say.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from launcher.hosts.observations import HostUnavailable

__all__ = ["MASK", "PAIRING_KEY", "LaunchSecrets", "origin_of", "shown_url", "web_address"]

MASK = "***"
_INIT_DATA = re.compile(r"(tgWebAppData(?:=|%3D|%253D))[^&\s\"'<>\\]+", re.IGNORECASE)
PAIRING_KEY = re.compile(r"(symKey(?:=|%3D|%253D))[0-9a-f]+", re.IGNORECASE)
"""The key in a WalletConnect link, in whatever text it stands."""
_NAMES = ("hash", "signature", "query_id")
_SHORTEST = 8
"""A value of fewer characters is no secret, and would be struck out of words."""


class LaunchSecrets:
    """The secrets of one launch URL. Its repr shows none of them."""

    def __init__(self, url: str) -> None:
        init_data = dict(_pairs(urlsplit(url).fragment)).get("tgWebAppData", "")
        forms = {init_data, unquote(init_data)}
        pairs = list(_pairs(unquote(init_data)))
        values = {value for name, value in pairs if name in _NAMES}
        values |= {value.upper() for name, value in pairs if name == "hash"}
        found = {form for form in forms | values if len(form) >= _SHORTEST}
        found |= {encoded for value in values & found for encoded in _in_base64(value)}
        self._values = sorted(found, key=len, reverse=True)

    def add(self, value: str) -> None:
        """Strike this out too: what the page was given or made, and nobody else should have."""
        if len(value) >= _SHORTEST and value not in self._values:
            self._values = sorted([*self._values, value], key=len, reverse=True)

    def mask(self, text: str) -> str:
        """The text without the launch's secrets."""
        if "=" in text or "%" in text:
            text = _INIT_DATA.sub(rf"\g<1>{MASK}", text)
            text = PAIRING_KEY.sub(rf"\g<1>{MASK}", text)
        for value in self._values:
            text = text.replace(value, MASK)
        return text

    def mask_bytes(self, content: bytes) -> bytes:
        """The same for a file; what is no UTF-8 is kept as it is."""
        return self.mask(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _in_base64(value: str) -> Iterable[str]:
    """The characters of Base64 that depend on this value alone, wherever in a group of three bytes it
    begins."""
    content = value.encode("utf-8", "surrogateescape")
    for before in range(3):
        bits = 8 * before, 8 * (before + len(content))
        first, last = -(-bits[0] // 6), bits[1] // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(bytes(before) + content).decode()[first:last]


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    """Names and still encoded values: decoding is left to whoever compares."""
    return ((name, value) for name, _, value in (piece.partition("=") for piece in query.split("&")))


def web_address(url: str) -> str:
    """The URL of a page that can be fetched, as it is. Raises HostUnavailable for any other."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    except ValueError:
        pass  # a port or an address that is none
    raise HostUnavailable(
        "Only http:// and https:// pages are opened. Check the URL of the Mini App."
    ) from None


def shown_url(url: str) -> str:
    """A URL as it may be shown: origin and path."""
    parts = urlsplit(url)
    return (
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        if parts.netloc
        else f"{parts.scheme}:"
    )


def origin_of(url: str) -> str:
    """The origin as a browser writes it; "null" for what has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "null"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
