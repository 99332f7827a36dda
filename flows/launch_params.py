"""What a launch URL tells the page.

Telegram answers a request to open an app with a complete URL. Its fragment is the launch:

    https://app.example/play?tgWebAppStartParam=x#tgWebAppData=…&tgWebAppVersion=9.6&…
                             └── for the app's server    └── for the page, never sent to a server

`LaunchParams.parse` reads it by the rules of the official script, telegram-web-app.js, so
that a page and a test agree about every odd URL; `append_fragment` is the way in.

Sources: https://core.telegram.org/api/bots/webapps
         https://core.telegram.org/bots/webapps
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar
from urllib.parse import urlencode

from flows.decoding import percent_decoded, percent_decoded_or_raw
from flows.init_data import (
    PRODUCTION_PUBLIC_KEY,
    TEST_PUBLIC_KEY,
    HashMismatch,
    InitData,
    InitDataError,
    InitDataExpired,
    MalformedInitData,
    SignatureMismatch,
    SignatureMissing,
    UnusableKey,
    WebAppChat,
    WebAppUser,
)
from flows.theme import DefaultColors, ThemeParams

__all__ = [
    "PLATFORM",
    "PRODUCTION_PUBLIC_KEY",
    "TEST_PUBLIC_KEY",
    "DefaultColors",
    "HashMismatch",
    "InitData",
    "InitDataError",
    "InitDataExpired",
    "LaunchParams",
    "MalformedInitData",
    "SignatureMismatch",
    "SignatureMissing",
    "UnusableKey",
    "WebAppChat",
    "WebAppUser",
    "append_fragment",
    "mask_init_data",
]

PLATFORM: Final = re.compile(r"[A-Za-z0-9_]{0,64}")
"""What a platform name may consist of, by the pages of the four request methods."""

_VERSION = re.compile(r"[0-9]+\.[0-9]+")
_PARAMETERS = frozenset(
    {
        "tgWebAppData",
        "tgWebAppVersion",
        "tgWebAppPlatform",
        "tgWebAppThemeParams",
        "tgWebAppDefaultColors",
        "tgWebAppBotInline",
        "tgWebAppShowSettings",
        "tgWebAppFullscreen",
        "tgWebAppDebug",
    }
)


@dataclass(frozen=True, slots=True)
class LaunchParams:
    """What the page will find in its launch URL, as the official script reads it.

    `version` and `platform` have that script's defaults. A flag is set by any non-empty value.
    `start_param` is the one of the query string, meant for the app's server. `path` is the
    part of the fragment before `?`: the app's own route.

    `raw` holds every parameter of the fragment, decoded, by name (`None` without a `=`). What
    could not be read is `None` here, still in `raw`, and described in `problems`, one line
    each, which name parameters and quote no values.

    Source: https://core.telegram.org/api/bots/webapps
    """

    version: str = "6.0"
    platform: str = "unknown"
    theme_params: ThemeParams | None = None
    default_colors: DefaultColors | None = None
    bot_inline: bool = False
    show_settings: bool = False
    fullscreen: bool = False
    debug: bool = False
    start_param: str | None = None
    path: str | None = None
    init_data: InitData | None = None
    raw: Mapping[str, str | None] = field(default_factory=dict, repr=False, hash=False)
    problems: tuple[str, ...] = ()

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a launch URL. Never raises for what a URL holds; see `problems`."""
        document, _, fragment = url.partition("#")
        path, query = _split_fragment(fragment)
        raw = _parse_query(query)
        reading = _Reading(raw, _ambiguities(query))
        theme_params = reading.read("tgWebAppThemeParams", ThemeParams.parse)
        default_colors = reading.read("tgWebAppDefaultColors", DefaultColors.parse)
        init_data = reading.read("tgWebAppData", InitData.parse)
        return cls(
            version=reading.matching("tgWebAppVersion", _VERSION, "major.minor") or "6.0",
            platform=reading.matching("tgWebAppPlatform", PLATFORM, "a plain word") or "unknown",
            theme_params=theme_params,
            default_colors=default_colors,
            bot_inline=bool(raw.get("tgWebAppBotInline")),
            show_settings=bool(raw.get("tgWebAppShowSettings")),
            fullscreen=bool(raw.get("tgWebAppFullscreen")),
            debug=bool(raw.get("tgWebAppDebug")),
            start_param=_parse_query(document.partition("?")[2]).get("tgWebAppStartParam") or None,
            path=path,
            init_data=init_data,
            raw=raw,
            problems=tuple(reading.problems),
        )


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads single parameters, and writes down what was wrong with them."""

    raw: Mapping[str, str | None]
    problems: list[str]

    def read(self, name: str, parse: Callable[[str], _T]) -> _T | None:
        text = self.raw.get(name)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return None

    def matching(self, name: str, pattern: re.Pattern[str], meaning: str) -> str | None:
        text = self.raw.get(name)
        if text and not pattern.fullmatch(text):
            self.problems.append(f"{name}: is not {meaning}")
        return text


# The rules of a fragment, after telegram-web-app.js


def append_fragment(url: str, params: Mapping[str, str]) -> str:
    """Add parameters to the fragment of a URL, the way Telegram adds them to an app's URL.

    What the fragment holds already is kept: a route gets a `?`, a query goes on with `&`.
    """
    if not params:
        return url
    added = urlencode(params)
    _, hash_sign, fragment = url.partition("#")
    if not hash_sign:
        return f"{url}#{added}"
    if "=" in fragment or "?" in fragment:
        return f"{url}&{added}"
    return f"{url}?{added}" if fragment else f"{url}{added}"


def mask_init_data(url: str) -> str:
    """Replace the value of `tgWebAppData` by `***`, wherever in the URL it stands."""
    return "&".join(_masked(piece) for piece in url.split("&"))


def _masked(piece: str) -> str:
    for name in re.finditer(r"(?:^|[?#])([^?#=]*)=", piece):
        if percent_decoded_or_raw(name[1]) == "tgWebAppData":
            return f"{piece[: name.end()]}***"
    return piece


def _split_fragment(fragment: str) -> tuple[str | None, str]:
    if "?" in fragment:
        path, _, query = fragment.partition("?")
        return percent_decoded_or_raw(path), query
    if "=" in fragment or not fragment:
        return None, fragment
    return percent_decoded_or_raw(fragment), ""


def _pairs(query: str) -> Iterator[tuple[str, str | None]]:
    for piece in query.split("&") if query else ():
        # The script splits at every `=` and takes two pieces: a second `=` ends the value.
        name, *values = piece.split("=")
        yield percent_decoded_or_raw(name), values[0] if values else None


def _parse_query(query: str) -> dict[str, str | None]:
    """Names and values, decoded; of a repeated name the last one counts."""
    return {name: None if value is None else percent_decoded_or_raw(value) for name, value in _pairs(query)}


def _ambiguities(query: str) -> list[str]:
    """Where another reader may find something else in one of Telegram's own parameters."""
    ours = [(name, value) for name, value in _pairs(query) if name in _PARAMETERS]
    times = Counter(name for name, _ in ours)
    repeated = [f"{name}: occurs more than once, the last one counts" for name in times if times[name] > 1]
    undecodable = [
        f"{name}: is not percent-encoded UTF-8" for name, value in ours if value and not _is_decodable(value)
    ]
    return repeated + undecodable


def _is_decodable(text: str) -> bool:
    try:
        percent_decoded(text)
    except ValueError:
        return False
    return True
