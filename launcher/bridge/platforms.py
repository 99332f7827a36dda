"""How the official clients differ, as data. A feature on which nothing is known counts as there.

`PLATFORMS` has them under the names that pages find in `tgWebAppPlatform`. What a client cannot do it says in
its own way always; its silences and malformed answers are reproduced only by a faithful bridge.

Sources: Telegram Desktop (September 2025 and a panel of 2026), Web A (November 2024 and later), Web K,
Telegram for Android and for macOS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

__all__ = ["PLATFORMS", "Limit", "Platform"]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` of these events within `window` seconds; the next one starts a `pause`.

    With `after_close` the window is the time since the previous dialog was closed, and `count` the number of
    dialogs that followed one another so quickly.
    """

    events: frozenset[str]
    count: int
    window: float
    pause: float = 0.0
    after_close: bool = False


def _events(*names: str) -> frozenset[str]:
    return frozenset(f"web_app_{name}" for name in names)


_POPUP = _events("open_popup")
_WRITE_ACCESS = _events("request_write_access")
_PHONE = _events("request_phone")
_DIALOGS = _POPUP | _WRITE_ACCESS | _PHONE
_BIOMETRY = _events(
    "biometry_get_info",
    "biometry_request_access",
    "biometry_request_auth",
    "biometry_update_token",
    "biometry_open_settings",
)
_SECURE_STORAGE = _events(
    "secure_storage_save_key", "secure_storage_get_key", "secure_storage_restore_key", "secure_storage_clear"
)
_DEVICE_STORAGE = _events("device_storage_save_key", "device_storage_get_key", "device_storage_clear")
_SENSORS = _events("start_accelerometer", "start_gyroscope", "start_device_orientation")
_LOCATION = _events("check_location", "request_location", "open_location_settings")
_HOME_SCREEN = _events("check_home_screen", "add_to_home_screen")
_SCANNER = _events("open_scan_qr_popup", "close_scan_qr_popup")
_PHONES_ONLY = _events("toggle_orientation_lock", "hide_keyboard")

_USERS_DOING = _events(
    "add_to_home_screen",
    "set_emoji_status",
    "request_emoji_status_access",
    "open_location_settings",
    "biometry_open_settings",
    "request_file_download",
    "send_prepared_message",
    "share_to_story",
    "read_text_from_clipboard",
)
_CLICKED = dict.fromkeys(_USERS_DOING, 10.0)
_DOCUMENTED_CLICKS = {**_CLICKED, "web_app_open_link": 1.0}
_SETTINGS_PER_SECOND = Limit(_events("biometry_open_settings"), 1, 1.0)
_DOCUMENTED_LIMITS = (Limit(_POPUP, 3, 3.0), _SETTINGS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Platform:
    """One client.

    `lacks`: events it answers as it does for want of the feature, or ignores.
    `windowed`: apps are shown in full height always.
    `viewport`: which optional keys `viewport_changed` has.
    `fullscreen_again`: its answer when it is in fullscreen mode already.
    `tg_link`: what becomes of the app that opens a t.me link.
    `clicks`: how many seconds ago the user's last click may have been, by event.
    `limits`: how often an event is obeyed.

    And for a faithful bridge:
    `silent`: events it does not answer.
    `wrong_answers`: what it sends, by (event, right answer); `req_id` is kept.
    `bare`: events it sends without any payload if nothing is in it.
    `closes`: events whose malformed arguments make it close the app; others it ignores.
    `refuses_second_popup`: a popup while one is open is answered at once, not ignored.
    """

    name: str
    lacks: frozenset[str] = frozenset()
    windowed: bool = False
    viewport: frozenset[str] = frozenset()
    fullscreen_again: Literal["failed", "changed"] = "failed"
    tg_link: Literal["stay", "minimise"] = "stay"
    clicks: Mapping[str, float] = field(default_factory=lambda: _DOCUMENTED_CLICKS)
    limits: tuple[Limit, ...] = _DOCUMENTED_LIMITS
    silent: frozenset[str] = frozenset()
    wrong_answers: Mapping[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    closes: frozenset[str] = frozenset()
    refuses_second_popup: bool = False


_ANDROID_LIMITS = (
    Limit(_POPUP, 2, 0.15, pause=3.0, after_close=True),
    Limit(_WRITE_ACCESS, 3, inf, pause=3.0),
    Limit(_PHONE, 3, inf, pause=3.0),
    Limit(_events("share_to_story"), 1, 2.0),
    _SETTINGS_PER_SECOND,
)

PLATFORMS: dict[str, Platform] = {
    each.name: each
    for each in (
        Platform("android", clicks=_CLICKED, limits=_ANDROID_LIMITS),
        Platform("android_x"),
        Platform("ios"),
        Platform("macos", lacks=_HOME_SCREEN | _PHONES_ONLY, windowed=True, clicks=_CLICKED),
        Platform(
            "tdesktop",
            lacks=_SENSORS | _LOCATION | _BIOMETRY | _SECURE_STORAGE | _HOME_SCREEN | _SCANNER | _PHONES_ONLY
            | _events("share_to_story"),
            windowed=True,
            fullscreen_again="changed",
            clicks={"web_app_read_text_from_clipboard": 1.0},
            limits=(),
            silent=_events("open_scan_qr_popup"),
            bare=frozenset({"popup_closed"}),
            closes=_events(
                "data_send",
                "open_link",
                "open_tg_link",
                "open_invoice",
                "open_popup",
                "send_prepared_message",
                "set_emoji_status",
                "request_chat",
                "switch_inline_query",
            ),
        ),
        Platform(
            "weba",
            lacks=_BIOMETRY | _DEVICE_STORAGE | _SECURE_STORAGE | _HOME_SCREEN | _SCANNER | _PHONES_ONLY
            | _events("share_to_story"),
            windowed=True,
            viewport=frozenset({"width"}),
            tg_link="minimise",
            clicks={},
            limits=(Limit(_DIALOGS, 3, 2.0),),
            wrong_answers={
                ("web_app_check_home_screen", "home_screen_checked"): (
                    "home_screen_failed", {"error": "UNSUPPORTED"},
                ),
            },
            refuses_second_popup=True,
        ),
        Platform(
            "web",
            lacks=_SECURE_STORAGE | _PHONES_ONLY | _events("share_to_story"),
            windowed=True,
            viewport=frozenset({"width"}),
            clicks={},
            limits=(Limit(_POPUP, 3, 3.0, pause=3.0),),
        ),
        Platform(
            "unigram",
            lacks=_PHONES_ONLY,
            windowed=True,
            wrong_answers={
                ("web_app_secure_storage_clear", "secure_storage_failed"): ("secure_storage_cleared", {}),
                ("web_app_secure_storage_restore_key", "secure_storage_failed"): (
                    "secure_storage_cleared", {},
                ),
            },
        ),
    )
}  # fmt: skip
"""The official clients by name."""
