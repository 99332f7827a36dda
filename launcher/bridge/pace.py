"""Clicks and paces: whether a client obeys an event now. Time is in seconds, from any clock that grows."""

from __future__ import annotations

from collections import deque
from math import inf

from launcher.bridge.platforms import Limit, Platform

__all__ = ["Pace"]


class Pace:
    """What the user did and how often the page asked, under one platform's rules."""

    def __init__(self, platform: Platform) -> None:
        self._clicks = platform.clicks
        self._runs = [_Run(limit) for limit in platform.limits]
        self._clicked = -inf
        self._link_click = -inf

    def clicked(self, now: float) -> None:
        """The user touched the app or one of its buttons."""
        self._clicked = now

    def closed(self, event: str, now: float) -> None:
        """A dialog is gone."""
        for run in self._runs:
            if event in run.limit.events:
                run.closed = now

    def objection(self, event: str, now: float) -> str | None:
        """Why the event is not obeyed now; if it is, it counts."""
        within = self._clicks.get(event)
        if within is not None and now - self._clicked > within:
            return f"the user has not clicked within {within:g} seconds"
        if event == "web_app_open_link" and within is not None:
            if self._link_click == self._clicked:
                return "a link was opened for this click already"
            self._link_click = self._clicked
        if not all(run.allows(now) for run in self._runs if event in run.limit.events):
            return "it came too often"
        return None


class _Run:
    """How often the events of one limit have come."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.closed = -inf
        self._times: deque[float] = deque()
        self._until = -inf

    def allows(self, now: float) -> bool:
        if now < self._until:
            return False
        self._forget(now)
        if len(self._times) >= self.limit.count:
            self._until = now + self.limit.pause
            if self.limit.pause:
                self._times.clear()
            return False
        self._times.append(now)
        return True

    def _forget(self, now: float) -> None:
        if self.limit.after_close:
            if now - self.closed > self.limit.window:
                self._times.clear()
            return
        while self._times and now - self._times[0] >= self.limit.window:
            self._times.popleft()
