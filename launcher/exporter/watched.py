"""What is known of a target and of an account while the exporter runs.

Two clocks: moments on the monotonic one say how old something is and when the next check is due, so that a
clock that is set changes nothing; seconds since the epoch are only shown to people.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Self

from flows import MiniAppError
from launcher.probe import Budget, CheckResult, Stage, Status, Target

__all__ = ["SHOWN", "AtWork", "Past", "Watched"]

SHOWN = 60
"""Checks that a target's strip shows."""


@dataclass(frozen=True, slots=True)
class Past:
    """A check gone by. `at`: when it ended, in seconds since the epoch; `stages`: seconds of each."""

    at: float
    status: Status
    seconds: float
    text: str
    stages: tuple[tuple[Stage, float], ...]

    @classmethod
    def of(cls, result: CheckResult, at: float) -> Self:
        text = "" if result.status is Status.OK else result.text
        stages = tuple((one.stage, one.seconds) for one in result.stages)
        return cls(at, result.status, result.seconds, text, stages)


@dataclass(slots=True, eq=False)
class Watched:
    """A target, its last result and those before it.

    `last_at`, `next_at` and `beat` are moments of the monotonic clock; checks come at `beat` and whole
    periods after it, only the first one sooner. `failure` is the last result that was not OK, at `failure_at`
    since the epoch; `reported` says that its launch is in the history. `counts` are the checks since the
    exporter began.
    """

    target: Target
    past: deque[Past] = field(default_factory=lambda: deque(maxlen=SHOWN))
    last: CheckResult | None = None
    last_at: float = 0.0
    failure: CheckResult | None = None
    failure_at: float = 0.0
    reported: bool = False
    next_at: float | None = None
    beat: float = 0.0
    checking: bool = False
    counts: Counter[Status] = field(default_factory=Counter)
    checked: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, result: CheckResult, *, now: float, at: float) -> None:
        """A check has ended: `now` on the monotonic clock, `at` since the epoch. Its launch, which may be
        long, is not kept here."""
        if result.saved is not None:
            result = replace(result, saved=None)
        self.past.append(Past.of(result, at))
        self.last, self.last_at = result, now
        if result.status is not Status.OK:
            self.failure, self.failure_at, self.reported = result, at, False
        self.counts[result.status] += 1
        self.checked.set()

    def age(self, now: float) -> float | None:
        """Seconds since the last check ended."""
        return None if self.last is None else max(0.0, now - self.last_at)

    def resolved_age(self, now: float) -> float | None:
        """Seconds since the bot's name was resolved."""
        if self.last is None or self.last.resolved_age is None:
            return None
        return self.last.resolved_age + max(0.0, now - self.last_at)


@dataclass(slots=True, eq=False)
class AtWork:
    """An account and what it has to check. `problem` is why it cannot be used, if it cannot; then
    `again_at`, a moment of the monotonic clock, is when it is tried anew."""

    name: str | None
    budget: Budget
    watched: tuple[Watched, ...]
    pages: asyncio.Semaphore = field(default_factory=asyncio.Semaphore)
    up: bool = False
    problem: MiniAppError | None = None
    again_at: float | None = None
    requests: int = 0
    flood_waits: int = 0

    @property
    def label(self) -> str:
        """Its name in metrics and on the page; the only account there is needs none in the file."""
        return self.name or "default"
