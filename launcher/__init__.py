"""Open Telegram Mini Apps by program: `Launcher`, the live `MiniApp`, and what they are told.

The names here are the public ones; the flows' own are in `flows`, the data centre's in
`launcher.sandbox`. They are imported when they are first used, so that `miniapp --help` need not load
Telethon.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows import (
        DARK,
        LIGHT,
        Consent,
        HiddenLink,
        MiniAppError,
        OpenMode,
        OpenParameters,
        Prompt,
        Question,
        ThemeParams,
    )
    from launcher.accounts import Accounts
    from launcher.expectations import expect
    from launcher.launcher import Launcher
    from launcher.mini_app import CloseReason, MiniApp, PageGone
    from launcher.page_events import NotSeen
    from launcher.settings import Settings
    from launcher.timing import Timing

__all__ = [
    "DARK",
    "LIGHT",
    "Accounts",
    "CloseReason",
    "Consent",
    "HiddenLink",
    "Launcher",
    "MiniApp",
    "MiniAppError",
    "NotSeen",
    "OpenMode",
    "OpenParameters",
    "PageGone",
    "Prompt",
    "Question",
    "Settings",
    "ThemeParams",
    "Timing",
    "expect",
]

_HOMES = {
    "Accounts": "launcher.accounts",
    "CloseReason": "launcher.mini_app",
    "Launcher": "launcher.launcher",
    "MiniApp": "launcher.mini_app",
    "NotSeen": "launcher.page_events",
    "PageGone": "launcher.mini_app",
    "Settings": "launcher.settings",
    "Timing": "launcher.timing",
    "expect": "launcher.expectations",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "flows")), name)
