"""Waiting for what cannot tell by itself that it has come: one looks at it, again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["GLANCE", "until"]

T = TypeVar("T")
GLANCE = 0.05
"""Seconds between two looks."""


async def until(
    look: Callable[[], Awaitable[T]],
    seconds: float,
    *,
    glance: float = GLANCE,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """What is seen: the first that counts as true, or else the last, once `seconds` are over. There is always
    one look, and one more after the last wait."""
    deadline = now() + seconds
    while not (seen := await look()) and now() < deadline:
        await wait(glance)
    return seen
