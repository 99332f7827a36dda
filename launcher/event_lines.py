"""Events as lines for a person: short, in seconds, without what is secret.

What a page stores, pastes or signs in with is its user's own, and a launch proves who somebody is: neither is
shown.
"""

from __future__ import annotations

from itertools import islice

from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.mini_app import MiniApp
from launcher.page_events import Logged
from launcher.plain_text import plain
from launcher.report.struck_out import event_text

__all__ = ["event_lines"]

_LONGEST = 120


def event_lines(app: MiniApp, last: int) -> list[str]:
    """The last events of a shown app, oldest first: seconds since the first, ↑ from the page or ↓ to it."""
    if app.live is None or not len(app.events):
        return []
    began, secrets = next(iter(app.events)).time, LaunchSecrets(app.url)
    latest = islice(app.events, max(0, len(app.events) - last), None)
    return [_line(event, event.time - began, secrets) for event in latest]


def _line(event: Logged, seconds: float, secrets: LaunchSecrets) -> str:
    way = "↑" if event.direction == "outgoing" else "↓"
    data = event_text(event.name, event.text) or ""
    text = plain(f"{event.name} {secrets.mask(data)}".rstrip())
    return f"{seconds:7.3f} s {way} {text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"
