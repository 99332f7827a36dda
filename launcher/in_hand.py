"""The client's own controls around a page, as a script holds them: buttons, popup, scanner.

Each reads from the phone and acts through the bridge, as a finger would: pressing what is hidden,
inactive or busy is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flows import BadInput
from launcher.bridge.bridge import Reaction
from launcher.bridge.device import Button, NotPossible

if TYPE_CHECKING:
    from launcher.live_page import LivePage

__all__ = ["ButtonInHand", "PopupInHand", "ScannerInHand"]


def act(page: LivePage, what: Callable[..., Reaction], *arguments: Any) -> None:
    """Do something a person can do; raises BadInput with the reason when they could not."""
    try:
        page.react(what(*arguments, now=page.now()))
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
