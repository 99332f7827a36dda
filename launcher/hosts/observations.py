"""The values a host hands out: events, what else was seen, why it ended, and the limits it keeps.

A page is a stranger. Whatever it does in a loop, the first few of each kind are kept and the rest are counted
(`Observations`), and a host whose page goes over its `Limits` is closed with a reason that names the limit.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "HostEnd",
    "HostEndReason",
    "HostUnavailable",
    "Limits",
    "Meter",
    "Observation",
    "Observations",
    "PageEvent",
    "Seen",
]


class HostUnavailable(Exception):
    """There is no such host here; the text says in one line what to do about it."""


@dataclass(frozen=True, slots=True)
class PageEvent:
    """One event that the page posted, untouched.

    `data` is the text the page gave, by convention JSON, or None when it gave nothing; `origin` that of
    the document which posted it; `time` seconds since the epoch, when it reached Python. Lone surrogates
    in name and data are U+FFFD; escaped ones inside the JSON text stay.
    """

    name: str
    data: str | None = field(repr=False)
    origin: str
    time: float


class Seen(StrEnum):
    """The kinds of observations."""

    LOAD_FAILED = "load failed"
    """The page did not load: DNS, connection, TLS, a status of 400 or more, or not in time."""
    CRASHED = "crashed"
    HUNG = "hung"
    """The page did not run a script of ours in time."""
    NAVIGATED = "navigated"
    """The page went to another origin."""
    CONSOLE_ERROR = "console error"
    PAGE_ERROR = "page error"
    """An exception that the page did not catch."""
    HANDLER_ERROR = "handler error"
    """The page threw while an event was delivered to it."""
    REQUEST_FAILED = "request failed"
    """A request of the page got no answer, or a status of 400 or more."""
    DIALOG = "dialog"
    """alert (answered), confirm and prompt (declined), beforeunload (left)."""
    DOWNLOAD = "download"
    """Cancelled."""
    POPUP = "popup"
    """Closed."""
    FOREIGN_ORIGIN = "foreign origin"
    """An event from another origin than the launch's, refused because of `same_origin`."""
    OVERSIZE = "oversize"
    """An event that is too long, dropped."""
    NO_VIDEO = "no video"
    """Pictures are kept instead of a video."""
    FLOOD = "flood"
    """The page went over a limit and is closed."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Something the page did that is not an event; `detail` is short and free of the launch's secrets."""

    kind: Seen
    detail: str
    time: float


class Observations:
    """What was seen, in order: the first `keep` of each kind; `counts` counts all of them."""

    def __init__(self, keep: int = 50) -> None:
        self.counts: Counter[Seen] = Counter()
        self._keep = keep
        self._kept: list[Observation] = []

    def note(self, kind: Seen, detail: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= self._keep:
            self._kept.append(Observation(kind, _short(detail), time.time()))

    def of(self, kind: Seen) -> list[Observation]:
        return [seen for seen in self._kept if seen.kind is kind]

    def __iter__(self) -> Iterator[Observation]:
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)


def _short(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class HostEndReason(StrEnum):
    CALLER = "closed by the caller"
    PAGE = "the page closed its window"
    CRASHED = "the page crashed"
    FLOODED = "the page went over a limit"
    BROWSER_GONE = "the browser ended"


@dataclass(frozen=True, slots=True)
class HostEnd:
    """Why a host ended; `detail` names the limit that was crossed."""

    reason: HostEndReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may do. Over a rate its host is closed; rates are (at once, more per second).

    `events` and `characters`: what it posts, counted in the page, where a flood costs nothing yet, and
    again here, because a reload forgets. `event_characters`: the longest event (5 MiB of device storage
    must fit); a longer one is dropped. `loads`: documents of the main frame. `happenings`: of each other
    kind that is observed. `messages`: console output and uncaught errors in each frame, per second; more
    is dropped in the page.
    """

    events: tuple[float, float] = (10_000, 1_000)
    characters: tuple[float, float] = (32 * 2**20, 8 * 2**20)
    event_characters: int = 6 * 2**20
    loads: tuple[float, float] = (50, 2)
    happenings: tuple[float, float] = (1_000, 50)
    messages: int = 200


class Meter:
    """A token bucket: so much at once, refilled at so much per second."""

    def __init__(self, rate: tuple[float, float]) -> None:
        self._most, self._per_second = rate
        self._left = self._most
        self._at = time.monotonic()

    def allows(self, amount: float = 1) -> bool:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        self._left -= amount
        return self._left >= 0
