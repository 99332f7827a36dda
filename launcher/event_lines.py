"""Events as lines for a person: short, in seconds, without what is secret.

What a page stores, pastes or signs in with is its user's own, and a launch proves who somebody is: neither is
shown.
"""

from __future__ import annotations

from itertools import islice

from launcher.hosts.launch_secrets import MASK, LaunchSecrets
from launcher.mini_app import MiniApp
from launcher.page_events import Logged
from launcher.plain_text import plain

__all__ = ["event_lines"]

_LONGEST = 120
_PRIVATE = ("biometry", "clipboard", "custom_method", "secure_storage", "device_storage")
"""Parts of the names of events whose data is not shown."""


def event_lines(app: MiniApp, last: int) -> list[str]:
    """The last events of a shown app, oldest first: seconds since the first, ↑ from the page or ↓ to it."""
    if app.live is None or not len(app.events):
        return []
    began, secrets = next(iter(app.events)).time, LaunchSecrets(app.url)
    latest = islice(app.events, max(0, len(app.events) - last), None)
    return [_line(event, event.time - began, secrets) for event in latest]


def _line(event: Logged, seconds: float, secrets: LaunchSecrets) -> str:
    way = "↑" if event.direction == "outgoing" else "↓"
    text = plain(f"{event.name} {secrets.mask(_data(event))}".rstrip())
    return f"{seconds:7.3f} s {way} {text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"


def _data(event: Logged) -> str:
    if event.text is None:
        return ""
    return MASK if any(part in event.name for part in _PRIVATE) else event.text
