"""A launch as the driver sees it: what Telegram said, of which bot, by which flow.

It is taken from a live app, or from a launch URL or its parameters alone; then only what they say is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from flows import LaunchParams
from flows.init_data import PRODUCTION_PUBLIC_KEY, InitData

if TYPE_CHECKING:
    from launcher.mini_app import MiniApp

__all__ = ["IDENTIFYING_FLOWS", "Launch"]

_TELL_NOBODY = ("keyboard_button", "inline_mode")
IDENTIFYING_FLOWS = (
    "inline_button",
    "menu_button",
    "attachment_menu",
    "side_menu",
    "direct_link",
    "main_app",
    "chat_join",
)
"""The flows in which the page learns who opened it: core.telegram.org/api/bots/webapps."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch. `flow`, `bot_id` and `bot_name` (without `@`) are None when nobody said.

    `public_key` is the Ed25519 key of the Telegram it comes from, in hexadecimal.
    """

    params: LaunchParams = field(repr=False)
    bot_id: int | None = None
    bot_name: str | None = None
    flow: str | None = None
    url: str | None = field(default=None, repr=False)
    public_key: str = field(default=PRODUCTION_PUBLIC_KEY, repr=False)

    @classmethod
    def of(cls, app: MiniApp) -> Self:
        bot = app.app.bot
        key = app.launcher.server.init_data_public_key
        return cls(app.launch_params, bot.id, bot.username, app.flow, app.url, key)

    @classmethod
    def from_url(cls, url: str, **known: Any) -> Self:
        """A launch URL alone; `known` are the other fields."""
        return cls(LaunchParams.parse(url), url=url, **known)

    @property
    def raw(self) -> str:
        """The init data as they were signed; empty when the launch carries none. A credential."""
        return self.params.raw.get("tgWebAppData") or ""

    @property
    def init_data(self) -> InitData | None:
        return self.params.init_data

    @property
    def identifies(self) -> bool:
        """Whether a launch of this flow tells the page who opened it; of an unknown flow, whether it does."""
        return bool(self.raw) if self.flow is None else self.flow not in _TELL_NOBODY

    @property
    def secret_url(self) -> str:
        """A URL that holds whatever is secret of this launch."""
        return self.url or f"https://launch.invalid/#tgWebAppData={quote(self.raw, safe='')}"
