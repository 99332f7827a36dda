"""What a page sees of each platform: the screen, touch, the user agent, and the way its events travel.

The names are those of `tgWebAppPlatform`. Sizes are those of one common device each, in CSS pixels;
another device is another `Profile` (`dataclasses.replace`). Web A and Web K (`weba`, `web`) run an app in
an iframe of theirs and talk to it by postMessage; all others put an object into the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["PLATFORMS", "Frame", "Profile", "android_suffix", "profile_for"]


@dataclass(frozen=True, slots=True)
class Frame:
    """The web client's page around the app's iframe.

    `reload_after`: how many seconds it waits for `iframe_will_reload` before it loads the frame anew
    itself (Web K 300 ms, Web A 500 ms).
    """

    url: str
    reload_after: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The device of a launch. `user_agent` may hold `{chrome}`, the browser's own major version."""

    width: int
    height: int
    user_agent: str
    scale: float = 1.0
    touch: bool = False
    mobile: bool = False
    frame: Frame | None = None
    dark: bool = False
    locale: str = "en-US"


def android_suffix(app: str, device: str, android: str, sdk: int, performance: str = "HIGH") -> str:
    """What Telegram for Android adds to its user agent: app version, "maker model", Android version, SDK
    level and LOW, AVERAGE or HIGH (core.telegram.org/bots/webapps#additional-data-in-user-agent)."""
    return f"Telegram-Android/{app} ({device}; Android {android}; SDK {sdk}; {performance})"


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_CHROME = "Chrome/{chrome}.0.0.0"
_WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} {_CHROME} Safari/537.36"
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_APPLE} Mobile/15E148"
_MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE}"
_PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A.240905.003; wv)"
_ANDROID = f"{_PIXEL} {_WEBKIT} Version/4.0 {_CHROME} Mobile Safari/537.36"
_ANDROID_TELEGRAM = f"{_ANDROID} {android_suffix('12.1.1', 'Google Pixel 8', '14', 34)}"

_android = Profile(412, 809, _ANDROID_TELEGRAM, scale=2.625, touch=True, mobile=True)
_desktop = Profile(384, 694, f"{_WINDOWS} Edg/{{chrome}}.0.0.0")
_browser = Profile(420, 768, _WINDOWS)

PLATFORMS: dict[str, Profile] = {
    "android": _android,
    "android_x": replace(_android, user_agent=_ANDROID),
    "ios": Profile(393, 759, _IPHONE, scale=3.0, touch=True, mobile=True),
    "macos": Profile(420, 680, _MAC, scale=2.0),
    "tdesktop": _desktop,
    "unigram": _desktop,
    "weba": replace(_browser, frame=Frame("https://web.telegram.org/a/", 0.5)),
    "web": replace(_browser, frame=Frame("https://web.telegram.org/k/", 0.3)),
}


def profile_for(platform: str, *, dark: bool = False) -> Profile:
    """The profile of a platform; one that is not known (they are open-ended) is seen as Android."""
    return replace(PLATFORMS.get(platform, _android), dark=dark)
