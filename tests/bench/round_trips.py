"""How often a launch waits for Telegram before its URL is known.

Every answer is held back; so a request which was logged less than that after the one before it did not wait
for its answer, and belongs to the same round trip. What cannot be known beforehand costs a round trip of its
own: the results of an inline query, and the query id of a join request. With the app's value in hand these
two flows take one like the others.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

from flows import Cache
from launcher.launcher import Launcher
from tests.bench.measuring import Sizes
from tests.bench.requests import BOT, cases
from tests.bench.sandbox_process import SandboxProcess, launching, sandbox_process

__all__ = ["round_trips"]

_HELD = ("inline_mode", "chat_join")
_BY_NAME = ("keyboard_button", "inline_button")


async def round_trips(sizes: Sizes) -> dict[str, Any]:
    """For each flow, cold and warm: round trips, requests, seconds until the URL is known."""
    figures: dict[str, Any] = {"delay_seconds": sizes.delay}
    with sandbox_process() as place:
        async with launching(place) as launcher:
            every = await cases(launcher.client)
            place.delay_answers(sizes.delay)
            for case in every:
                launcher.cache = Cache()
                target, options = case.target, case.options
                if case.flow in _BY_NAME:
                    target, options = f"@{BOT}", {"via": case.flow}
                cold = await _launch(launcher, place, sizes, target, **options)
                warm = await _launch(launcher, place, sizes, case.target, **case.options)
                figures[case.flow] = {"cold": cold, "warm": warm}
                if case.flow == "direct_link":
                    speculated = await _launch(launcher, place, sizes, target, speculate=True)
                    figures[case.flow]["speculate"] = speculated
                if case.flow in _HELD:
                    async with launcher.open(case.target, **case.options) as opened:
                        held = opened.app
                    figures[case.flow]["held"] = await _launch(launcher, place, sizes, held)
    return figures


async def _launch(
    launcher: Launcher, place: SandboxProcess, sizes: Sizes, target: Any, **options: Any
) -> dict[str, Any]:
    place.take_calls()
    start = time.perf_counter()
    async with launcher.open(target, **options):
        seconds = time.perf_counter() - start
    calls = place.take_calls()
    return {
        "round_trips": _waits([at for at, _ in calls], sizes.delay),
        "requests": [method for _, method in calls],
        "seconds": round(seconds, 3),
    }


def _waits(times: list[float], delay: float) -> int:
    """How many of the times are later than the one before by the delay or more (less the clock's grain)."""
    return 1 + sum(late - early > delay * 0.95 for early, late in pairwise(times))
