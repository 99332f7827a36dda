"""The colours of a launch: what the client's theme looks like, and what the app prefers.

A client sends its theme along with the request to open an app. Telegram copies it into the
launch URL as `tgWebAppThemeParams`, and the page turns it into CSS variables. Beside it, an
app whose owner chose colours in @BotFather gets those as `tgWebAppDefaultColors`.

Both are JSON objects of `#rrggbb` colours; every key is optional, and unknown ones are
ignored, for Telegram adds keys now and then.

Source: https://core.telegram.org/bots/webapps#themeparams
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import sqrt
from typing import Literal, Self, cast

from flows.decoding import json_object

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class MalformedTheme(ValueError):
    """A theme that is no JSON object, or holds something else than `#rrggbb` colours."""


@dataclass(frozen=True, slots=True)
class _Colors:
    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None:
                _check_color(name, value)

    @classmethod
    def parse(cls, source: str | Mapping[str, object]) -> Self:
        """Read a JSON text or a mapping; unknown keys are ignored.

        Raises `MalformedTheme`, which names the offending colour.
        """
        data = _object(source) if isinstance(source, str) else source
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        for name, value in known.items():
            _check_color(name, value)  # here too: an explicit null is no way to leave one out
        return cls(**cast(dict[str, str], known))

    def to_json(self) -> str:
        """Write the colours that are set as compact JSON, always in the same order."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(given, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ThemeParams(_Colors):
    """A client's theme, under the 15 documented keys; each is `#rrggbb` or absent (`None`).

    Raises `MalformedTheme` when a colour is anything else.
    Source: https://core.telegram.org/bots/webapps#themeparams
    """

    bg_color: str | None = None
    text_color: str | None = None
    hint_color: str | None = None
    link_color: str | None = None
    button_color: str | None = None
    button_text_color: str | None = None
    secondary_bg_color: str | None = None
    header_bg_color: str | None = None
    accent_text_color: str | None = None
    section_bg_color: str | None = None
    section_header_text_color: str | None = None
    subtitle_text_color: str | None = None
    destructive_text_color: str | None = None
    section_separator_color: str | None = None
    bottom_bar_bg_color: str | None = None

    @property
    def color_scheme(self) -> Literal["light", "dark"]:
        """What the page will find in `WebApp.colorScheme`: by the brightness of `bg_color`.

        Without a background colour the official script keeps its default, `light`.
        """
        if self.bg_color is None:
            return "light"
        red, green, blue = bytes.fromhex(self.bg_color[1:])
        brightness = sqrt(0.299 * red**2 + 0.587 * green**2 + 0.114 * blue**2)
        return "dark" if brightness < 120 else "light"


@dataclass(frozen=True, slots=True)
class DefaultColors(_Colors):
    """The header and background colours an app's owner chose in @BotFather, per scheme.

    Raises `MalformedTheme` when a colour is not `#rrggbb`.
    """

    bg_color: str | None = None
    bg_dark_color: str | None = None
    header_color: str | None = None
    header_dark_color: str | None = None


def _check_color(name: str, value: object) -> None:
    if not (isinstance(value, str) and _COLOR.fullmatch(value)):
        raise MalformedTheme(f"theme colour {name} is not of the form #rrggbb; write it like #1a2b3c")


def _object(text: str) -> Mapping[str, object]:
    try:
        return json_object(text)
    except ValueError:
        raise MalformedTheme(
            'the theme is not a JSON object; write it like {"bg_color": "#1a2b3c"}'
        ) from None


# Colours of our own, for launches that should look like a light or a dark client. Each
# official client sends its own shades; no page may depend on exact values.
LIGHT = ThemeParams(
    bg_color="#ffffff",
    text_color="#16191d",
    hint_color="#8d949c",
    link_color="#1f76c2",
    button_color="#2b86d6",
    button_text_color="#ffffff",
    secondary_bg_color="#eff1f4",
    header_bg_color="#f8f9fa",
    accent_text_color="#1f76c2",
    section_bg_color="#ffffff",
    section_header_text_color="#5f6b78",
    subtitle_text_color="#7f8890",
    destructive_text_color="#d1342f",
    section_separator_color="#dde1e5",
    bottom_bar_bg_color="#f4f6f8",
)
DARK = ThemeParams(
    bg_color="#181c22",
    text_color="#f2f4f6",
    hint_color="#77818d",
    link_color="#66b2f2",
    button_color="#3a8fdb",
    button_text_color="#ffffff",
    secondary_bg_color="#101318",
    header_bg_color="#1c2129",
    accent_text_color="#66b2f2",
    section_bg_color="#1c2129",
    section_header_text_color="#8fa3b8",
    subtitle_text_color="#818c98",
    destructive_text_color="#ee635c",
    section_separator_color="#0b0d11",
    bottom_bar_bg_color="#14181d",
)
