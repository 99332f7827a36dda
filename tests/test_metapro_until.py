"""Waiting by looking: how often is looked, how long is waited, and what is seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from launcher.metapro.until import until


class Watch:
    """A clock that moves when somebody waits, and a look at what is there by then."""

    def __init__(self, *seen: Any) -> None:
        self.seen = list(seen)
        self.looks = 0
        self.time = 100.0

    async def look(self) -> Any:
        self.looks += 1
        return self.seen[min(self.looks, len(self.seen)) - 1]

    async def wait(self, seconds: float) -> None:
        self.time += seconds

    async def until(self, seconds: float, glance: float = 1.0) -> Any:
        look: Callable[[], Awaitable[Any]] = self.look
        return await until(look, seconds, glance=glance, now=lambda: self.time, wait=self.wait)


@pytest.mark.parametrize(
    ("seen", "seconds", "found", "looks", "passed"),
    [
        ((["there"],), 5.0, ["there"], 1, 0.0),
        (("", "", "there"), 5.0, "there", 3, 2.0),
        (("",), 3.0, "", 4, 3.0),
        (([], [], [], "late"), 3.0, "late", 4, 3.0),
        ((0, 1), 0.0, 0, 1, 0.0),
    ],
    ids=["at once", "after a while", "never", "at the last look", "no time"],
)
async def test_it_looks_until_something_is_there_or_the_time_is_up(
    seen: tuple[Any, ...], seconds: float, found: Any, looks: int, passed: float
) -> None:
    watch = Watch(*seen)
    assert await watch.until(seconds) == found
    assert (watch.looks, watch.time) == (looks, 100.0 + passed)
