"""What a client says when it opens an app, and what Telegram answers.

Every flow sends the same three things beside its own: a platform name, a theme, and how much
of the screen the app should get (`OpenParameters`). Every flow gets the same answer,
`webViewResultUrl` (`WebView`): a URL to open exactly as it is, its launch parameters already
appended, and how to show it. What the answer says about the display is authoritative; what
the client asked for was a wish.

Source: https://core.telegram.org/constructor/webViewResultUrl
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from telethon.tl import types

from flows.launch_params import PLATFORM, InitData, LaunchParams, mask_init_data
from flows.open_mode import OpenMode
from flows.theme import DARK, LIGHT, MalformedTheme, ThemeParams

__all__ = [
    "DARK",
    "LIGHT",
    "PLATFORMS",
    "MalformedTheme",
    "OpenMode",
    "OpenParameters",
    "ThemeParams",
    "WebView",
]

PLATFORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "android": "Telegram for Android",
        "android_x": "Telegram X for Android",
        "ios": "Telegram for iOS",
        "macos": "Telegram for macOS",
        "tdesktop": "Telegram Desktop",
        "weba": "Telegram Web A",
        "web": "Telegram Web K",
        "webk": "Telegram Web K, by the name some lists give it",
        "webz": "Telegram Web A, older builds",
        "unigram": "Unigram for Windows",
        "unknown": "what the page's script assumes when it is told nothing",
    }
)
"""The platform names seen in the wild, and the client that sends each. Others are allowed."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class OpenParameters:
    """What the client is, and how it wants to show the app: TDLib's `webAppOpenParameters`.

    `platform` is 0 to 64 English letters, digits and underscores; `PLATFORMS` lists the
    known ones. Without a `theme` the request carries none, and the page keeps its own colours.

    Raises `ValueError` for a platform or mode outside of that.
    """

    platform: str = "android"
    mode: OpenMode = OpenMode.FULLSIZE
    theme: ThemeParams | None = None

    def __post_init__(self) -> None:
        if not PLATFORM.fullmatch(self.platform):
            raise ValueError(
                "a platform is 0 to 64 English letters, digits and underscores, "
                f"such as {', '.join(list(PLATFORMS)[:5])}"
            )
        if self.mode not in list(OpenMode):
            raise ValueError(f"a mode is one of {', '.join(OpenMode)}")

    @property
    def theme_params(self) -> Any | None:
        """The theme as a TL `dataJSON`, or `None` to leave the parameter out."""
        return None if self.theme is None else types.DataJSON(data=self.theme.to_json())

    @property
    def compact(self) -> Literal[True] | None:
        """The request's flag: `True`, or `None` to leave it out."""
        return True if self.mode == OpenMode.COMPACT else None

    @property
    def fullscreen(self) -> Literal[True] | None:
        """The request's flag: `True`, or `None` to leave it out."""
        return True if self.mode == OpenMode.FULLSCREEN else None


@dataclass(frozen=True, slots=True, repr=False)
class WebView:
    """Telegram's answer, in the names of `webViewResultUrl`.

    `url` is to be opened exactly as it is; it is a secret, for it may hold init data. A
    `query_id` means that the client must prolong the app. With `same_origin`, bridge events
    count only when they come from `origin`.

    Source: https://core.telegram.org/constructor/webViewResultUrl
    """

    url: str
    query_id: int | None = None
    fullsize: bool = False
    fullscreen: bool = False
    same_origin: bool = False
    _launch_params: LaunchParams | None = field(default=None, init=False, compare=False)

    @classmethod
    def from_result(cls, result: Any) -> Self:
        """Take over a TL `webViewResultUrl`, whose absent flags are `None`."""
        flags = bool(result.fullsize), bool(result.fullscreen), bool(result.same_origin)
        return cls(result.url, result.query_id, *flags)

    @property
    def mode(self) -> OpenMode:
        """How to show the app. Fullscreen goes before full size, as in TDLib."""
        if self.fullscreen:
            return OpenMode.FULLSCREEN
        return OpenMode.FULLSIZE if self.fullsize else OpenMode.COMPACT

    @property
    def origin(self) -> str:
        """The URL's origin as a browser writes it: `https://app.example`, `http://[::1]:8080`.

        Scheme and host in small letters, the scheme's own port left out. Raises `ValueError`
        for a URL that has none, without quoting it.
        """
        try:
            return _origin(self.url)
        except ValueError:
            raise ValueError(
                "the URL of this web view has no http(s) origin: report it to the bot's owner"
            ) from None

    @property
    def launch_params(self) -> LaunchParams:
        """The launch parameters in the URL; read once."""
        if self._launch_params is None:
            object.__setattr__(self, "_launch_params", LaunchParams.parse(self.url))
        assert self._launch_params is not None
        return self._launch_params

    @property
    def init_data(self) -> InitData | None:
        """Who opened the app; `None` in the flows that do not tell."""
        return self.launch_params.init_data

    @property
    def masked_url(self) -> str:
        """The URL without the value of `tgWebAppData`: what may be printed of it."""
        return mask_init_data(self.url)

    def __repr__(self) -> str:
        query_id = None if self.query_id is None else "***"
        return (
            f"WebView({self._place()}, query_id={query_id}, fullsize={self.fullsize}, "
            f"fullscreen={self.fullscreen}, same_origin={self.same_origin})"
        )

    def _place(self) -> str:
        try:
            return f"{_origin(self.url)}/***"
        except ValueError:
            return "***"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    # Browsers take a backslash for a slash: what follows it is no part of the host for them.
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "\\" in parts.netloc:
        raise ValueError
    port = parts.port
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{_host(parts.hostname)}{shown}"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{IPv6Address(name)}]"
    host = name.encode("idna").decode()
    if not re.fullmatch(r"[a-z0-9_.-]+", host):
        raise ValueError
    return host
