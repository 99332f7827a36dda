"""The phone and the client's own controls around a page, as a script holds them.

Buttons, popup and scanner are what a finger reaches: each reads from the phone and acts through the bridge,
and pressing what is hidden, inactive or busy is refused with the reason. `PhoneInHand` is what happens to
the phone as a whole, so that the page hears of it as its client would tell it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flows import BadInput, ThemeParams
from launcher.bridge.bridge import Reaction
from launcher.bridge.device import Button, NotPossible

if TYPE_CHECKING:
    from launcher.live_page import LivePage

__all__ = ["ButtonInHand", "ClipboardInHand", "PhoneInHand", "PopupInHand", "ScannerInHand"]

Measured = tuple[float, float, float]


def act(page: LivePage, what: Callable[..., Reaction], *arguments: Any, **named: Any) -> None:
    """Do something a person can do; raises BadInput with the reason when they could not."""
    try:
        page.react(what(*arguments, **named, now=page.now()))
    except NotPossible as reason:
        raise BadInput(f"That cannot be done now: {reason}.", "Wait until the page offers it.") from None


class ButtonInHand:
    """One of the four buttons."""

    def __init__(self, page: LivePage, button: Button, press: Callable[..., Reaction]) -> None:
        self._page, self._button, self._press = page, button, press

    def __getattr__(self, name: str) -> Any:
        """Text, colours and state are those of the phone's button (`launcher.bridge.device.Button`)."""
        return getattr(self._button, name)

    async def press(self) -> None:
        """Raises BadInput when the button is hidden, inactive or in progress."""
        act(self._page, self._press)


class PopupInHand:
    """The popup that is open, if one is."""

    def __init__(self, page: LivePage) -> None:
        self._page = page

    @property
    def shown(self) -> Any:
        """The page's `web_app_open_popup` with title, message and buttons; None when none is open."""
        return self._page.bridge.device.popup

    async def press(self, button_id: str) -> None:
        act(self._page, self._page.bridge.press_popup, button_id)

    async def dismiss(self) -> None:
        act(self._page, self._page.bridge.dismiss_popup)


class ScannerInHand:
    """The code scanner."""

    def __init__(self, page: LivePage) -> None:
        self._page = page

    async def scan(self, text: str) -> None:
        act(self._page, self._page.bridge.scan, text)

    async def close(self) -> None:
        act(self._page, self._page.bridge.close_scanner)


class ClipboardInHand:
    """What was copied on the phone. An app of the attachment or side menu may ask for it."""

    def __init__(self, page: LivePage) -> None:
        self._clipboard = page.bridge.device.clipboard

    async def read(self) -> str:
        return self._clipboard.text

    async def write(self, text: str) -> None:
        self._clipboard.text = text


class PhoneInHand:
    """What happens to the phone: each method changes it and tells the page, as its client does.

    The phone as data is `app.device`; what is set there the page learns when it asks. Sizes and insets are
    CSS pixels. Documentation: core.telegram.org/api/web-events#event-incoming
    """

    def __init__(self, page: LivePage) -> None:
        self._page = page

    async def set_theme(self, theme: ThemeParams) -> None:
        """`theme_changed`, and the page's `prefers-color-scheme`; `DARK` and `LIGHT` are themes."""
        act(self._page, self._page.bridge.set_theme, json.loads(theme.to_json()))
        await self._page.appear(dark=theme.color_scheme == "dark")

    async def resize(self, width: float | None = None, height: float | None = None) -> None:
        """`viewport_changed`, and the page's window has that size; what is not given stays. `height` is
        that of the expanded app."""
        act(self._page, self._page.bridge.set_viewport, width, height)
        await self._page.resize()

    async def set_expanded(self, is_expanded: bool) -> None:
        """`viewport_changed`: the app is drawn up to its full height, or down again."""
        act(self._page, self._page.bridge.set_viewport, is_expanded=is_expanded)

    async def rotate(self) -> None:
        """`viewport_changed` and `safe_area_changed`: width and height change places.

        Raises BadInput when the page has locked the orientation, or the client is a window.
        """
        act(self._page, self._page.bridge.rotate)
        await self._page.resize()

    async def set_safe_area(
        self, top: float = 0, bottom: float = 0, left: float = 0, right: float = 0
    ) -> None:
        """`safe_area_changed`: what the device covers of the screen."""
        act(self._page, self._page.bridge.set_safe_area, top, bottom, left, right)

    async def set_fullscreen(self, is_fullscreen: bool) -> None:
        """`fullscreen_changed`, `content_safe_area_changed` and `viewport_changed`."""
        act(self._page, self._page.bridge.set_fullscreen, is_fullscreen)

    async def set_visible(self, is_visible: bool) -> None:
        """`visibility_changed`: the app is minimised (the page is deactivated), or brought back."""
        act(self._page, self._page.bridge.set_visible, is_visible)

    async def measure(
        self,
        accelerometer: Measured | None = None,
        gyroscope: Measured | None = None,
        orientation: Measured | None = None,
    ) -> None:
        """What the sensors measure from now on: (x, y, z) in m/s², (x, y, z) in rad/s, (alpha, beta, gamma)
        in radians. Those that the page has started send their `…_changed` at once."""
        act(self._page, self._page.bridge.measure, accelerometer, gyroscope, orientation)

    async def permit_location(self, is_granted: bool) -> None:
        """`location_checked`: the user allows or forbids it in the client's settings."""
        act(self._page, self._page.bridge.permit_location, is_granted)

    async def permit_biometry(self, is_granted: bool) -> None:
        """`biometry_info_received`: the user allows or forbids it in the client's settings."""
        act(self._page, self._page.bridge.permit_biometry, is_granted)

    async def add_to_home_screen(self) -> None:
        """`home_screen_added`: the user does it by the client's menu. Raises BadInput where it has none."""
        act(self._page, self._page.bridge.add_to_home_screen)
