"""What all benchmarks share: how much of everything to do, and two sides timed in turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, TypeAlias

__all__ = ["FULL", "QUICK", "Sizes", "Work", "compare", "percentiles"]

Work: TypeAlias = Callable[[], Awaitable[Any]]

LAPS = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything.

    `rounds` of one call at a time and `crowded_rounds` with `crowd` calls in flight; `delay` is the injected
    one in seconds; `apps` live apps are prolonged every `period` seconds; `starts` of a command; `launches`
    into a browser and `pages` there at once; `exchanges` of a page with Python, and `events` in a flood;
    `scrapes` of an exporter with `targets`.
    `checks` of each account by so many `workers`, and `kills` of a worker; `tests` of each kind.
    """

    rounds: int
    crowded_rounds: int
    crowd: int
    delay: float
    apps: int
    period: float
    starts: int
    launches: int
    pages: int
    exchanges: int
    events: int
    targets: int
    scrapes: int
    checks: int
    workers: tuple[int, ...]
    kills: int
    tests: int


FULL = Sizes(
    rounds=250, crowded_rounds=25, crowd=100, delay=0.1, apps=10_000, period=30.0, starts=15,
    launches=30, pages=10, exchanges=1_000, events=40_000, targets=1_000, scrapes=15,
    checks=140, workers=(1, 2, 4), kills=3, tests=40,
)  # fmt: skip
QUICK = Sizes(
    rounds=3, crowded_rounds=1, crowd=5, delay=0.02, apps=20, period=0.5, starts=1,
    launches=2, pages=2, exchanges=10, events=400, targets=20, scrapes=2,
    checks=2, workers=(1,), kills=1, tests=1,
)  # fmt: skip


async def compare(
    ours: Work,
    theirs: Work,
    *,
    rounds: int,
    crowd: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Time both sides, `rounds` times in turns: median milliseconds of a call, and ours ÷ theirs.

    With a `crowd`, so many calls are kept in flight: each of its members makes LAPS calls, one after another.
    Who goes first changes from round to round. With `time.process_time` as `clock` it is the processor's time
    that counts, and neither who else is at work nor what another process does in between.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for work in (ours, theirs):
        await _seconds(work, crowd, clock)
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 else (1, 0):
            times[side].append(await _seconds((ours, theirs)[side], crowd, clock))
    mine, other = (median(side) * 1000 for side in times)
    return {
        "ours_ms": round(mine, 3),
        "theirs_ms": round(other, 3),
        "ours_longer_by_us": round((mine - other) * 1000, 1),
        "ratio": round(mine / other, 3),
    }


async def _seconds(work: Work, crowd: int, clock: Callable[[], float]) -> float:
    """Seconds a call takes, on average over one round."""
    start = clock()
    if crowd == 1:
        await work()
        return clock() - start
    await asyncio.gather(*(_laps(work) for _ in range(crowd)))
    return (clock() - start) / (crowd * LAPS)


async def _laps(work: Work) -> None:
    for _ in range(LAPS):
        await work()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {
        name: round(at * 1000, 3)
        for name, at in (("p50_ms", cuts[49]), ("p99_ms", cuts[98]), ("max_ms", max(seconds)))
    }
