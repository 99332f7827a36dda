"""`open()` of each flow beside the same requests over bare Telethon, on the same connection, caches warm."""

from __future__ import annotations

from typing import Any

from launcher.launcher import Launcher
from tests.bench.measuring import Sizes, compare
from tests.bench.requests import Case, cases
from tests.bench.sandbox_process import SandboxProcess, launching, sandbox_process

__all__ = ["opening"]


async def opening(sizes: Sizes) -> dict[str, Any]:
    """For each flow the requests, and ours ÷ bare Telethon's one at a time and with many in flight."""
    with sandbox_process() as place:
        async with launching(place) as launcher:
            return {
                case.flow: await _beside(case, launcher, place, sizes)
                for case in await cases(launcher.client)
            }


async def _beside(case: Case, launcher: Launcher, place: SandboxProcess, sizes: Sizes) -> dict[str, Any]:
    async def ours() -> None:
        await case.open(launcher)

    async def theirs() -> None:
        await case.raw(launcher.client)

    await ours()
    place.take_calls()
    await ours()
    sent = [method for _, method in place.take_calls()]
    await theirs()
    if sent != (same := [method for _, method in place.take_calls()]):
        raise AssertionError(f"{case.flow} is compared with other requests: {sent} and {same}")
    return {
        "requests": sent,
        "one_at_a_time": await compare(ours, theirs, rounds=sizes.rounds),
        "in_flight": {
            "at_once": sizes.crowd,
            **await compare(ours, theirs, rounds=sizes.crowded_rounds, crowd=sizes.crowd),
        },
    }
