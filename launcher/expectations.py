"""Assertions that wait: `await expect(app).to_have_main_button(text="Pay")`.

Each looks at the app, and looks again whenever something happened to it, until it is as expected or the time
is up; then an AssertionError says what was expected, what is there, and what the page and its client said
last. Times are in seconds. The opposites (`not_to_…`) wait until it is no longer so, and are content at once
when it is not so now.

A wanted text is the whole text, or a compiled regular expression that is searched for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from flows import BadInput, ThemeParams
from launcher.bridge.device import Button
from launcher.event_lines import event_lines
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.mini_app import CloseReason, MiniApp
from launcher.page_events import Logged

__all__ = ["Expectation", "Unmet", "expect"]

__tracebackhide__ = True  # pytest then shows the test's own line, and none of these

Text: TypeAlias = str | re.Pattern[str]
Look: TypeAlias = Callable[[], tuple[bool, str]]
"""Whether it is as expected, and what is there."""

TIMEOUT = 5.0
_GLANCE = 0.1
"""Seconds after which it is looked again although nothing was heard: a test may set the phone itself."""
_EVENTS = 8
"""So many of the last events stand in the error."""


class Unmet(AssertionError):
    """An expectation that did not come true in time."""


def expect(app: MiniApp, timeout: float = TIMEOUT) -> Expectation:
    """What a test says of a live or closed app; `timeout`: seconds that each assertion waits."""
    return Expectation(app, timeout)


class Expectation:
    """Made by `expect`. Every method takes a `timeout` of its own. Raises Unmet when it does not come true,
    and BadInput when the app's page is not shown and would have to be."""

    def __init__(self, app: MiniApp, timeout: float, negated: bool = False) -> None:
        self._app = app
        self._timeout = timeout
        self._negated = negated

    @property
    def _not(self) -> Expectation:
        return Expectation(self._app, self._timeout, negated=True)

    # The app's life

    async def to_be_ready(self, *, timeout: float | None = None) -> None:
        """The page has said that it can be shown: `web_app_ready`."""
        device = self._app.device
        await self._hold("to be ready", lambda: (device.is_ready, _ready(device.is_ready)), timeout)

    async def not_to_be_ready(self, *, timeout: float | None = None) -> None:
        await self._not.to_be_ready(timeout=timeout)

    async def to_be_closed(
        self, reason: CloseReason | str | None = None, *, timeout: float | None = None
    ) -> None:
        """The app is over, for this reason if one is given (`CloseReason`)."""
        wanted = None if reason is None else _reason(reason)

        def look() -> tuple[bool, str]:
            found = self._app.reason
            return found is not None and wanted in (None, found), _life(found)

        await self._hold("to be closed" + (f": {wanted}" if wanted else ""), look, timeout)

    async def not_to_be_closed(
        self, reason: CloseReason | str | None = None, *, timeout: float | None = None
    ) -> None:
        await self._not.to_be_closed(reason, timeout=timeout)

    async def to_have_sent_data(self, data: Text | None = None, *, timeout: float | None = None) -> None:
        """This text, or any, has gone to the app's bot."""
        wish = "to have sent data" + ("" if data is None else f" {_said(data)}")
        await self._hold(wish, lambda: _data(self._app.sent_data, data), timeout)

    async def not_to_have_sent_data(self, data: Text | None = None, *, timeout: float | None = None) -> None:
        await self._not.to_have_sent_data(data, timeout=timeout)

    # What the client shows around the page

    async def to_have_main_button(
        self,
        text: Text | None = None,
        *,
        visible: bool = True,
        active: bool | None = None,
        progress: bool | None = None,
        color: Text | None = None,
        text_color: Text | None = None,
        timeout: float | None = None,
    ) -> None:
        """The large button below the app: its text, state and colours (#rrggbb), as far as they are given."""
        wanted = _button_wanted(text, visible, active, progress, color, text_color)
        await self._button(self._app.device.main_button, wanted, timeout)

    async def not_to_have_main_button(self, text: Text | None = None, **state: Any) -> None:
        """There is no such button, or it is in another state; the arguments are those of the opposite."""
        await self._not.to_have_main_button(text, **state)

    async def to_have_secondary_button(
        self,
        text: Text | None = None,
        *,
        visible: bool = True,
        active: bool | None = None,
        progress: bool | None = None,
        color: Text | None = None,
        text_color: Text | None = None,
        position: Literal["left", "right", "top", "bottom"] | None = None,
        timeout: float | None = None,
    ) -> None:
        """The second large button; `position` is where it stands beside the main one."""
        wanted = _button_wanted(text, visible, active, progress, color, text_color, position)
        await self._button(self._app.device.secondary_button, wanted, timeout)

    async def not_to_have_secondary_button(self, text: Text | None = None, **state: Any) -> None:
        await self._not.to_have_secondary_button(text, **state)

    async def to_have_back_button(self, *, timeout: float | None = None) -> None:
        """The back button is shown."""
        await self._button(self._app.device.back_button, {"is_visible": True}, timeout)

    async def not_to_have_back_button(self, *, timeout: float | None = None) -> None:
        await self._not.to_have_back_button(timeout=timeout)

    async def to_have_settings_button(self, *, timeout: float | None = None) -> None:
        """The item "Settings" is in the app's menu."""
        await self._button(self._app.device.settings_button, {"is_visible": True}, timeout)

    async def not_to_have_settings_button(self, *, timeout: float | None = None) -> None:
        await self._not.to_have_settings_button(timeout=timeout)

    async def to_have_popup(
        self,
        message: Text | None = None,
        *,
        title: Text | None = None,
        buttons: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> None:
        """A popup is open; `buttons` are the ids or captions of all its buttons, in their order."""
        wanted = {"message": message, "title": title, "buttons": buttons}
        device = self._app.device
        await self._hold(
            f"to have a popup{_with(wanted)}",
            lambda: _popup(device.popup, message, title, buttons),
            timeout,
        )

    async def not_to_have_popup(
        self, message: Text | None = None, *, title: Text | None = None, timeout: float | None = None
    ) -> None:
        await self._not.to_have_popup(message, title=title, timeout=timeout)

    async def to_have_theme(
        self,
        theme: Literal["light", "dark"] | ThemeParams | Mapping[str, str],
        *,
        timeout: float | None = None,
    ) -> None:
        """The client's colours: light or dark as the page will see it, or these colours among them."""
        device = self._app.device
        await self._hold(f"to have the theme {_colours(theme)}", lambda: _theme(device.theme, theme), timeout)

    async def not_to_have_theme(
        self,
        theme: Literal["light", "dark"] | ThemeParams | Mapping[str, str],
        *,
        timeout: float | None = None,
    ) -> None:
        await self._not.to_have_theme(theme, timeout=timeout)

    async def to_be_expanded(self, *, timeout: float | None = None) -> None:
        """The app has its full height."""
        device = self._app.device
        await self._hold(
            "to be expanded",
            lambda: (device.is_expanded, "it is expanded" if device.is_expanded else "it is a bottom sheet"),
            timeout,
        )

    async def not_to_be_expanded(self, *, timeout: float | None = None) -> None:
        await self._not.to_be_expanded(timeout=timeout)

    async def to_be_fullscreen(self, *, timeout: float | None = None) -> None:
        """The app covers the whole screen."""
        device = self._app.device
        await self._hold(
            "to be fullscreen",
            lambda: (device.is_fullscreen, "it is" if device.is_fullscreen else "it is not"),
            timeout,
        )

    async def not_to_be_fullscreen(self, *, timeout: float | None = None) -> None:
        await self._not.to_be_fullscreen(timeout=timeout)

    # What was said

    async def to_have_event(
        self,
        name: Text,
        where: Callable[[Any], bool] | None = None,
        *,
        direction: Literal["outgoing", "incoming"] = "outgoing",
        timeout: float | None = None,
    ) -> None:
        """An event of this name from the page (or, "incoming", to it), of whose data `where` is true, has
        been seen since the app was opened."""
        events = self._app.events

        def fits(event: Logged) -> bool:
            return event.direction == direction and _fits(event.name, name) and _true_of(where, event.data)

        def look() -> tuple[bool, str]:
            count = sum(map(fits, events))
            return count > 0, f"{count or 'none'} of the {len(events)} events"

        way = "from" if direction == "outgoing" else "to"
        such = "" if where is None else " with such data"
        await self._hold(f"to have the event {_said(name)} {way} the page{such}", look, timeout)

    async def not_to_have_event(
        self,
        name: Text,
        where: Callable[[Any], bool] | None = None,
        *,
        direction: Literal["outgoing", "incoming"] = "outgoing",
    ) -> None:
        """No such event has been seen so far; one that was seen stays seen, so this does not wait."""
        await self._not.to_have_event(name, where, direction=direction, timeout=0)

    # Waiting

    async def _button(self, button: Button, wanted: Mapping[str, Any], timeout: float | None) -> None:
        def look() -> tuple[bool, str]:
            return all(_fits(getattr(button, name), value) for name, value in wanted.items()), _shown(button)

        await self._hold(f"to have a {button.title}{_with(wanted)}", look, timeout)

    async def _hold(self, wish: str, look: Look, timeout: float | None) -> None:
        """Look until it fits, the app is over (then nothing changes any more), or the time is up."""
        seconds = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                while look()[0] is self._negated and not self._app.is_closed:
                    await self._something()
        except TimeoutError:
            pass
        fits, there = look()
        if fits is self._negated:
            raise Unmet(self._failure(wish, there, seconds))

    async def _something(self) -> None:
        """Until something has happened to the app, or a moment has passed."""
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._app.closed())]
        if self._app.live is not None:
            waiting.append(self._app.events.next())
        try:
            await asyncio.wait(waiting, timeout=_GLANCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    def _failure(self, wish: str, there: str, seconds: float) -> str:
        app, no = self._app, "not " if self._negated else ""
        lines = [
            f"Expected the {app.flow.replace('_', ' ')} app of @{app.app.bot.username} {no}{wish}.",
            f"Instead: {there}.",
        ]
        lines.append(_life(app.reason) + "." if app.is_closed else f"Waited {seconds:g} s.")
        if said := event_lines(app, _EVENTS):
            lines += ["The last events:", *said]
        return LaunchSecrets(app.url).mask("\n".join(lines))


# Comparing


def _fits(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, re.Pattern):
        return isinstance(found, str) and wanted.search(found) is not None
    return bool(found == wanted)


def _true_of(where: Callable[[Any], bool] | None, data: Any) -> bool:
    """A page's data may lack what the test reads of it: then it is not this event."""
    try:
        return where is None or bool(where(data))
    except (LookupError, TypeError, AttributeError):
        return False


def _reason(reason: CloseReason | str) -> CloseReason:
    try:
        return CloseReason(reason)
    except ValueError:
        raise BadInput(
            f"{reason!r} is no reason for which an app closes.", f"Use one of {', '.join(CloseReason)}."
        ) from None


def _data(sent: str | None, wanted: Text | None) -> tuple[bool, str]:
    if sent is None:
        return False, "it has sent none"
    return wanted is None or _fits(sent, wanted), f"it has sent {sent!r}"


def _popup(
    popup: Any, message: Text | None, title: Text | None, buttons: Sequence[str] | None
) -> tuple[bool, str]:
    if popup is None:
        return False, "no popup is open"
    captions = [button.id or button.text or button.type for button in popup.buttons]
    there = _with({"message": popup.message, "title": popup.title or None, "buttons": captions})
    fits = (message is None or _fits(popup.message, message)) and (title is None or _fits(popup.title, title))
    return fits and (buttons is None or _are(popup.buttons, buttons)), f"there is a popup{there}"


def _are(there: Sequence[Any], wanted: Sequence[str]) -> bool:
    return len(there) == len(wanted) and all(
        name in (button.id, button.text) for button, name in zip(there, wanted, strict=True)
    )


def _theme(there: Mapping[str, str], wanted: str | ThemeParams | Mapping[str, str]) -> tuple[bool, str]:
    scheme = ThemeParams.parse(there).color_scheme
    if isinstance(wanted, str):
        return scheme == wanted, f"it is {scheme}"
    colours = _colours(wanted)
    assert isinstance(colours, dict)
    found = {name: there.get(name) for name in colours}
    return found == colours, f"it is {scheme}, with {found}"


def _colours(theme: str | ThemeParams | Mapping[str, str]) -> str | dict[str, str]:
    if isinstance(theme, str):
        return theme
    if isinstance(theme, ThemeParams):
        return {name: value for name in theme.__slots__ if (value := getattr(theme, name)) is not None}
    return dict(theme)


def _button_wanted(
    text: Text | None,
    visible: bool,
    active: bool | None,
    progress: bool | None,
    color: Text | None,
    text_color: Text | None,
    position: str | None = None,
) -> dict[str, Any]:
    """The fields of the phone's button, by name, that are to have a value."""
    wanted = {
        "text": text, "is_visible": visible, "is_active": active, "is_progress_visible": progress,
        "color": color, "text_color": text_color, "position": position,
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if value is not None}


# Saying


def _said(wanted: Any) -> str:
    return f"/{wanted.pattern}/" if isinstance(wanted, re.Pattern) else repr(wanted)


def _with(fields: Mapping[str, Any]) -> str:
    given = [f"{name} {_said(value)}" for name, value in fields.items() if value is not None]
    return f" with {', '.join(given)}" if given else ""


def _shown(button: Button) -> str:
    state = [
        "visible" if button.is_visible else "hidden",
        "active" if button.is_active else "inactive",
        *(["in progress"] if button.is_progress_visible else []),
    ]
    colours = [f"{name} {value}" for name in ("color", "text_color") if (value := getattr(button, name))]
    return f"the {button.title} {button.text!r} is {', '.join(state + colours)}"


def _ready(is_ready: bool) -> str:
    return "it is ready" if is_ready else "it has not sent web_app_ready"


def _life(reason: CloseReason | None) -> str:
    return "it is open" if reason is None else f"it is closed: {reason}"
