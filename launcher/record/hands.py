"""The phone's own controls, which stand beside the page, by a line of text each.

On a terminal a person types these lines while clicking in the browser's window; a script has the same lines,
and `click`, `fill` and `key` for what a person does in the page.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Error

from flows import BadInput
from launcher.expectations import Unmet, expect
from launcher.mini_app import MiniApp
from launcher.record.steps import Answered, Closed, Filled, Locator, PhoneButton, Pressed, Scanned, Step

__all__ = ["HELP", "do"]

Do = Callable[..., Awaitable[Step | None]]


async def _main(app: MiniApp) -> Step:
    await expect(app).to_have_main_button(active=True, progress=False)
    return await _pressed(app, "main_button", app.main_button.text)


async def _secondary(app: MiniApp) -> Step:
    await expect(app).to_have_secondary_button(active=True, progress=False)
    return await _pressed(app, "secondary_button", app.secondary_button.text)


async def _back(app: MiniApp) -> Step:
    await expect(app).to_have_back_button()
    return await _pressed(app, "back_button")


async def _settings(app: MiniApp) -> Step:
    await expect(app).to_have_settings_button()
    return await _pressed(app, "settings_button")


async def _pressed(app: MiniApp, name: PhoneButton, text: str = "") -> Step:
    await getattr(app, name).press()
    return Pressed(name, text)


async def _popup(app: MiniApp, button: str) -> Step:
    await expect(app).to_have_popup()
    popup = app.popup.shown
    await app.popup.press(button)
    return Answered(popup.message, popup.title, button)


async def _dismiss(app: MiniApp) -> Step:
    await expect(app).to_have_popup()
    popup = app.popup.shown
    await app.popup.dismiss()
    return Answered(popup.message, popup.title, None)


async def _scan(app: MiniApp, text: str) -> Step:
    await app.qr.scan(text)
    return Scanned(text)


async def _close(app: MiniApp) -> Step:
    await app.close()
    return Closed(None)


async def _closed(app: MiniApp) -> None:
    """The page closes it: nothing is done but waited for."""
    await expect(app).to_be_closed()


async def _click(app: MiniApp, selector: str) -> None:
    await app.frame.click(selector, timeout=_PATIENCE)


async def _fill(app: MiniApp, selector: str, text: str) -> Step:
    """The step that it is if the page tells none: dates, colours and sliders are set, and not typed."""
    await app.frame.fill(selector, text, timeout=_PATIENCE)
    return Filled(Locator("css", selector), text)


async def _key(app: MiniApp, selector: str, key: str) -> None:
    await app.frame.press(selector, key, timeout=_PATIENCE)


_PATIENCE = 5000.0


@dataclass(frozen=True, slots=True)
class _Command:
    do: Do
    words: str
    """What follows the name."""
    what: str


_COMMANDS = {
    "main": _Command(_main, "", "press the main button"),
    "secondary": _Command(_secondary, "", "press the secondary button"),
    "back": _Command(_back, "", "press the back button"),
    "settings": _Command(_settings, "", "press Settings in the menu"),
    "popup": _Command(_popup, "ID", "press this button of the popup"),
    "dismiss": _Command(_dismiss, "", "dismiss the popup"),
    "scan": _Command(_scan, "TEXT", "show this code to the open scanner"),
    "close": _Command(_close, "", "close the app"),
    "closed": _Command(_closed, "", "wait until the app has closed by itself"),
    "click": _Command(_click, "SELECTOR", "click in the page"),
    "fill": _Command(_fill, "SELECTOR TEXT", "fill a field of the page"),
    "key": _Command(_key, "SELECTOR KEY", "press a key in a field: Enter"),
}
_SHORT = {"m": "main", "s": "secondary", "b": "back"}

HELP = "\n".join(
    f"  {f'{name} {command.words}'.strip():<22}{command.what}" for name, command in _COMMANDS.items()
)
"""What may be typed, line by line. `m`, `s` and `b` are short for the buttons."""


async def do(app: MiniApp, line: str) -> Step | None:
    """Do what a line says; returns the step it is, or None for what the page tells by itself, and for lines
    that are empty or begin with #. A `Filled` counts only if the page tells nothing. Raises BadInput for what
    cannot be read or done now."""
    if line.lstrip().startswith("#"):
        return None
    try:
        name, *words = shlex.split(line) or [""]
    except ValueError as error:
        raise BadInput(f"{line.strip()!r} cannot be read: {error}.", "Close the quotes.") from None
    if not name:
        return None
    command = _COMMANDS.get(_SHORT.get(name, name))
    if command is None:
        raise BadInput(f"There is no command {name!r}.", f"Type one of {', '.join(_COMMANDS)}.")
    if len(words) != len(command.words.split()):
        raise BadInput(
            f"{name} takes {command.words or 'nothing more'}.", "Put a text with spaces in quotes."
        )
    try:
        return await command.do(app, *words)
    except Unmet as failure:
        raise BadInput(" ".join(str(failure).splitlines()[:2]), "Do first what leads there.") from None
    except Error as failure:
        first = str(failure).splitlines()[0]
        raise BadInput(f"{name} {words[0]!r} failed: {first}.", "Check the selector.") from None
