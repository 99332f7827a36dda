"""The buttons of a message, found by text or by position.

Since layer 229 a button is a text and a `type`: `buttonTypeSimpleWebView` below the input field,
`inlineButtonTypeWebView` and `inlineButtonTypeUrl` below a message (core.telegram.org/api/bots/buttons).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from telethon.tl import types

from flows.errors import CannotOpen

__all__ = ["Button", "ButtonKind", "Wanted", "buttons_of", "links_of", "pick"]

Wanted: TypeAlias = str | int | tuple[int, int]
"""A button by its text, its place among all buttons (from 0, row by row), or its (row, column)."""


class ButtonKind(StrEnum):
    """What pressing it does, as far as Mini Apps are concerned."""

    KEYBOARD_APP = "keyboard_app"
    INLINE_APP = "inline_app"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Button:
    """One button: its text, what it does, its URL if it has one, its row and column from 0."""

    text: str
    kind: ButtonKind
    url: str = field(default="", repr=False)
    place: tuple[int, int] = (0, 0)


_KINDS = {
    types.ButtonTypeSimpleWebView: ButtonKind.KEYBOARD_APP,
    types.InlineButtonTypeWebView: ButtonKind.INLINE_APP,
    types.InlineButtonTypeUrl: ButtonKind.LINK,
}


def buttons_of(message: Any) -> list[Button]:
    """All buttons of a message's keyboard, row by row; empty without one."""
    rows = getattr(message.reply_markup, "rows", None) or ()
    return [
        _button(button, (at_row, at_column))
        for at_row, row in enumerate(rows)
        for at_column, button in enumerate(row.buttons)
    ]


def links_of(message: Any) -> list[tuple[str, str]]:
    """Text and URL of a message's links: those whose target is not in sight (`messageEntityTextUrl`), and
    those that are written out (`messageEntityUrl`)."""
    found = message.get_entities_text() if message.entities else ()
    return [
        (text, entity.url if isinstance(entity, types.MessageEntityTextUrl) else text)
        for entity, text in found
        if isinstance(entity, types.MessageEntityTextUrl | types.MessageEntityUrl)
    ]


def pick(buttons: Sequence[Button], wanted: Wanted) -> Button:
    """The wanted button. Raises CannotOpen, naming the buttons there are."""
    found = next((button for at, button in enumerate(buttons) if _is(button, at, wanted)), None)
    if found is None:
        raise CannotOpen.no_such_button(wanted, (button.text for button in buttons))
    return found


def _is(button: Button, at: int, wanted: Wanted) -> bool:
    match wanted:
        case str():
            return button.text == wanted
        case int():
            return at == wanted
    return button.place == tuple(wanted)


def _button(button: Any, place: tuple[int, int]) -> Button:
    kind = _KINDS.get(type(button.type), ButtonKind.OTHER)
    return Button(button.text, kind, getattr(button.type, "url", ""), place)
