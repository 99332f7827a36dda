"""The address of an app, as its owner gave it, from the URL that Telegram made of it; and as two launches of
it have it in common."""

from __future__ import annotations

import re

__all__ = ["address", "portless"]

_FRAGMENT = re.compile(r"[#?&]tgWebApp(?:Data|Version|Platform)=")
_LOOPBACK_PORT = re.compile(r"(?<=//)(localhost|127\.0\.0\.1|\[::1\]):\d+")
_START_PARAM = re.compile(r"([?&])tgWebAppStartParam=[^&#]*(&?)")


def address(url: str) -> str:
    """Without the launch parameters, which Telegram adds behind a fragment of the app's own, and without the
    start parameter in its query."""
    found = _FRAGMENT.search(url, url.find("#") if "#" in url else len(url))
    own = url[: found.start()] if found else url
    return _START_PARAM.sub(lambda part: part[1] if part[2] else "", own)


def portless(text: str) -> str:
    """With each address of the loopback in it without its port, which a sandbox's site has anew each time."""
    return _LOOPBACK_PORT.sub(r"\1", text)
