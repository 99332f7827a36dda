"""What a bot has prepared for one user of its Mini App: messages to share, buttons to choose chats with.

Each has an id that the bot hands to its page, and that only the one user can use, through the one bot.
Documentation: core.telegram.org/api/bots/inline (prepared messages), core.telegram.org/bots/api
(savePreparedInlineMessage, savePreparedKeyboardButton).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["Prepared", "PreparedButton", "PreparedMessage"]

_HOUR = 3600.0
_DAY = 86_400.0


@dataclass(slots=True)
class PreparedMessage:
    """`result` and `peer_types` are as the bot sent them, `ends_at` is a time of `now()`."""

    id: str
    bot: int
    user: int
    result: Any
    peer_types: list[Any]
    ends_at: float
    sent: bool = False


@dataclass(slots=True)
class PreparedButton:
    """`button` is as the bot sent it: an `inputButtonTypeRequestPeer` under a text."""

    id: str
    bot: int
    user: int
    button: Any
    used: bool = False


class Prepared:
    """Everything prepared in one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._messages: dict[str, PreparedMessage] = {}
        self._buttons: dict[str, PreparedButton] = {}

    def add_message(self, bot: int, user: int, result: Any, peer_types: list[Any]) -> PreparedMessage:
        life = _HOUR if self._sandbox.assumptions.holds("prepared_messages_live_for_an_hour") else _DAY
        ends_at = self._sandbox.now() + life
        message = PreparedMessage(_new_id(), bot, user, result, peer_types, ends_at)
        self._messages[message.id] = message
        return message

    def message(self, name: str, bot: int, user: int) -> PreparedMessage | None:
        """The message of that id, if it was prepared by this bot for this user; it may be over."""
        found = self._messages.get(name)
        return found if found is not None and (found.bot, found.user) == (bot, user) else None

    def is_over(self, message: PreparedMessage) -> bool:
        """Whether it was sent before, or has expired."""
        return message.sent or self._sandbox.now() >= message.ends_at

    def add_button(self, bot: int, user: int, button: Any) -> PreparedButton:
        prepared = PreparedButton(_new_id(), bot, user, button)
        self._buttons[prepared.id] = prepared
        return prepared

    def button(self, name: str, bot: int, user: int) -> PreparedButton | None:
        """The button of that id, if it was prepared by this bot for this user and is not used up."""
        found = self._buttons.get(name)
        if found is None or (found.bot, found.user) != (bot, user) or found.used:
            return None
        return found


def _new_id() -> str:
    return secrets.token_urlsafe(12)
